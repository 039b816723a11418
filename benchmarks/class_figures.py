"""Recompute the figures of a class from the CSV file of its answers, with formulas written down here again.

    python benchmarks/class_figures.py answers.csv report.json --questions 12

Both files are downloads of the teacher's page. It fails if a figure differs by more than 1e-9.
"""

import argparse
import csv
import io
import json
import math
import statistics
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import norm, t

TOLERANCE = 1e-9
NORMAL = float(norm.ppf(0.975))

Row = dict[str, str]


class Comparison:
    """Counts the figures that agree, and lists those that do not."""

    def __init__(self) -> None:
        """Start without figures."""
        self.compared = 0
        self.differences: list[str] = []

    def check(self, name: str, reported: Any, computed: Any) -> None:
        """Compare one figure, or figures in lists and dictionaries."""
        if isinstance(computed, dict):
            for key, value in computed.items():
                self.check(f"{name}.{key}", None if reported is None else reported[key], value)
        elif isinstance(computed, (list, tuple)):
            if reported is None or len(reported) != len(computed):
                self.differences.append(f"{name}: {reported} is not {computed}")
                return
            for number, value in enumerate(computed):
                self.check(f"{name}[{number}]", reported[number], value)
        else:
            self.compared += 1
            same = reported is None if computed is None else _is_near(reported, computed)
            if not same:
                self.differences.append(f"{name}: {reported} is not {computed}")


def _is_near(reported: Any, computed: Any) -> bool:
    if isinstance(computed, str) or isinstance(reported, str) or reported is None:
        return bool(reported == computed)
    return abs(float(reported) - float(computed)) <= TOLERANCE


def compare(rows: Sequence[Row], report: dict[str, Any], questions: int, closed: bool = False) -> Comparison:
    """Compare a report with figures computed from the rows of the CSV file.

    Args:
        rows: The rows of the answers.
        report: The report of the teacher's page.
        questions: Number of questions in a run.
        closed: Whether the deadline has passed, so that incomplete runs count.
    """
    comparison = Comparison()
    runs: dict[tuple[str, str, int], list[Row]] = defaultdict(list)
    for row in rows:
        runs[row["test"], row["nickname"], int(row["attempt"])].append(row)
    comparison.check("attempts", report["attempts"], len(rows))
    scores = {key: sum(float(row["credit"]) for row in own) / questions for key, own in runs.items()}
    counted = {key for key, own in runs.items() if key[2] == 1 and (closed or len(own) == questions)}
    for entry in report["scores"]:
        run = entry["run"]
        key = (run["phase"], _as_cell(run["nickname"]), run["attempt_number"])
        own = runs.get(key, [])
        computed = {
            "answered": len(own),
            "right": sum(row["correct"] == "yes" for row in own),
            "score": scores.get(key, 0.0),
            "seconds": _sum_seconds(own),
            "counts": key in counted,
        }
        comparison.check(f"{key}", entry, computed)
    for test in report["tests"]:
        phase = test["phase"]
        values = [scores[key] for key in counted if key[0] == phase]
        computed = {"counted": len(values), "mean": statistics.fmean(values) if values else None}
        comparison.check(phase, test, computed | {"interval": _mean_interval(values)})
        _compare_items(comparison, [row for row in rows if row["test"] == phase], test["items"], phase)
    _compare_gain(comparison, scores, counted, report["gain"])
    return comparison


def _as_cell(nickname: str) -> str:
    """Return a nickname as the CSV file has it, with an apostrophe in front of what could be a formula."""
    return f"'{nickname}" if nickname.startswith(("=", "+", "-", "@")) else nickname


def _sum_seconds(rows: Iterable[Row]) -> float | None:
    times = [int(row["milliseconds"]) for row in rows if row["milliseconds"]]
    return sum(times) / 1000 if times else None


def _mean_interval(values: Sequence[float]) -> dict[str, float] | None:
    if len(values) < 2:
        return None
    mean = sum(values) / len(values)
    variance = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
    margin = float(t.ppf(0.975, len(values) - 1)) * math.sqrt(variance / len(values))
    return {"low": mean - margin, "high": mean + margin}


def _compare_gain(
    comparison: Comparison,
    scores: dict[tuple[str, str, int], float],
    counted: set[tuple[str, str, int]],
    reported: dict[str, Any] | None,
) -> None:
    names = {name for phase, name, _ in counted if phase == "pre"} & {n for phase, n, _ in counted if phase == "post"}
    pairs = [(scores["pre", name, 1], scores["post", name, 1]) for name in names]
    if not pairs:
        comparison.check("gain", reported, None)
        return
    count = len(pairs)
    pre, post = sum(one for one, _ in pairs) / count, sum(other for _, other in pairs) / count
    gain = (post - pre) / (1 - pre)
    residuals = [other - one - gain * (1 - one) for one, other in pairs]
    error = math.sqrt(sum(value**2 for value in residuals) / (count - 1) / count) / (1 - pre) if count > 1 else None
    interval = None
    if error is not None:
        margin = float(t.ppf(0.975, count - 1)) * error
        interval = {"low": gain - margin, "high": gain + margin}
    figures = {"learners": count, "pre": pre, "post": post, "value": gain, "interval": interval}
    comparison.check("gain", reported, figures)


def _compare_items(comparison: Comparison, rows: Sequence[Row], report: dict[str, Any], phase: str) -> None:
    first = [row for row in rows if row["first_try"] == "yes"]
    comparison.check(f"{phase} first tries", report["first_tries"], len(first))
    answered = Counter(row["run"] for row in first)
    right = Counter(row["run"] for row in first if row["correct"] == "yes")
    by_item: dict[tuple[str, int], list[Row]] = defaultdict(list)
    for row in first:
        by_item[row["item"], int(row["version"])].append(row)
    for entry in report["items"]:
        own = by_item.pop((entry["item_id"], entry["version"]), [])
        name = f"{phase} {entry['item_id']}"
        comparison.check(f"{name} first tries", entry["first_tries"], len(own))
        if own:
            _compare_item(comparison, name, own, entry["measures"], answered, right)
    comparison.check(f"{phase} items that the report lacks", 0, len(by_item))
    if report["reliability"] is not None:
        comparison.check(f"{phase} alpha", report["reliability"]["alpha"], compute_alpha(first))


def _compare_item(
    comparison: Comparison,
    name: str,
    rows: Sequence[Row],
    measures: dict[str, Any],
    answered: Counter[str],
    right: Counter[str],
) -> None:
    count = len(rows)
    flags = [row["correct"] == "yes" for row in rows]
    times = [int(row["milliseconds"]) / 1000 for row in rows if row["milliseconds"]]
    rests = [(right[row["run"]] - flag) / (answered[row["run"]] - 1) for row, flag in zip(rows, flags, strict=True)]
    figures: dict[str, Any] = {
        "facility": sum(flags) / count,
        "facility_interval": _wilson(sum(flags), count),
        "mean_credit": sum(float(row["credit"]) for row in rows) / count,
        "hint_share": sum(int(row["hints"]) > 0 for row in rows) / count,
        "seconds": [float(value) for value in np.percentile(times, [25, 50, 75])] if times else None,
        "discrimination": _correlate(flags, rests),
    }
    comparison.check(name, measures, figures)
    given = Counter(answer for row in rows for answer in dict.fromkeys(row["answer"].split("; ")))
    for choice in measures["choices"]:
        if choice["correct"] is not None and choice["answer"] in given:
            share = {"count": given[choice["answer"]], "share": given[choice["answer"]] / count}
            comparison.check(f"{name} {choice['answer']}", choice, share)


def _wilson(successes: int, count: int) -> dict[str, float]:
    share, square = successes / count, NORMAL**2
    middle = (share + square / (2 * count)) / (1 + square / count)
    margin = NORMAL / (1 + square / count) * math.sqrt(share * (1 - share) / count + square / (4 * count**2))
    return {"low": max(0.0, middle - margin), "high": min(1.0, middle + margin)}


def _correlate(flags: Sequence[bool], scores: Sequence[float]) -> dict[str, Any] | None:
    if min(sum(flags), len(flags) - sum(flags)) < 5 or max(scores) - min(scores) < TOLERANCE:
        return None
    value = float(np.corrcoef(np.array(flags, float), scores)[0, 1])
    middle, margin = math.atanh(value), NORMAL / math.sqrt(len(flags) - 3)
    return {"value": value, "interval": {"low": math.tanh(middle - margin), "high": math.tanh(middle + margin)}}


def compute_alpha(rows: Sequence[Row]) -> float:
    """Return Cronbach's alpha of runs that all have the same items.

    Raises:
        ValueError: A run lacks an item.
    """
    items = sorted({row["item"] for row in rows})
    table: dict[str, list[float]] = defaultdict(lambda: [math.nan] * len(items))
    for row in rows:
        table[row["run"]][items.index(row["item"])] = float(row["correct"] == "yes")
    values = np.array(list(table.values()))
    if np.isnan(values).any():
        raise ValueError("alpha is recomputed for complete runs only")
    count = len(items)
    alpha = count / (count - 1) * (1 - values.var(axis=0, ddof=1).sum() / values.sum(axis=1).var(ddof=1))
    return max(-1.0, float(alpha))


def read_rows(text: str) -> list[Row]:
    """Return the rows of the CSV file."""
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def main() -> None:
    """Read both files, compare them, and fail if a figure differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("answers", type=Path)
    parser.add_argument("report", type=Path)
    parser.add_argument("--questions", type=int, required=True, help="number of questions in a run")
    parser.add_argument("--closed", action="store_true", help="the deadline has passed: incomplete runs count")
    chosen = parser.parse_args()
    rows = read_rows(chosen.answers.read_text(encoding="utf-8"))
    report = json.loads(chosen.report.read_text(encoding="utf-8"))
    comparison = compare(rows, report, chosen.questions, chosen.closed)
    print("\n".join(comparison.differences) or f"{comparison.compared} figures agree")
    if comparison.differences:
        sys.exit(1)


if __name__ == "__main__":
    main()
