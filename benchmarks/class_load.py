"""Let a class take a pre-test and a post-test on the real app at once, and recompute the teacher's figures.

    python benchmarks/class_load.py            # 200 learners, 50 at once, into benchmarks/results/class_load.json
    python benchmarks/class_load.py --learners 4 --at-once 2 --questions 3 --output /tmp/class_load.json

The teacher makes the class, an exam with a deadline, on the page at /teacher. Each learner does over HTTP what the page
does. No attempt may be lost: every acknowledged answer must be in the teacher's CSV file, from which
`benchmarks/class_figures.py` recomputes the figures of the page.
"""

import argparse
import html
import json
import os
import platform
import random
import re
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.app_server import REPOSITORY, serve
from benchmarks.class_figures import compare, read_rows
from benchmarks.gradio_http import BusyError, Page, connect
from benchmarks.visitors import CHOSEN, NUMBER, open_page
from quiz import load_bank
from quiz.bank import Item
from quiz.class_records import ClassRun, QuizClass
from quiz.class_store import ClassStore
from quiz.classes import items_of_run
from quiz.store import Store

STORED_WITHIN = 120.0
"""Seconds after which every acknowledged answer must be stored."""
TRIES = 30
"""Tries of an event while the app is busy."""
RESULT = REPOSITORY / "benchmarks" / "results" / "class_load.json"
TOKEN = "the token of the benchmark"
KNOWN = {"pre": 0.35, "post": 0.65}
"""Share of the questions that a learner knows, on average; the others are answered at random."""
BANK = load_bank()


@dataclass
class Taken:
    """The measurements of one learner.

    Attributes:
        answers: Acknowledged answers: test, nickname and item.
        milliseconds: Time of each, with the time waited.
        busy: Times that the app said that it is busy, after which the learner waited and tried again.
        errors: The failures.
    """

    answers: list[tuple[str, str, str]] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)
    busy: int = 0
    errors: list[str] = field(default_factory=list)


def take_tests(address: str, config: dict[str, Any], classes: ClassStore, quiz_class: QuizClass, number: int) -> Taken:
    """Take all tests of the class as one learner."""
    taken, chance, nickname = Taken(), random.Random(number), f"learner {number}"

    def run_of(phase: str) -> ClassRun | None:
        runs = classes.runs(quiz_class.code)
        return next((run for run in runs if (run.nickname, run.phase) == (nickname, phase)), None)

    def fire(element: str, is_done: Callable[[], bool], trigger: str = "click") -> None:
        """Send an event, and again after a pause while the app is busy, as its message asks for."""
        for _ in range(TRIES):
            with suppress(BusyError):
                page.fire(element, trigger)
                if is_done():
                    return
            taken.busy += 1
            time.sleep(chance.uniform(1, 3))
        raise ValueError(f"{element}: {page.value('quiz-feedback')} {page.value('quiz-notice')}")

    try:
        page = open_page(address, config)
        shown = page.event("quiz-submit")["inputs"][2]
        fire("page", lambda: True, "load")
        for phase in quiz_class.phases:
            page.fill(quiz_class_code=quiz_class.code + phase, quiz_nickname=nickname)
            fire("quiz-class-find", lambda: page.is_shown("quiz-class-join"))
            fire("quiz-class-begin", lambda phase=phase: run_of(phase) is not None)
            run = run_of(phase)
            assert run
            known = min(0.95, max(0.05, chance.gauss(KNOWN[phase], 0.2)))
            for item in items_of_run(BANK, quiz_class, run):
                if page.props[shown]["value"] != item.id:
                    raise ValueError(f"{page.props[shown]['value']} is open, not {item.id}")
                fill_in(page, item, chance.random() < known, chance)
                start = time.perf_counter()
                fire("quiz-submit", lambda item=item: not _is_open(page, item))
                taken.milliseconds.append((time.perf_counter() - start) * 1000)
                taken.answers.append((phase, nickname, item.id))
    except (OSError, ValueError, KeyError) as error:
        taken.errors.append(repr(error))
    return taken


def fill_in(page: Page, item: Item, is_known: bool, chance: random.Random) -> None:
    """Give the right answer to the open question, or one at random."""
    letters = dict(zip((option.oid for option in item.options), "ABCDEFGHIJ", strict=False))
    if item.goal:
        positions = item.goal.solution if is_known else {slider.name: slider.start for slider in item.sliders}
        page.put(CHOSEN, ";".join(str(positions[slider.name]) for slider in item.sliders))
    elif item.numeric:
        page.put(NUMBER, str(item.numeric.value) if is_known else str(chance.randint(0, 99)))
    elif item.arrangement:
        places = len(item.arrangement.correct)
        guess = chance.sample(list(letters), places)
        page.put(CHOSEN, "".join(letters[oid] for oid in (item.arrangement.correct if is_known else guess)))
    elif is_known:
        page.put(CHOSEN, "".join(letters[option.oid] for option in item.correct_options))
    else:
        page.put(CHOSEN, chance.choice(list(letters.values())))


def _is_open(page: Page, item: Item) -> bool:
    shown = page.event("quiz-submit")["inputs"][2]
    return page.is_shown("quiz-question") and page.props[shown]["value"] == item.id


def measure(learners: int, at_once: int, questions: int) -> dict[str, Any]:
    """Return what was acknowledged, what the teacher's file has, and whether the figures agree."""
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/quiz.sqlite3"
        with serve(DATABASE_URL=url, TEACHER_TOKEN=TOKEN, RATE_FACTOR="0") as address, connect(address) as teacher:
            _sign_in(teacher)
            classes = ClassStore(Store(url))
            quiz_class = _make_class(teacher, classes, questions)
            config = teacher.get("/config").json()
            start = time.perf_counter()
            with ThreadPoolExecutor(at_once) as threads:
                taken = list(
                    threads.map(
                        lambda number: take_tests(address, config, classes, quiz_class, number), range(learners)
                    )
                )
            seconds = time.perf_counter() - start
            query = f"?code={quiz_class.code}"
            acknowledged = {answer for learner in taken for answer in learner.answers}
            rows = read_rows(_get(teacher, f"/teacher/class/attempts.csv{query}"))
            while len(rows) < len(acknowledged) and time.perf_counter() - start < seconds + STORED_WITHIN:
                time.sleep(1)  # answers that the busy database did not take are stored later
                rows = read_rows(_get(teacher, f"/teacher/class/attempts.csv{query}"))
            report = json.loads(_get(teacher, f"/teacher/class/report.json{query}"))
            page = html.unescape(_get(teacher, f"/teacher/class{query}"))
    stored = {(row["test"], row["nickname"], row["item"]) for row in rows}
    errors = [error for learner in taken for error in learner.errors]
    if errors or acknowledged - stored:
        sys.exit("\n".join([f"{len(acknowledged - stored)} answers are lost", *errors[:5]]))
    comparison = compare(rows, report, questions)
    gain = report["gain"] or {}
    times = sorted(one for learner in taken for one in learner.milliseconds)
    return {
        "learners": learners,
        "at_once": at_once,
        "questions": questions,
        "seconds": round(seconds),
        "acknowledged": len(acknowledged),
        "stored": len(rows),
        "lost": len(acknowledged - stored),
        "errors": len(errors),
        "busy": sum(learner.busy for learner in taken),
        "figures_compared": comparison.compared,
        "figures_that_differ": comparison.differences[:5],
        "page_shows_gain": bool(gain) and f"Normalised gain: {gain['value']:.2f}" in page,
        "gain": gain,
        "p50_ms": round(statistics.median(times)) if times else None,
        "p95_ms": round(times[int(0.95 * (len(times) - 1))]) if times else None,
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "date": time.strftime("%Y-%m-%d"),
    }


def _sign_in(teacher: Any) -> None:
    if teacher.post("/teacher", data={"token": TOKEN}).status_code != 303:
        sys.exit("the teacher could not sign in")


def _make_class(teacher: Any, classes: ClassStore, questions: int) -> QuizClass:
    """Make the class with the form of the teacher's page."""
    deadline = (datetime.now(UTC) + timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M")
    fields = {"title": "Load", "questions": str(questions), "tests": "two", "attempts": "1"}
    fields |= {"deadline": deadline, "feedback": "after deadline", "draw": "fixed", "order": "listed"}
    page = teacher.post("/teacher/classes", data=fields)
    if page.status_code != 200 or not re.search(r"#class=", page.text):
        sys.exit(f"the class could not be made: {page.text[-500:]}")
    (quiz_class,) = classes.classes()
    return quiz_class


def _get(teacher: Any, path: str) -> str:
    response = teacher.get(path)
    if response.status_code != 200:
        sys.exit(f"{path}: {response.status_code} {response.text[-300:]}")
    return str(response.text)


def main() -> None:
    """Measure, write the result, and fail if an answer was lost or a figure differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--learners", type=int, default=200)
    parser.add_argument("--at-once", type=int, default=50)
    parser.add_argument("--questions", type=int, default=12)
    parser.add_argument("--output", type=Path, default=RESULT)
    chosen = parser.parse_args()
    result = measure(chosen.learners, chosen.at_once, chosen.questions)
    print(json.dumps(result, indent=2))
    chosen.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    if result["errors"] or result["lost"] or result["acknowledged"] != result["stored"]:
        sys.exit("answers were lost or refused")
    if result["figures_that_differ"] or not result["page_shows_gain"]:
        sys.exit("figures of the teacher's page differ from those of the answers")


if __name__ == "__main__":
    main()
