"""Attempts and feedback in SQLite and PostgreSQL: no stored record is lost, and no failure hangs the quiz."""

import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quiz import schema
from quiz import store as store_module
from quiz.bank import load_bank
from quiz.item_analysis import analyze_items
from quiz.store import Attempt, Feedback, Store, StoreError
from tests.conftest import REPOSITORY
from tests.databases import DatabaseProxy, attempt, drop_tables, postgres_url
from tests.databases import store as store
from tests.databases import url as url

WRITER = """
import sys
from quiz import schema, store
from quiz.store import Store
from tests.databases import attempt
schema.TIMEOUT_SECONDS, store.DEADLINE_SECONDS = 200, 200.0  # as in the fixture `patience`
name, url, count = sys.argv[1:]
store = Store(url)
for number in range(int(count)):
    store.record(attempt(run=name, item_id=str(number)))
    print(number, flush=True)
"""


@pytest.fixture
def proxy(impatience: None) -> Iterator[DatabaseProxy]:
    drop_tables(postgres_url())
    proxy = DatabaseProxy(postgres_url())
    yield proxy
    proxy.stop()


@pytest.fixture
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the time limits."""
    monkeypatch.setattr(schema, "TIMEOUT_SECONDS", 1)
    monkeypatch.setattr(store_module, "DEADLINE_SECONDS", 2)


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lift the time limits, which many writers may exceed on a busy machine."""
    monkeypatch.setattr(schema, "TIMEOUT_SECONDS", 200)
    monkeypatch.setattr(store_module, "DEADLINE_SECONDS", 200.0)


def start_writer(name: str, url: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, name, url, str(count)]
    return subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_an_attempt_is_read_back_as_it_was_recorded(store: Store) -> None:
    given = attempt(answer=("b", "d"), correct=False, credit=0.5, first_try=False, hints=2, confidence=3)
    timed = replace(given, item_id="other", milliseconds=3_000_000_000)
    assert store.record(given) == given
    assert store.record(timed) == timed
    assert store.attempts_of("run") == [given, timed]
    assert store.attempts_of("another run") == []


def test_the_drawn_numbers_of_a_question_are_stored(store: Store) -> None:
    given = attempt(parameters={"z": 0.25, "steps": 3, "layer": "é"})
    assert store.record(given) == given
    assert store.attempts_of("run") == [given]


def test_a_database_of_the_first_version_is_read_and_written(tmp_path: Path) -> None:
    """Its tables and rows were written by the store of commit 5bdee8c."""
    file = tmp_path / "quiz.sqlite3"
    with sqlite3.connect(file) as database:
        database.executescript(Path(__file__).with_name("first_version.sql").read_text(encoding="utf-8"))
    store = Store(f"sqlite:///{file}")
    opening, several, number = store.attempts_of("first run")
    values = {"answer": ("t2me",), "credit": 0.75, "hints": 1, "confidence": 90, "milliseconds": 8500}
    assert opening == attempt("first run", "gru-anatomy-001", **values)
    assert (several.answer, several.correct, several.parameters) == (("t3ei", "p4sf"), False, {})
    assert number.answer == ("−0,1",)
    assert [feedback for _, feedback in store.feedback()] == [Feedback("first run", True, "Why −0.1?")]
    new = store.record(attempt(parameters={"z": 0.25}))
    assert list(store.attempts()) == [opening, several, number, new]
    assert list(Store(f"sqlite:///{file}").attempts()) == [opening, several, number, new]
    report = analyze_items(store.attempts(), load_bank())
    assert (report.attempts, report.runs) == (4, 2)


def test_two_processes_may_add_the_new_column_at_once(tmp_path: Path) -> None:
    file = tmp_path / "quiz.sqlite3"
    with sqlite3.connect(file) as database:
        database.executescript(Path(__file__).with_name("first_version.sql").read_text(encoding="utf-8"))
    address = f"sqlite:///{file}"
    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(lambda _: len(list(Store(address).attempts())), range(4)))
    assert counts == [3] * 4


def test_the_first_attempt_of_a_run_at_an_item_counts(store: Store) -> None:
    first = store.record(attempt(answer=("a",), correct=False, credit=0.0))
    assert store.record(attempt(answer=("b",))) == first
    assert store.record(attempt(run="another run", answer=("b",))).answer == ("b",)
    assert store.attempts_of("run") == [first]


def test_all_attempts_are_read_page_by_page(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "_PAGE_ROWS", 2)
    given = [store.record(attempt(item_id=str(number))) for number in range(5)]
    assert list(store.attempts()) == given


def test_feedback_carries_its_time_in_utc(store: Store) -> None:
    given = [Feedback(None, None, ""), Feedback("run", False, "More pictures.\n\"Really\", it's 'good' 😀")]
    for feedback in given:
        store.record_feedback(feedback)
    read = list(store.feedback())
    assert [feedback for _, feedback in read] == given
    for time, _ in read:
        assert time.utcoffset() == timedelta(0)
        assert abs(datetime.now(UTC) - time) < timedelta(hours=1)


def test_two_stores_share_a_database(url: str) -> None:
    first, second = Store(url), Store(url)
    recorded = first.record(attempt())
    assert second.record(attempt(answer=("b",))) == recorded
    first.close()
    second.close()


ANY_TEXT = st.text(st.characters(exclude_categories=[]))  # lone surrogates, too


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(run=ANY_TEXT, item_id=ANY_TEXT, answer=st.lists(ANY_TEXT).map(tuple), text=ANY_TEXT)
def test_any_text_can_be_stored(store: Store, run: str, item_id: str, answer: tuple[str, ...], text: str) -> None:
    """An answer is read back unchanged; elsewhere, NUL and lone surrogates become U+FFFD."""

    def cleaned(text: str) -> str:
        return "".join("\ufffd" if char == "\0" or "\ud800" <= char <= "\udfff" else char for char in text)

    known = store.attempts_of(run)
    recorded = store.record(attempt(run, item_id, answer=answer))
    assert recorded in store.attempts_of(run)
    assert (recorded.run, recorded.item_id) == (cleaned(run), cleaned(item_id))
    assert recorded.answer == answer or recorded in known
    store.record_feedback(Feedback(run, True, text))
    assert list(store.feedback())[-1][1] == Feedback(cleaned(run), True, cleaned(text))


def test_many_threads_and_processes_write_at_once(patience: None, url: str) -> None:
    store = Store(url)
    writers = [start_writer(f"writer {number}", url, 10) for number in range(3)]
    errors: list[Exception] = []

    def write(name: str) -> None:
        try:
            for number in range(5):
                store.record(attempt(run=name, item_id=str(number)))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(f"thread {number}",)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for writer in writers:
        _, message = writer.communicate()
        assert writer.returncode == 0, message
    assert errors == []
    assert len(set(store.attempts())) == 3 * 10 + 10 * 5
    store.close()


def test_one_of_many_attempts_at_the_same_item_wins(patience: None, url: str, store: Store) -> None:
    others = [Store(url) for _ in range(4)]
    recorded: list[Attempt] = []
    threads = [
        threading.Thread(target=lambda other=other, name=name: recorded.append(other.record(attempt(answer=(name,)))))
        for other, name in zip(others, "abcd", strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(recorded) == 4
    assert set(recorded) == set(store.attempts_of("run"))
    assert len(store.attempts_of("run")) == 1
    for other in others:
        other.close()


def test_acknowledged_attempts_survive_kill_9(url: str, store: Store) -> None:
    writer = start_writer("writer", url, 1_000_000)
    assert writer.stdout
    acknowledged = [writer.stdout.readline().strip() for _ in range(10)]
    writer.send_signal(signal.SIGKILL)
    acknowledged += writer.stdout.read().split()  # `communicate` would miss what `readline` has read ahead
    writer.communicate()
    stored = {record.item_id for record in store.attempts_of("writer")}
    assert stored >= set(acknowledged)
    assert len(stored) <= len(acknowledged) + 1  # one may be stored but not yet acknowledged


def test_a_locked_database_is_an_error_until_it_is_released(impatience: None, url: str, store: Store) -> None:
    store.record(attempt())
    if url.startswith("sqlite"):
        other = sqlite3.connect(url.removeprefix("sqlite:///"))
        other.execute("BEGIN EXCLUSIVE")
    else:
        other = psycopg.connect(url)
        other.execute("LOCK TABLE quiz_attempts IN ACCESS EXCLUSIVE MODE")
    with pytest.raises(StoreError, match="busy"):
        store.record(attempt(item_id="locked out"))
    other.rollback()
    other.close()
    store.record(attempt(item_id="afterwards"))
    assert [stored.item_id for stored in store.attempts_of("run")] == ["item", "afterwards"]


def test_a_read_only_database_can_still_be_read(url: str, store: Store) -> None:
    recorded = store.record(attempt())
    if url.startswith("sqlite"):
        url = url.replace("sqlite:///", "sqlite:///file:") + "?mode=ro&uri=true"
    else:
        url += ("&" if "?" in url else "?") + "options=-c%20default_transaction_read_only%3Don"
    reader = Store(url)
    assert reader.attempts_of("run") == [recorded]
    for write in (
        lambda: reader.record(attempt(item_id="other")),
        lambda: reader.record_feedback(Feedback("", True, "")),
    ):
        with pytest.raises(StoreError, match="read-only"):
            write()
    reader.close()


def run_sql(store: Store, *statements: str) -> None:
    assert store._engine
    with store._engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


FULL_DISK = {
    "sqlite": ["PRAGMA max_page_count = 1"],  # that is, the present number
    "postgresql": [
        "CREATE OR REPLACE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE disk_full USING "
        "MESSAGE = 'could not extend file \"base/5/1\": No space left on device'; END $$",
        "CREATE TRIGGER full_disk BEFORE INSERT ON quiz_attempts EXECUTE FUNCTION fill()",
    ],
}
ROOM_AGAIN = {
    "sqlite": ["PRAGMA max_page_count = 1000000"],
    "postgresql": ["DROP TRIGGER full_disk ON quiz_attempts"],
}


def test_a_full_disk_is_an_error_and_loses_nothing(url: str, store: Store) -> None:
    kind, much = url.split(":")[0], ("a",) * 5000
    store.record(attempt(item_id="before"))
    run_sql(store, *FULL_DISK[kind])
    with pytest.raises(StoreError, match="disk of the database is full"):
        store.record(attempt(item_id="no room", answer=much))
    run_sql(store, *ROOM_AGAIN[kind])
    store.record(attempt(item_id="no room", answer=much))
    assert [stored.item_id for stored in store.attempts_of("run")] == ["before", "no room"]


def test_a_folder_that_goes_away_and_comes_back(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "disk", tmp_path / "elsewhere"
    folder.mkdir()
    store = Store(f"sqlite:///{folder / 'quiz.sqlite3'}")
    store.record(attempt(item_id="before"))
    folder.rename(elsewhere)
    for use in (lambda: store.record(attempt(item_id="away")), lambda: store.attempts_of("run")):
        with pytest.raises(StoreError, match="cannot be reached"):
            use()
    elsewhere.rename(folder)
    store.record(attempt(item_id="after"))
    assert [stored.item_id for stored in store.attempts_of("run")] == ["before", "after"]
    store.close()


def test_nothing_is_written_to_a_file_that_was_removed(tmp_path: Path) -> None:
    """SQLite can write to an open file that has been deleted, where nobody would read it."""
    file = tmp_path / "quiz.sqlite3"
    store = Store(f"sqlite:///{file}")
    store.record(attempt(item_id="before"))
    for leftover in tmp_path.iterdir():
        leftover.unlink()
    store.record(attempt(item_id="after"))
    reader = Store(f"sqlite:///{file}")
    assert [stored.item_id for stored in reader.attempts_of("run")] == ["after"]
    store.close()
    reader.close()


def test_a_file_that_is_not_a_database_is_not_changed(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("not a schema, but long enough to be taken for one " * 50)
    before = file.read_text()
    with pytest.raises(StoreError):
        Store(f"sqlite:///{file}").record(attempt())
    assert file.read_text() == before


def test_a_server_that_stops_and_restarts(proxy: DatabaseProxy) -> None:
    store = Store(proxy.url)
    store.record(attempt(item_id="before"))
    proxy.stop()
    with pytest.raises(StoreError, match="cannot be reached"):
        store.record(attempt(item_id="away"))
    proxy.restart()
    store.record(attempt(item_id="after"))
    assert [stored.item_id for stored in store.attempts_of("run")] == ["before", "after"]
    store.close()


def test_a_server_that_hangs_does_not_hang_the_quiz(proxy: DatabaseProxy) -> None:
    store = Store(proxy.url)
    store.record(attempt(item_id="before"))
    proxy.hang()
    with pytest.raises(StoreError, match="busy"):
        store.record(attempt(item_id="hanging"))
    proxy.resume()
    store.record(attempt(item_id="after"))
    assert {stored.item_id for stored in store.attempts_of("run")} >= {"before", "after"}
    store.close()


def test_a_server_that_hangs_from_the_start_does_not_hang_the_quiz(proxy: DatabaseProxy) -> None:
    proxy.hang()
    store = Store(proxy.url)
    with pytest.raises(StoreError):
        store.record(attempt())
    proxy.resume()
    assert store.record(attempt()) == attempt()
    store.close()


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ("quiz.sqlite3", "not an address such as"),
        ("postgresql://user:secret@host:port/quiz", "not an address such as"),
        ("nosql://user:secret@host/quiz", "SQLAlchemy does not support 'nosql'"),
        ("mysql://user:secret@host/quiz", "needs one more package"),
    ],
)
def test_a_wrong_address_is_refused_without_its_password(wrong: str, reason: str) -> None:
    with pytest.raises(StoreError, match=reason) as error:
        Store(wrong)
    assert "secret" not in str(error.value)


def test_postgres_addresses_mean_psycopg_however_they_begin() -> None:
    for scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        assert schema.open_engine(f"{scheme}://user@host/quiz").dialect.driver == "psycopg"


def test_a_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError, match=r"pip install 'psycopg\[binary\]'"):
        Store("postgresql://user@host/quiz")


def test_the_default_file_is_created_in_the_working_directory_at_first_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "data" / "quiz.sqlite3"
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    store = Store()
    assert not file.parent.exists()
    store.record(attempt())
    store.close()
    with sqlite3.connect(file) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("SELECT count(*) FROM quiz_attempts").fetchone() == (1,)
    connection.close()


def test_the_environment_names_the_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'named.sqlite3'}")
    store = Store()
    store.record(attempt())
    store.close()
    assert (tmp_path / "named.sqlite3").is_file()


def test_every_write_of_sqlite_reaches_the_disk(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'quiz.sqlite3'}")
    store.record(attempt())
    assert store._engine
    with store._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL
    store.close()


def test_answers_do_not_reach_the_log(store: Store, impatience: None, caplog: pytest.LogCaptureFixture) -> None:
    store.record(attempt())
    run_sql(store, "DROP TABLE quiz_feedback")
    with pytest.raises(StoreError):
        store.record_feedback(Feedback("run", True, "private words"))
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "private words" not in caplog.text
    store.record_feedback(Feedback("run", True, "private words"))  # which creates the table again
