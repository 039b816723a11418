"""The tab "Inside the GRU" with mouse and keyboard, in the real app."""

import json
import re
import time
from collections.abc import Callable, Iterator, Sequence

import pytest
from playwright.sync_api import APIResponse, Page, Route, expect

import app
from benchmarks.app_server import serve
from quiz.bank import SHIPPED_BANK
from sentiment_gru.web.inside import training_card
from sentiment_gru.web.inside.cards import CARDS
from sentiment_gru.web.rendering import inside_link, text_link
from tests.browser.checks import (
    WAIT_SECONDS,
    assert_accessible,
    assert_fits,
    assert_no_script_ran,
    press_until,
    wait_until,
)
from tests.browser.conftest import serve_here
from tests.made_up_results import write_results

pytestmark = pytest.mark.browser

TEXT = "Not bad at all, I loved it."
STAGES = ("cell", "weights", "unit")


@pytest.fixture(scope="module")
def measured_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the app with result files of every kind."""
    folder = write_results(tmp_path_factory.mktemp("results"))
    program = f"""
from pathlib import Path
import app
from sentiment_gru.web.inside import measurements
measurements.RESULTS = Path({str(folder)!r})
app.main()
"""
    with serve(["-c", program]) as url:
        yield url


def open_card(open_page: Callable[..., Page], address: str, card: str, width: int = 1280, **link: object) -> Page:
    """Open the page by a link to a card, and wait for the card."""
    page = open_page(f"{address}/{inside_link(card, **link)}", width)
    page.locator(f"#inside-{card}").wait_for()
    filled = f"#inside-{card}-picture .stage" if card in STAGES else "#inside-prose h3"
    if card == "train":
        filled = "#inside-train-picture p"
    page.locator(filled).first.wait_for()
    return page


def test_the_tab_opens_with_a_picture_and_a_verdict_on_each_claim(page: Page) -> None:
    page.get_by_role("tab", name="Inside the GRU").click()
    expect(page.get_by_role("heading", name="Memory, and how it fades")).to_be_visible()
    expect(page.locator("#inside-picture .road-step").first).to_be_visible()
    expect(page.locator(".side-by-side section")).to_have_count(2)
    expect(page.locator(".course > li")).to_have_count(4)
    expect(page.locator(".course .course-here")).to_contain_text("Gated recurrent units")
    expect(page.locator(".claim .badge", has_text="depends on the convention")).to_be_visible()
    page.get_by_role("radio", name="No, never").check()
    expect(page.locator("#inside-chapter-answer")).to_contain_text("Not so.")


def test_nothing_of_the_tab_is_loaded_with_the_first_page(open_page: Callable[..., Page], address: str) -> None:
    urls: list[str] = []
    page = open_page(address)
    page.on("request", lambda request: urls.append(request.url))
    page.reload()
    page.locator(".verdict-diagnostics").wait_for()
    assert not [url for url in urls if "PlotlyPlot" in url]  # 4.6 MB
    assert "Memory, and how it fades" not in page.content()


def test_cards_are_walked_to_the_end_and_back(open_page: Callable[..., Page], address: str) -> None:
    page = open_card(open_page, address, "chapter")
    expect(page.get_by_role("button", name="Back")).to_be_disabled()
    for card in CARDS[1:]:
        page.get_by_role("button", name="Next", exact=True).click()
        heading = page.get_by_role("heading", name=card.title, exact=True)
        expect(heading).to_be_visible()
        expect(heading).to_be_focused()
        expect(page.get_by_role("radio", name=card.title, exact=True)).to_be_checked()
    expect(page.get_by_role("button", name="Next", exact=True)).to_be_disabled()
    page.get_by_role("button", name="Back").click()
    expect(page.get_by_role("heading", name=CARDS[-2].title)).to_be_visible()


def test_a_card_chosen_before_the_tab_is_filled_stays(page: Page) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        is_filling = '\\"panel\\"' in (route.request.post_data or "")
        held.append(route) if is_filling else route.continue_()

    page.route("**/gradio_api/run/**", hold)
    with page.expect_request(lambda request: '\\"panel\\"' in (request.post_data or "")):
        page.get_by_role("tab", name="Inside the GRU").click()
    page.get_by_role("radio", name="Two gates").check()
    expect(page.get_by_role("heading", name="Two gates")).to_be_visible()
    for route in held:
        route.continue_()
    expect(page.locator("#inside-cell-picture .stage-drawing")).to_be_visible()  # it came with the answer that was held
    expect(page.get_by_role("heading", name="The chapter", exact=True)).to_be_hidden()


def test_a_sentence_chosen_before_the_tab_is_filled_is_read(page: Page) -> None:
    answers: list[tuple[Route, APIResponse]] = []

    def hold_the_answer(route: Route) -> None:
        is_filling = '\\"panel\\"' in (route.request.post_data or "")
        answers.append((route, route.fetch())) if is_filling else route.continue_()

    page.get_by_label("Your text").fill(TEXT)
    page.route("**/gradio_api/run/**", hold_the_answer)
    with page.expect_request(lambda request: '\\"panel\\"' in (request.post_data or "")):
        page.get_by_role("tab", name="Inside the GRU").click()
    page.get_by_role("radio", name="Your sentence").check()
    expect(page.get_by_role("heading", name="Your sentence")).to_be_visible()
    wait_until(page, lambda: bool(answers))
    for route, answer in answers:
        route.fulfill(response=answer)
    expect(page.locator("gru-sentence .road-word").first).to_have_text("Not")


def test_a_card_chosen_while_another_one_is_loading_is_shown_next(page: Page) -> None:
    page.get_by_role("tab", name="Inside the GRU").click()
    expect(page.get_by_role("heading", name="The chapter", exact=True)).to_be_visible()
    held: list[Route] = []
    page.route("**/gradio_api/run/**", lambda route: held.append(route), times=1)
    with page.expect_request("**/gradio_api/run/**"):
        page.get_by_role("radio", name="Two gates").check()
    page.get_by_role("radio", name="Vanishing gradient").check()
    with page.expect_response(
        lambda response: '"gradient"' in (response.request.post_data or "")
    ):  # only after the first
        held[0].continue_()
    expect(page.get_by_role("heading", name="Vanishing gradient")).to_be_visible()
    expect(page.get_by_role("radio", name="Vanishing gradient")).to_be_checked()


def test_the_card_reads_the_text_and_token_of_the_sentiment_tab(page: Page) -> None:
    page.locator(".verdict-diagnostics").wait_for()
    page.get_by_label("Your text").fill(TEXT)
    page.get_by_label("Your text").press("Enter")
    page.locator(".token", has_text="loved").click()
    page.get_by_role("tab", name="Inside the GRU").click()
    page.get_by_role("radio", name="Your sentence").check()
    expect(page.locator(".road-step[aria-current]")).to_have_text("loved")
    expect(page.get_by_label("A text for the model")).to_have_value(TEXT)
    page.get_by_label("A text for the model").fill("<img src=x onerror='window.ran = true'> dull")
    page.get_by_label("A text for the model").press("Enter")
    expect(page.locator("gru-sentence .road")).to_contain_text("onerror")
    assert_no_script_ran(page)


def test_a_text_entered_while_another_one_is_read_is_read_next(page: Page) -> None:
    page.get_by_role("tab", name="Inside the GRU").click()
    page.get_by_role("radio", name="Your sentence").check()
    expect(page.locator("gru-sentence")).to_be_visible()
    held: list[Route] = []
    page.route("**/gradio_api/queue/join**", lambda route: held.append(route), times=1)
    with page.expect_request("**/gradio_api/queue/join**"):
        page.get_by_label("A text for the model").press("Enter")
    page.get_by_label("A text for the model").fill("dull and dreary")
    page.get_by_label("A text for the model").press("Enter")
    held[0].continue_()
    expect(page.locator("gru-sentence .road-word").first).to_have_text("dull")


def panels() -> list[str]:
    items = json.loads(SHIPPED_BANK.read_text(encoding="utf-8"))["items"]
    return sorted({item["live"]["panel"] for item in items if item.get("live", {}).get("tab") == "inside"})


def test_every_panel_that_the_quiz_names_is_a_card() -> None:
    assert set(panels()) <= {card.name for card in CARDS}
    assert panels()


@pytest.mark.slow
def test_links_of_the_quiz_open_their_cards(open_page: Callable[..., Page], measured_address: str) -> None:
    page = open_card(open_page, measured_address, "unit", text=TEXT, token=1)
    expect(page.locator(".road-step[aria-current]")).to_have_text("bad")
    for panel in panels():  # in an open page, too
        page.evaluate("link => { location.hash = link }", inside_link(panel))
        expect(page.locator(f"#inside-{panel}")).to_be_visible()
    page.evaluate("link => { location.hash = link }", text_link("Dull."))
    expect(page.get_by_label("Your text")).to_have_value("Dull.")
    page.evaluate("link => { location.hash = link }", inside_link("unit", "Superb.", 0))
    expect(page.locator(".road-step[aria-current]")).to_have_text("Superb")
    page.get_by_role("tab", name="Quiz").click()
    page.get_by_role("tab", name="Inside the GRU").click()
    expect(page.locator(".road-step[aria-current]")).to_have_text("Superb")


def test_a_small_network_is_trained_and_the_run_before_it_stays(open_page: Callable[..., Page], address: str) -> None:
    page = open_card(open_page, address, "train")
    page.get_by_label("number input for Tokens between").fill("5")
    for cell in ("GRU", "RNN"):
        page.get_by_role("radio", name=cell, exact=True).check()
        page.get_by_role("button", name="Train", exact=True).click()
        expect(page.locator("#inside-train-picture")).to_contain_text(f"{cell}, 32 units, 5 tokens")
        page.get_by_text(re.compile("Learned after|Not learned in")).wait_for()
    expect(page.locator("#inside-train-picture .chart-legend").first.locator("li")).to_have_text(
        ["GRU, 32 units, 5 tokens", "RNN, 32 units, 5 tokens"]
    )
    expect(page.locator("#inside-train-picture")).to_contain_text("RNN, 32 units, 5 tokens: no gate.")


def test_a_training_ends_when_it_is_stopped_and_when_its_visitor_leaves(
    open_page: Callable[..., Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[int] = []

    def train(run: training_card.Run) -> Iterator[training_card.Run]:
        while True:
            time.sleep(0.05)
            run.steps, run.accuracy, run.loss = [0, run.steps[-1] + 1], [0.1, 0.2], [2, 1]
            steps.append(run.steps[-1])
            yield run

    monkeypatch.setattr(training_card, "train", train)
    with serve_here(app.build_app()) as url:
        page = open_card(open_page, url, "train")
        page.get_by_role("button", name="Train", exact=True).click()
        wait_until(page, lambda: len(steps) > 2)
        page.get_by_role("button", name="Stop", exact=True).click()
        expect(page.locator("#inside-train-picture")).to_contain_text("Stopped. Step ")
        wait_until_quiet(steps)
        before = len(steps)
        page.get_by_role("button", name="Train", exact=True).click()
        wait_until(page, lambda: len(steps) > before + 2)
        page.close()
        wait_until_quiet(steps)


def wait_until_quiet(steps: Sequence[int]) -> None:
    """Wait until there has been no step for a second."""
    count, since = -1, time.monotonic()
    end = since + WAIT_SECONDS
    while time.monotonic() < since + 1:
        if len(steps) != count:
            count, since = len(steps), time.monotonic()
        assert time.monotonic() < end, "it still trains"
        time.sleep(0.1)


def open_every_card(page: Page) -> Iterator[str]:
    """Choose one card after the other, show everything that is on it, and yield its name."""
    for card in CARDS:
        page.get_by_role("radio", name=card.title, exact=True).check()
        if card.name in STAGES:
            page.locator(f"#inside-{card.name} .stage-drawing").wait_for()
            details = page.locator(f"#inside-{card.name} details")
            details.evaluate_all("(all) => all.forEach((details) => (details.open = true))")
        elif card.name == "train":
            page.get_by_role("button", name="Train", exact=True).click()
            expect(page.locator("#inside-train-picture .chart-plot")).to_have_count(3)
            page.get_by_role("button", name="Stop", exact=True).click()
            expect(page.locator("#inside-train-picture")).to_contain_text(re.compile("Stopped|earned"))
        else:
            page.locator(f"#inside-{card.name}-show").click()
            expect(page.locator(f"#inside-{card.name}-answer")).not_to_be_empty()
        if card.name == "compare":
            expect(page.locator("#inside-compare .main-svg").first).to_be_visible()
        if card.name in ("compare", "gradient", "recall"):
            expect(page.locator(f"#inside-{card.name} .inside-source").first).to_contain_text("2026-01-31")
        yield card.name


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_card_is_accessible_and_fits_and_figures_request_no_other_server(
    open_page: Callable[..., Page], measured_address: str, theme: str, width: int
) -> None:
    page = open_page(f"{measured_address}/?__theme={theme}", width)
    page.get_by_role("tab", name="Inside the GRU").click()
    expect(page.get_by_role("tab", name="Files")).to_be_visible()
    for _ in open_every_card(page):
        assert_accessible(page)
        assert_fits(page)


def test_a_failure_in_a_tab_that_was_built_when_opened_gets_a_report(
    open_page: Callable[..., Page], address: str
) -> None:
    page = open_card(open_page, address, "cell")

    def spoil(route: Route) -> None:
        request = json.loads(route.request.post_data or "{}")
        request["data"] = ["no card" for _ in request["data"]]
        route.continue_(post_data=json.dumps(request))

    page.route("**/gradio_api/run/**", spoil)
    page.get_by_role("radio", name="The chapter").check()
    report = page.get_by_role("dialog").get_by_label("Report")
    expect(report).to_have_value(re.compile("'no card' .* is not in the list of choices"))


def test_every_card_is_reachable_by_keyboard(page: Page) -> None:
    press_until(page, "Shift+Tab", "[role=tab]")
    page.get_by_role("tab", name="Inside the GRU").focus()
    page.keyboard.press("Enter")
    page.locator("#inside-cards").wait_for()
    press_until(page, "Tab", "#inside-cards input")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("heading", name="Two gates")).to_be_visible()
    press_until(page, "Tab", "[name=z]")
    page.keyboard.press("End")
    expect(page.locator("gru-sliders .stage-value").first).to_have_text("1.00")
    press_until(page, "Tab", ".stage-play")
    page.keyboard.press("Enter")
    expect(page.locator("gru-sliders .stage-position")).to_have_text("Step 5 of 5")
