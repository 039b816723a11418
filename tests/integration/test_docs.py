"""The documents: their commands run, and their figures come from result files."""

import json
import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

import app
from benchmarks import readme
from quiz.__main__ import main as quiz
from sentiment_gru.__main__ import main as classify
from sentiment_gru.evaluation import main as evaluate
from sentiment_gru.training.card import write_card
from sentiment_gru.training.options import TrainingOptions
from tests.conftest import REPOSITORY

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


def front_matter() -> dict:
    return yaml.safe_load(README.split("---")[1])


def commands() -> list[list[str]]:
    blocks = re.findall(r"```bash\n(.*?)```", README, flags=re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [shlex.split(line, comments=True) for line in lines if line]


def test_the_front_matter_is_what_spaces_expects() -> None:
    matter = front_matter()
    assert matter["sdk"] == "gradio"
    assert f"gradio=={matter['sdk_version']}" in (REPOSITORY / "requirements.txt").read_text()
    assert (REPOSITORY / matter["app_file"]).is_file()
    assert len(matter["short_description"]) <= 60  # the limit of Spaces
    assert matter["python_version"] == "3.12"
    assert {"title", "emoji", "license", "tags", "datasets", "colorFrom", "colorTo"} <= matter.keys()


def test_every_make_target_of_the_readme_exists() -> None:
    makefile = (REPOSITORY / "Makefile").read_text()
    words = [word for command in commands() for word in command]
    targets = {words[i + 1] for i, word in enumerate(words) if word == "make"}
    assert {"app", "test", "check"} <= targets
    for target in targets:
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


QUIZ_COMMANDS = ("lint", "check", "stats", "attempts", "feedback", "export", "import")


def test_every_option_of_the_readme_exists(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def options_of(program: Callable[[list[str]], int], *command: str) -> set[str]:
        assert program([*command, "--help"]) == 0
        return set(re.findall(r"--[a-z-]+", capsys.readouterr().out))

    monkeypatch.setattr(sys, "argv", ["app.py", "--help"])
    with pytest.raises(SystemExit):
        app.main()
    known = {
        "train.py": {f"--{name.replace('_', '-')}" for name in TrainingOptions.__dataclass_fields__},
        "app.py": set(re.findall(r"--[a-z-]+", capsys.readouterr().out)),
        "sentiment_gru": options_of(classify) | options_of(classify, "score"),
        "sentiment_gru.evaluation": options_of(evaluate),
        "quiz": {option for name in QUIZ_COMMANDS for option in options_of(quiz, name)},
    }
    checked = 0
    for command in commands():
        if command[0] == "python":
            program = command[2] if command[1] == "-m" else command[1]
            options = {word for word in command if word.startswith("--")}
            assert options <= known[program], command
            checked += len(options)
    assert checked >= 6


def test_every_file_the_readme_links_to_exists() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)", README)
    assert links
    for link in links:
        assert (REPOSITORY / link).is_file(), link


def test_the_readme_tables_come_from_the_result_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["readme.py", "--check"])
    assert readme.main() == 0
    metrics = json.loads((REPOSITORY / "sentiment_gru/pretrained/metrics.json").read_text())
    for dataset in metrics["datasets"].values():
        assert f"| {dataset['reported']['accuracy']:.1%} (" in README


def test_every_test_that_security_names_exists() -> None:
    named = (REPOSITORY / "SECURITY.md").read_text()
    tests = "".join(path.read_text() for path in (REPOSITORY / "tests").rglob("test_*.py"))
    functions = re.findall(r"`(test_\w+)`", named)
    assert len(functions) > 10
    for function in functions:
        assert f"def {function}(" in tests, function
    for file in re.findall(r"`((?:browser/)?test_\w+\.py)`", named):
        assert (REPOSITORY / "tests" / file).is_file(), file


def test_the_shipped_card_comes_from_its_metrics(tmp_path: Path) -> None:
    shipped = REPOSITORY / "sentiment_gru" / "pretrained"
    write_card(tmp_path, json.loads((shipped / "metrics.json").read_text()))
    card = (shipped / "README.md").read_text()
    card = re.sub(
        r"(<!-- behaviour -->\n).*?(<!-- /behaviour -->)", r"\1\2", card, flags=re.DOTALL
    )  # benchmarks/readme.py
    assert card == (tmp_path / "README.md").read_text()
