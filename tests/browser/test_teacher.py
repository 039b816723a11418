"""The teacher's page in a browser: by keyboard, on narrow and wide screens, light and dark."""

import json
import os
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from benchmarks.app_server import serve
from quiz import load_bank
from quiz.records import Feedback
from quiz.store import Store
from tests.databases import attempt

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_a_teacher_signs_in_reads_and_signs_out(browser: Browser, tmp_path: Path, width: int, scheme: str) -> None:
    database, item = f"sqlite:///{tmp_path / 'quiz.sqlite3'}", load_bank().items[0]
    store = Store(database)
    for run in range(30):
        store.record(attempt(str(run), item.id, answer=(item.options[run % 4].oid,), correct=run % 2 == 0))
    store.record_feedback(Feedback("0", False, "long" * 200 + "<script>alert(1)</script>"))
    store.close()
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, accept_downloads=True)
    page = context.new_page()
    page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    with serve(DATABASE_URL=database, TEACHER_TOKEN="a token of the teacher") as address:
        page.goto(f"{address}/teacher")
        expect(page.get_by_label("Token")).to_be_focused()
        page.keyboard.type("guess")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_have_text("This is not the token.")
        assert Axe().run(page).response["violations"] == []
        expect(page.get_by_label("Token")).to_be_focused()
        page.keyboard.type("a token of the teacher")
        page.keyboard.press("Enter")
        expect(page.locator("article")).to_have_count(1)
        assert Axe().run(page).response["violations"] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
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
        assert Axe().run(page).response["violations"] == []
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_label("Token")).to_be_visible()
        expect(page.locator("article")).to_have_count(0)
    context.close()
