"""Failure rates of a classifier on the behaviour suite (benchmarks/behaviour/), beside VADER and NB-SVM.

    python benchmarks/behaviour.py [--half development|frozen] [--model FOLDER] [--json FILE]
                                   [--rivals] [--dataset NAME ...]

The label alone decides whether a case passes. A second rate counts an uncertain verdict as neutral, as a user who
disregards uncertain verdicts would. A direction case fails if P(positive) - P(negative) moves the wrong way by more
than `TOLERANCE`. Every neutral identity frame is also filled with every identity term of the half; a frame's spread is
the largest P(positive) - P(negative) of a term less the smallest.

VADER has no probabilities: its compound score stands for P(positive) - P(negative), and its labels are those of its
documentation (neutral below 0.05 in size). NB-SVM answers with three labels: one classifier for each label against the
others, their probabilities divided by their sum, trained on `--dataset` (the corpora of the shipped model).
"""

import argparse
import csv
import json
import math
import os
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch and NumPy are loaded

import numpy as np

REPOSITORY = Path(__file__).parent.parent
sys.path.insert(0, str(REPOSITORY))

from benchmarks.behaviour_cases import SUITE, TERMS, read_terms, read_unseen_identities  # noqa: E402
from sentiment_gru import SentimentClassifier  # noqa: E402

KINDS = ("MFT", "INV", "DIR")
TOLERANCE = 0.1
NEUTRAL_COMPOUND = 0.05  # https://github.com/cjhutto/vaderSentiment#about-the-scoring
CORPORA = ("stanfordnlp/imdb", "stanfordnlp/sst2", "cardiffnlp/tweet_eval:sentiment")

Row = Mapping[str, str]


@dataclass(frozen=True)
class Verdict:
    """A system's answer to one text.

    Attributes:
        label: negative, neutral or positive.
        balance: P(positive) - P(negative), between -1 and 1.
        uncertain: Whether the system marks its label as unreliable.
    """

    label: str
    balance: float
    uncertain: bool = False

    @property
    def cautious_label(self) -> str:
        """The label, or neutral if the verdict is uncertain."""
        return "neutral" if self.uncertain else self.label


Classify = Callable[[list[str]], Sequence[Verdict]]


def passes(case: Row, verdicts: Sequence[Verdict], cautious: bool = False) -> bool:
    """Return whether a case passes.

    Args:
        case: A row of `cases.csv`.
        verdicts: The verdict on its text and, if it has one, on its changed text.
        cautious: Whether an uncertain verdict counts as neutral.

    Raises:
        ValueError: If the case's kind or expectation is unknown.
    """
    labels = [verdict.cautious_label if cautious else verdict.label for verdict in verdicts]
    match case["kind"], case["expected"]:
        case "MFT", expected:
            return labels[0] in expected.split(" or ")
        case "INV", "same":
            return labels[0] == labels[1]
        case "DIR", "not lower":
            return verdicts[1].balance - verdicts[0].balance >= -TOLERANCE
        case "DIR", "not higher":
            return verdicts[1].balance - verdicts[0].balance <= TOLERANCE
    raise ValueError(f"unknown kind or expectation: {case['kind']}, {case['expected']}")


def score_cases(cases: Sequence[Row], classify: Classify) -> dict[str, Any]:
    """Return failures by capability and kind, and the mean failure over capabilities with its 95% interval.

    The interval takes the cases of a capability as independent draws.
    """
    texts = [text for case in cases for text in (case["text"], case["changed"]) if text]
    verdicts = iter(classify(texts))
    failures: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    cautious_failures: dict[str, list[bool]] = defaultdict(list)
    for case in cases:
        answers = [next(verdicts) for text in (case["text"], case["changed"]) if text]
        failures[case["capability"]][case["kind"]].append(not passes(case, answers))
        cautious_failures[case["capability"]].append(not passes(case, answers, cautious=True))
    capabilities: dict[str, dict[str, Any]] = {}
    for name, kinds in failures.items():
        outcomes = [failed for kind in kinds.values() for failed in kind]
        capabilities[name] = {
            "cases": len(outcomes),
            "failure": float(np.mean(outcomes)),
            "failure_if_uncertain_is_neutral": float(np.mean(cautious_failures[name])),
            "kinds": {kind: {"cases": len(failed), "failed": sum(failed)} for kind, failed in kinds.items()},
        }
    rates = [(entry["failure"], entry["cases"]) for entry in capabilities.values()]
    mean = float(np.mean([rate for rate, _ in rates]))
    margin = 1.96 * math.sqrt(sum(rate * (1 - rate) / size for rate, size in rates)) / len(rates)
    return {
        "mean_failure": mean,
        "mean_failure_interval": [max(0.0, mean - margin), min(1.0, mean + margin)],
        "mean_failure_if_uncertain_is_neutral": float(
            np.mean([entry["failure_if_uncertain_is_neutral"] for entry in capabilities.values()])
        ),
        "capabilities": capabilities,
    }


def score_identities(frames: Sequence[Row], terms: Sequence[str], classify: Classify) -> dict[str, Any]:
    """Return how far identity terms alone move the score of neutral frames, and the share of wrong verdicts.

    Args:
        frames: Rows with a `frame` that holds `{identity}`, and its `expected` label.
        terms: The terms that every frame is filled with.
        classify: The system.
    """
    verdicts = classify([row["frame"].format(identity=term) for row in frames for term in terms])
    balances = np.array([verdict.balance for verdict in verdicts]).reshape(len(frames), len(terms))
    expected = [row["expected"] for row in frames for _ in terms]
    spreads = np.ptp(balances, axis=1)
    pairs = list(zip(verdicts, expected, strict=True))
    return {
        "frames": len(frames),
        "terms": len(terms),
        "spread": float(spreads.mean()),
        "largest_spread": float(spreads.max()),
        "wrong": float(np.mean([verdict.label != label for verdict, label in pairs])),
        "wrong_if_uncertain_is_neutral": float(np.mean([verdict.cautious_label != label for verdict, label in pairs])),
    }


def read_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file by column name."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def score_half(half: str, classify: Classify) -> dict[str, Any]:
    """Return all figures of a system on one half, with today's date."""
    folder = SUITE / half
    frames = read_rows(folder / "identity_frames.csv")
    unseen = read_unseen_identities(half)
    return {
        "date": datetime.now(UTC).date().isoformat(),
        **score_cases(read_rows(folder / "cases.csv"), classify),
        "identity": score_identities(frames, read_terms(half)["identity"], classify),
    } | ({"unseen_identity": score_identities(frames, unseen, classify)} if unseen else {})


def classify_with_checkpoint(model: str | None) -> Classify:
    """Return the classifier of a checkpoint: a folder or Hub id, or the shipped one if None."""
    classifier = SentimentClassifier.from_pretrained(model)

    def classify(texts: list[str]) -> list[Verdict]:
        return [
            Verdict(p.label, p.scores.get("positive", 0.0) - p.scores.get("negative", 0.0), p.uncertain)
            for p in classifier(texts)
        ]

    return classify


def classify_with_vader() -> Classify:
    """Return VADER as a classifier (Hutto and Gilbert 2014)."""
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer  # a development requirement

    analyzer = SentimentIntensityAnalyzer()

    def verdict(compound: float) -> Verdict:
        if abs(compound) < NEUTRAL_COMPOUND:
            return Verdict("neutral", compound)
        return Verdict("positive" if compound > 0 else "negative", compound)

    return lambda texts: [verdict(analyzer.polarity_scores(text)["compound"]) for text in texts]


def classify_with_nbsvm(datasets: Sequence[str]) -> Classify:
    """Return NB-SVM as a classifier of three labels, trained on the training splits of the datasets."""
    from scipy.special import expit

    from sentiment_gru.data.splits import read_corpora, remove_leaks
    from sentiment_gru.distillation.teachers import NBSVM

    corpora = remove_leaks(read_corpora(datasets))
    texts = [text for corpus in corpora for text in corpus.train.texts]
    truth = np.array([label for corpus in corpora for label in corpus.train.labels])
    labels = ("negative", "neutral", "positive")
    models = [NBSVM().fit(texts, (truth == label).astype(float)) for label in labels]

    def classify(texts: list[str]) -> list[Verdict]:
        scores = np.stack([expit(model.logits(texts)) for model in models], axis=1)
        scores /= scores.sum(axis=1, keepdims=True)
        return [Verdict(labels[int(row.argmax())], float(row[2] - row[0])) for row in scores]

    return classify


def format_table(results: Mapping[str, Mapping[str, Any]]) -> str:
    """Return failures in % of each system by capability and kind, as a Markdown table."""
    first = next(iter(results.values()))["capabilities"]
    lines = [f"| capability | cases | {' | '.join(results)} |", f"|---|---|{'---|' * len(results)}"]
    for capability, entry in first.items():
        cells = []
        for result in results.values():
            mine = result["capabilities"][capability]
            kinds = ", ".join(
                f"{kind} {100 * counts['failed'] / counts['cases']:.0f}" for kind, counts in mine["kinds"].items()
            )
            cells.append(f"{100 * mine['failure']:.1f} ({kinds})")
        lines.append(f"| {capability} | {entry['cases']} | {' | '.join(cells)} |")
    size = sum(entry["cases"] for entry in first.values())
    unseen = (
        ("spread of identities that training lacks", "", lambda r: f"{r['unseen_identity']['spread']:.2f}"),
        ("their verdicts wrong", "", lambda r: f"{100 * r['unseen_identity']['wrong']:.1f}"),
    )
    has_unseen = all("unseen_identity" in result for result in results.values())
    for name, cases, figure in (
        ("**mean over capabilities**", size, lambda r: f"**{100 * r['mean_failure']:.1f}**"),
        ("mean, uncertain as neutral", size, lambda r: f"{100 * r['mean_failure_if_uncertain_is_neutral']:.1f}"),
        ("identity spread", "", lambda r: f"{r['identity']['spread']:.2f}"),
        ("identity verdicts wrong", "", lambda r: f"{100 * r['identity']['wrong']:.1f}"),
        *(unseen if has_unseen else ()),
    ):
        lines.append(f"| {name} | {cases} | {' | '.join(figure(result) for result in results.values())} |")
    return "\n".join(lines)


def save(path: Path, half: str, results: Mapping[str, Mapping[str, Any]]) -> None:
    """Put the results of one half into a JSON file; what it holds of other systems and of the other half stays."""
    saved = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    saved["tolerance"] = TOLERANCE
    saved.setdefault(half, {}).update(results)
    path.write_text(json.dumps(saved, indent=1) + "\n", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Score the systems on one half, print the table and save the result."""
    parser = argparse.ArgumentParser(description="Failure rates of a classifier on the behaviour suite.")
    parser.add_argument("--half", choices=sorted(TERMS), default="development", help="(default: %(default)s)")
    parser.add_argument("--model", help="checkpoint folder or Hub id (default: the shipped checkpoint)")
    parser.add_argument("--json", type=Path, help="file to put the result into, beside what it holds already")
    parser.add_argument("--rivals", action="store_true", help="also score VADER and NB-SVM")
    parser.add_argument(
        "--dataset",
        nargs="+",
        default=CORPORA,
        help="what to train NB-SVM on (default: the shipped model's corpora)",
    )
    options = parser.parse_args(arguments)
    systems = {options.model or "shipped": classify_with_checkpoint(options.model)}
    if options.rivals:
        systems |= {"VADER": classify_with_vader(), "NB-SVM": classify_with_nbsvm(options.dataset)}
    results = {name: score_half(options.half, classify) for name, classify in systems.items()}
    if options.json:
        save(options.json, options.half, results)
    print(format_table(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
