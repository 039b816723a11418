"""Spaced repetition: due dates come from the answers, live in the browser, and are never trusted."""

import itertools
import json
import math
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quiz.bank import load_bank
from quiz.grading import DO_NOT_KNOW, Grade
from quiz.results_view import levels_html
from quiz.reviews import MAX_DAYS, Review, Reviews, list_due, read_reviews, update_reviews, write_reviews
from quiz.selection import DAY_LENGTH, TODAY
from quiz.service import QuizService, Visit
from quiz.session import start_session
from quiz.store import Store

BANK = load_bank()
BY_ID = {item.id: item for item in BANK.items}
ITEM = BY_ID["gru-update-001"]
DAY = 24 * 3600
START_TIME = datetime(2026, 3, 1, 9, tzinfo=UTC).timestamp()
RIGHT = tuple(option.oid for option in ITEM.correct_options)


def days_until_due(reviews: Reviews, now: float) -> float:
    return (reviews[ITEM.id].due - now) / DAY


def test_a_right_answer_is_put_off_longer_each_time_and_a_wrong_one_brings_it_back() -> None:
    reviews, now, waits = {}, START_TIME, []
    for _ in range(4):
        reviews = update_reviews(reviews, Grade(ITEM, RIGHT), now)
        waits.append(days_until_due(reviews, now))
        now = reviews[ITEM.id].due
    assert waits[0] == 2  # FSRS-6 with its default parameters: an initial stability of 2.3 days
    assert all(later > 2 * earlier for earlier, later in itertools.pairwise(waits))
    reviews = update_reviews(reviews, Grade(ITEM, (DO_NOT_KNOW,)), now)
    assert 1 <= days_until_due(reviews, now) < waits[1]


def test_hints_and_guesses_are_asked_again_sooner() -> None:
    grades = [
        Grade(ITEM, (DO_NOT_KNOW,)),
        Grade(ITEM, RIGHT, hints=1),
        Grade(ITEM, RIGHT, confidence=25),
        Grade(ITEM, RIGHT, confidence=90),
    ]
    stability = [update_reviews({}, graded, START_TIME)[ITEM.id].stability for graded in grades]
    assert stability[0] < stability[1] == stability[2] < stability[3]


def test_an_answer_in_the_same_sitting_changes_nothing() -> None:
    first = update_reviews({}, Grade(ITEM, (DO_NOT_KNOW,)), START_TIME)
    assert update_reviews(first, Grade(ITEM, RIGHT), START_TIME + 11 * 3600) == first
    assert update_reviews(first, Grade(ITEM, RIGHT), START_TIME + 13 * 3600) != first


def test_an_item_is_never_put_off_longer_than_a_year() -> None:
    reviews = {ITEM.id: Review(START_TIME, 36500.0, 1.0, START_TIME - 365 * DAY)}
    assert days_until_due(update_reviews(reviews, Grade(ITEM, RIGHT), START_TIME), START_TIME) == MAX_DAYS


def test_items_are_due_in_the_order_of_their_dates_half_a_day_early() -> None:
    ids = [item.id for item in BANK.items[:4]]
    offsets = [0.4, -3, 0.6, -5]
    reviews = {
        item_id: Review(START_TIME + offset * DAY, 3, 5, 0) for item_id, offset in zip(ids, offsets, strict=True)
    }
    retired = next(item.id for item in BANK.items if item.status == "retired")
    reviews[retired] = Review(0, 3, 5, 0)
    assert list_due(BANK, reviews, START_TIME) == (ids[3], ids[1], ids[0])


def test_reviews_come_back_from_the_browser_as_they_were() -> None:
    reviews = update_reviews({}, Grade(ITEM, RIGHT), START_TIME)
    back = read_reviews(BANK, json.loads(json.dumps(write_reviews(reviews))), START_TIME)
    assert back[ITEM.id].due == reviews[ITEM.id].due
    assert back[ITEM.id].stability == pytest.approx(reviews[ITEM.id].stability, abs=1e-4)


GOOD = [START_TIME + DAY, 2.0, 5.0, START_TIME]


@pytest.mark.parametrize(
    "entry",
    [
        None,
        {},
        "text",
        [],
        GOOD[:3],
        [*GOOD, 1],
        *(
            [*GOOD[:place], wrong, *GOOD[place + 1 :]]
            for place in range(4)
            for wrong in (None, "1", True, math.nan, -1)
        ),
        [math.inf, *GOOD[1:]],
        [START_TIME - 1, *GOOD[1:]],  # due before it was answered
        [START_TIME + 400 * DAY, *GOOD[1:]],
        [GOOD[0], 0.0, *GOOD[2:]],
        [GOOD[0], 1e9, *GOOD[2:]],
        [*GOOD[:2], 0.5, GOOD[3]],
        [*GOOD[:2], 10.5, GOOD[3]],
        [START_TIME + 5 * DAY, 2.0, 5.0, START_TIME + 4 * DAY],  # answered in the future
        [1e300, 2.0, 5.0, 1e300],
        [10**400, 2.0, 5.0, 10**400],
    ],
)
def test_an_invalid_review_is_dropped_and_the_others_kept(entry: object) -> None:
    other = BANK.items[0].id
    reviews = read_reviews(BANK, {ITEM.id: entry, other: GOOD, "no-such-item": GOOD}, START_TIME)
    assert reviews == {other: Review(*GOOD)}


def test_a_review_of_a_server_whose_clock_is_ahead_is_kept() -> None:
    ahead = [START_TIME + 2 * DAY, 2.0, 5.0, START_TIME + DAY / 2]
    assert read_reviews(BANK, {ITEM.id: ahead}, START_TIME) == {ITEM.id: Review(*ahead)}


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
NUMBERS = st.lists(st.floats() | st.integers(-(10**20), 10**20) | st.floats(0, 10), min_size=4, max_size=4)


@given(JSON | st.dictionaries(st.sampled_from([ITEM.id, "x"]), JSON | NUMBERS), st.booleans())
def test_whatever_the_browser_sends_the_next_answer_is_scheduled(data: Any, is_right: bool) -> None:
    reviews = read_reviews(BANK, data, START_TIME)
    graded = Grade(ITEM, RIGHT if is_right else (DO_NOT_KNOW,))
    after = update_reviews(reviews, graded, START_TIME + 2 * DAY)[ITEM.id]
    assert read_reviews(BANK, write_reviews({ITEM.id: after}), START_TIME + 2 * DAY).keys() == {ITEM.id}


def test_todays_five_are_those_due_then_new_ones() -> None:
    due = ("gru-use-001", "gru-update-001", "gru-update-002", "gru-lstm-004")  # the second and third are enemies
    seen = {item.id for item in BANK.items[:60]}
    ids = [item.id for item in start_session(BANK, TODAY, 5, seen=seen, due=due).items]
    assert len(ids) == DAY_LENGTH == 5
    assert set(due) - {"gru-update-002"} < set(ids)
    assert "gru-update-002" not in ids
    assert not (set(ids) - set(due)) & seen
    assert len(start_session(BANK, TODAY, 5, seen={item.id for item in BANK.items}).items) == DAY_LENGTH
    assert not [item for item in start_session(BANK, TODAY, 5).items if item.advanced]


def test_more_than_five_due_leave_the_least_urgent_for_tomorrow() -> None:
    due = tuple(item.id for item in BANK.items if item.topic == "Use")
    ids = {item.id for item in start_session(BANK, TODAY, 5, due=due).items}
    assert len(ids) == DAY_LENGTH
    assert ids <= set(due)
    assert due[0] in ids


# The service


def answer_right(service: QuizService, visit: Visit) -> Visit:
    item = visit.session.open_item
    assert item
    if item.goal:
        return service.answer(visit, item.id, [str(item.goal.solution[slider.name]) for slider in item.sliders])
    given_answer = item.arrangement.correct if item.arrangement else tuple(o.oid for o in item.correct_options)
    return service.answer(visit, item.id, [str(item.numeric.value)] if item.numeric else given_answer)


def test_answered_items_are_due_days_later_and_asked_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service, now = QuizService(BANK, Store(f"sqlite:///{tmp_path}/quiz.sqlite3"), b"secret"), [time.time()]
    monkeypatch.setattr(time, "time", lambda: now[0])
    visit = service.start(service.open({}), TODAY)
    first = {item.id for item in visit.session.items}
    while not visit.session.finished:
        visit = service.advance(answer_right(service, visit))
    assert visit.reviews.keys() == first
    assert service.count_due(visit) == 0
    assert "due again" not in levels_html(service.standings(visit), None, service.count_due(visit))
    assert not first & {item.id for item in service.start(visit, TODAY).session.items}

    memory = service.memory(visit)
    now[0] += 2 * DAY
    later = service.open(memory)
    assert service.count_due(later) == 5
    assert "5 questions are due again" in levels_html(service.standings(later), None, service.count_due(later))
    again = service.start(later, TODAY)
    assert {item.id for item in again.session.items} == first
    assert again.session.seen >= first  # no first attempts


def test_forged_reviews_do_not_stop_a_visit(tmp_path: Path) -> None:
    service = QuizService(BANK, Store(f"sqlite:///{tmp_path}/quiz.sqlite3"), b"secret")
    for forged in ([], "x", {ITEM.id: [1e400, 0, 0, 0]}, {ITEM.id: [GOOD]}):
        visit = service.open({"reviews": forged})
        assert visit.reviews == {}
        assert answer_right(service, service.start(visit, TODAY)).reviews


def test_spaced_repetition_does_not_load_torch() -> None:
    code = "import sys, quiz.reviews; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
