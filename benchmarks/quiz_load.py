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
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from app_server import REPOSITORY, serve

RESULT = REPOSITORY / "benchmarks" / "results" / "quiz_load.json"
RADIO, CHECKBOXES, NUMBER = "quiz-choice", "quiz-choices", "quiz-number"


class Learner:
    """A visitor's page without the browser: the values of its components, and the events of its buttons."""

    def __init__(self, address: str, config: dict[str, Any], name: int) -> None:
        self._connection = HTTPConnection(urlsplit(address).netloc, timeout=60)
        self._session, self._chance = f"learner-{name}", random.Random(name)
        self._props = {one["id"]: dict(one["props"]) for one in config["components"]}
        self._ids = {props.get("elem_id"): number for number, props in self._props.items()}
        self._events = {
            (self._props.get(target, {}).get("elem_id") if event == "click" else "page", event): dependency
            for dependency in config["dependencies"]
            for target, event in dependency["targets"]
            if dependency["backend_fn"]
        }
        self.milliseconds: list[float] = []
        self.errors: list[str] = []

    def take_part(self, until: float) -> None:
        """Answer until the time is over."""
        try:
            self._fire("page", "load")
            while time.monotonic() < until:
                if not self._shown("quiz-question"):
                    self._fire("quiz-restart")
                self._answer()
                if time.monotonic() < until:
                    self._fire("quiz-next")
        except (OSError, ValueError, KeyError) as error:
            self.errors.append(repr(error))

    def _answer(self) -> None:
        for element in (RADIO, CHECKBOXES):
            letters = [value for _, value in self._props[self._ids[element]]["choices"]]
            letter = self._chance.choice(letters) if letters else None  # none where the question has other inputs
            self._props[self._ids[element]]["value"] = letter if element == RADIO else [letter] if letter else []
        self._props[self._ids[NUMBER]]["value"] = str(self._chance.randint(0, 99))
        start = time.perf_counter()
        self._fire("quiz-submit")
        if self._shown("quiz-after"):
            self.milliseconds.append((time.perf_counter() - start) * 1000)
        else:
            raise ValueError(f"not acknowledged: {self._props[self._ids['quiz-feedback']].get('value')}")

    def _shown(self, element: str) -> bool:
        return self._props[self._ids[element]].get("visible", True) is True

    def _fire(self, element: str, event: str = "click") -> None:
        """Send an event as the page does, and take what comes back into the components."""
        dependency = self._events[element, event]
        data = [self._props[number].get("value") for number in dependency["inputs"]]
        body = {"data": data, "fn_index": dependency["id"], "session_hash": self._session, "event_data": None}
        headers = {"Content-Type": "application/json"}
        self._connection.request("POST", "/gradio_api/run/predict", json.dumps(body), headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise ValueError(f"{element}: {answer.status} {content[:200]!r}")
        for number, value in zip(dependency["outputs"], json.loads(content)["data"], strict=True):
            update = isinstance(value, dict) and value.get("__type__") == "update"
            self._props[number].update(value if update else {"value": value})


def measure(learners: int, seconds: float) -> dict[str, Any]:
    """Return what was acknowledged, what was stored, and how long it took."""
    with TemporaryDirectory() as folder:
        database = Path(folder) / "quiz.sqlite3"
        # All learners come from one address, faster than people.
        with serve(DATABASE_URL=f"sqlite:///{database}", RATE_FACTOR="0") as address:
            config = _config(address)
            page = [Learner(address, config, number) for number in range(learners)]
            until = time.monotonic() + seconds
            with ThreadPoolExecutor(learners) as threads:
                list(threads.map(lambda learner: learner.take_part(until), page))
        times = sorted(one for learner in page for one in learner.milliseconds)
        errors = [error for learner in page for error in learner.errors]
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


def _config(address: str) -> dict[str, Any]:
    connection = HTTPConnection(urlsplit(address).netloc, timeout=60)
    connection.request("GET", "/config")
    return json.loads(connection.getresponse().read())


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
