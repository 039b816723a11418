"""Classify texts on the command line.

python -m sentiment_gru "I loved it." "Dull."
python -m sentiment_gru --json < lines.txt
python -m sentiment_gru --file reviews.csv --text-column review --output scored.csv
python -m sentiment_gru --export-onnx model.onnx
"""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path

from tqdm import tqdm

from .classifier import Prediction, SentimentClassifier
from .errors import OptionsError, SentimentError
from .files.job import check_output, score_table
from .files.readers import SUFFIXES, open_table
from .files.summary import Report
from .files.writers import OUTPUT_SUFFIXES
from .labels import parse_label_map
from .onnx_model import export_onnx


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


CHUNK = 1_000  # lines of standard input scored at a time


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the verdict on every text, in order, or score a file, or write the model as ONNX."""
    parser = argparse.ArgumentParser(prog="python -m sentiment_gru", description=main.__doc__)
    parser.add_argument("text", nargs="*", help="texts; without any, one a line from standard input")
    parser.add_argument("--model", help="checkpoint folder or Hub id; by default the shipped one")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    parser.add_argument("--export-onnx", type=Path, metavar="FILE", help="write the model as one ONNX file")
    add_options(parser)
    options = parser.parse_args(arguments)
    sys.stdin.reconfigure(errors="replace")  # type: ignore[union-attr]
    texts: Iterable[str] = options.text or (line.rstrip("\r\n") for line in sys.stdin)
    show = _json_line if options.json else _table_line
    try:
        if options.export_onnx is not None:
            print(_export(options))
            return 0
        check_options(options)
        if options.file is not None:
            score_file(options)
            return 0
        classifier = SentimentClassifier.from_pretrained(options.model)
        for text, prediction in _classify(classifier, texts):
            print(show(text, prediction), flush=True)
    except SentimentError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; no output was written or replaced", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader, such as head, has seen enough
        sys.stderr.close()
    return 0


def _export(options: argparse.Namespace) -> str:
    if options.text or options.json or options.file:
        raise OptionsError("--export-onnx goes with neither texts nor --json nor --file")
    return export_onnx(options.model, options.export_onnx, options.force)


def _classify(classifier: SentimentClassifier, texts: Iterable[str]) -> Iterator[tuple[str, Prediction]]:
    remaining = iter(texts)
    while chunk := list(islice(remaining, CHUNK)):
        yield from zip(chunk, classifier(chunk), strict=True)


def _json_line(text: str, prediction: Prediction) -> str:
    fields = asdict(prediction) | {"cannot_tell": prediction.cannot_tell, "warning": prediction.warning}
    return json.dumps({"text": text, **fields}, ensure_ascii=False)


def _table_line(text: str, prediction: Prediction) -> str:
    note = "cannot tell" if prediction.cannot_tell else "uncertain" if prediction.uncertain else ""
    shown = text if len(text) <= 60 else text[:59] + "…"
    line = f"{prediction.label:10} {prediction.scores[prediction.label]:4.0%}  {note:11}  {shown!r}"
    return line if prediction.warning is None else f"{line}\n{'':17}{prediction.warning}"


if __name__ == "__main__":
    sys.exit(main())
