"""Let a hundred visitors use the real app at once, and see whether anything is lost, fails, hangs or grows.

    python benchmarks/load.py                  # 100 visitors, 3 minutes, into benchmarks/results/load.json
    python benchmarks/load.py --visitors 5 --seconds 20 --sessions 50 --output /tmp/load.json

Each visitor does over HTTP what the page does, and pauses as people do. Of ten, five let texts be judged, which is
also explained each time, three take the quiz, one uploads files, and one attacks the app. (The page sends nothing while
someone types.) The honest visitors share one address, as a class does, and the hostile ones another; the rates are
those of a real app. The visitors run on the same machine, and take their share of it. At the end, many sessions are
opened and left, and the app is ended while it is at work.
"""

import argparse
import json
import os
import platform
import random
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.app_server import REPOSITORY, Served, serve_process
from benchmarks.diary import Diary, megabytes, memory_watched
from benchmarks.visitors import Attacker, Learner, Page, open_page
from sentiment_gru.web.examples import EXAMPLES

RESULT = REPOSITORY / "benchmarks" / "results" / "load.json"
ARRIVE_SECONDS = 30  # all visitors have come by then
# Between which numbers of seconds a visitor pauses, evenly spread.
PAUSES = {"before a text": (8, 24), "before an answer": (8, 30), "after an answer": (4, 12), "before a file": (20, 60)}
HOSTILE_ADDRESS = "127.0.0.9"
HOSTILE = 8
"""Last digit of the numbers of hostile visitors."""
HOLD_SECONDS = 5.0
"""Time for which an attacker holds half-sent requests, before the other attacks."""
ROWS = 200
WORDS = EXAMPLES["A long review"].split()


class Visitor:
    """One visitor, who pauses between what he does until the time is over."""

    def __init__(self, number: int, page: Page, diary: Diary, until: float) -> None:
        """Take an open page."""
        self._chance, self._page, self._diary, self._until = random.Random(number), page, diary, until
        self._learner = Learner(page, self._chance)

    def pause(self, name: str) -> bool:
        """Wait; return whether there is time left."""
        seconds = self._chance.uniform(*PAUSES[name])
        time.sleep(max(0, min(seconds, self._until - time.monotonic())))
        return time.monotonic() < self._until

    def type_texts(self) -> None:
        """Let texts be judged and explained."""
        while self.pause("before a text"):
            self._page.put("sentiment-text", " ".join(self._chance.choices(WORDS, k=self._chance.randint(4, 60))))
            judged = None
            with self._diary.timed("classify"):
                judged = self._page.fire("sentiment-submit")
            if judged is not None:
                with self._diary.timed("explain"):
                    self._page.follow(judged)

    def take_the_quiz(self) -> None:
        """Answer questions."""
        while self.pause("before an answer"):
            with self._diary.timed("answer"):
                self._learner.answer()
            if not self.pause("after an answer"):
                return
            with self._diary.timed("next question"):
                self._learner.go_on()

    def upload_files(self) -> None:
        """Let files be scored."""
        while self.pause("before a file"):
            with self._diary.timed("upload"):
                rows = (" ".join(self._chance.choices(WORDS, k=20)).replace(",", "") for _ in range(ROWS))
                content = "\n".join(["text", *rows]).encode()
                self._page.put("files-upload", self._page.upload("reviews.csv", content))
                self._page.fire("files-upload", "upload")
            with self._diary.timed("score a file"):
                started = self._page.fire("files-start")
                self._page.follow(started)
            with self._diary.timed("download"):
                self._page.download(self._page.value("files-download")["path"])


def measure(visitors: int, seconds: float, sessions: int) -> dict[str, Any]:
    """Return what the visitors met, and what became of the app."""
    load = os.getloadavg()[0]
    diary = Diary()
    with TemporaryDirectory() as folder:
        database = Path(folder) / "quiz.sqlite3"
        with serve_process(DATABASE_URL=f"sqlite:///{database}", RATE_FACTOR="1") as served:
            _wait_for_the_model(served.address)
            with memory_watched(served.process.pid) as memory:
                statuses = _visit(served.address, visitors, seconds, diary)
            left = _leave_sessions(served, sessions)
            ended = _end_at_work(served)
        rows = sqlite3.connect(database).execute("SELECT count(*) FROM quiz_attempts").fetchone()[0]
    return {
        "script": f"python benchmarks/load.py --visitors {visitors} --seconds {seconds:g} --sessions {sessions}",
        "visitors": visitors,
        "seconds": seconds,
        "arrive_within_seconds": ARRIVE_SECONDS,
        "pauses_seconds": PAUSES,
        "rows_of_a_file": ROWS,
        "events": diary.summary(),
        "busy": sum(diary.busy.values()),
        "errors": len(diary.errors),
        "first_errors": diary.errors[:5],
        "hostile": {"visitors": visitors // 10, "responses_by_status": dict(sorted(statuses.items()))},
        "answers": {"acknowledged": len(diary.milliseconds["answer"]), "stored": rows},
        "memory_megabytes": {"by_second": memory} | summarize_memory(memory, seconds),
        "sessions_left": left,
        "seconds_to_end": ended,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, which the visitors share",
        "load": [round(load, 1), round(os.getloadavg()[0], 1)],
        "date": time.strftime("%Y-%m-%d"),
    }


def _wait_for_the_model(address: str) -> None:
    page = open_page(address)
    page.fire("sentiment-submit")


def _visit(address: str, visitors: int, seconds: float, diary: Diary) -> Counter[str]:
    """Let all visitors come; return how often the app answered the hostile ones by each status."""
    until = time.monotonic() + seconds
    config = open_page(address).config

    statuses: Counter[str] = Counter()

    def visit(number: int) -> None:
        time.sleep(min(ARRIVE_SECONDS, seconds / 4) * number / visitors)
        if number % 10 == HOSTILE:
            attacker = Attacker(address, HOSTILE_ADDRESS, config)
            while time.monotonic() < until:
                attacker.attack(HOLD_SECONDS)
            statuses.update(attacker.statuses)
            return
        page, judged = open_page(address, config), None
        with diary.timed("open the page"):
            judged = page.arrive()
        if judged is not None:
            with diary.timed("explain"):
                page.follow(judged)
        visitor = Visitor(number, page, diary, until)
        role: Callable[[], None] = visitor.type_texts if number % 10 < 5 else visitor.take_the_quiz
        if number % 10 == 9:
            role = visitor.upload_files
        role()

    with ThreadPoolExecutor(visitors) as threads:
        list(threads.map(visit, range(visitors)))
    return statuses


def summarize_memory(by_second: Sequence[tuple[float, float]], seconds: float) -> dict[str, float]:
    """Return the largest value, and by how much the last two minutes grew, in MB.

    An explanation takes and returns 100 MB, so the growth is that of the median of half a minute at both ends.
    """
    ends = (seconds - 120, seconds - 30)
    first, last = (median(mb for second, mb in by_second if start <= second <= start + 30) for start in ends)
    return {
        "largest": max(mb for _, mb in by_second),
        "before_the_last_two_minutes": first,
        "growth_in_the_last_two_minutes": round(last - first, 1),
    }


def _leave_sessions(served: Served, count: int) -> dict[str, Any]:
    """Open the quiz in many sessions and leave it, twice; return how the memory grew."""
    before = megabytes(served.process.pid)
    config = open_page(served.address).config
    after = []
    for _ in range(2):
        for number in range(count):
            # Many addresses: one may send 800 events at once.
            open_page(served.address, config, local_address=f"127.0.1.{number % 200 + 1}").fire("page", "load")
        after.append(megabytes(served.process.pid))
    return {"opened": 2 * count, "megabytes_before": before, "after_half": after[0], "after_all": after[1]}


def _end_at_work(served: Served) -> float:
    """Send SIGTERM while texts are explained; return the seconds until the process has ended."""
    texts = ThreadPoolExecutor(4)
    for _ in range(4):
        texts.submit(_explain_long, open_page(served.address))
    time.sleep(1)
    start = time.monotonic()
    served.process.terminate()
    served.process.wait(timeout=60)
    seconds = time.monotonic() - start
    texts.shutdown()
    return round(seconds, 1)


def _explain_long(page: Page) -> None:
    page.put("sentiment-text", " ".join(WORDS * 30))
    page.follow(page.fire("sentiment-submit"))


def main() -> None:
    """Measure, write the result, and fail if anything failed or was lost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--visitors", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--sessions", type=int, default=1000, help="how many to open and leave, twice")
    parser.add_argument("--output", type=Path, default=RESULT)
    chosen = parser.parse_args()
    result = measure(chosen.visitors, chosen.seconds, chosen.sessions)
    chosen.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps({name: value for name, value in result.items() if name != "memory_megabytes"}, indent=2))
    failed = [
        status for status in result["hostile"]["responses_by_status"] if status.startswith("5") and status != "503"
    ]
    if result["errors"] or failed or result["answers"]["acknowledged"] != result["answers"]["stored"]:
        sys.exit("something failed, or answers were lost")


if __name__ == "__main__":
    main()
