"""The teacher's page: it shows the statistics to those who have the token, and nothing to others."""

import csv
import html
import io
import itertools
import re
import time
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import pytest
from gradio.routes import App
from starlette.applications import Starlette
from starlette.testclient import TestClient

from quiz import load_bank
from quiz.proof_view import inline_html
from quiz.records import Feedback
from quiz.store import Store
from quiz.teacher import teacher_routes
from quiz.teacher_access import COOKIE, MAX_FORM_BYTES, MAX_SESSIONS, SESSION_SECONDS, TokenGuard
from tests.databases import attempt

BANK = load_bank()
TOKEN = "a long token, with ünicode & marks"
MARKUP = "<script>alert(1)</script><img src=x onerror='alert(2)'>\"&"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path / 'quiz.sqlite3'}")
    first = BANK.items[0]
    for run in range(30):
        choice = first.options[run % 4].oid
        store.record(attempt(str(run), first.id, answer=(choice,), correct=run % 2 == 0, milliseconds=4000))
        store.record(attempt(str(run), MARKUP, answer=(MARKUP,), correct=run % 2 == 1))
    store.record(attempt("0", "seldom met"))
    store.record_feedback(Feedback("0", False, f"=secret words {MARKUP}"))
    yield store
    store.close()


def served(store: Store, token: str | None = TOKEN) -> TestClient:
    """Return a client of the page, served by Gradio as app.py does it."""
    with gr.Blocks(analytics_enabled=False) as blocks:
        gr.Markdown("visitors' page")
    app = App.create_app(blocks, app_kwargs={"routes": teacher_routes(store, BANK, token)})
    return TestClient(app, base_url="http://127.0.0.1", follow_redirects=False)


@pytest.fixture
def client(store: Store) -> TestClient:
    routes = teacher_routes(store, BANK, TOKEN)
    return TestClient(Starlette(routes=routes), base_url="http://127.0.0.1", follow_redirects=False)


@pytest.fixture
def teacher(client: TestClient) -> TestClient:
    answer = client.post("/teacher", data={"token": TOKEN})
    assert answer.status_code == 303
    assert answer.headers["location"] == "teacher"
    return client


def assert_reveals_nothing(text: str) -> None:
    for secret in ("secret words", "seldom met", "First tries", BANK.items[0].id, TOKEN):
        assert secret not in text


def test_without_a_token_there_is_no_page(store: Store) -> None:
    for value in (None, ""):
        client = served(store, value)
        for path in ("/teacher", "/teacher/feedback.csv"):
            assert client.get(path).status_code == 404
        assert client.post("/teacher", data={"token": ""}).status_code in (404, 405)


def test_nothing_is_revealed_without_the_token(store: Store) -> None:
    client = served(store)
    paths = ["/teacher", "/teacher/", "/%2Fteacher", "/TEACHER", "/teacher/feedback.csv", "/teacher/attempts.csv/"]
    paths += [
        "/teacher/leave",
        "/teacher?token=" + TOKEN,
        "/teacher/%66eedback.csv",
        "/x/../teacher",
        "/teacher/../teacher",
    ]
    methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    for method, path in itertools.product(methods, paths):
        answer = client.request(method, path, follow_redirects=True)
        assert_reveals_nothing(answer.text)
        assert COOKIE not in answer.headers.get("set-cookie", "") or path == "/teacher/leave"
    for name in ("feedback.csv", "attempts.csv", "attempts.json"):
        assert client.get(f"/teacher/{name}").status_code == 401


def test_the_token_opens_the_page(teacher: TestClient) -> None:
    answer = teacher.get("/teacher")
    assert answer.status_code == 200
    assert "61 answers in 30 runs" in answer.text
    assert inline_html(BANK.items[0].stem) in answer.text
    assert "<dt>Facility</dt><dd>50% <small>33 to 67%</small></dd>" in answer.text
    assert "<dt>Median time</dt><dd>4 s <small>4 to 4 s</small></dd>" in answer.text
    assert "Those who do well elsewhere get this wrong." in answer.text  # the two items are right in turns
    assert "<dt>First tries</dt><dd>30</dd>" in answer.text
    assert "<dt>First tries</dt><dd>1 <small>small sample</small></dd>" in answer.text
    assert "Reliability of a run of 2.03 items" in answer.text
    assert "Yes 0, no 1." in answer.text


def test_feedback_can_be_downloaded(teacher: TestClient) -> None:
    answer = teacher.get("/teacher/feedback.csv")
    assert answer.content.startswith(b"\xef\xbb\xbftime_utc")
    assert "'=secret words" in answer.text
    assert answer.headers["content-disposition"] == 'attachment; filename="feedback.csv"'
    assert answer.headers["cache-control"] == "no-store"


def test_attempts_can_be_downloaded(teacher: TestClient) -> None:
    answer = teacher.get("/teacher/attempts.csv")
    assert len(list(csv.reader(io.StringIO(answer.text)))) == 62
    assert answer.headers["content-disposition"] == 'attachment; filename="attempts.csv"'
    answer = teacher.get("/teacher/attempts.json")
    assert len(answer.json()) == 61
    assert answer.headers["content-type"].startswith("application/json")


def test_the_page_and_the_downloads_show_a_period(teacher: TestClient) -> None:
    assert "61 answers in 30 runs" in teacher.get("/teacher?first=2026-01-01&last=9999-12-31").text
    assert "Nothing has been answered yet." in teacher.get("/teacher?first=&last=2026-01-01").text
    assert 'href="teacher/attempts.csv?first=2026-01-01"' in teacher.get("/teacher?first=2026-01-01").text
    assert teacher.get("/teacher/attempts.json?last=2026-01-01").json() == []
    assert "secret words" not in teacher.get("/teacher/feedback.csv?last=2026-01-01").text
    for path in ("/teacher", "/teacher/attempts.csv"):
        answer = teacher.get(path, params={"first": MARKUP})
        assert answer.status_code == 400
        assert "is not a date such as 2026-01-31." in answer.text
        assert "<script>" not in answer.text


def test_misconceptions_are_listed_with_what_puts_them_right(teacher: TestClient) -> None:
    first = BANK.items[0]
    page = teacher.get("/teacher").text
    for option in first.options[:2]:
        statement = inline_html(BANK.misconceptions.get(option.misconception or "", ""))
        assert option.correct or statement in page
    assert "of 30 (" in page


def test_markup_of_learners_is_escaped(teacher: TestClient) -> None:
    page = teacher.get("/teacher").text
    assert html.unescape(page).count(MARKUP) == 4  # list of flags, item, answer and feedback
    tags = re.findall(r"<(\w+)([^>]*)>", page)
    assert {tag for tag, _ in tags} & {"script", "img"} == set()
    assert not [attributes for _, attributes in tags if re.search(r"\bon\w+\s*=", attributes)]


def test_a_wrong_token_is_refused(client: TestClient) -> None:
    for wrong in (TOKEN.encode()[:-1], TOKEN.encode() + b" ", TOKEN.upper().encode(), b"\0", b"\xff\xed\xa0\xbd", b""):
        answer = client.post("/teacher", content="token=" + "".join(f"%{byte:02x}" for byte in wrong))
        assert answer.status_code in (401, 429)
        assert "set-cookie" not in answer.headers
        assert_reveals_nothing(answer.text)


def test_a_form_that_is_too_long_is_refused(client: TestClient) -> None:
    padded = {"padding": "x" * MAX_FORM_BYTES, "token": TOKEN}
    assert client.post("/teacher", data=padded).status_code == 401


def test_the_right_token_and_a_session_work_whatever_others_have_tried(client: TestClient) -> None:
    for _ in range(100):
        assert client.post("/teacher", data={"token": "guess"}).status_code == 401
    assert client.post("/teacher", data={"token": TOKEN}).status_code == 303
    client.post("/teacher", data={"token": "guess"})
    assert client.get("/teacher").text.count("<article ") == 3


def test_the_cookie_is_kept_from_scripts_and_other_sites(client: TestClient) -> None:
    cookie = client.post("/teacher", data={"token": TOKEN}).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "secure" not in cookie  # the page was not served over https
    assert TOKEN not in cookie
    behind_a_proxy = client.post("/teacher", data={"token": TOKEN}, headers={"X-Forwarded-Proto": "https"})
    assert "secure" in behind_a_proxy.headers["set-cookie"].lower()


def test_the_page_is_neither_cached_nor_framed(client: TestClient) -> None:
    for answer in (client.get("/teacher"), client.post("/teacher", data={"token": TOKEN}), client.get("/teacher")):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-frame-options"] == "DENY"
        assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_signing_out_revokes_the_session(teacher: TestClient) -> None:
    cookie = teacher.cookies[COOKIE]
    assert teacher.post("/teacher/leave").headers["location"] == "../teacher"
    assert_reveals_nothing(teacher.get("/teacher").text)
    assert_reveals_nothing(teacher.get("/teacher", headers={"Cookie": f"{COOKIE}={cookie}"}).text)
    assert teacher.get("/teacher/leave").status_code == 405  # a link must not sign out


def test_a_database_that_is_unavailable_is_reported(teacher: TestClient, store: Store) -> None:
    assert store.file
    store.file.rename(store.file.with_suffix(".moved"))
    store.file.mkdir()
    for path in ("/teacher", "/teacher/feedback.csv"):
        answer = teacher.get(path)
        assert answer.status_code == 503
        assert "cannot be reached" in answer.text


def test_a_session_expires_and_cannot_be_forged() -> None:
    now = [1000.0]
    guard = TokenGuard(TOKEN, clock=lambda: now[0])
    session = guard.new_session()
    for forged in (None, "", ".", session[:-1], session + "x", "é"):
        assert not guard.has_session(forged)
    assert not TokenGuard(TOKEN).has_session(session)  # of another process, or after a restart
    now[0] += SESSION_SECONDS - 1
    assert guard.has_session(session)
    now[0] += 1
    assert not guard.has_session(session)


@pytest.mark.parametrize("jump", [-86_400, 86_400])
def test_a_jump_of_the_system_clock_changes_nothing(
    teacher: TestClient, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    cookie = f"{COOKIE}={teacher.cookies[COOKIE]}"
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + jump)
    assert teacher.get("/teacher", headers={"Cookie": cookie}).text.count("<article ") == 3
    assert teacher.post("/teacher", data={"token": TOKEN}).status_code == 303


def test_the_number_of_sessions_is_bounded() -> None:
    guard = TokenGuard(TOKEN)
    sessions = [guard.new_session() for _ in range(MAX_SESSIONS + 1)]
    assert [guard.has_session(session) for session in (sessions[0], sessions[1], sessions[-1])] == [False, True, True]
