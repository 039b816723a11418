"""When the app is too busy, the page says so at once and keeps everything that was typed."""

import pytest
from playwright.sync_api import Page, Route, expect

from sentiment_gru.web.rate_limit import BUSY
from tests.browser.checks import assert_accessible, assert_fits

pytestmark = pytest.mark.browser


def test_a_refused_event_shows_a_message_and_loses_nothing(page: Page) -> None:
    statuses = iter([429, 503])  # of one address that asks too much, and of too many visitors
    page.route("**/gradio_api/run/**", lambda route: route.fulfill(status=next(statuses), json={"error": BUSY}))
    page.get_by_label("Your text").fill("my own words")
    page.get_by_role("button", name="Get the verdict").click()
    line = page.get_by_role("alert").filter(has_text="Busy")
    expect(line).to_have_text(BUSY)
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_label("Your text")).to_have_value("my own words")
    page.set_viewport_size({"width": 390, "height": 800})
    assert_fits(page)
    assert_accessible(page)
    page.get_by_role("tab", name="Quiz").click()
    progress, option = page.locator("#quiz-progress"), page.locator("#quiz-options button").nth(1)
    expect(progress).to_contain_text("Question 1 of")
    expect(option).to_be_visible()
    with page.expect_response("**/gradio_api/run/**"):
        option.click()
    expect(line).to_have_text(BUSY)
    expect(progress).to_contain_text("Question 1 of")
    expect(page.get_by_role("button", name="Next question")).to_be_hidden()
    page.unroute("**/gradio_api/run/**")
    option.click()
    expect(page.get_by_role("button", name="Next question")).to_be_visible()
    page.get_by_role("tab", name="Sentiment").click()
    page.get_by_role("button", name="Get the verdict").click()
    expect(page.locator(".verdict-diagnostics")).to_contain_text("3 tokens")
    expect(line).to_have_count(0)


def test_a_full_queue_shows_a_message_in_place_of_the_explanation(page: Page) -> None:
    def full(route: Route) -> None:
        route.fulfill(status=503, json={"detail": "Queue is full. Max size is 64 and size is 64."})

    page.route("**/gradio_api/queue/join**", full)
    page.get_by_label("Your text").fill("I loved every minute.")
    page.get_by_role("button", name="Get the verdict").click()
    expect(page.locator("#sentiment-why")).to_contain_text("The explanation could not be loaded.")
    expect(page.locator(".verdict-sentence")).to_contain_text("positive")
    expect(page.get_by_role("alert").filter(has_text="Busy")).to_have_text(BUSY)
