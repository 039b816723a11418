"""The ladder: levels of topics, and an adaptive start that finds a learner's level with a few questions."""

import json
import math
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from quiz.bank import SHIPPED_BANK, Bank, Item, find_bank_faults, load_bank
from quiz.grading import DO_NOT_KNOW, Grade
from quiz.ladder import LEVEL_STEP, MOST_QUESTIONS, choose_next, find_level, items_of_level, level_of, list_difficulties
from quiz.lint import lint_bank
from quiz.results_view import headline, practise_label
from quiz.resume_token import ResumeTokens
from quiz.selection import RUN_LENGTH, START, level_scope, list_scopes
from quiz.service import QuizService, Visit
from quiz.session import Session, advance, answer, extend, follow_up, restore, start_session
from quiz.store import Store
from quiz.views import progress_html

BANK = load_bank()
BY_ID = {item.id: item for item in BANK.items}
DIFFICULTIES = list_difficulties(BANK)


def right(item: Item) -> tuple[str, ...]:
    if item.goal:
        return tuple(str(item.goal.solution[slider.name]) for slider in item.sliders)
    if item.arrangement:
        return item.arrangement.correct
    return (str(item.numeric.value),) if item.numeric else tuple(option.oid for option in item.correct_options)


def run_adaptively(knows: Callable[[Item], bool], seed: int = 1, bank: Bank = BANK) -> Session:
    session = start_session(bank, START, seed)
    while session.open_item:
        given = right(session.open_item) if knows(session.open_item) else (DO_NOT_KNOW,)
        session = advance(follow_up(answer(session, session.open_item.id, given)[0], bank))
    return session


def test_every_live_item_is_on_the_ladder_and_levels_get_harder() -> None:
    assert DIFFICULTIES.keys() == {item.id for item in BANK.items if item.status == "live"}
    means = []
    for level in BANK.ladder:
        values = [DIFFICULTIES[item.id] for item in items_of_level(BANK, level)]
        means.append(sum(values) / len(values))
    assert means == pytest.approx([-1.5 * LEVEL_STEP, -0.5 * LEVEL_STEP, 0.5 * LEVEL_STEP, 1.5 * LEVEL_STEP])
    assert DIFFICULTIES["gru-anatomy-001"] < DIFFICULTIES["gru-anatomy-003"] < DIFFICULTIES["gru-lstm-004"]


def test_who_knows_everything_reaches_the_last_level_and_who_knows_nothing_the_first() -> None:
    for seed in range(10):
        best, worst = (run_adaptively(lambda item, known=known: known, seed) for known in (True, False))  # type: ignore[misc]
        assert find_level(BANK, best.grades) == len(BANK.ladder) - 1
        assert find_level(BANK, worst.grades) == 0
        assert len(best.items) <= MOST_QUESTIONS
        assert len(worst.items) < MOST_QUESTIONS  # stops as soon as the level is clear


@pytest.mark.parametrize("level", [1, 2])
def test_who_knows_the_levels_below_is_placed_between(level: int) -> None:
    known = {topic for lower in BANK.ladder[:level] for topic in lower.topics}
    placed = Counter(find_level(BANK, run_adaptively(lambda item: item.topic in known, s).grades) for s in range(20))
    assert placed.keys() <= {level - 1, level}


def test_questions_get_harder_after_right_answers_and_easier_after_wrong_ones() -> None:
    up, down = (run_adaptively(lambda item, known=known: known).items for known in (True, False))  # type: ignore[misc]
    assert DIFFICULTIES[up[-1].id] > DIFFICULTIES[up[0].id] + 1
    assert DIFFICULTIES[down[-1].id] < DIFFICULTIES[down[0].id] - 1


@pytest.mark.parametrize("seed", range(20))
def test_an_adaptive_start_asks_nothing_twice_nothing_advanced_and_no_enemies(seed: int) -> None:
    chance = random.Random(seed)
    items = run_adaptively(lambda item: chance.random() < 0.5, seed).items
    ids = {item.id for item in items}
    assert len(ids) == len(items) <= MOST_QUESTIONS
    assert not [item for item in items if item.advanced or ids & set(item.enemies)]


def test_starts_differ_and_prefer_items_not_seen() -> None:
    firsts = {start_session(BANK, START, seed).items[0].id for seed in range(40)}
    assert len(firsts) == 5
    others = {start_session(BANK, START, seed, seen=firsts).items[0].id for seed in range(40)}
    assert not firsts & others


def test_an_estimate_weighs_partial_credit_between_right_and_wrong() -> None:
    item = BY_ID["gru-update-001"]
    wrong = next(option.oid for option in item.options if not option.correct)
    level = [find_level(BANK, [grade] * 3) for grade in (Grade(item, (wrong,)), Grade(item, right(item)))]
    hinted = find_level(BANK, [Grade(item, right(item), hints=2)] * 3)
    assert level[0] < hinted < level[1]


def test_an_ability_belongs_to_the_level_whose_items_are_neither_easy_nor_hard() -> None:
    assert [level_of(BANK, ability) for ability in (-9, -1.6, -1.4, 0.1, 1.4, 1.6, math.inf)] == [0, 0, 1, 2, 2, 3, 0]


def test_the_run_of_a_level_asks_its_topics_only_and_spreads_over_them() -> None:
    for level in BANK.ladder:
        items = start_session(BANK, level_scope(level.name), 3).items
        assert {item.topic for item in items} == set(level.topics)
        assert len(items) == RUN_LENGTH


def test_the_run_of_a_level_prefers_items_not_seen() -> None:
    seen = {item.id for item in start_session(BANK, level_scope("Gates"), 3).items}

    def count_new(*known: str) -> list[int]:
        runs = (start_session(BANK, level_scope("Gates"), seed, seen=known).items for seed in range(10))
        return [len({item.id for item in items} - seen) for items in runs]

    assert min(count_new(*seen)) >= max(count_new())
    assert sum(count_new(*seen)) > sum(count_new()) + 10


def test_a_bank_without_a_ladder_offers_no_adaptive_start() -> None:
    assert START in list_scopes(BANK)
    assert not [scope for scope in list_scopes(replace(BANK, ladder=())) if scope.startswith((START, "level:"))]


def test_only_an_adaptive_start_with_all_questions_answered_is_extended() -> None:
    session = start_session(BANK, START, 1)
    assert extend(session, BANK) == session
    mixed = start_session(BANK, seed=1)
    assert extend(mixed, BANK) == mixed
    assert choose_next(BANK, run_adaptively(lambda item: True).grades, 1) is None


def test_the_progress_says_how_many_questions_there_are_at_most() -> None:
    session = start_session(BANK, START, 1)
    assert "Question 1 of at most 8" in progress_html(session)
    assert "at most" not in progress_html(run_adaptively(lambda item: True))


# The service


def quiz(folder: Path) -> QuizService:
    return QuizService(BANK, Store(f"sqlite:///{folder}/quiz.sqlite3"), b"secret")


def give(service: QuizService, visit: Visit) -> Visit:
    item = visit.session.open_item
    assert item
    return service.answer(visit, item.id, right(item))


def test_after_an_adaptive_start_the_next_run_is_of_the_level_found(tmp_path: Path) -> None:
    service = quiz(tmp_path)
    visit = service.start(service.open({}), START)
    while not visit.session.finished:
        assert service.level_found(visit) is None
        visit = service.advance(give(service, visit))
    level = service.level_found(visit)
    assert level == BANK.ladder[-1]
    total = len(visit.session.items)
    assert headline(visit.session, level).startswith("## Your level: Dynamics\n\nIt has questions on State dynamics, ")
    assert f"and Use. You answered {total} of {total} right;" in headline(visit.session, level)
    assert practise_label(None, level) == "Go on with: Dynamics"
    after = service.practise(visit)
    assert after.session.scope == level_scope("Dynamics")
    assert service.level_found(after) is None


def test_an_adaptive_start_goes_on_after_a_reload_and_in_another_window(tmp_path: Path) -> None:
    service = quiz(tmp_path)
    first = service.start(service.open({}), START)
    memory = service.memory(first)
    visit = service.advance(give(service, service.advance(give(service, first))))
    assert len(visit.session.items) == 3
    for resumed in (service.open(service.memory(visit)), service.open(memory)):
        assert resumed.session.items == visit.session.items
        resumed = resumed if resumed.session.current_grade is None else service.advance(resumed)
        assert resumed.session.open_item == visit.session.open_item
    late = give(service, first)  # the window that was left at the first question
    assert len(late.session.items) == 2
    assert len(service.advance(late).session.grades) == 1


def test_a_start_ends_if_the_ladder_has_gone_since_and_empty_levels_are_no_error() -> None:
    token = ResumeTokens(b"secret", BANK).sign(start_session(BANK, START, 1))
    bank = replace(BANK, ladder=())
    session = ResumeTokens(b"secret", bank).read(token)
    assert session.open_item
    session = answer(session, session.open_item.id, right(session.open_item))[0]
    assert advance(extend(session, bank)).finished
    reserved = replace(BANK, items=tuple(item for item in BANK.items if item.topic not in BANK.ladder[0].topics))
    assert len(start_session(reserved, START, 1).items) == 1
    assert start_session(reserved, level_scope("Basics"), 1).finished


def test_restoring_an_adaptive_start_leaves_answers_to_later_questions_out() -> None:
    longer = run_adaptively(lambda item: True)
    session = restore(start_session(BANK, START, 1), longer.grades[:1])
    assert session.items == longer.items[:1]
    assert extend(session, BANK).items == longer.items[:2]


# The bank


@pytest.mark.parametrize(
    ("ladder", "message"),
    [
        ([{"name": "One", "topics": ["Anatomy"]}], "1 entry, but 2 or more are needed"),
        ([{"name": "One", "topics": ["Anatomy"]}] * 2, "the level 'One' is named more than once"),
        ([{"name": n, "topics": ["Anatomy"]} for n in "AB"], "the topic 'Anatomy' is named more than once"),
        ([{"name": n, "topics": []} for n in "AB"], "0 entries, but 1 or more are needed"),
        ([{"name": n} for n in "AB"], "the field 'topics' is missing"),
    ],
)
def test_a_ladder_with_a_fault_is_refused(ladder: object, message: str) -> None:
    data = json.loads(SHIPPED_BANK.read_text(encoding="utf-8")) | {"ladder": ladder}
    assert message in next(find_bank_faults(data)).text


def test_levels_without_live_items_are_left_out_and_the_linter_says_so(tmp_path: Path) -> None:
    def load(*topics: str) -> tuple[Bank, list[str]]:
        data = json.loads(SHIPPED_BANK.read_text(encoding="utf-8"))
        data["ladder"] = [{"name": topic, "topics": [topic]} for topic in topics]
        path = tmp_path / "bank.json"
        path.write_text(json.dumps(data), encoding="utf-8")
        return load_bank(path), lint_bank(path)[1]

    bank, problems = load("Anatomy", "Cooking", "Use")
    assert [level.name for level in bank.ladder] == ["Anatomy", "Use"]
    assert "the bank: ladder: no live item has the topic 'Cooking'" in problems
    assert [problem for problem in problems if "the topic 'Shapes' is on no level" in problem]
    assert load("Anatomy", "Cooking")[0].ladder == ()
    assert lint_bank(SHIPPED_BANK)[1] == []
