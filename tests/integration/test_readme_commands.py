"""The Python commands of the README run as they are written, in a folder that has the files they name.

Left to other tests: `make` targets, `pip install` and `gru-sentiment` (`test_installed.py`), Ray (`test_ray.py`), and
`quiz check` of the whole bank (`test_installed.py`). Names of the Hub become a local folder, and trainings dry runs.
"""

import io
import os
import shlex
import sys
from pathlib import Path

import pytest

import train
from quiz.__main__ import main as quiz
from quiz.store import Store
from sentiment_gru.__main__ import main as classify
from sentiment_gru.evaluation import main as evaluate
from tests.conftest import REPOSITORY, made_up_texts, write_dataset
from tests.integration.test_docs import commands
from tests.tables import write_csv

REPLACED = {"stanfordnlp/imdb": "imdb", "ray": "local"}
GIFT = "::gate:: Which gate lets a GRU forget its state? {=the reset gate ~the output gate ~none}\n"
COMMANDS = [
    shlex.join(command) for command in commands() if command[0] == "python" and command[1:4] != ["-m", "quiz", "check"]
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder, in which are a checkout's documents and the user's files."""
    rows = [{"text": row["text"], "label": row["label"]} for row in made_up_texts() if row["label"] != "neutral"]
    write_dataset(tmp_path / "imdb", train=rows[::2], test=rows[1::2])
    write_dataset(tmp_path / "reviews", part=rows[:5])
    stars = [[row["text"], row["text"], 1 + index % 5] for index, row in enumerate(rows)]
    write_csv(tmp_path / "reviews.csv", [["review", "body", "stars"], *stars])
    (tmp_path / "lines.txt").write_text("Fine.\nDull.\n")
    (tmp_path / "questions.txt").write_text(GIFT)
    for name in ("benchmarks", "quiz"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'quiz.sqlite3'}")
    store = Store()
    list(store.attempts())  # creates the database, as the first visitor does
    store.close()
    return tmp_path


def run(words: list[str], monkeypatch: pytest.MonkeyPatch) -> int:
    """Run a command in this process, with its redirections, and return its status."""
    lines = b""
    if "<" in words:
        lines = Path(words[words.index("<") + 1]).read_bytes()
    arguments = [
        REPLACED.get(word, word) for word in words[1 : next((i for i, w in enumerate(words) if w in "<>"), None)]
    ]
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(lines)))
    match arguments:
        case ["-m", "sentiment_gru", *rest]:
            return classify(rest)
        case ["-m", "sentiment_gru.evaluation", *rest]:
            return evaluate(rest)
        case ["-m", "quiz", *rest]:
            return quiz(rest)
        case ["train.py", *rest]:
            monkeypatch.setattr(sys, "argv", ["train.py", *rest, *(["--dry-run"] if "--dry-run" not in rest else [])])
            return train.main()
    raise AssertionError(f"no test runs {shlex.join(words)}")


def test_the_readme_has_commands_of_every_program() -> None:
    programs = {" ".join(shlex.split(command)[1:3]) for command in COMMANDS}
    assert {"-m sentiment_gru", "-m sentiment_gru.evaluation", "-m quiz", "train.py --dataset"} <= programs


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_readme_runs(
    command: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = set(os.listdir(folder))
    status = run(shlex.split(command), monkeypatch)
    printed = capsys.readouterr()
    assert status == 0, printed.err
    assert printed.out or set(os.listdir(folder)) > before
