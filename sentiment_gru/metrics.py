"""Metrics of logits or scores against labels, and the calibration fitted on dev.

Letters in shapes: B texts, C labels of the model, K labels that occur in a set.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from scipy.stats import binomtest
from sklearn.metrics import f1_score, recall_score

from .errors import DatasetError
from .labels import list_names
from .model_config import length_factor

if TYPE_CHECKING:  # reading datasets needs a package that computing metrics does not
    from .data.splits import JoinedSplit, TextSplit

BINS = 15
SIMULATIONS = 1_000
EXPONENT_PENALTY = 1e-3
MAX_UNCERTAIN_SHARE = 0.14  # of a dev set that lacks one of the labels
FOLDS = 5  # of the cross-validation of a small dev set
BAND_ERROR = 0.4  # least error rate on dev of verdicts at the upper edge of the uncertain band


@dataclass(frozen=True)
class Evaluation:
    """Metrics of one set of texts; rates are shares between 0 and 1.

    Scores are renormalised over the labels of the set: without neutral texts, positive competes with negative only.
    `uncertain` and `uncertain_error` use all labels of the model, as the app does.
    """

    texts: int
    labels: list[str]
    accuracy: float
    accuracy_interval: tuple[float, float]  # 95%, Wilson
    macro_recall: float
    macro_recall_interval: tuple[float, float]  # 95%, bootstrap within each label
    macro_f1: float
    calibration_error: float  # expected calibration error, 15 bins of equal width
    calibration_error_if_perfect: float  # 95th percentile of that error for a perfectly calibrated model
    uncertain: float  # share of verdicts marked uncertain
    uncertain_error: float | None  # share of those verdicts that are wrong
    certain_error: float | None


def restrict(logits: np.ndarray, labels: Sequence[str], present: Sequence[str]) -> np.ndarray:
    """Return the (B, K) logits of the labels that occur in a set."""
    return logits[:, [labels.index(name) for name in present]]


def labels_to_compare(labels: Sequence[str], present: Collection[str]) -> list[str]:
    """Return the labels of the model that a set has; all of them if it has only one, which would always be right."""
    found = [label for label in labels if label in present]
    return found if len(found) > 1 else list(labels)


def check_labels(split: "TextSplit", labels: Sequence[str]) -> None:
    """Raise DatasetError if a split has a label that the model lacks."""
    if unknown := sorted(split.names - set(labels)):
        raise DatasetError(
            f"the model has no label {list_names(unknown)}, only {list_names(labels)}; --label-map can rename labels"
        )


def restricted_sets(
    dev: "JoinedSplit", logits: np.ndarray, labels: Sequence[str]
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return, for each dataset, the (B, K) logits of its labels and the (B,) label ids among them."""
    sets = {}
    for name, rows in dev.rows.items():
        present = labels_to_compare(labels, dev.labels_of(name))
        targets = np.array([present.index(dev.split.labels[i]) for i in rows])
        sets[name] = (restrict(logits[rows], labels, present), targets)
    return sets


def calibration_error(scores: np.ndarray, targets: np.ndarray) -> float:
    """Return the expected calibration error of (B, K) scores against (B,) label ids.

    Source: Guo et al. 2017, "On Calibration of Modern Neural Networks", section 2.
    """
    return _calibration_error(scores.max(axis=1), scores.argmax(axis=1) == targets)


def _calibration_error(confidence: np.ndarray, correct: np.ndarray) -> float:
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bins, weights=correct - confidence, minlength=BINS)
    return float(np.abs(gaps).sum() / len(confidence))


def calibration_error_if_perfect(scores: np.ndarray, seed: int = 0) -> float:
    """Return the 95th percentile of the calibration error of a perfectly calibrated model with these (B, K) scores."""
    confidence = scores.max(axis=1)
    draws = np.random.default_rng(seed)
    errors = [_calibration_error(confidence, draws.random(len(confidence)) < confidence) for _ in range(SIMULATIONS)]
    return float(np.quantile(errors, 0.95))


def macro_recall_interval(verdicts: np.ndarray, targets: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """Return the 95% bootstrap interval of the macro recall, resampling within each label.

    The number of correct texts among n resampled ones is binomial, so no text is actually drawn. If all or none of a
    label's n texts are correct, its resamples would all be equal; they then vary as with half a text of the contrary.
    """
    draws = np.random.default_rng(seed)
    hits = [verdicts[targets == target] == target for target in np.unique(targets)]
    shares = [h.mean() if 0 < h.mean() < 1 else (h.sum() + 0.5) / (len(h) + 1) for h in hits]
    recalls = [
        draws.binomial(len(h), p, SIMULATIONS) / len(h) + (h.mean() - p) for h, p in zip(hits, shares, strict=True)
    ]
    low, high = np.quantile(np.mean(recalls, axis=0), [0.025, 0.975]).clip(0, 1)
    return float(low), float(high)


def evaluate(logits: np.ndarray, split: "TextSplit", labels: Sequence[str], uncertain_below: float) -> Evaluation:
    """Compare the calibrated (B, C) logits of a split's texts with its labels.

    Raises:
        DatasetError: The split has a label that the model lacks.
    """
    check_labels(split, labels)
    present = labels_to_compare(labels, set(split.labels))
    scores = softmax(restrict(logits, labels, present).astype(np.float64), axis=1)
    targets = np.array([present.index(name) for name in split.labels])
    verdicts = scores.argmax(axis=1)
    hits = int((verdicts == targets).sum())
    interval = binomtest(hits, len(targets)).proportion_ci(method="wilson")
    full_scores = softmax(logits.astype(np.float64), axis=1)
    wrong = full_scores.argmax(axis=1) != np.array([labels.index(name) for name in split.labels])
    band = full_scores.max(axis=1) < uncertain_below
    return Evaluation(
        texts=len(split),
        labels=present,
        accuracy=hits / len(targets),
        accuracy_interval=(interval.low, interval.high),
        macro_recall=float(recall_score(targets, verdicts, labels=np.unique(targets), average="macro")),
        macro_recall_interval=macro_recall_interval(verdicts, targets),
        macro_f1=float(f1_score(targets, verdicts, labels=np.unique(targets), average="macro")),
        calibration_error=calibration_error(scores, targets),
        calibration_error_if_perfect=calibration_error_if_perfect(scores),
        uncertain=float(band.mean()),
        uncertain_error=float(wrong[band].mean()) if band.any() else None,
        certain_error=float(wrong[~band].mean()) if not band.all() else None,
    )


def fit_temperature(sets: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> tuple[float, float]:
    """Return the temperature and exponent (see `SentimentGRUConfig`) with the lowest mean log loss over the sets.

    The temperature is at least 1/2, because a small set without errors would drive it to 0. A penalty keeps the
    exponent near 0 if all texts have similar lengths.

    Args:
        sets: For each dataset, logits (B, K), label ids (B,) and lengths (B,) in tokens.
    """

    def loss(parameters: np.ndarray) -> float:
        log_temperature, exponent = parameters
        losses = [
            -log_softmax(logits / (np.exp(log_temperature) * length_factor(lengths, exponent))[:, None], axis=1)[
                np.arange(len(targets)), targets
            ].mean()
            for logits, targets, lengths in sets
        ]
        return float(np.mean(losses)) + EXPONENT_PENALTY * exponent**2

    bounds = [(-np.log(2), 3.0), (-0.5, 0.5)]
    log_temperature, exponent = minimize(loss, np.zeros(2), bounds=bounds).x
    return float(np.exp(log_temperature)), float(exponent)


def temperature_helps(sets: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> bool:
    """Return whether temperatures fitted on four fifths lower the log loss of the fifth that is left out.

    Args:
        sets: As in `fit_temperature`; fewer than two rows a fold in all give False.
    """
    gains: list[float] = []
    for kept, left_out in folds_of(sets):
        temperature, exponent = fit_temperature(kept)
        for logits, targets, lengths in left_out:
            divided = logits / (temperature * length_factor(lengths, exponent))[:, None]
            gain = log_softmax(divided, axis=1) - log_softmax(logits, axis=1)
            gains += gain[np.arange(len(targets)), targets].tolist()
    return bool(gains) and float(np.mean(gains)) > 0


def band_holds(sets: Sequence[tuple[np.ndarray, np.ndarray]]) -> bool:
    """Return whether verdicts below bands found on four fifths are wrong often enough in the fifth that is left out.

    Args:
        sets: As in `find_uncertain_band`; fewer than two rows a fold in all give False.
    """
    wrong: list[bool] = []
    for kept, left_out in folds_of(sets):
        edge = find_uncertain_band(kept)
        for scores, targets in left_out:
            wrong += (scores.argmax(axis=1) != targets)[scores.max(axis=1) < edge].tolist()
    return bool(wrong) and float(np.mean(wrong)) >= BAND_ERROR


def folds_of(sets: Sequence[tuple[np.ndarray, ...]]) -> Iterator[tuple[list[Any], list[Any]]]:
    """Yield, for each fold, the rows that are kept and those that are left out, as sets that are not empty."""
    if sum(len(one[0]) for one in sets) < 2 * FOLDS:
        return
    for fold in range(FOLDS):
        parts: tuple[list[Any], list[Any]] = ([], [])
        for one in sets:
            inside = np.arange(len(one[0])) % FOLDS == fold
            for part, chosen in zip(parts, (~inside, inside), strict=True):
                if chosen.any():
                    part.append(tuple(values[chosen] for values in one))
        yield parts


def find_uncertain_band(sets: Sequence[tuple[np.ndarray, np.ndarray]]) -> float:
    """Return the score below which a verdict is called uncertain.

    It is the upper edge of the highest band of width 0.05 in which at least `BAND_ERROR` of the verdicts are wrong, or
    0. It is lowered until at most `MAX_UNCERTAIN_SHARE` of each set that lacks a label falls below it.

    Args:
        sets: For each dataset, scores (B, C) and label ids (B,); the datasets have equal weight.
    """
    limits = [
        np.quantile(scores.max(axis=1), MAX_UNCERTAIN_SHARE, method="lower")
        for scores, targets in sets
        if len(np.unique(targets)) < scores.shape[1]
    ]
    confidence = np.concatenate([scores.max(axis=1) for scores, _ in sets])
    wrong = np.concatenate([scores.argmax(axis=1) != targets for scores, targets in sets])
    weight = np.concatenate([np.full(len(targets), 1 / len(targets)) for _, targets in sets])
    for edge in np.arange(0.95, 0.3, -0.01):
        inside = (confidence >= edge - 0.05) & (confidence < edge)
        if inside.sum() >= 20 and np.average(wrong[inside], weights=weight[inside]) >= BAND_ERROR:
            return float(np.floor(100 * min(edge + 1e-9, *limits, 1.0)) / 100)
    return 0.0
