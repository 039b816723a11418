"""The Files tab: its Gradio components and events. `files` scores the file, `files_view` renders the HTML."""

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
from .files_view import (
    STOPPED,
    WAITING,
    render_introduction,
    render_preview,
    render_progress,
    render_refusal,
    render_results,
)
from .gradio_compat import LAST, LIGHT
from .model_loader import ClassifierLoader
from .rendering import read_static, render_script

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
OUTPUT_FORMATS = {".json": ".jsonl", ".ndjson": ".jsonl", ".txt": ".csv"}  # where input and output formats differ
NOT_SCORED = render_refusal("the server is busy; start again in a few seconds")
NO_LABELS = "(none)"
QUEUE = "files"  # one file at a time for all visitors: two would share the processor, and both take longer
# For launch(css=...) and launch(head=...).
FILES_CSS = read_static("files_tab.css")
FILES_SCRIPT = render_script("files_tab.js")

Outputs = tuple[Any, ...]


@dataclass
class Job:
    """The state of one visitor's scoring; the events of the tab share it and change it in place."""

    stopped: bool = False


def describe_file(path: str | None, header: bool | None = None) -> Outputs:
    """Return the outputs that describe an uploaded file; none is chosen if `path` is None.

    Args:
        path: The uploaded file.
        header: Whether its first row holds the names of the columns; None to detect it.
    """
    if path is None:
        return describe_table(None, "")
    try:
        table = open_table(Path(path), LIMITS, header)
    except FileError as error:
        return describe_table(None, render_refusal(str(error)))
    return describe_table(table, render_preview(table, Path(path).name))


def describe_lines(text: str | None) -> Outputs:
    """Return the outputs that describe pasted lines."""
    try:
        table = open_pasted(text or "", LIMITS)
    except FileError as error:
        return describe_table(None, render_refusal(str(error)))
    return describe_table(table, render_preview(table, "Pasted lines"))


def describe_table(table: Table | None, description: str) -> Outputs:
    """Return the table, its description and the choices that it allows, in the order of the tab's outputs."""
    if table is None:
        hidden = gr.DownloadButton(visible=False)
        return (None, description, gr.Column(visible=False), *[gr.skip()] * 4, "", "", hidden)
    suffix = OUTPUT_FORMATS.get(table.suffix, table.suffix)
    formats = [(name.removeprefix(".").upper(), name) for name in dict.fromkeys([suffix, ".csv"])]
    label = table.likely_label_column()
    return (
        table,
        description,
        gr.Column(visible=True),
        gr.Dropdown(choices=table.columns, value=table.likely_text_column()),
        gr.Dropdown(choices=[NO_LABELS, *table.columns], value=label or NO_LABELS, visible=len(table.columns) > 1),
        gr.Checkbox(value=table.content.header, visible=table.content.header is not None),
        gr.Radio(choices=formats, value=suffix, visible=len(formats) > 1),
        "",
        "",
        gr.DownloadButton(visible=False),
    )


def build_files_tab(loader: ClassifierLoader) -> None:
    """Add the components and events of the tab to the surrounding `gr.Tab`."""
    table, job = gr.State(None), gr.State(Job())
    gr.HTML(render_introduction(LIMITS), apply_default_css=False, elem_id="files-intro")
    file = gr.File(label="A file", file_types=list(SUFFIXES), height=140, elem_id="files-upload")
    with gr.Accordion("Or paste lines", open=False, elem_id="files-paste"):
        lines = gr.Textbox(label="One text per line", lines=6, max_lines=12, elem_id="files-lines")
        read_button = gr.Button("Read the lines", elem_id="files-read")
    description = _add_live_html("files-found")
    with gr.Column(visible=False, elem_id="files-choices") as choices:
        header = gr.Checkbox(label="The first row holds the column names", visible=False, elem_id="files-header")
        text_column = gr.Dropdown([], label="Texts are in", elem_id="files-text")
        label_column = gr.Dropdown([], label="Compare with the labels in", visible=False, elem_id="files-label")
        suffix = gr.Radio([], label="Write as", visible=False, elem_id="files-format")
        with gr.Row(elem_id="files-actions"):
            start_button = gr.Button("Score the file", variant="primary", elem_id="files-start")
            stop_button = gr.Button("Stop", visible=False, elem_id="files-cancel")
            cancel_trigger = gr.Button(visible="hidden", elem_id="files-stop")
    progress = gr.HTML("", apply_default_css=False, elem_id="files-progress")
    download = gr.DownloadButton("Download the scored file", visible=False, variant="primary", elem_id="files-download")
    results = _add_live_html("files-results")

    def score(table: Table | None, text: str, label: str, suffix: str) -> Iterator[Outputs]:
        if table is None:  # the server has restarted since the file was chosen
            yield show_results(render_refusal("the file is no longer on the server; choose it again"))
            return
        yield from score_steps(loader, table, text, None if label == NO_LABELS else label, suffix)

    described = [table, description, choices, text_column, label_column, header, suffix, progress, results, download]
    # LAST: a file that is chosen while the former is being described must not be dropped.
    gr.on([file.upload, file.clear], describe_file, file, described, **LAST)
    read_button.click(describe_lines, lines, described, **LIGHT)
    header.input(describe_file, [file, header], described, **LIGHT)
    outputs = [progress, results, download, start_button, stop_button]
    started = start_button.click(start_job, job, outputs, **LIGHT)
    scoring = started.then(
        score,
        [table, text_column, label_column, suffix],
        outputs,
        concurrency_limit=1,
        concurrency_id=QUEUE,
        **(LIGHT | {"queue": True}),
    )
    scoring.failure(lambda job: show_results(STOPPED if job.stopped else NOT_SCORED), job, outputs, **LIGHT)
    # Gradio reports a cancelled event as failed. So "Stop" first notes that the visitor wants it, and then clicks a
    # hidden button, whose event cancels the scoring.
    stopped = stop_button.click(stop_job, job, None, **LIGHT)
    stopped.then(js="() => document.getElementById('files-stop').click()", **LIGHT)
    cancel_trigger.click(lambda: show_results(STOPPED), None, outputs, cancels=[scoring], **LIGHT)


def start_job(job: Job) -> Outputs:
    """Mark a job as running; return the outputs while it waits in the queue."""
    job.stopped = False
    return show_progress(WAITING)


def stop_job(job: Job) -> None:
    """Mark a job as stopped by the visitor."""
    job.stopped = True


def score_steps(loader: ClassifierLoader, table: Table, text: str, label: str | None, suffix: str) -> Iterator[Outputs]:
    """Score a table; yield the outputs of each step, the results last. Closing the iterator stops the scoring.

    Args:
        loader: The classifier.
        table: The table to score.
        text: The column of the texts.
        label: The column of labels to compare the verdicts with, or None.
        suffix: The format of the output; any other than those of `OUTPUT_SUFFIXES` gives a CSV file.
    """
    stem = table.path.stem if table.path else "lines"
    with TemporaryDirectory() as folder:  # Gradio copies the file into its own cache before it asks for the next step
        output = Path(folder, f"{stem}-scored{suffix if suffix in OUTPUT_SUFFIXES else '.csv'}")
        try:
            for step in score_table(loader, table, text, output, label_column=label):
                if step.report is None:
                    yield show_progress(render_progress(step))
                else:
                    yield show_results(render_results(step.report, step.seconds), str(output))
        except FileError as error:
            yield show_results(render_refusal(str(error)))


def show_progress(progress: str) -> Outputs:
    """Return the outputs while a file is being scored: the progress, and the button that stops it."""
    return progress, "", gr.DownloadButton(visible=False), gr.Button(visible=False), gr.Button(visible=True)


def show_results(results: str, output: str | None = None) -> Outputs:
    """Return the outputs after the scoring: the results, and the file to download if there is one."""
    download = gr.DownloadButton(value=output, visible=output is not None)
    return "", results, download, gr.Button(visible=True), gr.Button(visible=False)


def _add_live_html(elem_id: str) -> gr.HTML:
    """Add an element whose new contents a screen reader announces."""
    role = "element.setAttribute('role', 'status')"
    return gr.HTML("", apply_default_css=False, js_on_load=role, elem_id=elem_id)
