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

from .batch.command_line import add_options, check_options, score_file
from .classifier import Prediction, SentimentClassifier
from .errors import OptionsError, SentimentError
from .export import export_onnx

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
