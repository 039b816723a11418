"""Any Hugging Face dataset of labelled texts -> train, dev and reported splits. Only this module imports datasets.

The split rule, the same for every dataset:

- *reported* is the labelled test split, or else the validation split; training never sees it;
- *dev*, on which every choice is made, is the validation split unless that one is reported; then it is a tenth of the
  training rows within each label. Neighbouring rows often share a source (IMDB's a film, tweets a topic), so dev is
  made of blocks of neighbours, which share fewer sources with the rest than single random rows would;
- training texts equal to a reported or dev text of any dataset (lower-cased, spaces squeezed) are removed.
"""

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from datasets import ClassLabel, Dataset, DatasetDict, load_dataset
from huggingface_hub import HfApi

from .errors import DatasetError

TEXT_COLUMNS = ("text", "sentence", "review", "content", "tweet", "comment")
LABEL_COLUMNS = ("label", "labels", "sentiment", "class", "target")
POLES = ("negative", "neutral", "positive")
DEV_SHARE = 0.1
STRETCHES = 20  # dev blocks per label where rows are not sorted by label
HUB_TIMEOUT = 5.0  # seconds; the libraries themselves take over 20 to notice that they are offline


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
    removed: dict[str, int] = field(default_factory=dict)  # training texts removed, by reason


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


def squeeze(text: str) -> str:
    """Return the form in which two texts count as equal: lower case, single spaces."""
    return " ".join(text.lower().split())


def canonical_label(name: str) -> str:
    """Unify the usual spellings of the three sentiment labels; other names stay as they are.

    >>> canonical_label("POS"), canonical_label("joy")
    ('positive', 'joy')
    """
    short = {"neg": "negative", "neu": "neutral", "pos": "positive"}
    lowered = name.strip().lower()
    lowered = short.get(lowered, lowered)
    return lowered if lowered in POLES else name


def order_labels(names: Iterable[str]) -> list[str]:
    """Return label names in id order: negative, neutral, positive if they are all of that kind, else sorted."""
    present = set(names)
    return [pole for pole in POLES if pole in present] if present <= set(POLES) else sorted(present)


def load_splits(source: str) -> DatasetDict:
    """Load a local folder in Hub layout, or `name` or `name:config` from the Hugging Face Hub.

    Raises:
        DatasetError: neither a folder nor a dataset the Hub has, or the Hub is out of reach.
    """
    if Path(source).is_dir():
        return _load_folder(source)
    name, _, config = source.partition(":")
    try:
        HfApi().dataset_info(name, timeout=HUB_TIMEOUT)
    except Exception as error:
        raise DatasetError(
            f"no folder {source!r} here, and the Hugging Face Hub did not give dataset {name!r}"
            f" ({type(error).__name__}); name a Hub dataset, or a local folder such as ./my_dataset"
        ) from error
    return _load(name, config or None)


def _load_folder(folder: str) -> DatasetDict:
    # The library's own cache knows a local folder by its name and README alone: it would give the texts of
    # another folder of that name, or those from before an edit.
    with tempfile.TemporaryDirectory() as cache:
        return _load(folder, None, cache_dir=cache, keep_in_memory=True)


def _load(path: str, config: str | None, **settings: Any) -> DatasetDict:
    try:
        return load_dataset(path, config, **settings)
    except Exception as error:
        raise DatasetError(f"dataset {path!r} cannot be read: {error}") from error


def _find_column(dataset: Dataset, candidates: Sequence[str], what: str) -> str:
    for name in candidates:
        if name in dataset.column_names:
            return name
    raise DatasetError(f"no {what} column among {dataset.column_names}; looked for {', '.join(candidates)}")


def read_split(dataset: Dataset) -> TextSplit | None:
    """Return texts and label names of one split, or None if it has no labels (all of them -1).

    Raises:
        DatasetError: no column of texts or labels is found; the message lists the columns.
    """
    texts = dataset[_find_column(dataset, TEXT_COLUMNS, "text")]
    label_column = _find_column(dataset, LABEL_COLUMNS, "label")
    name_of = _label_namer(dataset.features[label_column])
    rows = [
        (text, name_of(label))
        for text, label in zip(texts, dataset[label_column], strict=True)
        if isinstance(text, str) and label is not None and label != -1
    ]
    return TextSplit([text for text, _ in rows], [label for _, label in rows]) if rows else None


def _label_namer(feature: object) -> Callable[[int | str], str]:
    if isinstance(feature, ClassLabel):
        names = [canonical_label(name) for name in feature.names]
        return lambda label: names[int(label)]
    return lambda label: canonical_label(str(label))


def read_corpus(source: str) -> Corpus:
    """Load a dataset and divide it by the split rule.

    Raises:
        DatasetError: the dataset cannot be read or has no labelled train split.
    """
    splits = load_splits(source)
    labelled = {name: read_split(split) for name, split in splits.items()}
    train = labelled.get("train")
    if train is None:
        raise DatasetError(f"dataset {source!r} has no labelled train split, only {', '.join(labelled)}")
    validation, test = labelled.get("validation"), labelled.get("test")
    name = Path(source.partition(":")[0]).name
    if test is not None and validation is not None:
        return Corpus(name, train, validation, test, {"dev": "validation split", "reported": "test split"})
    train, dev, how = carve_dev(train)
    rule = {"dev": how}
    if test is not None or validation is not None:
        rule["reported"] = "test split" if test is not None else "validation split"
    return Corpus(name, train, dev, test or validation, rule)


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
    """Remove training and dev texts equal to a reported text, and training texts equal to a dev text."""
    reported = {squeeze(text) for corpus in corpora if corpus.reported for text in corpus.reported.texts}
    dev = {squeeze(text) for corpus in corpora for text in corpus.dev.texts} - reported
    cleaned = []
    for corpus in corpora:
        train_keys = [squeeze(text) for text in corpus.train.texts]
        dev_keep = [i for i, text in enumerate(corpus.dev.texts) if squeeze(text) not in reported]
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
                removed=removed,
            )
        )
    return cleaned
