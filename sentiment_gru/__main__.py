"""Classify texts on the command line.

python -m sentiment_gru "I loved it." "Dull."
python -m sentiment_gru --json < lines.txt
python -m sentiment_gru --file reviews.csv --text-column review --output scored.csv
python -m sentiment_gru --export-onnx model.onnx
python -m sentiment_gru score --engine ray reviews scored
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from tqdm import tqdm

from .classifier import Prediction, SentimentClassifier
from .errors import OptionsError, SentimentError, check_extra, run_command
from .files.job import check_output, score_table
from .files.readers import SUFFIXES, open_table
from .files.summary import Report
from .files.table import Limits
from .files.writers import OUTPUT_SUFFIXES
from .labels import parse_label_map
from .onnx_model import export_onnx
from .results import MultiLabelPrediction

if TYPE_CHECKING:
    from .files.folders import BlockResult

CHUNK_LINES = 1_000  # of standard input, scored together


@dataclass(frozen=True)
class FileOptions:
    """Options of scoring a file, as on the command line."""

    file: Path
    output: Path
    model: str | None
    text_column: str | None
    label_column: str | None
    label_map: str
    force: bool
    header: bool | None
    max_memory: int


def score_file(options: FileOptions) -> None:
    """Score a file with a progress bar, then print the report.

    Raises:
        SentimentError: The file, a column, the output or the model cannot be used.
    """
    check_extra("Scoring a file", "files", "pyarrow", "openpyxl", "xlsxwriter", "sklearn")
    label_map = parse_label_map(options.label_map)
    table = open_table(options.file, Limits(memory_megabytes=options.max_memory), options.header)
    text_column = options.text_column or table.likely_text_column()
    table.index(text_column, "text column")
    check_output(options.output, options.file, options.force)
    for note in table.notes:
        print(note, file=sys.stderr)
    classifier = SentimentClassifier.from_pretrained(options.model)
    if classifier.config.multi_label and options.label_column:
        raise OptionsError(
            "--label-column compares one verdict a row, but this model gives several; measure it with"
            f" python -m sentiment_gru.evaluation --model {options.model} --dataset {options.file}"
        )
    run = score_table(
        classifier,
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
    print("\n".join([*format_report(progress.report), f"Written to {options.output} (texts: column {text_column!r})."]))


def format_report(report: Report) -> list[str]:
    """Return the lines of a report."""
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


command = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@command.command(help="Print the verdict on every text, in order, or score a file, or write the model as ONNX.")
def classify(
    text: Annotated[list[str] | None, typer.Argument(help="texts; without any, one per line of standard input")] = None,
    model: Annotated[str | None, typer.Option(help="checkpoint folder or Hub id; by default the shipped one")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object per line")] = False,
    onnx_file: Annotated[
        Path | None, typer.Option("--export-onnx", metavar="FILE", help="write the model as one ONNX file")
    ] = None,
    file: Annotated[
        Path | None, typer.Option(metavar="IN", help=f"score a file ({' '.join(SUFFIXES)}) into --output")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="OUT", help=f"file to write ({' '.join(OUTPUT_SUFFIXES)})")
    ] = None,
    text_column: Annotated[
        str | None, typer.Option(metavar="C", help="column of the texts; detected if not given")
    ] = None,
    label_column: Annotated[
        str | None, typer.Option(metavar="L", help="column of labels to compare the verdicts with")
    ] = None,
    label_map: Annotated[str, typer.Option(metavar="MAP", help="as in '1,2=negative;3=neutral;4,5=positive'")] = "",
    force: Annotated[bool, typer.Option("--force", help="replace an existing output file")] = False,
    header: Annotated[
        bool | None, typer.Option(help="whether the first row of CSV, TSV or XLSX holds the column names; or detected")
    ] = None,
    max_memory: Annotated[
        int, typer.Option(metavar="MB", min=100, help="memory that reading the file may take")
    ] = Limits.memory_megabytes,
) -> None:
    """Run the command; the options are those of the command line."""
    if sys.stdin is not None:  # as in a job whose standard input is closed
        sys.stdin.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        if onnx_file is not None:
            if text or as_json or file:
                raise OptionsError("--export-onnx goes with neither texts nor --json nor --file")
            print(export_onnx(model, onnx_file, force))
        elif file is None:
            _refuse_file_options(
                output=output, text_column=text_column, label_column=label_column, label_map=label_map, force=force
            )
            if not text and sys.stdin is None:
                raise OptionsError("there is no text, and standard input is closed; give texts, or a file with --file")
            print_verdicts(model, text or (line.rstrip("\r\n") for line in sys.stdin), as_json)
        elif output is None:
            raise OptionsError("--file needs an --output to write to")
        elif text or as_json:
            raise OptionsError("--file goes with neither texts nor --json; for JSON lines, let --output end in .jsonl")
        elif label_map and not label_column:
            raise OptionsError("--label-map goes with --label-column")
        else:
            score_file(
                FileOptions(file, output, model, text_column, label_column, label_map, force, header, max_memory)
            )
    except SentimentError as error:
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(1) from error
    except KeyboardInterrupt as interrupt:
        print("stopped; no output was written or replaced", file=sys.stderr)
        raise typer.Exit(130) from interrupt
    except BrokenPipeError:  # the reader, such as head, has closed the pipe
        sys.stderr.close()


def _refuse_file_options(**options: object) -> None:
    """Raise OptionsError for an option that is given without --file."""
    used = [name for name, value in options.items() if value]
    if used:
        raise OptionsError(f"--{used[0].replace('_', '-')} goes with --file")


def print_verdicts(model: str | None, texts: Iterable[str], as_json: bool) -> None:
    """Print one line, or one JSON object, for each text."""
    format_line = format_json if as_json else format_row
    classifier = SentimentClassifier.from_pretrained(model)
    for text, prediction in classify_in_chunks(classifier, texts):
        print(format_line(text, prediction), flush=True)


def classify_in_chunks(classifier: SentimentClassifier, texts: Iterable[str]) -> Iterator[tuple[str, Prediction]]:
    """Yield texts with their predictions, in order."""
    remaining = iter(texts)
    while chunk := list(islice(remaining, CHUNK_LINES)):
        yield from zip(chunk, classifier(chunk), strict=True)


def format_json(text: str, prediction: Prediction) -> str:
    """Return a text and its prediction as a JSON object."""
    fields = asdict(prediction) | {"cannot_tell": prediction.cannot_tell, "warning": prediction.warning}
    return json.dumps({"text": text, **fields}, ensure_ascii=False)


def format_row(text: str, prediction: Prediction) -> str:
    """Return labels, scores, note and text in columns, with the warning on a second line."""
    note = "cannot tell" if prediction.cannot_tell else "uncertain" if prediction.uncertain else ""
    shown = text if len(text) <= 60 else text[:59] + "…"
    if isinstance(prediction, MultiLabelPrediction):
        given = ", ".join(f"{label} {prediction.scores[label]:.0%}" for label in prediction.labels) or "no label"
        line = f"{given:30}  {note:11}  {shown!r}"
    else:
        line = f"{prediction.label:10} {prediction.scores[prediction.label]:4.0%}  {note:11}  {shown!r}"
    return line if prediction.warning is None else f"{line}\n{'':17}{prediction.warning}"


score_command = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@score_command.command(help="Score every row of a folder of Parquet or JSON lines files; a second run resumes.")
def score(
    source: Annotated[str, typer.Argument(metavar="INPUT", help="folder or address, such as s3://bucket/reviews")],
    target: Annotated[str, typer.Argument(metavar="OUTPUT", help="folder or address of the results")],
    engine: Annotated[
        Literal["local", "ray"], typer.Option(help="this process, or a Ray cluster with a model for each core")
    ] = "local",
    model: Annotated[str | None, typer.Option(help="checkpoint folder or Hub id; by default the shipped one")] = None,
    text_column: Annotated[
        str, typer.Option(metavar="C", help="column of the texts; by default one with a usual name")
    ] = "",
    workers: Annotated[
        int | None, typer.Option(min=1, help="most workers of Ray; by default the cores of the cluster")
    ] = None,
    address: Annotated[
        str | None, typer.Option(help="Ray cluster; by default RAY_ADDRESS, or a new one on this machine")
    ] = None,
) -> None:
    """Run the command; the options are those of the command line."""
    try:
        check_extra("Scoring a folder", "files", "pyarrow")
        if engine == "local" and (workers or address):
            raise OptionsError(f"--{'workers' if workers else 'address'} goes with --engine ray")
        if "://" not in source + target and Path(target).resolve().is_relative_to(Path(source).resolve()):
            raise OptionsError(f"{target} is in {source}, whose files are scored; name a folder elsewhere")
        from .files.folders import FolderJob, score_folder, score_locally

        job = FolderJob(source, target, model, text_column)
        if engine == "local":
            results = score_folder(job, score_locally)
        else:
            from .files.ray_engine import score_on_ray

            results = score_folder(job, lambda job, blocks: score_on_ray(job, blocks, workers, address))
        problems = print_blocks(results)
    except SentimentError as error:
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(1) from error
    except KeyboardInterrupt as interrupt:
        print("stopped; the same command continues", file=sys.stderr)
        raise typer.Exit(130) from interrupt
    if problems:
        raise typer.Exit(1)


def print_blocks(results: "Iterator[tuple[int, int, BlockResult | None]]") -> int:
    """Show the progress of scoring a folder, then its counts and problems; return the number of problems."""
    labels: Counter[str] = Counter()
    errors: Counter[str] = Counter()
    problems: dict[str, None] = {}
    before = None
    rows = 0
    with tqdm(unit=" blocks") as bar:
        for total, done, result in results:
            before = done if before is None else before
            bar.total = total
            bar.update(done - bar.n)
            if result:
                rows += result.rows
                labels.update(result.labels)
                errors.update(result.errors)
                problems |= {result.problem: None} if result.problem else {}
    shares = ", ".join(f"{label} {count:,}" for label, count in labels.most_common())
    scored = f"{rows - errors.total():,} rows scored{f': {shares}' if shares else ''}"
    print(f"{scored}; {before:,} of {total:,} blocks were done.")
    for reason, count in errors.items():
        print(f"{count:,} not scored: {reason}.")
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    return len(problems)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    # "score" alone, or before other texts, is a text to classify.
    folder = len(given) > 1 and (Path(given[1]).is_dir() or "://" in given[1])
    if given[:1] == ["score"] and (folder or any(name.startswith(("--engine", "--help")) for name in given)):
        return run_command(score_command, "python -m sentiment_gru score", given[1:])
    return run_command(command, "python -m sentiment_gru", arguments)


def quiz() -> int:
    """Run the command line of the quiz, as `gru-quiz` does, and return its exit status."""
    try:
        check_extra("The quiz", "quiz", "jsonschema", "sqlalchemy", "jinja2", "lxml", "markdownify", "torch")
    except SentimentError as error:
        sys.exit(f"error: {error}")
    from quiz.__main__ import main as run_quiz

    return run_quiz()


def serve() -> None:
    """Serve the app, as `gru-studio` does."""
    try:
        check_extra("The app", "app", "gradio", "pydantic_settings", "itsdangerous", "torch", "sqlalchemy")
    except SentimentError as error:
        sys.exit(f"error: {error}")
    from .web.server import main as serve_app

    serve_app()


if __name__ == "__main__":
    sys.exit(main())
