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
    assert_good(page)
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
    assert_good(page)
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
    page.get_by_label("A bank that you have downloaded").set_input_files(mine)
    page.get_by_role("button", name="Open the file").click()
    expect(page.get_by_text("Your bank has 94 questions.")).to_be_visible()
    page.get_by_role("button", name="Begin again with the bank of the app").click()
    expect(page.get_by_text("This is the bank of the app, with 94 questions.")).to_be_visible()
    assert errors == []
