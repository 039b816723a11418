"""The Quiz tab: what each step shows, and that no response reveals a key before its answer is recorded."""

import dataclasses
import re
from html import unescape
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from fastapi.testclient import TestClient
from gradio.routes import App

import app
from benchmarks.gradio_http import Page
from quiz.bank import Bank, Item, Media, load_bank
from quiz.components import Updates, show
from quiz.errors import TokenError
from quiz.proof_view import ProofRenderer
from quiz.resume_token import ResumeTokens
from quiz.selection import ALL, topic_scope
from quiz.service import QuizService, Visit
from quiz.session import start_session
from quiz.store import Store
from quiz.tab import QUIZ_SCRIPT, build_quiz_memory, build_quiz_tab
from quiz.views import LETTERS, LiveViews, question, read_static
from tests.conftest import REPOSITORY
from tests.unit.quiz.test_session import (
    BANK,
    BY_ID,
    EACH_TYPE,
    MATCH,
    MULTI,
    NUMERIC,
    ORDER,
    SINGLE,
    SLIDER,
    only,
    open_item,
    right,
    wrong,
)

SECRET = "a secret of the tests"
LIVE = LiveViews(app.live_link, app.live_card)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path / 'quiz.sqlite3'}")


def quiz_of(store: Store, *items: Item) -> QuizService:
    return QuizService(only(*items) if items else BANK, store, SECRET.encode())


def updates(visit: Visit, quiz: QuizService, before: Visit | None = None) -> Updates:
    """Return the updates that show a visit."""
    return show(visit, quiz, LIVE, before)


def value(part: Any) -> Any:
    return part["value"] if isinstance(part, dict) else part


def secrets(item: Item) -> list[str]:
    """Return every text of an item that no response may hold before the answer."""
    texts = [item.explanation, *item.hints, *(option.feedback for option in item.options)]
    if item.arrangement:
        texts += [item.arrangement.right, item.arrangement.wrong]
    if item.numeric:
        texts += [item.numeric.right, item.numeric.wrong, *(wrong.feedback for wrong in item.numeric.anticipated)]
    return texts


def leaked(text: str, items: list[Item]) -> list[str]:
    """Return the secrets of items that a response holds, in any encoding."""
    flat = " ".join(unescape(text.replace('\\"', '"').replace("\\\\", "\\").replace("\\n", "\n")).split())
    return [secret for item in items for secret in secrets(item) if " ".join(secret.split())[:60] in flat]


# What is shown


@pytest.mark.parametrize(
    ("item", "field"),
    [
        (SINGLE, "options"),
        (MULTI, "options"),
        (ORDER, "options"),
        (MATCH, "options"),
        (NUMERIC, "number"),
        (SLIDER, "sliders"),
    ],
    ids=["single", "multi", "order", "match", "numeric", "slider"],
)
def test_each_type_has_its_own_field_for_the_answer(store: Store, item: Item, field: str) -> None:
    quiz = quiz_of(store, item)
    shown = updates(quiz.open({}), quiz)
    assert [name for name in ("number", "sliders") if shown[name]["visible"]] == [field] * (field != "options")
    assert bool(value(shown["options"])) == (field == "options")
    assert shown["number"]["interactive"]
    assert shown["options"]["elem_classes"] == [f"quiz-{item.type}"]
    assert value(shown["options"]).count("<button") == (0 if item.type == "match" else len(item.options))
    assert all(prompt.text in value(shown["options"]) for prompt in item.prompts)
    assert shown["stem"] == item.stem
    assert shown["item"] == item.id


@pytest.mark.parametrize("item", [SINGLE, MULTI, NUMERIC, SLIDER], ids=["single", "multi", "numeric", "slider"])
@pytest.mark.parametrize("is_right", [True, False])
def test_feedback_names_the_right_answer_and_explains_every_option(store: Store, item: Item, is_right: bool) -> None:
    quiz = quiz_of(store, item)
    visit = quiz.answer(quiz.open({}), item.id, right(item) if is_right else wrong(item), 60)
    shown = updates(visit, quiz)
    assert value(shown["feedback"]).startswith("**✓ Right.**" if is_right else "**✗ Not right.**")
    assert shown["feedback"]["elem_classes"] == ["quiz-right" if is_right else "quiz-wrong"]
    assert ("**Correct answer" in value(shown["feedback"])) != is_right
    why = item.correct_option.feedback if item.type == "single" else item.explanation
    assert why in value(shown["feedback"])
    text = value(shown["feedback"]) + shown["explanation"]
    assert item.explanation in text
    assert all(option.feedback in text for option in item.options)
    assert f"[{item.sources[0].cite}]({item.sources[0].url})" in text
    assert not shown["actions"]["visible"]
    assert shown["after"]["visible"]
    assert not shown["number"]["interactive"]
    assert "<button" not in value(shown["options"])


@pytest.mark.parametrize("item", EACH_TYPE, ids=lambda item: item.type)
def test_who_does_not_know_gets_the_same_feedback_and_no_mark(store: Store, item: Item) -> None:
    quiz = quiz_of(store, item)
    visit = quiz.skip(quiz.open({}), item.id)
    shown = updates(visit, quiz)
    assert value(shown["feedback"]).startswith("**✗ You did not know.**")
    assert "**Correct answer" in value(shown["feedback"])
    text = value(shown["feedback"]) + shown["explanation"]
    assert item.explanation in text
    assert item.arrangement or all(option.feedback in text for option in item.options)
    assert "Your answer" not in value(shown["options"])
    assert value(shown["number"]) == ""
    (attempt,) = store.attempts()
    assert (attempt.answer, attempt.correct, attempt.credit, attempt.confidence) == (("?",), False, 0, None)
    assert quiz.open(quiz.memory(visit)).session.grades == visit.session.grades
    assert "**You did not know.**" in updates(quiz.advance(visit), quiz)["review"]
    grade = visit.session.current_grade
    assert grade is not None
    assert "Proved." in ProofRenderer().render(grade)


@pytest.mark.parametrize("item", [ORDER, MATCH], ids=["order", "match"])
def test_options_in_order_or_matched_are_shown_in_their_place_with_the_answer(store: Store, item: Item) -> None:
    quiz = quiz_of(store, item)
    first, second, *others = right(item)
    visit = quiz.answer(quiz.open({}), item.id, (second, first, *others))
    shown = updates(visit, quiz)
    texts = {option.oid: option.text for option in item.options}
    lines = value(shown["options"]).splitlines()
    assert [texts[oid] in line for oid, line in zip(right(item), lines, strict=True)] == [True] * len(lines)
    assert ["✓ Your answer" in line for line in lines] == [False, False, True, True]
    assert value(shown["feedback"]).startswith(
        "**◐ Partly right.** 2 of 4 are in the right place. That is 0.5 of a mark."
    )
    assert item.arrangement is not None
    assert item.arrangement.wrong in shown["explanation"]
    assert item.arrangement.wrong in updates(quiz.advance(visit), quiz)["review"]


def test_signs_and_words_mark_the_right_and_the_chosen_options(store: Store) -> None:
    quiz = quiz_of(store, SINGLE)
    for given, marks in [
        (
            wrong(SINGLE),
            ['<span class="quiz-wrong">✗ Your answer</span>', '<span class="quiz-right">✓ Correct answer</span>'],
        ),
        (right(SINGLE), ['<span class="quiz-right">✓ Your answer, correct</span>']),
    ]:
        options = value(updates(quiz.answer(quiz.open({}), SINGLE.id, given), quiz)["options"])
        assert options.count("<span") == len(marks)
        assert all(mark in options for mark in marks)


def test_the_boxes_of_a_multiple_answer_are_counted(store: Store) -> None:
    quiz = quiz_of(store, MULTI)
    visit = quiz.answer(quiz.open({}), MULTI.id, right(MULTI)[:1])
    feedback = value(updates(visit, quiz)["feedback"])
    assert feedback.startswith("**◐ Partly right.**")
    assert "4 of 5 boxes are right. That is 0.5 of a mark." in feedback
    options = value(updates(visit, quiz)["options"])
    assert options.count("✓ Your answer, correct") == options.count("✓ Correct answer") == 1


def test_a_number_is_shown_as_it_was_read_and_an_anticipated_one_explained(store: Store) -> None:
    assert NUMERIC.numeric is not None
    quiz = quiz_of(store, NUMERIC)
    for typed, shown_as, told in [
        ("1/2", "0.5", NUMERIC.numeric.anticipated[0].feedback),
        ("31,872", "31872", NUMERIC.numeric.wrong),
    ]:
        shown = updates(quiz.answer(quiz.open({}), NUMERIC.id, [typed]), quiz)
        assert value(shown["feedback"]).startswith(f"**✗ Not right.** You answered {shown_as}.")
        assert shown["explanation"].startswith(told)


def test_a_hint_states_its_cost_before_and_after(store: Store) -> None:
    quiz = quiz_of(store, SINGLE)
    visit = quiz.open({})
    assert value(updates(visit, quiz)["hint"]) == "Show a hint (¼ mark)"
    visit = quiz.hint(visit, SINGLE.id)
    assert updates(visit, quiz)["hints"] == f"**Hint.** {SINGLE.hints[0]}"
    assert value(updates(visit, quiz)["hint"]) == "Show another hint (¼ mark)"
    visit = quiz.hint(visit, SINGLE.id)
    assert not updates(visit, quiz)["hint"]["visible"]
    visit = quiz.answer(visit, SINGLE.id, right(SINGLE))
    assert "That is 0.5 of a mark with 2 hints." in value(updates(visit, quiz)["feedback"])
    assert "That is 0.5 of 1 marks" in updates(quiz.advance(visit), quiz)["results"]


def test_a_refusal_and_a_hint_leave_the_input_unchanged(store: Store) -> None:
    quiz = quiz_of(store)
    before = quiz.open({})
    for after in (quiz.answer(before, SINGLE.id, []), quiz.hint(before, SINGLE.id)):
        shown = updates(after, quiz, before)
        assert not {"options", "number"} & shown.keys()
        assert shown["actions"]["visible"]
    assert value(updates(quiz.answer(before, SINGLE.id, []), quiz, before)["feedback"]).startswith("Choose an answer")
    other = show(quiz.restart(before), quiz, LIVE, before)
    assert other["number"]["value"] == ""
    assert "<button" in other["options"]["value"]


def test_progress_is_shown_in_words_and_to_screen_readers(store: Store) -> None:
    quiz = quiz_of(store)
    visit = quiz.advance(quiz.answer(quiz.open({}), SINGLE.id, right(SINGLE)))
    bar = updates(visit, quiz)["progress"]
    assert "Question 2 of 10" in bar
    assert "1 of 1 right" in bar
    assert 'role="progressbar"' in bar
    assert 'aria-valuenow="1"' in bar
    assert "width: 10.0%" in bar


def test_a_notice_is_shown_while_the_store_is_unavailable(tmp_path: Path) -> None:
    quiz = quiz_of(Store(f"sqlite:///{tmp_path / 'away' / 'quiz.sqlite3'}"))
    visit = quiz.answer(quiz.open({}), SINGLE.id, right(SINGLE))
    assert "not being stored" in updates(visit, quiz)["notice"]
    (tmp_path / "away").mkdir()
    assert updates(quiz.advance(visit), quiz)["notice"] == ""


def test_a_run_that_cannot_be_resumed_is_announced(store: Store) -> None:
    quiz = quiz_of(store)
    visit = quiz.open({"run": "<script>x</script>"})
    assert "cannot be read here, so a new one starts." in updates(visit, quiz)["notice"]
    assert visit.session.grades == ()


def test_the_result_has_scores_levels_mistakes_and_next_steps(store: Store) -> None:
    quiz = quiz_of(store)
    visit = quiz.open({})
    for number in range(10):
        item = visit.session.open_item
        assert item
        visit = quiz.answer(visit, item.id, wrong(item) if number in {2, 5} else right(item), 90 if number else None)
        visit = quiz.advance(visit)
    items = list(visit.session.items)
    shown = updates(visit, quiz)
    assert (shown["question"]["visible"], shown["end"]["visible"]) == (False, True)
    assert "You answered 8 of 10 right" in shown["results"]
    assert "8 of 9" not in shown["topics"]
    assert "When you were sure" in shown["calibration"]
    assert all(item.topic in shown["topics"] and item.topic in shown["levels"] for item in items)
    assert value(shown["retry"]) == "Try the 2 wrong ones again"
    without_credit = {item.topic for item in BANK.items} - {g.item.topic for g in visit.session.grades if g.correct}
    assert shown["practise"].removeprefix("Practise: ") in without_credit
    for number, item in enumerate(items):
        assert (item.explanation in shown["review"]) == (number in {2, 5})
        assert (f"#### Question {number + 1}\n" in shown["review"]) == (number in {2, 5})


def test_the_result_says_what_stood_behind_the_errors(store: Store) -> None:
    bank = dataclasses.replace(
        only(SINGLE, *(dataclasses.replace(BY_ID[name], enemies=()) for name in ("gru-update-001", "gru-update-002"))),
        misconceptions=BANK.misconceptions,
    )
    quiz, address = QuizService(bank, store, SECRET.encode()), "#panel=cell"
    visit = quiz.open({})
    swapped = {"gru-update-001": "b8fa", "gru-update-002": "g7kv", SINGLE.id: "t2me"}
    while not visit.session.finished:
        assert visit.session.open_item
        visit = quiz.advance(quiz.answer(visit, visit.session.open_item.id, [swapped[visit.session.open_item.id]]))
    review = show(visit, quiz, LiveViews(lambda live: address))["review"]
    numbers = [str(n) for n, item in enumerate(visit.session.items, 1) if item.id != SINGLE.id]
    text, source = BANK.misconceptions["m-conventions-swapped"], BY_ID["gru-update-001"].sources[0]
    assert (
        f"- {text} (Questions {', '.join(numbers)}.) Read [{source.cite}]({source.url}), {source.loc}. "
        f"[See it live]({address})." in review
    )


def test_a_perfect_result_has_nothing_to_review(store: Store) -> None:
    quiz = quiz_of(store, SINGLE)
    shown = updates(quiz.advance(quiz.answer(quiz.open({}), SINGLE.id, right(SINGLE))), quiz)
    assert shown["review"] == "Nothing to review: every answer was right."
    assert not shown["retry"]["visible"]


def test_a_card_with_the_numbers_of_the_question_is_folded_below_the_feedback(store: Store) -> None:
    quiz = quiz_of(store, BY_ID["gru-update-008"])
    visit = quiz.open({})
    asked = open_item(visit.session)
    assert updates(visit, quiz)["live"] == ""
    card = unescape(updates(quiz.answer(visit, asked.id, right(asked)), quiz)["live"])
    assert "<details" in card
    assert " open>" not in card
    assert f'"z": {asked.drawn["z"]}, ' in card
    assert f'"h": {asked.drawn["h"]}, ' in card
    assert 'href="#inside=cell"' in card


def test_a_link_to_a_part_without_a_card_is_shown_after_the_answer(store: Store) -> None:
    item = next(item for item in BANK.items if item.live and item.live.tab == "sentiment" and item.live.token)
    quiz = quiz_of(store, item)
    visit = quiz.open({})
    assert updates(visit, quiz)["live"] == ""
    shown = updates(quiz.answer(visit, item.id, right(item)), quiz)
    assert item.live is not None
    assert unescape(shown["live"]).endswith(f'&token={item.live.token}">See it live</a>')


def test_a_picture_is_embedded_or_replaced_by_its_description(tmp_path: Path) -> None:
    (tmp_path / "cell.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    item = dataclasses.replace(SINGLE, media=(Media("cell.svg", "One [cell] of a GRU"), Media("no.png", "Missing")))
    text = question(item, tmp_path)
    assert "![One (cell) of a GRU](data:image/svg+xml;base64,PHN2" in text
    assert "*Missing*" in text


def test_a_proof_runs_once_and_shows_what_the_answer_would_mean(store: Store) -> None:
    quiz = quiz_of(store, NUMERIC)
    grade = quiz.answer(quiz.open({}), NUMERIC.id, ["0,5"]).session.current_grade
    assert grade is not None
    proofs = ProofRenderer()
    html = proofs.render(grade)
    assert "Proved." in html
    assert "Your answer <strong>0.5</strong>" in html
    assert proofs.render(grade) == html


@pytest.mark.parametrize(
    ("item", "why"),
    [
        (BY_ID["gru-use-005"], "This proof cannot run here"),
        (BY_ID["gru-use-007"], "No code can prove this"),
        (dataclasses.replace(SINGLE, check=None), "without a proof"),
    ],
    ids=["no model", "no code", "no check"],
)
def test_an_item_without_a_proof_shows_the_reason_and_its_source(store: Store, item: Item, why: str) -> None:
    quiz = quiz_of(store, item)
    grade = quiz.answer(quiz.open({}), item.id, right(item)).session.current_grade
    assert grade is not None
    html = ProofRenderer().render(grade)
    assert why in html
    assert item.sources[0].url in html


def test_styles_apply_to_the_quiz_only() -> None:
    rules = [line for line in read_static("quiz_tab.css").splitlines() if line and line[0] not in " }/@"]
    assert len(rules) > 10
    assert not [rule for rule in rules if "#quiz-" not in rule]


def test_the_script_is_one_script_element() -> None:
    assert QUIZ_SCRIPT.startswith("<script>")
    assert QUIZ_SCRIPT.endswith("</script>")
    assert QUIZ_SCRIPT.count("</") == 1


# Responses


class Visitor(Page):
    """The page of a visitor, which searches every response for keys that it must not hold yet.

    Attributes:
        answered: Ids of the items that the visitor has answered.
        hints: The hints that the visitor has taken.
    """

    def __init__(self, client: TestClient, session: str, memory: Any = None) -> None:
        """Open the page; the browser has saved the memory."""
        super().__init__(client, session)
        self.answered: set[str] = set()
        self.hints: list[str] = []
        self.memory = {} if memory is None else memory

    def send(self, event: dict[str, Any], data: list[Any] | None = None, **changes: Any) -> tuple[int, str]:
        """Send an event and check the response."""
        status, text = super().send(event, data, **changes)
        items = BY_ID | self.asked
        closed = [item for item in items.values() if item.id not in self.answered]
        # A few items share a hint or a formula, which is not a secret once one of them is answered.
        revealed = [*self.hints, *(text for item_id in self.answered for text in secrets(items[item_id]))]
        assert [secret for secret in leaked(text, closed) if not any(secret in text for text in revealed)] == []
        return status, text

    def forge(self, element: str, *values: Any) -> tuple[int, str]:
        """Send values that the page would not send."""
        return self.send(self.event(element), [None, self.memory, *values])

    @property
    def memory(self) -> Any:
        """The memory of the browser, which comes with every event."""
        return self.props[self.event("quiz-submit")["inputs"][1]].get("value")

    @memory.setter
    def memory(self, memory: Any) -> None:
        self.props[self.event("quiz-submit")["inputs"][1]]["value"] = memory

    @property
    def item(self) -> Item:
        """The item that the page shows."""
        return (BY_ID | self.asked)[self.props[self.event("quiz-submit")["inputs"][2]]["value"]]

    @property
    def asked(self) -> dict[str, Item]:
        """The questions of the run that the browser has saved, with the numbers drawn for it."""
        try:
            items = ResumeTokens(SECRET.encode(), BANK).read(self.memory["run"]).items
        except (TokenError, TypeError, KeyError):
            return {}
        return {item.id: item for item in items}

    def answer(self, is_right: bool = True) -> None:
        """Answer the open question with the letters of the options shown, or with a number."""
        item = self.item
        given = right(item) if is_right else wrong(item)
        if item.sliders:
            self.put("quiz-chosen", ";".join(given))
        elif item.numeric:
            self.put("quiz-number", given[0])
        else:
            if item.type == "match":
                buttons = re.findall(r"^- \*\*(.)\*\* (.*)$", self.value("quiz-options"), re.MULTILINE)
            else:
                buttons = re.findall(r"<button type=.button.>\*\*(.)\*\* (.*)</button>", self.value("quiz-options"))
            letters = {text: letter for letter, text in buttons}
            texts = {option.oid: option.text for option in item.options}
            self.put("quiz-chosen", "".join(letters[texts[oid]] for oid in given))
        self.answered.add(item.id)
        self.fire("quiz-submit")


@pytest.fixture
def blocks(store: Store) -> gr.Blocks:
    with gr.Blocks(analytics_enabled=False) as blocks:
        memory = build_quiz_memory().render()
        build_quiz_tab(blocks, BANK, store, memory, secret=SECRET)
    return blocks.queue(api_open=False)


@pytest.fixture
def client(blocks: gr.Blocks) -> TestClient:
    return TestClient(App.create_app(blocks), raise_server_exceptions=False)


@pytest.fixture
def visitor(client: TestClient) -> Visitor:
    visitor = Visitor(client, "visitor1")
    visitor.fire("page", "load")
    return visitor


def test_the_whole_http_surface_holds_no_key(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Check every page and file of the app, then every response of a run with hints."""
    monkeypatch.setenv("QUIZ_SECRET", SECRET)
    client = TestClient(App.create_app(app.build_app(store=store)), raise_server_exceptions=False)
    routes = [route for route in client.app.routes if "GET" in getattr(route, "methods", set())]  # type: ignore[attr-defined]
    paths = {route.path for route in routes if "{" not in route.path} - {"/gradio_api/queue/data"}  # waits for events
    paths |= {"/", "/config", "/gradio_api/info", "/gradio_api/openapi.json", "/gradio_api/info?all_endpoints=true"}
    bank = "quiz/answer_bank.json"
    paths |= {f"/gradio_api/file={path}" for path in (bank, f"./{bank}", f"../{bank}", REPOSITORY / bank)}
    paths |= {f"/{folder}/{bank}" for folder in ("static", "assets", "svelte", "gradio_api/file=..", "gradio_api")}
    checked = 0
    for path in sorted(paths):
        response = client.get(path)
        assert leaked(response.text, list(BANK.items)) == [], path
        assert "misconception" not in response.text, path
        checked += response.status_code == 200
    assert checked >= 4
    visitor = Visitor(client, "visitor1")
    visitor.fire("page", "load")
    for number in range(10):
        item = visitor.item
        assert visitor.value("quiz-stem").startswith(item.stem)
        visitor.hints.append(item.hints[0])
        visitor.fire("quiz-hint")
        assert item.hints[0] in visitor.value("quiz-hints")
        visitor.answer(is_right=bool(number % 2))
        assert item.explanation in visitor.value("quiz-feedback") + visitor.value("quiz-explanation")
        visitor.fire("quiz-next")
    assert [attempt.correct for attempt in store.attempts()] == [False, True] * 5


def test_forged_payloads_learn_no_key(visitor: Visitor, client: TestClient, store: Store) -> None:
    """`Visitor.send` searches each response for keys."""
    item = visitor.item
    for submitted in (
        ("gru-use-001", "A", ""),
        ("", None, ""),
        (None, None, None),
        (item.id, "ABCDE", "1"),
        (item.id, "E", ""),
        (item.id, "Z", ""),
        (item.id, "?", "?"),
        (item.id, "A" * 1_000_000, ""),
        (item.id, ["A"], {}),
        ({"a": 1}, "A", "x" * 1_000_000),
        (item.id,),
    ):
        visitor.forge("quiz-submit", *submitted)
        visitor.forge("quiz-sure-90", *submitted)
    visitor.forge("quiz-skip", "gru-use-001")
    visitor.forge("quiz-next")
    visitor.forge("quiz-retry")
    visitor.forge("quiz-hint", "gru-use-001")
    visitor.forge("quiz-start", "topic:none")
    assert list(store.attempts()) == []
    odd = [{"run": 5}, {"run": "a.b"}, {"credits": {item.id: [1]}}, {"credits": {item.id: 10**400}}]
    for memory in (None, 7, [], "x", *odd):
        other = Visitor(client, f"forger-{len(repr(memory))}")
        other.memory = memory
        other.fire("page", "load")
        assert other.item.id == BANK.items[0].id
    foreign = ResumeTokens(b"guessed", BANK).sign(start_session(BANK, ALL, 1, "foreign"))
    other = Visitor(client, "foreigner", {"run": foreign})
    other.fire("page", "load")
    assert "cannot be read here" in other.value("quiz-notice")


def test_a_replayed_token_or_a_second_submission_changes_no_answer(
    visitor: Visitor, client: TestClient, store: Store
) -> None:
    item, older = visitor.item, visitor.memory
    visitor.answer(is_right=False)
    visitor.forge("quiz-submit", item.id, "A", "")
    visitor.forge("quiz-skip", item.id)
    assert visitor.value("quiz-notice")
    again = Visitor(client, "visitor2", older)
    again.answered.add(item.id)
    again.fire("page", "load")
    assert "quiz-wrong" in again.props[again.ids["quiz-feedback"]]["elem_classes"]
    again.forge("quiz-submit", item.id, LETTERS[item.options.index(again.item.correct_option)], "")
    assert [attempt.correct for attempt in store.attempts()] == [False]


def test_the_session_of_another_visitor_is_not_reached(visitor: Visitor, client: TestClient) -> None:
    other = Visitor(client, "visitor2")
    other.fire("page", "load")
    visitor.answer()
    other.fire("quiz-next")
    assert "Answer this question first" in other.value("quiz-feedback")
    assert other.memory["run"] != visitor.memory["run"]


def test_a_visit_that_the_server_has_lost_is_resumed(visitor: Visitor, store: Store) -> None:
    visitor.answer()
    visitor.fire("quiz-next")
    visitor.session = "after-a-restart"
    visitor.answer()
    first, second = store.attempts()
    assert first.run == second.run
    assert second.correct
    assert "2 of 2 right" in visitor.value("quiz-progress")


def test_a_chapter_can_be_chosen(visitor: Visitor) -> None:
    visitor.put("quiz-scope", topic_scope("Shapes"))
    visitor.fire("quiz-start")
    assert visitor.item.topic == "Shapes"
    assert "Question 1 of 9" in visitor.value("quiz-progress")


def test_the_proof_is_not_shown_before_the_answer(blocks: gr.Blocks, store: Store) -> None:
    run_proof = next(event.fn for event in blocks.fns.values() if event.name == "run_proof")
    quiz = quiz_of(store)
    visit = quiz.open({})
    assert "Answer the question first" in "".join(run_proof(visit, {}))
    *_, html = run_proof(quiz.answer(visit, SINGLE.id, wrong(visit.session.items[0])), {})
    assert "Your option" in html


def give_feedback(visitor: Visitor, clear: str | None, text: str) -> str:
    """Send feedback; return the message that the page shows."""
    visitor.fill(quiz_clear=clear, quiz_text=text)
    visitor.fire("quiz-send")
    return str(visitor.value("quiz-thanks"))


def test_feedback_is_sent_or_remains_in_the_box(visitor: Visitor, store: Store) -> None:
    assert "Choose yes or no" in give_feedback(visitor, None, "  ")
    assert "2,001 characters" in give_feedback(visitor, "yes", "x" * 2001)
    assert visitor.is_shown("quiz-opinion")
    assert give_feedback(visitor, "no", "Fewer formulas, please. <b>").startswith("Thank you.")
    assert not visitor.is_shown("quiz-opinion")
    assert [(feedback.clear, feedback.text) for _, feedback in store.feedback()] == [
        (False, "Fewer formulas, please. <b>")
    ]


def test_feedback_beyond_the_rate_limit_remains_in_the_box(store: Store) -> None:
    requests: list[gr.Request] = []
    with gr.Blocks(analytics_enabled=False) as blocks:
        build_quiz_tab(
            blocks,
            BANK,
            store,
            may_send=lambda request: not requests.append(request) and len(requests) < 2,
            secret=SECRET,
        )
    client = TestClient(App.create_app(blocks.queue(api_open=False)))
    assert give_feedback(Visitor(client, "flood"), "yes", "first").startswith("Thank you.")
    refused = Visitor(client, "flood")
    assert "in the box" in give_feedback(refused, "yes", "second")
    assert refused.is_shown("quiz-opinion")
    assert [feedback.text for _, feedback in store.feedback()] == ["first"]


def test_every_event_is_private_and_only_the_proof_is_queued(blocks: gr.Blocks) -> None:
    ids = {block._id for block in blocks.blocks.values() if str(getattr(block, "elem_id", "")).startswith("quiz-")}
    events = [event for event in blocks.fns.values() if any(target in ids for target, _ in event.targets)]
    assert len(events) > 8
    assert {event.api_visibility for event in events} == {"private"}
    assert {event.name for event in events if event.queue} == {"run_proof"}
    assert max(len(event.outputs) for event in events if event.fn) == 3  # each output costs the server a component


def test_every_option_has_a_letter() -> None:
    assert max(len(item.options) for item in load_bank().items) <= len(LETTERS)
    assert Bank(BANK.items).folder.is_dir()
