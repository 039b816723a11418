"""The question editor in a browser: a live preview, messages beside the fields, and a bank that is downloaded."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from quiz.bank import SHIPPED_BANK, load_bank
from tests.browser.checks import assert_good, assert_no_script_ran, press_until
from tests.browser.conftest import TOKEN

pytestmark = pytest.mark.browser


def change_a_question(page: Page) -> None:
    """Change a shipped question by keyboard, and watch the preview and the messages."""
    page.get_by_text("Anatomy 6").click()
    page.get_by_role("link", name="gru-anatomy-002").click()
    expect(page.locator("#preview #quiz-options li")).to_have_count(4)
    press_until(page, "Tab", "[name=stem]")
    page.keyboard.press("Control+End")
    page.keyboard.type(r" Not $\frac{1}{2}$ <img src=x onerror='window.ran=1'>")
    expect(page.locator("#preview #quiz-stem math mfrac")).to_be_visible()  # drawn by KaTeX, as for learners
    expect(page.locator("#preview #quiz-stem")).to_contain_text("<img src=x")
    expect(page.locator("#lint-stem")).to_contain_text("the stem contains 'Not'")
    expect(page.get_by_text("The linter has 1 message, beside")).to_be_visible()
    assert_good(page)
    assert_no_script_ran(page)
    page.get_by_label("Question Markdown").fill("Which of these belong to a **GRU**?")
    expect(page.locator("#preview #quiz-stem strong")).to_have_text("GRU")
    expect(page.locator("#lint-stem")).to_be_empty()
    page.keyboard.press("Enter")  # a new line in the text: nothing is sent
    page.get_by_role("button", name="Keep in my bank").click()
    expect(page.get_by_role("status")).to_contain_text("Kept in your bank: gru-anatomy-002")
    assert_good(page)


def write_a_question(page: Page) -> None:
    """Write a question with a number into an empty bank."""
    page.get_by_role("button", name="Begin an empty bank").click()
    page.get_by_role("link", name="New question").click()
    expect(page.get_by_label("Topic")).to_be_visible()
    page.get_by_label("Topic").fill("Padding")
    page.get_by_label("Kind of answer").select_option("numeric")
    expect(page.get_by_label("Option 1", exact=True)).to_be_hidden()
    page.get_by_label("Question Markdown").fill("What is $1/2$?")
    page.get_by_label("Right number", exact=True).fill("half")
    expect(page.locator("#lint-value")).to_have_text("'half' should be a number")
    page.get_by_role("button", name="Keep in my bank").click()
    expect(page.get_by_role("alert")).to_contain_text("Not kept: the quiz would refuse this question.")
    assert_good(page)
    page.get_by_label("Right number", exact=True).fill("0.5")
    expect(page.locator("#preview")).to_contain_text("You answered 0.5.")
    page.get_by_role("button", name="More numbers").click()
    page.get_by_label("Wrong number 4", exact=True).fill("2")
    page.get_by_label("Feedback on wrong number 4").fill("The other way round.")
    page.get_by_role("button", name="Keep in my bank").click()
    expect(page.get_by_role("link", name="padding-1").first).to_be_visible()


def write_a_question_to_match(page: Page) -> None:
    """Write a question to match by keyboard, and move one of its rows."""
    page.get_by_role("link", name="New question").click()
    page.get_by_label("Topic").fill("Padding")
    page.get_by_label("Kind of answer").select_option("match")
    expect(page.get_by_label("Option 1 is right")).to_be_hidden()
    page.get_by_label("Question Markdown").fill("Match each text with what is done to it.")
    press_until(page, "Tab", "[name=prompt-0]")
    for text in ("Long texts", "Cut", "Short texts", "Pad"):
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    expect(page.locator("#preview #quiz-options ol li")).to_have_text(["Long texts", "Short texts"])
    expect(page.locator("#lint-right")).to_contain_text("feedback for a correct answer")
    assert_good(page)
    expect(page.get_by_role("button", name="Move option 2 up")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Prompt 1", exact=True)).to_have_value("Short texts")
    expect(page.get_by_label("Option 1", exact=True)).to_be_focused()
    page.get_by_label("Prompt 3", exact=True).fill("Zeros")
    expect(page.locator("#lint-option-2")).to_contain_text("this is empty")
    page.get_by_role("button", name="Keep in my bank").click()
    expect(page.get_by_role("alert")).to_contain_text("Not kept: the quiz would refuse this question.")
    page.get_by_label("Option 3", exact=True).fill("Pad")
    expect(page.locator("#preview")).to_contain_text("After the right answer")
    page.get_by_role("button", name="Keep in my bank").click()
    expect(page.get_by_role("status")).to_contain_text("Kept in your bank: padding-2")


def write_an_order(page: Page, stem: str) -> None:
    """Turn the question into one to order, and press the button to keep it."""
    page.get_by_label("Kind of answer").select_option("order")
    page.get_by_label("Question Markdown").fill(stem)
    page.get_by_label("Option 2", exact=True).fill("Pack")
    page.get_by_label("Option 3", exact=True).fill("Read")
    expect(page.locator("#preview")).to_contain_text(stem)
    expect(page.locator("#preview")).to_contain_text("After another answer")
    page.get_by_role("button", name="Keep in my bank").click()


def change_it_in_two_tabs(page: Page) -> None:
    """Change that question in two tabs, of which the second one does not overwrite the first unasked."""
    kept = "Kept in your bank: padding-2"
    page.locator("#question-padding-2").get_by_role("link").click()
    expect(page.get_by_label("Kind of answer")).to_have_value("match")
    second = page.context.new_page()
    second.goto(page.url)
    write_an_order(page, "Put these in order.")
    expect(page.get_by_role("status")).to_contain_text(kept)
    write_an_order(second, "In which order?")
    expect(second.get_by_role("alert")).to_contain_text("changed in another tab")
    expect(second.get_by_label("Question Markdown")).to_have_value("In which order?")
    assert_good(second)
    second.get_by_role("button", name="Keep in my bank").click()
    expect(second.get_by_role("status")).to_contain_text(kept)
    second.close()
    page.reload()
    expect(page.get_by_text("In which order?")).to_be_visible()


def test_a_teacher_writes_questions_and_downloads_the_bank(
    new_context: Callable[..., BrowserContext], address: str, tmp_path: Path
) -> None:
    page = new_context(accept_downloads=True).new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if "the script" in message.text else None)
    mine, shipped = tmp_path / "mine.json", json.loads(SHIPPED_BANK.read_text(encoding="utf-8"))
    page.goto(f"{address}/teacher")
    page.get_by_label("Token").fill(TOKEN)
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Questions of your own").click()
    expect(page.get_by_role("heading", name="Another bank")).to_be_visible()
    assert_good(page)
    change_a_question(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download bank").click()
    download.value.save_as(mine)
    changed = [
        item for item, before in zip(load_bank(mine).data["items"], shipped["items"], strict=True) if item != before
    ]
    assert [item["stem"] for item in changed] == ["Which of these belong to a **GRU**?"]
    write_a_question(page)
    write_a_question_to_match(page)
    change_it_in_two_tabs(page)
    page.get_by_label("A bank that you have downloaded").set_input_files(mine)
    page.get_by_role("button", name="Open the file").click()
    expect(page.get_by_text("Your bank has 94 questions.")).to_be_visible()
    page.get_by_role("button", name="Begin again with the bank of the app").click()
    expect(page.get_by_text("This is the bank of the app, with 94 questions.")).to_be_visible()
    assert errors == []
