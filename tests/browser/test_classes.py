"""A class in a browser: the teacher makes an exam, a learner follows its link, and the teacher reads the results."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from quiz.bank import load_bank
from quiz.class_records import STAGE, TEXT
from quiz.class_store import ClassStore
from quiz.classes import ClassOptions, assign_condition, link_of, make_class
from quiz.store import Store
from tests.browser.checks import assert_good
from tests.browser.conftest import TOKEN

pytestmark = pytest.mark.browser

IDS = ["gru-anatomy-001", "gru-placement-006"]


def make_exam(page: Page, address: str) -> str:
    """Make a class on the teacher's page; return its link."""
    page.goto(f"{address}/teacher")
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Open").click()
    page.get_by_role("link", name="Classes").click()
    expect(page.get_by_role("heading", name="A new class")).to_be_visible()
    assert_good(page)
    page.get_by_label("Title").fill("Week 3")
    page.get_by_label("Or the questions themselves").fill("\n".join(IDS))
    page.get_by_label("Deadline, in UTC").fill((datetime.now(UTC) + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M"))
    page.get_by_label("Right answers and results").select_option("after deadline")
    page.get_by_role("button", name="Make the class").click()
    link = page.get_by_role("link", name="#class=")
    expect(link).to_be_visible()
    assert_good(page)
    return str(link.inner_text())


def take_exam(page: Page, address: str, link: str) -> None:
    """Follow the link of a class, and answer its questions."""
    page.goto(f"{address}/{link}")
    expect(page.locator("#quiz-class-info")).to_contain_text("Week 3")
    expect(page.locator("#quiz-class-info")).to_contain_text("What is stored")
    assert_good(page)
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
    assert_good(page)
    page.locator("#quiz-options button").first.click()
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(page.locator("#quiz-results")).to_contain_text("Your answers are in")
    assert_good(page)
    assert several.explanation not in page.content()


def test_a_teacher_makes_an_exam_and_a_learner_takes_it(
    new_context: Callable[..., BrowserContext], address: str, database: str
) -> None:
    teacher, learner = (new_context().new_page() for _ in range(2))
    link = make_exam(teacher, address)
    take_exam(learner, address, link)
    teacher.get_by_role("link", name="Results").click()
    expect(teacher.get_by_role("rowheader", name="Ada")).to_be_visible()
    expect(teacher.get_by_text("1 learner, 1 run, 2 answers.")).to_be_visible()
    assert_good(teacher)
    store = Store(database)
    (made,) = (found for found in ClassStore(store).classes() if found.title == "Week 3")
    (run,) = ClassStore(store).runs(made.code)
    assert len(store.attempts_of(run.run)) == 2
    teacher.get_by_role("link", name="Delete them now").click()
    expect(teacher.get_by_role("heading", name="Delete Week 3?")).to_be_visible()
    assert_good(teacher)
    teacher.get_by_role("button", name="Delete the class and its answers").click()
    expect(teacher.get_by_role("heading", name="A new class")).to_be_visible()
    expect(teacher.get_by_text("Week 3")).to_have_count(0)
    assert made.code not in [found.code for found in ClassStore(store).classes()]
    assert store.attempts_of(run.run) == []
    store.close()


def test_a_learner_of_a_study_with_the_text_only_sees_no_stage(
    new_context: Callable[..., BrowserContext], address: str, database: str
) -> None:
    store = Store(database)
    study, _ = make_class(load_bank(), ClassOptions("A study", item_ids=tuple(IDS), randomized=True))
    ClassStore(store).add(study)
    names = [f"learner {number}" for number in range(40)]
    shown = {
        condition: next(n for n in names if assign_condition(study, n) == condition) for condition in (TEXT, STAGE)
    }
    for condition, nickname in shown.items():
        page = new_context().new_page()
        page.goto(f"{address}/{link_of(study, '')}")
        page.get_by_label("Nickname, or nothing").fill(nickname)
        page.get_by_role("button", name="Begin").click()
        expect(page.locator("#quiz-sitting")).to_contain_text(f"You are {nickname}")
        for is_reloaded in (False, True):
            if is_reloaded:
                page.reload()
            page.get_by_role("tab", name="Inside the GRU").click()
            expect(page.locator("#inside-cards").get_by_text("The chapter")).to_be_visible()
            expect(page.locator("#inside-prose")).to_contain_text("A gated recurrent unit mixes")
            cards = page.locator("#inside-cards").get_by_text("Two gates")
            expect(cards).to_be_visible(visible=condition == STAGE)
            expect(page.locator("#inside-next")).to_be_visible(visible=condition == STAGE)
    ClassStore(store).delete(study.code)
    store.close()
