"""The baseline that every training is compared with: TF-IDF of words and pairs of words, and logistic regression."""

import warnings
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline

from ..data.splits import Corpus, TextSplit, subsample
from ..label_set_metrics import evaluate_label_sets, find_threshold, to_matrix
from ..metrics import evaluate

MAX_TEXTS = 20_000  # training texts, so that it takes seconds
FIGURES = ("texts", "accuracy", "accuracy_interval", "macro_recall", "macro_recall_interval", "macro_f1")
SET_FIGURES = ("texts", "threshold", "micro_f1", "micro_f1_interval", "macro_f1", "subset_accuracy")
ADVICE = "The baseline is better here: use it. docs/training.md shows how."


def build_baseline() -> Pipeline:
    """Return the untrained baseline, a scikit-learn pipeline from texts to labels."""
    return make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, max_features=200_000),
        LogisticRegression(C=10.0, max_iter=1_000),
    )


def measure_baseline(corpora: Sequence[Corpus], labels: Sequence[str], evaluate_test: bool) -> dict[str, Any]:
    """Train the baseline on the training texts of all datasets and measure it as the model is measured.

    Args:
        corpora: Datasets under the split rule.
        labels: C labels of the model.
        evaluate_test: Also measure on the reported splits.

    Returns:
        For each dataset and role ("dev", "reported"), the texts, accuracy, macro recall and macro F1, or `SET_FIGURES`
        if texts may have several labels; empty if no training text has a word.
    """
    train = TextSplit(
        [text for corpus in corpora for text in corpus.train.texts],
        [label for corpus in corpora for label in corpus.train.labels],
        any(corpus.train.multi_label for corpus in corpora),
    )
    train = subsample(train, MAX_TEXTS, seed=0)
    if train.multi_label:
        return _measure_label_sets(train, corpora, labels, evaluate_test)
    model = build_baseline()
    try:
        model.fit(train.texts, train.labels)
    except ValueError:  # "empty vocabulary": texts of single letters or of emoji
        return {}
    columns = [list(labels).index(label) for label in model.classes_]
    figures: dict[str, Any] = {}
    for corpus in corpora:
        splits = {"dev": corpus.dev} | ({"reported": corpus.reported} if evaluate_test and corpus.reported else {})
        figures[corpus.name] = {}
        for role, split in splits.items():
            logits = np.full((len(split), len(labels)), -1e9)
            logits[:, columns] = model.predict_log_proba(split.texts)
            result = asdict(evaluate(logits, split, list(labels), uncertain_below=0.0))
            figures[corpus.name][role] = {name: result[name] for name in FIGURES}
    return figures


def _measure_label_sets(
    train: TextSplit, corpora: Sequence[Corpus], labels: Sequence[str], evaluate_test: bool
) -> dict[str, Any]:
    """Measure the baseline on sets of labels: a logistic regression for each, and one threshold fitted on dev."""
    features, *_ = (step for _, step in build_baseline().steps)
    try:
        counts = features.fit_transform(train.texts)
    except ValueError:  # as in `measure_baseline`
        return {}
    models = OneVsRestClassifier(LogisticRegression(C=10.0, max_iter=1_000))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Label .* is present in all training examples")
        models.fit(counts, to_matrix(train.label_sets, labels).astype(int))

    def score(split: TextSplit) -> np.ndarray:
        return np.asarray(models.predict_proba(features.transform(split.texts)))

    sets = []
    for corpus in corpora:
        known = np.array([k for k, label in enumerate(labels) if label in corpus.train.names])
        truth = to_matrix(corpus.dev.label_sets, [labels[k] for k in known])
        sets.append((score(corpus.dev)[:, known], truth))
    threshold, _ = find_threshold(sets)
    figures: dict[str, Any] = {}
    for corpus in corpora:
        splits = {"dev": corpus.dev} | ({"reported": corpus.reported} if evaluate_test and corpus.reported else {})
        figures[corpus.name] = {}
        for role, split in splits.items():
            result = asdict(evaluate_label_sets(score(split), split, labels, threshold, corpus.train.names))
            figures[corpus.name][role] = {name: result[name] for name in SET_FIGURES}
    return figures


def main_figure(metrics: dict[str, Any]) -> str:
    """Return the name of the figure by which the models of a training are compared."""
    return "micro_f1" if metrics["options"].get("multi_label") else "accuracy"


def baseline_is_better(metrics: dict[str, Any]) -> bool:
    """Return whether the baseline's mean figure over the datasets is higher, on the reported splits if measured.

    The figure is the accuracy, or micro F1 if texts may have several labels.
    """
    figure = main_figure(metrics)
    pairs = [
        (dataset[role][figure], metrics["baseline"][name][role][figure])
        for name, dataset in metrics["datasets"].items()
        if name in metrics.get("baseline", {})
        for role in ["reported" if "reported" in metrics["baseline"][name] else "dev"]
    ]
    return sum(rival - ours for ours, rival in pairs) > 0
