"""Imports go one way, and nothing heavy is loaded before it is needed."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import quiz
import sentiment_gru
from tests.conftest import REPOSITORY

HEAVY = ["torch", "transformers", "datasets", "sklearn", "captum"]
FIRST_VISIT = """
import app
from sentiment_gru.web import sentiment_tab
from sentiment_gru.web.examples import EXAMPLES
from sentiment_gru.web.model_loader import ClassifierLoader

loader, text = ClassifierLoader(), next(iter(EXAMPLES.values()))
app.build_app(loader)
app.launch_settings()
assert "verdict-scores" in sentiment_tab.judge(text, loader)
assert "ribbon" in sentiment_tab.explain(text, loader, {})
"""
NOT_OURS = {"pretrained"}  # a checkpoint folder, with copies of its modelling code


def modules(package: str) -> dict[str, Path]:
    root = REPOSITORY / package
    paths = [path for path in root.rglob("*.py") if not NOT_OURS & set(path.relative_to(root).parts)]
    return {".".join(path.relative_to(root).with_suffix("").parts): path for path in paths}


def absolute_imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.split(".")[0])
    return found


def test_only_the_data_modules_import_datasets() -> None:
    importers = {name for name, path in modules("sentiment_gru").items() if "datasets" in absolute_imports(path)}
    assert {name.split(".")[0] for name in importers} == {"data"}


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import sentiment_gru", ["torch", "transformers", "gradio", "datasets", "sklearn"]),
        (
            "import quiz, quiz.service, quiz.proof_view, quiz.proofs, quiz.lint, quiz.backup, quiz.__main__",
            ["torch", "transformers", "gradio", "datasets", "sklearn", "sqlalchemy", "lxml"],
        ),
        (FIRST_VISIT, [*HEAVY, "sentiment_gru.web.inside.tab", "sentiment_gru.web.inside.gru_cell"]),
        (
            "from sentiment_gru import SentimentClassifier; SentimentClassifier.from_pretrained()('Good.')",
            ["gradio", "datasets", "sklearn", "captum", "matplotlib", "transformers.modeling_utils", "scipy", "sympy"],
        ),
    ],
)
def test_an_import_stays_light(statement: str, absent: list[str]) -> None:
    code = f"import sys\n{statement}\nprint([name for name in {absent} if name in sys.modules])"
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
