"""Imports go one way, and nothing heavy is loaded before it is needed."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import quiz
import sentiment_gru
from tests.conftest import REPOSITORY

# Of each package: a lower line may never import from a higher one, that is, one that stands further down here.
LADDERS = {
    "sentiment_gru": [
        {
            "errors",
            "configuration",
            "labels",
            "failure",
            "examples",
            "palette",
            "links",
            "events",
            "data.__init__",
            "data.names",
            "batch.__init__",
            "training.__init__",
            "distillation.__init__",
            "inside.__init__",
            "inside.chapter",
            "inside.conventions",
            "inside.measured",
            "inside.sizes",
        },
        {"network", "tokenization", "prediction"},
        {"modeling", "onnx_graph"},
        {"checkpoint"},
        {"runtime", "export"},
        {"explanation.result"},
        {"explanation.reading"},
        {"explanation.__init__", "explanation.gates", "explanation.attribution"},
        {"explanation.running"},
        {"explanation.what_if", "explanation.explain"},
        {"classifier"},
        {"verdict_html", "loading", "expectations"},
        {"charts_html", "ribbon_html"},
        {"explanation_html", "heat_map_html", "what_if_html"},
        {"sentiment_tab"},
        {"inside.cell", "inside.figures"},
        {"inside.cell_drawing", "inside.presets", "inside.unit"},
        {"inside.equations", "inside.statements", "inside.trace_html", "inside.unit_reading"},
        {"inside.cards", "inside.unit_html"},
        {"inside.cell_tab"},
        {"inside.question_tab", "inside.unit_tab"},
        {"inside_tab"},
        {"data.sources", "data.columns"},
        {"data.splits"},
        {"data.corpora", "data.soft_labels"},
        {"evaluation"},
        {"batch.table", "batch.decoding", "batch.grading"},
        {"batch.text_files", "batch.writing", "batch.scoring"},
        {"batch.workbooks", "batch.report"},
        {"batch.reading", "batch.run"},
        {"batch.command_line", "batch_charts"},
        {"batch_html"},
        {"batch_tab"},
        {"api_tab"},
        {"training.options"},
        {"training.command_line", "training.prepare", "training.initial"},
        {"training.callbacks", "training.provenance", "training.card", "training.outputs", "training.plots"},
        {"training.run_folder"},
        {"training.trainer", "training.report", "training.hub"},
        {"training.run"},
        {"training.seeds", "training.plan"},
        {
            "distillation.averaging",
            "distillation.language_model",
            "distillation.nbsvm",
            "distillation.blending",
            "distillation.sentences",
        },
        {"distillation.plain_texts"},
        {"distillation.recipe"},
        {"distillation.__main__"},
        {"__init__", "__main__"},
    ],
    "quiz": [
        {"faults", "errors", "records", "checks.claims", "checks.measurement"},
        {"database", "workers", "turns", "inline_html", "results_html"},
        {"interchange.__init__", "interchange.question", "interchange.text"},
        {"interchange.html_text", "interchange.gift_answers"},
        {"interchange.moodle", "interchange.gift"},
        {"bank", "lines"},
        {"interchange.outgoing", "interchange.incoming"},
        {"interchange.commands"},
        {"rows", "statistics"},
        {"store", "teacher_report", "teacher_guard"},
        {"teacher_html"},
        {"backup"},
        {"teacher_commands", "teacher_page"},
        {"lint", "checks.__init__", "checks.cells", "checks.keras_cell", "checks.onnx_cell"},
        {
            "checks.anatomy",
            "checks.reset",
            "checks.update",
            "checks.placement",
            "checks.dynamics",
            "checks.parameters",
            "checks.shapes",
            "checks.lstm",
            "checks.gradients",
            "checks.use",
        },
        {"number", "proof_html"},
        {"grading"},
        {"drawing", "mastery", "ledger", "proofs"},
        {"session"},
        {"token"},
        {"runs", "wording"},
        {"results_wording"},
        {"parts_tab"},
        {"quiz_tab"},
        {"__init__", "__main__"},
    ],
    "benchmarks/speed": [
        {"texts", "summary"},
        {"rivals", "starting"},
        {"__init__"},
    ],
    "studio": [
        {"answers", "buckets", "compression", "memory", "visitors"},
        {"assets", "headers", "doors", "failures", "rates", "capacity", "economy", "launching"},
        {"bodies"},
        {"protection", "guard", "look"},
        {"feedback", "lazy"},
        {"__init__"},
    ],
    "benchmarks/cells": [
        {"results", "runs", "unrolled", "onnx_layer"},
        {"training", "recall", "summary"},
        {"speed", "gradients"},
        {"__init__", "__main__"},
    ],
}
NOT_OURS = {"pretrained"}  # a checkpoint folder, with copies of its modelling code


def modules(package: str) -> dict[str, Path]:
    root = REPOSITORY / package
    paths = [path for path in root.rglob("*.py") if not NOT_OURS & set(path.relative_to(root).parts)]
    return {".".join(path.relative_to(root).with_suffix("").parts): path for path in paths}


def own_imports(package: str, module: str) -> set[str]:
    """Return the modules of the package that one of them imports, as dotted names under the package."""
    place = module.split(".")[:-1]
    found = set()
    for node in ast.walk(ast.parse(modules(package)[module].read_text())):
        if isinstance(node, ast.ImportFrom) and node.level and node.module:
            found.add(".".join([*place[: len(place) - node.level + 1], node.module]))
    return found


def absolute_imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
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
    assert set(modules(package)) == placed


def test_only_tabs_import_gradio() -> None:
    for module, path in modules("sentiment_gru").items():
        if not module.endswith("_tab"):
            assert "gradio" not in absolute_imports(path), module


def test_only_the_data_modules_import_datasets() -> None:
    importers = {name for name, path in modules("sentiment_gru").items() if "datasets" in absolute_imports(path)}
    assert importers == {"data.sources", "data.columns", "data.corpora"}


def test_the_quiz_knows_nothing_of_the_classifier() -> None:
    """Only the command line loads the shipped model, and only a check that runs loads torch."""
    for module, path in modules("quiz").items():
        allowed = {"sentiment_gru"} if module == "__main__" else {"torch"} if module.startswith("checks.") else set()
        assert not absolute_imports(path) & {"sentiment_gru", "torch"} - allowed, module


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import sentiment_gru", ["torch", "transformers", "gradio", "datasets", "sklearn"]),
        (
            "import quiz, quiz.runs, quiz.proofs, quiz.lint, quiz.proof_html, quiz.backup, quiz.__main__",
            ["torch", "transformers", "gradio", "datasets", "sklearn", "sqlalchemy", "lxml"],
        ),
        ("import app", ["torch", "transformers", "sentiment_gru.inside_tab", "sentiment_gru.inside.cell"]),
        (
            "from sentiment_gru import SentimentClassifier; SentimentClassifier.from_pretrained()('Good.')",
            ["gradio", "datasets", "sklearn", "captum", "matplotlib", "transformers.modeling_utils", "scipy", "sympy"],
        ),
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
