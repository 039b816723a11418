"""The tab "Inside the GRU" with mouse and keyboard, in the real app."""

import json
import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import APIResponse, Page, Route, expect

from benchmarks.app_server import serve
from quiz.bank import SHIPPED_BANK
from sentiment_gru.web.inside.cards import CARDS
from sentiment_gru.web.inside.cell_view import format_number
from sentiment_gru.web.inside.gru_cell import PRESETS, SEQUENCE, run, step
from sentiment_gru.web.rendering import inside_link, text_link
from tests.browser.checks import assert_accessible, assert_fits, press_until
from tests.made_up_results import write_results

pytestmark = pytest.mark.browser

TEXT = "Not bad at all, I loved it."
FIRST = PRESETS[0]


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
    page.locator("#inside-prose h3, #inside-cell-picture svg, #inside-unit-picture svg").first.wait_for(
        state="attached"
    )
    return page


def expect_description(page: Page, words: str) -> None:
    """Wait until the description of the cell contains these words."""
    expect(page.locator("#inside-cell-description")).to_contain_text(words)


def test_the_tab_opens_with_the_chapter_and_a_guess_reveals_the_statements(page: Page) -> None:
    page.get_by_role("tab", name="Inside the GRU").click()
    expect(page.get_by_role("heading", name="Memory, and how it fades")).to_be_visible()
    expect(page.locator("#inside-prose .katex").first).to_be_visible()
    expect(page.locator(".course li")).to_have_count(5)
    expect(page.locator(".statements")).to_be_hidden()
    page.get_by_role("radio", name="No, never").check()
    expect(page.locator("#inside-chapter-answer")).to_contain_text("Not so.")
    expect(page.locator(".statements .badge", has_text="depends on the convention")).to_be_visible()


def test_nothing_of_the_tab_is_loaded_with_the_first_page(open_page: Callable[..., Page], address: str) -> None:
    urls: list[str] = []
    page = open_page(address)
    page.on("request", lambda request: urls.append(request.url))
    page.reload()
    page.locator(".verdict-diagnostics").wait_for()
    assert not [url for url in urls if "PlotlyPlot" in url]  # 4.6 MB
    assert "Memory, and how it fades" not in page.content()


def test_cards_are_walked_to_the_end_and_back(open_page: Callable[..., Page], measured_address: str) -> None:
    page = open_card(open_page, measured_address, "chapter")
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


def test_a_slider_updates_drawing_equations_and_description(open_page: Callable[..., Page], address: str) -> None:
    page = open_card(open_page, address, "cell")
    expect_description(page, f"The new state is {format_number(step(FIRST.weights, FIRST.x, FIRST.h).new)}")
    slider = page.get_by_label("range slider for old state h")
    slider.focus()
    page.keyboard.press("End")
    moved = step(FIRST.weights, FIRST.x, 1.0)
    expect_description(page, f"The new state is {format_number(moved.new)}")
    expect(page.locator(".equations")).to_contain_text(format_number(moved.new, 3))
    expect(page.locator("svg.cell")).to_have_attribute("aria-label", re.compile(re.escape(format_number(moved.new))))


def test_a_number_typed_beside_a_slider_is_clamped_to_its_bounds(open_page: Callable[..., Page], address: str) -> None:
    page = open_card(open_page, address, "cell")
    field = page.get_by_label("number input for old state h")
    field.focus()
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")
    page.keyboard.type("7")
    expect_description(page, f"The new state is {format_number(step(FIRST.weights, FIRST.x, 1.0).new)}")
    page.keyboard.press("Control+A")
    page.keyboard.type("-0.25")
    expect_description(page, "Old state −0.25")
    expect(page.get_by_role("dialog")).to_be_hidden()


@pytest.mark.slow
def test_a_preset_and_the_conventions_rewrite_the_cell(open_page: Callable[..., Page], address: str) -> None:
    page = open_card(open_page, address, "cell")
    page.get_by_role("button", name="Keep", exact=True).click()
    expect_description(page, "99.8% of the old state is copied")
    bias = page.get_by_label("number input for z: bias")
    expect(bias).to_have_value("6")
    page.get_by_role("radio", name="Chung et al. 2014").check()
    expect(bias).to_have_value("-6")
    expect_description(page, "update gate 0.00")
    expect_description(page, "99.8% of the old state is copied")
    expect(page.locator("#inside-about-weights")).to_contain_text("computes the same")
    expect(page.locator("svg.cell")).to_contain_text("U(rh) + c")
    page.get_by_role("radio", name="PyTorch").check()
    expect(page.locator("svg.cell")).to_contain_text("U h + c")
    expect(bias).to_have_value("6")


@pytest.mark.slow
def test_a_sequence_is_stepped_through_and_played_to_its_end(open_page: Callable[..., Page], address: str) -> None:
    page = open_card(open_page, address, "cell")
    steps = run(FIRST.weights, SEQUENCE)
    page.get_by_role("button", name="Step", exact=True).click()
    expect_description(page, f"The new state is {format_number(steps[0].new)}")
    expect(page.locator(".inside-trace")).to_have_class(re.compile("inside-marked"))
    page.get_by_role("button", name="Play").click()
    expect(page.locator("#inside-cell-trace")).to_contain_text(f"▸ {len(steps)}")
    expect_description(page, f"The new state is {format_number(steps[-1].new)}")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    page.get_by_label("A sequence of inputs").fill("1, two")
    expect(page.get_by_role("alert").filter(has_text="made of numbers")).to_be_visible()


def test_a_card_chosen_before_the_tab_is_filled_stays(page: Page) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        is_filling = '\\"panel\\"' in (route.request.post_data or "")
        held.append(route) if is_filling else route.continue_()

    page.route("**/gradio_api/run/**", hold)
    with page.expect_request(lambda request: '\\"panel\\"' in (request.post_data or "")):
        page.get_by_role("tab", name="Inside the GRU").click()
    page.get_by_role("radio", name="One cell").check()
    expect(page.get_by_role("heading", name="One cell")).to_be_visible()
    for route in held:
        route.continue_()
    expect(page.locator("#inside-cell-picture svg")).to_be_visible()  # it came with the answer that was held
    expect(page.get_by_role("heading", name="The chapter", exact=True)).to_be_hidden()


def test_the_trained_model_chosen_before_the_tab_is_filled_reads_the_text(page: Page) -> None:
    answers: list[tuple[Route, APIResponse]] = []

    def hold_the_answer(route: Route) -> None:
        is_filling = '\\"panel\\"' in (route.request.post_data or "")
        answers.append((route, route.fetch())) if is_filling else route.continue_()

    page.route("**/gradio_api/run/**", hold_the_answer)
    with page.expect_request(lambda request: '\\"panel\\"' in (request.post_data or "")):
        page.get_by_role("tab", name="Inside the GRU").click()
    with page.expect_response(lambda response: '"pytorch"' in (response.request.post_data or "")):  # no text is set yet
        page.get_by_role("radio", name="In the model").check()
    expect(page.get_by_role("heading", name="In the model")).to_be_visible()
    for route, answer in answers:
        route.fulfill(response=answer)
    expect(page.locator(".inside-reading mark")).to_be_visible()


def test_a_card_chosen_while_another_one_is_loading_is_shown_next(page: Page) -> None:
    page.get_by_role("tab", name="Inside the GRU").click()
    expect(page.get_by_role("heading", name="The chapter", exact=True)).to_be_visible()
    held: list[Route] = []
    page.route("**/gradio_api/run/**", lambda route: held.append(route), times=1)
    with page.expect_request("**/gradio_api/run/**"):
        page.get_by_role("radio", name="One cell").check()
    page.get_by_role("radio", name="Vanishing gradient").check()
    with page.expect_response(
        lambda response: '"gradient"' in (response.request.post_data or "")
    ):  # only after the first
        held[0].continue_()
    expect(page.get_by_role("heading", name="Vanishing gradient")).to_be_visible()
    expect(page.get_by_role("radio", name="Vanishing gradient")).to_be_checked()


@pytest.mark.slow
def test_a_guess_sets_the_sliders_to_the_step_of_the_question(open_page: Callable[..., Page], address: str) -> None:
    page = open_card(open_page, address, "cell")
    page.get_by_role("radio", name="Nearer to the candidate").check()
    expect(page.locator("#inside-cell-answer")).to_contain_text("As you said.")
    expect(page.get_by_label("number input for old state h")).to_have_value("0.8")


def test_the_trained_model_reads_the_text_and_token_of_the_sentiment_tab(page: Page) -> None:
    page.get_by_label("Your text").fill(TEXT)
    page.get_by_label("Your text").press("Enter")
    page.locator(".token", has_text="loved").click()
    page.get_by_role("tab", name="Inside the GRU").click()
    page.get_by_role("radio", name="In the model").check()
    expect(page.locator(".inside-reading mark")).to_have_text("loved")
    expect(page.get_by_label("A text for the model")).to_have_value(TEXT)
    expect(page.locator("#inside-unit-description")).to_contain_text("at “loved”")
    page.get_by_label("range slider for Token").focus()
    page.keyboard.press("Home")
    expect(page.locator(".inside-reading mark")).to_have_text("Not")
    page.get_by_role("radio", name=re.compile("Backward")).check()
    page.get_by_role("button", name="Go to the unit").click()
    expect(page.locator("#inside-unit-equations")).to_contain_text("of torch.nn.GRU differ by")
    page.get_by_label("A text for the model").fill("<img src=x onerror='window.ran = true'> dull")
    page.get_by_label("A text for the model").press("Enter")
    expect(page.locator("#inside-reading")).to_contain_text("onerror")
    assert page.evaluate("window.ran") is None


def test_a_text_entered_while_another_one_is_read_is_read_next(page: Page) -> None:
    page.get_by_role("tab", name="Inside the GRU").click()
    page.get_by_role("radio", name="In the model").check()
    expect(page.locator(".inside-reading mark")).to_be_visible()
    held: list[Route] = []
    page.route("**/gradio_api/run/**", lambda route: held.append(route), times=1)
    with page.expect_request("**/gradio_api/run/**"):
        page.get_by_role("button", name="Go to the unit").click()
    page.get_by_label("A text for the model").fill("dull and dreary")
    page.get_by_label("A text for the model").press("Enter")
    held[0].continue_()
    expect(page.locator("#inside-reading")).to_contain_text("dull and dreary")


def panels() -> list[str]:
    items = json.loads(SHIPPED_BANK.read_text(encoding="utf-8"))["items"]
    return sorted({item["live"]["panel"] for item in items if item.get("live", {}).get("tab") == "inside"})


def test_every_panel_that_the_quiz_names_is_a_card() -> None:
    assert set(panels()) <= {card.name for card in CARDS}
    assert panels()


@pytest.mark.slow
def test_links_of_the_quiz_open_their_cards(open_page: Callable[..., Page], measured_address: str) -> None:
    page = open_card(open_page, measured_address, "unit", text=TEXT, token=1)
    expect(page.locator(".inside-reading mark")).to_have_text("bad")
    for panel in panels():  # in an open page, too
        page.evaluate("link => { location.hash = link }", inside_link(panel))
        expect(page.locator(f"#inside-{panel}")).to_be_visible()
    page.evaluate("link => { location.hash = link }", text_link("Dull."))
    expect(page.get_by_label("Your text")).to_have_value("Dull.")
    page.evaluate("link => { location.hash = link }", inside_link("unit", "Superb.", 0))
    expect(page.locator(".inside-reading mark")).to_have_text("Superb")
    page.get_by_role("tab", name="Quiz").click()
    page.get_by_role("tab", name="Inside the GRU").click()
    expect(page.locator(".inside-reading mark")).to_have_text("Superb")


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_card_is_accessible_and_figures_request_no_other_server(
    open_page: Callable[..., Page], measured_address: str, theme: str
) -> None:
    page = open_page(f"{measured_address}/?__theme={theme}")
    page.get_by_role("tab", name="Inside the GRU").click()
    for card in CARDS:
        page.get_by_role("radio", name=card.title, exact=True).check()
        page.locator(f"#inside-{card.name}-show").click()
        expect(page.locator(f"#inside-{card.name}-answer")).not_to_be_empty()
        if card.name in ("compare", "gradient", "recall"):
            plots = page.locator(f"#inside-{card.name} .js-plotly-plot .main-svg")
            expect(plots.first).to_be_visible()
            expect(page.locator(f"#inside-{card.name} .inside-source").first).to_contain_text("2026-01-31")
        if card.name == "unit":
            page.locator("#inside-unit-picture svg").wait_for()
        assert_accessible(page)


def test_a_phone_needs_no_horizontal_scrolling(open_page: Callable[..., Page], measured_address: str) -> None:
    page = open_card(open_page, measured_address, "chapter", width=390)
    expect(page.get_by_role("tab", name="Files")).to_be_visible()
    for card in CARDS:
        page.get_by_role("radio", name=card.title, exact=True).check()
        page.locator(f"#inside-{card.name}-show").click()
        expect(page.locator(f"#inside-{card.name}-answer")).not_to_be_empty()
        if card.name in ("compare", "gradient", "recall"):
            expect(page.locator(f"#inside-{card.name} .main-svg").first).to_be_visible()
        assert_fits(page)


def test_a_failure_in_a_tab_that_was_built_when_opened_gets_a_report(
    open_page: Callable[..., Page], address: str
) -> None:
    page = open_card(open_page, address, "cell")

    def spoil(route: Route) -> None:
        request = json.loads(route.request.post_data or "{}")
        request["data"] = [None if "," in str(value) else value for value in request["data"]]  # the sequence
        route.continue_(post_data=json.dumps(request))

    page.route("**/gradio_api/run/**", spoil)
    page.get_by_label("range slider for old state h").focus()
    page.keyboard.press("End")
    report = page.get_by_role("dialog").get_by_label("Report")
    expect(report).to_have_value(re.compile("Error id: .*Kind: AttributeError", re.DOTALL))


def test_every_control_is_reachable_by_keyboard(page: Page) -> None:
    press_until(page, "Shift+Tab", "[role=tab]")
    page.get_by_role("tab", name="Inside the GRU").focus()
    page.keyboard.press("Enter")
    page.locator("#inside-cards").wait_for()
    press_until(page, "Tab", "#inside-cards input")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("heading", name="One cell")).to_be_visible()
    press_until(page, "Tab", "#inside-cell-guess input")
    page.keyboard.press("Space")
    expect(page.locator("#inside-cell-answer")).to_contain_text("Not so.")
    press_until(page, "Tab", "#inside-presets button:nth-of-type(2)")
    page.keyboard.press("Enter")
    expect_description(page, "99.8%")
    press_until(page, "Tab", "#inside-step")
    page.keyboard.press("Enter")
    expect(page.locator("#inside-cell-trace")).to_contain_text("▸ 1")
