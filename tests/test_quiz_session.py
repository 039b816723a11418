"""A learner's run: first answers count, nothing changes in place, and the score is what was answered right."""

import copy
import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quiz.bank import Option, load_bank
from quiz.session import Session, SessionError, advance, answer, start_session

BANK = load_bank()
ITEMS = start_session(BANK).items

runs = st.permutations(range(len(ITEMS))).flatmap(
    lambda order: st.tuples(*(st.tuples(st.just(i), st.sampled_from(ITEMS[i].options)) for i in order))
)
"""Each item once, in any order, with any of its options."""


def key(number: int) -> str:
    return ITEMS[number].correct_option.oid


def wrong(number: int) -> str:
    return next(option.oid for option in ITEMS[number].options if not option.correct)


def answer_all(right: set[int]) -> Session:
    session = start_session(BANK)
    for number, item in enumerate(ITEMS):
        session, _ = answer(session, item.id, key(number) if number in right else wrong(number))
        session = advance(session)
    return session


def test_a_run_is_ten_live_single_choice_items_spread_over_the_topics() -> None:
    assert len(ITEMS) == 10
    assert ITEMS[0] == BANK.items[0]
    assert {(item.type, item.status) for item in ITEMS} == {("single", "live")}
    assert len({item.topic for item in ITEMS}) == len({item.topic for item in BANK.items})


def test_items_that_are_not_live_are_not_asked() -> None:
    retired = dataclasses.replace(BANK, items=tuple(dataclasses.replace(i, status="retired") for i in BANK.items[1:]))
    assert start_session(retired).items == ()


def test_a_run_opens_with_the_first_item_of_the_bank_and_keeps_the_order() -> None:
    session = start_session(BANK)
    seen = []
    while session.current:
        seen.append(session.current.id)
        session, _ = answer(session, session.current.id, session.current.options[0].oid)
        session = advance(session)
    assert seen == [item.id for item in ITEMS]
    assert session.finished


def test_the_open_item_shows_nothing_of_the_key() -> None:
    current = start_session(BANK).current
    assert current is not None
    allowed = {"id", "type", "topic", "stem", "code", "media", "options", "unit"}
    assert {field.name for field in dataclasses.fields(current)} == allowed
    assert {field.name for field in dataclasses.fields(current.options[0])} == {"oid", "text"}


def test_a_right_answer_is_graded_right() -> None:
    session, grade = answer(start_session(BANK), ITEMS[0].id, key(0))
    assert grade.correct
    assert (session.score, len(session.grades)) == (1, 1)
    assert session.mistakes == ()


def test_a_wrong_answer_is_graded_wrong_and_kept_for_review() -> None:
    session, grade = answer(start_session(BANK), ITEMS[0].id, wrong(0))
    assert not grade.correct
    assert grade.chosen.oid == wrong(0)
    assert (session.score, session.mistakes) == (0, (grade,))


def test_a_second_answer_to_an_item_is_refused_and_the_first_one_counts() -> None:
    session, _ = answer(start_session(BANK), ITEMS[0].id, wrong(0))
    with pytest.raises(SessionError, match="The first answer counts"):
        answer(session, ITEMS[0].id, key(0))
    assert session.score == 0


def test_an_unknown_item_is_refused() -> None:
    with pytest.raises(SessionError, match="not part of the quiz"):
        answer(start_session(BANK), "gru-anatomy-999", key(0))


@pytest.mark.parametrize("option_id", ["zzzz", "", key(1)])
def test_an_option_of_no_or_another_item_is_refused(option_id: str) -> None:
    with pytest.raises(SessionError, match="does not belong to the question"):
        answer(start_session(BANK), ITEMS[0].id, option_id)


def test_an_open_question_cannot_be_skipped() -> None:
    with pytest.raises(SessionError, match="Answer this question first"):
        advance(start_session(BANK))


def test_an_answered_item_stays_open_until_the_learner_goes_on() -> None:
    session, grade = answer(start_session(BANK), ITEMS[0].id, key(0))
    assert session.current is not None
    assert session.current.id == ITEMS[0].id
    assert session.current_grade == grade
    session = advance(session)
    assert session.current is not None
    assert session.current.id == ITEMS[1].id
    assert session.current_grade is None


def test_items_answered_ahead_are_not_asked_again() -> None:
    session, _ = answer(start_session(BANK), ITEMS[1].id, key(1))
    session, _ = answer(session, ITEMS[0].id, key(0))
    current = advance(session).current
    assert current is not None
    assert current.id == ITEMS[2].id


def test_going_on_after_the_end_changes_nothing() -> None:
    session = answer_all(right=set())
    assert session.finished
    assert session.current is None
    assert session.current_grade is None
    assert advance(session) == session


def test_topics_are_scored_apart() -> None:
    right = {0, 1, 7, 9}
    scores = answer_all(right).topic_scores
    assert [score.topic for score in scores] == list(dict.fromkeys(item.topic for item in ITEMS))
    for score in scores:
        numbers = {number for number, item in enumerate(ITEMS) if item.topic == score.topic}
        assert (score.right, score.total) == (len(numbers & right), len(numbers))


def test_a_seed_draws_items_and_shuffles_options_the_same_way_each_time() -> None:
    shuffled = start_session(BANK, shuffle_seed=7)
    assert shuffled == start_session(BANK, shuffle_seed=7)
    assert shuffled != start_session(BANK)
    assert shuffled.items[0].id == BANK.items[0].id
    places = [[item.id for item in BANK.items].index(item.id) for item in shuffled.items]
    assert places == sorted(places)


@given(st.integers(0, 2**32))
def test_shuffling_loses_no_option_and_keeps_the_key(seed: int) -> None:
    before = {item.id: item for item in BANK.items}
    for after in start_session(BANK, seed).items:
        assert set(after.options) == set(before[after.id].options)
        assert after.correct_option == before[after.id].correct_option


@given(runs)
def test_in_any_order_the_score_is_the_number_of_right_answers(run: tuple[tuple[int, Option], ...]) -> None:
    session = start_session(BANK)
    right = 0
    for count, (number, option) in enumerate(run, start=1):
        before, snapshot = session, copy.deepcopy(session)
        session, grade = answer(session, ITEMS[number].id, option.oid)
        assert before == snapshot, "the old session has changed"
        right += option.correct
        assert grade.correct == option.correct
        assert session.score == right <= len(session.grades) == count
        assert len(session.mistakes) == count - right
        assert sum(score.right for score in session.topic_scores) == right
    assert advance(session).finished


def test_a_session_cannot_be_changed_in_place() -> None:
    session = start_session(BANK)
    with pytest.raises(dataclasses.FrozenInstanceError):
        session.position = 3  # type: ignore[misc]
    assert isinstance(session.items, tuple)
    assert isinstance(session.grades, tuple)
