"""The explanation of a verdict in the real app: tokens, charts, what-if questions, links and downloads."""

import base64
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

import app
from sentiment_gru.web.charts import encode_png
from sentiment_gru.web.model_loader import ClassifierLoader
from sentiment_gru.web.rendering import text_link
from tests.browser.checks import (
    assert_accessible,
    assert_fits,
    assert_no_script_ran,
    press_until,
    wait_until,
    watch_events,
)
from tests.browser.conftest import serve_here
from tests.browser.test_pages import sentence

pytestmark = pytest.mark.browser

TEXT = "Not bad at all, I loved it."
MARKUP = 'Lovely <img src=x onerror="window.ran = true"> ${window.ran = true} {{window.ran = true}} film'


def explain(page: Page, text: str) -> None:
    """Enter a text and wait for its explanation."""
    page.get_by_label("Your text").fill(text)
    page.get_by_label("Your text").press("Enter")
    explained(page, text)


def explained(page: Page, text: str) -> None:
    """Wait for the whole explanation of a text."""
    page.wait_for_function(
        """text => {
            const json = document.querySelector('.why')?.dataset.explanation;
            const explanation = JSON.parse(json ?? '{"text": "", "attributions": [0]}');
            return explanation.text === text && Object.keys(explanation.attributions).length > 0;
        }""",
        arg=text,
    )


def unfold(page: Page) -> None:
    """Open the part of the explanation with methods and proofs."""
    page.get_by_text("How sure can I be of this?").click()


def chosen(page: Page) -> str:
    """Return the token that is marked in the text, after a check that the charts mark it, too."""
    tokens = page.locator(".token")
    marked = page.locator(".token[aria-pressed=true]")
    expect(marked).to_have_count(1)
    share = float(page.evaluate("document.documentElement.style.getPropertyValue('--chosen-from')"))
    assert share == pytest.approx(int(marked.get_attribute("data-index")) / tokens.count())
    expect(page.locator(f".track-column[data-index='{marked.get_attribute('data-index')}']")).to_have_class(
        re.compile("here")
    )
    expect(page.locator(".chosen-title strong")).to_have_text(marked.inner_text())
    return marked.inner_text()


def test_a_token_is_chosen_by_mouse_and_the_word_under_the_pointer_is_marked_everywhere(page: Page) -> None:
    explain(page, TEXT)
    page.locator(".token", has_text="bad").click()
    assert chosen(page) == "bad"
    for fact in ("Integrated gradients", "Leave one out", "As read", "Probability of positive", "candidate n"):
        expect(page.locator(".chosen")).to_contain_text(fact)
    for row in (".track-word", ".track-scores", ".track-movement"):
        page.locator(".track-column").last.locator(row).first.click()
        assert chosen(page) == "."
        page.locator(".track-column").first.locator(row).first.click()
        assert chosen(page) == "Not"
    page.locator(".token", has_text="bad").click()
    page.locator(".track-column", has_text="loved").hover()
    expect(page.locator(".token.here")).to_have_text("loved")
    page.locator(".token", has_text="Not").hover()
    expect(page.locator(".track-column.here .track-word")).to_have_text("Not")
    page.locator("h1").first.hover()
    expect(page.locator(".track-column.here .track-word")).to_have_text("bad")  # the chosen one


def test_the_columns_scroll_to_the_chosen_word(open_page: Callable[..., Page], address: str) -> None:
    page = open_page(address, width=390)
    page.locator(".verdict-diagnostics").wait_for()
    explain(page, "It was slow at first. " * 8 + "Then it was superb.")
    page.wait_for_function(
        """() => {
            const track = document.querySelector('.track')?.getBoundingClientRect();
            const columns = [...document.querySelectorAll('.track-column')];
            const column = columns.find((one) => one.textContent.includes('superb'))?.getBoundingClientRect();
            return column?.left > track?.right;
        }"""
    )
    page.locator(".token", has_text="superb").click()
    page.wait_for_function(
        """() => {
            const track = document.querySelector('.track')?.getBoundingClientRect();
            const column = document.querySelector('.track-column.here')?.getBoundingClientRect();
            return column?.left >= track?.left && column?.right <= track?.right;
        }"""
    )
    expect(page.locator(".track-column.here")).to_contain_text("superb")


def test_an_explanation_drawn_into_the_element_of_another_replaces_it(page: Page) -> None:
    explain(page, TEXT)
    latest = page.locator(".why").evaluate("why => [why.dataset.explanation, why.innerHTML]")
    explain(page, "Dull.")
    page.locator(".token").last.click()
    assert chosen(page) == "."
    # As Gradio does when the answers to two texts arrive shortly after each other.
    draw = "(why, [data, html]) => [why.dataset.explanation, why.innerHTML] = [data, html]"
    page.locator(".why").evaluate(draw, latest)
    expect(page.locator(".token[aria-pressed=true]")).to_have_count(0)
    page.locator(".token", has_text="loved").click()
    assert chosen(page) == "loved"
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as JSON").click()
    found = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    assert found["text"] == TEXT
    assert set(found["attributions"]) == {"integrated_gradients", "leave_one_out", "as_read"}


def test_the_method_is_switched_and_stays_for_the_next_text(page: Page) -> None:
    explain(page, TEXT)
    unfold(page)
    token = page.locator(".token", has_text="bad")
    before = token.evaluate("element => getComputedStyle(element).getPropertyValue('--v')")
    page.get_by_role("radio", name="As read").check()
    expect(page.locator(".why-note[data-method=as_read]")).to_be_visible()
    expect(page.locator(".why-note[data-method=integrated_gradients]")).to_be_hidden()
    assert token.evaluate("element => getComputedStyle(element).getPropertyValue('--v')") != before
    explain(page, "Dull.")
    expect(page.get_by_role("radio", name="As read")).to_be_checked()  # and still unfolded


def test_the_keyboard_is_enough_to_question_a_verdict(page: Page) -> None:
    press_until(page, "Tab", "#sentiment-text textarea")
    page.keyboard.press("Control+A")
    page.keyboard.type(TEXT)
    page.keyboard.press("Enter")
    explained(page, TEXT)
    press_until(page, "Tab", ".token")
    assert chosen(page) == "Not"
    page.keyboard.press("ArrowRight")
    assert chosen(page) == "bad"
    page.keyboard.press("End")
    assert chosen(page) == "."
    page.keyboard.press("Home")
    assert chosen(page) == "Not"
    press_until(page, "Tab", ".why-more summary")
    page.keyboard.press("Enter")
    press_until(page, "Tab", ".why-methods input")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="Leave one out")).to_be_checked()
    press_until(page, "Tab", "#sentiment-what-if button")
    page.keyboard.press("Enter")
    expect(page.locator(".what-if-token")).to_have_text("Not")
    press_until(page, "Tab", "#sentiment-try")
    page.keyboard.press("Enter")
    expect(page.locator("#sentiment-changed del")).to_have_text("Not")
    press_until(page, "Tab", "#sentiment-flip")
    page.keyboard.press("Enter")
    expect(page.locator("#sentiment-changed")).to_contain_text("Found greedily")


def test_a_token_is_replaced(page: Page) -> None:
    explain(page, TEXT)
    page.get_by_role("button", name="What if?").click()
    page.get_by_role("button", name="Try it").click()
    expect(page.locator("#sentiment-changed")).to_contain_text("Choose a token")
    page.locator(".token", has_text="loved").click()
    page.get_by_role("radio", name="Replace it").check()
    page.get_by_label("Replacement").fill("hated")
    page.get_by_role("button", name="Try it").click()
    expect(page.locator("#sentiment-changed ins")).to_have_text("hated")
    expect(page.locator("#sentiment-changed")).to_contain_text("After:")
    explain(page, "Dull.")
    expect(page.locator("#sentiment-changed")).to_be_empty()


def test_the_units_are_drawn_on_demand(page: Page) -> None:
    explain(page, TEXT)
    page.locator(".token", has_text="bad").click()
    page.get_by_role("button", name="Every unit at every token").click()
    page.get_by_role("radio", name="Hidden state h").check()
    expect(page.locator(".heat-map")).to_have_count(2)
    page.get_by_role("radio", name="Update gate z").check()
    expect(page.locator("#sentiment-heat-map")).to_contain_text("update gate z")
    page.locator(".heat-map").first.click(position={"x": 1, "y": 10})
    assert chosen(page) == "Not"


def test_a_link_opens_a_text_with_a_token_chosen(open_page: Callable[..., Page], address: str) -> None:
    page = open_page(address + "/" + text_link(TEXT, token=1))
    expect(page.get_by_label("Your text")).to_have_value(TEXT)
    explained(page, TEXT)
    assert chosen(page) == "bad"
    page.locator(".token", has_text="loved").click()
    page.get_by_role("button", name="Copy a link to this text").click()
    expect(page.get_by_role("button", name="Link copied")).to_be_visible()
    again = open_page(page.url)
    explained(again, TEXT)
    assert chosen(again) == "loved"


def test_a_text_that_fails_is_opened(open_page: Callable[..., Page], address: str) -> None:
    page = open_page(address)
    page.get_by_role("button", name="Where it fails").click()
    link = page.locator(".failures a").first
    text = link.inner_text()
    link.click()
    expect(page.get_by_label("Your text")).to_have_value(text)
    explained(page, text)


def test_a_link_in_another_tab_brings_the_text_to_the_front(page: Page) -> None:
    explained(page, page.get_by_label("Your text").input_value())
    page.get_by_role("tab", name="Quiz").click()
    page.evaluate("link => { location.hash = link }", text_link(TEXT, token=1))
    expect(page.get_by_role("tab", name="Sentiment")).to_have_attribute("aria-selected", "true")
    explained(page, TEXT)
    assert chosen(page) == "bad"


def test_the_next_text_does_not_wait_for_the_explanation_of_the_last(page: Page) -> None:
    pending = watch_events(page)
    page.get_by_label("Your text").fill("It was fine. " * 125)
    page.get_by_label("Your text").press("Enter")
    expect(page.locator(".verdict-diagnostics")).to_contain_text("500 tokens")
    expect(page.get_by_text("Working out why")).to_be_visible()
    page.get_by_label("Your text").fill(TEXT)
    page.get_by_label("Your text").press("Enter")
    explained(page, TEXT)
    wait_until(page, lambda: not pending)  # the long text is explained, too
    explained(page, TEXT)


def test_markup_is_text_and_never_runs(page: Page) -> None:
    explain(page, MARKUP)
    expect(page.locator(".ribbon")).to_have_text(MARKUP)
    page.get_by_role("button", name="What if?").click()
    page.get_by_role("radio", name="Replace it").check()
    for index in range(page.locator(".token").count()):
        page.locator(".token").nth(index).click()
    page.get_by_label("Replacement").fill(MARKUP)
    page.get_by_role("button", name="Try it").click()
    expect(page.locator("#sentiment-changed ins")).to_contain_text("onerror")
    assert_no_script_ran(page)


def test_markup_in_a_link_never_runs(open_page: Callable[..., Page], address: str) -> None:
    page = open_page(address + "/" + text_link(MARKUP, token=2))
    explained(page, MARKUP)
    assert_no_script_ran(page)
    page = open_page(address + "/#text=Fine.&token=<img src=x onerror=window.ran=true>")
    explained(page, "Fine.")
    expect(page.locator(".token[aria-pressed=true]")).to_have_count(0)
    assert_no_script_ran(page)


def test_markup_in_a_label_never_runs_and_the_card_shows_its_plot(
    open_page: Callable[..., Page], tiny_checkpoint: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(tiny_checkpoint, tmp_path / "labels")
    config = json.loads((folder / "config.json").read_text())
    config["id2label"] = {"0": "one", "1": MARKUP, "2": "three"}
    config["label2id"] = {name: int(index) for index, name in config["id2label"].items()}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "plot.png").write_bytes(base64.b64decode(encode_png(np.ones((3, 4)))))
    (folder / "README.md").write_text("# Card\n\n![A plot](plot.png)\n")
    with serve_here(app.build_app(ClassifierLoader(folder))) as address:
        page = open_page(address)
        page.locator(".verdict-diagnostics").wait_for()
        explain(page, "a lovely film")
        expect(page.locator(".scores")).to_contain_text(MARKUP)
        page.locator(".token").first.click()
        expect(page.locator(".chosen")).to_contain_text(MARKUP)
        assert_no_script_ran(page)
        page.get_by_role("button", name="About this model").click()
        expect(page.get_by_role("img", name="A plot")).to_have_js_property("naturalWidth", 4)


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_violation(open_page: Callable[..., Page], address: str, theme: str) -> None:
    page = open_page(f"{address}/?__theme={theme}")
    for text in (TEXT, "Blorf zindle quaxotl vrimp …", "The film opens on Friday. " * 80):
        explain(page, text)
        page.locator(".token").first.click()
        assert_accessible(page)
    unfold(page)
    for method in ("Leave one out", "As read"):
        page.get_by_role("radio", name=method).check()
        assert_accessible(page)
    explain(page, TEXT)
    page.get_by_role("button", name="What if?").click()
    page.get_by_role("radio", name="Replace it").check()
    page.get_by_role("button", name="Find the smallest deletion").click()
    expect(page.locator("#sentiment-changed table")).to_be_visible()
    page.get_by_role("button", name="Every unit at every token").click()
    page.get_by_role("radio", name="Reset gate r").check()
    page.locator(".heat-map").first.wait_for()
    page.get_by_role("button", name="Find the smallest deletion").hover()
    assert_accessible(page)
    sentence(page, "positive")


def test_a_telephone_needs_no_horizontal_scrolling(open_page: Callable[..., Page], address: str) -> None:
    page = open_page(address, width=390)
    page.locator(".verdict-diagnostics").wait_for()
    explain(page, "I did not like it. " * 20 + "x" * 300)
    page.locator(".token").last.click()
    page.get_by_role("button", name="What if?").click()
    page.get_by_role("button", name="Try it").click()
    page.locator("#sentiment-changed table").wait_for()
    page.get_by_role("button", name="Every unit at every token").click()
    page.get_by_role("radio", name="Candidate n").check()
    page.locator(".heat-map").first.wait_for()
    assert_fits(page)
