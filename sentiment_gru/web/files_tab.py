"""The Files tab: Gradio wiring only. Files are scored in `batch`; what the visitor reads stands in `batch_html`."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import gradio as gr

from ..errors import FileError
from ..files.job import score_table
from ..files.readers import SUFFIXES, open_pasted, open_table
from ..files.table import Limits, Table
from ..files.writers import OUTPUT_SUFFIXES
from . import files_view
from .gradio_compat import LAST, LIGHT
from .model_loader import ClassifierLoader

# 100,000 rows of 50 words are some 40 MB; scoring them takes a minute or two.
LIMITS = Limits(
    megabytes=50,
    rows=100_000,
    cells=10_000_000,
    content_megabytes=200,
    unpacked_megabytes=200,
    memory_megabytes=350,  # a workbook of 100,000 rows and 24 MB takes less than 200
    cpu_seconds=60,
    seconds=300,
)
OWN_FORMAT = {".json": ".jsonl", ".ndjson": ".jsonl", ".txt": ".csv"}  # what is written where it is not the same
NOT_SCORED = files_view.refusal("too many visitors may be here; start again in a few seconds")
NO_LABELS = "(none)"
QUEUE = "files"  # one file is scored at a time, whoever asks: two would only share the processor
# For launch(css=...); every rule in it is about an element of this tab.
FILES_CSS = (Path(__file__).parent / "static" / "files_tab.css").read_text(encoding="utf-8")
# For launch(head=...); refuses a file that is too large before it is sent.
FILES_SCRIPT = f"<script>{(Path(__file__).parent / 'static' / 'files_tab.js').read_text(encoding='utf-8')}</script>"
INTRODUCTION = (
    '<p class="files-note">Scores a whole file: CSV, TSV, XLSX, JSON lines, Parquet, or one text a line. '
    f"Up to {LIMITS.megabytes} MB and {LIMITS.rows:,} rows. All your columns come back, with the verdicts after them. "
    "Files are deleted from this server within two hours.</p>"
    f'<p id="files-too-large" role="alert" data-megabytes="{LIMITS.megabytes}"></p>'
)

View = tuple[Any, ...]


@dataclass
class Order:
    """Whether a visitor has stopped the scoring at hand; the events of a visitor share one and change it in place."""

    stopped: bool = False


def describe(path: str | None, header: bool | None = None) -> View:
    """Read a file that was uploaded, and show what is in it."""
    if path is None:
        return view(None, "")
    try:
        table = open_table(Path(path), LIMITS, header)
    except FileError as error:
        return view(None, files_view.refusal(str(error)))
    return view(table, files_view.preview(table, Path(path).name))


def describe_lines(text: str | None) -> View:
    """Show what was pasted."""
    try:
        table = open_pasted(text or "", LIMITS)
    except FileError as error:
        return view(None, files_view.refusal(str(error)))
    return view(table, files_view.preview(table, "Pasted lines"))


def view(table: Table | None, found: str) -> View:
    """Return the table and the state of each part of the page, in the order of the outputs below."""
    if table is None:
        return (None, found, gr.Column(visible=False), *[gr.skip()] * 4, "", "", gr.DownloadButton(visible=False))
    own = OWN_FORMAT.get(table.suffix, table.suffix)
    formats = [(suffix.removeprefix(".").upper(), suffix) for suffix in dict.fromkeys([own, ".csv"])]
    label = table.likely_label_column()
    return (
        table,
        found,
        gr.Column(visible=True),
        gr.Dropdown(choices=table.columns, value=table.likely_text_column()),
        gr.Dropdown(choices=[NO_LABELS, *table.columns], value=label or NO_LABELS, visible=len(table.columns) > 1),
        gr.Checkbox(value=table.content.header, visible=table.content.header is not None),
        gr.Radio(choices=formats, value=own, visible=len(formats) > 1),
        "",
        "",
        gr.DownloadButton(visible=False),
    )


def build_batch_tab(loader: ClassifierLoader) -> None:
    """Lay out the tab inside the surrounding `gr.Tab` of a `gr.Blocks`."""
    table, order = gr.State(None), gr.State(Order())
    gr.HTML(INTRODUCTION, apply_default_css=False, elem_id="files-intro")
    file = gr.File(label="A file", file_types=list(SUFFIXES), height=140, elem_id="files-upload")
    with gr.Accordion("Or paste lines", open=False, elem_id="files-paste"):
        lines = gr.Textbox(label="One text a line", lines=6, max_lines=12, elem_id="files-lines")
        read = gr.Button("Read the lines", elem_id="files-read")
    found = _live("files-found")
    with gr.Column(visible=False, elem_id="files-choices") as choices:
        header = gr.Checkbox(label="The first row holds the names of the columns", elem_id="files-header")
        text_column = gr.Dropdown([], label="Texts are in", elem_id="files-text")
        label_column = gr.Dropdown([], label="Compare with the labels in", elem_id="files-label")
        suffix = gr.Radio([], label="Write as", elem_id="files-format")
        with gr.Row(elem_id="files-actions"):
            start = gr.Button("Score the file", variant="primary", elem_id="files-start")
            cancel = gr.Button("Stop", visible=False, elem_id="files-cancel")
            stopper = gr.Button(visible="hidden", elem_id="files-stop")
    progress = gr.HTML("", apply_default_css=False, elem_id="files-progress")
    download = gr.DownloadButton("Download the scored file", visible=False, variant="primary", elem_id="files-download")
    results = _live("files-results")

    def score(table: Table | None, text: str, label: str, suffix: str) -> Iterator[View]:
        if table is None:  # the visitor's state lasts as long as the server
            yield ended(files_view.refusal("the file is no longer there; choose it again"))
            return
        yield from steps(loader, table, text, None if label == NO_LABELS else label, suffix)

    described = [table, found, choices, text_column, label_column, header, suffix, progress, results, download]
    # A file that comes while the answer to the last change is on its way must not be left out.
    gr.on([file.upload, file.clear], describe, file, described, **LAST)
    read.click(describe_lines, lines, described, **LIGHT)
    header.input(describe, [file, header], described, **LIGHT)
    outputs = [progress, results, download, start, cancel]
    waiting = start.click(wait, order, outputs, **LIGHT)
    run = waiting.then(
        score,
        [table, text_column, label_column, suffix],
        outputs,
        concurrency_limit=1,
        concurrency_id=QUEUE,
        **(LIGHT | {"queue": True}),
    )
    run.failure(lambda order: ended(files_view.STOPPED if order.stopped else NOT_SCORED), order, outputs, **LIGHT)
    # To Gradio what is stopped has failed: that it was stopped is noted first, and a second click, by script, stops it.
    noted = cancel.click(stop, order, None, **LIGHT)
    noted.then(js="() => document.getElementById('files-stop').click()", **LIGHT)
    stopper.click(lambda: ended(files_view.STOPPED), None, outputs, cancels=[run], **LIGHT)


def wait(order: Order) -> View:
    """Begin anew."""
    order.stopped = False
    return running(files_view.WAITING)


def stop(order: Order) -> None:
    """Note that the visitor has stopped the scoring."""
    order.stopped = True


def steps(loader: ClassifierLoader, table: Table, text: str, label: str | None, suffix: str) -> Iterator[View]:
    """Score a table, yielding progress and in the end the results; whoever closes the iterator stops the scoring."""
    stem = table.path.stem if table.path else "lines"
    with TemporaryDirectory() as folder:  # Gradio has copied the file into its own cache when it asks for more
        output = Path(folder, f"{stem}-scored{suffix if suffix in OUTPUT_SUFFIXES else '.csv'}")
        try:
            for step in score_table(loader, table, text, output, label_column=label):
                if step.report is None:
                    yield running(files_view.progress(step))
                else:
                    yield ended(files_view.results(step.report, step.seconds), str(output))
        except FileError as error:
            yield ended(files_view.refusal(str(error)))


def running(progress: str) -> View:
    """Return the parts of the page that change while a file is scored."""
    return progress, "", gr.DownloadButton(visible=False), gr.Button(visible=False), gr.Button(visible=True)


def ended(results: str, output: str | None = None) -> View:
    """Return the same parts once it has ended."""
    download = gr.DownloadButton(value=output, visible=output is not None)
    return "", results, download, gr.Button(visible=True), gr.Button(visible=False)


def _live(name: str) -> gr.HTML:
    """Return a place whose new contents a screen reader says."""
    role = "element.setAttribute('role', 'status')"
    return gr.HTML("", apply_default_css=False, js_on_load=role, elem_id=name)
