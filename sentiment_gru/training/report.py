"""What stands beside the weights of a finished training: calibration, metrics, tables, plots, card."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import softmax

from ..checkpoint import load_model, save_checkpoint
from ..classifier import SentimentClassifier
from ..configuration import length_factor
from ..data.splits import Corpus, JoinedSplit
from ..metrics import evaluate, find_uncertain_band, fit_temperature, restricted_sets
from .artifacts import ScoredSplit, count_mistakes, write_history, write_plots, write_predictions
from .card import write_card
from .options import TrainingOptions

PATHS = {"output_dir", "config"}


def write_report(
    folder: Path,
    options: TrainingOptions,
    corpora: Sequence[Corpus],
    log: Sequence[dict[str, Any]],
    facts: dict[str, Any],
) -> dict[str, Any]:
    """Measure a calibrated checkpoint and write everything about it into its folder.

    Args:
        folder: the checkpoint.
        options: of its training.
        corpora: the datasets under the split rule.
        log: the trainer's history.
        facts: what else is known of the run.

    Returns:
        The metrics, as in `metrics.json`.
    """
    classifier = SentimentClassifier.from_pretrained(folder)
    scored = score_splits(classifier, corpora, options.evaluate_test)
    metrics = measure(classifier, corpora, scored) | facts
    metrics |= {
        "options": portable_options(options, corpora),
        "history": [
            {key: value for key, value in entry.items() if key == "epoch" or key.startswith("eval_")}
            for entry in log
            if "eval_score" in entry
        ],
    }
    if options.report:
        write_history(folder / "history.csv", log)
        write_predictions(folder / "predictions.parquet", scored)
        write_plots(folder, log, scored)
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
    write_card(folder, metrics)
    return metrics


def measure_again(folder: Path, corpora: Sequence[Corpus], evaluate_test: bool, facts: dict[str, Any]) -> None:
    """Measure a checkpoint whose weights have changed, or on further splits, and renew its metrics and card.

    Args:
        folder: the checkpoint, with the metrics of its training.
        corpora: the datasets under the split rule.
        evaluate_test: also measure on the reported splits.
        facts: what else is known now.
    """
    classifier = SentimentClassifier.from_pretrained(folder)
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    metrics |= measure(classifier, corpora, score_splits(classifier, corpora, evaluate_test)) | facts
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
    write_card(folder, metrics)


def portable_options(options: TrainingOptions, corpora: Sequence[Corpus]) -> dict[str, Any]:
    """Return the options that shape a model, without paths of this machine."""
    names: dict[str, Any] = {
        "dataset": [corpus.name for corpus in corpora],
        "soft_labels": [Path(path).stem for path in options.soft_labels],
    }
    if options.init_from and Path(options.init_from).is_dir():
        names["init_from"] = Path(options.init_from).name
    return {name: value for name, value in (asdict(options) | names).items() if name not in PATHS}


def calibrate(folder: Path, dev: JoinedSplit) -> None:
    """Fit temperature and uncertain band of a saved checkpoint on dev, read as a user's texts are read."""
    classifier = SentimentClassifier.from_pretrained(folder)
    config = classifier.config
    config.temperature, config.temperature_exponent = 1.0, 0.0
    logits = classifier.logits(dev.split.texts)
    lengths = np.array([min(len(ids), config.max_tokens) for ids in classifier.encode(dev.split.texts)])
    sets = restricted_sets(dev, logits, classifier.labels)
    config.temperature, config.temperature_exponent = fit_temperature(
        [(*sets[name], lengths[rows]) for name, rows in dev.rows.items()]
    )
    divisor = config.temperature * length_factor(lengths, config.temperature_exponent)
    scores = softmax(logits / divisor[:, None], axis=1)
    targets = np.array([classifier.labels.index(label) for label in dev.split.labels])
    config.uncertain_below = find_uncertain_band([(scores[rows], targets[rows]) for rows in dev.rows.values()])
    model = load_model(folder)
    model.config = config
    save_checkpoint(model, classifier.tokenizer, folder)


def score_splits(classifier: SentimentClassifier, corpora: Sequence[Corpus], evaluate_test: bool) -> list[ScoredSplit]:
    """Score the texts of every dev set and, if asked, of the reported ones."""
    return [
        ScoredSplit(corpus.name, role, split, classifier.logits(split.texts), classifier.labels)
        for corpus in corpora
        for role, split in (("dev", corpus.dev), ("reported", corpus.reported))
        if split is not None and (role == "dev" or evaluate_test)
    ]


def measure(
    classifier: SentimentClassifier, corpora: Sequence[Corpus], scored: Sequence[ScoredSplit]
) -> dict[str, Any]:
    """Return the figures of the model and of every scored split."""
    sets: dict[str, Any] = {
        corpus.name: {
            "rule": corpus.rule,
            "train_texts": len(corpus.train),
            "removed": corpus.removed,
        }
        for corpus in corpora
    }
    band = classifier.config.uncertain_below
    for split in scored:
        figures = asdict(evaluate(split.logits, split.split, classifier.labels, band))
        sets[split.dataset][split.role] = figures | {"mistakes": count_mistakes(split, band)}
    return {
        "labels": classifier.labels,
        "parameters": sum(weights.numel() for weights in classifier.model.parameters()),
        "vocab_size": classifier.config.vocab_size,
        "max_tokens": classifier.config.max_tokens,
        "temperature": classifier.config.temperature,
        "temperature_exponent": classifier.config.temperature_exponent,
        "uncertain_below": band,
        "datasets": sets,
    }
