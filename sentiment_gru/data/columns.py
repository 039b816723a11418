"""Find the columns of a dataset that hold texts and labels, and read them.

A column named by the user applies to every dataset that has it. Otherwise a usual name is chosen, and failing that the
only column of the right type.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from datasets import ClassLabel, Dataset, LargeList, List, Value

from ..errors import DatasetError
from ..labels import (
    LABEL_COLUMNS,
    NO_LABEL,
    SEPARATOR,
    TEXT_COLUMNS,
    canonical_label,
    join_labels,
    list_names,
    plain_label,
    usual_name,
)

MAX_LABELS = 500  # a column with more distinct values does not hold classes
STRING_TYPES = ("string", "large_string")
SEVERAL = "with several labels"  # reason why a row was left out
BETWEEN_LABELS = re.compile("[;|,]")  # in a cell of several labels


@dataclass(frozen=True)
class Reading:
    """Splits, columns and labels named by the user; None where they are to be detected.

    With `multi_label`, a text may have any number of labels.
    """

    text_column: str | None = None
    label_column: str | None = None
    train_split: str | None = None
    validation_split: str | None = None
    test_split: str | None = None
    label_map: Mapping[str, str | None] = field(default_factory=dict)
    multi_label: bool = False


@dataclass(frozen=True)
class Columns:
    """Names of the text and label columns."""

    text: str
    label: str


@dataclass(frozen=True)
class Rows:
    """Texts, their label names at the same index, and the number of removed rows by reason.

    If a text may have several labels, `join_labels` has made one string of them.
    """

    texts: list[str]
    labels: list[str]
    removed: dict[str, int]


def find_columns(dataset: Dataset, reading: Reading) -> Columns:
    """Return the columns of texts and labels.

    Raises:
        DatasetError: No column fits, or several; the message lists the columns and the option that names one.
    """
    if len(dataset.column_names) == 1:
        raise DatasetError(
            f"there is only the column {dataset.column_names[0]!r}; texts and labels need a column each, as in a CSV"
            " file with the header text,label"
        )
    strings = [name for name in dataset.column_names if _is_string(dataset, name) and name != reading.label_column]
    text = _check_named_column(dataset, reading.text_column, _is_string, "text") or usual_name(strings, TEXT_COLUMNS)
    label = _find_label(dataset, reading, text)
    text = text or _require_single([name for name in strings if name != label], dataset, "text")
    return Columns(text, label)


def _find_label(dataset: Dataset, reading: Reading, text: str | None) -> str:
    holders = [name for name in dataset.column_names if _holds_labels(dataset, name) and name != text]
    label = _check_named_column(dataset, reading.label_column, _holds_labels, "label") or usual_name(
        holders, LABEL_COLUMNS
    )
    if label:
        return label
    if reading.multi_label and (lists := [name for name in holders if _is_list(dataset, name)]):
        return _require_single(lists, dataset, "label")
    scalars = [name for name in holders if not _is_list(dataset, name)]
    named = [name for name in scalars if isinstance(dataset.features[name], ClassLabel)]
    return _require_single(named or [name for name in scalars if _has_few_values(dataset, name)], dataset, "label")


def _check_named_column(
    dataset: Dataset, name: str | None, fits: Callable[[Dataset, str], bool], role: str
) -> str | None:
    if name is None or name not in dataset.column_names:
        return None
    if not fits(dataset, name):
        raise DatasetError(f"--{role}-column {name}: the column holds {dataset.features[name]}, not one {role} per row")
    return name


def _require_single(candidates: Sequence[str], dataset: Dataset, role: str) -> str:
    if len(candidates) == 1:
        return candidates[0]
    fits, names = (_is_string, TEXT_COLUMNS) if role == "text" else (_holds_labels, LABEL_COLUMNS)
    usual = usual_name(dataset.column_names, names)
    if usual and not candidates and not fits(dataset, usual):
        feature = dataset.features[usual]
        kind = "lists" if isinstance(feature, List | LargeList) else getattr(feature, "dtype", "objects")
        fault = "is empty" if kind == "null" else f"holds {kind}, not one {role} per row"
        raise DatasetError(f"the column {usual} {fault}; name another with --{role}-column")
    fault = f"{' and '.join(candidates)} could each be the {role} column" if candidates else f"no {role} column"
    raise DatasetError(f"{fault} among {', '.join(dataset.column_names)}; name one with --{role}-column")


def _is_string(dataset: Dataset, name: str) -> bool:
    feature = dataset.features[name]
    return isinstance(feature, Value) and feature.dtype in STRING_TYPES


def _is_scalar(dataset: Dataset, name: str) -> bool:
    return isinstance(dataset.features[name], Value | ClassLabel)


def _is_list(dataset: Dataset, name: str) -> bool:
    feature = dataset.features[name]
    return isinstance(feature, List | LargeList) and isinstance(feature.feature, Value | ClassLabel)


def _holds_labels(dataset: Dataset, name: str) -> bool:
    return _is_scalar(dataset, name) or _is_list(dataset, name)


def _has_few_values(dataset: Dataset, name: str) -> bool:
    values = {plain_label(value) for value in dataset.unique(name)} - {None}
    return 2 <= len(values) <= count_max_labels(dataset.num_rows)


def count_max_labels(rows: int) -> int:
    """Return the largest plausible number of labels for a number of rows: one label per two rows, but at least two."""
    return min(MAX_LABELS, max(2, rows // 2))


def read_rows(dataset: Dataset, columns: Columns, label_map: Mapping[str, str | None]) -> Rows:
    """Return texts and label names, without the rows that lack either or have several labels.

    Raises:
        DatasetError: A column is missing, or the label map lacks a label.
    """
    _check_text_column(dataset, columns)
    labels = raw_labels(dataset, columns.label, label_map)
    _check_map({name for name in labels if name}, columns, label_map)
    reasons = ("without text", "without label", SEVERAL, "dropped by --label-map")
    kept, removed = [], dict.fromkeys(reasons, 0)
    counts = count_labels(dataset, columns.label)
    for text, name, count in zip(dataset[columns.text], labels, counts, strict=True):
        label = label_map[_key(name)] if label_map and name else name
        if not text or not text.strip():
            removed["without text"] += 1
        elif name is None:
            removed[SEVERAL if count > 1 else "without label"] += 1
        elif label is None:
            removed["dropped by --label-map"] += 1
        else:
            kept.append((text, label))
    return Rows([text for text, _ in kept], [label for _, label in kept], removed)


def _check_text_column(dataset: Dataset, columns: Columns) -> None:
    if columns.text not in dataset.column_names:
        raise DatasetError(f"no column {columns.text} among {', '.join(dataset.column_names)}")


def _check_map(names: set[str], columns: Columns, label_map: Mapping[str, str | None]) -> None:
    """Raise DatasetError if a map lacks one of the labels of a column."""
    if label_map and (missing := {name for name in names if _key(name) not in label_map}):
        raise DatasetError(
            f"--label-map has no label for {list_names(sorted(missing))}; the column {columns.label} holds"
            f" {list_names(sorted(names))}; to drop rows, write {min(missing)}="
        )


def read_label_sets(dataset: Dataset, columns: Columns, label_map: Mapping[str, str | None]) -> Rows:
    """Return texts with all their labels, without the rows that lack a text or whose labels are unknown.

    An empty list is a text without any label; an empty cell leaves the labels unknown.

    Raises:
        DatasetError: The text column is missing, the label map lacks a label, or a label has a separator in it.
    """
    _check_text_column(dataset, columns)
    sets = label_sets(dataset, columns.label)
    names = {name for row in sets for name in row or ()}
    if broken := sorted(name for name in names if SEPARATOR.strip() in name):
        raise DatasetError(f"the label {broken[0]!r} has a semicolon, which stands between labels; rename it")
    _check_map(names, columns, label_map)
    kept, removed = [], dict.fromkeys(("without text", "without label"), 0)
    for text, row in zip(dataset[columns.text], sets, strict=True):
        if not text or not text.strip():
            removed["without text"] += 1
        elif row is None:
            removed["without label"] += 1
        else:
            mapped = [label_map[_key(name)] if label_map else name for name in row]
            kept.append((text, join_labels(dict.fromkeys(filter(None, mapped)))))
    return Rows([text for text, _ in kept], [label for _, label in kept], removed)


def label_sets(dataset: Dataset, column: str) -> list[list[str] | None]:
    """Return the different labels of every row, or None where they are missing or withheld.

    Cells of text are divided at semicolons, vertical bars and commas.
    """
    if column not in dataset.column_names:
        return [None] * dataset.num_rows
    if _is_list(dataset, column):
        rows = [[name for name in row if name != NO_LABEL] for row in label_lists(dataset, column)]
        return [row if row or cell == [] else None for cell, row in zip(dataset[column], rows, strict=True)]
    names = raw_labels(dataset, column, {})
    if not _is_string(dataset, column):
        return [None if name is None else [name] for name in names]
    parts = [[plain_label(part) for part in BETWEEN_LABELS.split(name or "")] for name in names]
    return [list(dict.fromkeys(filter(None, row))) or None for row in parts]


def raw_labels(dataset: Dataset, column: str, label_map: Mapping[str, str | None]) -> list[str | None]:
    """Return the label of every row before mapping, or None for rows without one or with several in a list.

    -1 marks a withheld label, as on the Hub, unless the map names it.
    """
    if column not in dataset.column_names:
        return [None] * dataset.num_rows
    feature = dataset.features[column]
    if _is_list(dataset, column):
        rows = label_lists(dataset, column)
        return [names[0] if len(names) == 1 and names[0] != NO_LABEL else None for names in rows]
    if isinstance(feature, ClassLabel):
        names: list[str | None] = [canonical_label(name) for name in feature.names]
        return [None if i is None or i < 0 else names[i] for i in dataset[column]]
    withheld = None if NO_LABEL not in label_map else NO_LABEL
    named = {value: plain_label(value) for value in dataset.unique(column)}
    labels = (
        named[value] if value in named else plain_label(value) for value in dataset[column]
    )  # NaN does not equal itself
    return [withheld if label == NO_LABEL else label for label in labels]


def label_lists(dataset: Dataset, column: str) -> list[list[str]]:
    """Return the different labels of every row of a column of lists."""
    inner = dataset.features[column].feature
    classes = [canonical_label(name) for name in inner.names] if isinstance(inner, ClassLabel) else None

    def name(cell: Any) -> str | None:
        if classes is None:
            return plain_label(cell)
        return None if cell is None or cell < 0 else classes[cell]

    return [list(dict.fromkeys(filter(None, map(name, cells or ())))) for cells in dataset[column]]


def count_labels(dataset: Dataset, column: str) -> list[int]:
    """Return the number of different labels of every row of a column of lists; of another column, 1."""
    if column not in dataset.column_names or not _is_list(dataset, column):
        return [1] * dataset.num_rows
    return list(map(len, label_lists(dataset, column)))


def map_applies(dataset: Dataset, column: str, reading: Reading) -> bool:
    """Return whether a dataset has a label that the map of the user names."""
    if not reading.label_map:
        return False
    if reading.multi_label:
        names = {name for row in label_sets(dataset, column) for name in row or ()}
    else:
        names = set(filter(None, raw_labels(dataset, column, reading.label_map)))
    return any(_key(name) in reading.label_map for name in names)


def _key(name: str | None) -> str:
    return (name or "").casefold()
