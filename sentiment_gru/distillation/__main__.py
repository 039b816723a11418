"""Make the shipped checkpoint from its datasets.

python -m sentiment_gru.distillation --teacher ENCODER --work out/release --output-dir OUT

Each stage's result stays in the work folder; the same command goes on where it was stopped. The amounts decide how
long it takes.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from ..errors import SentimentError
from .corpora import Sources
from .recipe import Amounts, Recipe, Setting, main_command

ENCODER = "sentence-transformers/all-MiniLM-L6-v2"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stages that are not done yet and print what each of them gave."""
    parser = argparse.ArgumentParser(prog="python -m sentiment_gru.distillation", description=main.__doc__)
    for field in fields(Sources):
        parser.add_argument(f"--{field.name.replace('_', '-')}", default=field.default, help="Hub id or local folder")
    parser.add_argument("--data", type=Path, help="folder that holds a folder of each corpus, in place of Hub ids")
    for field in fields(Amounts):
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=type(field.default), default=field.default)
    parser.add_argument("--teacher", default=ENCODER, help="Hub id or folder of a transformer encoder")
    parser.add_argument(
        "--start", help="Hub id or folder of the initial checkpoint, a GRU of reviews; without it, one is trained"
    )
    parser.add_argument("--held-out", nargs="*", default=[], help="files of texts that made sentences keep away from")
    parser.add_argument("--work", required=True, type=Path, help="folder of the stages' results")
    parser.add_argument("--output-dir", required=True, type=Path, help="folder of the checkpoint")
    parser.add_argument("--table", type=Path, help="JSON file of what each stage gave")
    parser.add_argument("--jobs", type=int, default=2, help="stages side by side")
    parser.add_argument("--stage", help="run this stage alone")
    parser.add_argument("--until", default="release", help="last stage; `release` alone reads the reported splits")
    options = parser.parse_args(arguments)
    names = {field.name: getattr(options, field.name) for field in fields(Sources)}
    if options.data:
        names = {name: str(options.data / (name if name != "tweets" else "tweet_sentiment")) for name in names}
    amounts = Amounts(**{field.name: getattr(options, field.name) for field in fields(Amounts)})
    setting = Setting(
        Sources(**names),
        options.teacher,
        options.work,
        options.output_dir,
        options.start,
        amounts,
        tuple(options.held_out),
    )
    recipe = Recipe(setting)
    try:
        if options.stage:
            recipe.run_stage(options.stage)
            return 0
        command = main_command() if arguments is None else [*main_command()[:3], *arguments]
        table = recipe.run(options.jobs, command, options.until)
    except SentimentError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for row in table:
        print(f"{row['stage']:20} {json.dumps({key: value for key, value in row.items() if key != 'stage'})}")
    if options.table:
        content = {"options": setting.portable_options(), "stages": table}
        options.table.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
