"""The real app used with mouse and keyboard."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

import app
from sentiment_gru.web.model_loader import ClassifierLoader
from tests.browser.checks import (
    assert_accessible,
    assert_fits,
    assert_no_script_ran,
    press_until,
    wait_until,
    watch_events,
)
from tests.browser.conftest import serve_here

pytestmark = pytest.mark.browser

POSITIVE = "I loved every minute. The cast is wonderful and the ending is beautiful."
NEGATIVE = "Dull, far too long and badly acted. What a waste of two hours."
REPORT = "Error id: 00000000-0000-0000-0000-000000000000\nKind: RuntimeError\nWhat I did: "


def sentence(page: Page, words: str) -> None:
    """Wait for a verdict with these words."""
    expect(page.locator(".verdict-sentence")).to_contain_text(words)


def test_the_page_opens_with_a_worked_example_and_requests_what_it_needs_at_once(page: Page, address: str) -> None:
    opening = page.request.get(address).text()
    announced = re.findall(r'<link rel="(?:modulepreload|preload)"[^>]*href="\./([^"?]+)', opening)
    requests = page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert sorted(announced) == sorted(
        url.removeprefix(f"{address}/").split("?")[0] for url in requests if re.search(r"/assets/|/theme\.css", url)
    )
    assert len(announced) < 60
    expect(page).to_have_title("GRU Sentiment Studio")
    assert page.locator("html").get_attribute("lang") == "en"
    expect(page.get_by_label("Your text")).not_to_have_value("")
    expect(page.locator(".scores tr")).to_have_count(3)
    expect(page.locator(".verdict-diagnostics")).to_have_text(
        re.compile(r"^\d+ tokens · \d+ unknown · (\d+ in pieces · )?0 cut · \d+ ms$")
    )


def test_the_contents_of_accordions_are_drawn_when_opened(page: Page) -> None:
    for name, role in (("What if?", "radio"), ("Every unit at every token", "radio"), ("About this model", "heading")):
        contents = page.locator(".block", has=page.get_by_role("button", name=name)).get_by_role(role)
        expect(contents).to_have_count(0)
        page.get_by_role("button", name=name).click()
        expect(contents.first).to_be_visible()


def test_a_text_is_judged_on_enter_by_the_button_and_as_an_example(page: Page) -> None:
    text = page.get_by_label("Your text")
    text.fill(NEGATIVE)
    text.press("Enter")
    sentence(page, "negative")
    expect(text).to_have_value(NEGATIVE)
    text.fill(POSITIVE)
    page.get_by_role("button", name="Get the verdict").click()
    sentence(page, "clearly positive")
    page.get_by_role("button", name="Unknown words").click()
    sentence(page, "I cannot tell.")
    expect(page.locator(".verdict-warning")).to_have_text("The model knows none of these words.")
    text.fill("  ")
    text.press("Enter")
    expect(page.locator("#sentiment-verdict")).to_contain_text("Type or paste a text")
    text.fill("one")
    text.press("Shift+Enter")
    page.keyboard.type("two")
    expect(text).to_have_value("one\ntwo")


def test_a_text_entered_while_the_page_opens_is_judged_last(page: Page) -> None:
    pending = watch_events(page)
    example = page.get_by_label("Your text").input_value()
    held: list[Route] = []

    def hold_the_example(route: Route) -> None:
        held.append(route) if not held and json.dumps(example) in (route.request.post_data or "") else route.continue_()

    page.route("**/gradio_api/run/**", hold_the_example)
    with page.expect_request(lambda request: json.dumps(example) in (request.post_data or "")):
        page.reload()
    page.get_by_label("Your text").fill(NEGATIVE)
    page.get_by_label("Your text").press("Enter")
    page.evaluate("fetch('/config').then((answer) => answer.text())")  # long enough for a verdict that overtakes
    with page.expect_response("**/gradio_api/run/**"):
        held[0].continue_()
    wait_until(page, lambda: not pending)
    sentence(page, "negative")
    # The explanation of the example may arrive after the verdict, but must not stay.
    expect(page.locator(".why")).to_have_attribute("data-explanation", re.compile(re.escape(NEGATIVE)))
    expect(page.get_by_label("Your text")).to_have_value(NEGATIVE)


def test_markup_is_text_and_never_runs(page: Page) -> None:
    markup = '<img src=x onerror="window.ran = true"><script>window.ran = true</script>${window.ran = true}'
    page.get_by_label("Your text").fill(markup)
    before = page.locator(".verdict-diagnostics").inner_text()
    page.get_by_label("Your text").press("Enter")
    expect(page.locator(".verdict-diagnostics")).not_to_have_text(before)
    expect(page.get_by_label("Your text")).to_have_value(markup)
    assert_no_script_ran(page)


def test_a_model_that_fails_to_load_is_reported_in_the_page(
    open_page: Callable[..., Page], tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPORT_URL", "http://127.0.0.1/report")
    folder = shutil.copytree(tiny_checkpoint, tmp_path / "late")
    config = folder / "config.json"
    config.write_text(config.read_text().replace('"hidden_size": 8', '"hidden_size": 9'))
    with serve_here(app.build_app(ClassifierLoader(folder))) as address:
        page = open_page(address)
        failure = page.locator("#sentiment-verdict")
        expect(failure).to_contain_text("Something went wrong. What happened?")
        expect(failure.get_by_label("Report")).to_have_value(re.compile("Error id: .*Kind: CheckpointError", re.DOTALL))
        expect(failure.get_by_role("link", name="Report it here")).to_be_visible()
        assert str(tmp_path) not in page.content()
        expect(page.get_by_label("Your text")).not_to_have_value("")


def test_a_failure_in_either_tab_opens_a_report(page: Page) -> None:
    dialog, option = page.get_by_role("dialog"), page.locator("#quiz-options button").first
    page.get_by_role("tab", name="Quiz").click()
    option.wait_for()
    page.route("**/gradio_api/run/**", lambda route: route.fulfill(status=500, json={"error": REPORT}))
    for tab, button in (("Quiz", option), ("Sentiment", page.get_by_role("button", name="Get the verdict"))):
        page.get_by_role("tab", name=tab).click()
        button.click()
        expect(dialog).to_contain_text("Something went wrong. What happened?")
        expect(dialog.get_by_label("Report")).to_have_value(REPORT)
        if tab == "Quiz":
            dialog.get_by_role("button", name="Copy the report").click()
        expect(dialog.get_by_role("button", name="Copied")).to_be_visible()
        dialog.get_by_role("button", name="Close").click()
        expect(dialog).to_be_hidden()
    expect(page.get_by_label("Your text")).not_to_have_value("")


def test_the_keyboard_is_enough_in_both_tabs(page: Page) -> None:
    press_until(page, "Tab", "#sentiment-text textarea")
    page.keyboard.press("Control+A")
    page.keyboard.type(NEGATIVE)
    press_until(page, "Tab", "#sentiment-submit")
    page.keyboard.press("Enter")
    sentence(page, "negative")
    press_until(page, "Tab", "#sentiment-examples button:nth-of-type(5)")
    page.keyboard.press("Enter")
    sentence(page, "I cannot tell.")
    press_until(page, "Shift+Tab", "[role=tab]:nth-of-type(2)")
    page.keyboard.press("Enter")
    page.locator("#quiz-options button").first.wait_for()
    press_until(page, "Tab", "#quiz-options button")
    page.keyboard.press("Enter")
    expect(page.locator("#quiz-feedback")).to_contain_text("ight.")


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_violation(open_page: Callable[..., Page], address: str, theme: str) -> None:
    page = open_page(f"{address}?__theme={theme}")
    page.locator(".verdict-diagnostics").wait_for()
    page.get_by_role("button", name="About this model").click()
    page.get_by_role("button", name="Unknown words").click()
    sentence(page, "I cannot tell.")
    assert_accessible(page)
    page.evaluate("document.getElementById('studio-failure').showModal()")
    assert_accessible(page)


def test_a_telephone_needs_no_horizontal_scrolling(open_page: Callable[..., Page], address: str) -> None:
    page = open_page(address, width=390)
    page.get_by_label("Your text").fill("x" * 500)
    page.get_by_label("Your text").press("Enter")
    sentence(page, "I cannot tell.")
    page.get_by_role("button", name="About this model").click()
    assert_fits(page)
