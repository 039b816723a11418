"""The speed and memory of scoring a large file; writes benchmarks/results/files.json.

    OMP_NUM_THREADS=1 python benchmarks/files.py

Texts are made by a seeded draw from the vocabulary of the model. The model is the shipped checkpoint.
"""

import csv
import json
import os
import random
import resource
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

REPOSITORY = Path(__file__).parent.parent
RESULT = REPOSITORY / "benchmarks" / "results" / "files.json"
ROWS, WORDS, SEED = 100_000, 50, 0


def main() -> None:
    """Make a file, score it, and write what it took."""
    sys.path.insert(0, str(REPOSITORY))
    from sentiment_gru import SentimentClassifier
    from sentiment_gru.files.job import score_table
    from sentiment_gru.files.readers import open_table

    with TemporaryDirectory() as folder:
        source = Path(folder, "texts.csv")
        write_texts(source)
        classifier = SentimentClassifier.from_pretrained()
        classifier(["warm up"])
        before = peak_megabytes()
        start = time.perf_counter()
        table = open_table(source)
        survey = time.perf_counter() - start
        for progress in score_table(classifier, table, "text", Path(folder, "scored.csv"), label_column="label"):
            print(f"\r{progress.rows:,} rows, {progress.rows_per_second:,.0f} a second", end="", flush=True)
        figures = {
            "rows": ROWS,
            "words_per_row": WORDS,
            "file_megabytes": round(source.stat().st_size / 1e6, 1),
            "threads": int(os.getenv("OMP_NUM_THREADS", "0")) or os.cpu_count(),
            "seconds_to_read_through": round(survey, 1),
            "seconds_to_score": round(progress.seconds, 1),
            "rows_per_second": round(progress.rows_per_second),
            "peak_megabytes_with_model_loaded": round(before),
            "peak_megabytes": round(peak_megabytes()),
        }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print("\n" + RESULT.read_text(encoding="utf-8"))


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
