"""The time until the app starts, shows its first page and gives its first verdict, beside an empty Gradio app."""

import json
import shutil
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import psutil
from playwright.sync_api import Browser, sync_playwright

from benchmarks.app_server import CHROMIUM_ARGUMENTS, serve

from .texts import make_texts

EMPTY = """
import os, gradio as gr
with gr.Blocks(analytics_enabled=False) as app:
    gr.Textbox()
app.launch(server_name=os.environ["HOST"], server_port=int(os.environ["PORT"]), ssr_mode=False)
"""
PROGRAMS: dict[str, Sequence[str]] = {"app": ("app.py",), "empty": ("-c", EMPTY)}
CLASSIFICATIONS, WORDS = 50, 250
PAGE_WARM_UP = 1


def measure_starts(starts: int) -> dict[str, Any]:
    """Return the seconds to the first answer and to the first verdict, and the megabytes held, of each start."""
    found: dict[str, list[float]] = {
        name: []
        for name in (
            "seconds_to_first_200",
            "seconds_to_first_verdict",
            "empty_seconds_to_first_200",
            "megabytes_after_first_verdict",
            "megabytes_after_classifications",
        )
    }
    for _ in range(starts):
        with _started("empty") as (_, _, seconds):
            found["empty_seconds_to_first_200"].append(seconds)
        with _started("app") as (address, process, seconds):
            found["seconds_to_first_200"].append(seconds)
            began = time.perf_counter() - seconds
            _classify(address, "Not bad at all.")
            found["seconds_to_first_verdict"].append(time.perf_counter() - began)
            found["megabytes_after_first_verdict"].append(_megabytes(process))
            for text in make_texts(CLASSIFICATIONS, WORDS):
                _classify(address, text)
            found["megabytes_after_classifications"].append(_megabytes(process))
    return {"starts": starts, "classifications": CLASSIFICATIONS, **found}


def measure_pages(pages: int) -> dict[str, list[float]]:
    """Return the seconds until a text can be typed into each app, which take turns; nothing is cached."""
    seconds: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    with ExitStack() as stack:
        addresses = {name: stack.enter_context(serve(program)) for name, program in PROGRAMS.items()}
        _classify(addresses["app"], "Not bad at all.")  # the model is loaded, and no longer in the way
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_ARGUMENTS)
        for turn in range(PAGE_WARM_UP + pages):
            for name, address in addresses.items():
                opened = _open_page(browser, address)
                if turn >= PAGE_WARM_UP:
                    seconds[name].append(opened)
    return seconds


@contextmanager
def _started(name: str) -> Iterator[tuple[str, psutil.Process, float]]:
    """Start an app; yield its address, its process, and the seconds until it answered a request of its page."""
    began = time.perf_counter()
    others = set(psutil.Process().children())
    with serve(PROGRAMS[name]) as address:
        (process,) = set(psutil.Process().children()) - others
        with urllib.request.urlopen(address) as answer:
            answer.read()
        yield address, process, time.perf_counter() - began


def _classify(address: str, text: str) -> None:
    """Ask the endpoint `classify` for a verdict, and wait for it.

    Raises:
        RuntimeError: it gave none.
    """
    body = json.dumps({"data": [text]}).encode()
    request = urllib.request.Request(f"{address}/gradio_api/call/classify", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        event = json.load(answer)["event_id"]
    with urllib.request.urlopen(f"{address}/gradio_api/call/classify/{event}") as stream:
        said = stream.read().decode()
    if "event: complete" not in said:
        raise RuntimeError(f"the app gave no verdict: {said}")


def _open_page(browser: Browser, address: str) -> float:
    context = browser.new_context()
    page = context.new_page()
    began = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.locator("textarea").first.wait_for()
    seconds = time.perf_counter() - began
    context.close()
    return seconds


def _megabytes(process: psutil.Process) -> float:
    return float(process.memory_info().rss / 1e6)
