"""The quiz service with its store and resume tokens: first answers count, and nothing from a browser is trusted."""

import base64
import stat
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from itsdangerous import URLSafeSerializer

from quiz.answer_log import MAX_RUNS, AnswerLog
from quiz.bank import Bank
from quiz.errors import SessionError, TokenError
from quiz.grading import grade
from quiz.resume_token import MAX_DAYS, ResumeTokens, load_secret
from quiz.selection import ALL, MIXED, RETRY, topic_scope
from quiz.service import MAX_FEEDBACK, QuizService, Visit
from quiz.session import (
    Counted,
    Record,
    Session,
    advance,
    answer,
    compute_standings,
    find_weakest,
    read_record,
    start_session,
    take_hint,
    update_record,
    write_record,
)
from quiz.store import Attempt, Feedback, Store, StoreError
from tests.unit.quiz.test_session import BANK, NUMERIC, SINGLE, give, open_item, right, run_through, wrong

SECRET = b"a secret of the tests"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path / 'quiz.sqlite3'}")


@pytest.fixture
def quiz(store: Store) -> QuizService:
    return QuizService(BANK, store, SECRET)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the missing folder of a database, which is unavailable until the folder is created."""
    return tmp_path / "away"


@pytest.fixture
def unavailable(folder: Path) -> QuizService:
    """Return a quiz whose store is unavailable."""
    return QuizService(BANK, Store(f"sqlite:///{folder / 'quiz.sqlite3'}"), SECRET)


def answered(quiz: QuizService, visit: Visit, is_right: bool = True, confidence: int | None = None) -> Visit:
    item = open_item(visit.session)
    return quiz.answer(visit, item.id, right(item) if is_right else wrong(item), confidence)


# Tokens


def test_a_token_holds_a_run_and_no_key() -> None:
    session = run_through(take_hint(start_session(BANK, MIXED, 7, "r", ["gru-use-001"]), SINGLE.id), mistakes={2, 9})
    tokens = ResumeTokens(SECRET, BANK)
    assert tokens.read(tokens.sign(session)) == session
    _, content = URLSafeSerializer("").loads_unsafe(tokens.sign(session).rsplit(".", 1)[0])
    assert set(content) == {"run", "bank", "scope", "seed", "items", "seen", "open", "hints", "answers"}
    assert content["answers"][0] == [0, list(right(SINGLE)), 1, None]


@given(st.integers(0, 2**32), st.sampled_from([MIXED, ALL, topic_scope("Shapes")]), st.integers(0, 5), st.booleans())
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_a_run_comes_back_from_its_token_wherever_it_stands(seed: int, scope: str, steps: int, moved: bool) -> None:
    session = start_session(BANK, scope, seed, "r")
    for step in range(steps):
        session = give(session, is_right=bool(step % 2))
        session = advance(session) if moved or step < steps - 1 else session
    tokens = ResumeTokens(SECRET, BANK)
    assert tokens.read(tokens.sign(session)) == session


def test_a_token_of_the_whole_bank_fits_in_a_browser() -> None:
    session = start_session(BANK, ALL, 1, "r" * 16, [item.id for item in BANK.items])
    for item in session.items:
        assert item.id == open_item(session).id
        given_answer = [option.oid for option in item.options] if item.type == "multi" else wrong(item)
        session = advance(answer(session, item.id, given_answer, 90)[0])
    tokens = ResumeTokens(SECRET, BANK)
    token = tokens.sign(session)
    assert len(token) < 50_000  # browsers keep 5 MB for a site
    assert tokens.read(token) == session


OLD_TOKEN = "eyJydW4iOiJyIn0.j7JXzGZ7N5cKQ8iZJc3qlr9XrYb0C7m1E2n4bq5vS5w"  # as version 0.1 signed them: two parts


def forgeries() -> list[Any]:
    session = start_session(BANK, MIXED, 1, "r")
    token = ResumeTokens(SECRET, BANK).sign(session)
    body, time, signature = token.rsplit(".", 2)
    changed = ResumeTokens(SECRET, BANK).sign(take_hint(session, SINGLE.id)).rsplit(".", 2)[0]
    return [
        None, 7, True, 1.5, [], {}, [token], {"run": token}, "", ".", "..", "a.b", token[:-1], token + "A", token[1:],
        f"{body}.", f".{signature}", f"{signature}.{body}", f"{changed}.{time}.{signature}", f"{body}.{signature}",
        f"{body}.{time}.{signature}.{signature}", f"{body}.AAAAAA.{signature}",
        token.replace(".", "\x00."), "é" + token, "\ud800", "x" * 10_000_000, "null", '{"run": "r"}', "__proto__",
        ResumeTokens(b"another secret", BANK).sign(session), OLD_TOKEN,
    ]  # fmt: skip


@pytest.mark.parametrize("number", range(len(forgeries())))
def test_a_forged_foreign_or_garbled_token_is_refused(number: int) -> None:
    with pytest.raises(TokenError):
        ResumeTokens(SECRET, BANK).read(forgeries()[number])


@given(st.text() | st.binary().map(lambda data: base64.urlsafe_b64encode(data).decode() + ".AAAA"))
def test_no_text_makes_reading_a_token_fail_otherwise(text: str) -> None:
    with pytest.raises(TokenError):
        ResumeTokens(SECRET, BANK).read(text)


def test_a_token_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens, session = ResumeTokens(SECRET, BANK), start_session(BANK, MIXED, 1, "r")
    token, now, day = tokens.sign(session), time.time(), 24 * 3600
    for days in (MAX_DAYS - 1, -1):  # the clock of another server may be behind
        monkeypatch.setattr(time, "time", lambda days=days: now + days * day)
        assert tokens.read(token) == session
    monkeypatch.setattr(time, "time", lambda: now + (MAX_DAYS + 1) * day)
    with pytest.raises(TokenError):
        tokens.read(token)


def test_a_token_of_another_bank_is_refused() -> None:
    token = ResumeTokens(SECRET, Bank(BANK.items[:5])).sign(
        start_session(Bank(BANK.items[:5]), topic_scope("Anatomy"), 1, "r")
    )
    with pytest.raises(TokenError):
        ResumeTokens(SECRET, BANK).read(token)


def test_a_secret_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    secret = load_secret(tmp_path / "data")
    assert len(secret) >= 32
    assert load_secret(tmp_path / "data") == secret
    (file,) = (tmp_path / "data").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert load_secret(tmp_path / "other") != secret


def test_a_given_secret_is_used_and_not_written(tmp_path: Path) -> None:
    assert load_secret(tmp_path / "data", "from outside") == b"from outside"
    assert not (tmp_path / "data").exists()


def test_without_a_folder_the_secret_is_that_of_the_process(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert len(load_secret(tmp_path / "file")) == 32
    assert load_secret(tmp_path / "file") != load_secret(tmp_path / "file")


# Answers and the store


def test_an_answer_is_stored_before_its_feedback_is_returned(quiz: QuizService, store: Store) -> None:
    visit = quiz.hint(quiz.open({}), SINGLE.id)
    visit = answered(quiz, visit, confidence=60)
    (attempt,) = store.attempts_of(visit.session.run)
    assert attempt == Attempt(
        visit.session.run, SINGLE.id, 1, right(SINGLE), True, 0.75, True, 1, 60, attempt.milliseconds
    )
    assert attempt.milliseconds is None  # when the learner came to see the first question is not known
    assert visit.session.current_grade is not None
    visit = answered(quiz, quiz.advance(visit), is_right=False)
    attempt = store.attempts_of(visit.session.run)[1]
    assert (attempt.correct, attempt.credit) == (False, 0.0)
    assert attempt.milliseconds is not None


def test_an_invalid_answer_is_refused_and_not_stored(quiz: QuizService, store: Store) -> None:
    visit = quiz.open({})
    for item_id, given_answer in ((SINGLE.id, ["zzzz"]), (SINGLE.id, []), (NUMERIC.id, ["1"]), ("", [""])):
        refused = quiz.answer(visit, item_id, given_answer)
        assert refused.message
        assert refused.session == visit.session
    assert quiz.advance(visit).message
    assert quiz.advance(visit).session == visit.session
    assert list(store.attempts()) == []


def test_a_second_answer_is_refused_and_the_first_one_remains(quiz: QuizService, store: Store) -> None:
    visit = answered(quiz, quiz.open({}), is_right=False)
    again = answered(quiz, visit)
    assert again.message
    assert again.session == visit.session
    assert [attempt.correct for attempt in store.attempts()] == [False]


def test_an_earlier_answer_from_another_window_counts(quiz: QuizService, store: Store) -> None:
    memory = quiz.memory(quiz.open({}))
    first, other = quiz.open(memory), quiz.open(memory)
    answered(quiz, first, is_right=False)
    late = answered(QuizService(BANK, store, SECRET), other)  # as in another process
    assert late.message
    assert late.session.current_grade is not None
    assert late.session.current_grade.given == wrong(open_item(first.session))
    assert late.session.score == 0
    assert len(list(store.attempts())) == 1


def test_items_seen_before_are_not_a_first_try(quiz: QuizService, store: Store) -> None:
    visit = quiz.open({})
    for number in range(10):
        visit = quiz.advance(answered(quiz, visit, is_right=number != 4))
    visit = answered(quiz, quiz.retry(visit))
    assert visit.session.scope == RETRY
    assert [attempt.first_try for attempt in store.attempts()] == [True] * 10 + [False]
    resumed = quiz.open(quiz.memory(visit))
    assert resumed.session == visit.session


def test_choosing_a_topic_and_practising_the_weakest_one(quiz: QuizService) -> None:
    visit = quiz.start(quiz.open({}), topic_scope("Shapes"))
    assert {item.topic for item in visit.session.items} == {"Shapes"}
    refused = quiz.start(visit, "topic:none")
    assert (refused.session, bool(refused.message)) == (visit.session, True)
    visit = quiz.practise(answered(quiz, visit))
    topic = quiz.topic_to_practise(visit)
    assert topic is not None
    assert {item.topic for item in visit.session.items} == {topic.topic}


# Resuming


def test_a_reload_resumes_where_the_learner_was(quiz: QuizService, store: Store) -> None:
    visit = quiz.advance(answered(quiz, quiz.open({})))
    visit = quiz.hint(visit, open_item(visit.session).id)
    for server in (quiz, QuizService(BANK, store, SECRET)):
        resumed = server.open(quiz.memory(visit))
        assert resumed.session == visit.session
        assert resumed.record == visit.record
        assert (resumed.notice, resumed.message, resumed.stored) == ("", "", True)


def test_an_older_token_does_not_take_an_answer_back(quiz: QuizService, store: Store) -> None:
    visit = quiz.open({})
    older = quiz.memory(visit)
    visit = answered(quiz, visit, is_right=False)
    for server in (quiz, QuizService(BANK, store, SECRET)):
        resumed = server.open(older)
        assert resumed.session.current_grade == visit.session.current_grade
        assert answered(server, resumed).message
    assert [attempt.correct for attempt in store.attempts()] == [False]


def test_an_older_token_does_not_give_a_hint_back(quiz: QuizService) -> None:
    visit = quiz.open({})
    older = quiz.memory(visit)
    quiz.hint(visit, SINGLE.id)
    assert quiz.open(older).session.hints == 1
    assert answered(quiz, visit).session.credit == 0.75


@pytest.mark.parametrize("memory", [None, 7, "text", [], [{}], {"run": ["x"]}, {"run": {"a": 1}}, {"run": "x" * 99999}])
def test_any_memory_of_a_browser_starts_a_run(quiz: QuizService, memory: object) -> None:
    visit = quiz.open(memory)
    assert visit.session.grades == ()
    assert bool(visit.notice) == isinstance(memory, dict)


def test_the_answers_of_another_run_are_not_used(quiz: QuizService) -> None:
    other = answered(quiz, quiz.open({}), is_right=False)
    mine = quiz.open({})
    assert mine.session.run != other.session.run
    assert mine.session.grades == ()


# The store is unavailable


def test_without_the_store_the_run_goes_on_and_is_marked_as_not_stored(unavailable: QuizService) -> None:
    visit = answered(unavailable, unavailable.open({}), is_right=False)
    assert not visit.stored
    assert visit.session.current_grade is not None
    visit = unavailable.advance(visit)
    assert (visit.stored, visit.session.position) == (False, 1)


def test_without_the_store_the_first_answer_still_counts_in_this_process(unavailable: QuizService) -> None:
    visit = unavailable.open({})
    older = unavailable.memory(visit)
    answered(unavailable, visit, is_right=False)
    assert unavailable.open(older).session.score == 0
    assert unavailable.open(older).session.current_grade is not None
    late = answered(unavailable, visit)
    assert late.message
    assert late.session.score == 0


def test_once_the_store_is_back_it_has_everything(unavailable: QuizService, folder: Path) -> None:
    visit = unavailable.advance(answered(unavailable, unavailable.open({})))
    visit = answered(unavailable, visit, is_right=False)
    folder.mkdir()
    visit = unavailable.advance(visit)
    assert visit.stored
    store = Store(f"sqlite:///{folder / 'quiz.sqlite3'}")
    assert [attempt.correct for attempt in store.attempts_of(visit.session.run)] == [True, False]


def test_answers_in_the_token_are_stored_when_the_store_is_back(unavailable: QuizService, folder: Path) -> None:
    memory = unavailable.memory(answered(unavailable, unavailable.open({})))
    folder.mkdir()
    store = Store(f"sqlite:///{folder / 'quiz.sqlite3'}")
    resumed = QuizService(BANK, store, SECRET).open(memory)
    assert (resumed.stored, resumed.session.score) == (True, 1)
    assert [attempt.item_id for attempt in store.attempts()] == [SINGLE.id]


def test_memory_is_bounded(store: Store) -> None:
    log = AnswerLog(store)
    for number in range(MAX_RUNS + 10):
        log.note_hints(str(number), "item", 1)
    assert log.note_hints("0", "item", 0) == 0
    assert log.note_hints(str(MAX_RUNS + 9), "item", 0) == 1


# Feedback


def test_feedback_is_stored_with_the_run_and_without_a_name(quiz: QuizService, store: Store) -> None:
    visit = quiz.open({})
    quiz.send_feedback(visit, True, "  More on ONNX, please. ")
    quiz.send_feedback(visit, None, "x" * MAX_FEEDBACK)
    assert [feedback for _, feedback in store.feedback()] == [
        Feedback(visit.session.run, True, "More on ONNX, please."),
        Feedback(visit.session.run, None, "x" * MAX_FEEDBACK),
    ]


def test_empty_and_oversized_feedback_is_refused(quiz: QuizService, store: Store) -> None:
    for clear, text in ((None, "  "), (True, "x" * (MAX_FEEDBACK + 1))):
        with pytest.raises(SessionError):
            quiz.send_feedback(quiz.open({}), clear, text)
    assert list(store.feedback()) == []


def test_feedback_that_cannot_be_stored_is_an_error(unavailable: QuizService) -> None:
    with pytest.raises(StoreError):
        unavailable.send_feedback(unavailable.open({}), False, "text")


# Levels


DAY = 24 * 3600


def record_of(session: Session, record: Record | None = None, time: float = DAY) -> Record:
    """Return a record after all answers of a session, given at one time."""
    record = record or {}
    for graded in session.grades:
        record = update_record(record, graded, time)
    return record


def levels(session: Session) -> dict[str, str]:
    return {standing.topic: standing.level for standing in compute_standings(BANK, record_of(session))}


def test_levels_rise_with_right_answers() -> None:
    chapter = start_session(BANK, topic_scope("Shapes"), 1)
    assert levels(chapter)["Shapes"] == "not started"
    assert levels(give(chapter, is_right=False))["Shapes"] == "attempted"
    assert levels(give(chapter))["Shapes"] == "familiar"
    assert levels(run_through(chapter, mistakes={0}))["Shapes"] == "proficient"
    assert levels(run_through(chapter))["Shapes"] == "mastered"
    assert levels(run_through(chapter))["Anatomy"] == "not started"
    assert levels(run_through(chapter, mistakes={0, 1, 2, 3}))["Shapes"] == "attempted"


def test_keys_copied_after_wrong_answers_show_no_mastery(quiz: QuizService) -> None:
    visit = quiz.start(quiz.open({}), topic_scope("Anatomy"))
    for is_right in (False, True):
        while not visit.session.finished:
            visit = quiz.advance(answered(quiz, visit, is_right))
        level = {standing.topic: standing.level for standing in quiz.standings(visit)}["Anatomy"]
        assert level == "attempted"
        if not is_right:
            visit = quiz.retry(visit)
            assert len(visit.session.items) == len([item for item in BANK.items if item.topic == "Anatomy"])


def test_another_answer_to_an_item_counts_on_another_day() -> None:
    record = update_record({}, grade(SINGLE, wrong(SINGLE)), DAY)
    again = grade(SINGLE, right(SINGLE), hints=1)
    assert update_record(record, again, DAY + 3600) == record
    assert update_record(record, again, 2 * DAY) == {SINGLE.id: Counted(0.75, 2 * DAY)}


def test_a_reload_on_another_day_does_not_count_copied_answers(
    quiz: QuizService, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit = answered(quiz, quiz.open({}), is_right=False)
    while not visit.session.finished:
        visit = quiz.advance(answered(quiz, visit)) if not visit.session.current_grade else quiz.advance(visit)
    visit = answered(quiz, quiz.retry(visit))
    memory, day_later = quiz.memory(visit), time.time() + DAY
    monkeypatch.setattr(time, "time", lambda: day_later)
    assert quiz.open(memory).record[SINGLE.id].credit == 0


def test_a_record_of_the_first_version_is_read() -> None:
    assert read_record(BANK, {SINGLE.id: 0.75}) == {SINGLE.id: Counted(0.75)}


def test_the_topic_to_practise_is_the_one_with_the_least_credit() -> None:
    everything = {item.id: Counted(1.0) for item in BANK.items}
    assert find_weakest(compute_standings(BANK, everything)) is None
    weak = {item.id: Counted(0.0) for item in BANK.items if item.topic == "Shapes"}
    standing = find_weakest(compute_standings(BANK, everything | weak))
    assert standing is not None
    assert (standing.topic, standing.credit, standing.answered) == ("Shapes", 0, standing.total)


HUGE: list[Any] = [float("nan"), float("inf"), 10**400]


@pytest.mark.parametrize(
    "data",
    [
        None,
        7,
        "x",
        [],
        [SINGLE.id],
        {"x": 1},
        *({SINGLE.id: v} for v in ["1", True, None, [1], 1.5, -1, *HUGE]),
        *({SINGLE.id: [0.5, v]} for v in ["1", True, None, [1], -1, *HUGE]),
        {SINGLE.id: [0.5, 1, 2]},
    ],
)
def test_an_unsound_record_is_left_out(data: object) -> None:
    assert read_record(BANK, data) == {}


@given(st.dictionaries(st.sampled_from([item.id for item in BANK.items]), st.floats() | st.text() | st.booleans()))
def test_any_record_yields_levels(data: dict[str, Any]) -> None:
    record = read_record(BANK, data)
    assert read_record(BANK, write_record(record)) == record
    assert all(0 <= counted.credit <= 1 for counted in record.values())
    assert {standing.topic for standing in compute_standings(BANK, record)} == {item.topic for item in BANK.items}
