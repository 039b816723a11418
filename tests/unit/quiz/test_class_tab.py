"""Classes in the Quiz tab over HTTP: a learner's flow, and an exam whose responses do not tell right from wrong."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from fastapi.testclient import TestClient
from gradio.routes import App

from benchmarks.gradio_http import Page
from quiz import class_service, class_store, service
from quiz.bank import Item
from quiz.class_records import AFTER_DEADLINE, STAGE, TEXT, ClassRun, QuizClass
from quiz.class_store import ClassStore
from quiz.classes import ClassOptions, find_revealing, format_code, items_of_run, make_class
from quiz.selection import ALL, topic_scope
from quiz.store import Store
from quiz.tab import build_quiz_memory, build_quiz_tab
from quiz.teacher import teacher_routes
from quiz.views import LiveViews, render
from tests.unit.quiz.test_session import BANK, BY_ID, EACH_TYPE, LIVE, right, wrong
from tests.unit.quiz.test_tab import leaked

DEADLINE = datetime.now(UTC) + timedelta(days=1)
TITLE = "Week 3 <script>alert(1)</script>"
IDS = tuple(dict.fromkeys([*(item.id for item in EACH_TYPE), *(item.id for item in LIVE if item.template)]))[:8]
TOKEN = "a token of the teacher"


def serve(store: Store, **options: Any) -> TestClient:
    """Return a client of the quiz, built with further options, and the teacher's page."""
    with gr.Blocks(analytics_enabled=False) as blocks:
        build_quiz_tab(blocks, BANK, store, build_quiz_memory().render(), secret="a secret of the tests", **options)
    routes = teacher_routes(store, BANK, TOKEN)
    app = App.create_app(blocks.queue(api_open=False), app_kwargs={"routes": routes})
    return TestClient(app, raise_server_exceptions=False)


class Learner(Page):
    """The page of a learner, which keeps every response."""

    def __init__(self, client: TestClient, session: str, memory: Any = None) -> None:
        """Open the page; the browser has saved the memory."""
        super().__init__(client, session)
        self.responses: list[str] = []
        self.props[self.event("quiz-submit")["inputs"][1]]["value"] = memory or {}
        self.fire("page", "load")

    @property
    def memory(self) -> Any:
        """The memory of the browser."""
        return self.props[self.event("quiz-submit")["inputs"][1]]["value"]

    def send(self, event: dict[str, Any], data: list[Any] | None = None, **changes: Any) -> tuple[int, str]:
        """Send an event, and keep the response."""
        status, text = super().send(event, data, **changes)
        self.responses.append(text)
        return status, text

    def join(self, code: str, nickname: str = "Ada") -> None:
        """Open a class and begin."""
        self.fill(quiz_class_code=code, quiz_nickname=nickname)
        self.fire("quiz-class-find")
        self.fire("quiz-class-begin")

    def answer(self, item: Item, given: tuple[str, ...]) -> None:
        """Answer the open question, which must be this one."""
        event = self.event("quiz-submit")
        assert self.props[event["inputs"][2]]["value"] == item.id
        if item.sliders:
            self.put("quiz-chosen", ";".join(given))
        elif item.numeric:
            self.put("quiz-number", given[0])
        else:
            letters = dict(zip((option.oid for option in item.options), "ABCDEFGHIJ", strict=False))
            self.put("quiz-chosen", "".join(letters[oid] for oid in given))
        self.fire("quiz-submit")


@pytest.fixture
def fixed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the names and seeds of runs be the same for every learner."""
    monkeypatch.setattr(class_service, "CACHE_SECONDS", 0)
    monkeypatch.setattr(class_store, "secrets", SimpleNamespace(token_urlsafe=lambda size: "the run"))
    monkeypatch.setattr(service, "secrets", SimpleNamespace(token_urlsafe=lambda size: "an ordinary run"))
    monkeypatch.setattr(service, "random", SimpleNamespace(getrandbits=lambda bits: 7))


@pytest.fixture
def new_store(tmp_path: Path) -> Callable[[], Store]:
    count = iter(range(9))
    return lambda: Store(f"sqlite:///{tmp_path / str(next(count))}.sqlite3")


def exam_of(ids: tuple[str, ...] = IDS) -> QuizClass:
    options = ClassOptions(TITLE, item_ids=ids, deadline=DEADLINE, feedback=AFTER_DEADLINE)
    return make_class(BANK, options)[0]


def items_of(quiz_class: QuizClass, run: ClassRun) -> tuple[Item, ...]:
    return items_of_run(BANK, quiz_class, run)


def without_times(text: str) -> str:
    """Return a response without the durations that Gradio adds, and the signature of the ordinary run."""
    text = re.sub(r'"(average_)?duration":[0-9.e-]+', "", text)
    return re.sub(r'"run":"[^"]*"', "", text)


def probe(page: Learner) -> None:
    """Send what might reveal more than the page shows."""
    for element in ("quiz-hint", "quiz-next", "quiz-retry"):
        event = page.event(element)
        before = {number: dict(props) for number, props in page.props.items()}
        page.send(event)
        page.send(event, [None, *[page.props[number].get("value") for number in event["inputs"][1:]]])
        page.props.update(before)
    page.responses += Learner(page.client, f"probe {len(page.responses)}", page.memory).responses
    prove = page.client.app.get_blocks().fns[page.event("quiz-prove")["id"]].fn  # queued, which the test client is not
    assert [*prove(None, page.memory)] == [render("proof_status.html", status="not answered")]


def test_the_responses_of_an_exam_do_not_depend_on_the_answers(
    fixed: None, new_store: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two learners answer everything right and wrong; until the deadline they see the same."""
    quiz_class = exam_of()
    pages, stores = [], []
    for is_right in (True, False):
        store = new_store()
        ClassStore(store).add(quiz_class)
        page = Learner(serve(store), "learner")
        page.responses.clear()
        page.join(format_code(quiz_class.code))
        (run,) = ClassStore(store).runs(quiz_class.code)
        for item in items_of(quiz_class, run):
            page.answer(item, right(item) if is_right else wrong(item))
        assert not page.is_shown("quiz-question")
        assert "Your answers are in" in page.value("quiz-results")
        pages.append(page)
        stores.append(store)
    shown = [[without_times(text) for text in page.responses] for page in pages]
    assert shown[0] == shown[1]
    assert len(shown[0]) == len(IDS) + 2
    for page in pages:
        client = page.client
        other = Learner(client, "another session", page.memory)
        assert "Your answers are in" in other.value("quiz-results")
        assert leaked(" ".join([*page.responses, *other.responses]), list(BANK.items)) == []
    assert [len([a for a in store.attempts() if a.correct]) for store in stores] == [len(IDS), 0]
    monkeypatch.setattr(class_service, "_now", lambda: DEADLINE)
    for page, score in zip(pages, (len(IDS), 0), strict=True):
        page = Learner(page.client, "after the deadline", page.memory)
        assert f"You answered {score} of {len(IDS)} right" in page.value("quiz-results")


def test_nothing_on_the_http_surface_reveals_an_open_exam(
    fixed: None, new_store: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Walk over pages, downloads and events, also forged ones, in the middle of an exam."""
    store, quiz_class = new_store(), exam_of()
    client = serve(store)
    early = Learner(client, "early")  # is in the middle of a run with all questions when the exam is made
    early.put("quiz-scope", ALL)
    early.fire("quiz-start")
    ClassStore(store).add(quiz_class)
    page = Learner(client, "learner")
    page.join(quiz_class.code)
    (run,) = ClassStore(store).runs(quiz_class.code)
    items = items_of(quiz_class, run)
    for item in items[:3]:
        page.answer(item, wrong(item))
        probe(page)
    responses = [*page.responses]
    for item in (items[0], items[3], items[5]):
        for element in ("quiz-submit", "quiz-sure-90"):
            early.send(early.event(element), [None, None, item.id, "A", "1"])
            page.send(page.event(element), [None, {}, item.id, "A", "1"])
        for element in ("quiz-skip", "quiz-hint"):
            early.send(early.event(element), [None, None, item.id])
    for scope in (ALL, topic_scope(items[0].topic)):
        early.put("quiz-scope", scope)
        early.fire("quiz-start")
    for element in ("quiz-next", "quiz-retry"):
        early.send(early.event(element))
    responses += early.responses[2:] + page.responses
    paths = ["/", "/config", "/gradio_api/info", "/gradio_api/info?all_endpoints=true", "/teacher"]
    paths += [f"/teacher/{name}" for name in ("attempts.csv", "attempts.json", "feedback.csv", "classes")]
    paths += [f"/teacher/class{end}?code={quiz_class.code}" for end in ("", "/attempts.csv", "/attempts.json")]
    responses += [client.get(path).text for path in paths]
    text = " ".join(responses)
    assert leaked(text, [*items, *(BY_ID[item_id] for item_id in IDS)]) == []
    assert run.nickname not in " ".join(early.responses)
    revealing = [item for item in BANK.items if item.id in find_revealing(BANK, set(IDS))]
    assert len(revealing) > len(items)
    for item in [*items, *revealing]:
        stem = json.dumps(item.stem)[1:60]
        assert stem not in json.dumps(" ".join(early.responses[2:])).replace("\\\\", "\\")
    assert not re.search(r"quiz-(right|wrong)|✓|✗|[0-9] of [0-9]+ right|Not right", " ".join(page.responses))
    assert len(list(store.attempts())) == 3


def test_feedback_at_once_and_results_are_shown_in_a_class(fixed: None, new_store: Callable[[], Store]) -> None:
    store = new_store()
    quiz_class = make_class(BANK, ClassOptions(TITLE, item_ids=IDS[:2]))[0]
    ClassStore(store).add(quiz_class)
    page = Learner(serve(store), "learner")
    page.put("quiz-class-code", quiz_class.code.lower())
    page.fire("quiz-class-find")
    assert page.is_shown("quiz-class-join")
    assert "Week 3 &lt;script&gt;" in page.value("quiz-class-info")
    assert "2 questions, one attempt, feedback at once" in page.value("quiz-class-info")
    assert "What is stored" in page.value("quiz-class-info")
    page.put("quiz-nickname", "<b>Ada</b>")
    page.fire("quiz-class-begin")
    assert "You are &lt;b&gt;Ada&lt;/b&gt;" in page.value("quiz-sitting")
    assert not page.is_shown("quiz-class-join")
    (run,) = ClassStore(store).runs(quiz_class.code)
    for item in items_of(quiz_class, run):
        page.answer(item, right(item))
        assert page.value("quiz-feedback").startswith("**✓ Right.**")
        page.fire("quiz-next")
    assert "You answered 2 of 2 right" in page.value("quiz-results")
    assert "<script>" not in " ".join(page.responses)
    page.fire("quiz-restart")
    assert "has used the one attempt" in page.value("quiz-notice")
    page.fire("quiz-start")
    assert page.value("quiz-sitting") == ""
    assert page.is_shown("quiz-question")


def test_a_wrong_code_is_refused_in_words(fixed: None, new_store: Callable[[], Store]) -> None:
    page = Learner(serve(new_store()), "learner")
    for code in ("", "x", "2222-2222", "<script>", "x" * 10_000):
        page.put("quiz-class-code", code)
        page.fire("quiz-class-find")
        assert "class" in page.value("quiz-class-info")
        assert "<script>" not in page.value("quiz-class-info")
        assert not page.is_shown("quiz-class-join")
    for values in ([None, None], [7, {}], ["2222-2222", 7]):
        page.send(page.event("quiz-class-begin"), [None, None, *values])
    assert page.is_shown("quiz-question")


@pytest.mark.parametrize("condition", [TEXT, STAGE])
def test_who_has_the_lesson_as_text_gets_no_link_to_the_stage(
    fixed: None, new_store: Callable[[], Store], monkeypatch: pytest.MonkeyPatch, condition: str
) -> None:
    monkeypatch.setattr(class_store, "assign_condition", lambda quiz_class, nickname: condition)
    store = new_store()
    ids = tuple(item.id for item in LIVE if item.live and item.misconceptions and item.type == "single")[:2]
    quiz_class = make_class(BANK, ClassOptions(TITLE, item_ids=ids, randomized=True))[0]
    ClassStore(store).add(quiz_class)
    page = Learner(serve(store, live=LiveViews(link=lambda live: "#inside=cell")), "learner")
    page.join(quiz_class.code)
    assert any("chance decides whether the lesson" in text for text in page.responses)
    assert ("quiz-text-only" in page.value("quiz-sitting")) == (condition == TEXT)
    page.responses.clear()
    (run,) = ClassStore(store).runs(quiz_class.code)
    for item in items_of(quiz_class, run):
        page.answer(item, wrong(item))
        page.fire("quiz-next")
    assert "What stood behind your errors" in page.value("quiz-review")
    assert ("#inside=cell" in " ".join(page.responses)) == (condition == STAGE)


def test_runs_beyond_the_rate_limit_do_not_begin(fixed: None, new_store: Callable[[], Store]) -> None:
    store, calls = new_store(), iter([True, False])
    quiz_class = make_class(BANK, ClassOptions(TITLE, item_ids=IDS[:2]))[0]
    ClassStore(store).add(quiz_class)
    client = serve(store, may_begin=lambda request: bool(request.client) and next(calls))
    Learner(client, "first").join(quiz_class.code, "Ada")
    refused = Learner(client, "second")
    refused.join(quiz_class.code, "Bob")
    assert "from your network" in refused.value("quiz-notice")
    assert refused.value("quiz-sitting") == ""
    assert [run.nickname for run in ClassStore(store).runs(quiz_class.code)] == ["Ada"]


def test_hostile_values_begin_nothing_and_break_nothing(fixed: None, new_store: Callable[[], Store]) -> None:
    store = new_store()
    ClassStore(store).add(exam_of())
    client = serve(store)
    page = Learner(client, "hostile")
    deep: Any = []
    for _ in range(30):
        deep = [deep]
    values: list[Any] = [None, 7, -1e308, True, [], {}, deep, ["A"] * 9000, {"path": "x"}, "\ud800\0", "9" * 100_000]
    states = [
        {"class_run": value, "run": value, "nicknames": {"22222222": value}, "credits": {IDS[0]: value}}
        for value in values
    ]
    states += [{"nicknames": value, "reviews": {IDS[0]: [value] * 4}} for value in values]

    def post(event: dict[str, Any], data: list[Any], session: str) -> Any:
        body = json.dumps({"data": data, "fn_index": event["id"], "session_hash": session})  # with surrogates escaped
        answer = client.post("/gradio_api/run/predict", content=body)
        assert "Traceback" not in answer.text
        assert leaked(answer.text, [BY_ID[item_id] for item_id in IDS]) == []
        return answer

    for element in ("quiz-class-begin", "quiz-submit", "quiz-start", "quiz-hint", "quiz-retry", "quiz-class-find"):
        event = page.event(element)
        for value in values:
            post(event, [None if number < 2 else value for number in range(len(event["inputs"]))], "hostile")
    for number, state in enumerate(states):
        answer = post(page.event("page", "load"), [None, state], f"saved {number}")
        assert answer.status_code in (200, 422)  # lone surrogates are no valid JSON
        assert any(item.id in answer.text for item in LIVE)
    assert ClassStore(store).runs(ClassStore(store).classes()[0].code) == []


def test_another_learner_gets_nothing_of_a_run(fixed: None, new_store: Callable[[], Store]) -> None:
    store = new_store()
    quiz_class = make_class(BANK, ClassOptions(TITLE, item_ids=IDS[:2], attempts_allowed=1))[0]
    ClassStore(store).add(quiz_class)
    client = serve(store)
    page = Learner(client, "learner")
    page.join(quiz_class.code)
    (run,) = ClassStore(store).runs(quiz_class.code)
    page.answer(items_of(quiz_class, run)[0], right(items_of(quiz_class, run)[0]))
    other = Learner(client, "another")
    other.join(quiz_class.code)
    assert "Ada has used the one attempt" in other.value("quiz-notice")
    forgeries: list[Any] = [{"class_run": run.run}, {"class_run": "a.b"}, {"run": run.run}, {"class_run": [run.run]}]
    for number, forged in enumerate(forgeries):
        other = Learner(client, f"forger {number}", forged)
        assert other.value("quiz-sitting") == ""
        assert items_of(quiz_class, run)[0].explanation not in " ".join(other.responses)
