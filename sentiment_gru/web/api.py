"""The API for programs, over HTTP or MCP. Gradio documents it from the docstrings of the endpoints.

The endpoints check lengths and columns themselves, as the limits of the page do not apply to them.
"""

import json
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import gradio as gr

from ..errors import SentimentError
from ..explanation import METHODS
from ..files.job import Classify, score_table
from ..files.readers import open_table
from ..files.writers import OUTPUT_SUFFIXES
from ..results import MAX_CHARACTERS
from .files_tab import LIMITS, QUEUE
from .gradio_compat import HEAVY, build_list_input
from .model_loader import ClassifierLoader

OUTPUT_FORMATS = [suffix.removeprefix(".") for suffix in OUTPUT_SUFFIXES]
TEXT_FORMATS = ("csv", "tsv", "jsonl")  # whose files can be returned as text
MAX_TEXTS, MAX_TOTAL_CHARACTERS = 256, 100_000  # of a list of texts in a request
SENT_CHARACTERS = 2_000_000  # of a table in a request, about as much as a body may hold


def check_text(text: object) -> str:
    """Return the text if it can be judged.

    Raises:
        gr.Error: It is not a string, blank or too long.
    """
    if not isinstance(text, str) or not text.strip():
        raise refusal("text must be a string with at least one word")
    if len(text) > MAX_CHARACTERS:
        raise refusal(f"text has {len(text):,} characters; up to {MAX_CHARACTERS:,} are read")
    return text


def check_texts(texts: object) -> list[str]:
    """Return texts that can be judged in one request, in well under a second.

    Raises:
        gr.Error: They are not a list of texts, one cannot be judged, or they are too many or too long together.
    """
    if not isinstance(texts, list) or not texts:
        raise refusal("texts must be a list of at least one text")
    if len(texts) > MAX_TEXTS:
        raise refusal(f"texts has {len(texts):,} items; up to {MAX_TEXTS} are read at once, and more by score_file")
    for number, text in enumerate(texts, 1):
        if not isinstance(text, str) or not text.strip():
            raise refusal(f"item {number} of texts must be a string with at least one word")
    if (size := sum(map(len, texts))) > MAX_TOTAL_CHARACTERS:
        raise refusal(f"texts has {size:,} characters; up to {MAX_TOTAL_CHARACTERS:,} are read at once")
    return texts


def refusal(message: str) -> gr.Error:
    """Return an error that tells a program what to change; it is not logged."""
    return gr.Error(message, print_exception=False)


def classify_texts(classify: Classify, texts: list[str]) -> list[dict[str, Any]]:
    """Return the verdict on each text as plain values."""
    return [
        {**asdict(prediction), "cannot_tell": prediction.cannot_tell, "warning": prediction.warning}
        for prediction in classify(texts)
    ]


def write_table(folder: Path, csv_text: object, rows: object) -> Path:
    """Write a table that was sent in a request as a file; return its path.

    Args:
        folder: Folder of the new file.
        csv_text: Text of a CSV or TSV file, or empty.
        rows: List of objects, or of texts, or None.

    Raises:
        gr.Error: It is neither, or too long.
    """
    if isinstance(csv_text, str) and csv_text:
        name, content = "table.csv", csv_text
    elif isinstance(rows, list) and rows and all(isinstance(row, dict) for row in rows):
        name, content = "rows.jsonl", "".join(json.dumps(row) + "\n" for row in rows)
    elif isinstance(rows, list) and rows and all(isinstance(row, str) for row in rows):
        name, content = "rows.jsonl", "".join(json.dumps({"text": row}) + "\n" for row in rows)
    elif rows is None:
        raise refusal("csv_text must be the text of a CSV file")
    else:
        raise refusal('rows must be a list of texts, or of objects such as {"text": "Fine.", "label": "positive"}')
    if len(content) > SENT_CHARACTERS:
        raise refusal(
            f"the table has {len(content):,} characters; up to {SENT_CHARACTERS:,} are read from a request,"
            " and more from a file"
        )
    path = folder / name
    path.write_text(content, encoding="utf-8", errors="replace", newline="")
    return path


def score_source(classify: Classify, source: Path, output: Path, text_column: str, label_column: str) -> dict[str, Any]:
    """Score a file into another; return the report. An empty column is detected, or is none for labels.

    Raises:
        gr.Error: The file cannot be read, or lacks a column.
    """
    report: dict[str, Any] = {}
    try:
        table = open_table(source, LIMITS)
        column = text_column or table.likely_text_column()
        for step in score_table(classify, table, column, output, label_column=label_column or None):
            report = asdict(step.report) if step.report else {}
    except SentimentError as error:
        raise refusal(str(error)) from error
    return report


class Endpoints:
    """The functions behind the endpoints."""

    def __init__(self, loader: ClassifierLoader) -> None:
        self._loader = loader

    def classify(
        self, text: str | None = None, texts: list[str] | None = None
    ) -> dict[str, Any] | list[dict[str, Any]]:
        """Classify the sentiment of a text, or of many. Example: text = "Not bad at all.".

        Args:
            text: The text, up to 200,000 characters.
            texts: In place of it, a list of up to 256 texts, with up to 100,000 characters together.

        Returns:
            label, scores (calibrated, of every label; they sum to 1), uncertain (verdicts with such a score were often
            wrong), tokens, unknown_tokens, truncated_tokens, punctuation_tokens, piece_tokens, split_words (words
            that are read in pieces), cannot_tell (the text has no known word), warning (or null). For texts, a list of
            these in their order.
        """
        if texts is None:
            return classify_texts(self._loader, [check_text(text)])[0]
        if text:
            raise refusal("send text or texts, not both")
        return classify_texts(self._loader, check_texts(texts))

    def explain(self, text: str, methods: list[str]) -> dict[str, Any]:
        """Explain the verdict on a text. Example: text = "Not bad at all.", methods = ["as_read"].

        Args:
            text: The text, up to 200,000 characters.
            methods: Some of "integrated_gradients", "leave_one_out" and "as_read", or none.

        Returns:
            prediction, target (the label, and the one it is compared with), tokens (with start and end in the text),
            logits and running scores (after 0, 1, ... tokens), gates (mean, 10% and 90% quantiles of r and z over
            units), attributions (by method), deletion (curves, and the mean of random orders), strides, proofs.
        """
        try:
            checked = check_text(text)
            return self._loader.explaining(lambda: self._loader.classifier().explain(checked, methods).to_dict())
        except SentimentError as error:
            raise refusal(str(error)) from error

    def score_file(
        self,
        file: str | None = None,
        text_column: str = "",
        label_column: str = "",
        output_format: str = "csv",
        csv_text: str = "",
        rows: list[Any] | None = None,
    ) -> Any:
        """Score every row of an uploaded file, or of a table in the request. Example: rows = ["Fine.", "Dull."].

        A file has up to 50 MB and 100,000 rows. A path or an address is not read: programs that cannot upload send
        csv_text or rows.

        Args:
            file: An uploaded CSV, TSV, XLSX, JSON Lines (.jsonl) or Parquet file, or one text per line (.txt).
            text_column: The column of the texts; empty to detect it.
            label_column: The column of labels to compare the verdicts with; empty for none.
            output_format: csv, tsv, xlsx, jsonl or parquet.
            csv_text: In place of a file, the text of a CSV file, up to 2,000,000 characters.
            rows: In place of a file, a list of texts, or of objects with the same keys; up to 2,000,000 characters.

        Returns:
            The file with all its columns and the verdicts after them, and a report: rows, labels (rows per label),
            uncertain, errors (rows not scored, by reason), histogram, least_certain rows, grading (comparison with
            the labels), and for csv_text or rows the content of the file, if that is text.
        """
        if not file and not csv_text and rows is None:
            raise refusal("file must be one that has been uploaded; without an upload, send csv_text or rows")
        if bool(file) + bool(csv_text) + (rows is not None) > 1:
            raise refusal("send one of file, csv_text and rows")
        if output_format not in OUTPUT_FORMATS:
            raise refusal(f"output_format must be one of {', '.join(OUTPUT_FORMATS)}")
        with TemporaryDirectory() as folder:
            source = Path(file) if file else write_table(Path(folder), csv_text, rows)
            output = Path(folder, f"{source.stem}-scored.{output_format}")
            report = score_source(self._loader, source, output, text_column, label_column)
            if not file and output_format in TEXT_FORMATS:
                report["content"] = output.read_text(encoding="utf-8")
            yield str(output), report  # Gradio copies the file before it asks for more


def build_api(loader: ClassifierLoader) -> None:
    """Add the endpoints to the surrounding `gr.Blocks`."""
    endpoints = Endpoints(loader)
    hidden: dict[str, Any] = {"visible": False}  # each by itself, or the browser loads its script
    with gr.Column(visible=False):
        public: dict[str, Any] = {"api_visibility": "public", "show_progress": "hidden"}
        gr.Button().click(
            endpoints.classify,
            [gr.Textbox(label="text"), build_list_input({"type": "string"}, "texts")],
            gr.JSON(label="verdict", **hidden),
            api_name="classify",
            **public,
        )
        gr.Button().click(
            endpoints.explain,
            [gr.Textbox(label="text"), gr.CheckboxGroup(list(METHODS), value=list(METHODS), label="methods", **hidden)],
            gr.JSON(label="explanation", **hidden),
            api_name="explain",
            **{**HEAVY, **public},
        )
        gr.Button().click(
            endpoints.score_file,
            [
                gr.File(label="file", **hidden),
                gr.Textbox("", label="text_column"),
                gr.Textbox("", label="label_column"),
                gr.Textbox("csv", label="output_format"),
                gr.Textbox("", label="csv_text"),
                build_list_input({"anyOf": [{"type": "string"}, {"type": "object"}]}, "rows"),
            ],
            [gr.File(label="scored file", **hidden), gr.JSON(label="report", **hidden)],
            api_name="score_file",
            concurrency_limit=1,
            concurrency_id=QUEUE,
            **public,
        )
