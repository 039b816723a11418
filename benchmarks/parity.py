"""Compare the verdicts of ONNX Runtime and NumPy with those of PyTorch on unlabelled reviews.

    python benchmarks/parity.py ../shared/data/imdb    # 10,000 reviews, into benchmarks/results/parity.json

PyTorch reads one review at a time, without padding; the others read batches of mixed lengths, as a file's. A verdict
that differs where the two highest scores are within `TIE` of each other is a tie. The exit code is 1 if another one
differs, or if scores differ by more than the limit.
"""

import argparse
import json
import platform
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

REPOSITORY = Path(__file__).parent.parent
sys.path.insert(0, str(REPOSITORY))

from benchmarks.speed.throughput import RUNTIMES, load  # noqa: E402, the script runs from anywhere
from sentiment_gru import SentimentClassifier  # noqa: E402
from sentiment_gru.data.sources import load_splits  # noqa: E402
from sentiment_gru.tokenization import keep_ends  # noqa: E402

RESULT = REPOSITORY / "benchmarks" / "results" / "parity.json"
TIE = 1e-3
LIMIT = 1e-4  # largest difference between two scores
CHUNK = 1_000  # texts that a runtime gets at once


def reference_scores(classifier: SentimentClassifier, texts: list[str]) -> np.ndarray:
    """Return (N, C) scores of PyTorch, each text alone."""
    rows = [keep_ends(ids, classifier.config.max_tokens) for ids in classifier.encode(texts)]
    with torch.inference_mode():
        logits = [classifier.model.score(torch.tensor([ids])).logits[0].numpy() for ids in rows]
    return classifier.scores(np.stack(logits))


def compare(scores: np.ndarray, expected: np.ndarray) -> dict[str, Any]:
    """Return the largest difference between (N, C) scores, and how many verdicts differ, ties apart."""
    highest = np.sort(expected, axis=1)
    near = highest[:, -1] - highest[:, -2] <= TIE
    other = scores.argmax(axis=1) != expected.argmax(axis=1)
    return {
        "largest_difference": float(np.abs(scores - expected).max()),
        "other_verdicts": int((other & ~near).sum()),
        "other_verdicts_near_a_tie": int((other & near).sum()),
    }


def main() -> int:
    """Score the reviews by each runtime and write what differs."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("imdb", help="Hub id or folder of stanfordnlp/imdb")
    parser.add_argument("--texts", type=int, default=10_000)
    parser.add_argument("--output", type=Path, default=RESULT)
    given = parser.parse_args()
    texts = load_splits(given.imdb)["unsupervised"]["text"][: given.texts]
    chunks = [texts[i : i + CHUNK] for i in range(0, len(texts), CHUNK)]
    expected = reference_scores(SentimentClassifier.from_pretrained(), texts)
    found = {}
    for name, onnx_alone in RUNTIMES.items():
        classifier = load(onnx_alone)
        scores = np.concatenate([classifier.scores(classifier.logits(chunk)) for chunk in chunks])
        found[name] = compare(scores, expected)
    result = {
        "script": f"python benchmarks/parity.py --texts {len(texts)}",
        "texts": len(texts),
        "runtimes": found,
        "machine": platform.machine(),
        "date": time.strftime("%Y-%m-%d"),
    }
    given.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))
    return int(any(one["other_verdicts"] or one["largest_difference"] > LIMIT for one in found.values()))


if __name__ == "__main__":
    sys.exit(main())
