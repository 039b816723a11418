"""A class in a browser: the teacher makes an exam, a learner follows its link, and the teacher reads the results."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from benchmarks.app_server import serve
from quiz.bank import load_bank
from quiz.class_records import STAGE, TEXT
from quiz.class_store import ClassStore
from quiz.classes import ClassOptions, assign_condition, link_of, make_class
from quiz.store import Store
from tests.browser.checks import assert_accessible, assert_fits

pytestmark = pytest.mark.browser

TOKEN = "a token of the teacher"
IDS = ["gru-anatomy-001", "gru-placement-006"]


def make_exam(page: Page, address: str, width: int) -> str:
    """Make a class on the teacher's page; return its link."""
    page.goto(f"{address}/teacher")
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Open").click()
    page.get_by_role("link", name="Classes").click()
    assert Axe().run(page).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_label("Title").fill("Week 3")
    page.get_by_label("Or the questions themselves").fill("\n".join(IDS))
    page.get_by_label("Deadline, in UTC").fill((datetime.now(UTC) + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M"))
    page.get_by_label("Right answers and results").select_option("after deadline")
    page.get_by_role("button", name="Make the class").click()
    link = page.get_by_role("link", name="#class=")
    expect(link).to_be_visible()
    assert Axe().run(page).response["violations"] == []
    return str(link.inner_text())


def take_exam(page: Page, address: str, link: str) -> None:
    """Follow the link of a class, and answer its questions."""
    page.goto(f"{address}/{link}")
    expect(page.locator("#quiz-class-info")).to_contain_text("Week 3")
    expect(page.locator("#quiz-class-info")).to_contain_text("What is stored")
    assert_accessible(page)
    assert_fits(page)
    page.get_by_label("Nickname, or nothing").fill("Ada")
    page.get_by_role("button", name="Begin").click()
    expect(page.locator("#quiz-sitting")).to_contain_text("You are Ada")
    expect(page.locator("#quiz-class-join")).to_be_hidden()
    single, several = (next(item for item in load_bank().items if item.id == item_id) for item_id in IDS)
    page.get_by_role("button", name=single.correct_option.text).click()
    expect(page.locator("#quiz-progress")).to_contain_text("Question 1 of 2")  # a tap does not submit
    page.reload()  # the run goes on where it was
    page.get_by_role("tab", name="Quiz").click()
    expect(page.locator("#quiz-progress")).to_contain_text("Question 1 of 2")
    page.get_by_role("button", name=single.correct_option.text).click()
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(page.locator("#quiz-progress")).to_contain_text("Question 2 of 2")
    expect(page.locator("#quiz-progress")).not_to_contain_text("right")
    assert_accessible(page)
    assert_fits(page)
    page.locator("#quiz-options button").first.click()
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(page.locator("#quiz-results")).to_contain_text("Your answers are in")
    assert_accessible(page)
    assert several.explanation not in page.content()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_a_teacher_makes_an_exam_and_a_learner_takes_it(
    browser: Browser, tmp_path: Path, width: int, scheme: str
) -> None:
    database = f"sqlite:///{tmp_path / 'quiz.sqlite3'}"
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    context.set_default_timeout(180_000)
    teacher, learner = context.new_page(), context.new_page()
    with serve(DATABASE_URL=database, TEACHER_TOKEN=TOKEN) as address:
        link = make_exam(teacher, address, width)
        take_exam(learner, address, link)
        teacher.get_by_role("link", name="Results").click()
        expect(teacher.get_by_role("rowheader", name="Ada")).to_be_visible()
        expect(teacher.get_by_text("1 learner, 1 run, 2 answers.")).to_be_visible()
        assert Axe().run(teacher).response["violations"] == []
        assert teacher.evaluate("document.documentElement.scrollWidth") <= width
        teacher.get_by_role("link", name="Delete them now").click()
        assert Axe().run(teacher).response["violations"] == []
        teacher.get_by_role("button", name="Delete the class and its answers").click()
        expect(teacher.get_by_text("There is no class yet.")).to_be_visible()
        store = Store(database)
        assert ClassStore(store).classes() == []
        assert list(store.attempts()) == []
        store.close()
    context.close()


def test_a_learner_of_a_study_with_the_text_only_sees_no_stage(browser: Browser, tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'quiz.sqlite3'}"
    store = Store(database)
    study, _ = make_class(load_bank(), ClassOptions("A study", item_ids=tuple(IDS), randomized=True))
    ClassStore(store).add(study)
    store.close()
    names = [f"learner {number}" for number in range(40)]
    shown = {
        condition: next(n for n in names if assign_condition(study, n) == condition) for condition in (TEXT, STAGE)
    }
    with serve(DATABASE_URL=database) as address:
        for condition, nickname in shown.items():
            context = browser.new_context(viewport={"width": 1280, "height": 900})
            context.set_default_timeout(180_000)
            page = context.new_page()
            page.goto(f"{address}/{link_of(study, '')}")
            page.get_by_label("Nickname, or nothing").fill(nickname)
            page.get_by_role("button", name="Begin").click()
            expect(page.locator("#quiz-sitting")).to_contain_text(f"You are {nickname}")
            for _ in range(2):  # the second time after a reload
                page.get_by_role("tab", name="Inside the GRU").click()
                expect(page.locator("#inside-cards").get_by_text("The chapter")).to_be_visible()
                expect(page.locator("#inside-prose")).to_contain_text("A gated recurrent unit mixes")
                cards = page.locator("#inside-cards").get_by_text("Two gates")
                expect(cards).to_be_visible(visible=condition == STAGE)
                expect(page.locator("#inside-next")).to_be_visible(visible=condition == STAGE)
                page.reload()
            context.close()
