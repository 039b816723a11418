"""The form of the question editor: what it holds of a question, what it keeps, and where the messages stand."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from quiz import bank_settings
from quiz.bank import SHIPPED_BANK, find_bank_faults
from quiz.bank_drafts import (
    EMPTY,
    MAX_BANK_BYTES,
    MAX_DRAFTS,
    Drafts,
    put_question,
    read_bank,
    remove_question,
    unused_id,
    write_bank,
)
from quiz.errors import BankError
from quiz.question_form import find_messages, is_complete, is_editable, read_question, to_fields
from quiz.question_preview import preview_html
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
NUMBER = {
    "type": "numeric", "topic": "Padding", "stem": "How many?", "value": "0.5", "tolerance": "0.01", "right": "Yes.",
    "wrong": "No.", "number-0": "2", "number-feedback-0": "That is the other half.",
}  # fmt: skip


def test_every_shipped_question_that_can_be_edited_survives_the_form() -> None:
    assert len(EDITABLE) > 80
    for raw in EDITABLE:
        before = copy.deepcopy(raw)
        assert read_question(to_fields(raw), raw) == before
        assert raw == before
        assert find_messages(SHIPPED, raw) == {}


def test_a_new_choice_is_accepted_by_the_quiz() -> None:
    raw = {"id": "new"} | read_question(CHOICE, {})
    assert raw["options"] == [
        {"oid": "a", "text": "The last state counts"},
        {"oid": "b", "text": "Zeros have a gradient"},
    ]
    assert raw["key"]["correct"] == ["a"]
    assert find_messages(BASIC, raw) == {}
    assert not list(find_bank_faults(put_question(BASIC, raw)))


def test_a_new_number_is_accepted_by_the_quiz() -> None:
    raw = {"id": "new"} | read_question(NUMBER, {})
    assert raw["key"]["value"] == 0.5
    assert raw["key"]["anticipated"] == [{"value": 2, "feedback": "That is the other half."}]
    assert is_complete(BASIC, raw)
    assert set(find_messages(BASIC, raw)) == {"explanation", "sources"}


def test_rows_beyond_those_of_the_form_are_kept() -> None:
    raw = {"id": "new"} | read_question(NUMBER, {})
    raw["sources"] = [{"cite": f"Book {number}", "loc": "1", "url": "https://a.org"} for number in range(12)]
    raw["key"]["anticipated"] = [{"value": 1 + number, "feedback": f"No {number}."} for number in range(12)]
    fields = {name: text for name, text in to_fields(raw).items() if not name.endswith(("-10", "-11"))}
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
    raw = {"id": "new"} | read_question(NUMBER | {"value": text}, {})
    assert find_messages(BASIC, raw)["value"] == [f"{text!r} should be a number"]


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ({"stem": ""}, "stem", "the field 'stem' is missing"),
        ({"topic": ""}, "topic", "the field 'topic' is missing"),
        ({"stem": "Which is not so?"}, "stem", "the stem contains 'not'"),
        ({"stem": "What is $h_t?"}, "stem", "a formula is not closed"),
        ({"option-1": ""}, "option-1", "'' should be one line of text"),
        ({"option-1": "All of the above"}, "option-1", "option 'b' refers to other options"),
        ({"option-1": "The last state counts"}, "options", "is used more than once"),
        ({"option-0": "a " * 90}, "options", "times as long as the others"),
        ({"correct-1": "on"}, "options", "every option is correct"),
        ({"feedback-1": "It does."}, "options", "two options have the same feedback"),
        ({"feedback-1": ""}, "options", "recommended but missing: feedback for option 'b'"),
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
        ({"difficulty": "9"}, "difficulty", "9 should be from 1, easy, to 5"),
        ({"convention": "keras"}, "stem", "so the stem must name it"),
        ({"type": "essay"}, "type", "'essay' should be one of single"),
    ],
)
def test_each_message_stands_beside_what_it_concerns(fields: dict[str, str], field: str, message: str) -> None:
    sent = {name: text for name, text in (CHOICE | fields).items() if text or name == "option-1"}
    messages = find_messages(BASIC, {"id": "new"} | read_question(sent, {}))
    assert any(message in text for text in messages.get(field, [])), messages


def test_messages_on_a_number_stand_beside_what_they_concern() -> None:
    sent = NUMBER | {"number-0": "0.5", "right": "", "wrong": ""}
    assert "within the tolerance" in find_messages(BASIC, {"id": "new"} | read_question(sent, {}))["numbers"][0]
    sent = {name: text for name, text in NUMBER.items() if name not in ("value", "right")}
    messages = find_messages(SHIPPED, {"id": "new"} | read_question(sent, {}))
    assert messages["value"] == ["the field 'value' is missing"]
    assert messages["right"] == ["the field 'right' is missing"]


# The preview


@pytest.mark.parametrize("raw", SHIPPED["items"], ids=lambda raw: raw["id"])
def test_every_shipped_question_has_a_preview(raw: dict[str, Any]) -> None:
    html = preview_html(raw, SHIPPED_BANK.parent, True)
    assert "[[" not in html
    assert "After the right answer" in html


def test_the_preview_of_an_incomplete_question_shows_what_there_is() -> None:
    html = preview_html(read_question({"stem": "Which **one**?", "option-0": "This"}, {}), Path(), False)
    assert "<strong>one</strong>" in html
    assert "<strong>A</strong> This" in html
    assert "After the right answer" not in html
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
    assert find_messages(SHIPPED, raw)


# Drafts and settings


def test_drafts_are_separate_and_end_with_their_session() -> None:
    open_sessions = {"one", "two"}
    drafts = Drafts(SHIPPED, lambda session: session in open_sessions)
    drafts.keep("one", BASIC)
    assert drafts.read("one") == BASIC
    assert drafts.read("two") == SHIPPED
    assert (drafts.is_changed("one"), drafts.is_changed("two")) == (True, False)
    open_sessions.remove("one")
    drafts.keep("two", BASIC)
    assert drafts.read("one") == SHIPPED
    drafts.drop("two")
    assert not drafts.is_changed("two")


def test_the_size_and_the_number_of_drafts_are_bounded() -> None:
    drafts = Drafts(BASIC, lambda session: True)
    with pytest.raises(BankError, match="larger than 2 MB"):
        drafts.keep("a", {**BASIC, "title": "x" * MAX_BANK_BYTES})
    for number in range(MAX_DRAFTS + 1):
        drafts.keep(str(number), {**BASIC, "title": str(number)})
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
    read = bank_settings.read_settings(bank_settings.to_fields(SHIPPED), SHIPPED)
    assert json.loads(write_bank(read)) == SHIPPED
    fields = {"title": " Mine ", "demands": "basic", "ladder": "One: A; B\n\nTwo: C", "misconceptions": "m-x: No: 2."}
    read = bank_settings.read_settings(fields, BASIC)
    assert (read["title"], read["demands"]) == ("Mine", "basic")
    assert read["ladder"] == [{"name": "One", "topics": ["A", "B"]}, {"name": "Two", "topics": ["C"]}]
    assert read["misconceptions"] == {"m-x": "No: 2."}
    assert "title" not in bank_settings.read_settings({}, read)


def test_a_number_of_too_many_digits_is_refused() -> None:
    with pytest.raises(BankError, match="a number that is too long"):
        read_bank(b'{"items": ' + b"9" * 5_000 + b"}")


def test_the_faults_of_a_hostile_bank_are_not_all_looked_for() -> None:
    _, faults = read_bank(b'{"schema_version": "1.0", "items": [' + b"[], " * (MOST_FAULTS + 500) + b"[]]}")
    assert len(faults) == MOST_FAULTS
