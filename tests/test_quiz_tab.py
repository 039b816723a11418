"""The Quiz tab: what each press returns, and that the page knows nothing of the key before an answer."""

import json
from typing import Any

import gradio as gr
import pytest

from quiz.bank import Item, load_bank
from quiz.quiz_tab import QUIZ_CSS, RADIO_SCRIPT, View, build_quiz_tab, go_on, submit, view
from quiz.session import Session, advance, answer, start_session

BANK = load_bank()
ITEMS = start_session(BANK).items
PARTS = ["session", "question", "progress", "stem", "options", "choice", "submit", "feedback", "next", "end", "results"]


def parts(outputs: View) -> dict[str, Any]:
    return dict(zip(PARTS, outputs, strict=True))


def key(number: int) -> str:
    return ITEMS[number].correct_option.oid


def wrong(number: int) -> str:
    return next(option.oid for option in ITEMS[number].options if not option.correct)


def secrets(item: Item) -> list[str]:
    return [item.explanation, *item.hints, *(option.feedback for option in item.options)]


def sent_to_the_browser(outputs: View) -> str:
    """Return everything in the outputs but the session, which stays on the server."""
    sent = [part.get_config() if isinstance(part, gr.blocks.Block) else part for part in outputs[1:]]
    return json.dumps(sent, default=str, ensure_ascii=False)


def as_sent(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def finished(right: set[int]) -> Session:
    session = start_session(BANK)
    for number, item in enumerate(ITEMS):
        session, _ = answer(session, item.id, key(number) if number in right else wrong(number))
        session = advance(session)
    return session


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    """Return the configuration that Gradio puts into the page."""
    with gr.Blocks(analytics_enabled=False) as demo, gr.Tab("Quiz"):
        build_quiz_tab(BANK)
    return demo.get_config_file()  # type: ignore[return-value]


def test_the_page_holds_the_first_question_and_no_part_of_any_key(page: dict[str, Any]) -> None:
    text = json.dumps(page, default=str, ensure_ascii=False)
    assert as_sent(ITEMS[0].stem) in text
    assert as_sent(ITEMS[0].options[2].text) in text
    assert not [secret for item in ITEMS for secret in secrets(item) if as_sent(secret) in text]
    assert not [item.id for item in ITEMS[1:] if as_sent(item.stem) in text]
    assert not [word for word in ("misconception", "correct", '"m-') if word in text]


def test_every_event_is_private_and_light(page: dict[str, Any]) -> None:
    events = page["dependencies"]
    assert len(events) == 6
    assert {(event["api_visibility"], event["queue"]) for event in events} == {("private", False)}


def test_the_parts_of_the_page_have_stable_ids(page: dict[str, Any]) -> None:
    ids = {component["props"].get("elem_id") for component in page["components"]}
    assert ids >= {
        "quiz-intro", "quiz-question", "quiz-progress", "quiz-stem", "quiz-options", "quiz-choice", "quiz-submit",
        "quiz-feedback", "quiz-next", "quiz-end", "quiz-results", "quiz-restart",
    }  # fmt: skip


def test_an_open_question_is_sent_without_its_key() -> None:
    session = start_session(BANK)
    for number, item in enumerate(ITEMS):
        sent = sent_to_the_browser(view(session))
        assert as_sent(item.stem) in sent
        assert not [secret for later in ITEMS[number:] for secret in secrets(later) if as_sent(secret) in sent]
        assert "correct" not in sent
        session = advance(answer(session, item.id, wrong(number))[0])


def test_an_answer_is_told_its_own_key_and_no_other() -> None:
    outputs = submit(start_session(BANK), wrong(0))
    sent = sent_to_the_browser(outputs)
    assert as_sent(ITEMS[0].explanation) in sent
    assert not [secret for item in ITEMS[1:] for secret in secrets(item) if as_sent(secret) in sent]


def test_submitting_without_a_choice_asks_gently_and_grades_nothing() -> None:
    shown = parts(submit(start_session(BANK), None))
    assert shown["session"].grades == ()
    assert shown["feedback"].value == "Choose one of the answers first, then submit."
    assert shown["submit"].visible
    assert not shown["next"].visible


def test_a_wrong_answer_is_told_in_words_with_the_right_one_and_the_source() -> None:
    shown = parts(submit(start_session(BANK), wrong(0)))
    chosen = next(option for option in ITEMS[0].options if option.oid == wrong(0))
    feedback = shown["feedback"].value
    assert feedback.startswith(f"**Not right.** You chose A. {chosen.feedback}")
    assert "**Correct answer: C.** The output gate" in feedback
    assert ITEMS[0].explanation in feedback
    assert f"[{ITEMS[0].sources[0].cite}]({ITEMS[0].sources[0].url})" in feedback
    assert "The update gate — *your answer*" in shown["options"]
    assert "The output gate — *correct answer*" in shown["options"]
    assert shown["feedback"].elem_classes == ["quiz-wrong"]


def test_a_right_answer_is_told_in_words() -> None:
    shown = parts(submit(start_session(BANK), key(0)))
    assert shown["feedback"].value.startswith("**Right.** You chose C.")
    assert "Correct answer:" not in shown["feedback"].value
    assert "The output gate — *your answer, correct*" in shown["options"]
    assert shown["feedback"].elem_classes == ["quiz-right"]


def test_an_answered_question_can_only_be_left() -> None:
    shown = parts(submit(start_session(BANK), key(0)))
    assert not shown["submit"].visible
    assert shown["next"].visible
    assert not shown["choice"].interactive
    assert shown["choice"].value == key(0)


def test_a_second_press_of_submit_does_not_change_the_grade() -> None:
    answered = submit(start_session(BANK), wrong(0))[0]
    again = parts(submit(answered, key(0)))
    assert again["session"] == answered
    assert again["feedback"].value.startswith("**Not right.**")


def test_a_choice_left_over_from_another_question_is_refused_kindly() -> None:
    shown = parts(submit(start_session(BANK), key(1)))
    assert shown["session"].grades == ()
    assert "does not belong to the question" in shown["feedback"].value


def test_going_on_without_an_answer_is_refused_kindly() -> None:
    shown = parts(go_on(start_session(BANK)))
    assert "Answer this question first." in shown["feedback"].value
    assert shown["stem"] == ITEMS[0].stem


def test_going_on_opens_a_fresh_question() -> None:
    shown = parts(go_on(submit(start_session(BANK), key(0))[0]))
    assert shown["stem"] == ITEMS[1].stem
    assert shown["choice"].choices == [
        (letter, option.oid) for letter, option in zip("ABCDE", ITEMS[1].options, strict=False)
    ]
    assert shown["choice"].value is None
    assert shown["choice"].interactive
    assert shown["feedback"].value == ""
    assert not shown["next"].visible


def test_progress_is_told_in_words_and_to_screen_readers() -> None:
    session = submit(start_session(BANK), key(0))[0]
    session = submit(go_on(session)[0], wrong(1))[0]
    bar = parts(go_on(session))["progress"]
    assert "Question 3 of 10" in bar
    assert "1 of 2 right" in bar
    assert 'role="progressbar"' in bar
    assert 'aria-valuenow="2"' in bar
    assert "width: 20.0%" in bar


def test_the_last_question_leads_to_the_result() -> None:
    session = start_session(BANK)
    for number in range(9):
        shown = parts(submit(session, key(number)))
        assert shown["next"].value == "Next question"
        session = go_on(shown["session"])[0]
    assert parts(submit(session, key(9)))["next"].value == "See your result"


def test_the_result_has_the_score_of_each_topic_and_reviews_the_wrong_answers_only() -> None:
    shown = parts(view(finished(right={0, 1, 2, 3, 7, 8, 9})))
    assert not shown["question"].visible
    assert shown["end"].visible
    assert "You answered 7 of 10 right" in shown["results"]
    for score in shown["session"].topic_scores:
        assert f"| {score.topic} | {score.right} of {score.total} |" in shown["results"]
    for number, item in enumerate(ITEMS):
        assert (item.explanation in shown["results"]) == (number in {4, 5, 6})
        assert (f"#### Question {number + 1}\n" in shown["results"]) == (number in {4, 5, 6})


def test_a_perfect_result_has_nothing_to_review() -> None:
    results = parts(view(finished(right=set(range(10)))))["results"]
    assert "You answered 10 of 10 right" in results
    assert "every answer was right" in results
    assert "Worth another look" not in results


def test_submitting_after_the_end_changes_nothing() -> None:
    session = finished(right=set())
    assert submit(session, key(0))[0] == session


def test_starting_again_forgets_the_answers_and_shuffles_the_options() -> None:
    with gr.Blocks(analytics_enabled=False) as demo:
        build_quiz_tab(BANK)
    restart = next(event.fn for event in demo.fns.values() if event.name == "restart")
    sessions = [restart()[0] for _ in range(3)]
    assert {(session.grades, session.position) for session in sessions} == {((), 0)}
    assert len({session.items for session in sessions}) > 1


def test_styles_touch_nothing_but_the_quiz() -> None:
    rules = [line for line in QUIZ_CSS.splitlines() if line and line[0] not in " }/@"]
    assert len(rules) > 10
    assert not [rule for rule in rules if "#quiz-" not in rule]


def test_the_script_is_one_script_element() -> None:
    assert RADIO_SCRIPT.startswith("<script>")
    assert RADIO_SCRIPT.endswith("</script>")
    assert RADIO_SCRIPT.count("</") == 1
