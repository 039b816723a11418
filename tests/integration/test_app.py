"""The app as a whole: it builds, refuses to start with one line, and opens nothing it does not need."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from fastapi.testclient import TestClient
from gradio.routes import App

import app
from benchmarks.gradio_http import Page
from sentiment_gru import CheckpointError
from sentiment_gru.web import server
from sentiment_gru.web.gradio_compat import GuardedBlocks
from sentiment_gru.web.model_loader import ClassifierLoader
from sentiment_gru.web.page import STORAGE_NOTICE
from tests.conftest import REPOSITORY
from tests.unit.quiz.test_own_bank import EXAMPLE


@pytest.fixture(scope="module")
def built(tiny_checkpoint: Path) -> gr.Blocks:
    return app.build_app(ClassifierLoader(tiny_checkpoint))


def start(**environment: str) -> subprocess.CompletedProcess[str]:
    """Run app.py with these environment variables until it ends."""
    return subprocess.run(
        [sys.executable, "app.py"],
        cwd=REPOSITORY,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def assert_refused(result: subprocess.CompletedProcess[str], *reasons: str) -> None:
    """Check for exit code 1 and one line that holds the reasons."""
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1, result.stderr
    for reason in ("cannot start", *reasons):
        assert reason in result.stderr


def test_the_page_has_four_tabs_and_the_quiz_is_the_second(built: gr.Blocks) -> None:
    tabs = [block.label for block in built.blocks.values() if isinstance(block, gr.Tab)]
    assert tabs == ["Sentiment", "Quiz", "Inside the GRU", "Files"]


def test_the_public_api_is_what_is_documented_and_no_event_of_the_page(built: gr.Blocks) -> None:
    endpoints = built.get_api_info()["named_endpoints"]
    assert set(endpoints) == {"/classify", "/explain", "/score_file"}
    assert not built.get_api_info(all_endpoints=True)["unnamed_endpoints"]
    names = {name: [one["parameter_name"] for one in info["parameters"]] for name, info in endpoints.items()}
    assert names["/classify"] == ["text", "texts"]
    assert names["/explain"] == ["text", "methods"]
    assert names["/score_file"] == ["file", "text_column", "label_column", "output_format", "csv_text", "rows"]
    optional = {one["parameter_name"] for one in endpoints["/score_file"]["parameters"] if one["parameter_has_default"]}
    assert optional == set(names["/score_file"])
    assert all("Example: " in info["description"] for info in endpoints.values())
    assert {event.api_visibility for event in built.fns.values()} == {"private", "public"}
    assert sum(event.api_visibility == "public" for event in built.fns.values()) == 3
    assert built.api_open is False
    assert app.launch_settings()["footer_links"] == ["api"]


def test_nothing_is_sent_while_a_text_is_typed(built: gr.Blocks) -> None:
    """A verdict and its reasons at every key would take the server from everybody else."""
    (text,) = [block._id for block in built.blocks.values() if getattr(block, "elem_id", None) == "sentiment-text"]
    names = {name for event in built.fns.values() for target, name in event.targets if target == text}
    assert names == {"submit"}


def test_the_first_page_loads_the_scripts_of_few_types_of_components(built: gr.Blocks) -> None:
    components = built.get_config_file()["components"]
    assert {component["type"] for component in components if component["props"].get("visible") is not False} == {
        *("accordion", "browserstate", "button", "column", "dataset", "form", "html"),
        *("row", "state", "tabitem", "tabs", "textbox"),
    }


def test_the_key_of_the_quiz_is_not_in_the_page(built: gr.Blocks) -> None:
    bank = json.loads((REPOSITORY / "quiz" / "answer_bank.json").read_text(encoding="utf-8"))
    page = json.dumps(built.get_config_file(), ensure_ascii=False, default=str)
    for item in bank["items"]:
        for feedback in item["key"]["feedback"].values():
            assert feedback not in page


def test_sessions_that_were_left_are_forgotten(tiny_checkpoint: Path) -> None:
    """benchmarks/load.py opens the real number of sessions, 1,000."""
    blocks = app.build_app(ClassifierLoader(tiny_checkpoint))
    blocks.state_session_capacity = 5
    server = App.create_app(blocks)
    client = TestClient(server)
    for number in range(20):
        Page(client, f"visitor {number}").fire("page", "load")
    assert list(server.state_holder.session_data) == [f"visitor {number}" for number in range(15, 20)]
    assert app.launch_settings()["state_session_capacity"] <= 1000


def test_launch_opens_nothing_that_is_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOST", "PORT"):
        monkeypatch.delenv(name, raising=False)
    settings = app.launch_settings()
    assert settings["show_error"] is settings["run_history"] is settings["enable_monitoring"] is False
    assert settings["server_name"] is settings["server_port"] is None
    assert "allowed_paths" not in settings
    assert settings["favicon_path"].is_file()


def test_host_and_port_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOST", "0.0.0.0")
    monkeypatch.setenv("PORT", "8123")
    settings = app.launch_settings()
    assert (settings["server_name"], settings["server_port"]) == ("0.0.0.0", 8123)


class Guarded:
    """A page of one event, whose handler fails as told, over HTTP."""

    def __init__(self, handler: Callable[[str], Any]) -> None:
        """Build the page."""
        with GuardedBlocks(analytics_enabled=False) as blocks:
            box = gr.Textbox()
            box.submit(handler, box, box, queue=False)
            gr.Radio(["a"], elem_id="radio").change(handler, gr.Radio(["a"]), box, queue=False)
        self._client = TestClient(App.create_app(blocks.queue(api_open=False)), raise_server_exceptions=False)

    def send(self, value: Any, event: int = 0) -> tuple[int, str]:
        """Fire an event; return status and text."""
        body = {"fn_index": event, "session_hash": "visitor", "data": [value]}
        answer = self._client.post("/gradio_api/run/predict", json=body)
        return answer.status_code, answer.text


def test_a_handler_that_fails_answers_with_a_report_and_no_secret(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(text: str) -> None:
        raise KeyError(f"{text} in {sys.executable}")

    status, told = Guarded(broken).send("my private words")
    assert status == 500
    assert "Kind: KeyError" in told
    (error_id,) = re.findall("Error id: ([0-9a-f-]{36})", told)
    logged = caplog.text + "".join(capfd.readouterr())
    assert error_id in logged
    assert "tests/integration/test_app.py" in logged
    for secret in (sys.executable, "my private words"):
        assert secret not in told + logged


def test_a_handler_of_many_steps_that_fails_answers_with_a_report_too() -> None:
    def broken(_: str) -> Iterator[str]:
        yield from ()
        raise KeyError("secret in /srv/app")

    status, told = Guarded(broken).send("words")
    assert (status, "Kind: KeyError" in told, "secret" in told) == (500, True, False)


def test_a_value_that_no_component_can_have_is_refused_and_not_logged(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    status, _ = Guarded(str).send("my private words", event=1)
    assert status == 500
    assert "my private words" not in caplog.text + "".join(capfd.readouterr())


def test_a_message_that_is_meant_for_the_visitor_is_left_alone() -> None:
    def refusing(_: str) -> None:
        raise gr.Error("the file is empty")

    status, told = Guarded(refusing).send("")
    assert (status, "the file is empty" in told) == (500, True)


def test_the_page_is_guarded_and_says_what_is_kept(built: gr.Blocks) -> None:
    assert isinstance(built, GuardedBlocks)
    page = json.dumps(built.get_config_file(), default=str)
    assert STORAGE_NOTICE in page
    assert built.delete_cache == (3600, 3600)  # deleted when older than an hour, looked at every hour
    assert "deleted within two hours" in STORAGE_NOTICE


def test_a_broken_checkpoint_is_refused_when_the_app_is_built(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"config\.json: file is missing"):
        ClassifierLoader(tmp_path)


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `app.main` run in this process as if it was started without arguments."""
    monkeypatch.setattr(server, "limit_malloc_arenas", lambda: True)  # it would last for all other tests
    monkeypatch.setattr(sys, "argv", ["app.py"])


@pytest.mark.usefixtures("in_this_process")
def test_a_broken_checkpoint_is_refused_in_one_line(
    tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(tiny_checkpoint, tmp_path / "cut")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-10])
    monkeypatch.setenv("MODEL", str(folder))
    with pytest.raises(SystemExit) as ended:
        app.main()
    (line,) = str(ended.value).splitlines()
    assert re.search(r"cannot start: .*model\.safetensors.*not a whole safetensors file", line)


@pytest.mark.usefixtures("in_this_process")
def test_a_broken_bank_is_refused_in_one_line(
    tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank = tmp_path / "bank.json"
    bank.write_text(EXAMPLE.replace('"correct": ["a"]', '"correct": ["z"]'), encoding="utf-8")
    fault = "cannot start: item padding-1: key.correct names 'z', but no option has this id"
    monkeypatch.setenv("MODEL", str(tiny_checkpoint))
    monkeypatch.setenv("QUIZ_BANK", str(bank))
    with pytest.raises(SystemExit) as ended:
        app.main()
    (line,) = str(ended.value).splitlines()
    assert fault in line
    assert f"python -m quiz lint {bank}" in line


@pytest.mark.usefixtures("in_this_process")
@pytest.mark.parametrize(("name", "value"), [("RATE_FACTOR", "many"), ("PORT", "http")])
def test_a_setting_that_is_no_number_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match=rf"^GRU Sentiment Studio cannot start: {name} .*'{value}'$"):
        app.main()


def test_the_process_refuses_a_port_that_is_taken(tiny_checkpoint: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert_refused(
            start(MODEL=str(tiny_checkpoint), HOST="127.0.0.1", PORT=str(port)), str(port), "is the port taken?"
        )
