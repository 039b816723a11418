"""Measure what the tab "Inside the GRU" costs those who do not open it: start of the server, and the first page.

    python benchmarks/first_page.py

The app is served with the tab and without; the two take turns, so that other work on the machine slows them alike.
"""

import json
import os
import platform
import shutil
import statistics
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from app_server import CHROMIUM_ARGUMENTS, serve
from playwright.sync_api import Browser, sync_playwright

RESULT = Path(__file__).parent / "results" / "first_page.json"
STARTS, PAGES, WARM_UP = 5, 20, 2
WITHOUT = (
    "from sentiment_gru.web import page; page.build_when_opened = lambda *parts: None;"
    " page.INSIDE_CSS = page.INSIDE_SCRIPT = ''; import app; app.main()"
)
PROGRAMS: dict[str, Sequence[str]] = {"with": ["-c", "import app; app.main()"], "without": ["-c", WITHOUT]}


def main() -> None:
    """Measure both ways in turn, and write the result file."""
    load = os.getloadavg()[0]
    starts: dict[str, list[float]] = {way: [] for way in PROGRAMS}
    for _ in range(STARTS):
        for way, program in PROGRAMS.items():
            began = time.perf_counter()
            with serve(program):
                starts[way].append(time.perf_counter() - began)
    with ExitStack() as stack:
        addresses = {way: stack.enter_context(serve(program)) for way, program in PROGRAMS.items()}
        browser = stack.enter_context(sync_playwright()).chromium.launch(
            executable_path=shutil.which("chromium"), args=CHROMIUM_ARGUMENTS
        )
        pages: dict[str, list[tuple[float, float]]] = {way: [] for way in PROGRAMS}
        for turn in range(WARM_UP + PAGES):
            for way, address in addresses.items():
                opened = open_page(browser, address)
                if turn >= WARM_UP:
                    pages[way].append(opened)
    result = {
        "script": "python benchmarks/first_page.py",
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "load": [round(load, 1), round(os.getloadavg()[0], 1)],
        "seconds_to_listen": {way: spread(times) for way, times in starts.items()},
        "seconds_to_first_page": {way: spread([seconds for seconds, _ in found]) for way, found in pages.items()},
        "kilobytes": {way: round(statistics.median(size for _, size in found)) for way, found in pages.items()},
    }
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(RESULT.read_text(encoding="utf-8"))


def open_page(browser: Browser, address: str) -> tuple[float, float]:
    """Return the seconds until a text can be typed, and the kilobytes that were sent by then, nothing being cached."""
    context = browser.new_context()
    page = context.new_page()
    began = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.locator("#sentiment-text textarea").wait_for()
    seconds = time.perf_counter() - began
    sent = "performance.getEntriesByType('resource').reduce((sum, entry) => sum + entry.transferSize, 0)"
    document = "performance.getEntriesByType('navigation')[0].transferSize"
    kilobytes = page.evaluate(f"({sent} + {document}) / 1000")
    context.close()
    return seconds, float(kilobytes)


def spread(times: list[float]) -> dict[str, float]:
    """Return the median, the quartiles and the least of some times."""
    low, middle, high = statistics.quantiles(times, n=4)
    found = {"least": min(times), "quartile_25": low, "median": middle, "quartile_75": high, "repeats": len(times)}
    return {name: round(value, 2) for name, value in found.items()}


if __name__ == "__main__":
    main()
