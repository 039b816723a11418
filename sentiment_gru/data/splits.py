"""Labelled texts and the split rule, the same for every dataset.

- *reported* is the labelled test split, or else the validation split; training never sees it;
- *dev*, on which every choice is made, is the validation split unless that one is reported; then it is a tenth of the
  training rows within each label. Neighbouring rows often share a source (IMDB's a film, tweets a topic), so dev is
  made of blocks of neighbours, which share fewer sources with the rest than single random rows would;
- training texts that say the same as a reported or dev text of any dataset, letter for letter and digit for digit
  (`letters`), are removed: more than a third of the reported tweets stand among the training tweets too, with an
  address at the end, an apostrophe or an ampersand written otherwise;
- only then is a training split cut to `--max-train-samples`; dev stays whole.
"""

import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from datasets import Dataset

from ..errors import DatasetError
from ..labels import order_labels
from .columns import Columns, Reading, check_named, count_max_labels, find_columns, find_splits, map_applies, read_rows
from .sources import distinct_names, load_splits

DEV_SHARE = 0.1
CODE_POINT = re.compile(r"\\u([0-9a-fA-F]{4})")
NOISE = re.compile(r"<br\s*/?>|https?\S*|www\.\S+|@\w+")
STRETCHES = 20  # dev blocks per label where rows are not sorted by label


@dataclass(frozen=True)
class TextSplit:
    """Texts and, at the same index, the names of their labels."""

    texts: list[str]
    labels: list[str]

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, indices: Iterable[int]) -> "TextSplit":
        """Return the rows at these indices, in their order."""
        chosen = list(indices)
        return TextSplit([self.texts[i] for i in chosen], [self.labels[i] for i in chosen])


@dataclass(frozen=True)
class Corpus:
    """One dataset under the split rule."""

    name: str
    train: TextSplit
    dev: TextSplit
    reported: TextSplit | None
    rule: dict[str, str]  # what dev and reported were made of
    removed: dict[str, int] = field(default_factory=dict)  # rows left out, by reason
    columns: Columns | None = None  # where texts and labels stood


@dataclass(frozen=True)
class JoinedSplit:
    """Texts of several datasets in one list, shortest first, so that evaluation pads little."""

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
        split = TextSplit([text for _, _, text, _ in entries], [label for _, _, _, label in entries])
        return cls(split, {name: np.flatnonzero(names == name) for name in splits})

    def labels_of(self, name: str) -> set[str]:
        """Return the labels that occur in a dataset."""
        return {self.split.labels[i] for i in self.rows[name]}


def letters(text: str) -> str:
    r"""Return the form in which two texts count as equal: their letters and digits in lower case.

    Tags, web addresses, user names and the various spellings of one character (`&amp;`, `\\u2019`) come and go between
    copies of a text. Of a text without any letter or digit what else there is counts, less its spaces.
    """
    plain = CODE_POINT.sub(lambda match: chr(int(match[1], 16)), text)
    plain = NOISE.sub(" ", html.unescape(html.unescape(plain)).lower())
    return "".join(filter(str.isalnum, plain)) or "".join(plain.split()) or "".join(text.split())


def carve_dev(split: TextSplit) -> tuple[TextSplit, TextSplit, str]:
    """Divide training rows into train and dev, and say how.

    Rows sorted by label give the last tenth of each label. Others are collected over time or by topic, so that their
    end would be unlike the rest: they give the last tenth of each of (up to) 20 equal stretches of each label's rows.
    """
    changes = sum(a != b for a, b in pairwise(split.labels))
    by_label: dict[str, list[int]] = {label: [] for label in split.labels}
    for index, label in enumerate(split.labels):
        by_label[label].append(index)
    stretches = 1 if changes == len(by_label) - 1 else STRETCHES
    dev: set[int] = set()
    for indices in by_label.values():
        for stretch in np.array_split(indices, max(1, min(stretches, len(indices) // 10))):
            count = max(round(len(stretch) * DEV_SHARE), int(len(stretch) > 1))  # a label's only row stays in train
            dev.update(stretch[len(stretch) - count :].tolist())
    how = "last tenth of the train split within each label"
    if stretches > 1:
        how = f"last tenth of each of {stretches} stretches of the train split within each label"
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
        cleaned.append(
            replace(
                corpus,
                train=corpus.train.take(train_keep),
                dev=corpus.dev.take(dev_keep),
                removed=corpus.removed | removed,
            )
        )
    return cleaned


def held_out(corpora: Sequence[Corpus]) -> set[str]:
    """Return the `letters` of all dev and reported texts."""
    splits = [split for corpus in corpora for split in (corpus.dev, corpus.reported) if split]
    return {letters(text) for split in splits for text in split.texts}


def check_corpora(corpora: Sequence[Corpus]) -> None:
    """Refuse corpora that cannot be trained on or measured.

    Raises:
        DatasetError: no text is left for training or dev, or only one label, or one that no training text has.
    """
    known = {label for corpus in corpora for label in corpus.train.labels}
    if len(known) == 1:
        raise DatasetError(f"the training texts have only the label {', '.join(known)}; a classifier needs two")
    for corpus in corpora:
        for split, what in ((corpus.train, "training"), (corpus.dev, "dev")):
            if not len(split):
                counts = ", ".join(f"{count} {reason}" for reason, count in corpus.removed.items() if count) or "none"
                raise DatasetError(f"dataset {corpus.name}: no {what} text is left; rows left out: {counts}")
        measured = set(corpus.dev.labels) | set(corpus.reported.labels if corpus.reported else ())
        if unseen := measured - known:
            raise DatasetError(
                f"dataset {corpus.name}: {', '.join(sorted(unseen))} is no label of a training text, only"
                f" {', '.join(order_labels(known))}; --label-map can rename labels"
            )


def cut_train(corpus: Corpus, count: int, seed: int) -> Corpus:
    """Keep at most `count` training texts of a corpus, each label in its proportion, and note how many were left out.

    Raises:
        DatasetError: fewer texts are asked for than there are labels.
    """
    labels = set(corpus.train.labels)
    if count < len(labels):
        raise DatasetError(f"--max-train-samples {count} is fewer than the {len(labels)} labels of {corpus.name}")
    train = subsample(corpus.train, count, seed)
    left_out = {f"train beyond {count:,} drawn": len(corpus.train) - len(train)}
    return replace(corpus, train=train, removed=corpus.removed | left_out)


def subsample(split: TextSplit, count: int, seed: int) -> TextSplit:
    """Draw at most `count` rows, in their order: of every label its share, and one at least where that is possible."""
    draws = np.random.default_rng(seed)
    labels = np.array(split.labels)
    place = np.zeros(len(split))  # of a row within its label, from 0 to 1: the lowest are taken
    for label in sorted(set(split.labels)):
        rows = np.flatnonzero(labels == label)
        place[rows] = draws.permutation(len(rows)) / len(rows)
    return split.take(sorted(np.argsort(place, kind="stable")[:count].tolist()))


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
    if len(set(train.labels)) > count_max_labels(len(train)):
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
