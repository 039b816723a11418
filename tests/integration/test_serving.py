"""The snippets of docs/serving.md run as they stand there."""

import functools
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from playwright.sync_api import sync_playwright

from benchmarks.app_server import CHROMIUM_ARGUMENTS
from sentiment_gru.onnx_model import export_onnx
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.slow

DOCUMENT = (REPOSITORY / "docs" / "serving.md").read_text(encoding="utf-8")
WEB = REPOSITORY / ".venv" / "npm" / "node_modules" / "onnxruntime-web" / "dist"
IDS = [17, 250, 9, 3, 1_200, 44]


def snippets(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", DOCUMENT, flags=re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the exported model and its tokenizer."""
    path = tmp_path_factory.mktemp("serving")
    export_onnx(None, path / "model.onnx")
    shutil.copy(REPOSITORY / "sentiment_gru" / "pretrained" / "tokenizer.json", path)
    return path


@pytest.mark.parametrize("snippet", snippets("python"), ids=["onnxruntime", "openvino"])
def test_the_python_snippets_print_the_verdicts(folder: Path, snippet: str) -> None:
    result = subprocess.run([sys.executable, "-c", snippet], cwd=folder, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == ["['positive',", "'negative']"]


@pytest.fixture
def page_address(folder: Path) -> Iterator[str]:
    """Serve a page with the snippet for browsers, beside the npm package and the model."""
    if not WEB.is_dir():
        if os.environ.get("REQUIRE_ALL"):
            pytest.fail("REQUIRE_ALL is set, but the npm package onnxruntime-web is not installed")
        pytest.skip("the npm package onnxruntime-web is not installed in .venv/npm")
    (folder / "dist").symlink_to(WEB)
    (snippet,) = snippets("js")
    (folder / "model.mjs").write_text(snippet, encoding="utf-8")
    (folder / "index.html").write_text("<!doctype html><title>A page</title>", encoding="utf-8")
    handler = functools.partial(_QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/index.html"
        server.shutdown()


class _QuietHandler(SimpleHTTPRequestHandler):
    extensions_map = SimpleHTTPRequestHandler.extensions_map | {".mjs": "text/javascript", ".wasm": "application/wasm"}

    def log_message(self, *arguments: object) -> None:
        """Log nothing."""


def test_the_browser_snippet_gives_the_logits_of_onnxruntime(folder: Path, page_address: str) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        if os.environ.get("REQUIRE_ALL"):
            pytest.fail("REQUIRE_ALL is set, but there is no chromium")
        pytest.skip("there is no chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
        page = browser.new_page()
        page.goto(page_address)
        logits = page.evaluate("async ids => (await import('./model.mjs')).logits(ids)", IDS)
        browser.close()
    session = onnxruntime.InferenceSession(folder / "model.onnx")
    ids = np.array([IDS], dtype=np.int64)
    (expected,) = session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})
    np.testing.assert_allclose(logits, expected[0], atol=1e-4)
