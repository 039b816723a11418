"""The answer log: few wait for a store that hangs, and the answers it lacks are kept in memory."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import pytest

from quiz import answer_log
from quiz.answer_log import AnswerLog
from quiz.store import Attempt, Feedback, Store, StoreError
from tests.databases import attempt

WAIT_SECONDS = 60


class HangingStore(Store):
    """A store whose calls block until `resume` is set and then fail, unless it is `available`."""

    def __init__(self, url: str) -> None:
        """Open the store, unavailable."""
        super().__init__(url)
        self.resume, self.available = threading.Event(), False
        self.calls, self.entered = 0, threading.Semaphore(0)

    def record(self, attempt: Attempt) -> Attempt:
        """Store an attempt, or block and fail."""
        if self.available:
            return super().record(attempt)
        self.calls += 1
        self.entered.release()
        self.resume.wait(WAIT_SECONDS)
        raise StoreError("the database is busy")


@pytest.fixture
def hanging(tmp_path: Path) -> Iterator[HangingStore]:
    store = HangingStore(f"sqlite:///{tmp_path / 'quiz.sqlite3'}")
    yield store
    store.close()


def test_few_calls_wait_for_a_store_that_hangs_and_none_during_the_pause(
    hanging: HangingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer_log, "SLOW_SECONDS", 0.01)
    log = AnswerLog(hanging)
    with ThreadPoolExecutor(3 * answer_log.MAX_CALLS) as threads:
        waiting = [threads.submit(log.record, attempt(run=str(number))) for number in range(3 * answer_log.MAX_CALLS)]
        for _ in range(answer_log.MAX_CALLS):
            assert hanging.entered.acquire(timeout=WAIT_SECONDS)
        refused = islice(as_completed(waiting, WAIT_SECONDS), 2 * answer_log.MAX_CALLS)
        assert len(list(refused)) == 2 * answer_log.MAX_CALLS
        assert hanging.calls == answer_log.MAX_CALLS
        hanging.resume.set()
        assert {future.result().run for future in waiting} == {
            str(number) for number in range(3 * answer_log.MAX_CALLS)
        }
    log.record(attempt(run="later"))
    with pytest.raises(StoreError, match="busy"):
        log.record_feedback(Feedback("later", True, ""))
    assert hanging.calls == answer_log.MAX_CALLS
    assert not log.is_stored("later")


def test_the_store_is_called_again_after_the_pause(hanging: HangingStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_log, "SLOW_SECONDS", -1)
    monkeypatch.setattr(answer_log, "PAUSE_SECONDS", 0)
    log = AnswerLog(hanging)
    hanging.resume.set()
    log.record(attempt())
    assert not log.is_stored("run")
    hanging.available = True
    log.store_pending("run")
    assert log.is_stored("run")
    assert hanging.attempts_of("run") == [attempt()]


def test_the_last_answers_of_runs_are_stored_without_a_further_step(
    hanging: HangingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    retries: list[Callable[[], None]] = []
    timer = SimpleNamespace(start=lambda: None)
    monkeypatch.setattr(answer_log, "Timer", lambda seconds, retry: retries.append(retry) or timer)
    log = AnswerLog(hanging)
    hanging.resume.set()
    for run in ("one", "other"):
        log.record(attempt(run=run))
    assert len(retries) == 1
    retries.pop()()
    assert len(retries) == 1  # once more, as the store is still unavailable
    hanging.available = True
    retries.pop()()
    assert retries == []
    assert log.is_stored("one")
    assert {record.run for record in hanging.attempts()} == {"one", "other"}


def test_a_store_that_fails_at_once_is_called_without_a_pause(hanging: HangingStore) -> None:
    log = AnswerLog(hanging)
    hanging.resume.set()
    for number in range(3):
        log.record(attempt(item_id=str(number)))
    assert hanging.calls == 3


def test_runs_that_the_store_lacks_are_dropped_last(
    hanging: HangingStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(answer_log, "MAX_RUNS", 3)
    monkeypatch.setattr(answer_log, "MAX_UNSTORED", 6)
    log = AnswerLog(hanging)
    hanging.resume.set()
    for number in range(5):
        log.record(attempt(run=str(number)))
        log.note_hints(f"stored {number}", "item", 1)
    assert not any(log.is_stored(str(number)) for number in range(5))
    assert log.note_hints("stored 0", "item", 0) == 0
    assert "ERROR" not in [record.levelname for record in caplog.records]
    for number in range(5, 8):
        log.record(attempt(run=str(number)))
    assert next(record.args for record in caplog.records if record.levelname == "ERROR") == (1,)  # answers lost
    assert [log.is_stored(str(number)) for number in (7, 6, 5)] == [False] * 3
