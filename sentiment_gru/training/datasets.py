"""Prepare and check the datasets of a training, and find faults that would make its figures misleading."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from ..data.columns import BETWEEN_LABELS, SEVERAL, Reading
from ..data.soft_labels import SoftLabels, read_soft_labels
from ..data.splits import (
    Corpus,
    JoinedSplit,
    TextSplit,
    cut_train,
    held_out,
    label_names,
    letters,
    read_corpora,
    remove_leaks,
    subsample,
)
from ..errors import DatasetError
from ..labels import list_names, order_labels, parse_label_map
from .options import SMOKE_TEXTS, TrainingOptions

SMOKE_DEV = 100  # dev texts of a smoke run
ROUGH_DEV = 100  # texts; an accuracy of 80% on them has an interval of 16 points
DOMINANT = 0.95  # share of the training texts
FEW = 5  # training texts of a label; labels with fewer are named
MISSING = {"nan", "null", "<na>", "n/a"}  # labels that probably stand for none


def prepare_corpora(options: TrainingOptions) -> list[Corpus]:
    """Read the datasets of a training, remove leaks, and reduce them to the requested sizes.

    Raises:
        DatasetError: A dataset cannot be used; the message lists the alternatives.
    """
    reading = Reading(
        options.text_column,
        options.label_column,
        options.train_split,
        options.validation_split,
        options.test_split,
        parse_label_map(options.label_map),
        options.multi_label,
    )
    corpora = remove_leaks(read_corpora(options.dataset, reading))
    check_corpora(corpora)
    if options.evaluate_test and not any(corpus.reported for corpus in corpora):
        raise DatasetError("--evaluate-test: there is no labelled test or validation split to report on")
    if options.max_train_samples:
        corpora = [cut_train(corpus, options.max_train_samples, options.seed) for corpus in corpora]
        check_corpora(corpora)  # of several labels, a frequent one may be gone
    if options.smoke:
        corpora = [
            replace(
                corpus,
                dev=subsample(corpus.dev, SMOKE_DEV, options.seed),
                rule=corpus.rule | {"dev": f"at most {SMOKE_DEV} texts of the {corpus.rule['dev']}"},
            )
            for corpus in corpora
        ]
    return corpora


def check_corpora(corpora: Sequence[Corpus]) -> None:
    """Check that a model can be trained on the corpora and measured on them.

    Raises:
        DatasetError: no training or dev text is left, there are fewer than two labels, or a dev or reported text has a
            label that no training text has.
    """
    known = set(label_names(corpora))
    if len(known) < 2 and any(len(corpus.train) for corpus in corpora):
        found = f"only the label {', '.join(known)}" if known else "no label"
        raise DatasetError(
            f"the training texts have {found}; a classifier needs two: add texts of another label, or name another"
            " column with --label-column"
        )
    for corpus in corpora:
        for split, what in ((corpus.train, "training"), (corpus.dev, "dev")):
            if not len(split):
                counts = ", ".join(f"{count} {reason}" for reason, count in corpus.removed.items() if count) or "none"
                raise DatasetError(
                    f"dataset {corpus.name}: no {what} text is left; rows left out: {counts}; more different texts are"
                    " needed"
                )
        measured = corpus.dev.names | (corpus.reported.names if corpus.reported else set())
        if unseen := measured - known:
            raise DatasetError(
                f"dataset {corpus.name}: no training text has the label {list_names(sorted(unseen))}, only"
                f" {list_names(order_labels(known))}; --label-map can rename labels"
            )


def prepare_soft_labels(options: TrainingOptions, corpora: Sequence[Corpus], labels: Sequence[str]) -> list[SoftLabels]:
    """Read the soft labels of a training, without the dev and reported texts of all datasets.

    Raises:
        DatasetError: A file cannot be used, or scores a label that no dataset has.
    """
    excluded = held_out(corpora)
    parts = []
    for path in options.soft_labels:
        soft = read_soft_labels(Path(path)).without(excluded)
        if unknown := sorted(set(soft.labels) - set(labels)):
            raise DatasetError(f"--soft-labels {path} scores {', '.join(unknown)}, which no dataset has as a label")
        parts.append(soft.take(range(min(SMOKE_TEXTS, len(soft)))) if options.smoke else soft)
    return parts


def soft_name(name: str) -> str:
    """Return the dataset name of the texts that a file of soft labels adds."""
    return f"{name} (soft labels)"


def join_train(corpora: Sequence[Corpus], soft: Sequence[SoftLabels]) -> JoinedSplit:
    """Return all training texts: those of the datasets, and the additional texts of each file of soft labels."""
    known = {text for corpus in corpora for text in corpus.train.texts}
    splits = {corpus.name: corpus.train for corpus in corpora}
    for part in soft:
        first_rows = {text: row for row, text in reversed(list(enumerate(part.texts))) if text not in known}
        added = part.take(sorted(first_rows.values()))
        known.update(added.texts)
        verdicts = added.scores.argmax(axis=1)
        name = soft_name(part.name)
        before = splits.get(name, TextSplit([], []))  # files of the same name in different folders
        labels = [added.labels[k] for k in verdicts]
        splits[name] = TextSplit(before.texts + added.texts, before.labels + labels)
    return JoinedSplit.join(splits)


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
    for label in labels:
        if label.casefold() in MISSING:
            warnings.append(f"the label {label!r} may stand for a missing one; --label-map can drop its rows")
    if not any(corpus.train.multi_label for corpus in corpora):
        joined = [label for label in labels if set(map(str.strip, BETWEEN_LABELS.split(label))) & ({*labels} - {label})]
        if joined:
            warnings.append(f"the label {joined[0]!r} may be several labels; --multi-label divides such cells")
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
    counts = Counter(chain.from_iterable(corpus.train.label_sets))
    if rare := [label for label in order_labels(counts) if counts[label] < FEW]:
        have = "label has" if len(rare) == 1 else "labels have"
        named = list_names((f"{label} ({counts[label]})" for label in rare), most=3)
        warnings.append(
            f"{len(rare):,} {have} fewer than {FEW} training texts: {named}; --label-map can join or drop labels"
        )
    label, count = counts.most_common(1)[0]
    if count > DOMINANT * len(corpus.train):
        plain, better = ("micro F1", "macro F1") if corpus.train.multi_label else ("accuracy", "macro recall")
        warnings.append(
            f"{count / len(corpus.train):.1%} of the training texts are {label}, so {plain} says little; look at"
            f" {better}"
        )
    return warnings
