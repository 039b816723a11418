"""The served app when things go wrong around it: it is killed, told to end, cut off, or its files change."""

import os
import random
import shutil
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from benchmarks.app_server import serve_process
from benchmarks.gradio_http import BusyError, Page
from benchmarks.visitors import Learner, open_page
from quiz.store import Feedback, Store
from sentiment_gru import CheckpointError
from sentiment_gru.web.model_loader import ClassifierLoader
from tests.databases import drop_tables, postgres_url

END_SECONDS = 180  # as of a test; what it really takes is measured by benchmarks/load.py


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("faults")


@pytest.fixture(scope="module")
def model(tiny_checkpoint: Path, folder: Path) -> Path:
    """Return a checkpoint that may be broken."""
    return shutil.copytree(tiny_checkpoint, folder / "model")


@pytest.fixture(scope="module")
def address(model: Path, folder: Path) -> Iterator[str]:
    """Serve that checkpoint, uploads going to a folder of their own."""
    with serve_process(MODEL=str(model), GRADIO_TEMP_DIR=str(folder / "uploads")) as served:
        yield served.address


CONFINED = """
import errno, os, resource, sys

repository, written = os.getcwd(), os.O_WRONLY | os.O_RDWR | os.O_CREAT

def refuse(event, arguments):
    path = arguments[0] if arguments else None
    if not isinstance(path, (str, bytes)) or not os.path.abspath(os.fsdecode(path)).startswith(repository):
        return
    if event in ("os.mkdir", "os.rename", "os.remove", "os.truncate") or event == "open" and arguments[2] & written:
        raise OSError(errno.EROFS, "Read-only file system", path)

sys.dont_write_bytecode = True
sys.addaudithook(refuse)
sys.path.insert(0, repository)
os.environ.pop("HOME", None)
resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))
import app
app.main()
"""
"""A program that serves the app without HOME, in a read-only checkout, where no file grows beyond 2 MB."""


@pytest.fixture(scope="module")
def confined(tiny_checkpoint: Path, folder: Path) -> Iterator[str]:
    settings = {"LC_ALL": "C", "LANG": "C"}  # Python turns to UTF-8 by itself
    uploads = str(folder / "confined")
    with serve_process(("-c", CONFINED), MODEL=str(tiny_checkpoint), GRADIO_TEMP_DIR=uploads, **settings) as served:
        yield served.address


def verdict(page: Page, text: str) -> str:
    page.put("sentiment-text", text)
    page.fire("sentiment-submit")
    return str(page.value("sentiment-verdict"))


def learner(address: str, number: int = 0) -> Learner:
    learner = Learner(open_page(address), random.Random(number))
    learner.open()
    return learner


def test_what_the_app_acknowledged_survives_kill_9(tiny_checkpoint: Path, tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'quiz.sqlite3'}"
    acknowledged, enough = [], threading.Event()

    def answer_until_killed(number: int) -> None:
        with suppress(OSError):
            one = learner(served.address, number)
            while True:
                one.answer()
                acknowledged.append(number)
                if len(acknowledged) >= 12:
                    enough.set()
                one.go_on()

    with serve_process(MODEL=str(tiny_checkpoint), DATABASE_URL=database) as served, ThreadPoolExecutor(4) as threads:
        learners = [threads.submit(answer_until_killed, number) for number in range(4)]
        try:
            assert enough.wait(END_SECONDS)
        finally:
            served.process.send_signal(signal.SIGKILL)  # which ends the learners, too
        for one in learners:
            one.result()
    store = Store(database)
    stored = len(list(store.attempts()))
    assert len(acknowledged) <= stored <= len(acknowledged) + 4  # those that were stored and not told any more
    store.close()


def test_sigterm_ends_the_app_at_work_and_what_it_acknowledged_is_there(tiny_checkpoint: Path, tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'quiz.sqlite3'}"

    def explain(page: Page) -> None:
        with suppress(OSError, ValueError, BusyError):  # finished, or refused
            page.put("sentiment-text", "a great film , not dull at all . " * 200)
            page.follow(page.fire("sentiment-submit"))

    with serve_process(MODEL=str(tiny_checkpoint), DATABASE_URL=database) as served, ThreadPoolExecutor(3) as threads:
        verdict(open_page(served.address), "great")
        learner(served.address).answer()
        explaining = [threads.submit(explain, open_page(served.address)) for _ in range(3)]
        served.process.terminate()
        try:
            assert served.process.wait(END_SECONDS) == 0
        finally:
            served.process.kill()
        for one in explaining:
            one.result()
    store = Store(database)
    assert len(list(store.attempts())) == 1
    store.close()


def test_an_upload_that_is_cut_off_leaves_nothing_and_stops_nobody(address: str, folder: Path) -> None:
    page = open_page(address)
    head = 'content-disposition: form-data; name="files"; filename="cut.csv"'
    request = (
        "POST /gradio_api/upload HTTP/1.1\r\nhost: app\r\ncontent-type: multipart/form-data; boundary=b\r\n"
        f"content-length: 5000000\r\n\r\n--b\r\n{head}\r\n\r\ntext\n"
    )
    host, port = urlsplit(address).netloc.split(":")
    for rows in (b"", b"a great film\n" * 100_000):
        with socket.create_connection((host, int(port))) as half:
            half.sendall(request.encode() + rows)
    file = page.upload("whole.csv", b"text\na great film\na dull film\n")
    page.put("files-upload", file)
    page.fire("files-upload", "upload")
    assert page.value("files-text") == "text"
    assert page.value("files-found")
    assert [path.name for path in (folder / "uploads").rglob("*.csv")] == ["whole.csv"]


@pytest.mark.slow
def test_no_home_no_locale_and_no_writable_checkout_are_needed(confined: str) -> None:
    page = open_page(confined)
    assert "positive" in verdict(page, "a great film 😀").lower()
    judged = page.fire("sentiment-submit")
    page.follow(judged)
    assert "😀" in page.value("sentiment-why")
    learner(confined).answer()
    page.put("files-upload", page.upload("größe.csv", "text\nein großer Film 😀\n".encode()))
    page.fire("files-upload", "upload")
    assert "großer" in page.value("files-found")


@pytest.mark.slow
def test_a_full_disk_refuses_uploads_and_nothing_else(confined: str, folder: Path) -> None:
    page = open_page(confined)
    rows = b"a great film\n" * 300_000  # 4 MB
    with pytest.raises((ValueError, BusyError), match=r"^[45]\d\d|Error id"):
        page.upload("large.csv", b"text\n" + rows)
    assert not list((folder / "confined").rglob("large.csv"))
    page.put("files-upload", page.upload("small.csv", b"text\na great film\n"))
    page.fire("files-upload", "upload")
    assert page.value("files-text") == "text"
    assert "positive" in verdict(page, "a great film").lower()


def test_a_checkpoint_that_is_broken_while_it_is_served_goes_on_and_the_next_start_refuses(
    address: str, model: Path
) -> None:
    page = open_page(address)
    before = verdict(page, "a great film")
    assert "positive" in before.lower()
    weights = model / "model.safetensors"
    os.truncate(weights, weights.stat().st_size // 2)  # in place: what is mapped into memory would be gone
    (model / "config.json").unlink()
    shutil.copy(Path(__file__), model / "tokenizer.json")
    assert "positive" in verdict(page, "a superb film").lower()
    judged = page.fire("sentiment-submit")
    page.follow(judged)
    assert "superb" in page.value("sentiment-why")
    with pytest.raises(CheckpointError, match=r"config\.json"):
        ClassifierLoader(model)  # told in one line: tests/integration/test_app.py


def test_two_processes_share_a_database(tiny_checkpoint: Path) -> None:
    """Each visitor stays at one process; answers and feedback of both arrive, and a reload may change the process."""
    drop_tables(postgres_url())
    shared = {"MODEL": str(tiny_checkpoint), "DATABASE_URL": postgres_url(), "QUIZ_SECRET": "the same for both"}
    with serve_process(**shared) as one, serve_process(**shared) as other:
        learners = [learner(served.address, number) for number, served in enumerate([one, other])]
        for each in learners:
            each.answer()
            each.go_on()
            each.page.put("quiz-text", "More pictures, please.")
            each.page.fire("quiz-send")
        moved = open_page(other.address)
        memory = next(one["id"] for one in moved.config["components"] if one["type"] == "browserstate")
        moved.props[memory]["value"] = learners[0].page.props[memory]["value"]
        moved.fire("page", "load")
        assert moved.value("quiz-stem") == learners[0].page.value("quiz-stem")
        Learner(moved, random.Random(3)).answer()
    store = Store(postgres_url())
    runs = [attempt.run for attempt in store.attempts()]
    assert runs == [runs[0], runs[1], runs[0]]
    assert runs[0] != runs[1]
    assert [said for _, said in store.feedback()] == [Feedback(run, None, "More pictures, please.") for run in runs[:2]]
    store.close()
