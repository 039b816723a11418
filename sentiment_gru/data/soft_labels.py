"""Texts with a probability for each label, as a teacher model predicts them.

Their files have the column `text` and columns `score_LABEL`, such as `score_positive`; the scores of a row sum to 1.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ..errors import DatasetError
from ..labels import canonical_label
from .splits import letters

TEXT, SCORE = "text", "score_"
ROUNDING = 1e-3  # tolerance of the sum of a row's scores


@dataclass(frozen=True)
class SoftLabels:
    """N texts and their (N, K) probabilities of K labels; other labels are not judged."""

    name: str
    texts: list[str]
    labels: list[str]
    scores: np.ndarray

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, rows: Sequence[int]) -> "SoftLabels":
        """Return a selection of rows."""
        return SoftLabels(self.name, [self.texts[i] for i in rows], self.labels, self.scores[list(rows)])

    def without(self, excluded: Collection[str]) -> "SoftLabels":
        """Return the rows whose `letters` are not in a collection."""
        return self.take([row for row, text in enumerate(self.texts) if letters(text) not in excluded])

    def targets(self) -> dict[str, dict[str, float]]:
        """Return a mapping from texts to their scores by label."""
        rows = self.scores.tolist()
        return {text: dict(zip(self.labels, row, strict=True)) for text, row in zip(self.texts, rows, strict=True)}


def write_soft_labels(path: Path, soft: SoftLabels) -> None:
    """Write a Parquet file of texts and scores."""
    scores = {f"{SCORE}{label}": soft.scores[:, k].astype(np.float32) for k, label in enumerate(soft.labels)}
    pq.write_table(pa.table({TEXT: soft.texts} | scores), path, compression="zstd")


def read_soft_labels(path: Path) -> SoftLabels:
    """Read a Parquet file of texts and scores.

    Raises:
        DatasetError: The file cannot be read, lacks a column, or holds scores that are not probabilities.
    """
    if not Path(path).is_file():
        raise DatasetError(f"--soft-labels {path}: there is no such file")
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise DatasetError(f"--soft-labels {path}: not readable as Parquet: {error}") from error
    columns = [name for name in table.column_names if name.startswith(SCORE)]
    if TEXT not in table.column_names or len(columns) < 2:
        raise DatasetError(
            f"--soft-labels {path}: a column {TEXT!r} and two or more like {SCORE + 'positive'!r} are needed;"
            f" there are {', '.join(table.column_names)}"
        )
    scores = np.stack([np.asarray(table[name], dtype=np.float64) for name in columns], axis=1)
    bad = np.flatnonzero(~((scores >= 0).all(axis=1) & (np.abs(scores.sum(axis=1) - 1) < ROUNDING)))
    if len(bad):
        raise DatasetError(f"--soft-labels {path}: the scores of row {bad[0]} are not probabilities that sum to 1")
    labels = [canonical_label(name.removeprefix(SCORE)) for name in columns]
    return SoftLabels(Path(path).stem, table[TEXT].to_pylist(), labels, scores)
