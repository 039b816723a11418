"""A teacher's own bank: the guide's example passes the linter, is proved and shown; faults are reported."""

import json
import re
import shlex
from pathlib import Path
from typing import Any, NoReturn

import pytest

import app
from quiz.__main__ import main
from quiz.bank import DEFAULT_FEEDBACK, Bank, load_bank
from quiz.errors import BankError
from quiz.lint import lint_bank
from quiz.proofs import prove
from quiz.selection import START, list_scopes
from quiz.store import StoreError
from quiz.views import LETTERS, introduction
from sentiment_gru.web import server
from sentiment_gru.web.model_loader import ClassifierLoader
from sentiment_gru.web.settings import Settings
from tests.conftest import REPOSITORY

GUIDE = (REPOSITORY / "docs" / "own_questions.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```json\n(.*?)```", GUIDE, flags=re.DOTALL)
EXAMPLE = EXAMPLES[0]
SMALLEST = {
    "schema_version": "1.0",
    "demands": "basic",
    "items": [
        {
            "id": "one",
            "type": "single",
            "topic": "T",
            "stem": "Which?",
            "options": [{"oid": "a", "text": "This"}, {"oid": "b", "text": "That"}],
            "key": {"correct": ["b"]},
        },
        {"id": "two", "type": "numeric", "topic": "T", "stem": "How many?", "key": {"value": 2}},
    ],
}


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.json"
    path.write_text(EXAMPLE, encoding="utf-8")
    return path


def write_json(path: Path, data: Any) -> Path:
    path.write_text(json.dumps(data, indent=1), encoding="utf-8")
    return path


def test_the_example_of_the_guide_has_no_problem_and_its_check_proves_the_key(mine: Path) -> None:
    assert lint_bank(mine) == (2, [])
    first, second = load_bank(mine).items
    assert first.check is None
    assert prove(second).proved


def test_the_question_to_order_of_the_guide_is_proved(mine: Path) -> None:
    bank = json.loads(EXAMPLE)
    bank["items"][1] = json.loads(EXAMPLES[1])
    assert prove(load_bank(write_json(mine, bank)).items[1]).proved


def test_the_question_with_a_slider_of_the_guide_is_proved_and_its_ladder_offers_a_start(mine: Path) -> None:
    data = json.loads(EXAMPLE) | json.loads(EXAMPLES[3])
    data["items"][1] = json.loads(EXAMPLES[2])
    bank = load_bank(write_json(mine, data))
    assert prove(bank.items[1]).proved
    assert START in list_scopes(bank)


def test_the_question_with_parameters_of_the_guide_is_proved_in_every_draw(
    mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bank = json.loads(EXAMPLE)
    bank["items"][1] = json.loads(EXAMPLES[4])
    assert main(["check", str(write_json(mine, bank)), "--draws", "30"]) == 0
    assert "0 wrong keys, 0 equal answers, 0 ugly numbers" in capsys.readouterr().out


def test_every_command_of_the_guide_runs(
    mine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    commands = re.findall(r"^python -m quiz ([^#\n]+)", GUIDE, flags=re.MULTILINE)
    assert len(commands) >= 6
    monkeypatch.chdir(mine.parent)
    assert main(["export", "--format", "moodle", "--bank", "mine.json", "course.xml"]) == 0
    for file_format, file in (("gift", "questions.txt"), ("qti1.2", "canvas.zip"), ("csv", "table.csv")):
        assert main(["export", "--format", file_format, "--bank", "mine.json", file]) == 0
    mine.rename("kept.json")
    for command in commands:
        if command.startswith(("lint", "check")):
            Path("mine.json").write_text(EXAMPLE, encoding="utf-8")
        elif "moodle course.xml" in command:
            Path("mine.json").unlink()
        elif command.startswith("export"):
            Path(command.split()[-1]).unlink(missing_ok=True)
        assert main(shlex.split(command)) == 0, capsys.readouterr().out
    assert "2 of 2 questions written" in capsys.readouterr().out


def test_the_page_shows_the_teachers_questions_and_no_key(mine: Path) -> None:
    page = json.dumps(app.build_app(bank=load_bank(mine)).get_config_file(), default=str)
    assert "All 2 questions" in page
    assert "<h2>Week 5: padding and gates</h2>" in page
    for secret in ("its state drifts", "tells the layer where each text ends", "What does the state do while"):
        assert secret not in page


def test_the_app_starts_with_the_teachers_bank(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def end_with_titles(loader: ClassifierLoader, bank: Bank, *others: object) -> NoReturn:
        raise StoreError(f"{[item.stem for item in bank.items]}")

    monkeypatch.setattr(server, "limit_malloc_arenas", lambda: True)  # it would last for all other tests
    monkeypatch.setattr(server, "build_app", end_with_titles)
    monkeypatch.setenv("QUIZ_BANK", str(mine))
    monkeypatch.setenv("DATABASE_URL", "sqlite://")
    with pytest.raises(SystemExit, match=re.escape(f"{[item.stem for item in load_bank(mine).items]}")):
        server.serve(Settings.read())


def test_a_bank_with_basic_requirements_gets_defaults(tmp_path: Path) -> None:
    one, two = load_bank(write_json(tmp_path / "bank.json", SMALLEST)).items
    assert [option.feedback for option in one.options] == ["This is not right.", "This is right."]
    assert (two.numeric.tolerance, two.numeric.right, two.numeric.wrong) == (
        0,
        DEFAULT_FEEDBACK[True],
        DEFAULT_FEEDBACK[False],
    )
    assert (one.version, one.status, one.convention, one.sources, one.hints) == (1, "live", "none", (), ())


def test_title_and_description_of_a_bank_are_shown_as_they_were_typed(tmp_path: Path) -> None:
    heading = {"title": "<script>*Costs* $5 & $6</script>", "description": "<b>On prices.</b>"}
    shown = str(introduction(load_bank(write_json(tmp_path / "bank.json", SMALLEST | heading))))
    assert "<h2>&lt;script&gt;*Costs* &#36;5 &amp; &#36;6&lt;/script&gt;</h2>" in shown
    assert "<p>&lt;b&gt;On prices.&lt;/b&gt; Your first answer counts" in shown
    plain = load_bank(write_json(tmp_path / "bank.json", SMALLEST))
    assert introduction(plain).startswith("<h2>Quiz</h2>\n<p>Your first")
    assert "How well do you know the GRU?" in introduction(load_bank())
    for wrong in ("", " a", "a\nb", "x" * 201, 7):
        with pytest.raises(BankError, match="title"):
            load_bank(write_json(tmp_path / "bank.json", SMALLEST | {"title": wrong}))


def test_the_same_bank_without_the_demands_field_must_meet_all_requirements(tmp_path: Path) -> None:
    full = {name: value for name, value in SMALLEST.items() if name != "demands"}
    problems = lint_bank(write_json(tmp_path / "bank.json", full))[1]
    for fragment in ("the field 'sources' is missing", "key: the field 'feedback' is missing", "3 or more are needed"):
        assert any(fragment in problem for problem in problems)
    for demands in ("full", "none"):
        with pytest.raises(BankError):
            load_bank(write_json(tmp_path / "bank.json", SMALLEST | {"demands": demands}))


def test_missing_texts_are_reported_with_line_and_item(tmp_path: Path) -> None:
    items, problems = lint_bank(write_json(tmp_path / "bank.json", SMALLEST))
    assert items == 2
    assert problems == [
        "line 20, item one: recommended but missing: feedback for option 'a', feedback for option 'b'",
        "line 6, item one: recommended but missing: an explanation",
        "line 6, item one: recommended but missing: a source",
        "line 31, item two: recommended but missing: feedback for a correct number, feedback for a wrong number",
        "line 27, item two: recommended but missing: an explanation",
        "line 27, item two: recommended but missing: a source",
    ]


@pytest.mark.parametrize(
    ("change", "fragment"),
    [
        ({"key": {"correct": ["a", "b"]}}, "exactly one correct option, not 2"),
        ({"key": {"correct": ["a"], "feedback": {"c": "Hm."}}}, "key.feedback names 'c', but no option has this id"),
        ({"key": {"correct": ["a"], "misconception": {"a": "m-x"}}}, "option 'a' is correct, so it cannot have"),
        ({"options": [{"oid": "a", "text": "This"}]}, "options: 1 entry, but 2 or more are needed"),
        ({"options": [{"oid": f"o{n}", "text": f"{n}"} for n in range(11)]}, "options: 11 entries, but at most 10"),
        ({"type": "essay"}, "type: 'essay' should be one of single, multi, numeric, slider, order, match"),
        ({"answer": "b"}, "the field 'answer' does not exist"),
        ({"version": 0}, "version: 0 should be 1 or more"),
        ({"topic": ""}, "topic: this is empty; it should be one line of text"),
        ({"stem": "x" * 4001}, "stem: 4,001 characters, but at most 4,000 are allowed"),
        ({"options": [{"oid": "a", "text": "x"}, None]}, "options, entry 2: null should be an object in { }"),
        ({"media": [{"src": "a.png", "alt": "A"}]}, "media, entry 1, alt: 1 character, but 10 or more are needed"),
        ({"negative": "yes"}, "negative: 'yes' should be true"),
        ({"check": {}}, "check: this object is empty"),
        ({"check": {"cell": "rnn"}}, "check: the field 'fn' is missing, which 'cell' needs"),
        ({"conditions": ["a > 1"]}, "the field 'parameters' is missing, which 'conditions' needs"),
        ({"live": {"tab": "inside", "values": {"z": 1, "foo": 2}}}, "live.values: the field 'foo' does not exist"),
        ({"key": {"correct": ["a", "a"]}}, "key.correct: this list has an entry more than once"),
    ],
)
def test_every_bank_must_meet_the_basic_requirements(tmp_path: Path, change: dict[str, Any], fragment: str) -> None:
    items = [SMALLEST["items"][0] | change]  # type: ignore[operator]
    problems = lint_bank(write_json(tmp_path / "bank.json", SMALLEST | {"items": items}))[1]
    assert any(fragment in problem and "item one" in problem for problem in problems), problems


def test_there_is_a_letter_for_every_option() -> None:
    schema = json.loads((REPOSITORY / "quiz" / "answer_bank.schema.json").read_text(encoding="utf-8"))
    assert len(LETTERS) >= schema["$defs"]["item"]["properties"]["options"]["maxItems"]
