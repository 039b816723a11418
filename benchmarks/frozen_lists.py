"""Accuracy of the shipped checkpoint on the frozen lists (benchmarks/frozen/): python benchmarks/frozen_lists.py."""

import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
sys.path.insert(0, str(REPOSITORY))

from sentiment_gru import SentimentClassifier  # noqa: E402
from sentiment_gru.evaluation import check_list  # noqa: E402

LISTS = ("facts", "short_sentences")
RESULT = REPOSITORY / "benchmarks" / "results" / "frozen_lists.json"


def main() -> None:
    """Measure both lists and write the result file."""
    classifier = SentimentClassifier.from_pretrained()
    result: dict[str, object] = {"date": datetime.now(UTC).date().isoformat()}
    for name in LISTS:
        outcomes = check_list(classifier, REPOSITORY / "benchmarks" / "frozen" / f"{name}.csv")
        result[name] = {kind: asdict(outcome) for kind, outcome in outcomes.items()}
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
