"""Imports go one way, and nothing heavy is loaded before it is needed."""

import ast
import subprocess
import sys

import pytest

import quiz
import sentiment_gru
from tests.conftest import REPOSITORY

# Of each package: a lower line may never import from a higher one, that is, one that stands further down here.
LADDERS = {
    "sentiment_gru": [
        {"errors", "configuration", "labels", "failure", "examples"},
        {"options"},
        {"command_line"},
        {"modeling", "tokenization", "checkpoint"},
        {"classifier", "initial"},
        {"sources", "columns", "verdict_html", "loading"},
        {"splits", "sentiment_tab"},
        {"data", "card", "callbacks", "provenance"},
        {"evaluation", "run_folder", "outputs", "plots"},
        {"trainer", "report", "hub"},
        {"training"},
        {"seeds", "plan"},
        {"__init__", "__main__"},
    ],
    "quiz": [{"bank"}, {"session"}, {"wording"}, {"quiz_tab"}, {"__init__"}],
}


def own_imports(package: str, module: str) -> set[str]:
    tree = ast.parse((REPOSITORY / package / f"{module}.py").read_text())
    return {
        node.module.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module
    }


def absolute_imports(path: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse((REPOSITORY / path).read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("package", LADDERS)
def test_no_module_imports_a_higher_one(package: str) -> None:
    ladder = LADDERS[package]
    for level, modules in enumerate(ladder):
        higher = set().union(*ladder[level + 1 :])
        for module in modules:
            assert not own_imports(package, module) & higher, module


@pytest.mark.parametrize("package", LADDERS)
def test_every_module_has_its_place(package: str) -> None:
    placed = set().union(*LADDERS[package])
    assert {path.stem for path in (REPOSITORY / package).glob("*.py")} == placed


def test_only_tabs_import_gradio() -> None:
    for path in (REPOSITORY / "sentiment_gru").glob("*.py"):
        if not path.name.endswith("_tab.py"):
            assert "gradio" not in absolute_imports(f"sentiment_gru/{path.name}"), path.name


def test_only_the_data_modules_import_datasets() -> None:
    importers = {
        path.stem
        for path in (REPOSITORY / "sentiment_gru").glob("*.py")
        if "datasets" in absolute_imports(f"sentiment_gru/{path.name}")
    }
    assert importers == {"sources", "columns", "data"}


def test_the_quiz_knows_nothing_of_the_classifier() -> None:
    for path in (REPOSITORY / "quiz").glob("*.py"):
        assert not absolute_imports(f"quiz/{path.name}") & {"sentiment_gru", "torch"}, path.name


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import sentiment_gru", ["torch", "transformers", "gradio", "datasets", "sklearn"]),
        ("import quiz, quiz.bank, quiz.session", ["torch", "transformers", "gradio", "datasets", "sklearn"]),
        ("from sentiment_gru import SentimentClassifier", ["gradio", "datasets", "sklearn", "captum", "matplotlib"]),
    ],
)
def test_an_import_stays_light(statement: str, absent: list[str]) -> None:
    code = f"import sys; {statement}; print([name for name in {absent} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize("package", [sentiment_gru, quiz])
def test_every_public_name_can_be_imported(package: object) -> None:
    assert package.__all__ == sorted(package.__all__)
    for name in package.__all__:
        assert getattr(package, name).__doc__
    assert set(package.__all__) <= set(dir(package))
    with pytest.raises(AttributeError):
        _ = package.no_such_name
