"""A store that hangs holds up few, and only for a while; what it lacks is remembered."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from quiz import answer_log
from quiz import answer_log as turns
from quiz.answer_log import Ledger
from quiz.store import Attempt, Feedback, Store, StoreError
from tests.databases import attempt


class HangingStore(Store):
    """A store that keeps whoever asks it until it goes on, and fails then, or works if it is well."""

    def __init__(self, url: str) -> None:
        """Hang."""
        super().__init__(url)
        self.goes_on, self.well = threading.Event(), False
        self.asked = 0

    def record(self, attempt: Attempt) -> Attempt:
        """Hang, or store it."""
        if self.well:
            return super().record(attempt)
        self.asked += 1
        self.goes_on.wait()
        raise StoreError("the database is busy")


@pytest.fixture
def hanging(tmp_path: Path) -> Iterator[HangingStore]:
    store = HangingStore(f"sqlite:///{tmp_path / 'quiz.sqlite3'}")
    yield store
    store.close()


def test_few_wait_for_a_store_that_hangs_and_then_nobody(
    hanging: HangingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "SLOW_SECONDS", 0.01)
    ledger = Ledger(hanging)
    with ThreadPoolExecutor(3 * turns.AT_ONCE) as threads:
        waiting = [threads.submit(ledger.record, attempt(run=str(number))) for number in range(3 * turns.AT_ONCE)]
        while sum(one.done() for one in waiting) < 2 * turns.AT_ONCE:
            pass
        assert hanging.asked == turns.AT_ONCE
        hanging.goes_on.set()
        assert {one.result().run for one in waiting} == {str(number) for number in range(3 * turns.AT_ONCE)}
    ledger.record(attempt(run="later"))
    with pytest.raises(StoreError, match="busy"):
        ledger.record_feedback(Feedback("later", True, ""))
    assert hanging.asked == turns.AT_ONCE
    assert not ledger.keeps("later")


def test_after_a_pause_the_store_is_asked_again(hanging: HangingStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "SLOW_SECONDS", -1)
    monkeypatch.setattr(turns, "PAUSE_SECONDS", 0)
    ledger = Ledger(hanging)
    hanging.goes_on.set()
    ledger.record(attempt())
    assert not ledger.keeps("run")
    hanging.well = True
    ledger.keep("run")
    assert ledger.keeps("run")
    assert hanging.attempts_of("run") == [attempt()]


def test_a_store_that_fails_at_once_is_asked_again_at_once(hanging: HangingStore) -> None:
    ledger = Ledger(hanging)
    hanging.goes_on.set()
    for number in range(3):
        ledger.record(attempt(item_id=str(number)))
    assert hanging.asked == 3


def test_runs_that_the_store_lacks_are_forgotten_last(
    hanging: HangingStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(answer_log, "MAX_RUNS", 3)
    monkeypatch.setattr(answer_log, "MAX_UNKEPT", 6)
    ledger = Ledger(hanging)
    hanging.goes_on.set()
    for number in range(5):
        ledger.record(attempt(run=str(number)))
        ledger.note_hints(f"kept {number}", "item", 1)
    assert not any(ledger.keeps(str(number)) for number in range(5))
    assert ledger.note_hints("kept 0", "item", 0) == 0
    assert "lost" not in caplog.text
    for number in range(5, 8):
        ledger.record(attempt(run=str(number)))
    assert "1 answers are lost" in caplog.text
    assert [ledger.keeps(str(number)) for number in (7, 6, 5)] == [False] * 3
