"""Texts a second of the classifier and of files, with and without the NumPy runtime, on a number of threads.

Runs in a process of its own (`python -m benchmarks.speed.throughput THREADS TEXTS ROWS`), as the tokenizer and NumPy
read their number of threads once, and prints JSON.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from sentiment_gru import SentimentClassifier
from sentiment_gru.files.job import score_table
from sentiment_gru.files.readers import open_table

from .texts import make_texts, write_table

TOKENS, WORDS = 250, 50
RUNTIMES = {"ONNX Runtime": True, "NumPy": False}  # name: whether it does without NumPy


def load(onnx_alone: bool, threads: int | None = None) -> SentimentClassifier:
    """Return the shipped classifier, which may leave many texts to ONNX Runtime as well, as it did before."""
    classifier = SentimentClassifier.from_pretrained(threads=threads)
    if onnx_alone:
        classifier._runtime_of_many = classifier._runtime
    return classifier


def measure_in_process(threads: int, texts: int, rows: int) -> dict[str, dict[str, int]]:
    """Return what `measure` does, from a process with so many threads."""
    command = [sys.executable, "-m", __name__, str(threads), str(texts), str(rows)]
    limits = {name: str(threads) for name in ("OMP_NUM_THREADS", "RAYON_NUM_THREADS")}
    output = subprocess.run(command, env=os.environ | limits, capture_output=True, check=True, text=True).stdout
    measured: dict[str, dict[str, int]] = json.loads(output.splitlines()[-1])
    return measured


def measure(threads: int, texts: int, rows: int) -> dict[str, dict[str, int]]:
    """Return reviews and rows a second for each runtime."""
    found: dict[str, dict[str, int]] = {"reviews": {}, "rows": {}}
    reviews = make_texts(texts, TOKENS)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "texts.csv")
        write_table(source, rows, WORDS)
        for name, onnx_alone in RUNTIMES.items():
            classifier = load(onnx_alone, threads)
            classifier(reviews[: texts // 4])
            began = time.perf_counter()
            classifier(reviews)
            found["reviews"][name] = round(texts / (time.perf_counter() - began))
            *_, last = score_table(classifier, open_table(source), "text", Path(folder, f"{name}.csv"))
            found["rows"][name] = round(last.rows_per_second)
    return found


def combine(measured: dict[int, dict[str, dict[str, int]]]) -> dict[str, Any]:
    """Return the figures by number of threads as those of the result file."""
    return {
        kind: {name: [found[kind][name] for found in measured.values()] for name in RUNTIMES}
        for kind in ("reviews", "rows")
    } | {"threads": list(measured), "tokens": TOKENS, "words_per_row": WORDS}


if __name__ == "__main__":
    print(json.dumps(measure(*map(int, sys.argv[1:]))))
