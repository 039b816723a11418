"""The gallery "Where it fails" of the app: texts of the behaviour suite that the shipped checkpoint gets wrong.

    python benchmarks/failures.py

For each capability of the development half, this takes the minimal test whose wrong verdict has the highest score. The
capabilities that fail most come first. The frozen half is not read.
"""

import json
import sys
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parent.parent
sys.path.insert(0, str(REPOSITORY))

from benchmarks.behaviour import read_rows  # noqa: E402, the script runs from anywhere
from benchmarks.behaviour_cases import SUITE  # noqa: E402
from sentiment_gru import SentimentClassifier  # noqa: E402
from sentiment_gru.web.examples import FAILURES  # noqa: E402

MOST = 12  # capabilities shown


def find_failures(classifier: SentimentClassifier) -> list[dict[str, Any]]:
    """Return for each capability its share of failures and the failure that the classifier is surest of."""
    rows = [row for row in read_rows(SUITE / "development" / "cases.csv") if row["kind"] == "MFT"]
    tests: dict[str, int] = {}
    wrong: dict[str, list[dict[str, Any]]] = {}
    for row, prediction in zip(rows, classifier([row["text"] for row in rows]), strict=True):
        name = row["capability"]
        tests[name] = tests.get(name, 0) + 1
        if prediction.label not in row["expected"].split(" or "):
            score = round(prediction.scores[prediction.label], 3)
            entry = {"text": row["text"], "expected": row["expected"], "verdict": prediction.label, "score": score}
            wrong.setdefault(name, []).append(entry)
    worst = [
        {"capability": name, "failed": len(found), "tests": tests[name], **max(found, key=lambda entry: entry["score"])}
        for name, found in wrong.items()
    ]
    return sorted(worst, key=lambda entry: entry["failed"] / entry["tests"], reverse=True)[:MOST]


if __name__ == "__main__":
    found = find_failures(SentimentClassifier.from_pretrained())
    FAILURES.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
