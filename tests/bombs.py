"""Generators of small files that cost a careless reader gigabytes or minutes."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pyarrow.parquet
import xlsxwriter

MEGABYTE = 1_000_000


def _repeated(value: bytes | str, rows: int) -> pyarrow.Array:
    """Return a column that is its one value in every row, and holds it once."""
    return pyarrow.DictionaryArray.from_arrays(pyarrow.array([0] * rows, pyarrow.int32()), [value])


def _write_columns(path: Path, rows: int, **columns: pyarrow.Array) -> Path:
    """Write a Parquet file whose columns are read as plain ones, since it lacks the schema with their dictionaries."""
    table = pyarrow.table({"text": ["fine"] * rows} | columns)
    pyarrow.parquet.write_table(table, path, store_schema=False)
    return path


def write_repeated_binary(path: Path, rows: int = 1_000) -> Path:
    """Write a Parquet file whose dictionary stores one megabyte for all rows of a binary column."""
    return _write_columns(path, rows, data=_repeated(b"x" * MEGABYTE, rows))


def write_repeated_list(path: Path, rows: int = 1_000) -> Path:
    """Write a Parquet file whose dictionary stores one megabyte for all rows of a list column."""
    texts = pyarrow.ListArray.from_arrays(list(range(rows + 1)), _repeated("x" * MEGABYTE, rows))
    return _write_columns(path, rows, list=texts)


def write_workbook(path: Path, sheet: bytes | None = None, strings: bytes | None = None) -> Path:
    """Write a workbook of two rows, and replace the XML of its sheet or its shared strings."""
    original = path.with_suffix(".original")
    with xlsxwriter.Workbook(original) as workbook:
        workbook.add_worksheet().write_column(0, 0, ["text", "fine"])
    replaced = {"xl/worksheets/sheet1.xml": sheet, "xl/sharedStrings.xml": strings}
    with zipfile.ZipFile(original) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, replaced.get(name) or source.read(name))
    original.unlink()
    return path


def _sheet(rows: bytes) -> bytes:
    namespace = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return b'<worksheet xmlns="%s"><sheetData>%s</sheetData></worksheet>' % (namespace, rows)


def write_empty_cells(path: Path, cells: int = 4_000_000) -> Path:
    """Write a workbook with one row of empty cells."""
    return write_workbook(path, _sheet(b'<row r="1">' + b"<c/>" * cells + b"</row>"))


def write_far_cells(path: Path, rows: int = 50_000) -> Path:
    """Write a workbook whose every row has one cell, in the last column that the format allows."""
    row = b'<row><c r="XFD1" t="str"><v>x</v></c></row>'
    return write_workbook(path, _sheet(b'<row r="1"><c r="A1" t="str"><v>text</v></c></row>' + row * rows))


def write_shared_strings(path: Path, strings: int = 1_000_000) -> Path:
    """Write a workbook with many shared strings that no cell uses."""
    namespace = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return write_workbook(path, strings=b'<sst xmlns="%s">%s</sst>' % (namespace, b"<si/>" * strings))


def write_wide_header(path: Path, columns: int = 8_000) -> Path:
    """Write a CSV file with many columns of the same name."""
    path.write_text(",".join(["x"] * columns) + "\n" + ",".join(["y"] * columns) + "\n")
    return path


def write_many_keys(path: Path, lines: int = 200_000) -> Path:
    """Write JSON lines, each with a key of its own."""
    path.write_text("".join(f'{{"{number}": 1}}\n' for number in range(lines)))
    return path


OF_MEMORY: dict[str, Callable[[Path], Path]] = {
    "binary.parquet": write_repeated_binary,
    "list.parquet": write_repeated_list,
    "empty-cells.xlsx": write_empty_cells,
}
OF_TIME: dict[str, Callable[[Path], Path]] = {
    "header.csv": write_wide_header,
    "far-cells.xlsx": write_far_cells,
    "strings.xlsx": write_shared_strings,
    "keys.jsonl": write_many_keys,
}
