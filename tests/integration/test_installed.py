"""The wheel, installed into an empty environment away from the repository, holds all that its commands need."""

import os
import socket
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import httpx
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


def test_the_installed_command_serves_the_app(environment: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {"HOST": "127.0.0.1", "PORT": str(port), "DATABASE_URL": f"sqlite:///{environment}/quiz.sqlite3"}
    program = environment / "venv" / "bin" / "gru-studio"
    process = subprocess.Popen([program], cwd=environment, env={**os.environ, **settings})
    try:
        page = None
        while page is None:  # pytest ends a test that hangs
            assert process.poll() is None
            try:
                page = httpx.get(f"http://127.0.0.1:{port}", timeout=60)
            except httpx.ConnectError:
                time.sleep(0.2)
        assert "GRU Sentiment Studio" in page.text
    finally:
        process.terminate()
        process.wait(120)


def test_the_base_alone_judges_a_text_without_torch(environment: Path) -> None:
    (wheel,) = environment.glob("*.whl")
    base = environment / "base"
    subprocess.run([sys.executable, "-m", "venv", base], check=True)
    subprocess.run([base / "bin" / "pip", "install", "-q", wheel], check=True, cwd=environment)
    program = [base / "bin" / "gru-sentiment", "A wonderful, moving story."]
    result = subprocess.run(program, cwd=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("positive")
    assert not list(base.glob("lib/python*/site-packages/torch"))
