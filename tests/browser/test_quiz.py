"""The quiz in the real app: a run by keyboard, reloads, proofs, links and accessibility."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect
from pydantic import SecretStr

import app
from quiz.bank import SHIPPED_BANK, load_bank
from quiz.bank.parameters import fill
from quiz.records import Attempt
from quiz.store import Store
from sentiment_gru.web.settings import Settings
from tests.browser.checks import assert_accessible, assert_fits, assert_good, press_until
from tests.browser.conftest import serve_here

pytestmark = pytest.mark.browser

ASKED = ["gru-anatomy-001", "gru-placement-006", "gru-update-003", "gru-use-001"]  # and one with a link
ASKED += ["gru-parameters-012", "gru-shapes-009", "gru-update-012"]  # to order, to match, and with two sliders
RIGHT = "The output gate"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("quiz")


@pytest.fixture(scope="module")
def quiz_address(folder: Path) -> Iterator[str]:
    """Serve shipped questions of each type, without drawn numbers, with a database whose folder can be moved away."""
    bank = json.loads(SHIPPED_BANK.read_text(encoding="utf-8"))
    asked = [item | {"prereq": [], "enemies": []} for item in bank["items"] if item["id"] in ASKED]
    bank["items"] = [fill(item, item["example"]) if "parameters" in item else item for item in asked]
    (folder / "bank.json").write_text(json.dumps(bank))
    (folder / "store").mkdir()
    store = Store(f"sqlite:///{folder / 'store' / 'quiz.sqlite3'}")
    settings = Settings(quiz_secret=SecretStr("of the tests"))
    with serve_here(app.build_app(bank=load_bank(folder / "bank.json"), store=store, settings=settings)) as url:
        yield url
    store.close()


@pytest.fixture
def quiz(open_page: Callable[..., Page], quiz_address: str) -> Page:
    return open_quiz(open_page(quiz_address))


def open_tab(page: Page) -> None:
    page.get_by_role("tab", name="Quiz").click()
    page.locator("#quiz-progress").get_by_text("Question").wait_for()


def open_quiz(page: Page) -> Page:
    """Open the tab, and wait for a question that can be answered."""
    open_tab(page)
    wait_for_question(page)
    return page


def wait_for_question(page: Page) -> None:
    page.locator("#quiz-skip").wait_for()
    page.locator(
        ":is(#quiz-options button, #quiz-options select, #quiz-sliders input:enabled, "
        "#quiz-number textarea:enabled, #quiz-number input:enabled)"
    ).first.wait_for()


def question_type(page: Page) -> str:
    """Return the type of the open question."""
    if page.locator("#quiz-number").is_visible():
        return "numeric"
    if page.locator("#quiz-sliders").is_visible():
        return "slider"
    return next(
        kind for kind in ("single", "multi", "order", "match") if page.locator(f"#quiz-options .quiz-{kind}").count()
    )


def answer(page: Page, press: Callable[[Locator], None] = Locator.click) -> None:
    """Answer the open question with the mouse, or with a finger; a number is right."""
    kind = question_type(page)
    if kind == "numeric":
        page.get_by_label("Your answer").fill("−0,1")
    elif kind == "slider":
        for slider in page.get_by_role("slider").all():
            slider.fill("1")
    elif kind == "order":
        for button in page.locator("#quiz-options button").all():
            press(button)
    elif kind == "match":
        for menu in page.locator("#quiz-options select").all():
            menu.select_option("A")
    else:
        press(page.locator("#quiz-options button").first)
    if kind != "single":
        press(page.get_by_role("button", name="Submit"))
    page.locator("#quiz-next").wait_for()
    expect(page.locator("#quiz-explanation")).not_to_be_empty()  # Markdown, which is drawn after all else
    has_focus(page, "#quiz-next")  # which the page gives it a moment later


def go_on(page: Page, press: Callable[[Locator], None] = Locator.click) -> None:
    before = page.locator("#quiz-progress").inner_text()
    press(page.locator("#quiz-next"))
    expect(page.locator("#quiz-progress")).not_to_have_text(before)
    page.locator("#quiz-next").wait_for(state="hidden")
    wait_for_question(page)


def go_to(page: Page, name: str) -> None:
    """Answer and go on until a question of this type is open."""
    while question_type(page) != name:
        answer(page)
        go_on(page)


def test_a_formula_stays_in_the_line_of_its_option_and_is_in_its_name(quiz: Page) -> None:
    go_to(quiz, "multi")
    quiz.locator("#quiz-options math").first.wait_for()
    tree = quiz.context.new_cdp_session(quiz).send("Accessibility.getFullAXTree")
    names = {node["name"]["value"] for node in tree["nodes"] if node.get("role", {}).get("value") == "button"}
    assert any(name[2:] == "r t = 0.5 in every unit" for name in names), names
    formulas = quiz.locator("#quiz-options span:has(> .katex), #quiz-options .katex")
    for _ in ("open", "answered"):
        formulas.first.wait_for()
        displays = formulas.evaluate_all("(all) => all.map((one) => getComputedStyle(one).display)")
        assert displays
        assert "block" not in displays
        if quiz.locator("#quiz-submit").is_visible():
            answer(quiz)


def has_focus(page: Page, selector: str) -> None:
    page.wait_for_function("selector => document.activeElement.matches(selector)", arg=selector)


def test_the_keyboard_is_enough_from_the_first_question_to_the_thanks(quiz: Page) -> None:
    press_until(quiz, "Tab", "#quiz-hint")
    quiz.keyboard.press("Enter")
    expect(quiz.locator("#quiz-hints")).to_contain_text("Count the gates")
    has_focus(quiz, "#quiz-hints")
    for number in range(len(ASKED)):
        answer_by_keyboard(quiz)
        expect(quiz.locator("#quiz-feedback")).to_contain_text("ight.")
        has_focus(quiz, "#quiz-next")
        quiz.keyboard.press("Enter")
        if number < len(ASKED) - 1:
            expect(quiz.locator("#quiz-progress")).to_contain_text(f"Question {number + 2} of {len(ASKED)}")
            has_focus(quiz, "#quiz-stem")
    has_focus(quiz, "#quiz-results")
    expect(quiz.locator("#quiz-results")).to_contain_text(f"of {len(ASKED)} right")
    press_until(quiz, "Tab", "#quiz-clear input")
    quiz.keyboard.press("Space")
    press_until(quiz, "Tab", "#quiz-text textarea")
    quiz.keyboard.type("Nothing.")
    press_until(quiz, "Tab", "#quiz-send")
    quiz.keyboard.press("Enter")
    expect(quiz.locator("#quiz-thanks")).to_contain_text("Thank you.")
    has_focus(quiz, "#quiz-thanks")


def test_a_finger_is_enough_from_the_first_question_to_the_results(
    new_context: Callable[..., BrowserContext], quiz_address: str
) -> None:
    page = new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True).new_page()
    page.goto(quiz_address)
    open_quiz(page)
    for _ in ASKED[1:]:
        answer(page, Locator.tap)
        go_on(page, Locator.tap)
    answer(page, Locator.tap)
    page.locator("#quiz-next").tap()
    page.locator("#quiz-results").get_by_text(f"of {len(ASKED)}").first.wait_for()


def answer_by_keyboard(page: Page) -> None:
    kind = question_type(page)
    if kind == "numeric":
        press_until(page, "Tab", "#quiz-number :is(input, textarea)")
        page.keyboard.type("-1/10")
        page.keyboard.press("Enter")
        return
    if kind == "slider":
        for number in range(page.get_by_role("slider").count()):
            press_until(page, "Tab", f"#quiz-sliders .quiz-slider:nth-of-type({number + 1}) input")
            page.keyboard.press("End")
            expect(page.locator("#quiz-sliders output").nth(number)).to_have_text("1")
        press_until(page, "Tab", "#quiz-submit")
        page.keyboard.press("Enter")
        return
    if kind == "match":
        for number in range(1, 5):
            press_until(page, "Tab", f"#quiz-options ol li:nth-child({number}) select")
            page.keyboard.press("B")
        press_until(page, "Tab", "#quiz-submit")
        page.keyboard.press("Enter")
        return
    if kind == "order":
        for number in (1, 2, 3, 4):
            press_until(page, "Tab", f"#quiz-options li:nth-child({number}) button")
            page.keyboard.press("Space")
            expect(page.locator("#quiz-options button").nth(number - 1)).to_have_attribute("data-place", str(number))
        press_until(page, "Tab", "#quiz-submit")
        page.keyboard.press("Enter")
        return
    press_until(page, "Tab", "#quiz-options li:nth-child(2) button")
    page.keyboard.press("Space")
    if kind == "multi":
        expect(page.locator("#quiz-options button").nth(1)).to_have_attribute("aria-pressed", "true")
        press_until(page, "Tab", "#quiz-submit")
        page.keyboard.press("Enter")


def test_a_second_tap_states_the_confidence_of_those_who_want_to_be_asked(quiz: Page, folder: Path) -> None:
    quiz.get_by_label("Ask me how sure I am").check()
    quiz.locator("#quiz-options button").first.click()
    quiz.locator("#quiz-options button").nth(1).click()
    expect(quiz.locator("#quiz-options button[aria-pressed=true]")).to_have_count(1)
    quiz.get_by_role("button", name="Fairly sure").click()
    expect(quiz.locator("#quiz-feedback")).to_contain_text("You chose B.")
    assert stored(folder)[-1].confidence == 60


def test_who_does_not_know_sees_the_right_answer(quiz: Page, folder: Path) -> None:
    quiz.get_by_role("button", name="I don't know").click()
    expect(quiz.get_by_role("status").filter(has_text="You did not know.")).to_be_visible()
    expect(quiz.locator("#quiz-options .quiz-right")).to_have_text("✓ Correct answer")
    assert stored(folder)[-1].answer == ("?",)
    has_focus(quiz, "#quiz-next")


def test_a_second_tap_takes_an_option_out_of_the_order(quiz: Page, folder: Path) -> None:
    go_to(quiz, "order")
    buttons = quiz.locator("#quiz-options button")
    for number in (0, 1, 2, 0, 3, 0):
        buttons.nth(number).click()
    places = [button.get_attribute("data-place") for button in buttons.all()]
    assert places == ["4", "1", "2", "3"]
    shown = [button.locator("code").inner_text() for button in buttons.all()]
    quiz.get_by_role("button", name="Submit").click()
    quiz.locator("#quiz-next").wait_for()
    item = next(item for item in load_bank().items if item.id == "gru-parameters-012")
    texts = {option.oid: option.text.replace("`", "") for option in item.options}
    assert [texts[oid] for oid in stored(folder)[-1].answer] == [*shown[1:], shown[0]]


def stored(folder: Path) -> list[Attempt]:
    return list(Store(f"sqlite:///{folder / 'store' / 'quiz.sqlite3'}").attempts())


def test_the_feedback_is_announced_and_names_the_right_answer(quiz: Page) -> None:
    options = quiz.locator("#quiz-options li")
    options.filter(has_text=RIGHT).click()
    expect(quiz.get_by_role("status").filter(has_text="Right.")).to_be_visible()
    expect(quiz.locator("#quiz-progress")).to_contain_text("1 of 1 right")
    quiz.get_by_role("button", name="Start with these").click()
    expect(quiz.locator("#quiz-progress")).not_to_contain_text("right")
    options.filter(has_not_text=RIGHT).first.click()
    expect(quiz.get_by_role("status").filter(has_text="Not right.")).to_be_visible()
    expect(quiz.locator("#quiz-feedback")).to_contain_text("Correct answer:")


def test_a_reload_resumes_the_run_with_its_answers_unless_its_token_was_tampered_with(quiz: Page) -> None:
    options = quiz.locator("#quiz-options")
    options.locator("li").filter(has_not_text=RIGHT).first.click()
    options.locator(".quiz-right").wait_for()
    shown = options.inner_text()
    quiz.reload()
    open_tab(quiz)
    expect(quiz.locator("#quiz-feedback")).to_contain_text("Not right.")
    expect(options).to_have_text(shown, use_inner_text=True)
    expect(quiz.locator("#quiz-skip")).to_be_hidden()
    quiz.evaluate("localStorage.setItem('gru-quiz', 'nonsense')")
    quiz.reload()
    open_quiz(quiz)
    expect(quiz.locator("#quiz-progress")).to_contain_text(f"Question 1 of {len(ASKED)}")
    expect(quiz.locator("#quiz-skip")).to_be_visible()


def test_an_unreadable_answer_is_not_counted_and_remains(quiz: Page) -> None:
    quiz.get_by_label("Ask me how sure I am").check()
    quiz.get_by_role("button", name="A guess").click()
    expect(quiz.locator("#quiz-feedback")).to_contain_text("Choose an answer first")
    quiz.get_by_label("Ask me how sure I am").uncheck()
    go_to(quiz, "numeric")
    quiz.get_by_label("Your answer").fill("about six")
    quiz.get_by_role("button", name="Submit").click()
    expect(quiz.locator("#quiz-feedback")).to_contain_text("not a number")
    expect(quiz.get_by_label("Your answer")).to_have_value("about six")
    quiz.get_by_label("Your answer").fill("0.5")
    quiz.get_by_role("button", name="Submit").click()
    expect(quiz.locator("#quiz-feedback")).to_contain_text("You answered 0.5.")


def test_a_proof_is_shown_until_the_next_question(quiz: Page) -> None:
    answer(quiz)
    quiz.get_by_role("button", name="Run the proof").click()
    expect(quiz.locator("#quiz-proof")).to_contain_text("Proved.")
    expect(quiz.locator("#quiz-proof")).to_contain_text("The code that ran")
    has_focus(quiz, "#quiz-proof")
    go_on(quiz)
    expect(quiz.locator("#quiz-proof")).not_to_contain_text("Proved.")


def test_see_it_live_opens_a_card_with_the_numbers_of_the_question(
    open_page: Callable[..., Page], quiz_address: str
) -> None:
    page = open_quiz(open_page(quiz_address, width=390))
    go_to(page, "numeric")
    answer(page)
    summary, card = page.locator("details.quiz-live summary").first, page.locator("gru-sliders")
    expect(card).to_be_hidden()
    summary.focus()
    page.keyboard.press("Enter")
    caption = card.locator(".stage-caption")
    expect(caption).to_have_text("25% of 0.80 and 75% of −0.40 give −0.10.")
    expect(summary).to_be_in_viewport()
    assert_good(page)
    summary.focus()  # wherever the checks have left the focus
    press_until(page, "Tab", "gru-sliders [name=z]")
    page.keyboard.press("End")
    expect(caption).to_contain_text("give 0.80.")
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    has_focus(page, ".quiz-live summary")
    summary.click()
    page.get_by_role("link", name="Open this card in its tab").click()
    expect(page.locator("#inside-cell")).to_be_visible()
    open_tab(page)
    page.locator("#quiz-next").click()
    expect(page.locator("details.quiz-live")).to_be_hidden()


def test_see_it_live_opens_the_text_with_its_token(quiz: Page) -> None:
    link = quiz.locator("a.quiz-live[href^='#text=']")  # other links open the tab Inside the GRU
    for _ in ASKED:
        answer(quiz)
        if link.count():
            break
        go_on(quiz)
    link.click()
    expect(quiz.get_by_label("Your text")).to_have_value("Good, not just long.")
    expect(quiz.locator(".why .token").first).to_have_attribute("aria-pressed", "true")
    open_tab(quiz)
    expect(quiz.locator("#quiz-feedback")).to_contain_text("ight.")


def test_a_notice_is_shown_while_the_database_is_unavailable(quiz: Page, folder: Path) -> None:
    shutil.move(folder / "store", folder / "moved")
    try:
        answer(quiz)
        expect(quiz.get_by_role("status").filter(has_text="not being stored")).to_be_visible()
    finally:
        shutil.move(folder / "moved", folder / "store")
    before = len(stored(folder))
    go_on(quiz)
    expect(quiz.get_by_text("not being stored")).to_be_hidden()
    assert len(stored(folder)) == before + 1


@pytest.mark.slow
@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_every_state_is_accessible_and_fits_a_phone(
    open_page: Callable[..., Page], quiz_address: str, theme: str, width: int
) -> None:
    page = open_quiz(open_page(f"{quiz_address}?__theme={theme}", width=width))
    page.get_by_role("button", name="Show a hint").click()
    page.get_by_text("Count the gates").wait_for()
    for number in range(len(ASKED)):
        check_page(page)
        if width < 640:
            assert_fits_a_screen(page)
        answer(page)
        page.get_by_role("button", name="Run the proof").click()
        page.locator("#quiz-proof .proof").wait_for()
        check_page(page)  # with the feedback above the proof
        if number < len(ASKED) - 1:
            go_on(page)
    page.locator("#quiz-next").click()
    page.locator("#quiz-levels table").wait_for()
    check_page(page)
    page.get_by_role("radio", name="Yes").check()
    page.get_by_role("button", name="Send").click()
    page.get_by_text("Thank you.").wait_for()
    check_page(page)


def assert_fits_a_screen(page: Page, height: int = 844) -> None:
    """Check that the question with its options and buttons is not higher than the screen of a phone."""
    top, bottom = (page.locator(name).bounding_box() for name in ("#quiz-progress", "#quiz-actions"))
    assert top
    assert bottom
    assert bottom["y"] + bottom["height"] - top["y"] <= height


def check_page(page: Page) -> None:
    assert_accessible(page)
    assert_fits(page)
