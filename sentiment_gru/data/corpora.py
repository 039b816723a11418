"""Several datasets, each with its columns found, its labels named and its splits divided."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from datasets import Dataset

from ..errors import DatasetError
from .columns import Columns, Reading, check_named, find_columns, find_splits, map_applies, most_labels, read_rows
from .sources import distinct_names, load_splits
from .splits import Corpus, TextSplit, carve_dev


@contextmanager
def _about(name: str) -> Iterator[None]:
    """Put the dataset's name before the message of an error."""
    try:
        yield
    except DatasetError as error:
        raise DatasetError(f"dataset {name}: {error}") from error


def read_corpora(sources: Sequence[str], reading: Reading | None = None) -> list[Corpus]:
    """Load datasets and divide each by the split rule.

    Args:
        sources: each a Hub id, a folder or a file.
        reading: splits, columns and labels the user named; what a dataset does not have is found.

    Raises:
        DatasetError: a dataset cannot be read, or lacks a labelled train split.
    """
    reading = reading or Reading()
    tables = {name: load_splits(source) for name, source in zip(distinct_names(sources), sources, strict=True)}
    check_named(tables, reading)
    parts: dict[str, tuple[dict[str, str], Columns]] = {}
    mapped = set()
    for name, splits in tables.items():
        with _about(name):
            roles = find_splits(list(splits), reading)
            train = splits[roles["train"]]
            parts[name] = roles, find_columns(train, reading)
            if map_applies(train, parts[name][1].label, reading.label_map):
                mapped.add(name)
    corpora = []
    for name, splits in tables.items():
        with _about(name):  # a map that fits no dataset is refused by the first one, which lists its labels
            label_map = reading.label_map if name in mapped or not mapped else {}
            corpora.append(_read_corpus(name, splits, *parts[name], label_map))
    return corpora


def read_corpus(source: str, reading: Reading | None = None) -> Corpus:
    """Load one dataset and divide it by the split rule; see `read_corpora`."""
    return read_corpora([source], reading)[0]


def _read_corpus(
    name: str,
    splits: Mapping[str, Dataset],
    roles: Mapping[str, str],
    columns: Columns,
    label_map: Mapping[str, str | None],
) -> Corpus:
    rows = {role: read_rows(splits[split], columns, label_map) for role, split in roles.items()}
    labelled = {role: TextSplit(found.texts, found.labels) for role, found in rows.items() if found.texts}
    train = labelled.get("train")
    if train is None:
        raise DatasetError(f"the split {roles['train']} has no row with both a text and a label")
    if len(set(train.labels)) > most_labels(len(train)):
        raise DatasetError(
            f"the column {columns.label} holds {len(set(train.labels)):,} different values in {len(train):,} rows;"
            " name another with --label-column, or group them with --label-map"
        )
    reported = next((role for role in ("test", "validation") if role in labelled), None)
    rule = {"dev": f"{roles.get('validation')} split"}
    if reported == "test" and "validation" in labelled:
        dev = labelled["validation"]
    else:
        train, dev, rule["dev"] = carve_dev(train)
    if reported:
        rule["reported"] = f"{roles[reported]} split"
    removed = {
        f"{roles[role]} {reason}": count for role in labelled for reason, count in rows[role].removed.items() if count
    }
    return Corpus(name, train, dev, labelled.get(reported or ""), rule, removed, columns)
