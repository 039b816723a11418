"""Fixtures of the browser tests: the real app in a process of its own, and headless Chromium."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import gradio as gr
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect, sync_playwright

import app
from benchmarks.app_server import CHROMIUM_ARGUMENTS, serve

pytest.register_assert_rewrite("tests.browser.checks")  # so that failures list the violations

WAIT_MILLISECONDS = 180_000  # the first verdict waits for the model, and the machine may be busy
WIDE = {"width": 1280, "height": 900}
TOKEN = "a token of the teacher"
expect.set_options(timeout=WAIT_MILLISECONDS)  # the default of 5 s would test how fast the model loads


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the address of the database of the served app."""
    return f"sqlite:///{tmp_path_factory.mktemp('store') / 'quiz.sqlite3'}"


@pytest.fixture(scope="session")
def address(database: str) -> Iterator[str]:
    """Serve the shipped checkpoint, or MODEL, with the pages of a teacher."""
    with serve(DATABASE_URL=database, TEACHER_TOKEN=TOKEN) as url:
        yield url


@contextmanager
def serve_here(page: gr.Blocks, **arguments: Any) -> Iterator[str]:
    """Serve a page in this process, which starts faster than one of its own; yield its address."""
    settings = app.launch_settings() | {"server_name": "127.0.0.1", "server_port": None} | arguments
    _, url, _ = page.launch(**settings, prevent_thread_lock=True, quiet=True)
    yield url.rstrip("/")
    page.close()


@pytest.fixture(scope="package")  # Playwright's event loop must end before the tests of other packages
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        if os.environ.get("REQUIRE_ALL"):
            pytest.fail("REQUIRE_ALL is set, but there is no chromium")
        pytest.skip("there is no chromium on this machine")
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)


@pytest.fixture(scope="package")
def context(browser: Browser) -> BrowserContext:
    """Return a context for all tests, whose cache keeps the page's scripts; each test leaves it without storage."""
    context = browser.new_context(viewport=WIDE)
    context.set_default_timeout(WAIT_MILLISECONDS)
    return context


@pytest.fixture
def new_context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Return a function that returns a context of its own, with nothing of other visitors."""
    contexts: list[BrowserContext] = []

    def make(**settings: Any) -> BrowserContext:
        context = browser.new_context(**{"viewport": WIDE, **settings})
        context.set_default_timeout(WAIT_MILLISECONDS)
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def open_page(context: BrowserContext) -> Iterator[Callable[..., Page]]:
    """Return a function that opens an address; at the end, no page may have called another server or failed."""
    outside: list[str] = []
    errors: list[str] = []
    origins: set[str] = set()

    def watch(request: Request) -> None:
        if _is_outside(request.url):
            outside.append(request.url)

    def open_address(url: str, width: int = WIDE["width"]) -> Page:
        origins.add("/".join(url.split("/")[:3]))
        page = context.new_page()
        page.set_viewport_size({"width": width, "height": WIDE["height"]})
        page.on("pageerror", lambda error: errors.append(error.stack or str(error)))
        page.goto(url)
        page.get_by_role("tab", name="Sentiment").wait_for()
        return page

    context.on("request", watch)
    yield open_address
    context.remove_listener("request", watch)
    for page in context.pages[1:]:
        page.close()
    if context.pages:
        devtools = context.new_cdp_session(context.pages[0])
        for origin in origins:
            devtools.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
        context.pages[0].close()
    assert outside == []
    assert errors == []


@pytest.fixture
def page(open_page: Callable[..., Page], address: str) -> Page:
    """Open the page and wait for the verdict on the first example."""
    page = open_page(address)
    page.locator(".verdict-diagnostics").wait_for()
    return page


def _is_outside(url: str) -> bool:
    return not url.startswith(("http://127.0.0.1:", "data:", "blob:"))
