"""Warnings about datasets from which a model can be trained, but whose figures would mislead."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from itertools import chain

from ..data.columns import SEVERAL
from ..data.splits import Corpus, label_names, letters

ROUGH_DEV = 100  # texts; an accuracy of 80% on them has an interval of 16 points
DOMINANT = 0.95  # share of the training texts


def find_warnings(corpora: Sequence[Corpus], read: Collection[str] = ()) -> list[str]:
    """Return a sentence without its full stop for each fault of the datasets.

    Args:
        corpora: Datasets under the split rule.
        read: Names of the datasets that the initial checkpoint was trained on.
    """
    labels = label_names(corpora)
    warnings = [
        f"the labels {' and '.join(map(repr, names))} differ by case or spaces only; --label-map can join them"
        for names in similar_labels(labels)
    ]
    for corpus in corpora:
        warnings += [f"{corpus.name}: {warning}" for warning in check_corpus(corpus)]
        if corpus.name in read:
            warnings.append(
                f"{corpus.name}: the initial checkpoint was trained on this dataset, so figures on dev are too high"
            )
    return warnings


def similar_labels(labels: Collection[str]) -> list[list[str]]:
    """Return the groups of labels that are equal without case and spaces."""
    groups = defaultdict(list)
    for label in sorted(labels):
        groups["".join(label.split()).casefold()].append(label)
    return [names for names in groups.values() if len(names) > 1]


def check_corpus(corpus: Corpus) -> list[str]:
    """Return the faults of one dataset: contradictory labels, rows left out, a small dev set, or a dominant label."""
    warnings = []
    given: dict[str, dict[str, None]] = defaultdict(dict)
    for split in (corpus.train, corpus.dev):
        for text, label in zip(split.texts, split.labels, strict=True):
            given[letters(text)].setdefault(label)
    if doubtful := {key: labels for key, labels in given.items() if len(labels) > 1}:
        key, names = next(iter(doubtful.items()))
        example = next(text for split in (corpus.train, corpus.dev) for text in split.texts if letters(text) == key)
        noun = "text has" if len(doubtful) == 1 else "texts have"
        what = "different sets of labels" if corpus.train.multi_label else "more than one label"
        listed = " and ".join(name or "none" for name in names)
        warnings.append(f"{len(doubtful):,} {noun} {what}, for example {example:.60}: {listed}")
    if several := sum(count for reason, count in corpus.removed.items() if reason.endswith(SEVERAL)):
        warnings.append(f"{several:,} rows have several labels and were left out; --multi-label keeps them")
    if len(corpus.dev) < ROUGH_DEV:
        warnings.append(f"dev has only {len(corpus.dev)} texts, so its figures are rough; see their intervals")
    label, count = Counter(chain.from_iterable(corpus.train.label_sets)).most_common(1)[0]
    if count > DOMINANT * len(corpus.train):
        plain, better = ("micro F1", "macro F1") if corpus.train.multi_label else ("accuracy", "macro recall")
        warnings.append(
            f"{count / len(corpus.train):.1%} of the training texts are {label}, so {plain} says little; look at"
            f" {better}"
        )
    return warnings
