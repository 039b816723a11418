"""Rows a second of `score` on a local Ray cluster of one and two workers, beside this process alone.

    python benchmarks/ray_workers.py [--rows 80000] [--result FILE]

Writes benchmarks/results/ray.json. The texts are those of `benchmarks/files.py`, in one Parquet file, which is scored
in blocks of 20,000 rows. The time of a run begins when its engine starts, so that it contains loading a model in each
worker. The machine should do nothing else: the load before and after is in the result.
"""

import argparse
import csv
import json
import os
import platform
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

os.environ.setdefault("OMP_NUM_THREADS", "1")  # as in a worker, which has one core
os.environ.setdefault("RAY_AUTH_MODE", "disabled")  # no token in the home folder

REPOSITORY = Path(__file__).parent.parent
sys.path.insert(0, str(REPOSITORY))

import pyarrow as pa  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402

from benchmarks.files import WORDS  # noqa: E402
from benchmarks.speed.texts import write_table  # noqa: E402
from sentiment_gru.files.folders import Block, BlockResult, Engine, FolderJob, score_folder, score_locally  # noqa: E402
from sentiment_gru.files.ray_engine import score_on_ray  # noqa: E402

RESULT = REPOSITORY / "benchmarks" / "results" / "ray.json"
ROWS = 80_000  # four blocks
WORKERS = (1, 2)


def write_input(folder: Path, rows: int) -> None:
    """Write a folder of one Parquet file of texts."""
    source = folder.with_suffix(".csv")
    write_table(source, rows, WORDS)
    with source.open(encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    folder.mkdir()
    pq.write_table(pa.table({"text": texts}), folder / "texts.parquet")


def time_engine(source: Path, target: Path, engine: Engine) -> float:
    """Return the seconds in which an engine scores a folder.

    Raises:
        RuntimeError: A block was not scored.
    """
    started = time.perf_counter()
    for _, _, result in score_folder(FolderJob(str(source), str(target), None, "text"), engine):
        if result and result.problem:
            raise RuntimeError(result.problem)
    return time.perf_counter() - started


def on_ray(workers: int) -> Engine:
    """Return the engine of a number of workers."""

    def score(job: FolderJob, blocks: Sequence[Block]) -> Iterator[BlockResult]:
        return score_on_ray(job, blocks, workers)

    return score


def measure(rows: int) -> dict[str, object]:
    """Score the same folder with each engine, and return the figures."""
    import ray

    load = os.getloadavg()[0]
    runs = []
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_input(folder / "in", rows)
        seconds = time_engine(folder / "in", folder / "local", score_locally)
        runs.append({"engine": "local", "workers": 1, "seconds": seconds})
        ray.init("local", num_cpus=max(WORKERS), include_dashboard=False, log_to_driver=False)
        try:
            for workers in WORKERS:
                seconds = time_engine(folder / "in", folder / f"ray-{workers}", on_ray(workers))
                runs.append({"engine": "ray", "workers": workers, "seconds": seconds})
        finally:
            ray.shutdown()
    return {
        "rows": rows,
        "words_per_row": WORDS,
        "runs": [
            {**run, "seconds": round(float(run["seconds"]), 1), "rows_per_second": round(rows / float(run["seconds"]))}
            for run in runs
        ],
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "load": [round(load, 1), round(os.getloadavg()[0], 1)],
        "date": date.today().isoformat(),
    }


def main() -> None:
    """Measure, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--result", type=Path, default=RESULT)
    given = parser.parse_args()
    given.result.write_text(json.dumps(measure(given.rows), indent=2) + "\n", encoding="utf-8")
    print(given.result.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
