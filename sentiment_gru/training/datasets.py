"""Prepare the datasets of a training according to its options."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..data.columns import Reading
from ..data.soft_labels import SoftLabels, read_soft_labels
from ..data.splits import (
    Corpus,
    JoinedSplit,
    TextSplit,
    check_corpora,
    cut_train,
    held_out,
    read_corpora,
    remove_leaks,
    subsample,
)
from ..errors import DatasetError
from ..labels import parse_label_map
from .options import SMOKE_TEXTS, TrainingOptions

SMOKE_DEV = 100  # dev texts of a smoke run


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
