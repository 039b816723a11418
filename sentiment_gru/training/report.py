"""Calibrate and measure a finished checkpoint; write its metrics, tables, plots, card and provenance."""

import json
import platform
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.special import softmax

from ..checkpoint import load_model, load_tokenizer, save_checkpoint
from ..classifier import SentimentClassifier
from ..data.splits import Corpus, JoinedSplit
from ..label_set_metrics import (
    USUAL_THRESHOLD,
    evaluate_label_sets,
    find_threshold,
    scored_sets,
    threshold_helps,
)
from ..metrics import (
    band_holds,
    evaluate,
    find_uncertain_band,
    fit_temperature,
    restricted_sets,
    temperature_helps,
)
from ..model_config import length_factor
from .artifacts import ScoredSplit, count_mistakes, count_recalls, write_history, write_plots, write_predictions
from .card import write_card
from .options import TrainingOptions


def describe_origin(device: torch.device) -> dict[str, Any]:
    """Return command, commit, environment and training hardware."""
    return {
        "command": shlex.join(["python", *sys.argv]) if Path(sys.argv[0]).name == "train.py" else None,
        "commit": find_commit(),
        "environment": {"python": platform.python_version()}
        | {name: version(name) for name in ("torch", "transformers", "tokenizers")},
        "device": describe_device(device),
    }


def describe_device(device: torch.device) -> str:
    """Return a description of the training hardware."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"{threads} CPU thread{'' if threads == 1 else 's'}"


def find_commit() -> str | None:
    """Return the commit of this code, followed by "-dirty" if files have changed; None outside of git."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        result = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return result.stdout.strip()


PATHS = {"output_dir", "config"}
SMALL_DEV = 500  # texts; with fewer, a fitted temperature or band may be noise


def write_report(
    folder: Path,
    options: TrainingOptions,
    corpora: Sequence[Corpus],
    log: Sequence[dict[str, Any]],
    facts: dict[str, Any],
) -> dict[str, Any]:
    """Measure a calibrated checkpoint and write the report into its folder.

    Args:
        folder: Checkpoint folder.
        options: Options of the training.
        corpora: Datasets under the split rule.
        log: History of the trainer.
        facts: Further entries of the metrics.

    Returns:
        The content of `metrics.json`.
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
    """Measure a checkpoint again, after its weights changed or on further splits, and update its metrics and card.

    Args:
        folder: Checkpoint folder, with the metrics of its training.
        corpora: Datasets under the split rule.
        evaluate_test: Also measure on the reported splits.
        facts: Further entries of the metrics.
    """
    classifier = SentimentClassifier.from_pretrained(folder)
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    metrics |= measure(classifier, corpora, score_splits(classifier, corpora, evaluate_test)) | facts
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
    write_card(folder, metrics)


def portable_options(options: TrainingOptions, corpora: Sequence[Corpus]) -> dict[str, Any]:
    """Return the options that determine a model, without local paths."""
    names: dict[str, Any] = {
        "dataset": [corpus.name for corpus in corpora],
        "soft_labels": [Path(path).stem for path in options.soft_labels],
    }
    if options.init_from and Path(options.init_from).is_dir():
        names["init_from"] = Path(options.init_from).name
    return {name: value for name, value in (asdict(options) | names).items() if name not in PATHS}


def calibrate(folder: Path, dev: JoinedSplit) -> dict[str, bool]:
    """Fit temperature and uncertain band of a saved checkpoint on dev, encoded as in the app.

    If dev has fewer than `SMALL_DEV` texts, each of the two is kept only if it helps in cross-validation.

    Returns:
        Whether there was a cross-validation, and whether the checkpoint got a temperature and an uncertain band.
    """
    classifier = SentimentClassifier.from_pretrained(folder)
    config = classifier.config
    config.temperature, config.temperature_exponent = 1.0, 0.0
    logits = classifier.logits(dev.split.texts)
    lengths = np.array([min(len(ids), config.max_tokens) for ids in classifier.encode(dev.split.texts)])
    sets = restricted_sets(dev, logits, classifier.labels)
    small = len(dev.split) < SMALL_DEV
    measured = [(*sets[name], lengths[rows]) for name, rows in dev.rows.items()]
    calibrated = not small or temperature_helps(measured)
    if calibrated:
        config.temperature, config.temperature_exponent = fit_temperature(measured)
    divisor = config.temperature * length_factor(lengths, config.temperature_exponent)
    scores = softmax(logits / divisor[:, None], axis=1)
    targets = np.array([classifier.labels.index(label) for label in dev.split.labels])
    judged = [(scores[rows], targets[rows]) for rows in dev.rows.values()]
    config.uncertain_below = find_uncertain_band(judged) if not small or band_holds(judged) else 0.0
    model = load_model(folder)
    for name in ("temperature", "temperature_exponent", "uncertain_below"):
        setattr(model.config, name, getattr(config, name))
    save_checkpoint(model, load_tokenizer(folder), folder)
    return {"cross_validated": small, "temperature": calibrated, "band": config.uncertain_below > 0}


def fit_threshold(folder: Path, dev: JoinedSplit, train: JoinedSplit) -> bool:
    """Fit the threshold of a saved checkpoint whose texts may have several labels; there is no temperature or band.

    If dev has fewer than `SMALL_DEV` texts, the fitted threshold is kept only if it helps in cross-validation.

    Args:
        folder: Checkpoint folder.
        dev: Dev texts.
        train: Training texts of the same datasets.

    Returns:
        Whether the threshold is a fitted one; otherwise it is 0.5.
    """
    classifier = SentimentClassifier.from_pretrained(folder)
    sets = scored_sets(dev, classifier.logits(dev.split.texts), classifier.labels, train)
    fitted = len(dev.split) >= SMALL_DEV or threshold_helps(sets)
    model = load_model(folder)
    model.config.label_threshold = find_threshold(sets)[0] if fitted else USUAL_THRESHOLD
    save_checkpoint(model, load_tokenizer(folder), folder)
    return fitted


def score_splits(classifier: SentimentClassifier, corpora: Sequence[Corpus], evaluate_test: bool) -> list[ScoredSplit]:
    """Score the texts of every dev split and, on request, of the reported splits."""
    return [
        ScoredSplit(
            corpus.name,
            role,
            split,
            classifier.logits(split.texts),
            classifier.labels,
            classifier.config.label_threshold,
        )
        for corpus in corpora
        for role, split in (("dev", corpus.dev), ("reported", corpus.reported))
        if split is not None and (role == "dev" or evaluate_test)
    ]


def measure(
    classifier: SentimentClassifier, corpora: Sequence[Corpus], scored: Sequence[ScoredSplit]
) -> dict[str, Any]:
    """Return the metrics of the model and of every scored split."""
    sets: dict[str, Any] = {
        corpus.name: {
            "rule": corpus.rule,
            "train_texts": len(corpus.train),
            "removed": corpus.removed,
        }
        for corpus in corpora
    }
    band = classifier.config.uncertain_below
    known = {corpus.name: corpus.train.names for corpus in corpora}
    for split in scored:
        if split.split.multi_label:
            sets[split.dataset][split.role] = asdict(
                evaluate_label_sets(split.scores, split.split, split.labels, split.threshold, known[split.dataset])
            )
            continue
        figures = asdict(evaluate(split.logits, split.split, classifier.labels, band))
        sets[split.dataset][split.role] = figures | {
            "mistakes": count_mistakes(split, band),
            "recalls": count_recalls(split),
        }
    return {
        "labels": classifier.labels,
        "parameters": sum(weights.numel() for weights in classifier.model.parameters()),
        "vocab_size": classifier.config.vocab_size,
        "max_tokens": classifier.config.max_tokens,
        "temperature": classifier.config.temperature,
        "temperature_exponent": classifier.config.temperature_exponent,
        "uncertain_below": band,
        "datasets": sets,
    } | ({"label_threshold": classifier.config.label_threshold} if classifier.config.multi_label else {})
