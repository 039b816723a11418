"""Labelled texts, and the rule that splits every dataset into training, dev and reported texts.

- *Reported* is the labelled test split, or the validation split if there is none. Training never uses it.
- *Dev* is used for every choice. It is the validation split, unless that one is reported; then it is a tenth of the
  training rows of each label. Adjacent rows often share a source (the same film in IMDB, the same topic in tweets), so
  dev consists of blocks of adjacent rows, which share fewer sources with the other rows than random rows would.
- Training texts with the same letters and digits (see `letters`) as a reported or dev text of any dataset are removed.
  More than a third of the reported tweets also occur among the training tweets, with a web address at the end or with
  another spelling of an apostrophe or ampersand.
- A training split is cut to `--max-train-samples` after that; dev is never cut.
"""

import html
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from datasets import Dataset

from ..errors import DatasetError
from ..labels import order_labels, split_labels
from .columns import (
    Columns,
    Reading,
    count_max_labels,
    find_columns,
    map_applies,
    read_label_sets,
    read_rows,
)
from .sources import check_named, distinct_names, find_splits, load_splits

DEV_SHARE = 0.1
CODE_POINT = re.compile(r"\\u([0-9a-fA-F]{4})")
NOISE = re.compile(r"<br\s*/?>|https?\S*|www\.\S+|@\w+")
DECIMAL = re.compile(r"-?\d*\.\d+(e-?\d+)?|\d+")
STRETCHES = 20  # dev blocks per label where rows are not sorted by label


@dataclass(frozen=True)
class TextSplit:
    """Texts and, at the same index, the names of their labels.

    With `multi_label`, a text has any number of labels, in one string that `join_labels` has made.
    """

    texts: list[str]
    labels: list[str]
    multi_label: bool = False

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, indices: Iterable[int]) -> "TextSplit":
        """Return the rows at these indices, in their order."""
        chosen = list(indices)
        return replace(self, texts=[self.texts[i] for i in chosen], labels=[self.labels[i] for i in chosen])

    @property
    def label_sets(self) -> list[list[str]]:
        """The labels of each text."""
        return [split_labels(label) if self.multi_label else [label] for label in self.labels]

    @property
    def names(self) -> set[str]:
        """The labels that occur."""
        return {name for row in self.label_sets for name in row}

    @property
    def strata(self) -> list[str]:
        """The label of each text by which rows are divided: of several, the one with the fewest texts."""
        if not self.multi_label:
            return self.labels
        sets = self.label_sets
        counts = Counter(name for row in sets for name in row)
        return [min(row, key=lambda name: (counts[name], name), default="") for row in sets]


@dataclass(frozen=True)
class Corpus:
    """A dataset that was split by the rule above.

    Attributes:
        name: name of the dataset.
        train: training texts.
        dev: texts for every choice.
        reported: texts that are only measured, or None.
        rule: origin of "dev" and "reported", in words.
        removed: number of rows left out, by reason.
        columns: columns of the texts and labels, if they were read from a table.
    """

    name: str
    train: TextSplit
    dev: TextSplit
    reported: TextSplit | None
    rule: dict[str, str]
    removed: dict[str, int] = field(default_factory=dict)
    columns: Columns | None = None


@dataclass(frozen=True)
class JoinedSplit:
    """The texts of several datasets in one list, shortest first, so that evaluation needs little padding."""

    split: TextSplit
    rows: dict[str, np.ndarray]  # dataset name -> indices into split

    @classmethod
    def join(cls, splits: Mapping[str, TextSplit]) -> "JoinedSplit":
        """Join and sort the splits of named datasets."""
        entries = sorted(
            (len(text), name, text, label)
            for name, split in splits.items()
            for text, label in zip(split.texts, split.labels, strict=True)
        )
        names = np.array([name for _, name, _, _ in entries])
        split = TextSplit(
            [text for _, _, text, _ in entries],
            [label for _, _, _, label in entries],
            any(part.multi_label for part in splits.values()),
        )
        return cls(split, {name: np.flatnonzero(names == name) for name in splits})

    def labels_of(self, name: str) -> set[str]:
        """Return the labels that occur in a dataset."""
        return self.split.take(self.rows[name]).names


def letters(text: str) -> str:
    r"""Return the letters and digits of a text in lower case; texts with equal results are treated as copies.

    Tags, web addresses, user names and the spelling of a character (`&amp;`, `\\u2019`) differ between copies of a
    text, so they are ignored. For a text without letters and digits, all characters except spaces are returned.
    """
    plain = CODE_POINT.sub(lambda match: chr(int(match[1], 16)), text)
    plain = NOISE.sub(" ", html.unescape(html.unescape(plain)).lower())
    return "".join(filter(str.isalnum, plain)) or "".join(plain.split()) or "".join(text.split())


def carve_dev(split: TextSplit) -> tuple[TextSplit, TextSplit, str]:
    """Divide training rows into train and dev; also return a description of the rule.

    If the rows are sorted by label, dev is the last tenth of each label. Otherwise the rows were collected over time or
    by topic, and their end may differ from the rest: dev is the last tenth of each of up to 20 equal stretches of each
    label's rows.
    """
    strata = split.strata
    changes = sum(a != b for a, b in pairwise(strata))
    by_label: dict[str, list[int]] = {label: [] for label in strata}
    for index, label in enumerate(strata):
        by_label[label].append(index)
    stretches = 1 if changes == len(by_label) - 1 else STRETCHES
    dev: set[int] = set()
    for indices in by_label.values():
        for stretch in np.array_split(indices, max(1, min(stretches, len(indices) // 10))):
            count = max(round(len(stretch) * DEV_SHARE), int(len(stretch) > 1))  # a label's only row stays in train
            dev.update(stretch[len(stretch) - count :].tolist())
    whole = "the train split" if stretches == 1 else f"each of {stretches} stretches of the train split"
    how = f"last tenth of {whole} within each label"
    return split.take(i for i in range(len(split)) if i not in dev), split.take(sorted(dev)), how


def remove_leaks(corpora: Sequence[Corpus]) -> list[Corpus]:
    """Remove training and dev texts that equal a reported text, and training texts that equal a dev text."""
    reported = {letters(text) for corpus in corpora if corpus.reported for text in corpus.reported.texts}
    dev = {letters(text) for corpus in corpora for text in corpus.dev.texts} - reported
    cleaned = []
    for corpus in corpora:
        train_keys = [letters(text) for text in corpus.train.texts]
        dev_keep = [i for i, text in enumerate(corpus.dev.texts) if letters(text) not in reported]
        removed = {
            "train equal to reported": sum(key in reported for key in train_keys),
            "dev equal to reported": len(corpus.dev) - len(dev_keep),
            "train equal to dev": sum(key in dev for key in train_keys),
        }
        train_keep = [i for i, key in enumerate(train_keys) if key not in reported and key not in dev]
        kept = replace(corpus, train=corpus.train.take(train_keep), dev=corpus.dev.take(dev_keep))
        cleaned.append(replace(kept, removed=corpus.removed | removed))
    return cleaned


def held_out(corpora: Sequence[Corpus]) -> set[str]:
    """Return the `letters` of all dev and reported texts."""
    splits = [split for corpus in corpora for split in (corpus.dev, corpus.reported) if split]
    return {letters(text) for split in splits for text in split.texts}


def label_names(corpora: Sequence[Corpus]) -> list[str]:
    """Return the labels of the training texts of all datasets, in the order of their ids."""
    return order_labels(name for corpus in corpora for name in corpus.train.names)


def cut_train(corpus: Corpus, count: int, seed: int) -> Corpus:
    """Return a corpus with at most `count` training texts, with the proportions of the labels kept.

    Raises:
        DatasetError: `count` is less than the number of labels.
    """
    labels = corpus.train.names
    if count < len(labels):
        raise DatasetError(f"--max-train-samples {count} is fewer than the {len(labels)} labels of {corpus.name}")
    train = subsample(corpus.train, count, seed)
    left_out = {f"train beyond {count:,} drawn": len(corpus.train) - len(train)}
    return replace(corpus, train=train, removed=corpus.removed | left_out)


def subsample(split: TextSplit, count: int, seed: int) -> TextSplit:
    """Draw at most `count` rows and keep their order; each label keeps its share, and at least one row if possible."""
    draws = np.random.default_rng(seed)
    labels = np.array(split.strata)
    place = np.zeros(len(split))  # random rank of a row within its label, from 0 to 1; the lowest are kept
    for label in sorted(set(labels.tolist())):
        rows = np.flatnonzero(labels == label)
        place[rows] = draws.permutation(len(rows)) / len(rows)
    return split.take(sorted(np.argsort(place, kind="stable")[:count].tolist()))


@contextmanager
def _about(name: str) -> Iterator[None]:
    """Prefix errors with the name of the dataset."""
    try:
        yield
    except DatasetError as error:
        raise DatasetError(f"dataset {name}: {error}") from error


def read_corpora(sources: Sequence[str], reading: Reading | None = None) -> list[Corpus]:
    """Load datasets and split each of them by the rule of this module.

    Args:
        sources: Hub ids, folders or files.
        reading: splits, columns and label map that the user gave; the others are detected.

    Raises:
        DatasetError: a dataset cannot be read, or it has no labelled training split.
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
            if map_applies(train, parts[name][1].label, reading):
                mapped.add(name)
    corpora = []
    for name, splits in tables.items():
        with _about(name):  # a map that fits no dataset is rejected by the first, and the message lists its labels
            label_map = reading.label_map if name in mapped or not mapped else {}
            corpora.append(_read_corpus(name, splits, *parts[name], label_map, reading.multi_label))
    return corpora


def _read_corpus(
    name: str,
    splits: Mapping[str, Dataset],
    roles: Mapping[str, str],
    columns: Columns,
    label_map: Mapping[str, str | None],
    multi_label: bool,
) -> Corpus:
    read = read_label_sets if multi_label else read_rows
    rows = {role: read(splits[split], columns, label_map) for role, split in roles.items()}
    labelled = {role: TextSplit(found.texts, found.labels, multi_label) for role, found in rows.items() if found.texts}
    train = labelled.get("train")
    if train is None:
        counts = ", ".join(f"{count:,} {reason}" for reason, count in rows["train"].removed.items() if count)
        raise DatasetError(
            f"the split {roles['train']} has no row with both a text and a label (columns {columns.text} and"
            f" {columns.label}; {counts or 'no rows'}); name others with --text-column and --label-column"
        )
    if len(train.names) > (most := count_max_labels(len(train))):
        decimals = all(DECIMAL.fullmatch(name) for name in train.names)
        raise DatasetError(
            f"the column {columns.label} holds {len(train.names):,} different values in {len(train):,} rows, which may"
            f" have {most:,} labels at most; name another with --label-column, or"
            f" {'round them to a few classes first' if decimals else 'group them with --label-map'}"
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
