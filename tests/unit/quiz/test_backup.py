"""The copy on the Hub, with the real CommitScheduler and a fake Hub: nothing is lost or made public."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from huggingface_hub import HfApi

from quiz import backup
from quiz.backup import CopyingStore, open_store
from quiz.records import Attempt, Feedback, read_folder
from quiz.store import Store, StoreError
from tests.databases import attempt

REPOSITORY = Path(__file__).parents[3]
NEVER = 1e6  # minutes


class FakeHub(HfApi):
    """A Hub with one dataset in a folder; the first calls of some methods fail."""

    def __init__(self, folder: Path, private: bool = True, **failures: int) -> None:
        super().__init__(token="made up")
        self._folder, self._private, self._failures = folder, private, dict(failures)
        self.created: list[dict[str, Any]] = []

    def _fail(self, method: str) -> None:
        self._failures[method] = self._failures.get(method, 0) - 1
        if self._failures[method] >= 0:
            raise OSError(f"no network for {method}")

    def create_repo(self, repo_id: str, **options: Any) -> Any:
        """Note the arguments."""
        self._fail("create_repo")
        self.created.append({"repo_id": repo_id, **options})
        return SimpleNamespace(repo_id=repo_id)

    def repo_info(self, repo_id: str, **options: Any) -> Any:
        """Return whether the dataset is private."""
        return SimpleNamespace(private=self._private)

    def snapshot_download(self, repo_id: str, *, local_dir: Any = None, **options: Any) -> Any:
        """Copy all files."""
        for path in self._folder.glob("*.jsonl"):
            (Path(local_dir) / path.name).write_bytes(path.read_bytes())

    def create_commit(self, repo_id: str, operations: Any, **options: Any) -> Any:
        """Replace each file in one step, as a commit does, since the scheduler may commit at the same time."""
        assert options["repo_type"] == "dataset"
        self._fail("create_commit")
        for operation in operations:
            with operation.as_file() as file:
                part = self._folder / f"{uuid4().hex}.part"
                part.write_bytes(file.read())
                part.replace(self._folder / operation.path_in_repo)


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    folder = tmp_path / "hub"
    folder.mkdir()
    return folder


@pytest.fixture
def new_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., CopyingStore]]:
    monkeypatch.setattr(backup, "sleep", lambda seconds: None)
    made: list[CopyingStore] = []

    def make(api: HfApi, minutes: float = NEVER) -> CopyingStore:
        store = CopyingStore("someone/quiz", api, f"sqlite:///{tmp_path / str(len(made))}.sqlite3", minutes)
        made.append(store)
        return store

    yield make
    for store in made:
        if store._scheduler:
            store._scheduler.stop()
        store.close()


def read_records(hub: Path) -> list[Attempt | Feedback]:
    return [record for _, record in read_folder(hub)]


def test_what_is_stored_is_committed_to_a_private_dataset(hub: Path, new_store: Callable[..., CopyingStore]) -> None:
    api = FakeHub(hub)
    store = new_store(api)
    store.connect()
    recorded = store.record(attempt(answer=("\0\ud800", "😀")))
    store.record(attempt(answer=("late",)))  # a second answer, which does not count
    feedback = Feedback("run", True, "Good.\nReally \u2028 good.")
    store.record_feedback(feedback)
    store.finish()
    assert api.created[0] == {"repo_id": "someone/quiz", "repo_type": "dataset", "private": True, "exist_ok": True}
    assert read_records(hub) == [recorded, feedback]
    (file,) = hub.iterdir()
    assert set(json.loads(file.read_text().splitlines()[0])) == {"kind", "at", *Attempt.__dataclass_fields__}


def test_nothing_goes_to_a_public_dataset(
    hub: Path, new_store: Callable[..., CopyingStore], caplog: pytest.LogCaptureFixture
) -> None:
    store = new_store(FakeHub(hub, private=False))
    store.connect()
    store.record(attempt())
    store.finish()
    assert list(hub.iterdir()) == []
    assert ("someone/quiz",) in [record.args for record in caplog.records if record.levelname == "ERROR"]


def test_a_commit_that_fails_is_made_later(hub: Path, new_store: Callable[..., CopyingStore]) -> None:
    store = new_store(FakeHub(hub, create_commit=2))
    store.connect()
    recorded = store.record(attempt())
    assert store._scheduler
    with pytest.raises(OSError, match="no network"):
        store._scheduler.trigger().result()
    assert read_records(hub) == []
    later = store.record(attempt(item_id="later"))
    store.finish()  # which fails once, too
    assert read_records(hub) == [recorded, later]


def test_commits_go_on_by_themselves(hub: Path, new_store: Callable[..., CopyingStore]) -> None:
    api = FakeHub(hub, create_commit=3)
    committed = threading.Event()
    commit = api.create_commit

    def commit_and_notify(*values: Any, **options: Any) -> None:
        commit(*values, **options)
        committed.set()

    api.create_commit = commit_and_notify  # type: ignore[method-assign, assignment]
    store = new_store(api, minutes=0.001)
    store.connect()
    recorded = store.record(attempt())
    assert committed.wait(60)
    assert read_records(hub) == [recorded]


def test_without_a_network_the_quiz_goes_on_and_the_copy_follows(
    hub: Path, new_store: Callable[..., CopyingStore]
) -> None:
    api = FakeHub(hub, create_repo=1)
    store = new_store(api)
    with pytest.raises(OSError, match="no network"):
        store.connect()
    recorded = store.record(attempt())
    assert store.attempts_of("run") == [recorded]
    store.finish()
    assert read_records(hub) == [recorded]


def test_a_new_disk_gets_what_the_dataset_has_once(hub: Path, new_store: Callable[..., CopyingStore]) -> None:
    old = new_store(FakeHub(hub))
    old.connect()
    recorded = old.record(attempt())
    old.record_feedback(Feedback(None, True, "Good."))
    old.record_feedback(Feedback(None, True, "Good."))
    old.finish()
    new = new_store(FakeHub(hub))
    assert new.record(attempt("early")) == attempt("early")  # before the dataset was read
    new.connect()
    new.connect()
    assert sorted(attempt.run for attempt in new.attempts()) == ["early", "run"]
    assert new.record(attempt(answer=("another",))) == recorded
    assert list(new.feedback()) == list(old.feedback())
    assert len(list(new.feedback())) == 2


def test_a_full_disk_for_the_copy_does_not_stop_the_quiz(
    hub: Path, new_store: Callable[..., CopyingStore], caplog: pytest.LogCaptureFixture
) -> None:
    store = new_store(FakeHub(hub))
    store._file = hub / "no such folder" / "file.jsonl"
    assert store.record(attempt()) == attempt()
    assert [record.levelname for record in caplog.records if record.name == backup.__name__] == ["WARNING"]


def test_the_copy_has_nothing_that_the_database_refused(hub: Path, tmp_path: Path) -> None:
    store = CopyingStore("someone/quiz", FakeHub(hub), f"sqlite:///{tmp_path}/no such folder/quiz.sqlite3")
    with pytest.raises(StoreError):
        store.record(attempt())
    assert not store._file.exists()


def test_a_store_is_copied_only_with_a_token_and_a_dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path / 'quiz.sqlite3'}"
    assert type(open_store(url, "hf_made_up", None)) is Store
    assert type(open_store(url, None, "someone/quiz")) is Store
    started = threading.Event()
    monkeypatch.setattr(CopyingStore, "start", lambda store: started.set())
    assert type(open_store(url, "hf_made_up", "someone/quiz")) is CopyingStore
    assert started.is_set()


EXITING = """
import sys
from pathlib import Path
from quiz import backup
from tests.databases import attempt
from tests.unit.quiz.test_backup import CopyingStore, FakeHub
backup.sleep = lambda seconds: None
store = CopyingStore("someone/quiz", FakeHub(Path(sys.argv[1]), create_repo=1, create_commit=1), sys.argv[2])
store.start()
for number in range(5):
    store.record(attempt(item_id=str(number)))
"""


def test_nothing_is_lost_when_the_process_ends(hub: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", EXITING, str(hub), f"sqlite:///{tmp_path / 'quiz.sqlite3'}"]
    subprocess.run(command, cwd=REPOSITORY, env=os.environ, check=True, capture_output=True)
    assert [record.item_id for record in read_records(hub) if isinstance(record, Attempt)] == list("01234")
