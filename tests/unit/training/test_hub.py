"""An upload sends exactly the files of the checkpoint, as one commit; tested against a Hub on the loopback device."""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi

from sentiment_gru import OptionsError, StorageError
from sentiment_gru.training.artifacts import check_login, push_to_hub
from sentiment_gru.training.output_folder import OUTPUT_FILES


class FakeHub(BaseHTTPRequestHandler):
    """The few addresses an upload asks for; every file is taken inline."""

    commits: list[dict[str, bytes]]
    refuses = False

    def do_POST(self) -> None:
        """Take whatever is sent."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        base = f"http://{self.headers['Host']}"
        if self.refuses:
            return self._answer(403, {"error": "You have no right to write here"})
        if self.path == "/api/repos/create":
            return self._answer(200, {"url": f"{base}/me/{json.loads(body)['name']}"})
        if self.path.endswith("/preupload/main"):
            files = [
                {"path": f["path"], "uploadMode": "regular", "shouldIgnore": False} for f in json.loads(body)["files"]
            ]
            return self._answer(200, {"files": files})
        if self.path.endswith("/commit/main"):
            values = [json.loads(line)["value"] for line in body.splitlines() if json.loads(line)["key"] == "file"]
            self.commits.append({value["path"]: base64.b64decode(value["content"]) for value in values})
            return self._answer(200, {"commitUrl": f"{base}/me/model/commit/1", "commitOid": "1", "success": True})
        return self._answer(200, {})

    def do_GET(self) -> None:
        """Have nothing yet."""
        self._answer(200, {})

    def _answer(self, status: int, content: Any) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet."""


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[HfApi]:
    """Return a client of a fake Hub."""
    monkeypatch.setattr(FakeHub, "commits", [], raising=False)
    with ThreadingHTTPServer(("127.0.0.1", 0), FakeHub) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield HfApi(endpoint=f"http://127.0.0.1:{server.server_port}", token="hf_none")
        server.shutdown()
        thread.join()


def test_an_upload_is_one_commit_of_exactly_the_checkpoint(tiny_checkpoint: Path, tmp_path: Path, api: HfApi) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    for path in tiny_checkpoint.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    for stray in ("training_args.bin", "notes.txt", "seed-1/config.json", "seed-1/model.safetensors"):
        (folder / stray).parent.mkdir(exist_ok=True)
        (folder / stray).write_text("stray")
    assert push_to_hub(folder, "me/model", api).endswith("/me/model/commit/1")
    (commit,) = FakeHub.commits
    assert commit == {path.name: path.read_bytes() for path in tiny_checkpoint.iterdir()}
    assert set(commit) == OUTPUT_FILES


def test_a_refused_upload_says_that_the_folder_is_complete(
    tiny_checkpoint: Path, api: HfApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeHub, "refuses", True)
    with pytest.raises(StorageError, match=r"is complete, but was not uploaded to me/model.*hf upload me/model"):
        push_to_hub(tiny_checkpoint, "me/model", api)


def test_a_missing_login_is_refused_before_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentiment_gru.training.artifacts.get_token", lambda: None)
    with pytest.raises(OptionsError, match="hf auth login"):
        check_login()
