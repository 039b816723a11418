"""The teacher's pages for questions of one's own: open to the teacher alone, bounded, and without effect on the app."""

import copy
import html
import json
import re
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from quiz import question_pages
from quiz.__main__ import main
from quiz.bank import load_bank
from quiz.bank_drafts import MAX_BANK_BYTES, settings_to_fields, version_of
from quiz.class_store import ClassStore
from quiz.classes import ClassOptions, make_class
from quiz.question_form import to_fields
from quiz.question_pages import MAX_QUESTION_BYTES
from quiz.store import Store
from quiz.teacher import teacher_routes
from tests.unit.quiz.test_question_form import CHOICE, MARKUP, MATCH

TOKEN = "a token of the teacher"
BANK = load_bank()
FIRST = BANK.items[0]
RAW = BANK.data["items"][0]
PATHS = ["questions", "questions/edit", f"questions/edit?id={FIRST.id}", "questions/mine.json", "questions/upload"]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path / 'quiz.sqlite3'}")


@pytest.fixture
def visitor(store: Store) -> TestClient:
    routes = teacher_routes(store, BANK, TOKEN, "assets/katex.js")
    return TestClient(Starlette(routes=list(routes)), base_url="http://127.0.0.1", follow_redirects=False)


@pytest.fixture
def teacher(visitor: TestClient) -> TestClient:
    return sign_in(visitor)


def sign_in(visitor: TestClient, token: str = TOKEN) -> TestClient:
    client = TestClient(visitor.app, base_url="http://127.0.0.1", follow_redirects=False)
    assert client.post("/teacher", data={"token": token}).status_code == 303
    return client


def downloaded(client: TestClient) -> dict[str, Any]:
    return dict(client.get("/teacher/questions/mine.json").json())


def upload(client: TestClient, content: bytes, based_on: str | None = None) -> Any:
    data = {"based-on": based_on or versions(client)["bank"]}
    return client.post(
        "/teacher/questions/upload", data=data, files={"file": ("mine.json", content, "application/json")}
    )


def versions(client: TestClient) -> dict[str, str]:
    """Return the versions of the draft and of its settings that the page of the questions would send."""
    bank = downloaded(client) if client.get("/teacher/questions/mine.json").status_code == 200 else {}
    return {"bank": version_of(bank), "settings": version_of(settings_to_fields(bank))}


def replace_bank(client: TestClient, action: str) -> Any:
    return client.post("/teacher/questions", data={"action": action, "based-on": versions(client)["bank"]})


def keep_settings(client: TestClient, fields: dict[str, str]) -> Any:
    return client.post("/teacher/questions", data=fields | {"based-on": versions(client)["settings"]})


def opened(raw: dict[str, Any]) -> dict[str, str]:
    """Return what the form of a question would send."""
    return to_fields(raw) | {"based-on": version_of(raw)}


def remove(client: TestClient, item_id: str) -> Any:
    raw = next(raw for raw in downloaded(client)["items"] if raw["id"] == item_id)
    fields = {"id": item_id, "based-on": version_of(raw), "action": "remove"}
    return client.post("/teacher/questions/edit", data=fields)


def test_nothing_is_shown_or_kept_without_the_token(visitor: TestClient) -> None:
    for path in PATHS:
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE"):
            answer = visitor.request(method, f"/teacher/{path}", data={"action": "keep", "id": FIRST.id})
            assert answer.status_code in (401, 405)
            assert FIRST.stem[:20] not in answer.text
    assert upload(visitor, b"{}").status_code == 401
    assert downloaded(sign_in(visitor)) == BANK.data


def test_the_token_of_a_class_does_not_open_the_pages(visitor: TestClient, store: Store) -> None:
    quiz_class, token = make_class(BANK, ClassOptions("Week 3", item_ids=(FIRST.id,)))
    ClassStore(store).add(quiz_class)
    colleague = sign_in(visitor, token)
    for path in PATHS[:4]:
        assert colleague.get(f"/teacher/{path}").status_code == 401
    assert colleague.post("/teacher/questions/edit", data=CHOICE | {"action": "keep"}).status_code == 401


def test_a_question_is_changed_kept_and_downloaded(
    teacher: TestClient, visitor: TestClient, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = copy.deepcopy(BANK.data)
    assert "This is the bank of the app, with 94 questions." in teacher.get("/teacher/questions").text
    changed = opened(RAW) | {"explanation": "It has two gates and one state.", "action": "keep"}
    answer = teacher.post("/teacher/questions/edit", data=changed)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"../questions?kept={FIRST.id}"
    page = teacher.get(f"/teacher/questions?kept={FIRST.id}").text
    assert "Your bank has 94 questions." in page
    assert "Kept in your bank" in page
    bank = downloaded(teacher)
    assert bank["items"][0] == RAW | {"explanation": "It has two gates and one state."}
    assert bank["items"][1:] == BANK.data["items"][1:]
    path = tmp_path / "mine.json"
    path.write_bytes(teacher.get("/teacher/questions/mine.json").content)
    assert main(["lint", str(path)]) == 0
    assert capsys.readouterr().out == "94 items, 0 problems\n"
    assert downloaded(sign_in(visitor)) == BANK.data == before  # of another session, and of the app


def test_a_bank_is_written_from_nothing(teacher: TestClient, tmp_path: Path) -> None:
    assert replace_bank(teacher, "empty").headers["location"] == "questions"
    page = teacher.get("/teacher/questions").text
    assert "Your bank has 0 questions." in page
    assert "Download bank" not in page
    fields = {"title": "Week 5", "demands": "basic"}
    assert keep_settings(teacher, fields).status_code == 303
    answer = teacher.post("/teacher/questions/edit", data=CHOICE | {"action": "keep"})
    assert answer.headers["location"] == "../questions?kept=padding-1"
    path = tmp_path / "mine.json"
    path.write_bytes(teacher.get("/teacher/questions/mine.json").content)
    assert main(["lint", str(path)]) == 0
    assert load_bank(path).title == "Week 5"
    assert remove(teacher, "padding-1").status_code == 303
    assert downloaded(teacher)["items"] == []
    replace_bank(teacher, "reset")
    assert downloaded(teacher) == BANK.data


def test_a_downloaded_bank_is_opened_again(teacher: TestClient, visitor: TestClient) -> None:
    replace_bank(teacher, "empty")
    teacher.post("/teacher/questions/edit", data=CHOICE | {"action": "keep"})
    content = teacher.get("/teacher/questions/mine.json").content
    later = sign_in(visitor)
    assert upload(later, b"\xef\xbb\xbf" + content).headers["location"] == "../questions"
    assert downloaded(later) == json.loads(content)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "the file is not JSON (line 1"),
        (b"\xff\xfe", "the file is not UTF-8 text"),
        (b"[" * 100_000, "the file is"),
        (b"null", 'a bank is an object such as {"schema_version": "1.0", "items": [ ... ]}, but the file has null'),
        (b'{"schema_version": "1.0", "items": []}', "items: 0 entries"),
        (b" " * (MAX_BANK_BYTES + 1), "the file is larger than 2 MB"),
        (b" " * (MAX_BANK_BYTES + 2 * MAX_QUESTION_BYTES), "the file is larger than 2 MB"),
        (json.dumps(BANK.data | {"title": f" {MARKUP}"}).encode(), "title: "),
        (json.dumps({"schema_version": "1.0", "demands": "basic", "items": [{}] * 50}).encode(), " more."),
    ],
)
def test_a_file_that_is_no_bank_is_refused_with_the_reason(teacher: TestClient, content: bytes, reason: str) -> None:
    answer = upload(teacher, content)
    assert answer.status_code == 400
    assert reason in html.unescape(answer.text)
    assert "<script>" not in answer.text
    assert downloaded(teacher) == BANK.data


def test_an_upload_without_a_file_is_refused(teacher: TestClient) -> None:
    assert teacher.post("/teacher/questions/upload", data={"file": "text"}).status_code == 400
    assert teacher.post("/teacher/questions/upload", files={"other": b"x"}).status_code == 400
    assert teacher.post("/teacher/questions/upload").status_code == 400


def test_a_faulty_question_is_not_kept_and_nothing_typed_is_lost(teacher: TestClient) -> None:
    answer = teacher.post("/teacher/questions/edit", data=CHOICE | {"option-1": "", "action": "keep"})
    assert answer.status_code == 400
    assert '<p id="summary" role="alert">Not kept: the quiz would refuse this question.' in answer.text
    assert '<span class="lint" id="lint-option-1"><span>this is empty; it should be one line of text' in answer.text
    assert CHOICE["feedback-1"] in answer.text
    assert downloaded(teacher) == BANK.data


def test_a_preview_keeps_nothing_and_shows_messages_and_more_rows(teacher: TestClient) -> None:
    page = teacher.post("/teacher/questions/edit", data=CHOICE | {"stem": "Which is *not* so?"}).text
    assert '<div id="quiz-stem"><p>Which is <em>not</em> so?</p>' in page
    assert '<span class="lint" id="lint-objective"><span>the field &#39;objective&#39; is missing' in page
    assert 'name="option-4"' not in page
    replace_bank(teacher, "empty")
    assert "After the right answer" in teacher.post("/teacher/questions/edit", data=CHOICE).text
    assert (
        'name="option-5"'
        in teacher.post("/teacher/questions/edit", data=CHOICE | {"more": "option", "option-rows": "4"}).text
    )
    assert teacher.post("/teacher/questions/edit", data={"option-rows": "99", "type": "x"}).status_code == 200
    assert downloaded(teacher)["items"] == []


def test_the_form_of_every_question_opens(teacher: TestClient) -> None:
    for item in BANK.items:
        page = teacher.get(f"/teacher/questions/edit?id={item.id}")
        assert page.status_code == 200
        assert ('id="question-form"' in page.text) == (item.type != "slider")


def test_what_cannot_be_edited_is_said_and_refused(teacher: TestClient) -> None:
    page = teacher.get("/teacher/questions/edit?id=gru-update-011").text
    assert "answered with sliders" in page
    assert 'id="question-form"' not in page
    refused = teacher.post("/teacher/questions/edit", data={"id": "gru-update-011", "action": "keep", "stem": "x"})
    assert refused.status_code == 400
    page = teacher.get("/teacher/questions/edit?id=gru-reset-007").text
    assert "drawn anew for each learner" in page
    assert "gating.candidate_by_hand" in page
    assert 'name="value"' not in page
    for answer in (
        teacher.get("/teacher/questions/edit?id=none"),
        teacher.post("/teacher/questions/edit", data={"id": "none", "action": "keep"}),
    ):
        assert answer.status_code == 404
    assert downloaded(teacher) == BANK.data


def test_a_question_to_match_is_written_and_its_rows_are_moved(teacher: TestClient) -> None:
    replace_bank(teacher, "empty")
    page = teacher.post("/teacher/questions/edit", data=MATCH | {"up": "1"}).text
    assert re.search(r'name="prompt-0" value="Long texts"[^>]*>', page)
    assert re.search(r'name="option-0" value="Pad"[^>]*autofocus', page)
    assert downloaded(teacher)["items"] == []
    answer = teacher.post("/teacher/questions/edit", data=MATCH | {"action": "keep"})
    assert answer.headers["location"] == "../questions?kept=padding-1"
    (raw,) = downloaded(teacher)["items"]
    assert raw["key"]["correct"] == ["a", "a", "d"]
    page = teacher.get("/teacher/questions/edit?id=padding-1").text
    assert "After another answer" in page
    answer = teacher.post("/teacher/questions/edit", data=opened(raw) | {"prompt-2": "", "action": "keep"})
    assert answer.status_code == 303
    assert downloaded(teacher)["items"][0]["key"]["correct"] == ["a", "a"]


# Two tabs of one teacher


def test_a_question_that_another_tab_has_changed_is_not_overwritten(teacher: TestClient) -> None:
    first = opened(RAW) | {"explanation": "The first tab.", "action": "keep"}
    second = opened(RAW) | {"explanation": "The second tab.", "action": "keep"}
    assert teacher.post("/teacher/questions/edit", data=first).status_code == 303
    refused = teacher.post("/teacher/questions/edit", data=second)
    assert refused.status_code == 409
    assert "this question was changed in another tab" in refused.text
    assert f'<a href="edit?id={FIRST.id}" target="_blank">' in refused.text
    assert "The second tab.</textarea>" in refused.text
    kept = downloaded(teacher)["items"][0]
    assert kept["explanation"] == "The first tab."
    assert teacher.post("/teacher/questions/edit", data=first).status_code == 303  # sent twice: the same is there
    removal = {"id": FIRST.id, "based-on": version_of(RAW), "action": "remove"}
    assert teacher.post("/teacher/questions/edit", data=removal).status_code == 409
    assert downloaded(teacher)["items"][0] == kept
    (version,) = set(re.findall(r'name="based-on" value="(\w+)"', refused.text))
    assert teacher.post("/teacher/questions/edit", data=second | {"based-on": version}).status_code == 303
    assert downloaded(teacher)["items"][0]["explanation"] == "The second tab."


def test_different_questions_are_changed_in_two_tabs(teacher: TestClient) -> None:
    forms = [opened(raw) | {"explanation": "Changed.", "action": "keep"} for raw in BANK.data["items"][:2]]
    for form in forms:
        assert teacher.post("/teacher/questions/edit", data=form).status_code == 303
    assert [raw["explanation"] for raw in downloaded(teacher)["items"][:2]] == ["Changed.", "Changed."]


def test_a_question_that_another_tab_has_removed_can_be_added_again(teacher: TestClient) -> None:
    replace_bank(teacher, "empty")
    teacher.post("/teacher/questions/edit", data=CHOICE | {"action": "keep"})
    form = opened(downloaded(teacher)["items"][0]) | {"action": "keep"}
    remove(teacher, "padding-1")
    refused = teacher.post("/teacher/questions/edit", data=form)
    assert refused.status_code == 404
    assert "does not have this question any more" in refused.text
    assert f'value="{CHOICE["option-0"]}"' in refused.text
    assert '<input type="hidden" name="id" value="">' in refused.text


def test_settings_that_another_tab_has_changed_are_not_overwritten(teacher: TestClient) -> None:
    before = versions(teacher)["settings"]
    fields = settings_to_fields(BANK.data)
    assert keep_settings(teacher, fields | {"title": "The first tab"}).status_code == 303
    late = fields | {"title": "The second tab", "based-on": before}
    refused = teacher.post("/teacher/questions", data=late)
    assert refused.status_code == 409
    assert "The settings were not kept: they were changed in another tab" in refused.text
    assert 'value="The second tab"' in refused.text
    assert downloaded(teacher)["title"] == "The first tab"
    assert keep_settings(teacher, late).status_code == 303
    assert downloaded(teacher)["title"] == "The second tab"


def test_a_bank_that_another_tab_has_changed_is_not_replaced(teacher: TestClient) -> None:
    before = versions(teacher)["bank"]
    replace_bank(teacher, "empty")
    teacher.post("/teacher/questions/edit", data=CHOICE | {"action": "keep"})
    kept = downloaded(teacher)
    for action in ("empty", "reset"):
        refused = teacher.post("/teacher/questions", data={"action": action, "based-on": before})
        assert refused.status_code == 409
        assert "Not done: your bank was changed in another tab" in refused.text
    refused = upload(teacher, json.dumps(BANK.data).encode(), before)
    assert refused.status_code == 409
    assert "yours was changed in another tab" in refused.text
    assert downloaded(teacher) == kept


def test_a_change_that_comes_in_between_is_not_lost(teacher: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    real, others = question_pages.find_bank_faults, [BANK.data["items"][1]]

    def change_another_meanwhile(bank: Any) -> Any:
        faults = list(real(bank))
        if others:
            other = opened(others.pop()) | {"explanation": "Meanwhile.", "action": "keep"}
            assert teacher.post("/teacher/questions/edit", data=other).status_code == 303
        return faults

    monkeypatch.setattr(question_pages, "find_bank_faults", change_another_meanwhile)
    form = opened(RAW) | {"explanation": "Changed.", "action": "keep"}
    assert teacher.post("/teacher/questions/edit", data=form).status_code == 303
    assert [raw["explanation"] for raw in downloaded(teacher)["items"][:2]] == ["Changed.", "Meanwhile."]


def test_faulty_settings_are_not_kept_and_stay_in_the_fields(teacher: TestClient) -> None:
    replace_bank(teacher, "empty")
    refused = keep_settings(teacher, {"title": "Mine", "demands": "basic", "ladder": "Basics: Padding"})
    assert refused.status_code == 400
    assert "<li>ladder: 1 entry, but 2 or more are needed</li>" in refused.text
    assert 'value="Mine"' in refused.text
    assert "Basics: Padding</textarea>" in refused.text
    assert "title" not in downloaded(teacher)


def test_a_form_that_is_too_long_is_refused(teacher: TestClient) -> None:
    answer = teacher.post("/teacher/questions/edit", data=CHOICE | {"stem": "x" * MAX_QUESTION_BYTES})
    assert answer.status_code == 400
    assert "more than 100,000 bytes" in answer.text
    assert teacher.post("/teacher/questions", data={"title": "x" * MAX_QUESTION_BYTES}).status_code == 400
    assert downloaded(teacher) == BANK.data


def test_what_a_teacher_types_cannot_run(teacher: TestClient) -> None:
    texts = dict.fromkeys(CHOICE, f'" autofocus onfocus="alert(3)">{MARKUP}') | {"type": "single", "action": "preview"}
    for answer in (
        teacher.post("/teacher/questions/edit", data=texts),
        teacher.post("/teacher/questions", data={"title": MARKUP, "ladder": f"</textarea>{MARKUP}: x\n{MARKUP}: y"}),
        keep_settings(teacher, {"title": MARKUP, "ladder": f"</textarea>{MARKUP}: x"}),
        teacher.get(f"/teacher/questions?kept={MARKUP}"),
    ):
        page = re.sub(r"<script nonce=.*</script>", "", answer.text, flags=re.DOTALL)
        tags = [(tag, re.sub(r'"[^"]*"', "", rest)) for tag, rest in re.findall(r"<(\w+)([^>]*)>", page)]
        assert {tag for tag, _ in tags} & {"script", "img"} == set()
        assert not [rest for _, rest in tags if re.search(r"\bon\w+\s*=", rest)]


def test_only_the_script_of_the_form_may_run(teacher: TestClient) -> None:
    answers = [teacher.get("/teacher/questions/edit") for _ in range(2)]
    nonces = [re.findall(r'<script nonce="([^"]+)">', answer.text) for answer in answers]
    assert [len(found) for found in nonces] == [1, 1]
    assert nonces[0] != nonces[1]
    rules = answers[0].headers["content-security-policy"].split("; ")
    assert {"default-src 'none'", "img-src data:", "connect-src 'self'", f"script-src 'nonce-{nonces[0][0]}'"} <= {
        *rules
    }
    assert answers[0].headers["cache-control"] == "no-store"
    assert 'data-katex="assets/katex.js"' in answers[0].text
    assert "script-src" not in teacher.get("/teacher/questions").headers["content-security-policy"]


def test_signing_out_ends_the_draft(teacher: TestClient, visitor: TestClient) -> None:
    replace_bank(teacher, "empty")
    teacher.post("/teacher/leave")
    assert teacher.get("/teacher/questions/mine.json").status_code == 401
    assert downloaded(sign_in(visitor)) == BANK.data
