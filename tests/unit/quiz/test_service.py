"""Runs with their store and their tokens: first answers count wherever they come from, and nothing is trusted."""

import base64
import json
import stat
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quiz.answer_log import MAX_RUNS, Ledger
from quiz.bank import Bank
from quiz.errors import SessionError, TokenError
from quiz.grading import grade
from quiz.progress import compute_standings, find_weakest, read_record, update_record
from quiz.resume_token import MAX_DAYS, Tokens, load_secret
from quiz.selection import ALL, MIXED, RETRY, topic_scope
from quiz.service import MAX_FEEDBACK, Runs, Visit
from quiz.session import Session, advance, answer, start_session, take_hint
from quiz.store import Attempt, Feedback, Store, StoreError
from tests.unit.quiz.test_session import BANK, NUMERIC, SINGLE, give, open_item, right, run_through, wrong

SECRET = b"a secret of the tests"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path / 'quiz.sqlite3'}")


@pytest.fixture
def runs(store: Store) -> Runs:
    return Runs(BANK, store, SECRET)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a database that is away until the folder is made."""
    return tmp_path / "away"


@pytest.fixture
def away(folder: Path) -> Runs:
    """Return runs whose store is away."""
    return Runs(BANK, Store(f"sqlite:///{folder / 'quiz.sqlite3'}"), SECRET)


def answered(runs: Runs, visit: Visit, is_right: bool = True, confidence: int | None = None) -> Visit:
    item = open_item(visit.session)
    return runs.answer(visit, item.id, right(item) if is_right else wrong(item), confidence)


# Tokens


def test_a_token_holds_a_run_and_no_key() -> None:
    session = run_through(take_hint(start_session(BANK, MIXED, 7, "r", ["gru-use-001"]), SINGLE.id), mistakes={2, 9})
    tokens = Tokens(SECRET, BANK)
    assert tokens.read(tokens.sign(session)) == session
    body = tokens.sign(session).split(".")[0]
    content = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    assert set(content) == {"run", "bank", "scope", "seed", "time", "items", "seen", "open", "hints", "answers"}
    assert content["answers"][0] == [0, list(right(SINGLE)), 1, None]


@given(st.integers(0, 2**32), st.sampled_from([MIXED, ALL, topic_scope("Shapes")]), st.integers(0, 5), st.booleans())
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_a_run_comes_back_from_its_token_wherever_it_stands(seed: int, scope: str, steps: int, moved: bool) -> None:

    session = start_session(BANK, scope, seed, "r")
    for step in range(steps):
        session = give(session, is_right=bool(step % 2))
        session = advance(session) if moved or step < steps - 1 else session
    tokens = Tokens(SECRET, BANK)
    assert tokens.read(tokens.sign(session)) == session


def test_a_token_of_the_whole_bank_is_small_enough_to_be_read() -> None:
    session = start_session(BANK, ALL, 1, "r" * 16, [item.id for item in BANK.items])
    for item in session.items:
        assert item.id == open_item(session).id
        given_answer = [option.oid for option in item.options] if item.type == "multi" else wrong(item)

        session = advance(answer(session, item.id, given_answer, 90)[0])
    tokens = Tokens(SECRET, BANK)
    assert tokens.read(tokens.sign(session)) == session


NOW = 2_000_000_000  # fixed, as the names of the tests below hold the signature


def forgeries() -> list[Any]:
    tokens = Tokens(SECRET, BANK)
    token = tokens.sign(start_session(BANK, MIXED, 1, "r"), NOW)
    body, signature = token.split(".")
    richer = base64.urlsafe_b64encode(
        base64.urlsafe_b64decode(body + "==").replace(b'"hints":0', b'"hints":1')
    ).decode()
    return [
        None, 7, True, 1.5, [], {}, [token], {"run": token}, "", ".", "..", "a.b", token[:-1], token + "A", token[1:],
        f"{body}.", f".{signature}", f"{signature}.{body}", f"{richer.rstrip('=')}.{signature}",
        f"{body}.{signature}.{signature}",
        token.replace(".", "\x00."), "é" + token, "\ud800", "x" * 10_000_000, "null", '{"run": "r"}', "__proto__",
        Tokens(b"another secret", BANK).sign(start_session(BANK, MIXED, 1, "r"), NOW),
    ]  # fmt: skip


@pytest.mark.parametrize("token", forgeries(), ids=lambda token: repr(token)[:20])
def test_a_forged_foreign_or_garbled_token_is_refused_kindly(token: object) -> None:
    with pytest.raises(TokenError, match="so a new one starts"):
        Tokens(SECRET, BANK).read(token)


@given(st.text() | st.binary().map(lambda data: base64.urlsafe_b64encode(data).decode() + ".AAAA"))
def test_no_text_makes_reading_a_token_fail_otherwise(text: str) -> None:
    with pytest.raises(TokenError):
        Tokens(SECRET, BANK).read(text)


def test_a_stale_token_is_refused_and_one_of_the_last_month_is_not() -> None:
    tokens, session, now = Tokens(SECRET, BANK), start_session(BANK, MIXED, 1, "r"), time.time()
    day = 24 * 3600
    assert tokens.read(tokens.sign(session, now), now + (MAX_DAYS - 1) * day) == session
    with pytest.raises(TokenError, match="older than 30 days"):
        tokens.read(tokens.sign(session, now), now + (MAX_DAYS + 1) * day)


def test_a_token_of_another_bank_is_refused() -> None:
    token = Tokens(SECRET, Bank(BANK.items[:5])).sign(
        start_session(Bank(BANK.items[:5]), topic_scope("Anatomy"), 1, "r")
    )
    with pytest.raises(TokenError, match="The questions have changed"):
        Tokens(SECRET, BANK).read(token)


def test_a_secret_is_made_once_and_for_its_owner_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QUIZ_SECRET", raising=False)
    secret = load_secret(tmp_path / "data")
    assert len(secret) >= 32
    assert load_secret(tmp_path / "data") == secret
    (file,) = (tmp_path / "data").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert load_secret(tmp_path / "other") != secret


def test_the_environment_names_the_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUIZ_SECRET", "from outside")
    assert load_secret(tmp_path / "data") == b"from outside"
    assert not (tmp_path / "data").exists()


def test_without_a_folder_the_secret_is_that_of_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QUIZ_SECRET", raising=False)
    (tmp_path / "file").write_text("")
    assert len(load_secret(tmp_path / "file")) == 32
    assert load_secret(tmp_path / "file") != load_secret(tmp_path / "file")


# Answers and the store


def test_an_answer_is_in_the_store_when_it_is_told(runs: Runs, store: Store) -> None:
    visit = runs.hint(runs.open({}), SINGLE.id)
    visit = answered(runs, visit, confidence=60)
    (attempt,) = store.attempts_of(visit.session.run)
    assert attempt == Attempt(
        visit.session.run, SINGLE.id, 1, right(SINGLE), True, 0.75, True, 1, 60, attempt.milliseconds
    )
    assert attempt.milliseconds is None  # when the learner came to see the first question is not known
    assert visit.session.current_grade is not None
    visit = answered(runs, runs.advance(visit), is_right=False)
    attempt = store.attempts_of(visit.session.run)[1]
    assert (attempt.correct, attempt.credit) == (False, 0.0)
    assert attempt.milliseconds is not None


def test_what_is_no_answer_is_not_stored_and_said(runs: Runs, store: Store) -> None:
    visit = runs.open({})
    for item_id, given_answer in ((SINGLE.id, ["zzzz"]), (SINGLE.id, []), (NUMERIC.id, ["1"]), ("", [""])):
        refused = runs.answer(visit, item_id, given_answer)
        assert refused.message
        assert refused.session == visit.session
    assert runs.advance(visit).message == "Answer this question first. There is no penalty for a wrong answer."
    assert list(store.attempts()) == []


def test_a_second_answer_is_refused_and_the_first_one_stays(runs: Runs, store: Store) -> None:
    visit = answered(runs, runs.open({}), is_right=False)
    again = answered(runs, visit)
    assert "first answer counts" in again.message
    assert again.session == visit.session
    assert [attempt.correct for attempt in store.attempts()] == [False]


def test_an_answer_given_elsewhere_to_the_same_run_counts(runs: Runs, store: Store) -> None:
    memory = runs.memory(runs.open({}))
    one, other = runs.open(memory), runs.open(memory)
    answered(runs, one, is_right=False)
    late = answered(Runs(BANK, store, SECRET), other)  # as of another process
    assert "first answer counts" in late.message
    assert late.session.current_grade is not None
    assert late.session.current_grade.given == wrong(open_item(one.session))
    assert late.session.score == 0
    assert len(list(store.attempts())) == 1


def test_items_seen_before_are_no_first_try(runs: Runs, store: Store) -> None:
    visit = runs.open({})
    for number in range(10):
        visit = runs.advance(answered(runs, visit, is_right=number != 4))
    visit = answered(runs, runs.retry(visit))
    assert visit.session.scope == RETRY
    assert [attempt.first_try for attempt in store.attempts()] == [True] * 10 + [False]
    resumed = runs.open(runs.memory(visit))
    assert resumed.session == visit.session


def test_choosing_a_topic_and_practising_the_weakest_one(runs: Runs) -> None:
    visit = runs.start(runs.open({}), topic_scope("Shapes"))
    assert {item.topic for item in visit.session.items} == {"Shapes"}
    assert runs.start(visit, "topic:none").message == "There is no such set of questions. Choose one of those listed."
    visit = runs.practise(answered(runs, visit))
    topic = runs.topic_to_practise(visit)
    assert topic is not None
    assert {item.topic for item in visit.session.items} == {topic.topic}


# Resuming


def test_a_reload_resumes_where_the_learner_was(runs: Runs, store: Store) -> None:
    visit = runs.advance(answered(runs, runs.open({})))
    visit = runs.hint(visit, open_item(visit.session).id)
    for server in (runs, Runs(BANK, store, SECRET)):
        resumed = server.open(runs.memory(visit))
        assert resumed.session == visit.session
        assert resumed.record == visit.record
        assert (resumed.notice, resumed.message, resumed.kept) == ("", "", True)


def test_an_older_token_does_not_take_an_answer_back(runs: Runs, store: Store) -> None:
    visit = runs.open({})
    older = runs.memory(visit)
    visit = answered(runs, visit, is_right=False)
    for server in (runs, Runs(BANK, store, SECRET)):
        resumed = server.open(older)
        assert resumed.session.current_grade == visit.session.current_grade
        assert "first answer counts" in answered(server, resumed).message
    assert [attempt.correct for attempt in store.attempts()] == [False]


def test_an_older_token_does_not_give_a_hint_back(runs: Runs) -> None:
    visit = runs.open({})
    older = runs.memory(visit)
    runs.hint(visit, SINGLE.id)
    assert runs.open(older).session.hints == 1
    assert answered(runs, visit).session.credit == 0.75


@pytest.mark.parametrize("memory", [None, 7, "text", [], [{}], {"run": ["x"]}, {"run": {"a": 1}}, {"run": "x" * 99999}])
def test_whatever_the_browser_sends_a_run_starts(runs: Runs, memory: object) -> None:
    visit = runs.open(memory)
    assert visit.session.grades == ()
    assert bool(visit.notice) == isinstance(memory, dict)


def test_the_answers_of_another_run_are_not_taken_for_this_one(runs: Runs) -> None:
    other = answered(runs, runs.open({}), is_right=False)
    mine = runs.open({})
    assert mine.session.run != other.session.run
    assert mine.session.grades == ()


# The store is away


def test_with_the_store_away_the_run_goes_on_and_says_that_nothing_is_kept(away: Runs) -> None:
    visit = answered(away, away.open({}), is_right=False)
    assert not visit.kept
    assert visit.session.current_grade is not None
    visit = away.advance(visit)
    assert (visit.kept, visit.session.position) == (False, 1)


def test_with_the_store_away_the_first_answer_still_counts_in_this_process(away: Runs) -> None:
    visit = away.open({})
    older = away.memory(visit)
    answered(away, visit, is_right=False)
    assert away.open(older).session.score == 0
    assert away.open(older).session.current_grade is not None
    late = answered(away, visit)
    assert "first answer counts" in late.message
    assert late.session.score == 0


def test_once_the_store_is_back_it_has_everything_and_the_line_goes(away: Runs, folder: Path) -> None:
    visit = away.advance(answered(away, away.open({})))
    visit = answered(away, visit, is_right=False)
    folder.mkdir()
    visit = away.advance(visit)
    assert visit.kept
    store = Store(f"sqlite:///{folder / 'quiz.sqlite3'}")
    assert [attempt.correct for attempt in store.attempts_of(visit.session.run)] == [True, False]


def test_answers_in_the_token_are_stored_when_the_store_is_back(away: Runs, folder: Path) -> None:
    memory = away.memory(answered(away, away.open({})))
    folder.mkdir()
    store = Store(f"sqlite:///{folder / 'quiz.sqlite3'}")
    resumed = Runs(BANK, store, SECRET).open(memory)
    assert (resumed.kept, resumed.session.score) == (True, 1)
    assert [attempt.item_id for attempt in store.attempts()] == [SINGLE.id]


def test_memory_is_bounded(store: Store) -> None:
    ledger = Ledger(store)
    for number in range(MAX_RUNS + 10):
        ledger.note_hints(str(number), "item", 1)
    assert ledger.note_hints("0", "item", 0) == 0
    assert ledger.note_hints(str(MAX_RUNS + 9), "item", 0) == 1


# Feedback


def test_feedback_is_stored_with_the_run_and_without_a_name(runs: Runs, store: Store) -> None:
    visit = runs.open({})
    runs.send_feedback(visit, True, "  More on ONNX, please. ")
    runs.send_feedback(visit, None, "x" * MAX_FEEDBACK)
    assert [said for _, said in store.feedback()] == [
        Feedback(visit.session.run, True, "More on ONNX, please."),
        Feedback(visit.session.run, None, "x" * MAX_FEEDBACK),
    ]


def test_empty_and_oversized_feedback_is_refused(runs: Runs, store: Store) -> None:
    with pytest.raises(SessionError, match="yes or no"):
        runs.send_feedback(runs.open({}), None, "  ")
    with pytest.raises(SessionError, match="2,001 characters"):
        runs.send_feedback(runs.open({}), True, "x" * (MAX_FEEDBACK + 1))
    assert list(store.feedback()) == []


def test_feedback_that_cannot_be_stored_is_an_error(away: Runs) -> None:
    with pytest.raises(StoreError):
        away.send_feedback(away.open({}), False, "text")


# Levels


def levels(session: Session) -> dict[str, str]:
    return {standing.topic: standing.level for standing in compute_standings(BANK, update_record({}, session.grades))}


def test_levels_rise_with_right_answers() -> None:
    chapter = start_session(BANK, topic_scope("Shapes"), 1)
    assert levels(chapter)["Shapes"] == "not started"
    assert levels(give(chapter, is_right=False))["Shapes"] == "attempted"
    assert levels(give(chapter))["Shapes"] == "familiar"
    assert levels(run_through(chapter, mistakes={0}))["Shapes"] == "proficient"
    assert levels(run_through(chapter))["Shapes"] == "mastered"
    assert levels(run_through(chapter))["Anatomy"] == "not started"
    assert levels(run_through(chapter, mistakes={0, 1, 2, 3}))["Shapes"] == "attempted"


def test_the_last_answer_to_an_item_is_what_counts() -> None:
    record = update_record({SINGLE.id: 0.0}, [grade(SINGLE, right(SINGLE), hints=1)])
    assert record == {SINGLE.id: 0.75}
    assert update_record(record, [grade(SINGLE, wrong(SINGLE))]) == {SINGLE.id: 0.0}


def test_the_topic_to_practise_is_the_one_with_the_least_credit() -> None:
    everything = {item.id: 1.0 for item in BANK.items}
    assert find_weakest(compute_standings(BANK, everything)) is None
    weak = {item.id: 0.0 for item in BANK.items if item.topic == "Shapes"}
    found = find_weakest(compute_standings(BANK, everything | weak))
    assert found is not None
    assert (found.topic, found.credit, found.answered) == ("Shapes", 0, found.total)


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
    ],
)
def test_an_unsound_record_is_left_out(data: object) -> None:
    assert read_record(BANK, data) == {}


@given(st.dictionaries(st.sampled_from([item.id for item in BANK.items]), st.floats() | st.text() | st.booleans()))
def test_whatever_the_record_levels_are_told(data: dict[str, Any]) -> None:
    record = read_record(BANK, data)
    assert all(0 <= credit <= 1 for credit in record.values())
    assert {standing.topic for standing in compute_standings(BANK, record)} == {item.topic for item in BANK.items}
