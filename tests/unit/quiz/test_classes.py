"""Classes: codes, nicknames, and the questions that each run gets."""

import dataclasses
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quiz.bank import Bank, fingerprint
from quiz.class_records import (
    AFTER_DEADLINE,
    AT_ONCE,
    DRAWN,
    FIXED,
    MAX_NICKNAME,
    POST,
    PRE,
    SHUFFLED,
    SINGLE_TEST,
    STAGE,
    TEXT,
    ClassRun,
    QuizClass,
    learner_of,
    read_nickname,
)
from quiz.classes import (
    ALPHABET,
    CODE_LENGTH,
    MAX_TITLE,
    ClassOptions,
    assign_condition,
    describe_changes,
    draw_form,
    find_revealing,
    format_code,
    hash_token,
    items_of_run,
    link_of,
    make_class,
    new_code,
    random_nickname,
    read_code,
)
from quiz.errors import ClassError, counted
from tests.unit.quiz.test_session import BANK, BY_ID, LIVE, TOPICS

NOW = datetime.now(UTC)
LATER = NOW + timedelta(days=7)
WITH_NUMBERS = [item for item in LIVE if item.template]


def class_of(**options: Any) -> QuizClass:
    return make_class(BANK, ClassOptions(**{"title": "Week 3", **options}))[0]


def run_of(quiz_class: QuizClass, run: str = "a", nickname: str = "Ada", phase: str = SINGLE_TEST) -> ClassRun:
    return ClassRun(run, quiz_class.code, nickname, 1, phase, NOW)


def ids_of(quiz_class: QuizClass, **values: Any) -> list[str]:
    return [item.id for item in items_of_run(BANK, quiz_class, run_of(quiz_class, **values))]


def test_a_code_is_long_and_has_no_letters_that_look_alike() -> None:
    codes = {new_code() for _ in range(1000)}
    assert len(codes) == 1000
    assert {len(code) for code in codes} == {CODE_LENGTH}
    assert not set("".join(codes)) & set("01ILOU")
    assert len(ALPHABET) ** CODE_LENGTH > 2**39


@pytest.mark.parametrize("phase", [SINGLE_TEST, PRE, POST])
def test_a_code_is_read_as_it_is_shown_and_typed(phase: str) -> None:
    code = new_code()
    shown = format_code(code, phase)
    for text in (shown, shown.lower(), f" {shown} ", shown.replace("-", " "), shown.replace("-", "")):
        assert read_code(text) == (code, phase)
    assert link_of(dataclasses.replace(class_of(), code=code), phase) == f"#class={shown}"


@given(st.text() | st.text(ALPHABET + "IO01-", min_size=7, max_size=12))
def test_any_other_text_is_no_code(text: str) -> None:
    letters = text.replace("-", "").upper()
    if set(letters[:CODE_LENGTH]) <= set(ALPHABET) and letters[CODE_LENGTH:] in ("", "PRE", "POST"):
        letters = letters[: CODE_LENGTH - 1]
    with pytest.raises(ClassError, match="This is not a class code"):
        read_code(letters)


def test_a_random_nickname_can_be_typed() -> None:
    assert random_nickname() != random_nickname()
    assert read_nickname(random_nickname())


def test_a_fixed_form_is_the_same_for_every_learner() -> None:
    quiz_class = class_of(topics=("Shapes", "Parameters"), item_count=6)
    forms = [items_of_run(BANK, quiz_class, run_of(quiz_class, run, run)) for run in "abcdefgh"]
    assert {tuple((item.id, str(item.drawn)) for item in form) for form in forms} == {
        tuple((item.id, str(item.drawn)) for item in forms[0])
    }
    assert Counter(item.topic for item in forms[0]) == {"Shapes": 3, "Parameters": 3}
    orders = {tuple(option.oid for item in form for option in item.options) for form in forms}
    assert len(orders) > 1  # the options are shuffled
    assert forms[0] == items_of_run(BANK, quiz_class, run_of(quiz_class, "a", "other"))


def test_listed_items_keep_their_order_and_shuffled_ones_do_not() -> None:
    ids = tuple(item.id for item in reversed(LIVE[:12]))
    assert ids_of(class_of(item_ids=ids)) == list(ids)
    shuffled = class_of(item_ids=ids, order=SHUFFLED)
    orders = [ids_of(shuffled, run=run) for run in "abcdef"]
    assert len(set(map(tuple, orders))) > 3
    assert all(sorted(order) == sorted(ids) for order in orders)


def test_a_drawn_form_differs_from_run_to_run() -> None:
    quiz_class = class_of(draw=DRAWN, item_count=9)
    forms = [ids_of(quiz_class, run=str(number)) for number in range(20)]
    assert {len(form) for form in forms} == {9}
    assert len(set(map(tuple, forms))) == 20
    assert all(len({BY_ID[item_id].topic for item_id in form}) == min(9, len(TOPICS)) for form in forms)
    numbers = class_of(draw=DRAWN, item_ids=(WITH_NUMBERS[0].id,))
    drawn = {str(items_of_run(BANK, numbers, run_of(numbers, str(n)))[0].drawn) for n in range(20)}
    assert len(drawn) > 1


@pytest.mark.parametrize("draw", [FIXED, DRAWN])
def test_the_post_test_has_the_same_items_with_other_numbers(draw: str) -> None:
    ids = tuple(item.id for item in [*WITH_NUMBERS[:8], *LIVE[:8]][:12])
    quiz_class = class_of(draw=draw, item_ids=tuple(dict.fromkeys(ids)), item_count=8, pre_post=True)
    assert quiz_class.phases == (PRE, POST)
    first = items_of_run(BANK, quiz_class, run_of(quiz_class, "a", "Ada", PRE))
    second = items_of_run(BANK, quiz_class, run_of(quiz_class, "b", "ADA", POST))
    assert [item.id for item in first] == [item.id for item in second]
    pairs = [(one, other) for one, other in zip(first, second, strict=True) if one.template]
    assert pairs
    assert sum(one.drawn != other.drawn for one, other in pairs) >= (len(pairs) if draw == FIXED else 1)


def test_what_a_run_draws_cannot_be_computed_from_what_its_learner_knows() -> None:
    for options in ({"draw": DRAWN, "item_count": 9}, {"draw": DRAWN, "item_count": 9, "pre_post": True}):
        quiz_class = class_of(**options)
        phase = quiz_class.phases[0]
        others = [dataclasses.replace(quiz_class, token_hash=str(number)) for number in range(5)]
        assert len({tuple(ids_of(other, phase=phase)) for other in others}) == 5
    quiz_class = class_of(item_ids=(LIVE[0].id,))
    others = [dataclasses.replace(quiz_class, token_hash=str(number)) for number in range(20)]
    items = [items_of_run(BANK, other, run_of(other))[0] for other in others]
    assert len({tuple(option.oid for option in item.options) for item in items}) > 5


def test_a_form_has_no_questions_that_reveal_each_other_while_there_are_others() -> None:
    pool = LIVE[:]
    for seed in range(50):
        form = draw_form(pool, 12, random.Random(seed))
        ids = {item.id for item in form}
        assert not [item.id for item in form if ids & set(item.enemies)]
    assert len(draw_form(pool, len(pool), random.Random(1))) == len(pool)


def test_questions_give_away_enemies_prerequisites_and_those_of_the_same_proof() -> None:
    one, other = BY_ID["gru-update-010"], BY_ID["gru-anatomy-002"]
    assert other.id in one.enemies
    assert one.id not in other.enemies
    assert find_revealing(BANK, {other.id}) >= {one.id, other.id}
    same_proof = {item.id for item in LIVE if item.check and one.check and item.check.fn == one.check.fn}
    assert len(same_proof) > 1
    assert one.prereq
    assert find_revealing(BANK, {one.id}) == same_proof | set(one.enemies) | set(one.prereq)
    assert find_revealing(BANK, {one.prereq[0]}) > {one.id}
    assert find_revealing(BANK, set()) == frozenset()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"title": " "}, "title"),
        ({"title": "x" * (MAX_TITLE + 1)}, "title"),
        ({"title": "a\u202eb"}, "title"),
        ({"topics": ("Nothing",)}, "no topic 'Nothing'"),
        ({"item_ids": ("gru-none-001",)}, "no question 'gru-none-001'"),
        ({"item_ids": (LIVE[0].id, LIVE[0].id)}, "listed twice"),
        ({"item_count": 0}, "from 1 to"),
        ({"topics": ("Shapes",), "item_count": 100}, "from 1 to"),
        ({"attempts_allowed": 0}, "attempts"),
        ({"retention_days": 0}, "days"),
        ({"draw": "any"}, "draw"),
        ({"order": "any"}, "order"),
        ({"feedback": "never"}, "feedback"),
        ({"feedback": AFTER_DEADLINE}, "needs a deadline"),
        ({"deadline": NOW - timedelta(seconds=1)}, "has passed"),
        ({"deadline": NOW + timedelta(days=5000)}, "too far away"),
    ],
)
def test_an_option_that_is_not_allowed_is_refused_in_words(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ClassError, match=message):
        class_of(**options)


def test_a_learner_of_a_study_is_assigned_by_chance_and_once() -> None:
    study, other = class_of(randomized=True, pre_post=True), class_of(randomized=True)
    names = [f"learner {number}" for number in range(1000)]
    conditions = [assign_condition(study, name) for name in names]
    assert Counter(conditions).keys() == {TEXT, STAGE}
    assert 420 < conditions.count(TEXT) < 580
    assert [assign_condition(study, f" {name.upper()}") for name in names] == conditions
    same = sum(assign_condition(other, name) == condition for name, condition in zip(names, conditions, strict=True))
    assert 420 < same < 580  # it cannot be known from the nickname
    assert assign_condition(class_of(), "Ada") == ""


def test_a_class_has_the_hash_of_its_token_only() -> None:
    quiz_class, token = make_class(BANK, ClassOptions("Week 3"))
    assert len(token) >= 32
    assert token not in repr(quiz_class)
    assert quiz_class.token_hash == hash_token(token)
    assert make_class(BANK, ClassOptions("Week 3"))[0].code != quiz_class.code


def test_an_exam_is_one_until_its_deadline_and_a_class_expires() -> None:
    exam = class_of(deadline=LATER, feedback=AFTER_DEADLINE, retention_days=10)
    assert exam.is_exam(LATER - timedelta(seconds=1))
    assert not exam.is_closed(LATER - timedelta(seconds=1))
    assert exam.is_closed(LATER)
    assert not exam.is_exam(LATER)
    assert exam.expires_at == LATER + timedelta(days=10)
    assert not class_of(deadline=LATER, feedback=AT_ONCE).is_exam(NOW)
    assert not class_of().is_closed(LATER)


def test_a_class_of_another_bank_is_refused_and_a_change_elsewhere_is_told() -> None:
    ids = tuple(item.id for item in WITH_NUMBERS[:3])
    quiz_class = class_of(item_ids=ids)
    assert quiz_class.bank_hash == fingerprint(BANK)
    assert describe_changes(BANK, quiz_class) == ""
    smaller = Bank(tuple(item for item in BANK.items if item.id in ids))
    assert "kept their versions" in describe_changes(smaller, quiz_class)
    assert len(items_of_run(smaller, quiz_class, run_of(quiz_class))) == 3
    newer = Bank(tuple(dataclasses.replace(item, version=item.version + 1) for item in BANK.items))
    for bank in (newer, Bank(smaller.items[1:])):
        assert "have changed" in describe_changes(bank, quiz_class)
        with pytest.raises(ClassError, match="have changed"):
            items_of_run(bank, quiz_class, run_of(quiz_class))


def test_a_nickname_is_short_and_visible() -> None:
    assert read_nickname("  Ada \t Lovelace\n") == "Ada Lovelace"
    assert read_nickname("") == read_nickname("  ") == ""
    assert read_nickname("x" * MAX_NICKNAME) == "x" * MAX_NICKNAME
    assert read_nickname("👩\u200d🔬") == "👩\u200d🔬"
    unseen = ("\u200d", "\u3164", "\u2800", "\ufe0f", "\u034f")
    for text in ("x" * (MAX_NICKNAME + 1), "a\u202eb", "a\x00b", "a\ud800", "x" * 1_000_000, *unseen):
        with pytest.raises(ClassError):
            read_nickname(text)


@pytest.mark.parametrize(
    "other",
    [
        "ADA L",
        "ada  l",
        "AdaL",
        " Ada L ",
        "Ada\u00a0L",
        "Ada\u200dL",
        "Ada\ufe0f L",
        "Ａｄａ L",
        "A\u034fda\u3164L",
        "Ada\U000e0101L",
    ],
)
def test_nicknames_that_look_alike_are_of_the_same_learner(other: str) -> None:
    assert learner_of(other) == learner_of("Ada L") == "adal"


@pytest.mark.parametrize(
    ("one", "other"), [("Straße", "STRASSE"), ("ΣΊΣΥΦΟΣ", "σίσυφος"), ("ﬁona", "FIONA"), ("É", "e\u0301"), ("Ǆ", "ǆ")]
)
def test_capitals_of_any_script_do_not_count(one: str, other: str) -> None:
    assert learner_of(one) == learner_of(other) != ""


def test_other_nicknames_are_of_other_learners() -> None:
    assert len({learner_of(text) for text in ("Ada", "Adá", "Ada2", "Bob", "李", "👩", "A-da")}) == 7


@given(st.text())
def test_the_learner_of_a_learner_is_the_same(text: str) -> None:
    assert learner_of(learner_of(text)) == learner_of(text)


def test_one_is_singular_and_large_numbers_have_commas() -> None:
    assert [counted(number, "run") for number in (0, 1, 2, 2000)] == ["0 runs", "1 run", "2 runs", "2,000 runs"]
