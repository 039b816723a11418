"""The speed and memory of scoring a large file; writes benchmarks/results/files.json.

    python benchmarks/files.py

Texts are made by a seeded draw from the vocabulary of the model; the checkpoint is the shipped one.
"""

import json
import os
import platform
import resource
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

REPOSITORY = Path(__file__).parent.parent
sys.path.insert(0, str(REPOSITORY))

from benchmarks.speed.texts import write_table  # noqa: E402, the script runs from anywhere
from sentiment_gru import SentimentClassifier  # noqa: E402
from sentiment_gru.files.job import score_table  # noqa: E402
from sentiment_gru.files.readers import open_table  # noqa: E402

RESULT = REPOSITORY / "benchmarks" / "results" / "files.json"
ROWS, WORDS = 100_000, 50


def main() -> None:
    """Measure, and write the result file."""
    figures = {
        "script": "python benchmarks/files.py",
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "rows": ROWS,
        "words_per_row": WORDS,
        **measure(),
    }
    RESULT.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(RESULT.read_text(encoding="utf-8"))


def measure() -> dict[str, float]:
    """Return what it takes to score a file, on all cores."""
    with TemporaryDirectory() as folder:
        source = Path(folder, "texts.csv")
        write_table(source, ROWS, WORDS)
        classifier = SentimentClassifier.from_pretrained()
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


def peak_megabytes() -> float:
    """Return the most memory this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


if __name__ == "__main__":
    main()
