"""A learner's run: first answers count, sessions are immutable, and the score is the number of correct answers."""

import copy
import dataclasses
import itertools
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quiz.bank import Bank, Item, load_bank, make_instance
from quiz.errors import SessionError
from quiz.formats.convert import to_question
from quiz.grading import DO_NOT_KNOW, grade
from quiz.selection import (
    ALL,
    MIXED,
    RETRY,
    RUN_LENGTH,
    START,
    TODAY,
    draw_items,
    level_scope,
    list_scopes,
    topic_scope,
)
from quiz.session import Session, advance, answer, follow_up, restore, retry, seen_items, start_session, take_hint

BANK = load_bank()
BY_ID = {item.id: item for item in BANK.items}
LIVE = [item for item in BANK.items if item.status == "live"]
SINGLE = BY_ID["gru-anatomy-001"]
MULTI = BY_ID["gru-placement-006"]
ORDER = BY_ID["gru-parameters-012"]
MATCH = BY_ID["gru-shapes-009"]
NUMERIC = dataclasses.replace(BY_ID["gru-update-003"], template={})  # with the numbers of its example in every run
SLIDER = dataclasses.replace(BY_ID["gru-update-012"], template={})
EACH_TYPE = [SINGLE, MULTI, NUMERIC, SLIDER, ORDER, MATCH]
TOPICS = list(dict.fromkeys(item.topic for item in BANK.items))


def right(item: Item) -> tuple[str, ...]:
    if item.goal:
        return tuple(str(item.goal.solution[slider.name]) for slider in item.sliders)
    if item.arrangement:
        return item.arrangement.correct
    return (str(item.numeric.value),) if item.numeric else tuple(option.oid for option in item.correct_options)


def wrong(item: Item) -> tuple[str, ...]:
    if item.sliders:
        return tuple(str(slider.start) for slider in item.sliders)
    if item.arrangement:
        return (*item.arrangement.correct[1:], item.arrangement.correct[0])
    return ("12345.6",) if item.numeric else (next(option.oid for option in item.options if not option.correct),)


def open_item(session: Session) -> Item:
    assert session.open_item is not None
    return session.open_item


def give(session: Session, is_right: bool = True) -> Session:
    item = open_item(session)
    return answer(session, item.id, right(item) if is_right else wrong(item))[0]


def run_through(session: Session, mistakes: set[int] = frozenset()) -> Session:  # type: ignore[assignment]
    for number in range(len(session.items)):
        session = advance(give(session, number not in mistakes))
    return session


def only(*items: Item) -> Bank:
    """Return a bank of these items, without prerequisites outside it."""
    ids = {item.id for item in items}
    return Bank(tuple(dataclasses.replace(i, prereq=tuple(p for p in i.prereq if p in ids)) for i in items))


# Selection


@given(st.integers(0, 2**32))
def test_a_mixed_run_has_ten_items_spread_over_the_topics_without_enemies(seed: int) -> None:
    items = start_session(BANK, MIXED, seed).items
    assert len(items) == RUN_LENGTH
    assert items[0].id == BANK.items[0].id
    assert len({item.topic for item in items[1:]}) == RUN_LENGTH - 1
    ids = {item.id for item in items}
    assert not [item.id for item in items if ids & set(item.enemies)]


def test_mixed_runs_cover_every_item_over_time() -> None:
    firsts = [frozenset(draw_items(BANK, MIXED, seed)) for seed in range(500)]
    runs = (draw_items(BANK, MIXED, seed, firsts[seed % 500]) for seed in range(4_000))
    counts = Counter(item_id for ids in runs for item_id in ids)
    assert counts.pop(BANK.items[0].id) == 4_000
    assert counts.keys() == {item.id for item in BANK.items[1:] if item.status == "live"}
    assert max(counts.values()) <= 3 * min(counts.values())


def test_a_beginners_first_ten_hold_nothing_advanced() -> None:
    assert {item.id for item in LIVE if "ONNX" in item.stem} <= {item.id for item in LIVE if item.advanced}
    drawn = {item_id for seed in range(500) for item_id in draw_items(BANK, MIXED, seed)}
    assert not [item_id for item_id in drawn if BY_ID[item_id].advanced]
    assert len(drawn) > 60
    small = only(SINGLE, dataclasses.replace(MULTI, advanced=True))
    assert len(draw_items(small, MIXED, 1)) == 2


def misconceived(session: Session) -> tuple[str, ...] | None:
    """Return a wrong answer to the open item that reveals a misconception, or None."""
    item = open_item(session)
    if item.arrangement:
        return wrong(item)
    if item.sliders:
        positions = itertools.product([f"{step / 100}" for step in range(101)], repeat=len(item.sliders))
        return next((given for given in positions if grade(item, given).misconceptions), None)
    if item.numeric:
        return next(((str(w.value),) for w in item.numeric.anticipated if w.misconception), None)
    return next(((o.oid,) for o in item.options if o.misconception), None)


@pytest.mark.parametrize("seed", range(20))
def test_after_a_wrong_answer_the_next_question_is_on_the_same_misconception(seed: int) -> None:
    session, followed = start_session(BANK, MIXED, seed), 0
    while not session.finished:
        given_answer = misconceived(session)
        assert given_answer
        session, graded = answer(session, open_item(session).id, given_answer)
        before, session = session, follow_up(session, BANK)
        assert len(session.items) == len({item.id for item in session.items}) == RUN_LENGTH
        assert session.items[: session.position + 1] == before.items[: session.position + 1]
        session = advance(session)
        if session.items != before.items:
            assert open_item(session).misconceptions & set(graded.misconceptions)
            followed += 1
        for number, item in enumerate(session.items):
            assert not set(item.prereq) & {later.id for later in session.items[number:]}
            assert not set(item.enemies) & {other.id for other in session.items}
    assert followed >= 3


@pytest.mark.parametrize("seed", range(20))
def test_after_an_unknown_answer_the_next_question_is_on_the_same_topic_but_no_third_one(seed: int) -> None:
    session, followed = start_session(BANK, MIXED, seed), 0
    while not session.finished:
        session, graded = answer(session, open_item(session).id, [DO_NOT_KNOW])
        assert not graded.misconceptions
        before, session = session, follow_up(session, BANK)
        assert len(session.items) == len({item.id for item in session.items}) == RUN_LENGTH
        followed += session.items != before.items
        session = advance(session)
    topics = [item.topic for item in session.items]
    assert followed >= 4
    assert sum(one == other for one, other in itertools.pairwise(topics)) >= followed
    assert not any(len(set(topics[number : number + 3])) == 1 for number in range(RUN_LENGTH - 2))


def test_a_right_answer_or_a_chapter_keeps_the_order() -> None:
    session = give(start_session(BANK, MIXED, 3))
    assert follow_up(session, BANK) == session
    session = start_session(BANK, topic_scope("Shapes"), 3)
    session = give(session, is_right=False)
    assert follow_up(session, BANK) == session


@given(st.integers(0, 2**32), st.sampled_from(list(list_scopes(BANK))))
def test_prerequisites_come_before_the_items_that_need_them(seed: int, scope: str) -> None:
    positions = {item.id: position for position, item in enumerate(start_session(BANK, scope, seed).items)}
    for item_id, position in positions.items():
        for needed in BY_ID[item_id].prereq:
            assert positions.get(needed, -1) < position


@given(st.integers(0, 2**32), st.sampled_from(list(list_scopes(BANK))))
def test_a_seed_draws_the_same_run_again_and_loses_no_option(seed: int, scope: str) -> None:
    session = start_session(BANK, scope, seed)
    assert session == start_session(BANK, scope, seed)
    for item in session.items:
        drawn = make_instance(item.template, item.drawn) if item.template else BY_ID[item.id]
        assert set(item.options) == set(drawn.options)
        assert dataclasses.replace(item, options=drawn.options) == drawn


def test_seeds_change_items_their_order_and_their_options() -> None:
    runs = [start_session(BANK, MIXED, seed).items for seed in range(5)]
    assert len({tuple(item.id for item in items) for items in runs}) == 5
    assert len({items[0].options for items in runs}) > 1
    chapters = [start_session(BANK, topic_scope("Use"), seed).items for seed in range(5)]
    assert len({tuple(item.id for item in items) for items in chapters}) > 1


def test_every_topic_and_the_whole_bank_can_be_chosen() -> None:
    levels = [level_scope(level.name) for level in BANK.ladder]
    assert list(list_scopes(BANK)) == [MIXED, TODAY, START, *levels, *map(topic_scope, TOPICS), ALL]
    for topic in TOPICS:
        asked = start_session(BANK, topic_scope(topic), 1).items
        assert {i.id for i in asked} == {i.id for i in LIVE if i.topic == topic}
    assert {item.id for item in start_session(BANK, ALL, 1).items} == {item.id for item in LIVE}
    assert start_session(BANK, ALL, 1).items[0].id == BANK.items[0].id


@pytest.mark.parametrize("scope", ["", "topic:", "topic:No such topic", RETRY, "MIXED"])
def test_a_scope_that_does_not_exist_is_refused(scope: str) -> None:
    with pytest.raises(SessionError, match="no such set of questions"):
        start_session(BANK, scope)


def test_items_not_seen_yet_are_preferred() -> None:
    first = run_through(start_session(BANK, MIXED, 1))
    again = start_session(BANK, MIXED, 2, seen=seen_items(first))
    assert {item.id for item in again.items} & {item.id for item in first.items} == {BANK.items[0].id}


def test_items_that_are_not_live_are_not_asked() -> None:
    draft = dataclasses.replace(SINGLE, status="draft")
    assert {item.id for item in start_session(only(draft, NUMERIC, MULTI)).items} == {NUMERIC.id, MULTI.id}
    assert start_session(Bank((draft,))).finished


def test_items_with_cyclic_prerequisites_are_asked() -> None:
    one = dataclasses.replace(SINGLE, prereq=(MULTI.id,), enemies=())
    two = dataclasses.replace(MULTI, prereq=(SINGLE.id,))
    assert {item.id for item in start_session(Bank((one, two))).items} == {one.id, two.id}


def test_indirect_prerequisites_come_first_even_if_the_item_between_is_retired() -> None:
    needed, between, item = (BY_ID[f"gru-{name}"] for name in ("update-003", "dynamics-003", "dynamics-004"))
    bank = Bank((SINGLE, item, dataclasses.replace(between, status="retired"), needed))
    for seed in range(8):
        asked = [item.id for item in start_session(bank, ALL, seed).items]
        assert asked == [SINGLE.id, needed.id, item.id]


# Answers


def test_the_public_view_of_the_open_item_has_no_key() -> None:
    current = start_session(BANK).current
    assert current is not None
    allowed = {"id", "type", "topic", "stem", "code", "media", "options", "prompts", "unit", "sliders", "tolerance"}
    assert {field.name for field in dataclasses.fields(current)} == allowed
    assert {field.name for field in dataclasses.fields(current.options[0])} == {"oid", "text"}


@pytest.mark.parametrize("item", EACH_TYPE, ids=lambda item: item.type)
def test_a_right_and_a_wrong_answer(item: Item) -> None:
    start = start_session(only(item))
    session, graded = answer(start, item.id, right(item))
    assert graded.correct
    assert (session.score, session.credit, session.mistakes) == (1, 1.0, ())
    session, graded = answer(start, item.id, wrong(item))
    assert not graded.correct
    assert (session.score, session.credit, session.mistakes) == (0, 0.0, (graded,))


def test_a_multiple_choice_is_correct_only_with_all_and_no_other_options() -> None:
    keys, others = right(MULTI), [o.oid for o in MULTI.options if not o.correct]
    assert grade(MULTI, keys).correct
    assert grade(MULTI, keys[::-1]).correct
    assert grade(MULTI, keys).boxes_right == 5
    assert (grade(MULTI, keys[:1]).correct, grade(MULTI, keys[:1]).boxes_right) == (False, 4)
    assert (grade(MULTI, [*keys, others[0]]).correct, grade(MULTI, [*keys, others[0]]).boxes_right) == (False, 4)
    assert (grade(MULTI, others).correct, grade(MULTI, others).boxes_right) == (False, 0)


def test_every_choice_of_several_options_earns_what_moodle_gives_for_it() -> None:
    percents = {answer.text: answer.percent for answer in to_question(MULTI, Path()).answers}
    oids = [option.oid for option in MULTI.options]
    for size in range(1, len(oids) + 1):
        for chosen in itertools.combinations(oids, size):
            graded = grade(MULTI, chosen)
            assert graded.credit == pytest.approx(max(0, sum(percents[o.text] for o in graded.chosen) / 100), abs=1e-6)
            assert graded.correct == (graded.credit == 1)
    assert grade(MULTI, right(MULTI)[:1]).credit == 0.5
    assert grade(MULTI, right(MULTI)[:1], hints=1).credit == 0.25
    assert grade(MULTI, oids).credit == 0


@pytest.mark.parametrize("item", [ORDER, MATCH], ids=["order", "match"])
def test_options_to_order_or_match_earn_the_share_in_its_place(item: Item) -> None:
    first, second, *others = right(item)
    graded = grade(item, (second, first, *others))
    assert (graded.correct, graded.credit) == (False, 0.5)
    assert graded.places_right == (False, False, True, True)
    assert item.arrangement is not None
    assert graded.misconceptions == (item.arrangement.misconception,)
    assert grade(item, (second, first, *others), hints=1).credit == 0.25
    assert grade(item, right(item)).misconceptions == ()


@pytest.mark.parametrize("typed", ["-0.1", "−0,1", "-1/10", "-0.105", "-0.095", "-10%"])
def test_a_number_within_the_tolerance_is_right(typed: str) -> None:
    assert grade(NUMERIC, [typed]).correct


def test_an_anticipated_wrong_number_is_recognized() -> None:
    assert NUMERIC.numeric is not None
    for wrong_number in NUMERIC.numeric.anticipated:
        graded = grade(NUMERIC, [str(wrong_number.value + 0.004)])
        assert (graded.correct, graded.anticipated) == (False, wrong_number)
    assert grade(NUMERIC, ["77"]).anticipated is None
    assert grade(NUMERIC, ["-0.1"]).anticipated is None


def test_a_second_answer_to_an_item_is_refused_and_the_first_one_counts() -> None:
    session = give(start_session(BANK), is_right=False)
    with pytest.raises(SessionError, match="The first answer counts"):
        give(session)
    assert session.score == 0


def test_an_item_that_is_not_open_is_refused() -> None:
    session = start_session(BANK)
    for item_id in ("gru-anatomy-999", "", session.items[1].id):
        with pytest.raises(SessionError, match="not open"):
            answer(session, item_id, right(session.items[1]))
    with pytest.raises(SessionError, match="not open"):
        take_hint(session, session.items[1].id)


@pytest.mark.parametrize(
    ("item", "given_answer", "reason"),
    [
        (SINGLE, [], "Choose an answer first"),
        (SINGLE, ["zzzz"], "does not belong"),
        (SINGLE, [""], "does not belong"),
        (SINGLE, [NUMERIC.id], "does not belong"),
        (SINGLE, [right(MULTI)[0]], "does not belong"),
        (SINGLE, ["k4vd", "t2me"], "more than can be chosen"),
        (SINGLE, ["t2me", "t2me"], "more than can be chosen"),
        (SINGLE, ["k4vd" * 1_000_000], "does not belong"),
        (SINGLE, [None], "cannot be read"),
        (SINGLE, [["t2me"]], "cannot be read"),
        (MULTI, [], "Choose an answer first"),
        (MULTI, ["t3ei", "w8lr", "zzzz"], "does not belong"),
        (MULTI, ["t3ei"] * 6, "more than can be chosen"),
        (ORDER, right(ORDER)[:3], "Tap every option"),
        (ORDER, (*right(ORDER)[:3], right(ORDER)[0]), "one place only"),
        (ORDER, (*right(ORDER)[:3], "zzzz"), "does not belong"),
        (ORDER, right(ORDER) * 1000, "Tap every option"),
        (MATCH, right(MATCH)[:3], "Choose an option for every line"),
        (MATCH, (*right(MATCH)[:3], ""), "Choose an option for every line"),
        (MATCH, (*right(MATCH)[:3], "zzzz"), "does not belong"),
        (NUMERIC, [], "Type a number first"),
        (NUMERIC, ["k4vd"], "not a number"),
        (NUMERIC, ["1" * 1_000_000], "longer than"),
        (NUMERIC, [3.5], "cannot be read"),
    ],
)
def test_an_invalid_answer_is_refused_and_not_counted(item: Item, given_answer: list[str], reason: str) -> None:
    session = start_session(only(item))
    with pytest.raises(SessionError, match=reason):
        answer(session, item.id, given_answer)
    assert session == start_session(only(item))


@pytest.mark.parametrize("confidence", [0, 100, 61, True, "60", -25, 60.5])
def test_a_confidence_that_is_not_offered_is_refused(confidence: int) -> None:
    with pytest.raises(SessionError, match="how sure you are"):
        answer(start_session(BANK), SINGLE.id, right(SINGLE), confidence)


@pytest.mark.parametrize("item", EACH_TYPE, ids=lambda item: item.type)
def test_who_does_not_know_is_never_confidently_wrong(item: Item) -> None:
    graded = grade(item, ["?"], confidence=90)
    assert (graded.known, graded.correct, graded.credit, graded.confidence) == (False, False, 0, None)
    assert (graded.chosen, graded.number, graded.misconceptions) == ((), None, ())


# Hints


def test_each_hint_costs_a_quarter_of_the_mark() -> None:
    session = start_session(only(SINGLE))
    assert (session.hints_taken, session.hints_left) == ((), 2)
    session = take_hint(session, SINGLE.id)
    assert (session.hints_taken, session.hints_left) == (SINGLE.hints[:1], 1)
    assert give(session).credit == 0.75
    session = take_hint(session, SINGLE.id)
    assert session.hints_taken == SINGLE.hints
    assert give(session).credit == 0.5
    assert give(session).score == 1
    assert give(session, is_right=False).credit == 0
    with pytest.raises(SessionError, match="no more hints"):
        take_hint(session, SINGLE.id)


def test_hints_belong_to_one_question_and_end_with_its_answer() -> None:
    session = give(take_hint(start_session(BANK), SINGLE.id))
    assert session.hints_left == 0
    with pytest.raises(SessionError, match="already answered"):
        take_hint(session, SINGLE.id)
    assert advance(session).hints_taken == ()
    assert session.grades[0].hints == 1


# Advancing


def test_an_open_question_cannot_be_skipped() -> None:
    with pytest.raises(SessionError, match="Answer this question first"):
        advance(start_session(BANK))


def test_an_answered_item_stays_open_until_the_next_step() -> None:
    session = give(start_session(BANK))
    assert session.open_item == session.items[0]
    assert session.current_grade == session.grades[0]
    session = advance(session)
    assert session.open_item == session.items[1]
    assert session.current_grade is None


def test_advancing_after_the_end_changes_nothing() -> None:
    session = run_through(start_session(BANK))
    assert session.finished
    assert session.current is session.current_grade is session.open_item is None
    assert (session.hints_taken, session.hints_left) == ((), 0)
    assert advance(session) == session
    with pytest.raises(SessionError, match="already answered"):
        answer(session, SINGLE.id, right(SINGLE))


def test_each_topic_has_its_own_score() -> None:
    session = run_through(take_hint(start_session(BANK), SINGLE.id), mistakes={2, 5})
    for score in session.topic_scores:
        grades = [grade for grade in session.grades if grade.item.topic == score.topic]
        assert (score.right, score.total) == (sum(grade.correct for grade in grades), len(grades))
        assert score.credit == sum(grade.credit for grade in grades)
    assert session.credit == 7.75


@given(st.integers(0, 1000), st.lists(st.booleans(), min_size=10, max_size=10))
def test_the_score_is_the_number_of_right_answers(seed: int, rights: list[bool]) -> None:
    session = start_session(BANK, MIXED, seed)
    for count, is_right in enumerate(rights, start=1):
        before, snapshot = session, copy.deepcopy(session)
        session = give(session, is_right)
        assert before == snapshot, "the old session has changed"
        assert session.score == sum(rights[:count])
        assert len(session.mistakes) == count - session.score
        session = advance(session)
    assert session.finished
    assert sum(score.right for score in session.topic_scores) == session.score


def test_a_session_cannot_be_changed_in_place() -> None:
    session = start_session(BANK)
    with pytest.raises(dataclasses.FrozenInstanceError):
        session.position = 3  # type: ignore[misc]


# Retrying mistakes


def test_a_retry_asks_the_mistakes_and_counts_all_items_as_seen() -> None:
    session = run_through(start_session(BANK, MIXED, 3), mistakes={1, 4, 7})
    again = retry(session, BANK, 9, "again")
    assert [item.id for item in again.items] == [session.items[number].id for number in (1, 4, 7)]
    assert (again.scope, again.run, again.grades) == (RETRY, "again", ())
    assert again.seen == {item.id for item in session.items}
    assert retry(run_through(again, mistakes={2}), BANK).seen == again.seen


def test_there_is_no_retry_without_mistakes() -> None:
    with pytest.raises(SessionError, match="nothing to try again"):
        retry(run_through(start_session(BANK)), BANK)


# Restoring recorded grades


def test_restored_grades_replace_the_sessions_own() -> None:
    session = give(start_session(BANK))
    restored = restore(session, [grade(session.items[0], wrong(session.items[0]))])
    assert (restored.score, restored.position) == (0, 0)
    assert restored.current_grade is not None


def test_an_open_question_that_was_answered_elsewhere_shows_that_answer() -> None:
    session = take_hint(start_session(BANK), SINGLE.id)
    restored = restore(session, [grade(session.items[0], wrong(session.items[0]))])
    assert restored.current_grade is not None
    assert not restored.current_grade.correct


def test_a_session_ahead_of_its_grades_returns_to_the_first_unanswered_question() -> None:
    session = dataclasses.replace(start_session(BANK), position=6, hints=1)
    assert (restore(session, []).position, restore(session, []).hints) == (0, 0)
    items = session.items
    answered = [grade(item, wrong(item)) for item in (items[0], items[2])]
    assert restore(session, answered).position == 1
    assert [g.item for g in restore(session, answered).grades] == [items[0], items[2]]
    assert restore(session, [grade(item, wrong(item)) for item in items]).position == 6
