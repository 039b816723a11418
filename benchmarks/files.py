"""The speed and memory of scoring a large file; writes benchmarks/results/files.json.

    python benchmarks/files.py

Texts are made by a seeded draw from the vocabulary of the model. Both engines run the shipped checkpoint.
"""

import csv
import json
import os
import platform
import random
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

REPOSITORY = Path(__file__).parent.parent
RESULT = REPOSITORY / "benchmarks" / "results" / "files.json"
ROWS, WORDS, SEED = 100_000, 50, 0


def main() -> None:
    """Measure each engine in a process of its own, whose memory is then its own, and write what it took."""
    if sys.argv[1:]:
        print(json.dumps(measure(sys.argv[1])))
        return
    with_each = {}
    for engine in ("onnxruntime", "openvino"):
        output = subprocess.check_output([sys.executable, __file__, engine], text=True)
        with_each[engine] = json.loads(output.splitlines()[-1])
    figures = {
        "script": "python benchmarks/files.py",
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "rows": ROWS,
        "words_per_row": WORDS,
        "engines": with_each,
    }
    RESULT.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(RESULT.read_text(encoding="utf-8"))


def measure(engine: str) -> dict[str, float]:
    """Return what it takes to score a file with an engine, on all cores."""
    sys.path.insert(0, str(REPOSITORY))
    from sentiment_gru import SentimentClassifier
    from sentiment_gru.files.job import score_table
    from sentiment_gru.files.readers import open_table

    with TemporaryDirectory() as folder:
        source = Path(folder, "texts.csv")
        write_texts(source)
        classifier = SentimentClassifier.from_pretrained(engine=engine)
        classifier(["warm up"])
        before = peak_megabytes()
        start = time.perf_counter()
        table = open_table(source)
        survey = time.perf_counter() - start
        *_, last = score_table(classifier, table, "text", Path(folder, "scored.csv"), label_column="label")
        return {
            "file_megabytes": round(source.stat().st_size / 1e6, 1),
            "seconds_to_read_through": round(survey, 1),
            "seconds_to_score": round(last.seconds, 1),
            "rows_per_second": round(last.rows_per_second),
            "peak_megabytes_with_model_loaded": round(before),
            "peak_megabytes": round(peak_megabytes()),
        }


def write_texts(path: Path, rows: int = ROWS) -> None:
    """Write rows of words drawn from the vocabulary, each with one of two labels."""
    tokenizer = REPOSITORY / "sentiment_gru" / "pretrained" / "tokenizer.json"
    vocabulary = [w for w in json.loads(tokenizer.read_text(encoding="utf-8"))["model"]["vocab"] if w.isalpha()]
    draws = random.Random(SEED)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text", "label"])
        for number in range(rows):
            words = " ".join(draws.choices(vocabulary, k=WORDS))
            writer.writerow([number, words, draws.choice(["negative", "positive"])])


def peak_megabytes() -> float:
    """Return the most memory this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


if __name__ == "__main__":
    main()
