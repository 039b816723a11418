"""The API: what programs can ask of the app over HTTP or MCP. It has no visible part; Gradio documents it by itself.

Lengths and columns are checked in here, as whoever calls an endpoint sends what they like.
"""

from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import gradio as gr

from .batch.reading import open_table
from .batch.run import score_table
from .batch.scoring import MAX_CHARACTERS, Classify
from .batch_tab import LIMITS, QUEUE
from .errors import SentimentError
from .loading import ClassifierLoader


def classify_text(classify: Classify, text: object) -> dict[str, Any]:
    """Return a verdict as plain values, or raise a `gr.Error` whose message says what is wrong with the text."""
    if not isinstance(text, str) or not text.strip():
        raise gr.Error("text must be a string with at least one word", print_exception=False)
    if len(text) > MAX_CHARACTERS:
        raise gr.Error(f"text has {len(text):,} characters; up to {MAX_CHARACTERS:,} are read", print_exception=False)
    (prediction,) = classify([text])
    return {**asdict(prediction), "cannot_tell": prediction.cannot_tell, "warning": prediction.warning}


def build_api(loader: ClassifierLoader) -> None:
    """Add the endpoints to the surrounding `gr.Blocks`."""

    def classify(text: str) -> dict[str, Any]:
        """Say how a text feels, with the calibrated score of every label. Example: text = "Not bad at all.".

        Args:
            text: The text, of up to 200,000 characters.

        Returns:
            label, scores (of every label, they sum to 1), uncertain (whether such verdicts were often wrong),
            tokens, unknown_tokens, truncated_tokens, cannot_tell (no word of it is known), warning (or null).
        """
        return classify_text(loader, text)

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
