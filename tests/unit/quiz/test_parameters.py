"""Items with parameters: instances are drawn from a seed, proved, stored, shown again and exported."""

import dataclasses
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quiz.__main__ import main
from quiz.bank import SHIPPED_BANK, Bank, Item, draw_instance, find_bank_faults, load_bank, make_bank, make_instance
from quiz.bank.parameters import draw_parameters, fill, find_equal_answers, find_ugly_numbers, list_values
from quiz.errors import BankError
from quiz.grading import grade
from quiz.lint import lint_bank
from quiz.selection import ALL
from quiz.service import QuizService
from quiz.session import Counted, retry, start_session, update_record
from quiz.store import Store
from tests.unit.quiz.test_proofs import change_key, proof_of
from tests.unit.quiz.test_session import BANK, BY_ID, open_item, right, run_through, wrong

TEMPLATES = [item for item in BANK.items if item.template]
MIX = BY_ID["gru-update-003"]
each_template = pytest.mark.parametrize("item", TEMPLATES, ids=lambda item: item.id)


def example_template(**changes: Any) -> dict[str, Any]:
    template = {
        "id": "a",
        "type": "numeric",
        "topic": "T",
        "parameters": {"z": [0.25, 0.5], "k": {"from": 1, "to": 3, "step": 1}},
        "example": {"z": 0.25, "k": 2},
        "conditions": ["k > 1"],
        "stem": "Take $[[z]]$ to the power [[k]]: $[[z ** k:.2f]]$ is [[answer]]?",
        "key": {"value": "z ** k", "anticipated": [{"claim": "z * k", "feedback": "[[z * k]]"}]},
        "check": {"fn": "a.b", "params": {"z": "[[z]]", "all": ["[[k]]", "[[k + 1]]", 5], "name": "plain"}},
    }
    return template | changes


def test_the_formulas_of_a_template_are_computed() -> None:
    raw = fill(example_template(), {"z": 0.25, "k": 2})
    assert raw["stem"] == "Take $0.25$ to the power 2: $0.06$ is 0.0625?"
    assert raw["key"] == {"value": 0.0625, "anticipated": [{"claim": "z * k", "feedback": "0.5", "value": 0.5}]}
    assert raw["check"]["params"] == {"z": 0.25, "all": [2, 3, 5], "name": "plain"}
    assert not {"parameters", "example", "conditions"} & raw.keys()
    assert raw["drawn"] == {"z": 0.25, "k": 2}


def test_values_are_listed_or_given_as_a_range() -> None:
    assert list_values(["a", 2]) == ["a", 2]
    assert list_values({"from": -0.2, "to": 0.2, "step": 0.1}) == [-0.2, -0.1, 0, 0.1, 0.2]
    assert list_values({"from": 10, "to": 40, "step": 15}) == [10, 25, 40]


def test_a_seed_draws_the_same_numbers_again_and_others_keep_to_the_conditions() -> None:
    draws = [draw_parameters(example_template(), str(seed)) for seed in range(60)]
    assert draws == [draw_parameters(example_template(), str(seed)) for seed in range(60)]
    assert {(drawn["z"], drawn["k"]) for drawn in draws} == {(0.25, 2), (0.25, 3), (0.5, 3), (0.5, 2)}


def test_draws_in_which_two_answers_are_equal_are_left_out() -> None:
    template = example_template(parameters={"z": [1, 2], "k": [1, 2]}, conditions=[])
    draws = [draw_parameters(template, str(seed)) for seed in range(60)]
    assert {(drawn["z"], drawn["k"]) for drawn in draws} == {(1, 2)}  # as 2 ** 2 is 2 * 2, and z ** 1 is z * 1
    options = [{"text": "1"}, {"text": "2"}, {"text": "1"}]
    assert list(find_equal_answers({"type": "single", "options": options})) == [("1", "1")]


def test_impossible_conditions_leave_the_example() -> None:
    template = example_template(conditions=["z > 1"])
    assert draw_parameters(template, "any") == template["example"]


def test_rounding_error_is_not_shown() -> None:
    raw = fill(example_template(stem="[[0.1 + 0.2 - 0.3]] [[3 * z]] [[k / 2]]"), {"z": 0.1, "k": 2})
    assert raw["stem"] == "0 0.3 1"


def test_numbers_that_no_teacher_would_write_are_found() -> None:
    text = "0.25, 31872, 0.0625 and 1,024, but 0.30001, 1e-05 and 12.345"
    assert find_ugly_numbers(text) == ["0.30001", "1e-05", "12.345"]


@pytest.fixture
def refusal(tmp_path: Path) -> Callable[[dict[str, Any]], str]:
    """Return a function that returns the error for a bank with one changed template."""

    def load(changes: dict[str, Any]) -> str:
        path = tmp_path / "bank.json"
        items = [example_template(check={"reason": "None."}) | changes]
        path.write_text(json.dumps({"schema_version": "1.0", "demands": "basic", "items": items}))
        with pytest.raises(BankError) as caught:
            load_bank(path)
        return str(caught.value)

    return load


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        (
            {"stem": "Take [[w]]."},
            "item a: 'w' cannot be evaluated: 'w' is unknown; the known quantities are z, k, answer",
        ),
        ({"stem": "Take [[z +]]."}, "'z +' cannot be evaluated"),
        ({"key": {"value": "z / 0"}}, "'z / 0' cannot be evaluated"),
        ({"stem": "Take [[9 ** 9 ** 9]]."}, "the power is too large"),
        ({"stem": "Take [[round(k, -999999999)]]."}, "at most 20 decimals can be kept"),
        ({"stem": "Take [['z' * 999999999]]."}, "a text or a tuple cannot be multiplied"),
        ({"stem": "Take [[z:999999999f]]."}, "the format '999999999f' has too many digits"),
        ({"stem": "Take [[z:zz]]."}, "0.25 cannot be shown with the format 'zz'"),
        ({"stem": f"Take [[{'-' * 3000}z]]."}, "cannot be evaluated: "),
        ({"example": {"z": 0.25}}, "'k' is unknown"),
        ({"example": {"z": 0.25, "k": 2, "w": 1}}, "the parameter 'w' needs values and an example"),
        ({"example": "z"}, "example: 'z' should be an object"),
        ({"parameters": {"z": [0.25], "k": [2, 3]}}, "parameters.z: this list should be a list of two or more values"),
        ({"parameters": {"z": {"from": 0, "to": 1, "step": 0}, "k": [1, 2]}}, "parameters.z: "),
        ({"parameters": 7}, "parameters: 7 should be an object"),
        ({"key": 7}, "key: 7 should be an object"),
        ({"example": {"z": 0.25, "k": 2, "w": None}}, "item a: example.w: null should be a number or a text"),
    ],
)
def test_a_faulty_template_is_refused(
    refusal: Callable[[dict[str, Any]], str], changes: dict[str, Any], fault: str
) -> None:
    assert fault in refusal(changes)


# The shipped bank


def test_thirty_items_or_more_have_parameters_and_most_live_items_are_proved() -> None:
    live = [item for item in BANK.items if item.status == "live"]
    assert len([item for item in TEMPLATES if item.status == "live"]) >= 30
    assert sum(bool(item.check and item.check.fn) for item in live) >= 0.85 * len(live)


@each_template
def test_the_example_is_one_of_the_draws_and_its_texts_are_complete(item: Item) -> None:
    values = {name: list_values(spec) for name, spec in item.template["parameters"].items()}
    assert all(item.drawn[name] in values[name] for name in values)
    assert make_instance(item.template, item.drawn) == item
    for seed in range(20):
        instance = draw_instance(item, str(seed))
        assert "[[" not in json.dumps(fill(instance.template, instance.drawn))
        assert not re.search(r"(?<![\d.])-0(?![\d.])", instance.stem + instance.explanation)


@each_template
def test_drawn_instances_are_proved_and_their_wrong_keys_are_not(item: Item) -> None:
    for seed in ("a", "b"):
        instance = draw_instance(item, seed)
        assert proof_of(instance).proved, proof_of(instance).trace
        assert not proof_of(change_key(instance)).proved


@each_template
def test_a_filled_item_of_another_bank_is_proved(item: Item) -> None:
    raw = fill(item.template, draw_parameters(item.template, "a")) | {"prereq": [], "enemies": []}
    data = {"schema_version": "1.0", "demands": "basic", "items": [raw]}
    assert list(find_bank_faults(data)) == []
    (filled,) = make_bank(data).items
    assert proof_of(filled).proved, proof_of(filled).trace


# A learner's run


def test_each_run_has_other_numbers_and_a_retry_too() -> None:
    first = start_session(BANK, ALL, 1)
    assert start_session(BANK, ALL, 1).items == first.items
    second = {item.id: item.drawn for item in start_session(BANK, ALL, 2).items}
    changed = [item.id for item in first.items if item.drawn and item.drawn != second[item.id]]
    assert len(changed) > 0.7 * len(TEMPLATES)
    again = retry(run_through(first, mistakes=set(range(len(first.items)))), BANK, 3)
    assert sum(item.drawn != other.drawn for item, other in zip(first.items, again.items, strict=True)) > 20


def test_what_is_stored_restores_the_question_that_was_shown(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'quiz.sqlite3'}")
    quiz = QuizService(Bank((MIX,)), store, b"a secret")
    visit = quiz.open({})
    asked = open_item(visit.session)
    memory = quiz.memory(visit)
    assert open_item(quiz.open(memory).session) == asked
    quiz.answer(visit, MIX.id, right(asked))
    (attempt,) = store.attempts()
    assert attempt.correct
    assert make_instance(MIX.template, attempt.parameters) == asked
    resumed = QuizService(Bank((MIX,)), store, b"a secret").open(memory).session.current_grade
    assert resumed
    assert (resumed.item, resumed.correct) == (asked, True)


def test_an_answer_with_other_numbers_counts_after_five_other_items() -> None:
    record = update_record({}, grade(MIX, wrong(MIX)), 100)
    again = grade(draw_instance(MIX, "again"), right(draw_instance(MIX, "again")))
    others = [item for item in BANK.items if item.id != MIX.id][:5]
    for number, other in enumerate(others):
        assert update_record(record, again, 200)[MIX.id].credit == 0
        record = update_record(record, grade(other, right(other)), 110 + number)
    assert update_record(record, again, 200)[MIX.id] == Counted(1.0, 200)
    fixed = update_record(record, grade(others[0], wrong(others[0])), 300)
    assert fixed == record


def test_the_same_numbers_do_not_count_again_at_once() -> None:
    fixed = dataclasses.replace(MIX, template={})
    record = {item.id: Counted(1.0, 200) for item in BANK.items[:9]} | {fixed.id: Counted(0.0, 100)}
    assert update_record(record, grade(fixed, right(fixed)), 300) == record


def test_a_recognized_option_among_other_numbers_does_not_count_at_once() -> None:
    choice = BY_ID["gru-shapes-001"]
    record = {item.id: Counted(1.0, 200) for item in BANK.items[:9]} | {choice.id: Counted(0.0, 100)}
    again = draw_instance(choice, "again")
    assert update_record(record, grade(again, right(again)), 300) == record


# Commands


def test_the_check_of_draws_finds_wrong_keys_and_ugly_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = json.loads(SHIPPED_BANK.read_text(encoding="utf-8"))
    path = tmp_path / "bank.json"

    def check(change: Callable[[dict[str, Any]], object]) -> tuple[int, str]:
        item = json.loads(json.dumps(MIX.template)) | {"prereq": []}
        change(item)
        path.write_text(json.dumps(data | {"items": [item]}), encoding="utf-8")
        code = main(["check", str(path), "--draws", "15"])
        return code, capsys.readouterr().out

    code, printed = check(lambda item: None)
    assert code == 0
    assert "1 items with parameters: 0 wrong keys, 0 equal answers, 0 ugly numbers" in printed
    code, printed = check(lambda item: item["key"].update(value="(1 - z) * n + z * 0.8"))
    assert code == 1
    assert re.search(r"[1-9]\d* wrong keys, 0 equal answers, 0 ugly numbers", printed)
    code, printed = check(lambda item: item["parameters"].update(z=[0.25, 0.33333]))
    assert re.search(r"0 wrong keys, 0 equal answers, [1-9]\d* ugly numbers", printed)
    assert code == 1


@pytest.mark.parametrize("file_format", ["moodle", "gift"])
def test_an_export_writes_the_chosen_number_of_instances(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], file_format: str
) -> None:
    file, bank = tmp_path / "questions", tmp_path / "mine.json"
    assert main(["export", "--format", file_format, "--draws", "3", str(file)]) == 0
    assert main(["import", "--format", file_format, str(file), "-o", str(bank)]) == 0
    capsys.readouterr()
    read = {item.id: item for item in load_bank(bank).items}
    values = {read[name].numeric.value for name in (MIX.id, f"{MIX.id}-2", f"{MIX.id}-3")}  # type: ignore[union-attr]
    assert len(values) == 3
    assert read[MIX.id].stem == MIX.stem
    assert not [line for line in lint_bank(bank)[1] if "is used by more than one item" in line]
    assert all(
        len([name for name in read if name.startswith(item.id)]) == 3
        for item in TEMPLATES
        if not (item.arrangement or item.sliders)
    )


def test_an_instance_is_not_filled_again() -> None:
    fixed = dataclasses.replace(MIX, template={})
    assert draw_instance(fixed, "any") is fixed
