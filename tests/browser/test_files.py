"""The Files tab and the API in the real app: upload to download, stopping, and files with markup."""

import csv
import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from playwright.sync_api import Page, expect

import app
from sentiment_gru import Prediction
from sentiment_gru.files.job import CHUNK_ROWS
from sentiment_gru.web.model_loader import ClassifierLoader
from tests.browser.checks import WAIT_SECONDS, assert_accessible, assert_fits, assert_no_script_ran
from tests.browser.conftest import serve_here
from tests.tables import write_csv

pytestmark = [
    pytest.mark.browser,
    # Gradio's own statistics of its queue, in the tests that serve the app in this process.
    pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning"),
]

MARKUP = "<img src=x onerror='window.ran = true'>${window.ran = true}"
ROWS = [["id", "review", "label"], ["1", "I loved every minute.", "positive"], ["2", "Dull and too long.", "neg"]]


class SlowLoader(ClassifierLoader):
    """A loader with a slow classifier that counts its texts, and waits after a chunk unless `unpaused` is set."""

    scored = 0

    def __init__(self, checkpoint: Path) -> None:
        """Start unpaused."""
        super().__init__(checkpoint)
        self.unpaused = threading.Event()
        self.unpaused.set()

    def __call__(self, texts: Sequence[str]) -> list[Prediction]:
        """Classify a chunk in a quarter of a second."""
        time.sleep(0.25)
        if self.scored > CHUNK_ROWS:
            self.unpaused.wait(timeout=WAIT_SECONDS)
        self.scored += len(texts)
        return super().__call__(texts)


@pytest.fixture(scope="module")
def served(tiny_checkpoint: Path) -> Iterator[tuple[SlowLoader, str]]:
    """Serve the app in this process; return its loader and its address."""
    loader = SlowLoader(tiny_checkpoint)
    with serve_here(app.build_app(loader)) as url:
        yield loader, url


@pytest.fixture
def slow(served: tuple[SlowLoader, str]) -> tuple[SlowLoader, str]:
    """Return the same, unpaused and with its count at 0; each test leaves nothing that is scored."""
    loader, url = served
    loader.scored = 0
    loader.unpaused.set()
    return loader, url


def open_files(page: Page) -> Page:
    page.get_by_role("tab", name="Files").click()
    return page


def upload(page: Page, path: Path) -> None:
    page.set_input_files("#files-upload input[type=file]", path)


def download(page: Page, folder: Path) -> Path:
    with page.expect_download() as caught:
        page.locator("#files-download").click()
    path = folder / caught.value.suggested_filename
    caught.value.save_as(path)
    return path


def test_from_upload_to_download(page: Page, tmp_path: Path) -> None:
    open_files(page)
    upload(page, write_csv(tmp_path / "reviews.csv", ROWS))
    expect(page.locator("#files-found")).to_contain_text("reviews.csv: 2 rows, 3 columns.")
    expect(page.get_by_label("Texts are in")).to_have_value("review")
    expect(page.get_by_label("Compare with the labels in")).to_have_value("label")
    page.get_by_role("button", name="Score the file").click()
    expect(page.locator("#files-results")).to_contain_text("2 of 2 rows scored.")
    expect(page.locator("#files-results")).to_contain_text("100.0%")
    path = download(page, tmp_path)
    assert path.name == "reviews-scored.csv"
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    assert [row["id"] for row in rows] == ["1", "2"]
    assert [row["model_label"] for row in rows] == ["positive", "negative"]


def test_pasted_lines_by_keyboard(page: Page, tmp_path: Path) -> None:
    open_files(page)
    page.get_by_role("button", name="Or paste lines").press("Enter")
    page.get_by_label("One text per line").fill("I loved it.\nDull.\n=1+1")
    page.get_by_role("button", name="Read the lines").press("Enter")
    expect(page.locator("#files-found")).to_contain_text("Pasted lines: 3 rows")
    page.get_by_role("button", name="Score the file").press("Enter")
    expect(page.locator("#files-results")).to_contain_text("3 of 3 rows scored.")
    assert "'=1+1" in download(page, tmp_path).read_text()


def test_markup_in_cells_column_names_and_file_names_never_runs(page: Page, tmp_path: Path) -> None:
    rows = [["label", MARKUP, "text"], [MARKUP, MARKUP, MARKUP], ["positive", "=1+1", "fine " + MARKUP]]
    open_files(page)
    upload(page, write_csv(tmp_path / f"{MARKUP}.csv", rows))
    expect(page.locator("#files-found")).to_contain_text("2 rows, 3 columns.")
    expect(page.locator("#files-found")).to_contain_text(MARKUP)
    page.get_by_label("Texts are in").click()
    expect(page.get_by_role("option", name="onerror")).to_be_visible()
    page.get_by_role("option", name="onerror").click()
    page.get_by_role("button", name="Score the file").click()
    expect(page.locator("#files-results")).to_contain_text(MARKUP)
    expect(page.locator("#files-results")).to_contain_text("2 of 2 rows scored.")
    assert_no_script_ran(page)


def test_a_file_that_cannot_be_read_is_refused(page: Page, tmp_path: Path) -> None:
    open_files(page)
    for name, data, message in (
        ("empty.csv", b"", "The file is empty."),
        ("picture.csv", b"\x89PNG\r\n\x1a\n" + bytes(99), "but it is a picture."),
        ("locked.xlsx", b"\xd0\xcf\x11\xe0" + bytes(99), "has a password"),
    ):
        (tmp_path / name).write_bytes(data)
        upload(page, tmp_path / name)
        expect(page.locator("#files-found")).to_contain_text(message)
        expect(page.get_by_role("button", name="Score the file")).to_be_hidden()
        page.get_by_role("button", name="Clear").or_(page.get_by_label("Remove")).first.click()
        expect(page.locator("#files-found")).not_to_contain_text(message)


def test_stop_ends_the_scoring(open_page: Callable[..., Page], slow: tuple[SlowLoader, str], tmp_path: Path) -> None:
    loader, url = slow
    page = open_files(open_page(url))
    upload(page, write_csv(tmp_path / "long.csv", [["id", "text"], *[[i, "a great film"] for i in range(20_000)]]))
    loader.unpaused.clear()  # so that it cannot end before it is stopped
    page.get_by_role("button", name="Score the file").click()
    expect(page.locator("#files-progress")).to_contain_text("rows/s")
    page.get_by_role("button", name="Stop").click()
    loader.unpaused.set()
    results = page.locator("#files-results")
    expect(results).to_contain_text("Stopped.")
    score_two_rows(open_files(open_page(url)), tmp_path)
    assert loader.scored < 20_000
    expect(page.get_by_role("button", name="Score the file")).to_be_visible()
    expect(results).to_have_text(re.compile(r"^\s*Stopped\."))


def test_a_visitor_who_waits_can_stop_and_start_again(
    open_page: Callable[..., Page], slow: tuple[SlowLoader, str], tmp_path: Path
) -> None:
    loader, url = slow
    rows = [["id", "text"], *[[i, "a great film"] for i in range(CHUNK_ROWS * 3)]]
    first, second = (open_files(open_page(url)) for _ in range(2))
    loader.unpaused.clear()
    for page, progress in ((first, "rows/s"), (second, "Waiting")):
        upload(page, write_csv(tmp_path / "long.csv", rows))
        page.get_by_role("button", name="Score the file").click()
        expect(page.locator("#files-progress")).to_contain_text(progress)
    second.get_by_role("button", name="Stop").click()
    expect(second.locator("#files-results")).to_contain_text("Stopped.")
    loader.unpaused.set()
    expect(first.locator("#files-results")).to_contain_text(f"{CHUNK_ROWS * 3:,} of {CHUNK_ROWS * 3:,} rows scored.")
    expect(second.locator("#files-results")).to_have_text(re.compile(r"^\s*Stopped\."))
    second.get_by_role("button", name="Score the file").click()
    expect(second.locator("#files-results")).to_contain_text(f"{CHUNK_ROWS * 3:,} of {CHUNK_ROWS * 3:,} rows scored.")


def test_leaving_the_page_ends_the_scoring(
    open_page: Callable[..., Page], slow: tuple[SlowLoader, str], tmp_path: Path
) -> None:
    loader, url = slow
    page = open_files(open_page(url))
    upload(page, write_csv(tmp_path / "long.csv", [["id", "text"], *[[i, "a great film"] for i in range(20_000)]]))
    loader.unpaused.clear()
    page.get_by_role("button", name="Score the file").click()
    expect(page.locator("#files-progress")).to_contain_text("rows/s")
    page.close()
    loader.unpaused.set()
    score_two_rows(open_files(open_page(url)), tmp_path)
    assert loader.scored < 20_000


def score_two_rows(page: Page, folder: Path) -> None:
    """Score a short file; as files are scored one at a time, whatever was scored before has ended."""
    upload(page, write_csv(folder / "short.csv", ROWS))
    page.get_by_role("button", name="Score the file").click()
    expect(page.locator("#files-results")).to_contain_text("2 of 2 rows scored.", timeout=1_000 * WAIT_SECONDS)


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_violation_in_any_state(
    open_page: Callable[..., Page], slow: tuple[SlowLoader, str], tmp_path: Path, theme: str
) -> None:
    loader, url = slow
    page = open_files(open_page(f"{url}?__theme={theme}", width=390 if theme == "dark" else 1280))
    assert_accessible(page)
    (tmp_path / "empty.csv").write_bytes(b"")
    upload(page, tmp_path / "empty.csv")
    expect(page.locator("#files-found")).to_contain_text("The file is empty.")
    assert_accessible(page)
    page.get_by_role("button", name="Clear").or_(page.get_by_label("Remove")).first.click()
    long = [["id", "text", "label"], *[[i, "a great film, " + "x" * 50, "positive"] for i in range(1_500)]]
    upload(page, write_csv(tmp_path / "long.csv", long))
    page.get_by_role("button", name="Or paste lines").click()
    expect(page.locator("#files-found")).to_contain_text("1,500 rows")
    assert_accessible(page)
    assert_fits(page)
    loader.unpaused.clear()
    page.get_by_role("button", name="Score the file").click()
    expect(page.locator("#files-progress")).to_contain_text("rows/s")
    assert_accessible(page)
    loader.unpaused.set()
    expect(page.locator("#files-results")).to_contain_text("Calibration")
    assert_accessible(page)
    assert_fits(page)


def test_the_api_is_usable_and_documented(page: Page, address: str, tmp_path: Path) -> None:
    client = Client(address, verbose=False, download_files=str(tmp_path))
    assert set(client.view_api(return_format="dict")["named_endpoints"]) == {"/classify", "/explain", "/score_file"}
    verdict = client.predict("I loved every minute.", api_name="/classify")
    assert verdict["label"] == "positive"
    explanation = client.predict("Not bad.", ["as_read"], api_name="/explain")
    assert [token["text"] for token in explanation["tokens"]] == ["Not", "bad", "."]
    assert set(explanation["attributions"]) == {"as_read"}
    with pytest.raises(Exception, match="at least one word"):
        client.predict(" ", [], api_name="/explain")
    source = write_csv(tmp_path / "reviews.csv", ROWS)
    path, report = client.predict(handle_file(source), "review", "label", "jsonl", api_name="/score_file")
    assert [json.loads(line)["model_label"] for line in Path(path).read_text().splitlines()] == ["positive", "negative"]
    assert report["grading"]["accuracy"] == 1
    verdicts = client.predict(texts=["I loved it.", "Dull and awful."], api_name="/classify")
    assert [verdict["label"] for verdict in verdicts] == ["positive", "negative"]
    _, report = client.predict(rows=["I loved it.", "Dull and awful."], api_name="/score_file")
    assert report["content"].splitlines()[1].startswith("I loved it.,positive")
    for arguments, message in (
        ((handle_file(source), "no", "", "csv"), "no text column 'no'"),
        ((handle_file(source), "review", "", "exe"), "output_format must be one of"),
        ((handle_file(source), "review", "", "../../csv"), "output_format must be one of"),
    ):
        with pytest.raises(Exception, match=message):
            client.predict(*arguments, api_name="/score_file")
    page.get_by_role("button", name="Use via API").click()
    expect(page.get_by_text("/classify").first).to_be_visible()
    expect(page.get_by_text("/score_file").first).to_be_visible()


def test_a_file_too_large_is_refused_before_it_is_sent(page: Page, tmp_path: Path) -> None:
    uploads: list[str] = []
    page.on("request", lambda request: uploads.append(request.url) if "/upload" in request.url else None)
    (tmp_path / "large.csv").write_bytes(b"id,text\n" + b"1,fine\n" * 8_000_000)
    open_files(page)
    upload(page, tmp_path / "large.csv")
    expect(page.get_by_role("alert")).to_contain_text("This file has 57 MB; the limit is 50 MB.")
    assert uploads == []
    upload(page, write_csv(tmp_path / "reviews.csv", ROWS))
    expect(page.locator("#files-found")).to_contain_text("2 rows")
    expect(page.get_by_role("alert")).to_have_text("")
