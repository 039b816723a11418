"""The teacher's page in a browser: by keyboard, on narrow and wide screens, light and dark."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import gradio as gr
import pytest
from playwright.sync_api import BrowserContext, expect

from quiz import load_bank
from quiz.records import Feedback
from quiz.store import Store
from quiz.teacher import teacher_routes
from tests.browser.checks import assert_good
from tests.browser.conftest import TOKEN, serve_here
from tests.databases import attempt

pytestmark = pytest.mark.browser


def test_a_teacher_signs_in_reads_and_signs_out(new_context: Callable[..., BrowserContext], tmp_path: Path) -> None:
    store, item = Store(f"sqlite:///{tmp_path / 'quiz.sqlite3'}"), load_bank().items[0]
    for run in range(30):
        store.record(attempt(str(run), item.id, answer=(item.options[run % 4].oid,), correct=run % 2 == 0))
    store.record_feedback(Feedback("0", False, "long" * 200 + "<script>alert(1)</script>"))
    with gr.Blocks() as blocks:
        pass
    page = new_context(accept_downloads=True).new_page()
    page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    routes = teacher_routes(store, load_bank(), TOKEN)
    with serve_here(blocks, app_kwargs={"routes": routes}) as address:
        page.goto(f"{address}/teacher")
        expect(page.get_by_label("Token")).to_be_focused()
        page.keyboard.type("guess")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_have_text("This is not the token.")
        assert_good(page)
        expect(page.get_by_label("Token")).to_be_focused()
        page.keyboard.type(TOKEN)
        page.keyboard.press("Enter")
        expect(page.locator("article")).to_have_count(1)
        assert_good(page)
        with page.expect_download() as download:
            page.get_by_role("link", name="Download the feedback as CSV").click()
        assert os.path.getsize(download.value.path()) > 800
        with page.expect_download() as download:
            page.get_by_role("link", name="as JSON").click()
        assert len(json.loads(Path(download.value.path()).read_text())) == 30
        page.get_by_label("Last day (UTC)").fill("2020-01-01")
        page.get_by_role("button", name="Show").click()
        expect(page.locator("article")).to_have_count(0)
        expect(page.get_by_label("Last day (UTC)")).to_have_value("2020-01-01")
        assert_good(page)
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_label("Token")).to_be_visible()
        expect(page.locator("article")).to_have_count(0)
    store.close()
