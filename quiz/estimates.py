"""Estimates from samples: shares, correlations and reliability, each with a 95% confidence interval.

scipy is imported when it is first needed, as it is slow to load.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

CONFIDENCE_LEVEL = 0.95
MIN_GROUP = 5
"""A correlation with a yes/no variable needs this many of each."""


@dataclass(frozen=True)
class Interval:
    """A 95% confidence interval."""

    low: float
    high: float


@dataclass(frozen=True)
class Correlation:
    """Pearson's correlation of a sample.

    Attributes:
        value: The correlation.
        interval: Its interval, by Fisher's transformation.
        p_value: Two-sided, of the hypothesis that it is 0.
    """

    value: float
    interval: Interval
    p_value: float


@dataclass(frozen=True)
class Reliability:
    """Estimated reliability of the scores of runs of average length.

    Attributes:
        alpha: Cronbach's alpha, which for right/wrong scores equals KR-20; a value below -1 is given as -1.
        interval: Its interval.
        standard_error: Standard error of measurement of a run's share of correct answers.
        items_per_run: Mean number of items in a run.
        runs: Number of runs.
    """

    alpha: float
    interval: Interval
    standard_error: float
    items_per_run: float
    runs: int


def share_interval(count: int, total: int) -> Interval:
    """Return Wilson's interval of a share.

    >>> share_interval(0, 10)
    Interval(low=0.0, high=0.2775327998628892)
    """
    from scipy.stats import binomtest

    interval = binomtest(count, total).proportion_ci(CONFIDENCE_LEVEL, method="wilson")
    return Interval(float(interval.low), float(interval.high))


def mean_interval(values: Sequence[float]) -> Interval | None:
    """Return Student's interval of a mean, or None for fewer than two values."""
    if len(values) < 2:
        return None
    return _student_interval(
        float(np.mean(values)), float(np.std(values, ddof=1)) / math.sqrt(len(values)), len(values)
    )


def ratio_interval(numerators: Sequence[float], denominators: Sequence[float]) -> Interval | None:
    """Return the interval of a ratio of two means of the same sample.

    The ratio is linearized (Cochran 1977, "Sampling Techniques", 3rd edition, section 6.3): its variance is that of the
    residuals numerator - ratio * denominator, divided by the squared mean denominator. Student's distribution has one
    degree of freedom less than the sample.

    Returns:
        None for fewer than two values, or a mean denominator of 0.
    """
    x, y = np.asarray(denominators, float), np.asarray(numerators, float)
    if len(x) < 2 or x.mean() == 0:
        return None
    ratio = float(y.mean() / x.mean())
    error = float(np.std(y - ratio * x, ddof=1)) / math.sqrt(len(x)) / abs(float(x.mean()))
    return _student_interval(ratio, error, len(x))


def _student_interval(value: float, error: float, count: int) -> Interval:
    from scipy.stats import t

    margin = float(t.ppf((1 + CONFIDENCE_LEVEL) / 2, count - 1)) * error
    return Interval(value - margin, value + margin)


def share_p_value(count: int, total: int, share: float) -> float:
    """Return the two-sided p-value of the hypothesis that a share is this one."""
    from scipy.stats import binomtest

    return float(binomtest(count, total, share).pvalue)


def correlate(flags: Sequence[bool], scores: Sequence[float]) -> Correlation | None:
    """Return the correlation of a yes/no variable with a score.

    Returns:
        None if fewer than `MIN_GROUP` are yes or no, or if all scores are equal: the correlation is then undefined, or
        depends on a few runs.
    """
    from scipy.stats import pearsonr

    if min(sum(flags), len(flags) - sum(flags)) < MIN_GROUP or max(scores) - min(scores) < 1e-9:
        return None
    result = pearsonr(np.asarray(flags, float), np.asarray(scores))
    value = float(result.statistic)
    if abs(value) > 1 - 1e-12:  # Fisher's transformation is infinite
        return Correlation(value, Interval(value, value), 0.0)
    interval = result.confidence_interval(CONFIDENCE_LEVEL)
    return Correlation(value, Interval(float(interval.low), float(interval.high)), float(result.pvalue))


def adjust_p_values(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted by Benjamini and Hochberg (1995).

    Of the hypotheses with an adjusted value of at most 0.05, at most 5% are expected to be true.
    """
    from scipy.stats import false_discovery_control

    return [float(value) for value in false_discovery_control(list(p_values))] if p_values else []


def estimate_reliability(runs: Sequence[int], items: Sequence[int], scores: Sequence[float]) -> Reliability | None:
    """Return the reliability of scores, where runs may have different items.

    Scores are modelled as the sum of an effect of the run, one of the item, and an error. Their variances come from an
    analysis of variance, adjusted for items as runs differ in them (Henderson's method 3; Searle, Casella and McCulloch
    1992, "Variance Components", chapter 5). If every run has every item, this is Cronbach's alpha (Hoyt 1941, "Test
    reliability estimated by analysis of variance", Psychometrika 6, 153-160), and the interval is that of Feldt (1965,
    Psychometrika 30, 357-370).

    Args:
        runs: For each answer the number of its run, counted from 0 without gaps.
        items: For each answer the number of its item, counted from 0 without gaps.
        scores: For each answer its score, from 0 to 1.

    Returns:
        None if there are too few answers for it, or if no answer varies within its run and item.
    """
    from scipy.stats import f

    y, run, item = np.asarray(scores, float), np.asarray(runs, int), np.asarray(items, int)
    if not len(y):
        return None
    per_run, per_item = np.bincount(run), np.bincount(item)
    count, run_count, item_count = len(y), len(per_run), len(per_item)
    from_item = y - (np.bincount(item, y) / per_item)[item]
    residual, rank = _fit_run_and_item(y, run, item)
    free_residual = count - run_count - rank
    free_runs = count - item_count - free_residual
    if free_residual < 1 or free_runs < 1 or residual < 1e-9:
        return None
    error = residual / free_residual
    ratio = (float(from_item @ from_item) - residual) / free_runs / error
    length, weight = count / run_count, (count - item_count) / free_runs

    def alpha(ratio: float) -> float:
        signal = length * (ratio - 1) / weight
        return max(-1.0, signal / (signal + 1)) if signal > -1 else -1.0

    tail = (1 - CONFIDENCE_LEVEL) / 2
    low, high = (alpha(ratio / float(f.ppf(level, free_runs, free_residual))) for level in (1 - tail, tail))
    return Reliability(alpha(ratio), Interval(low, high), math.sqrt(error / length), length, run_count)


def _fit_run_and_item(y: np.ndarray, run: np.ndarray, item: np.ndarray) -> tuple[float, int]:
    """Fit an effect of each run and item to scores; return the residual sum of squares, and the rank of the items.

    Args:
        y: (N,) scores.
        run: (N,) numbers of their runs.
        item: (N,) numbers of their items.
    """
    from scipy.sparse import coo_array

    per_run, per_item = np.bincount(run), np.bincount(item)
    from_run = y - (np.bincount(run, y) / per_run)[run]
    table = coo_array((np.ones(len(y)), (run, item)), shape=(len(per_run), len(per_item))).tocsr()
    normal = np.diag(per_item.astype(float)) - (table.T @ table.multiply(1 / per_run[:, None])).toarray()
    totals = np.bincount(item, from_run)
    effects, _, rank, _ = np.linalg.lstsq(normal, totals, rcond=1e-10)
    return float(from_run @ from_run - effects @ totals), int(rank)
