"""Tables beside a checkpoint: the run's history, and each prediction with its scores but without its text."""

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.special import softmax

from ..data.splits import TextSplit

SPEEDS = ("runtime", "per_second", "preparation_time", "total_flos", "train_loss")
MISTAKES = 5  # pairs of labels named in the card


@dataclass(frozen=True)
class ScoredSplit:
    """A split of a dataset and what the finished model says of its texts.

    Attributes:
        dataset: its name.
        role: "dev" or "reported".
        split: the texts.
        logits: (B, C), calibrated.
        labels: the model's C labels.
    """

    dataset: str
    role: str
    split: TextSplit
    logits: np.ndarray
    labels: list[str]

    @property
    def scores(self) -> np.ndarray:
        """The (B, C) scores of all labels."""
        return softmax(self.logits.astype(np.float64), axis=1)

    @property
    def targets(self) -> np.ndarray:
        """The (B,) ids of the true labels."""
        return np.array([self.labels.index(label) for label in self.split.labels])


def write_history(path: Path, log: Sequence[dict[str, Any]]) -> None:
    """Write the trainer's log as CSV, a row per step with loss and learning rate, or dev metrics."""
    rows = [{key: value for key, value in entry.items() if not key.endswith(SPEEDS)} for entry in log]
    rows = [row for row in rows if len(row) > 2]  # the last entry has speeds only
    names = dict.fromkeys(["step", "epoch", "loss", "learning_rate", *(key for row in rows for key in row)])
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)


def write_predictions(path: Path, scored: Sequence[ScoredSplit]) -> None:
    """Write a Parquet row per text: dataset, split, index in that split, label, predicted, a score per label.

    Texts stay out: a dataset's licence may not let them be copied.
    """
    pq.write_table(pa.concat_tables([_table(split) for split in scored]), path, compression="zstd")


def _table(scored: ScoredSplit) -> pa.Table:
    count = len(scored.split)
    scores = scored.scores
    rounded = scores.round(3).astype(np.float32)
    return pa.table(
        {
            "dataset": [scored.dataset] * count,
            "split": [scored.role] * count,
            "index": pa.array(range(count), pa.int32()),
            "label": scored.split.labels,
            "predicted": [scored.labels[i] for i in scores.argmax(axis=1)],
        }
        | {f"score_{label}": rounded[:, i] for i, label in enumerate(scored.labels)}
    )


def count_mistakes(scored: ScoredSplit, uncertain_below: float) -> list[dict[str, Any]]:
    """Return the most frequent pairs of a true label and a wrong verdict, and how many of them were uncertain."""
    verdicts, targets = scored.scores.argmax(axis=1), scored.targets
    uncertain = scored.scores.max(axis=1) < uncertain_below
    pairs = Counter((int(t), int(v)) for t, v in zip(targets, verdicts, strict=True) if t != v)
    return [
        {
            "label": scored.labels[target],
            "verdict": scored.labels[verdict],
            "texts": count,
            "of": int((targets == target).sum()),
            "uncertain": int((uncertain & (targets == target) & (verdicts == verdict)).sum()),
        }
        for (target, verdict), count in pairs.most_common(MISTAKES)
    ]
