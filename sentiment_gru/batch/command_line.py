"""Score a file on the command line: the options of `python -m sentiment_gru --file`."""

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

from ..classifier import SentimentClassifier
from ..errors import OptionsError
from ..labels import parse_label_map
from .reading import SUFFIXES, open_table
from .report import Report
from .run import check_output, score_table
from .writing import OUTPUT_SUFFIXES


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that go with a file."""
    group = parser.add_argument_group("files")
    group.add_argument("--file", type=Path, metavar="IN", help=f"score a file ({' '.join(SUFFIXES)}) into --output")
    group.add_argument("--output", type=Path, metavar="OUT", help=f"where to write it ({' '.join(OUTPUT_SUFFIXES)})")
    group.add_argument("--text-column", metavar="C", help="column of the texts; a usual name is found if not given")
    group.add_argument("--label-column", metavar="L", help="column of labels to compare the verdicts with")
    group.add_argument("--label-map", default="", metavar="MAP", help="as in '1,2=negative;3=neutral;4,5=positive'")
    group.add_argument("--force", action="store_true", help="replace the file that is to be written")
    group.add_argument(
        "--header",
        action=argparse.BooleanOptionalAction,
        help="whether the first row of CSV, TSV or XLSX holds the names of the columns; found out if not given",
    )


def check_options(options: argparse.Namespace) -> None:
    """Refuse options that contradict each other.

    Raises:
        OptionsError: which ones.
    """
    if options.file is None:
        used = [name for name in ("output", "text_column", "label_column", "label_map", "force") if vars(options)[name]]
        if used:
            raise OptionsError(f"--{used[0].replace('_', '-')} goes with --file")
    elif options.output is None:
        raise OptionsError("--file needs an --output to write to")
    elif options.text or options.json:
        raise OptionsError("--file goes with neither texts nor --json; for JSON lines, let --output end in .jsonl")
    elif options.label_map and not options.label_column:
        raise OptionsError("--label-map goes with --label-column")


def score_file(options: argparse.Namespace) -> None:
    """Score `options.file` with a bar that shows rows per second and the time left, then print what came of it.

    Raises:
        SentimentError: the file, a column, the output or the model cannot be used.
    """
    label_map = parse_label_map(options.label_map)
    table = open_table(options.file, header=options.header)
    text_column = options.text_column or table.likely_text_column()
    table.index(text_column, "text column")
    check_output(options.output, options.file, options.force)
    for note in table.notes:
        print(note, file=sys.stderr)
    run = score_table(
        SentimentClassifier.from_pretrained(options.model),
        table,
        text_column,
        options.output,
        label_column=options.label_column,
        label_map=label_map,
        force=options.force,
    )
    with tqdm(total=table.rows, unit=" rows", unit_scale=True) as bar:
        for progress in run:
            bar.update(progress.rows - bar.n)
    assert progress.report is not None
    print("\n".join([*_lines(progress.report), f"Written to {options.output} (texts: column {text_column!r})."]))


def _lines(report: Report) -> list[str]:
    """Return what came of a file, line by line."""
    shares = ", ".join(f"{label} {count:,}" for label, count in report.labels.items())
    lines = [f"{report.scored:,} of {report.rows:,} rows scored: {shares}; {report.uncertain:,} uncertain."]
    lines += [f"{count:,} not scored: {error}." for error, count in report.errors.items()]
    grading = report.grading
    if grading is None:
        return lines
    if grading.accuracy is None:
        return [*lines, f"No label of the file is one of the model's: {', '.join(grading.verdicts)}."]
    lines.append(
        f"Against {grading.rows:,} labels: accuracy {grading.accuracy:.1%}, macro-F1 {grading.macro_f1:.3f},"
        f" calibration error {grading.calibration_error:.3f}."
    )
    if grading.among_present is not None:
        lines.append(f"Accuracy among {' and '.join(grading.labels)} alone: {grading.among_present:.1%}.")
    width = max(map(len, [*grading.verdicts, "file \\ model"])) + 2
    lines.append("".join(f"{name:>{width}}" for name in ["file \\ model", *grading.verdicts]))
    for label, counts in zip(grading.labels, grading.confusion, strict=True):
        lines.append("".join(f"{cell:>{width}}" for cell in [label, *(f"{count:,}" for count in counts)]))
    return lines
