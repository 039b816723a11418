"""Let many learners answer the quiz of the real app at once, and see whether an answer is lost.

    python benchmarks/quiz_load.py                 # 50 learners, 60 seconds, into benchmarks/results/quiz_load.json
    python benchmarks/quiz_load.py --learners 5 --seconds 10

Each learner does over HTTP what the page does: opens it, answers at random, goes on, starts again, without a pause.
At the end, the answers that were acknowledged are compared with the rows of the database.
"""

import argparse
import json
import platform
import random
import sqlite3
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.app_server import REPOSITORY, serve
from benchmarks.gradio_http import BusyError
from benchmarks.visitors import Learner, open_page

RESULT = REPOSITORY / "benchmarks" / "results" / "quiz_load.json"


@dataclass
class Taken:
    """The measurements of one learner."""

    milliseconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def take_part(learner: Learner, until: float) -> Taken:
    """Answer until the time is over."""
    taken = Taken()
    try:
        learner.open()
        while time.monotonic() < until:
            start = time.perf_counter()
            learner.answer()
            taken.milliseconds.append((time.perf_counter() - start) * 1000)
            if time.monotonic() < until:
                learner.go_on()
    except (OSError, ValueError, KeyError, BusyError) as error:
        taken.errors.append(repr(error))
    return taken


def measure(learners: int, seconds: float) -> dict[str, Any]:
    """Return what was acknowledged, what was stored, and how long it took."""
    with TemporaryDirectory() as folder:
        database = Path(folder) / "quiz.sqlite3"
        with serve(DATABASE_URL=f"sqlite:///{database}", RATE_FACTOR="0") as address:
            playing = [Learner(open_page(address), random.Random(number)) for number in range(learners)]
            until = time.monotonic() + seconds
            with ThreadPoolExecutor(learners) as threads:
                taken = list(threads.map(lambda learner: take_part(learner, until), playing))
        times = sorted(one for learner in taken for one in learner.milliseconds)
        errors = [error for learner in taken for error in learner.errors]
        if not times:
            sys.exit(f"no answer was acknowledged: {errors[:3]}")
        rows = sqlite3.connect(database).execute("SELECT count(*) FROM quiz_attempts").fetchone()[0]
    return {
        "learners": learners,
        "seconds": seconds,
        "acknowledged": len(times),
        "stored": rows,
        "errors": len(errors),
        "first_errors": errors[:3],
        "p50_ms": round(statistics.median(times)),
        "p95_ms": round(times[int(0.95 * (len(times) - 1))]),
        "machine": platform.machine(),
        "date": time.strftime("%Y-%m-%d"),
    }


def main() -> None:
    """Measure, write the result, and fail if an answer was lost or refused."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--learners", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--output", type=Path, default=RESULT)
    chosen = parser.parse_args()
    result = measure(chosen.learners, chosen.seconds)
    print(json.dumps(result, indent=2))
    chosen.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    if result["errors"] or result["acknowledged"] != result["stored"]:
        sys.exit("answers were lost or refused")


if __name__ == "__main__":
    main()
