"""The API for programs, over HTTP or MCP. Gradio documents it from the docstrings of the endpoints.

The endpoints check lengths and columns themselves, as the limits of the page do not apply to them.
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
from ..files.writers import OUTPUT_SUFFIXES
from ..results import MAX_CHARACTERS
from .files_tab import LIMITS, QUEUE
from .gradio_compat import HEAVY
from .model_loader import ClassifierLoader

OUTPUT_FORMATS = [suffix.removeprefix(".") for suffix in OUTPUT_SUFFIXES]


def check_text(text: object) -> str:
    """Return the text if it can be judged.

    Raises:
        gr.Error: It is not a string, blank or too long.
    """
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
        """Classify the sentiment of a text. Example: text = "Not bad at all.".

        Args:
            text: The text, up to 200,000 characters.

        Returns:
            label, scores (calibrated, of every label; they sum to 1), uncertain (verdicts with such a score were often
            wrong), tokens, unknown_tokens, truncated_tokens, punctuation_tokens, cannot_tell (the text has no known
            word), warning (or null).
        """
        return classify_text(loader, text)

    def explain(text: str, methods: list[str]) -> dict[str, Any]:
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
            return loader.classifier().explain(check_text(text), methods).to_dict()
        except SentimentError as error:
            raise gr.Error(str(error), print_exception=False) from error

    def score_file(file: str, text_column: str, label_column: str, output_format: str) -> Any:
        """Score every row of a file of up to 50 MB and 100,000 rows. Example: text_column = "review".

        Args:
            file: CSV, TSV, XLSX, JSON Lines (.jsonl), Parquet, or one text per line (.txt).
            text_column: The column of the texts; empty to detect it.
            label_column: The column of labels to compare the verdicts with; empty for none.
            output_format: csv, tsv, xlsx, jsonl or parquet.

        Returns:
            The file with all its columns and the verdicts after them, and a report: rows, labels (rows per label),
            uncertain, errors (rows not scored, by reason), histogram, least_certain rows, grading (comparison with
            the labels).
        """
        if not file:
            raise gr.Error("file must be one that has been uploaded", print_exception=False)
        if output_format not in OUTPUT_FORMATS:
            raise gr.Error(f"output_format must be one of {', '.join(OUTPUT_FORMATS)}", print_exception=False)
        with TemporaryDirectory() as folder:
            try:
                table = open_table(Path(file), LIMITS)
                output = Path(folder, f"{Path(file).stem}-scored.{output_format}")
                column = text_column or table.likely_text_column()
                for step in score_table(loader, table, column, output, label_column=label_column or None):
                    report = step.report
            except SentimentError as error:
                raise gr.Error(str(error), print_exception=False) from error
            yield str(output), asdict(report) if report else None  # Gradio copies the file before it asks for more

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
            **{**HEAVY, **public},
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
