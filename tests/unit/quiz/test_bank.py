"""The answer bank: refused files, the public view, and the quality of the shipped questions."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import quiz
from quiz.bank import Item, PublicItem, PublicOption, load_bank, public_view
from quiz.errors import BankError

SHIPPED = Path(quiz.__file__).parent / "answer_bank.json"
SCHEMA = SHIPPED.with_name("answer_bank.schema.json")
ITEMS = load_bank().items
each_item = pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.id)
Refusal = Callable[[Callable[[list[dict[str, Any]]], None]], BankError]


@pytest.fixture
def refusal(tmp_path: Path) -> Refusal:
    """Return a function that spoils a copy of the shipped items and returns the error of loading them."""

    def spoil(change: Callable[[list[dict[str, Any]]], None]) -> BankError:
        data = json.loads(SHIPPED.read_text(encoding="utf-8"))
        change(data["items"])
        path = tmp_path / "bank.json"
        path.write_text(json.dumps(data), encoding="utf-8")
        with pytest.raises(BankError) as caught:
            load_bank(path)
        assert "\n" not in str(caught.value)
        return caught.value

    return spoil


@pytest.mark.parametrize(
    ("item_id", "change", "reason"),
    [
        ("gru-parameters-012", lambda raw: raw["key"]["correct"].pop(), "must name every option once"),
        ("gru-parameters-012", lambda raw: raw["key"]["correct"].append("zz"), "names 'zz', but no option has this id"),
        ("gru-parameters-012", lambda raw: raw.update(prompts=[{"text": "a"}, {"text": "b"}]), "does not belong here"),
        ("gru-parameters-012", lambda raw: raw["options"][0].pop("claim"), "lacks a claim"),
        ("gru-shapes-009", lambda raw: raw["key"]["correct"].pop(), "4 prompts, but 3 correct options"),
        ("gru-shapes-009", lambda raw: raw["prompts"][1].update(text=raw["prompts"][0]["text"]), "more than once"),
        ("gru-shapes-009", lambda raw: raw["prompts"][1].pop("claim"), "a prompt lacks a claim"),
        ("gru-shapes-009", lambda raw: raw.pop("prompts"), "'prompts' is missing"),
        ("gru-shapes-009", lambda raw: raw["key"].update(misconception="m-none"), "'m-none' is not among"),
    ],
)
def test_a_broken_order_or_match_is_refused(
    refusal: Refusal,
    item_id: str,
    change: Callable[[dict[str, Any]], object],
    reason: str,
) -> None:
    error = refusal(lambda items: change(next(raw for raw in items if raw["id"] == item_id)) and None)
    assert error.item_id == item_id
    assert reason in error.fault


def refused_file(path: Path) -> str:
    with pytest.raises(BankError) as caught:
        load_bank(path)
    assert caught.value.item_id is None
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_bank_from_a_path_is_the_bank_in_that_file(tmp_path: Path) -> None:
    data = json.loads(SHIPPED.read_text(encoding="utf-8"))
    data["items"] = data["items"][3:5]
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    assert load_bank(path).items == ITEMS[3:5]
    assert load_bank(str(path)).items == ITEMS[3:5]


def test_a_byte_order_mark_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "bank.json"
    path.write_text(SHIPPED.read_text(encoding="utf-8"), encoding="utf-8-sig")
    assert load_bank(path).items == ITEMS


def test_a_missing_bank_is_refused(tmp_path: Path) -> None:
    assert "nowhere.json cannot be read (No such file or directory)" in refused_file(tmp_path / "nowhere.json")


def test_a_folder_is_refused_as_a_bank(tmp_path: Path) -> None:
    assert "cannot be read (Is a directory)" in refused_file(tmp_path)


def test_a_bank_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bank.json"
    path.write_bytes('{"schema_version": "é"}'.encode("latin-1"))
    assert "bank.json is not UTF-8 text" in refused_file(path)


@pytest.mark.parametrize("text", ["", "{", "id,stem\n1,Why?\n"])
def test_a_bank_that_is_not_json_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bank.json"
    path.write_text(text, encoding="utf-8")
    assert "bank.json is not JSON (line 1" in refused_file(path)


def test_a_bank_nested_too_deeply_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bank.json"
    path.write_text("[" * 100_000, encoding="utf-8")
    assert "nested too deeply" in refused_file(path)


@pytest.mark.parametrize("text", ["[]", "null", "7", '{"schema_version": "1.0", "items": []}'])
def test_json_that_is_not_a_bank_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bank.json"
    path.write_text(text, encoding="utf-8")
    refused_file(path)


def test_a_bank_of_an_unknown_format_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bank.json"
    path.write_text(SHIPPED.read_text(encoding="utf-8").replace('"1.0"', '"2.0"'), encoding="utf-8")
    assert "schema_version" in refused_file(path)


def test_a_bank_with_duplicate_ids_is_refused_by_name(refusal: Refusal) -> None:
    error = refusal(lambda items: items[4].update(id="gru-anatomy-002"))
    assert (error.item_id, error.fault) == ("gru-anatomy-002", "the id is used by more than one item")


def test_an_item_with_duplicate_option_ids_is_refused(refusal: Refusal) -> None:
    error = refusal(lambda items: items[0]["options"][1].update(oid="k4vd"))
    assert str(error) == "item gru-anatomy-001: option id 'k4vd' is used more than once"


def test_an_item_with_the_same_option_twice_is_refused(refusal: Refusal) -> None:
    error = refusal(lambda items: items[0]["options"][1].update(text="The update gate"))
    assert str(error) == "item gru-anatomy-001: option text 'The update gate' is used more than once"


def test_an_option_without_feedback_is_refused(refusal: Refusal) -> None:
    error = refusal(lambda items: items[0]["key"]["feedback"].pop("h9xc"))
    assert str(error) == "item gru-anatomy-001: option 'h9xc' lacks feedback"


def test_feedback_for_an_unknown_option_is_refused(refusal: Refusal) -> None:
    error = refusal(lambda items: items[0]["key"]["feedback"].update(zzzz="Hm."))
    assert str(error) == "item gru-anatomy-001: key.feedback names 'zzzz', but no option has this id"


def test_a_key_that_names_no_option_is_refused(refusal: Refusal) -> None:
    error = refusal(lambda items: items[0]["key"].update(correct=["zzzz"]))
    assert str(error) == "item gru-anatomy-001: key.correct names 'zzzz', but no option has this id"


def test_a_single_choice_with_two_keys_is_refused(refusal: Refusal) -> None:
    error = refusal(lambda items: items[0]["key"]["correct"].append("k4vd"))
    assert str(error) == "item gru-anatomy-001: a single-choice item has exactly one correct option, not 2"


def test_a_distractor_without_a_misconception_is_refused(refusal: Refusal) -> None:
    error = refusal(lambda items: items[0]["key"]["misconception"].pop("k4vd"))
    assert str(error) == "item gru-anatomy-001: option 'k4vd' lacks a misconception"


def test_a_misconception_on_the_right_option_is_refused(refusal: Refusal) -> None:
    error = refusal(lambda items: items[0]["key"]["misconception"].update(t2me="m-none"))
    assert str(error) == "item gru-anatomy-001: option 't2me' is correct, so it cannot have a misconception"


REQUIRED = [json.loads(SCHEMA.read_text(encoding="utf-8"))["$defs"][name]["required"] for name in ("item", "full_item")]


@pytest.mark.parametrize("field", [*REQUIRED[0], *REQUIRED[1]])
def test_an_item_without_a_field_is_refused(refusal: Refusal, field: str) -> None:
    error = refusal(lambda items: items[2].pop(field))
    assert error.item_id == ("number 3" if field == "id" else "gru-anatomy-003")
    assert repr(field) in error.fault


def test_a_field_the_schema_does_not_know_is_refused(refusal: Refusal) -> None:
    assert "'answer'" in refusal(lambda items: items[1].update(answer="A")).fault


def test_a_blank_stem_is_refused_with_its_field(refusal: Refusal) -> None:
    assert str(refusal(lambda items: items[1].update(stem="  "))).startswith("item gru-anatomy-002: stem: ")


@pytest.mark.parametrize("count", [2, 6])
def test_an_item_with_too_few_or_too_many_options_is_refused(refusal: Refusal, count: int) -> None:
    options = [{"oid": f"abc{n}", "text": f"Option {n}"} for n in range(count)]
    assert refusal(lambda items: items[1].update(options=options)).fault.startswith("options: ")


def test_an_item_that_is_not_an_object_is_refused_by_its_number(refusal: Refusal) -> None:
    assert refusal(lambda items: items.insert(1, None)).item_id == "number 2"  # type: ignore[arg-type]


def test_the_fault_of_a_long_text_is_short(refusal: Refusal) -> None:
    assert len(str(refusal(lambda items: items[0].update(stem="why " * 1000)))) < 300


@each_item
def test_the_public_view_contains_nothing_of_the_key(item: Item) -> None:
    public = public_view(item)
    assert public.stem == item.stem
    assert [option.text for option in public.options] == [option.text for option in item.options]
    secrets = [item.explanation, *item.hints, *(source.cite for source in item.sources)]
    secrets += [option.feedback for option in item.options]
    secrets += [option.misconception for option in item.options if option.misconception]
    if item.numeric:
        secrets += [item.numeric.right, item.numeric.wrong, *(wrong.feedback for wrong in item.numeric.anticipated)]
    if item.arrangement:
        secrets += [item.arrangement.right, item.arrangement.wrong]
    assert not [secret for secret in secrets if secret in repr(public)]
    assert "correct" not in repr(public)


def test_the_public_view_has_only_the_allowed_fields() -> None:
    assert {field.name for field in dataclasses.fields(PublicItem)} == {
        "id", "type", "topic", "stem", "code", "media", "options", "prompts", "unit", "sliders",
        "tolerance",
    }  # fmt: skip
    assert {field.name for field in dataclasses.fields(PublicOption)} == {"oid", "text"}


def test_the_bank_opens_with_the_chapters_question() -> None:
    assert ITEMS[0].stem == "Which of the following is **NOT** a component of a GRU?"
    assert ITEMS[0].correct_option.text == "The output gate"
    assert [item.id for item in ITEMS if item.negative] == [ITEMS[0].id]


@each_item
def test_every_feedback_has_a_minimum_length(item: Item) -> None:
    if item.arrangement:
        assert len(item.arrangement.wrong) >= 60
    else:
        assert not [option.oid for option in item.options if len(option.feedback) < 60]
