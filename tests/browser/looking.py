"""What is asked of every page: that axe and a telephone are content with it, and that the keyboard is enough."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page


def press_until(page: Page, key: str, selector: str) -> None:
    """Press a key until an element that fits the selector has the focus."""
    for _ in range(40):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press(key)
    pytest.fail(f"{selector} cannot be reached with {key}")


def assert_accessible(page: Page) -> None:
    """Let axe look at the page once its transitions are over."""
    page.wait_for_timeout(400)
    violations = Axe().run(page).response["violations"]
    assert [(v["id"], [node["html"] for node in v["nodes"]]) for v in violations] == []


def assert_fits(page: Page) -> None:
    """Check that nothing is wider than the window."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
