"""Make the shipped checkpoint from its datasets.

python -m sentiment_gru.distillation --imdb IMDB --sst2 SST2 --tweets TWEETS --work out/release --output-dir OUT

Each stage's result stays in the work folder; the same command goes on where it was stopped. With `--stage` one of them
runs alone, so that several cores can train the students of several seeds side by side.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ..errors import SentimentError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stages that are not done yet."""
    parser = argparse.ArgumentParser(prog="python -m sentiment_gru.distillation", description=main.__doc__)
    for name in ("imdb", "sst2", "tweets"):
        parser.add_argument(f"--{name}", required=True, help="Hub id or local folder")
    parser.add_argument("--work", required=True, type=Path, help="folder of the stages' results")
    parser.add_argument("--output-dir", required=True, type=Path, help="folder of the checkpoint")
    parser.add_argument(
        "--seeds", type=int, nargs="+", default=[0, 1, 2], help="of the last students of the first round"
    )
    parser.add_argument("--stage", help="run this stage alone")
    options = parser.parse_args(arguments)
    from .recipe import Recipe, Sources  # seconds of imports

    sources = Sources(options.imdb, options.sst2, options.tweets)
    try:
        Recipe(sources, options.work, options.output_dir, options.seeds).run(options.stage)
    except SentimentError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
