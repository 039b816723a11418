"""The API: what programs can ask of the app over HTTP or MCP. It has no visible part; Gradio documents it by itself.

Lengths and columns are checked in here, as whoever calls an endpoint sends what they like.
"""

from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import gradio as gr

from ..errors import SentimentError
from ..explanation import METHODS
from ..files.job import score_table
from ..files.readers import open_table
from ..files.scoring import Classify
from ..results import MAX_CHARACTERS
from .files_tab import LIMITS, QUEUE
from .model_loader import ClassifierLoader


def check_text(text: object) -> str:
    """Return a text that can be judged, or raise a `gr.Error` whose message says what is wrong with it."""
    if not isinstance(text, str) or not text.strip():
        raise gr.Error("text must be a string with at least one word", print_exception=False)
    if len(text) > MAX_CHARACTERS:
        raise gr.Error(f"text has {len(text):,} characters; up to {MAX_CHARACTERS:,} are read", print_exception=False)
    return text


def classify_text(classify: Classify, text: object) -> dict[str, Any]:
    """Return a verdict as plain values."""
    (prediction,) = classify([check_text(text)])
    return {**asdict(prediction), "cannot_tell": prediction.cannot_tell, "warning": prediction.warning}


def build_api(loader: ClassifierLoader) -> None:
    """Add the endpoints to the surrounding `gr.Blocks`."""

    def classify(text: str) -> dict[str, Any]:
        """Say how a text feels, with the calibrated score of every label. Example: text = "Not bad at all.".

        Args:
            text: The text, of up to 200,000 characters.

        Returns:
            label, scores (of every label, they sum to 1), uncertain (whether such verdicts were often wrong),
            tokens, unknown_tokens, truncated_tokens, punctuation_tokens, cannot_tell (no word of it is known), warning
            (or null).
        """
        return classify_text(loader, text)

    def explain(text: str, methods: list[str]) -> dict[str, Any]:
        """Say how the model comes to its verdict on a text. Example: text = "Not bad at all.", methods = ["as_read"].

        Args:
            text: The text, of up to 200,000 characters.
            methods: Some of "integrated_gradients", "leave_one_out" and "as_read", or none.

        Returns:
            prediction, target (label, and the one it is set against), tokens (with start and end in the text),
            logits and running scores (after 0, 1, ... tokens), gates (mean, 10% and 90% of r and z over units),
            attributions (by method), deletion (curves, and the mean of random orders), strides, proofs.
        """
        try:
            return loader.classifier().explain(check_text(text), methods).to_dict()
        except SentimentError as error:
            raise gr.Error(str(error), print_exception=False) from error

    def score_file(file: str, text_column: str, label_column: str, output_format: str) -> Any:
        """Score every row of a file of up to 50 MB and 100,000 rows. Example: text_column = "review".

        Args:
            file: CSV, TSV, XLSX, JSON lines (.jsonl), Parquet, or one text a line (.txt).
            text_column: The column of the texts; empty to find it.
            label_column: The column of labels to compare the verdicts with; empty for none.
            output_format: csv, tsv, xlsx, jsonl or parquet.

        Returns:
            The file with all its columns and the verdicts after them, and a report: rows, labels (how many got each),
            uncertain, errors (rows not scored, by reason), histogram, least_certain rows, grading (with labels).
        """
        if not file:
            raise gr.Error("file must be one that has been uploaded", print_exception=False)
        with TemporaryDirectory() as folder:
            try:
                table = open_table(Path(file), LIMITS)
                output = Path(folder, f"{Path(file).stem}-scored.{output_format}")
                column = text_column or table.likely_text_column()
                for step in score_table(loader, table, column, output, label_column=label_column or None):
                    report = step.report
            except SentimentError as error:
                raise gr.Error(str(error), print_exception=False) from error
            yield str(output), asdict(report) if report else None  # Gradio has copied the file when it asks for more

    with gr.Column(visible=False):
        public: dict[str, Any] = {"api_visibility": "public", "show_progress": "hidden"}
        gr.Button().click(
            classify,
            gr.Textbox(label="text"),
            gr.JSON(label="verdict"),
            api_name="classify",
            **public,
        )
        gr.Button().click(
            explain,
            [gr.Textbox(label="text"), gr.CheckboxGroup(list(METHODS), value=list(METHODS), label="methods")],
            gr.JSON(label="explanation"),
            api_name="explain",
            concurrency_limit=1,
            **public,
        )
        gr.Button().click(
            score_file,
            [
                gr.File(label="file"),
                gr.Textbox("", label="text_column"),
                gr.Textbox("", label="label_column"),
                gr.Textbox("csv", label="output_format"),
            ],
            [gr.File(label="scored file"), gr.JSON(label="report")],
            api_name="score_file",
            concurrency_limit=1,
            concurrency_id=QUEUE,
            **public,
        )
