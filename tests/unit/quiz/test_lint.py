"""The linter and its commands: the problems reported for a bank, and the quality of the shipped one."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quiz.__main__ import main
from quiz.bank import SHIPPED_BANK, Option, load_bank
from quiz.bank.parameters import fill
from quiz.lint import MARGIN, STRATEGIES, chance_score, count_shared_words, lint_bank, rate_technicality, strategy_score

Items = list[dict[str, Any]]
Spoil = Callable[[Callable[[Items], object]], list[str]]


@pytest.fixture
def problems(tmp_path: Path) -> Spoil:
    """Return a function that spoils a copy of the shipped items and returns the linter's problems."""

    def spoil(change: Callable[[Items], object]) -> list[str]:
        data = json.loads(SHIPPED_BANK.read_text(encoding="utf-8"))
        change(data["items"])
        path = tmp_path / "bank.json"
        path.write_text(json.dumps(data, indent=1), encoding="utf-8")
        return lint_bank(path)[1]

    return spoil


def test_the_shipped_bank_has_no_problem(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", str(SHIPPED_BANK)]) == 0
    assert capsys.readouterr().out == "94 items, 0 problems\n"


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_strategy_of_guessing_scores_about_chance(strategy: str) -> None:
    items = [item for item in load_bank().items if item.options]
    assert strategy_score(items, STRATEGIES[strategy]) <= chance_score(items) + MARGIN


def test_a_bank_whose_right_options_repeat_the_others_is_reported(problems: Spoil) -> None:
    def repeat(items: Items) -> None:
        for item in items[:40]:
            for option in item.get("options", []):
                if option["oid"] in item["key"]["correct"]:
                    option["text"] = " ".join(other["text"][:30] for other in item["options"])

    assert any("choosing the option that shares most words with the others" in line for line in problems(repeat))


def test_words_shared_with_other_options_are_counted() -> None:
    texts = ("The new state", "the old state", "Nothing")
    options = [Option(text, text, False, "", None) for text in texts]
    assert [count_shared_words(option, options) for option in options] == [2, 2, 0]


def test_a_misconception_that_the_bank_does_not_put_right_is_reported(problems: Spoil) -> None:
    (problem,) = problems(lambda items: items[0]["key"]["misconception"].update(k4vd="m-unheard-of"))
    assert "the misconception 'm-unheard-of' is not among those that the bank puts right" in problem


def test_digits_symbols_and_jargon_make_a_text_technical() -> None:
    assert rate_technicality("The update gate") == 0
    assert rate_technicality("A tanh of 64 units") == 3 + 2
    assert rate_technicality("$z_t=1$") == 5


@pytest.mark.parametrize(
    ("change", "fragment"),
    [
        (lambda item: item.update(stem="Which is not so?"), "the stem contains 'not'"),
        (lambda item: item.update(negative=True), "only the first item"),
        (lambda item: item.update(convention="keras"), "the convention of Keras, so the stem must name it"),
        (lambda item: item["options"][2].update(text="All of the above"), "refers to other options"),
        (lambda item: item["options"][0].update(text="The sigmoid " * 6 + "."), "times as long as the others"),
        (lambda item: item["key"]["feedback"].update(n3pu="x", d8rk="x"), "two options have the same feedback"),
        (lambda item: item.update(explanation="It is $x"), "a formula is not closed: 'It is $x'"),
        (
            lambda item: item.update(live={"tab": "sentiment", "text": "So good.", "token": 3}),
            "token 3 is past the end",
        ),
        (lambda item: item.update(live={"tab": "sentiment"}), "the tab 'sentiment' needs a text"),
        (lambda item: item.update(live={"tab": "inside", "text": "So"}), "the tab 'inside' needs a panel"),
        (
            lambda item: item.update(live={"tab": "sentiment", "text": "So", "values": {"z": 1}}),
            "values need the panel that opens with them",
        ),
        (lambda item: item["live"].update(values={"zz": 1}), "live.values"),
        (lambda item: item.update(live={"tab": "quiz"}), "live.tab: 'quiz' should be one of sentiment, inside"),
        (lambda item: item.update(prereq=["gru-x"]), "prereq names 'gru-x', but no item has this id"),
        (lambda item: item.update(enemies=["gru-anatomy-002"]), "enemies names the item itself"),
        (lambda item: item.update(enemies=["gru-anatomy-001"]), "an enemy of the first item"),
        (lambda item: item["options"][0].pop("claim"), "option 'n3pu' lacks a claim"),
        (lambda item: item.update(difficulty=9), "difficulty: 9 should be from 1 to 5"),
        (lambda item: item["sources"][0].update(url="http://x"), "should be an address that begins with https://"),
        (lambda item: item.update(bloom="know"), "bloom: 'know' should be one of remember"),
        (lambda item: item.update(stem=7), "stem: 7 should be a text"),
        (lambda item: item.update(type="numeric"), "options: this field does not belong here"),
        (lambda item: item.update(check={"fn": "gating.shut", "reason": "Because."}), "does not belong here"),
        (lambda item: item.update(type="multi", key=item["key"] | {"correct": []}), "key.correct: 0 entries"),
        (
            lambda item: item["key"].update(correct=["n3pu", "zzzz"]),
            "key.correct names 'zzzz', but no option has this id",
        ),
    ],
)
def test_a_problem_is_reported_with_its_item_and_line(
    problems: Spoil, change: Callable[[dict[str, Any]], object], fragment: str
) -> None:
    def change_second(items: Items) -> None:
        del items[4:]  # which would only take time
        change(items[1])

    (problem, *_) = [problem for problem in problems(change_second) if fragment in problem]
    assert "item gru-anatomy-002: " in problem
    assert problem.startswith("line ")


def test_the_reported_line_contains_the_mistake(problems: Spoil, tmp_path: Path) -> None:
    (problem,) = problems(lambda items: items[1]["key"]["feedback"].pop("y5jb"))
    line = (tmp_path / "bank.json").read_text(encoding="utf-8").splitlines()[int(problem.split()[1].strip(",")) - 1]
    assert '"oid": "y5jb"' in line


@pytest.mark.parametrize(
    ("change", "fragment"),
    [
        (lambda key: key.update(tolerance=0.1), "the anticipated wrong number -0.2 is within the tolerance"),
        (lambda key: key["anticipated"].append(key["anticipated"][0]), "the wrong number 0.5 is anticipated more"),
        (lambda key: key.pop("value"), "key: the field 'value' is missing"),
        (lambda key: key.update(value="a tenth"), "key.value: 'a tenth' should be a number"),
    ],
)
def test_a_numeric_key_is_checked(problems: Spoil, change: Callable[[dict[str, Any]], object], fragment: str) -> None:
    def change_key(items: Items) -> None:
        index = next(index for index, item in enumerate(items) if item["id"] == "gru-update-003")
        items[index] = fill(items[index], items[index]["example"])
        change(items[index]["key"])

    (problem,) = problems(change_key)
    assert "item gru-update-003" in problem
    assert fragment in problem


def test_a_key_always_at_the_same_position_is_reported(problems: Spoil) -> None:
    def key_first(items: Items) -> None:
        for item in items:
            item.get("options", []).sort(key=lambda option: option["oid"] not in item["key"]["correct"])

    assert any("choosing option 1 every time scores" in problem for problem in problems(key_first))


def test_a_key_that_is_always_the_longest_option_is_reported(problems: Spoil) -> None:
    def shorten_distractors(items: Items) -> None:
        for item in items:
            for number, option in enumerate(item.get("options", [])):
                if option["oid"] not in item["key"]["correct"]:
                    option["text"] = f"No {number}"

    assert any("choosing the longest option every time" in problem for problem in problems(shorten_distractors))


def test_rules_about_the_whole_bank_do_not_apply_to_a_small_one(problems: Spoil) -> None:
    def keep_two(items: Items) -> None:
        del items[:3], items[2:]
        for item in items:
            for field in ("check", "live", "prereq", "enemies", "blueprint"):
                item.pop(field, None)

    assert problems(keep_two) == []


@pytest.mark.parametrize(("text", "fragment"), [("{", "is not JSON (line 1"), ("[]", "a bank is an object such as")])
def test_a_file_that_is_not_a_bank_is_one_problem(tmp_path: Path, text: str, fragment: str) -> None:
    path = tmp_path / "bank.json"
    path.write_text(text, encoding="utf-8")
    items, (problem,) = lint_bank(path)
    assert items == 0
    assert fragment in problem


def test_the_command_line_proves_a_bank_and_fails_on_a_wrong_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = json.loads(SHIPPED_BANK.read_text(encoding="utf-8"))
    data["items"] = [item for item in data["items"] if item["id"] in {"gru-update-003", "gru-use-007"}]
    for item in data["items"]:
        item.pop("prereq", None)
    path = tmp_path / "bank.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    assert main(["check", str(path)]) == 0
    printed = capsys.readouterr().out
    assert "Update gate           1 of  1 proved" in printed
    assert "gru-use-007: not proved: It asks what may be" in printed
    assert "1 of 2 keys proved in" in printed
    data["items"][0]["key"]["value"] = 0.1
    path.write_text(json.dumps(data), encoding="utf-8")
    assert main(["check", str(path)]) == 1
    assert "gru-update-003: FAILED" in capsys.readouterr().out


def test_proving_a_broken_bank_reports_its_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path / "nowhere.json")]) == 1
    assert "cannot be read" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [[], ["proofread"], ["lint", "--all"], ["export", "x.xml"], ["export", "--format", "qti", "x.xml"]]
)
def test_wrong_usage_ends_with_exit_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "Usage: " in "".join(capsys.readouterr())
