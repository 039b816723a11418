"""NB-SVM, the strong linear baseline, beside the shipped GRU: accuracy on IMDB test, size and speed.

    python benchmarks/nbsvm.py [IMDB]

Both read the same texts in the same run, on one thread; a review is one of about 250 words. The linear model was
regularised as is best on dev; its test accuracy is measured here.
"""

import io
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"  # before torch and NumPy are loaded

import numpy as np

REPOSITORY = Path(__file__).parent.parent
sys.path.insert(0, str(REPOSITORY))

from scipy.stats import binomtest  # noqa: E402

from sentiment_gru import SentimentClassifier  # noqa: E402
from sentiment_gru.data.splits import read_corpora, remove_leaks  # noqa: E402
from sentiment_gru.distillation.teachers import NBSVM  # noqa: E402

RESULT = REPOSITORY / "benchmarks" / "results" / "nbsvm.json"
SINGLE, BATCH = 100, 1_000
WORDS = (230, 270)


def size_of_linear(model: NBSVM) -> int:
    """Return the KiB of its word list and float32 weights, compressed as NumPy does it."""
    file = io.BytesIO()
    words = sorted(model.counts.vocabulary_, key=model.counts.vocabulary_.__getitem__)
    weights = (model.ratio * model.regression.coef_[0]).astype(np.float32)
    np.savez_compressed(file, words=np.array("\n".join(words).encode()), weights=weights)
    return len(file.getvalue()) // 1024


def speed(score: Callable[[list[str]], object], texts: Sequence[str]) -> dict[str, float]:
    """Return the median milliseconds of one review alone, and reviews per second of many."""
    alone = [text for text in texts if WORDS[0] <= len(text.split()) <= WORDS[1]][:SINGLE]
    score(alone[:2])
    times = []
    for text in alone:
        start = time.perf_counter()
        score([text])
        times.append(time.perf_counter() - start)
    start = time.perf_counter()
    score(list(texts[:BATCH]))
    return {
        "milliseconds": round(1000 * float(np.median(times)), 2),
        "per_second": round(BATCH / (time.perf_counter() - start), 1),
    }


def describe_linear(imdb: str) -> tuple[dict[str, Any], list[str]]:
    """Train and measure the linear model; return its figures and the reported texts."""
    (corpus,) = remove_leaks(read_corpora([imdb]))
    if corpus.reported is None:
        raise ValueError(f"{imdb} has no split to report on")
    started = time.perf_counter()
    model = NBSVM().fit(
        corpus.train.texts, np.array([label == "positive" for label in corpus.train.labels], dtype=float)
    )
    minutes = (time.perf_counter() - started) / 60
    accuracy = {}
    for role, split in (("dev", corpus.dev), ("reported", corpus.reported)):
        truth = np.array([label == "positive" for label in split.labels])
        hits = int(((model.logits(split.texts) > 0) == truth).sum())
        interval = binomtest(hits, len(truth)).proportion_ci(method="wilson")
        accuracy[role] = {"accuracy": hits / len(truth), "accuracy_interval": [interval.low, interval.high]}
    figures = accuracy | {"minutes": round(minutes, 1), "kib": size_of_linear(model)}
    return figures | speed(model.logits, corpus.reported.texts), corpus.reported.texts


def main() -> int:
    """Measure both and write the result file."""
    linear, texts = describe_linear(sys.argv[1] if len(sys.argv) > 1 else "stanfordnlp/imdb")
    pretrained = REPOSITORY / "sentiment_gru" / "pretrained"
    gru = {"kib": sum(path.stat().st_size for path in pretrained.iterdir()) // 1024}
    result = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.machine()}, one thread",
        "nbsvm": linear,
        "gru": gru | speed(SentimentClassifier.from_pretrained(), texts),
    }
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
