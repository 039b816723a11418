"""The form of the question editor: what it holds of a question, what it keeps, and where the messages stand."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from quiz.bank import SHIPPED_BANK, find_bank_faults
from quiz.bank_drafts import (
    EMPTY,
    MAX_BANK_BYTES,
    MAX_DRAFTS,
    ChangedError,
    Drafts,
    put_question,
    read_bank,
    read_settings,
    remove_question,
    settings_to_fields,
    unused_id,
    write_bank,
)
from quiz.errors import BankError
from quiz.question_form import find_messages, is_complete, is_editable, move_up, read_question, to_fields
from quiz.question_views import preview_html
from quiz.validation import MOST_FAULTS

SHIPPED = json.loads(SHIPPED_BANK.read_text(encoding="utf-8"))
EDITABLE = [raw for raw in SHIPPED["items"] if is_editable(raw)]
BY_ID = {raw["id"]: raw for raw in SHIPPED["items"]}
BASIC: dict[str, Any] = {**EMPTY, "items": []}
MARKUP = "<script>alert(1)</script><img src=x onerror=alert(2)>"
CHOICE = {
    "type": "single", "topic": "Padding", "stem": "Why are texts packed?", "explanation": "So that it stops.",
    "option-0": "The last state counts", "correct-0": "on", "feedback-0": "It does.",
    "option-1": "Zeros have a gradient", "feedback-1": "They have none.",
    "cite-0": "PyTorch", "loc-0": "Description", "url-0": "https://pytorch.org/docs",
}  # fmt: skip
ORDER = {
    "type": "order", "topic": "Padding", "stem": "Put them in order.", "right": "Yes.", "wrong": "No.",
    "explanation": "So they come.", "option-0": "Pad", "option-1": "Pack", "option-2": "Read",
    "cite-0": "PyTorch", "loc-0": "Description", "url-0": "https://pytorch.org/docs",
}  # fmt: skip
MATCH = ORDER | {
    "type": "match", "stem": "Match them.", "prompt-0": "Short texts", "prompt-1": "Long texts", "option-1": "Pad",
    "prompt-3": "Zeros", "option-3": "Mask",
}  # fmt: skip
GAP = CHOICE | {"option-1": "", "feedback-1": "", "option-3": "No zero ever counts", "feedback-3": "They do not."}
NUMBER = {
    "type": "numeric", "topic": "Padding", "stem": "How many?", "value": "0.5", "tolerance": "0.01", "right": "Yes.",
    "wrong": "No.", "number-0": "2", "number-feedback-0": "That is the other half.",
}  # fmt: skip


def messages_on(sent: dict[str, str], bank: dict[str, Any] = BASIC) -> dict[str, list[str]]:
    return find_messages(bank, {"id": "new"} | read_question(sent, {}), sent)


def test_every_shipped_question_that_can_be_edited_survives_the_form() -> None:
    assert {raw["type"] for raw in EDITABLE} == {"single", "multi", "numeric", "order", "match"}
    assert len(EDITABLE) == 89
    for raw in EDITABLE:
        before = copy.deepcopy(raw)
        assert read_question(to_fields(raw), raw) == before
        assert raw == before
        assert find_messages(SHIPPED, raw, to_fields(raw)) == {}


def test_a_new_choice_is_accepted_by_the_quiz() -> None:
    raw = {"id": "new"} | read_question(CHOICE, {})
    assert raw["options"] == [
        {"oid": "a", "text": "The last state counts"},
        {"oid": "b", "text": "Zeros have a gradient"},
    ]
    assert raw["key"]["correct"] == ["a"]
    assert find_messages(BASIC, raw, CHOICE) == {}
    assert not list(find_bank_faults(put_question(BASIC, raw)))


def test_a_new_number_is_accepted_by_the_quiz() -> None:
    raw = {"id": "new"} | read_question(NUMBER, {})
    assert raw["key"]["value"] == 0.5
    assert raw["key"]["anticipated"] == [{"value": 2, "feedback": "That is the other half."}]
    assert is_complete(BASIC, raw)
    assert set(find_messages(BASIC, raw, NUMBER)) == {"explanation", "sources"}


def test_a_new_order_is_that_of_the_rows() -> None:
    raw = {"id": "new"} | read_question(ORDER, {})
    assert raw["key"]["correct"] == ["a", "b", "c"]
    assert raw["key"]["feedback"] == {"right": "Yes.", "wrong": "No."}
    assert "prompts" not in raw
    assert messages_on(ORDER) == {}
    assert is_complete(BASIC, raw)
    moved = read_question(move_up(to_fields(raw), 2), raw)
    assert [option["text"] for option in moved["options"]] == ["Pad", "Pack", "Read"]
    assert moved["key"]["correct"] == ["a", "c", "b"]
    assert read_question(to_fields(moved), moved) == moved


def test_prompts_may_share_an_option_and_options_may_be_left_over() -> None:
    raw = {"id": "new"} | read_question(MATCH, {})
    assert raw["options"] == [{"oid": oid, "text": text} for oid, text in (("a", "Pad"), ("c", "Read"), ("d", "Mask"))]
    assert [prompt["text"] for prompt in raw["prompts"]] == ["Short texts", "Long texts", "Zeros"]
    assert raw["key"]["correct"] == ["a", "a", "d"]
    assert messages_on(MATCH) == {}
    shown = to_fields(raw)
    assert [shown.get(f"option-{row}") for row in range(5)] == ["Pad", "Pad", "Mask", "Read", None]
    assert read_question(shown, raw) == raw
    apart = read_question(shown | {"option-1": "Cut"}, raw)
    assert [option["text"] for option in apart["options"]] == ["Pad", "Read", "Mask", "Cut"]
    assert apart["key"]["correct"] == ["a", "b", "d"]


def test_the_largest_question_to_match_has_all_its_rows() -> None:
    options = [{"oid": f"o{number}", "text": str(number)} for number in range(10)]
    prompts = [{"text": f"Prompt {number}"} for number in range(6)]
    raw = {"id": "new"} | read_question(MATCH, {}) | {"options": options, "prompts": prompts}
    raw["key"]["correct"] = ["o3"] * 6
    assert is_complete(BASIC, raw)
    assert read_question(to_fields(raw), raw) == raw


def test_claims_stay_with_their_prompts_and_options() -> None:
    raw = BY_ID["gru-shapes-009"]
    fields = move_up(to_fields(raw), 1) | {"prompt-0": "A hundred words", "option-2": "51,072"}
    read = read_question(fields, raw)
    assert [prompt["claim"] for prompt in read["prompts"][:2]] == ["twice_the_words", "twice_the_units"]
    assert read["prompts"][0]["text"] == "A hundred words"
    assert read["key"]["correct"] == ["j3ve", "c5ra", "m8qo", "t6zi"]
    assert read["options"][2] == {"oid": "m8qo", "text": "51,072", "claim": "(51072, 50)"}
    without = read_question(fields | {"drop-proof": "on"}, raw)
    assert not any("claim" in part for part in [*without["options"], *without["prompts"]])
    assert any("claim" in part for part in raw["prompts"])


def test_rows_beyond_those_of_the_form_are_kept() -> None:
    raw = {"id": "new"} | read_question(NUMBER, {})
    raw["sources"] = [{"cite": f"Book {number}", "loc": "1", "url": "https://a.org"} for number in range(17)]
    raw["key"]["anticipated"] = [{"value": 1 + number, "feedback": f"No {number}."} for number in range(17)]
    fields = {name: text for name, text in to_fields(raw).items() if not name.endswith(("-15", "-16"))}
    assert read_question(fields, raw) == raw


def test_an_emptied_option_is_taken_out_and_a_new_one_gets_an_id_of_its_own() -> None:
    raw = BY_ID["gru-anatomy-001"]
    fields = to_fields(raw) | {"option-1": "", "feedback-1": "", "misconception-1": "", "oid-4": "", "option-4": "New"}
    read = read_question(fields, raw)
    assert [option["oid"] for option in read["options"]] == ["k4vd", "t2me", "h9xc", "a"]
    assert "w7qa" not in read["key"]["feedback"]
    assert read["options"][0]["claim"] == "update_effect == 0"


def test_a_proof_is_kept_until_it_is_left_out() -> None:
    raw = BY_ID["gru-anatomy-001"]
    kept = read_question(to_fields(raw) | {"stem": "Which is **NOT** in a GRU?"}, raw)
    assert kept["check"] == raw["check"]
    without = read_question(to_fields(raw) | {"drop-proof": "on"}, raw)
    assert "check" not in without
    assert not any("claim" in option for option in without["options"])


def test_the_formulas_of_a_question_with_parameters_cannot_be_changed() -> None:
    raw = BY_ID["gru-reset-007"]
    fields = to_fields(raw) | {"type": "single", "value": "7", "number-0": "8", "option-0": "x"}
    fields |= {"stem": "Take $[[r]]$.", "number-feedback-0": "Hm."}
    read = read_question(fields, raw)
    assert read["type"] == "numeric"
    for name in ("parameters", "example", "check"):
        assert read[name] == raw[name]
    assert read["key"]["value"] == raw["key"]["value"]
    assert [entry["claim"] for entry in read["key"]["anticipated"]] == [
        entry["claim"] for entry in raw["key"]["anticipated"]
    ]
    assert (read["stem"], read["key"]["anticipated"][0]["feedback"]) == ("Take $[[r]]$.", "Hm.")


def test_another_type_begins_with_an_empty_key() -> None:
    raw = {"id": "new"} | read_question(CHOICE, {})
    number = read_question(CHOICE | NUMBER, raw)
    assert "options" not in number
    assert "correct" not in number["key"]
    assert is_complete(BASIC, number)


@pytest.mark.parametrize("text", ["half", "nan", "inf", "1e999", "1,5"])
def test_what_is_not_a_number_is_reported_beside_its_field(text: str) -> None:
    assert messages_on(NUMBER | {"value": text})["value"] == [f"{text!r} should be a number"]


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ({"stem": ""}, "stem", "the field 'stem' is missing"),
        ({"topic": ""}, "topic", "the field 'topic' is missing"),
        ({"stem": "Which is not so?"}, "stem", "the stem contains 'not'"),
        ({"stem": "What is $h_t?"}, "stem", "a formula is not closed"),
        ({"option-1": ""}, "option-1", "this is empty; it should be one line of text"),
        ({"option-1": "All of the above"}, "option-1", "option 2 refers to other options"),
        ({"option-1": "The last state counts"}, "options", "is used more than once"),
        ({"option-0": "a " * 90}, "options", "times as long as the others"),
        ({"correct-1": "on"}, "options", "every option is correct"),
        ({"feedback-1": "It does."}, "options", "two options have the same feedback"),
        ({"feedback-1": ""}, "options", "recommended but missing: feedback for option 2"),
        ({"feedback-1": "$x"}, "option-1", "a formula is not closed"),
        ({"explanation": ""}, "explanation", "recommended but missing: an explanation"),
        ({"cite-0": "", "loc-0": "", "url-0": ""}, "sources", "recommended but missing: a source"),
        ({"url-0": "ftp://a.b"}, "sources", "url: 'ftp://a.b' should be an address that begins with https://"),
        ({"hint-0": "$x"}, "hints", "a formula is not closed"),
        (
            {"misconception-1": "three gates"},
            "option-1",
            "misconception: 'three gates' should be an id",
        ),
        ({"difficulty": "9"}, "difficulty", "9 should be from 1 to 5"),
        ({"convention": "keras"}, "stem", "so the stem must name it"),
        ({"type": "essay"}, "type", "'essay' should be one of single"),
    ],
)
def test_each_message_stands_beside_what_it_concerns(fields: dict[str, str], field: str, message: str) -> None:
    sent = {name: text for name, text in (CHOICE | fields).items() if text or name == "option-1"}
    messages = messages_on(sent)
    assert any(message in text for text in messages.get(field, [])), messages


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        (ORDER | {"option-1": "", "option-2": ""}, "options", "1 entry, but 2 or more are needed"),
        (ORDER | {"option-1": "Pad"}, "options", "option text 'Pad' is used more than once"),
        (ORDER | {"option-2": "$x"}, "option-2", "a formula is not closed"),
        (ORDER | {"right": "", "wrong": ""}, "right", "feedback for a correct answer, feedback for a wrong answer"),
        (ORDER | {"misconception": "no"}, "misconception", "'no' should be an id that begins with m-"),
        (MATCH | {"prompt-1": "", "prompt-3": ""}, "options", "prompts: 1 entry, but 2 or more are needed"),
        (MATCH | {"prompt-1": "Short texts"}, "options", "prompt 'Short texts' is used more than once"),
        (MATCH | {"prompt-3": "x" * 501}, "option-3", "501 characters, but at most 500 are allowed"),
        (MATCH | {"prompt-5": "Alone"}, "option-5", "this is empty; it should be one line of text"),
        (MATCH | {"option-2": "Pad"}, "options", "option text 'Pad' is used more than once"),
        (GAP | {"option-3": "$x of the last text"}, "option-3", "a formula is not closed"),
        (GAP | {"option-1": "All zeros have one"}, "options", "feedback for option 2"),
    ],
)
def test_messages_stand_beside_the_row_that_they_concern(fields: dict[str, str], field: str, message: str) -> None:
    messages = messages_on(fields)
    assert any(message in text for text in messages.get(field, [])), messages
    assert len([text for texts in messages.values() for text in texts]) == 1


def test_an_unknown_misconception_is_reported_beside_its_field() -> None:
    bank = {**BASIC, "misconceptions": {"m-known": "It is known."}}
    for sent, field in ((ORDER, "misconception"), (CHOICE, "options")):
        messages = messages_on(sent | {"misconception": "m-x", "misconception-1": "m-x"}, bank)
        assert "'m-x' is not among those" in messages[field][0]


def test_messages_on_a_number_stand_beside_what_they_concern() -> None:
    sent = NUMBER | {"number-0": "0.5", "right": "", "wrong": ""}
    assert "within the tolerance" in messages_on(sent)["numbers"][0]
    sent = {name: text for name, text in NUMBER.items() if name not in ("value", "right")}
    messages = messages_on(sent, SHIPPED)
    assert messages["value"] == ["the field 'value' is missing"]
    assert messages["right"] == ["the field 'right' is missing"]


# The preview


@pytest.mark.parametrize("raw", SHIPPED["items"], ids=lambda raw: raw["id"])
def test_every_shipped_question_has_a_preview(raw: dict[str, Any]) -> None:
    html = preview_html(raw, SHIPPED_BANK.parent, True)
    assert "[[" not in html
    assert "After the right answer" in html


def test_the_preview_of_an_order_shows_the_feedback_on_a_wrong_one() -> None:
    html = preview_html({"id": "new"} | read_question(ORDER, {}), Path(), True)
    assert html.index("Yes.") < html.index("After another answer") < html.index("No.")


def test_the_preview_of_an_incomplete_question_shows_what_there_is() -> None:
    html = preview_html(read_question({"stem": "Which **one**?", "option-0": "This"}, {}), Path(), False)
    assert "<strong>one</strong>" in html
    assert "<strong>A</strong> This" in html
    assert "After the right answer" not in html
    raw = read_question({"type": "match", "prompt-0": "Short texts", "option-0": "Pad"}, {})
    html = preview_html(raw, Path(), False)
    assert "<li>Short texts</li>" in html
    assert "…" in preview_html(read_question({"feedback-0": "Only this."}, {}), Path(), False)


def test_markup_in_a_question_stays_text_in_the_preview() -> None:
    texts = dict.fromkeys(CHOICE, f"{MARKUP} [x](javascript:alert(3)) $\\href{{javascript:alert(4)}}{{x}} {MARKUP}$")
    raw = {"id": "new"} | read_question(CHOICE | texts | {"type": "single", "correct-0": "on"}, {})
    raw["options"][1]["text"] += "!"
    for is_whole in (True, False):
        html = preview_html(raw, Path(), is_whole)
        assert "<script" not in html
        assert "<img" not in html
        assert 'href="javascript' not in html
    assert "onerror" in html  # as text


def test_a_formula_that_cannot_be_computed_is_shown_as_it_is() -> None:
    raw = BY_ID["gru-reset-007"] | {"stem": "Take [[no_such_name]]."}
    assert "Take [[no_such_name]]." in preview_html(raw, Path(), False)
    assert find_messages(SHIPPED, raw, to_fields(raw))


# Drafts and settings


def test_drafts_are_separate_and_end_with_their_session() -> None:
    open_sessions = {"one", "two"}
    drafts = Drafts(SHIPPED, lambda session: session in open_sessions)
    drafts.keep("one", BASIC, SHIPPED)
    assert drafts.read("one") == BASIC
    assert drafts.read("two") == SHIPPED
    assert (drafts.is_changed("one"), drafts.is_changed("two")) == (True, False)
    open_sessions.remove("one")
    drafts.keep("two", BASIC, SHIPPED)
    assert drafts.read("one") == SHIPPED
    drafts.drop("two", BASIC)
    assert not drafts.is_changed("two")


def test_a_change_of_what_is_no_longer_there_is_refused() -> None:
    drafts = Drafts(SHIPPED, lambda session: True)
    drafts.keep("one", BASIC, SHIPPED)
    with pytest.raises(ChangedError):
        drafts.keep("one", {**BASIC, "title": "Mine"}, SHIPPED)
    with pytest.raises(ChangedError):
        drafts.drop("one", SHIPPED)
    assert drafts.read("one") == BASIC


def test_the_size_and_the_number_of_drafts_are_bounded() -> None:
    drafts = Drafts(BASIC, lambda session: True)
    with pytest.raises(BankError, match="larger than 2 MB"):
        drafts.keep("a", {**BASIC, "title": "x" * MAX_BANK_BYTES}, BASIC)
    for number in range(MAX_DRAFTS + 1):
        drafts.keep(str(number), {**BASIC, "title": str(number)}, BASIC)
    assert [drafts.is_changed(str(number)) for number in (0, 1, MAX_DRAFTS)] == [False, True, True]
    with pytest.raises(BankError, match="larger than 2 MB"):
        read_bank(b" " * (MAX_BANK_BYTES + 1))


def test_a_removed_question_is_not_named_any_more() -> None:
    linked = next(raw for raw in SHIPPED["items"] if raw.get("prereq"))
    bank = remove_question(SHIPPED, linked["prereq"][0])
    assert len(bank["items"]) == len(SHIPPED["items"]) - 1
    assert not list(find_bank_faults(bank))


def test_a_new_id_is_made_of_the_topic() -> None:
    bank = put_question(BASIC, {"id": "update-gate-1"})
    assert unused_id(bank, "Update gate") == "update-gate-2"
    assert unused_id(bank, "Γάτα") == "question-1"


def test_settings_survive_the_form_and_others_are_read() -> None:
    read = read_settings(settings_to_fields(SHIPPED), SHIPPED)
    assert json.loads(write_bank(read)) == SHIPPED
    fields = {"title": " Mine ", "demands": "basic", "ladder": "One: A; B\n\nTwo: C", "misconceptions": "m-x: No: 2."}
    read = read_settings(fields, BASIC)
    assert (read["title"], read["demands"]) == ("Mine", "basic")
    assert read["ladder"] == [{"name": "One", "topics": ["A", "B"]}, {"name": "Two", "topics": ["C"]}]
    assert read["misconceptions"] == {"m-x": "No: 2."}
    assert "title" not in read_settings({}, read)


@pytest.mark.parametrize("number", [b"9" * 5_000, b"NaN", b"-Infinity"])
def test_a_number_that_cannot_be_read_is_refused(number: bytes) -> None:
    with pytest.raises(BankError, match="a number that cannot be read"):
        read_bank(b'{"items": ' + number + b"}")


def test_a_misconception_without_a_sentence_is_refused() -> None:
    bank = {**BASIC, "misconceptions": {"m-x": 3}, "items": [{"id": "new"} | read_question(CHOICE, {})]}
    assert [fault.text for fault in find_bank_faults(bank)] == ["misconceptions.m-x: 3 should be a text"]


def test_the_faults_of_a_hostile_bank_are_not_all_looked_for() -> None:
    _, faults = read_bank(b'{"schema_version": "1.0", "items": [' + b"[], " * (MOST_FAULTS + 500) + b"[]]}")
    assert len(faults) == MOST_FAULTS
