"""The wheel, installed into an empty environment away from the repository, holds all that its commands need."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a virtual environment that holds the wheel, and reads the dependencies of this one."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, REPOSITORY], check=True, cwd=folder
    )
    (wheel,) = folder.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    (site_packages,) = (folder / "venv").glob("lib/python*/site-packages")
    (dependencies,) = {path for path in map(Path, sys.path) if path.name == "site-packages"}
    (site_packages / "dependencies.pth").write_text(str(dependencies))
    pip = folder / "venv" / "bin" / "pip"
    subprocess.run([pip, "install", "-q", "--no-deps", "--force-reinstall", wheel], check=True, cwd=folder)
    return folder


def run(environment: Path, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    elsewhere = environment / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    program = str(environment / "venv" / "bin" / command)
    return subprocess.run([program, *arguments], cwd=elsewhere, env=clean, capture_output=True, text=True, check=False)


def test_the_wheel_holds_two_packages_and_nothing_else(environment: Path) -> None:
    (wheel,) = environment.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"quiz", "sentiment_gru"}


def test_the_installed_classifier_judges_a_text(environment: Path) -> None:
    result = run(environment, "gru-sentiment", "A wonderful, moving story.")
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("positive")


def test_the_installed_quiz_checks_the_shipped_bank(environment: Path) -> None:
    result = run(environment, "gru-quiz", "lint")
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_installed_app_builds_its_page(environment: Path) -> None:
    program = (
        "from sentiment_gru.web import page; import sentiment_gru; page.build_app(); print(sentiment_gru.__file__)"
    )
    result = run(environment, "python", "-c", program)
    assert result.returncode == 0, result.stderr
    assert str(environment) in result.stdout
