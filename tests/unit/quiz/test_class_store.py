"""Classes in the database: attempts are limited, deletion leaves nothing, and a copy brings a class back."""

import csv
import io
import json
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from quiz import class_store, schema
from quiz import store as store_module
from quiz.backup import CopyingStore
from quiz.class_records import (
    AFTER_DEADLINE,
    POST,
    PRE,
    SINGLE_TEST,
    STAGE,
    TEXT,
    ClassDeletion,
    ClassRun,
    QuizClass,
)
from quiz.class_store import ClassStore
from quiz.class_tables import insert_run
from quiz.classes import ClassOptions, make_class
from quiz.errors import ClassError
from quiz.records import class_attempts_csv, class_attempts_json, read_folder, to_line
from quiz.store import Feedback, Store, StoreError
from tests.databases import attempt
from tests.databases import store as store
from tests.databases import url as url
from tests.unit.quiz.test_backup import FakeHub
from tests.unit.quiz.test_backup import hub as hub
from tests.unit.quiz.test_backup import new_store as new_store
from tests.unit.quiz.test_session import BANK


@pytest.fixture
def classes(store: Store) -> ClassStore:
    return ClassStore(store)


def class_of(**options: Any) -> QuizClass:
    return make_class(BANK, ClassOptions(**{"title": "Week 3 – «gates»", "item_count": 5, **options}))[0]


def test_a_class_is_read_back_as_it_was_made(classes: ClassStore) -> None:
    later = datetime.now(UTC) + timedelta(days=3)
    first = class_of(pre_post=True, topics=("Update gate",))
    second = class_of(deadline=later, feedback=AFTER_DEADLINE, randomized=True)
    classes.add(first)
    classes.add(second)
    assert classes.find(first.code) == first
    assert classes.classes() == [first, second]
    assert [dict(item.numbers) for item in first.items] == [
        dict(item.numbers) for found in [classes.find(first.code)] if found for item in found.items
    ]
    assert any(item.numbers for item in first.items)
    assert classes.find("22222222") is None
    assert classes.find("\ud800\0") is None


def test_a_learner_gets_the_attempts_that_the_class_allows(classes: ClassStore) -> None:
    quiz_class = class_of(attempts_allowed=2, pre_post=True)
    classes.add(quiz_class)
    runs = [classes.start_run(quiz_class, nickname, PRE) for nickname in ("Ada", "ADA", "Bob")]
    assert [run.attempt_number for run in runs] == [1, 2, 1]
    with pytest.raises(ClassError, match="ada has used all 2 attempts"):
        classes.start_run(quiz_class, "ada", PRE)
    assert classes.start_run(quiz_class, "Ada", POST).attempt_number == 1
    assert classes.runs(quiz_class.code)[:3] == runs
    assert classes.run(runs[0].run) == runs[0]
    assert classes.run("another") is None
    with pytest.raises(ClassError, match="does not exist"):
        classes.start_run(class_of(), "Ada", PRE)


def test_the_condition_of_a_learner_is_stored_with_each_run(store: Store, classes: ClassStore) -> None:
    study, other = class_of(pre_post=True, randomized=True), class_of()
    classes.add(study)
    classes.add(other)
    for number in range(8):
        runs = [classes.start_run(study, f"learner {number}", phase) for phase in (PRE, POST)]
        assert len({run.condition for run in runs}) == 1
    assert {run.condition for run in classes.runs(study.code)} == {TEXT, STAGE}
    assert classes.start_run(other, "Ada", SINGLE_TEST).condition == ""
    store.record(attempt(runs[1].run, "item"))
    (row,) = csv.DictReader(io.StringIO(class_attempts_csv(classes.attempts(study.code)).removeprefix("\ufeff")))
    assert row["condition"] == runs[1].condition
    (entry,) = json.loads(class_attempts_json(classes.attempts(study.code)))
    assert entry["condition"] == runs[1].condition


def test_a_class_takes_a_limited_number_of_runs(classes: ClassStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(class_store, "MAX_RUNS", 2)
    quiz_class, other = class_of(), class_of()
    classes.add(quiz_class)
    classes.add(other)
    for nickname in ("Ada", "Bob"):
        classes.start_run(quiz_class, nickname, SINGLE_TEST)
    with pytest.raises(ClassError, match="has 2 runs, and takes no more"):
        classes.start_run(quiz_class, "Eve", SINGLE_TEST)
    assert classes.start_run(other, "Eve", SINGLE_TEST)


def test_runs_that_are_started_at_once_do_not_exceed_the_limit(
    store: Store, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "TIMEOUT_SECONDS", 200)
    monkeypatch.setattr(store_module, "DEADLINE_SECONDS", 200.0)
    quiz_class = class_of(attempts_allowed=2)
    ClassStore(store).add(quiz_class)
    stores = [ClassStore(Store(url)) for _ in range(6)]

    def start(classes: ClassStore, nickname: str) -> int:
        try:
            return classes.start_run(quiz_class, nickname, SINGLE_TEST).attempt_number
        except ClassError:
            return 0

    with ThreadPoolExecutor(6) as pool:
        numbers = list(pool.map(start, stores, ["Ada L", "ada l", "ADA L", "AdaL", "Ada\u00a0L", "Ada  L"]))
    for classes in stores:
        classes._store.close()
    assert sorted(numbers) == [0, 0, 0, 0, 1, 2]


def test_the_attempts_of_a_class_are_its_own(store: Store, classes: ClassStore) -> None:
    one, other = class_of(), class_of()
    runs = []
    for quiz_class in (one, other):
        classes.add(quiz_class)
        runs.append(classes.start_run(quiz_class, "Ada", SINGLE_TEST))
        store.record(attempt(runs[-1].run, "item"))
    store.record(attempt("a run outside of classes", "item"))
    assert [(run, record.run) for run, _, record in classes.attempts(one.code)] == [(runs[0], runs[0].run)]
    assert [(run, record.run) for run, _, record in classes.attempts(other.code)] == [(runs[1], runs[1].run)]
    assert classes.attempts("22222222") == []


def test_deletion_leaves_nothing_of_a_class_and_all_of_the_others(store: Store, classes: ClassStore) -> None:
    one, other = class_of(), class_of()
    for quiz_class in (one, other):
        classes.add(quiz_class)
        run = classes.start_run(quiz_class, "Ada", SINGLE_TEST)
        store.record(attempt(run.run, "item"))
        store.record_feedback(Feedback(run.run, True, quiz_class.code))
    store.record(attempt("a run outside of classes", "item"))
    store.record_feedback(Feedback(None, True, "no run"))
    classes.delete(one.code)
    assert classes.classes() == [other]
    assert classes.runs(one.code) == []
    assert {record.run for record in store.attempts()} == {
        classes.runs(other.code)[0].run,
        "a run outside of classes",
    }
    assert [record.text for _, record in store.feedback()] == [other.code, "no run"]
    classes.delete(one.code)  # once more changes nothing
    assert classes.classes() == [other]


def test_a_class_is_deleted_when_its_retention_is_over(classes: ClassStore) -> None:
    kept, expired = class_of(retention_days=1), class_of(retention_days=1)
    old = QuizClass(**{**vars(expired), "created_at": expired.created_at - timedelta(days=1)})
    classes.add(kept)
    classes.add(old)
    assert classes.delete_expired() == [old.code]
    assert classes.classes() == [kept]


def test_a_database_without_the_tables_of_classes_gets_them(tmp_path: Path) -> None:
    file = tmp_path / "quiz.sqlite3"
    with sqlite3.connect(file) as database:
        database.executescript(Path(__file__).with_name("first_version.sql").read_text(encoding="utf-8"))
    store = Store(f"sqlite:///{file}")
    classes, quiz_class = ClassStore(store), class_of()
    assert classes.classes() == []
    classes.add(quiz_class)
    assert classes.classes() == [quiz_class]
    assert len(list(store.attempts())) == 3


def test_a_number_is_given_to_one_run_of_a_learner_whatever_the_nickname(store: Store, classes: ClassStore) -> None:
    quiz_class, now = class_of(), datetime.now(UTC)
    runs = [ClassRun(name, quiz_class.code, name, 1, SINGLE_TEST, now) for name in ("Ada", "ADA")]
    store.transact(lambda connection: insert_run(connection, runs[0]))
    with pytest.raises(StoreError):
        store.transact(lambda connection: insert_run(connection, runs[1]))
    store.add_missing([(now, run) for run in runs])  # but a copy is taken as it is
    assert classes.runs(quiz_class.code) == [runs[1], runs[0]]


def test_classes_of_a_database_without_learners_go_on(tmp_path: Path) -> None:
    """Its tables and rows were written by the store of commit 5bb6bd6."""
    file = tmp_path / "quiz.sqlite3"
    with sqlite3.connect(file) as database:
        database.executescript(Path(__file__).with_name("first_classes.sql").read_text(encoding="utf-8"))
    store = Store(f"sqlite:///{file}")
    classes = ClassStore(store)
    (quiz_class,) = classes.classes()
    assert not quiz_class.randomized
    assert {run.condition for run in classes.runs(quiz_class.code)} == {""}
    assert [(run.nickname, run.attempt_number, run.phase) for run in classes.runs(quiz_class.code)] == [
        ("Ada L", 1, PRE),
        ("ADA L", 2, PRE),
        ("Ada L", 1, POST),
    ]
    assert len(classes.attempts(quiz_class.code)) == 1
    with pytest.raises(ClassError, match="all 2 attempts"):
        classes.start_run(quiz_class, "adal", PRE)
    assert classes.start_run(quiz_class, "ada l", POST).attempt_number == 2
    for schema_of in (file, tmp_path / "new.sqlite3"):
        other = Store(f"sqlite:///{schema_of}")
        list(other.attempts())
        with sqlite3.connect(schema_of) as database:
            assert database.execute("SELECT 1 FROM sqlite_master WHERE name = 'quiz_class_runs_learner'").fetchall()


def test_a_database_that_is_unavailable_is_an_error(tmp_path: Path) -> None:
    classes = ClassStore(Store(f"sqlite:///{tmp_path / 'away' / 'quiz.sqlite3'}"))
    for call in (classes.classes, lambda: classes.add(class_of()), lambda: classes.delete("22222222")):
        with pytest.raises(StoreError):
            call()


def test_records_of_classes_are_read_from_a_copy(tmp_path: Path) -> None:
    quiz_class = class_of(deadline=datetime.now(UTC) + timedelta(days=1), feedback=AFTER_DEADLINE)
    run = ClassRun("run", quiz_class.code, "Ada 😀", 1, SINGLE_TEST, datetime.now(UTC))
    lines = [to_line(record, quiz_class.created_at) for record in (quiz_class, run)]
    broken = [b'{"kind": "class", "at": "2026-01-01T00:00:00+00:00", "code": "x"}\n', lines[0][:-20] + b"\n"]
    (tmp_path / "a.jsonl").write_bytes(b"".join([*broken, *lines, *lines]))
    assert [record for _, record in read_folder(tmp_path)] == [quiz_class, run]
    earlier = [line.replace(b', "randomized": false', b"").replace(b', "condition": ""', b"") for line in lines]
    assert all(len(line) < len(whole) for line, whole in zip(earlier, lines, strict=True))
    (tmp_path / "a.jsonl").write_bytes(b"".join(earlier))
    assert [record for _, record in read_folder(tmp_path)] == [quiz_class, run]


def test_a_deletion_counts_whatever_the_clocks_of_other_machines_say(store: Store, classes: ClassStore) -> None:
    quiz_class, now = class_of(), datetime.now(UTC)
    run = ClassRun("run", quiz_class.code, "Ada", 1, SINGLE_TEST, now)
    records = [ClassDeletion(quiz_class.code), quiz_class, run, attempt("run")]
    store.add_missing([(now + timedelta(seconds=number), record) for number, record in enumerate(records)])
    assert classes.classes() == []
    assert classes.runs(quiz_class.code) == []
    assert list(store.attempts()) == []


def test_a_class_survives_a_restart_on_a_new_disk_and_a_deleted_one_stays_away(
    hub: Path, new_store: Callable[..., CopyingStore]
) -> None:
    old = new_store(FakeHub(hub))
    old.connect()
    classes = ClassStore(old)
    kept, deleted = class_of(pre_post=True), class_of()
    runs: dict[str, ClassRun] = {}
    for quiz_class in (kept, deleted):
        classes.add(quiz_class)
        runs[quiz_class.code] = classes.start_run(quiz_class, "Ada", quiz_class.phases[0])
        old.record(attempt(runs[quiz_class.code].run, "item"))
    classes.delete(deleted.code)
    old.finish()
    new = new_store(FakeHub(hub))
    new.connect()
    new.connect()
    restored = ClassStore(new)
    assert restored.classes() == [kept]
    assert restored.runs(kept.code) == [runs[kept.code]]
    assert [record.run for record in new.attempts()] == [runs[kept.code].run]
    with pytest.raises(ClassError, match="the one attempt"):
        restored.start_run(kept, "Ada", PRE)
    restored.delete(kept.code)
    new.connect()  # what the copy had before does not come back
    new.finish()
    third = new_store(FakeHub(hub))
    third.connect()
    assert ClassStore(third).classes() == []
    assert list(third.attempts()) == []
