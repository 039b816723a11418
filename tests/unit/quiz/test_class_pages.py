"""The teacher's pages for classes: they make, show and delete a class, for those who have the token of it."""

import csv
import html
import io
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from quiz import class_store
from quiz.class_records import AFTER_DEADLINE, DRAWN, POST, PRE, SHUFFLED, SINGLE_TEST, QuizClass
from quiz.class_report import analyze_class
from quiz.class_store import ClassStore
from quiz.classes import ClassOptions, format_code, items_of_run, make_class
from quiz.records import Feedback
from quiz.store import Store
from quiz.teacher import teacher_routes
from tests.databases import attempt
from tests.unit.quiz.test_session import BANK, LIVE, right, wrong

TOKEN = "a token of the teacher"
MARKUP = "<script>alert(1)</script>\"'&"
NOW = datetime.now(UTC)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path / 'quiz.sqlite3'}")


@pytest.fixture
def classes(store: Store) -> ClassStore:
    return ClassStore(store)


@pytest.fixture
def visitor(store: Store) -> TestClient:
    app = Starlette(routes=list(teacher_routes(store, BANK, TOKEN)))
    return TestClient(app, base_url="http://127.0.0.1", follow_redirects=False)


@pytest.fixture
def teacher(visitor: TestClient) -> TestClient:
    return sign_in(visitor, TOKEN)


def sign_in(visitor: TestClient, token: str) -> TestClient:
    client = TestClient(visitor.app, base_url="http://127.0.0.1", follow_redirects=False)
    assert client.post("/teacher", data={"token": token}).status_code == 303
    return client


def add(classes: ClassStore, **options: Any) -> tuple[QuizClass, str]:
    quiz_class, token = make_class(BANK, ClassOptions(**{"title": "Week 3", "topics": ("Shapes",), **options}))
    classes.add(quiz_class)
    return quiz_class, token


def take(
    store: Store, quiz_class: QuizClass, nickname: str = "Ada", phase: str = SINGLE_TEST, wrong_ones: int = 0
) -> None:
    """Store a complete run whose first answers are wrong."""
    run = ClassStore(store).start_run(quiz_class, nickname, phase)
    for number, item in enumerate(items_of_run(BANK, quiz_class, run)):
        is_right = number >= wrong_ones
        values = {"answer": right(item) if is_right else wrong(item), "correct": is_right, "credit": float(is_right)}
        values |= {"item_version": item.version, "parameters": item.drawn, "milliseconds": 6000}
        store.record(attempt(run.run, item.id, **values))
    store.record_feedback(Feedback(run.run, True, f"from {nickname}"))


def test_a_class_is_made_with_the_form(teacher: TestClient, classes: ClassStore) -> None:
    page = teacher.get("/teacher/classes").text
    assert "There is no class yet." in page
    assert 'value="Shapes"' in page
    deadline = (NOW + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M")
    fields = {
        "title": f"Week 3 {MARKUP}",
        "topic": ["Shapes", "Parameters"],
        "items": "",
        "questions": "6",
        "draw": DRAWN,
        "order": SHUFFLED,
        "tests": "two",
        "attempts": "2",
        "deadline": deadline,
        "feedback": AFTER_DEADLINE,
        "retention": "30",
        "lesson": "by chance",
    }
    answer = teacher.post("/teacher/classes", data=fields)
    assert answer.status_code == 200
    (quiz_class,) = classes.classes()
    assert quiz_class.title == f"Week 3 {MARKUP}"
    assert (quiz_class.item_count, quiz_class.draw, quiz_class.order) == (6, DRAWN, SHUFFLED)
    assert (quiz_class.pre_post, quiz_class.attempts_allowed, quiz_class.feedback) == (True, 2, AFTER_DEADLINE)
    assert quiz_class.randomized
    assert quiz_class.deadline is not None
    assert quiz_class.deadline.strftime("%Y-%m-%dT%H:%M") == deadline
    assert quiz_class.expires_at == quiz_class.deadline + timedelta(days=30)
    shown = format_code(quiz_class.code)
    for text in (shown, f"#class={shown}-PRE", f"#class={shown}-POST", "What is stored"):
        assert text in answer.text
    token = re.findall(r'<strong class="code">(.*?)</strong>', answer.text)[1]
    assert classes.find_by_token(token) == quiz_class
    listed = teacher.get("/teacher/classes").text
    assert token not in listed
    assert f"class?code={quiz_class.code}" in listed
    assert "<script>" not in answer.text + listed


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"title": ""}, "Give the class a title"),
        ({"questions": "many"}, "whole number such as 10, not 'many'"),
        ({"questions": "9999"}, "from 1 to"),
        ({"attempts": MARKUP}, "whole number"),
        ({"deadline": "tomorrow"}, "a time such as"),
        ({"deadline": "2020-01-01T10:00"}, "has passed"),
        ({"feedback": AFTER_DEADLINE}, "needs a deadline"),
        ({"topic": MARKUP}, "no topic"),
        ({"items": "gru-none"}, "no question"),
        ({"draw": MARKUP}, "draw"),
        ({"title": "x" * 5000}, "Give the class a title"),  # the form is too long to be read
    ],
)
def test_a_form_that_is_not_right_makes_no_class(
    teacher: TestClient, classes: ClassStore, fields: dict[str, str], message: str
) -> None:
    answer = teacher.post("/teacher/classes", data={"title": "Week 3"} | fields)
    assert answer.status_code == 400
    assert message in html.unescape(answer.text)
    assert "<script>" not in answer.text
    assert classes.classes() == []


def test_the_results_of_a_class_are_those_of_the_report(teacher: TestClient, classes: ClassStore, store: Store) -> None:
    quiz_class, _ = add(classes, pre_post=True, randomized=True)
    other, _ = add(classes)
    for number, nickname in enumerate(["Ada", MARKUP, "=Bob"]):
        take(store, quiz_class, nickname, PRE, wrong_ones=4 - number)
        take(store, quiz_class, nickname, POST, wrong_ones=1)
    take(store, other, "Eve")
    page = teacher.get(f"/teacher/class?code={quiz_class.code}").text
    attempts, runs = classes.attempts(quiz_class.code), classes.runs(quiz_class.code)
    report = analyze_class(quiz_class, runs, attempts, BANK, NOW)
    assert report.gain
    assert report.gain.value is not None
    count = quiz_class.item_count
    figures = teacher.get(f"/teacher/class/report.json?code={quiz_class.code}").json()
    assert figures["gain"]["value"] == report.gain.value
    assert report.gain.value == pytest.approx((count - 1 - (count - 3)) / 3)
    assert f"Normalised gain: {report.gain.value:.2f} (" in page
    assert f"3 learners, 6 runs, {6 * count} answers" in page
    assert page.count("<tr><th") == 1 + 6
    assert page.count("<td>text</td>") + page.count("<td>stage</td>") == 6
    assert page.count(html.escape("=Bob")) == 2
    assert "Eve" not in page
    assert "<script>" not in page
    assert html.unescape(page).count(MARKUP) == 2
    assert f"{'%.1f' % (count * 0.1)}</td>" in page
    assert "Misconceptions" in page
    ids = re.findall(r'id="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_the_answers_of_a_class_can_be_downloaded(teacher: TestClient, classes: ClassStore, store: Store) -> None:
    quiz_class, _ = add(classes)
    take(store, quiz_class, "=Ada")
    answer = teacher.get(f"/teacher/class/attempts.csv?code={quiz_class.code}")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["nickname"] for row in rows] == ["'=Ada"] * quiz_class.item_count
    assert f"{quiz_class.code}-attempts.csv" in answer.headers["content-disposition"]
    assert answer.headers["cache-control"] == "no-store"
    answer = teacher.get(f"/teacher/class/attempts.json?code={quiz_class.code}")
    assert {row["nickname"] for row in answer.json()} == {"=Ada"}


def test_results_are_those_of_the_runs_that_began_in_a_period(
    teacher: TestClient, classes: ClassStore, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiz_class, _ = add(classes)
    days = {
        nickname: datetime(2026, 3, day, 23, 59, tzinfo=UTC) for day, nickname in enumerate(["Ada", "Bob", "Cy"], 1)
    }
    for nickname, day in days.items():
        monkeypatch.setattr(class_store, "datetime", SimpleNamespace(now=lambda zone, day=day: day))
        take(store, quiz_class, nickname)
    query = f"code={quiz_class.code}&first=2026-03-02&last=2026-03-02"
    page = teacher.get(f"/teacher/class?{query}").text
    assert f"1 learner, 1 run, {quiz_class.item_count} answers" in page
    assert 'name="first" value="2026-03-02"' in page
    assert [nickname for nickname in days if nickname in page] == ["Bob"]
    for name in ("attempts.csv", "attempts.json", "report.json"):
        assert f"class/{name}?{html.escape(query)}" in page
        content = teacher.get(f"/teacher/class/{name}?{query}").text
        assert [nickname for nickname in days if nickname in content] == ["Bob"]
    assert "3 learners, 3 runs" in teacher.get(f"/teacher/class?code={quiz_class.code}&first=2026-03-01").text
    assert "0 learners, 0 runs, 0 answers" in teacher.get(f"/teacher/class?code={quiz_class.code}&last=2026-02-28").text
    answer = teacher.get(f"/teacher/class?code={quiz_class.code}&first={MARKUP}")
    assert answer.status_code == 400
    assert "is not a date" in answer.text
    assert "<script>" not in answer.text


def test_a_class_is_deleted_after_a_confirmation(teacher: TestClient, classes: ClassStore, store: Store) -> None:
    quiz_class, other = add(classes)[0], add(classes)[0]
    take(store, quiz_class)
    take(store, other)
    page = teacher.get(f"/teacher/class/delete?code={quiz_class.code}").text
    assert "1 run," in page
    assert "history" in page  # of the copy in a private dataset
    assert len(classes.classes()) == 2  # asking changes nothing
    answer = teacher.post("/teacher/class/delete", data={"code": quiz_class.code})
    assert answer.headers["location"] == "../classes"
    assert classes.classes() == [other]
    assert len(list(store.attempts())) == other.item_count
    assert teacher.get(f"/teacher/class?code={quiz_class.code}").status_code == 400


PATHS = [f"class{end}?code={{}}" for end in ("", "/attempts.csv", "/attempts.json", "/report.json", "/delete")]


def test_nothing_of_a_class_is_revealed_without_a_token(visitor: TestClient, classes: ClassStore, store: Store) -> None:
    quiz_class, token = add(classes, title="A secret title")
    take(store, quiz_class, "A secret nickname")
    paths = ["classes", *(path.format(quiz_class.code) for path in PATHS), *(path.format("") for path in PATHS)]
    for path in paths:
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE"):
            answer = visitor.request(method, f"/teacher/{path}", data={"code": quiz_class.code, "title": "x"})
            assert answer.status_code in (401, 405)
            assert "secret" not in answer.text
    assert [entry.code for entry in classes.classes()] == [quiz_class.code]
    for guess in (quiz_class.code, quiz_class.token_hash, token[:-1], token + "x", "", TOKEN[:-1]):
        assert visitor.post("/teacher", data={"token": guess}).status_code == 401


def test_the_token_of_a_class_opens_this_class_and_nothing_else(
    visitor: TestClient, classes: ClassStore, store: Store
) -> None:
    quiz_class, token = add(classes)
    other, _ = add(classes, title="A secret title")
    take(store, quiz_class)
    take(store, other, "A secret nickname")
    colleague = sign_in(visitor, token)
    assert colleague.get("/teacher").headers["location"] == f"teacher/class?code={quiz_class.code}"
    for path in PATHS:
        assert colleague.get(f"/teacher/{path.format(quiz_class.code)}").status_code == 200
        answer = colleague.get(f"/teacher/{path.format(other.code)}")
        assert answer.status_code == 401
        assert "secret" not in answer.text
    for path in ("classes", "attempts.csv", "attempts.json", "feedback.csv"):
        answer = colleague.get(f"/teacher/{path}")
        assert answer.status_code == 401
        assert "secret" not in answer.text
    assert colleague.post("/teacher/classes", data={"title": "x"}).status_code == 401
    assert colleague.post("/teacher/class/delete", data={"code": other.code}).status_code == 401
    assert len(classes.classes()) == 2
    assert colleague.post("/teacher/class/delete", data={"code": quiz_class.code}).status_code == 303
    assert classes.classes() == [other]
    assert colleague.get(f"/teacher/class?code={quiz_class.code}").status_code == 400


def test_a_session_ends_for_a_class_too(visitor: TestClient, classes: ClassStore) -> None:
    quiz_class, token = add(classes)
    colleague = sign_in(visitor, token)
    cookie = dict(colleague.cookies)
    colleague.post("/teacher/leave")
    colleague.cookies.update(cookie)
    assert colleague.get(f"/teacher/class?code={quiz_class.code}").status_code == 401


def test_a_database_that_is_unavailable_is_reported(teacher: TestClient, classes: ClassStore, store: Store) -> None:
    quiz_class, _ = add(classes)
    assert store.file
    store.file.rename(store.file.with_suffix(".moved"))
    store.file.mkdir()
    for answer in (
        teacher.get("/teacher/classes"),
        teacher.get(f"/teacher/class?code={quiz_class.code}"),
        teacher.post("/teacher/classes", data={"title": "x"}),
        teacher.post("/teacher", data={"token": "the token of a class"}),
    ):
        assert answer.status_code == 503
        assert "cannot be reached" in answer.text


def test_a_class_without_a_run_has_a_page(teacher: TestClient, classes: ClassStore) -> None:
    quiz_class, _ = add(classes, item_ids=(LIVE[0].id,))
    page = teacher.get(f"/teacher/class?code={format_code(quiz_class.code).lower()}").text
    assert "0 learners, 0 runs, 0 answers" in page
    assert "Nothing has been answered yet." in page
