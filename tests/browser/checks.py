"""Checks and waits that the browser tests share."""

import time
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Request

WAIT_SECONDS = 180
LOOKS = ((1280, "light"), (390, "dark"))


def press_until(page: Page, key: str, selector: str) -> None:
    """Press a key until an element that matches the selector has the focus."""
    for _ in range(40):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press(key)
    pytest.fail(f"{selector} cannot be reached with {key}")


def wait_until(page: Page, condition: Callable[[], bool]) -> None:
    """Wait until a condition holds that the browser alone cannot see."""
    end = time.monotonic() + WAIT_SECONDS
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"the condition did not hold within {WAIT_SECONDS} seconds")
        page.wait_for_timeout(50)


def watch_events(page: Page) -> set[Request]:
    """Return the set of the page's events that await their answer; Playwright updates it in place."""
    pending: set[Request] = set()

    def add(request: Request) -> None:
        if "/gradio_api/run/" in request.url or "/gradio_api/queue/data" in request.url:
            pending.add(request)

    page.on("request", add)
    page.on("requestfinished", lambda request: pending.discard(request))
    page.on("requestfailed", lambda request: pending.discard(request))
    return pending


def wait_for_transitions(page: Page) -> None:
    """Wait until the fonts of the page are loaded and its transitions are over."""
    page.evaluate(
        """async () => {
            await document.fonts.ready;
            await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
            const isFinite = (animation) => animation.effect.getComputedTiming().endTime < Infinity;
            const animations = document.getAnimations().filter(isFinite);
            await Promise.allSettled(animations.map((animation) => animation.finished));
        }"""
    )


def assert_accessible(page: Page) -> None:
    """Run axe once the transitions of the page are over."""
    wait_for_transitions(page)
    violations = Axe().run(page).response["violations"]
    assert [(v["id"], [node["html"] for node in v["nodes"]]) for v in violations] == []


def assert_fits(page: Page) -> None:
    """Check that nothing is wider than the window."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def assert_good(page: Page) -> None:
    """Run axe, and look for what is too wide, in each of the looks of a page; the last one stays."""
    for width, scheme in LOOKS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        assert_accessible(page)
        assert_fits(page)


def assert_no_script_ran(page: Page) -> None:
    """Check that no script of a visitor's text has set `window.ran`, after a broken image has had time to run one."""
    page.evaluate(
        "() => new Promise((resolve) => Object.assign(new Image(), { onerror: resolve, onload: resolve, src: 'x' }))"
    )
    assert page.evaluate("window.ran") is None
