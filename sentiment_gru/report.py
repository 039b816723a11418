"""What stands beside the weights of a finished training: calibration, metrics, card."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.special import softmax

from .card import write_card
from .checkpoint import save_checkpoint
from .classifier import SentimentClassifier
from .data import Corpus, JoinedSplit
from .evaluation import evaluate, find_uncertain_band, fit_temperature, restricted_sets
from .options import TrainingOptions


def write_report(
    folder: Path, options: TrainingOptions, corpora: Sequence[Corpus], facts: dict[str, Any]
) -> dict[str, Any]:
    """Measure a calibrated checkpoint and write everything about it into its folder.

    Args:
        folder: the checkpoint.
        options: of its training.
        corpora: the datasets under the split rule.
        facts: what else is known of the run; `history` is the trainer's log.

    Returns:
        The metrics, as in `metrics.json`.
    """
    evaluations = [entry for entry in facts["history"] if "eval_score" in entry]
    metrics = measure(folder, corpora, options.evaluate_test) | facts
    metrics |= {
        "options": asdict(options) | {"dataset": [corpus.name for corpus in corpora]},
        "history": [
            {key: value for key, value in entry.items() if key == "epoch" or key.startswith("eval_")}
            for entry in evaluations
        ],
    }
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
    write_card(folder, metrics)
    return metrics


def calibrate(folder: Path, dev: JoinedSplit) -> None:
    """Fit temperature and uncertain band of a saved checkpoint on dev, read as a user's texts are read."""
    classifier = SentimentClassifier.from_pretrained(folder)
    logits = classifier.logits(dev.split.texts)
    config = classifier.config
    config.temperature = fit_temperature(list(restricted_sets(dev, logits, classifier.labels).values()))
    scores = softmax(logits / config.temperature, axis=1)
    targets = np.array([classifier.labels.index(label) for label in dev.split.labels])
    config.uncertain_below = find_uncertain_band([(scores[rows], targets[rows]) for rows in dev.rows.values()])
    save_checkpoint(classifier.model, classifier.tokenizer, folder)


def measure(folder: Path, corpora: Sequence[Corpus], evaluate_test: bool) -> dict[str, Any]:
    """Evaluate a finished checkpoint on every dev set and, if asked, on the reported ones."""
    classifier = SentimentClassifier.from_pretrained(folder)
    sets: dict[str, Any] = {}
    for corpus in corpora:
        splits = {"dev": corpus.dev} | ({"reported": corpus.reported} if evaluate_test and corpus.reported else {})
        sets[corpus.name] = {
            "rule": corpus.rule,
            "train_texts": len(corpus.train),
            "removed": corpus.removed,
        } | {
            role: asdict(
                evaluate(
                    classifier.logits(split.texts),
                    split,
                    classifier.labels,
                    classifier.config.uncertain_below,
                )
            )
            for role, split in splits.items()
        }
    return {
        "labels": classifier.labels,
        "parameters": classifier.model.num_parameters(),
        "vocab_size": classifier.config.vocab_size,
        "max_tokens": classifier.config.max_tokens,
        "temperature": classifier.config.temperature,
        "uncertain_below": classifier.config.uncertain_below,
        "datasets": sets,
    }


def describe_device(device: torch.device) -> str:
    """Return the training hardware in words."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"{torch.get_num_threads()} CPU threads"
