"""How the shipped checkpoint does on the reported tweets that have a copy among the training tweets, and on the others.

    python benchmarks/tweet_copies.py [TWEETS]

A copy has the same letters and digits; web addresses, user names and ways to write a character may differ.
"""

import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
sys.path.insert(0, str(REPOSITORY))

from sentiment_gru import SentimentClassifier  # noqa: E402
from sentiment_gru.data.corpora import read_corpus  # noqa: E402
from sentiment_gru.data.splits import letters  # noqa: E402
from sentiment_gru.evaluation import evaluate  # noqa: E402

RESULT = REPOSITORY / "benchmarks" / "results" / "tweet_copies.json"


def main() -> None:
    """Measure both parts and write the result file."""
    corpus = read_corpus(sys.argv[1] if len(sys.argv) > 1 else "cardiffnlp/tweet_eval:sentiment")
    if corpus.reported is None:
        raise SystemExit("the dataset has no split to report on")
    training = {letters(text) for split in (corpus.train, corpus.dev) for text in split.texts}
    copied = [letters(text) in training for text in corpus.reported.texts]
    classifier = SentimentClassifier.from_pretrained()
    result: dict[str, object] = {"date": datetime.now(UTC).date().isoformat()}
    for name, wanted in (("with a copy", True), ("without", False)):
        part = corpus.reported.take(i for i, has in enumerate(copied) if has == wanted)
        logits = classifier.logits(part.texts)
        result[name] = asdict(evaluate(logits, part, classifier.labels, classifier.config.uncertain_below))
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
