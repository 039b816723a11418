"""Analyse a learning study with two lessons, and try the analysis on simulated learners.

    python benchmarks/study.py analyse answers.csv --questions 12       # the CSV file of a class; see docs/study.md
    python benchmarks/study.py simulate        # 10,000 studies of each kind, into benchmarks/results/; a minute

The effect is the difference between the conditions in the score after the lesson, adjusted for the score before it by
analysis of covariance (ANCOVA), divided by the standard deviation of the score after it within the conditions, with
Hedges' correction for small samples (1981, "Distribution theory for Glass's estimator of effect size and related
estimators", Journal of Educational Statistics 6, 107-128). Its standard error is that of the ratio by the delta method.
"""

import argparse
import csv
import json
import math
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.stats import norm, t

sys.path.insert(0, str(Path(__file__).parent.parent))

from quiz.class_records import POST, PRE, STAGE, TEXT, learner_of

RESULT = Path(__file__).parent / "results" / "study.json"
PLANTED = 0.4
POWER = 0.8
LEVEL = 0.05
MOST_BIAS = 0.02
COVERAGE = (0.93, 0.97)
LATER = timedelta(days=1)
GUESSING = 0.25
"""Probability of a right answer without knowledge."""
PROGRESS, SPREAD_OF_PROGRESS = 0.8, 0.7
"""Logits that a learner gains by the text, on average, and their standard deviation."""
DIFFICULTIES = np.linspace(-1.5, 1.5, 12)
_CHUNK = 500  # studies in memory at a time

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Learner:
    """A learner's condition, and the scores before, after and later; None for a test that was not taken."""

    condition: str
    pre: float | None
    post: float | None
    later: float | None


@dataclass(frozen=True)
class Effects:
    """The effect of the stage in each of one or more studies, as a standardized difference.

    Attributes:
        value: The estimates.
        low: Lower ends of their 95% intervals.
        high: Upper ends.
        p: Two-sided p-values of no effect.
    """

    value: Floats
    low: Floats
    high: Floats
    p: Floats


def read_learners(rows: Iterable[Mapping[str, str]], questions: int) -> list[Learner]:
    """Return the learners of a class from the rows of its CSV file.

    The first attempts at pre-test and post-test count, and the second one at the post-test as the later test, if it
    began `LATER` or more after the first. An answer that is missing earns nothing.

    Args:
        rows: The rows, by the names of the columns.
        questions: Number of questions of a test.

    Raises:
        ValueError: A row has no condition.
    """
    scores: dict[str, dict[tuple[str, int], float]] = defaultdict(lambda: defaultdict(float))
    conditions: dict[str, str] = {}
    begun: dict[tuple[str, str, int], datetime] = {}
    for row in rows:
        if row["condition"] not in (TEXT, STAGE):
            raise ValueError("the class is not randomized: a row has no condition")
        learner = learner_of(row["nickname"])
        conditions[learner] = row["condition"]
        test, time = (row["test"], int(row["attempt"])), datetime.fromisoformat(row["time_utc"])
        scores[learner][test] += float(row["credit"]) / questions
        begun[learner, *test] = min(time, begun.get((learner, *test), time))
    for learner, own in scores.items():
        if {(POST, 1), (POST, 2)} <= own.keys() and begun[learner, POST, 2] - begun[learner, POST, 1] < LATER:
            del own[POST, 2]
    tests = ((PRE, 1), (POST, 1), (POST, 2))
    return [Learner(conditions[name], *(own.get(test) for test in tests)) for name, own in scores.items()]


def estimate_effects(is_stage: npt.NDArray[np.bool_], before: Floats, after: Floats) -> Effects:
    """Return the effects in studies of equal size.

    Args:
        is_stage: For each learner whether the lesson had the stage.
        before: Scores before the lesson, by study and learner.
        after: Scores after it.
    """
    count = len(is_stage)
    stage = is_stage - is_stage.mean()
    baseline, outcome = (scores - scores.mean(axis=1, keepdims=True) for scores in (before, after))
    # The normal equations of outcome = difference * stage + slope * baseline.
    stage_stage, stage_baseline, baseline_baseline = stage @ stage, baseline @ stage, (baseline**2).sum(axis=1)
    determinant = stage_stage * baseline_baseline - stage_baseline**2
    stage_outcome, baseline_outcome = outcome @ stage, (baseline * outcome).sum(axis=1)
    difference = (baseline_baseline * stage_outcome - stage_baseline * baseline_outcome) / determinant
    slope = (stage_stage * baseline_outcome - stage_baseline * stage_outcome) / determinant
    residuals = outcome - difference[:, None] * stage - slope[:, None] * baseline
    variance = (residuals**2).sum(axis=1) / (count - 3)
    error = np.sqrt(variance * baseline_baseline / determinant)
    within = after - np.where(is_stage, *(after[:, part].mean(axis=1, keepdims=True) for part in (is_stage, ~is_stage)))
    deviation = np.sqrt((within**2).sum(axis=1) / (count - 2))
    correction = 1 - 3 / (4 * (count - 2) - 1)
    value = correction * difference / deviation
    margin = t.ppf(1 - LEVEL / 2, count - 3) * np.sqrt(
        (correction * error / deviation) ** 2 + value**2 / (2 * (count - 2))
    )
    return Effects(value, value - margin, value + margin, 2 * t.sf(np.abs(difference / error), count - 3))


def count_required(effect: float, correlation: float) -> int:
    """Return the learners of each condition with which an effect is found with probability `POWER`.

    This is the approximation by the normal distribution, and one learner more for the estimated variance.

    Args:
        effect: Standardized difference after the lesson.
        correlation: Correlation of the scores before and after it within the conditions.
    """
    quantiles = norm.ppf(1 - LEVEL / 2) + norm.ppf(POWER)
    return math.ceil(2 * (1 - correlation**2) * (quantiles / effect) ** 2) + 1


def analyse(learners: Iterable[Learner]) -> dict[str, Any]:
    """Return the effect after the lesson and later, with the learners who have taken the tests it is based on."""
    everyone = list(learners)
    report: dict[str, Any] = {
        "learners": {name: sum(one.condition == name for one in everyone) for name in (TEXT, STAGE)}
    }
    for name, outcomes in (("post", [one.post for one in everyone]), ("later", [one.later for one in everyone])):
        used = [
            (one.condition == STAGE, one.pre, outcome)
            for one, outcome in zip(everyone, outcomes, strict=True)
            if one.pre is not None and outcome is not None
        ]
        counts = {TEXT: sum(not entry[0] for entry in used), STAGE: sum(entry[0] for entry in used)}
        if min(counts.values()) < 3:
            report[name] = {"learners": counts}
            continue
        is_stage, before, after = (np.array(column) for column in zip(*used, strict=True))
        effects = estimate_effects(is_stage, before[None, :], after[None, :])
        report[name] = {
            "learners": counts,
            "mean_before": {TEXT: float(before[~is_stage].mean()), STAGE: float(before[is_stage].mean())},
            "mean": {TEXT: float(after[~is_stage].mean()), STAGE: float(after[is_stage].mean())},
            "effect": {key: float(column[0]) for key, column in asdict(effects).items()},
        }
    return report


def chances(ability: Floats) -> Floats:
    """Return the probability that a learner of an ability answers each question right, in a further dimension."""
    return GUESSING + (1 - GUESSING) / (1 + np.exp(DIFFICULTIES - ability[..., None]))


def find_shift(effect: float) -> float:
    """Return the logits that the stage must add to the progress for an effect on the scores of the population."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(81)
    weights = weights / weights.sum()

    def moments(shift: float) -> tuple[float, float]:
        probability = chances(PROGRESS + shift + nodes * math.hypot(1, SPREAD_OF_PROGRESS))
        expected = probability.mean(axis=1)
        mean = float(weights @ expected)
        noise = (probability * (1 - probability)).sum(axis=1) / len(DIFFICULTIES) ** 2
        return mean, float(weights @ ((expected - mean) ** 2 + noise))

    def excess(shift: float) -> float:
        (text, variance), (stage, other) = moments(0.0), moments(shift)
        return (stage - text) / math.sqrt((variance + other) / 2) - effect

    return float(brentq(excess, 0, 5))


def simulate_scores(
    studies: int, is_stage: npt.NDArray[np.bool_], shift: float, generator: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return scores before and after the lesson, by study and learner, of answers that are right by chance."""
    ability = generator.standard_normal((studies, len(is_stage)))
    progress = PROGRESS + shift * is_stage + SPREAD_OF_PROGRESS * generator.standard_normal(ability.shape)

    def score(ability: Floats) -> Floats:
        probability = chances(ability)
        return (generator.random(probability.shape) < probability).mean(axis=2)

    return score(ability), score(ability + progress)


def simulate(studies: int, per_condition: int, effect: float, seed: int) -> dict[str, float]:
    """Return what the analysis finds in simulated studies with a planted effect."""
    generator, shift = np.random.default_rng(seed), find_shift(effect)
    is_stage = np.arange(2 * per_condition) % 2 == 1
    parts, correlations = [], []
    for start in range(0, studies, _CHUNK):
        before, after = simulate_scores(min(_CHUNK, studies - start), is_stage, shift, generator)
        parts.append(estimate_effects(is_stage, before, after))
        correlations += [
            np.corrcoef(*scores)[0, 1] for scores in zip(before[:, ~is_stage], after[:, ~is_stage], strict=True)
        ]
    value, low, high, p = (
        np.concatenate(columns) for columns in zip(*(vars(part).values() for part in parts), strict=True)
    )
    return {
        "learners_per_condition": per_condition,
        "planted": effect,
        "mean_estimate": float(value.mean()),
        "coverage": float(((low <= effect) & (effect <= high)).mean()),
        "significant": float((p < LEVEL).mean()),
        "correlation": float(np.mean(correlations)),
    }


def find_failures(result: Mapping[str, Any]) -> list[str]:
    """Return what the analysis misses of its goals."""
    failures = []
    for run in (result[name] for name in ("planted_effect", "no_effect", "required_number")):
        bias = run["mean_estimate"] - run["planted"]
        if abs(bias) > MOST_BIAS:
            failures.append(f"bias {bias:.3f}")
        if not COVERAGE[0] <= run["coverage"] <= COVERAGE[1]:
            failures.append(f"coverage {run['coverage']:.3f}")
    if abs(result["required_number"]["significant"] - POWER) > 0.02:
        failures.append(f"power {result['required_number']['significant']:.3f}")
    return failures


def main() -> int:
    """Run one of the two commands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    analysis = commands.add_parser("analyse", help="print the effects in a class as JSON")
    analysis.add_argument("file", type=Path, help="the CSV file of the answers in the class")
    analysis.add_argument("--questions", type=int, required=True, help="number of questions of a test")
    simulation = commands.add_parser("simulate", help="simulate studies, and write what the analysis finds")
    simulation.add_argument("--studies", type=int, default=10_000, help="number of studies of each kind")
    simulation.add_argument("--output", type=Path, default=RESULT, help="the file to write")
    options = parser.parse_args()
    if options.command == "analyse":
        with options.file.open(encoding="utf-8-sig", newline="") as file:
            print(json.dumps(analyse(read_learners(csv.DictReader(file), options.questions)), indent=1))
        return 0
    planted = simulate(options.studies, 100, PLANTED, seed=1)
    required = count_required(PLANTED, planted["correlation"])
    result = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "studies": options.studies,
        "questions": len(DIFFICULTIES),
        "planted_effect": planted,
        "no_effect": simulate(options.studies, 100, 0.0, seed=2),
        "required_number": simulate(options.studies, required, PLANTED, seed=3),
        "required_without_pretest": count_required(PLANTED, 0.0),
    }
    options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    failures = find_failures(result)
    print("\n".join(failures) or f"written to {options.output}")
    return int(bool(failures))


if __name__ == "__main__":
    sys.exit(main())
