"""Load a Hub dataset, a local folder or a file, and find its splits for training, development and test.

A split named by the user applies to every dataset that has it. Otherwise a usual name is chosen.
"""

import codecs
import re
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow
from datasets import Dataset, DatasetDict, Json, load_dataset, load_from_disk
from datasets.utils.logging import CRITICAL, get_verbosity, set_verbosity
from huggingface_hub import HfApi
from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError

from ..errors import DatasetError, FileError
from ..files.formats import read_table
from ..files.table import UNCOMPUTED
from .columns import Reading

# What the library `datasets` reads; tables go to our own reader, unless a README describes their folder.
READERS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".xlsx": "xlsx",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
    ".parquet": "parquet",
}
TABLES = (".csv", ".tsv", ".xlsx")
LINES = (".jsonl", ".ndjson")
SPLITS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev", "eval"),
    "test": ("test", "testing"),
}
HUB_TIMEOUT = 4.0  # seconds; the libraries take over 20 to notice that they are offline
LOCAL_EXAMPLE = "a local folder such as ./my_dataset or a file such as ./reviews.csv"
# Read at once, so that a column's type fits all rows; "NA" and "None" are words, not missing values.
CSV_SETTINGS: dict[str, Any] = {"chunksize": None, "keep_default_na": False, "na_values": [""]}
INTEGER = re.compile(r"-?(0|[1-9]\d{0,14})")
DECIMAL = re.compile(r"-?\d+\.\d+")


def load_splits(source: str) -> DatasetDict:
    """Load a file, a local folder (`folder` or `folder:config`), or `name` or `name:config` from the Hub.

    Raises:
        DatasetError: The source does not exist, cannot be read, or the Hub cannot be reached.
    """
    check_source(source)
    path, _, config = (source, "", "") if Path(source).is_dir() else source.partition(":")
    if Path(source).is_file():
        return _load_file(Path(source))
    if (Path(path) / "dataset_dict.json").is_file():  # written by save_to_disk
        return load_from_disk(path, keep_in_memory=True)
    if (Path(path) / "state.json").is_file():  # the same of one split
        return DatasetDict({"train": load_from_disk(path, keep_in_memory=True)})
    if Path(path).is_dir():
        return _load_folder(Path(path), config or None)
    return _load(path, name=config or None)


def check_source(source: str) -> None:
    """Raise DatasetError if a source is neither local nor on the Hub; the message suggests an alternative."""
    path = source.partition(":")[0]
    if Path(source).exists() or Path(path).is_dir():
        return
    if Path(path).suffix in READERS or path.startswith((".", "/", "~")):
        raise DatasetError(f"there is no file or folder {source!r} here")
    _check_hub(path)


def _check_hub(name: str) -> None:
    try:
        HfApi().dataset_info(name, timeout=HUB_TIMEOUT)
    except (RepositoryNotFoundError, HFValidationError) as error:
        fault = "the Hugging Face Hub has no dataset of this name that you may read"
        raise DatasetError(f"no folder {name!r} here, and {fault}; name another, or {LOCAL_EXAMPLE}") from error
    except Exception as error:
        fault = f"the Hugging Face Hub is out of reach ({type(error).__name__})"
        raise DatasetError(f"no folder {name!r} here, and {fault}; name {LOCAL_EXAMPLE}") from error


def _load_file(file: Path) -> DatasetDict:
    reader = READERS.get(file.suffix.lower())
    if reader is None:
        raise DatasetError(f"{file} is not a file of {', '.join(READERS)}; save it as one of these")
    if file.suffix.lower() in TABLES or (file.suffix.lower() in LINES and not _is_utf8(file)):
        return DatasetDict({"train": read_dataset(file)})
    try:
        splits = _load_local(reader, [file], data_files=str(file))
    except DatasetError:
        if file.suffix.lower() not in LINES or not file.stat().st_size:
            raise
        return DatasetDict({"train": read_dataset(file)})  # its error names the line
    mixed = any(isinstance(feature, Json) for feature in splits["train"].features.values())
    return DatasetDict({"train": read_dataset(file)}) if mixed and file.suffix.lower() in LINES else splits


def _load_folder(folder: Path, config: str | None) -> DatasetDict:
    """Load a folder; with tables in it, all files are first rewritten as Parquet; their names give the splits."""
    files = _data_files(folder)
    if (folder / "README.md").is_file() or not any(file.suffix.lower() in TABLES for file in files):
        return _load_local(str(folder), files, name=config)
    with tempfile.TemporaryDirectory() as rewritten:
        for file in files:
            target = Path(rewritten) / file.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            if file.suffix.lower() == ".parquet":
                shutil.copyfile(file, target)
            else:  # all in one format, as `datasets` demands
                read_dataset(file).to_parquet(target.with_name(f"{file.name}.parquet"))
        try:
            return _load_local(rewritten, _data_files(Path(rewritten)), name=config)
        except DatasetError as error:
            raise DatasetError(str(error).replace(rewritten, str(folder))) from error


def _data_files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in READERS and path.is_file()]


def _load_local(path: str, files: Sequence[Path], **settings: Any) -> DatasetDict:
    for file in files:
        _check_file(file)
    if files and all(READERS[file.suffix.lower()] == "csv" for file in files):
        settings |= CSV_SETTINGS
    # The library's cache identifies a local folder by its name and README alone, so it would return the texts of
    # another folder of that name, or those before an edit.
    with tempfile.TemporaryDirectory() as cache:
        splits = _load(path, cache_dir=cache, keep_in_memory=True, **settings)
    if any("__index_level_0__" in split.column_names for split in splits.values()):
        raise DatasetError(f"the rows of {files[0]} have more fields than its first line; put texts in quotes")
    return splits


def _check_file(file: Path) -> None:
    """Raise DatasetError if a file that `datasets` reads is empty or not UTF-8, whose encoding it would not detect."""
    if file.stat().st_size == 0:
        raise DatasetError(f"{file} is empty")
    if READERS[file.suffix.lower()] in ("csv", "json") and not _is_utf8(file):
        raise DatasetError(
            f"{file} is not UTF-8 text; save it as UTF-8, for example with:"
            f" iconv -f WINDOWS-1252 -t UTF-8 {file.name} > utf8_{file.name}"
        )


def _is_utf8(file: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                decoder.decode(block)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _load(path: str, **settings: Any) -> DatasetDict:
    verbosity = get_verbosity()
    set_verbosity(CRITICAL)  # what the library would print is raised below
    try:
        return load_dataset(path, **settings)
    except Exception as error:
        what = settings.get("data_files", path)
        reason = " ".join(str(error.__cause__ or error).split()) or type(error).__name__
        if "Config name is missing" in reason:
            reason += " Write it as name:config."
        elif "corresponds to no data" in reason:
            reason = "it has no rows"
        elif "column names don't match" in reason:
            reason = "its files have different columns; give the columns the same names"
        raise DatasetError(f"dataset {what!r} cannot be read: {reason}") from error
    finally:
        set_verbosity(verbosity)


def distinct_names(sources: Sequence[str]) -> list[str]:
    """Return a short name of each source: its last part, and more parts where names would be equal.

    Raises:
        DatasetError: A source is given twice.
    """
    choices = [_name_choices(source) for source in sources]
    names = [choice[0] for choice in choices]
    for depth in range(1, max(map(len, choices), default=0)):
        count = Counter(names)
        names = [
            choice[min(depth, len(choice) - 1)] if count[name] > 1 else name
            for name, choice in zip(names, choices, strict=True)
        ]
    if repeated := [source for source, name in zip(sources, names, strict=True) if names.count(name) > 1]:
        raise DatasetError(f"--dataset names {repeated[-1]!r} more than once")
    return names


def _name_choices(source: str) -> list[str]:
    """Return names from short to long: b, b-config, a-b-config, ..."""
    path, _, config = source.partition(":")
    local = Path(path).exists()
    parts = [part for part in (Path(path).resolve() if local else Path(path)).parts if part != "/"]
    tail = [f"-{config}"] if config else []
    choices = [parts[-1]] if config else []
    return choices + ["-".join(parts[-depth:]) + "".join(tail) for depth in range(1, len(parts) + 1)]


def check_named(datasets: Mapping[str, Mapping[str, Dataset]], reading: Reading) -> None:
    """Raise DatasetError if no dataset has a named split or column; the message lists those of each dataset."""
    for kind in ("train_split", "validation_split", "test_split", "text_column", "label_column"):
        name, noun = getattr(reading, kind), kind.rpartition("_")[2]
        present = {
            dataset: list(splits) if noun == "split" else all_columns(splits) for dataset, splits in datasets.items()
        }
        if name is not None and not any(name in names for names in present.values()):
            lists = "; ".join(f"{dataset} has the {noun}s {', '.join(names)}" for dataset, names in present.items())
            raise DatasetError(f"--{kind.replace('_', '-')} {name}: there is no such {noun}; {lists}")


def all_columns(splits: Mapping[str, Dataset]) -> list[str]:
    """Return the distinct columns of all splits, in order."""
    return list(dict.fromkeys(column for split in splits.values() for column in split.column_names))


def find_splits(names: Sequence[str], reading: Reading) -> dict[str, str]:
    """Return a mapping from the roles train, validation and test to the splits that fill them.

    Raises:
        DatasetError: There is no training split, or two splits fit one role.
    """
    requested = {role: getattr(reading, f"{role}_split") for role in SPLITS}
    roles = {role: name for role, name in requested.items() if name in names}
    for role, usual in SPLITS.items():
        free = [name for name in names if name.lower() in usual and name not in roles.values()]
        if role in roles or not free:
            continue
        if len(free) > 1:
            raise DatasetError(f"the splits {' and '.join(free)} could both be {role}; name one with --{role}-split")
        roles[role] = free[0]
    if "train" not in roles and len(names) == 1 and not roles:
        roles["train"] = names[0]  # the only split, whatever its name
    if "train" not in roles:
        raise DatasetError(f"no train split, only {', '.join(names)}; name one with --train-split")
    return roles


def read_dataset(path: Path) -> Dataset:
    """Return the rows of a CSV, TSV, XLSX or JSON lines file; columns of numbers hold numbers, empty cells None.

    The readers of `--file` read it, so that whatever can be scored can be trained on. They detect encodings, delimiters
    and a missing header, and read the first sheet of a workbook; what they detected is printed.

    Raises:
        DatasetError: The file cannot be read, or the cells of a row do not fit its columns; the message names the row.
    """
    try:
        table = read_table(path)
        rows = list(table.content.read())
    except FileError as error:
        raise DatasetError(f"{path}: {error}") from error
    advice = "correct or remove this line" if path.suffix.lower() in LINES else "put texts in quotes"
    for row in rows:
        if row.problem:
            raise DatasetError(f"{path}, row {row.number:,}: {row.problem}; {advice}")
        if UNCOMPUTED in row.cells:
            raise DatasetError(
                f"{path}, row {row.number:,}: a formula was never computed; open the workbook in a spreadsheet program"
                " and save it"
            )
    for note in table.notes:
        print(f"{path}: {note}", file=sys.stderr)
    columns = {}
    for name, cells in zip(table.columns, zip(*(row.cells for row in rows), strict=True), strict=True):
        try:
            columns[name] = pyarrow.array(to_column(cells))
        except pyarrow.ArrowException as error:
            raise DatasetError(f"{path}: the cells of the column {name!r} have different types: {error}") from error
    return Dataset(pyarrow.table(columns))


def to_column(cells: Sequence[object]) -> list[object]:
    """Return cells of one type: integers or decimals if all that are not empty are, else strings; empty ones are None.

    If some cells of JSON lines are lists, the others become lists of one item.

    >>> to_column(["1", "", "20"]), to_column(["1.5", "2"]), to_column(["007", "1"]), to_column([1, "two", None])
    ([1, None, 20], [1.5, 2.0], ['007', '1'], ['1', 'two', None])
    >>> to_column(["joy", ["joy", 5], None])
    [['joy'], ['joy', '5'], None]
    """
    plain = [None if cell is None or cell == "" else cell for cell in cells]
    present = [cell for cell in plain if cell is not None]
    if any(isinstance(cell, dict) for cell in present):
        return plain
    if any(isinstance(cell, list) for cell in present):
        return [None if cell is None else to_list(cell) for cell in plain]
    texts = [str(cell) for cell in present]
    if present and all(INTEGER.fullmatch(text) for text in texts):
        return [None if cell is None else int(str(cell)) for cell in plain]
    if present and all(INTEGER.fullmatch(text) or DECIMAL.fullmatch(text) for text in texts):
        return [None if cell is None else float(str(cell)) for cell in plain]
    return [None if cell is None else str(cell) for cell in plain]


def to_list(cell: object) -> list[object]:
    """Return a list, or a single value as one, with strings in place of numbers."""
    items = cell if isinstance(cell, list) else [cell]
    return [item if item is None or isinstance(item, list | dict) else str(item) for item in items]
