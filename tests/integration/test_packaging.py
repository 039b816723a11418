"""The requirements files, the extras of the package and the errors about missing extras agree."""

import subprocess
import sys
import tomllib

import pytest

import sentiment_gru
from sentiment_gru.errors import MissingExtraError, check_extra
from tests.conftest import REPOSITORY

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]


def read_requirements(name: str) -> list[str]:
    lines = (REPOSITORY / name).read_text().splitlines()
    return sorted(line for line in lines if line and not line.startswith(("#", "-r")))


def pins(*extras: str) -> set[str]:
    """Return the pins of extras, and of the extras that they name."""
    found: set[str] = set()
    for requirement in (requirement for extra in extras for requirement in EXTRAS[extra]):
        own = requirement.removeprefix(f"{PROJECT['name']}[")
        found |= pins(*own.removesuffix("]").split(",")) if own != requirement else {requirement}
    return found


def test_requirements_are_the_base_and_the_extras_of_the_app_and_of_training() -> None:
    assert read_requirements("requirements.txt") == sorted({*PROJECT["dependencies"], *pins("app", "train")})
    assert read_requirements("requirements-dev.txt") == sorted(EXTRAS["dev"])


def test_the_context_of_the_docker_build_holds_just_what_the_image_copies() -> None:
    steps = [line.split() for line in (REPOSITORY / "Dockerfile").read_text().splitlines()]
    copied = {step[1] for step in steps if step[:1] == ["COPY"]}
    ignored = (REPOSITORY / ".dockerignore").read_text().splitlines()
    assert {line.removeprefix("!") for line in ignored if line.startswith("!")} == copied
    assert all((REPOSITORY / name).exists() for name in copied)


def test_the_extra_for_mcp_pins_the_gradio_of_the_app() -> None:
    assert [pin.replace("[mcp]", "") for pin in EXTRAS["mcp"]] == [p for p in EXTRAS["app"] if p.startswith("gradio")]


@pytest.mark.parametrize(
    ("statement", "package", "extra"),
    [
        ("import sentiment_gru; sentiment_gru.SentimentClassifier.from_pretrained().explain('A')", "torch", "explain"),
        ("import sentiment_gru.training", "accelerate", "train"),
        ("import sentiment_gru.data.sources", "datasets", "train"),
        ("from sentiment_gru.__main__ import serve; serve()", "gradio", "app"),
        ("from sentiment_gru.__main__ import quiz; quiz()", "jsonschema", "quiz"),
        (
            "from sentiment_gru.__main__ import main; sys.exit(main(['--file', 'a.csv', '--output', 'b.csv']))",
            "pyarrow",
            "files",
        ),
    ],
)
def test_a_missing_extra_is_named(statement: str, package: str, extra: str) -> None:
    hide = f"import sys; sys.modules[{package!r}] = None; "
    result = subprocess.run(
        [sys.executable, "-c", hide + statement], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert f"needs the extra '{extra}': pip install 'gru-sentiment-studio[{extra}]'" in result.stderr.splitlines()[-1]


def test_a_verdict_needs_the_packages_of_the_base_only() -> None:
    others = "torch", "transformers", "captum", "scipy", "sklearn", "pandas", "pyarrow", "gradio", "lxml"
    hide = f"import sys; sys.modules |= dict.fromkeys({others}); "
    code = "from sentiment_gru.__main__ import main; sys.exit(main(['Not bad at all.', 'I loved it.']))"
    result = subprocess.run(
        [sys.executable, "-c", hide + code], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[1].startswith("positive")


def test_the_training_command_names_its_extra_in_one_line() -> None:
    hide = "import runpy, sys; sys.modules['datasets'] = None; sys.argv = ['train.py']; "
    code = hide + "runpy.run_path('train.py', run_name='__main__')"
    result = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "error: " in result.stderr
    assert "[train]" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_version_stands_in_one_place() -> None:
    assert "version" in PROJECT["dynamic"]
    assert sentiment_gru.__version__.count(".") == 2


def test_an_installed_extra_is_accepted() -> None:
    check_extra("This test", "dev", "pytest")
    with pytest.raises(MissingExtraError, match="dev"):
        check_extra("This test", "dev", "pytest", "no_such_package")
