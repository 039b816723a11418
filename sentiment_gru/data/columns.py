"""Which splits and columns of a dataset hold texts and labels, as told or found, and what they hold.

A split or column that the user names counts for every dataset that has it; in the others the usual names are looked
for, and then the only column of the right kind.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from datasets import ClassLabel, Dataset, Value

from ..errors import DatasetError
from ..labels import LABEL_COLUMNS, NO_LABEL, TEXT_COLUMNS, canonical_label, plain_label, usual_name

SPLITS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev", "eval"),
    "test": ("test", "testing"),
}
MOST_LABELS = 500  # more different values than this are no classes
STRING_TYPES = ("string", "large_string")


@dataclass(frozen=True)
class Reading:
    """What the user said about splits, columns and labels; None where it is to be found."""

    text_column: str | None = None
    label_column: str | None = None
    train_split: str | None = None
    validation_split: str | None = None
    test_split: str | None = None
    label_map: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Columns:
    """The names of the two columns that matter."""

    text: str
    label: str


@dataclass(frozen=True)
class Rows:
    """Texts, at the same index label names, and how many rows were left out for which reason."""

    texts: list[str]
    labels: list[str]
    removed: dict[str, int]


def check_named(datasets: Mapping[str, Mapping[str, Dataset]], reading: Reading) -> None:
    """Refuse a split or column that no dataset has.

    Raises:
        DatasetError: the message lists what each dataset has.
    """
    for kind in ("train_split", "validation_split", "test_split", "text_column", "label_column"):
        name, what = getattr(reading, kind), kind.rpartition("_")[2]
        present = {
            dataset: list(splits) if what == "split" else all_columns(splits) for dataset, splits in datasets.items()
        }
        if name is not None and not any(name in names for names in present.values()):
            lists = "; ".join(f"{dataset} has the {what}s {', '.join(names)}" for dataset, names in present.items())
            raise DatasetError(f"--{kind.replace('_', '-')} {name}: there is no such {what}; {lists}")


def all_columns(splits: Mapping[str, Dataset]) -> list[str]:
    """Return the columns of all splits, in order, each once."""
    return list(dict.fromkeys(column for split in splits.values() for column in split.column_names))


def find_splits(names: Sequence[str], reading: Reading) -> dict[str, str]:
    """Return which split plays the part of train, validation and test, for those parts that one plays.

    Raises:
        DatasetError: no split for training, or two for one part.
    """
    told = {role: getattr(reading, f"{role}_split") for role in SPLITS}
    found = {role: name for role, name in told.items() if name in names}
    for role, usual in SPLITS.items():
        free = [name for name in names if name.lower() in usual and name not in found.values()]
        if role in found or not free:
            continue
        if len(free) > 1:
            raise DatasetError(f"the splits {' and '.join(free)} could both be {role}; name one with --{role}-split")
        found[role] = free[0]
    if "train" not in found and len(names) == 1 and not found:
        found["train"] = names[0]  # the only split, whatever its name
    if "train" not in found:
        raise DatasetError(f"no train split, only {', '.join(names)}; name one with --train-split")
    return found


def find_columns(dataset: Dataset, reading: Reading) -> Columns:
    """Return the columns of texts and labels.

    Raises:
        DatasetError: none fits, or several; the message lists the columns and says what to type.
    """
    if len(dataset.column_names) == 1:
        raise DatasetError(
            f"there is only the column {dataset.column_names[0]!r}; texts and labels need one each"
            " (a CSV file has commas between its columns, a .tsv file tabs)"
        )
    strings = [name for name in dataset.column_names if _is_string(dataset, name) and name != reading.label_column]
    text = _told(dataset, reading.text_column, _is_string, "text") or usual_name(strings, TEXT_COLUMNS)
    label = _find_label(dataset, reading, text)
    text = text or _only([name for name in strings if name != label], dataset, "text")
    return Columns(text, label)


def _find_label(dataset: Dataset, reading: Reading, text: str | None) -> str:
    scalars = [name for name in dataset.column_names if _is_scalar(dataset, name) and name != text]
    label = _told(dataset, reading.label_column, _is_scalar, "label") or usual_name(scalars, LABEL_COLUMNS)
    if label:
        return label
    named = [name for name in scalars if isinstance(dataset.features[name], ClassLabel)]
    return _only(named or [name for name in scalars if _has_few_values(dataset, name)], dataset, "label")


def _told(dataset: Dataset, name: str | None, fits: Callable[[Dataset, str], bool], what: str) -> str | None:
    if name is None or name not in dataset.column_names:
        return None
    if not fits(dataset, name):
        raise DatasetError(f"--{what}-column {name}: the column holds {dataset.features[name]}, not one {what} a row")
    return name


def _only(candidates: Sequence[str], dataset: Dataset, what: str) -> str:
    if len(candidates) == 1:
        return candidates[0]
    which = f"{' and '.join(candidates)} could each be the {what} column" if candidates else f"no {what} column"
    raise DatasetError(f"{which} among {', '.join(dataset.column_names)}; name one with --{what}-column")


def _is_string(dataset: Dataset, name: str) -> bool:
    feature = dataset.features[name]
    return isinstance(feature, Value) and feature.dtype in STRING_TYPES


def _is_scalar(dataset: Dataset, name: str) -> bool:
    return isinstance(dataset.features[name], Value | ClassLabel)


def _has_few_values(dataset: Dataset, name: str) -> bool:
    values = {plain_label(value) for value in dataset.unique(name)} - {None}
    return 2 <= len(values) <= most_labels(dataset.num_rows)


def most_labels(rows: int) -> int:
    """Return how many different labels so many rows can sensibly have: two rows each, but never under two."""
    return min(MOST_LABELS, max(2, rows // 2))


def read_rows(dataset: Dataset, columns: Columns, label_map: Mapping[str, str | None]) -> Rows:
    """Return texts and label names, without the rows that lack one of them.

    Raises:
        DatasetError: a column is missing, or the label map does not have one of the labels.
    """
    if columns.text not in dataset.column_names:
        raise DatasetError(f"no column {columns.text} among {', '.join(dataset.column_names)}")
    labels = raw_labels(dataset, columns.label, label_map)
    if label_map and (missing := {name for name in labels if name} - {n for n in labels if _key(n) in label_map}):
        raise DatasetError(
            f"--label-map has no label for {', '.join(sorted(missing))}; the column {columns.label} holds"
            f" {', '.join(sorted({name for name in labels if name}))}; to drop rows, write {min(missing)}="
        )
    kept, removed = [], {"without text": 0, "without label": 0, "dropped by --label-map": 0}
    for text, name in zip(dataset[columns.text], labels, strict=True):
        label = label_map[_key(name)] if label_map and name else name
        if not text or not text.strip():
            removed["without text"] += 1
        elif name is None:
            removed["without label"] += 1
        elif label is None:
            removed["dropped by --label-map"] += 1
        else:
            kept.append((text, label))
    return Rows([text for text, _ in kept], [label for _, label in kept], removed)


def raw_labels(dataset: Dataset, column: str, label_map: Mapping[str, str | None]) -> list[str | None]:
    """Return the label of every row before it is mapped, None where there is none.

    -1 means that the label is withheld, as on the Hub, unless the map names it.
    """
    if column not in dataset.column_names:
        return [None] * dataset.num_rows
    feature = dataset.features[column]
    if isinstance(feature, ClassLabel):
        names: list[str | None] = [canonical_label(name) for name in feature.names]
        return [None if i is None or i < 0 else names[i] for i in dataset[column]]
    withheld = None if NO_LABEL not in label_map else NO_LABEL
    named = {value: plain_label(value) for value in dataset.unique(column)}
    labels = (named[value] if value in named else plain_label(value) for value in dataset[column])  # NaN: not equal
    return [withheld if label == NO_LABEL else label for label in labels]


def map_applies(dataset: Dataset, column: str, label_map: Mapping[str, str | None]) -> bool:
    """Return whether a dataset has a label that the map names."""
    return any(_key(name) in label_map for name in set(raw_labels(dataset, column, label_map)))


def _key(name: str | None) -> str:
    return (name or "").casefold()
