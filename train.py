"""Train a GRU text classifier on any dataset of labelled texts.

    python train.py --dataset stanfordnlp/imdb --output-dir out/imdb --evaluate-test

A dataset is a Hub id, a local folder or a file; repeat `--dataset` to join several. `--dry-run` prints what would
happen. The output folder loads in the app (`MODEL=out/imdb make app`), on the command line
(`python -m sentiment_gru --model out/imdb`) and in transformers. Several processes share the texts of each step;
several hosts need a common output folder:

    torchrun --standalone --nproc_per_node 2 train.py --dataset stanfordnlp/imdb --output-dir out/imdb

Ctrl-C ends a training early with a usable checkpoint; after that, or after a crash, the same command with `--resume`
continues it to the weights it would have had.
"""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sentiment_gru.errors import SentimentError

if TYPE_CHECKING:
    from sentiment_gru.training.options import TrainingOptions

INTERRUPTED = 130  # exit status of shells for Ctrl-C


def main() -> int:
    """Parse the command line, train, and print where the checkpoint is; return the exit status."""
    is_first = os.environ.get("LOCAL_RANK", "0") == "0"  # among the processes of torchrun on this host
    if not is_first:
        os.environ["HF_DATASETS_DISABLE_PROGRESS_BARS"] = "1"
    try:
        from sentiment_gru.training.options import parse_options  # raises an error without the extra 'train'

        return run(parse_options(__doc__))
    except SentimentError as error:
        if is_first:
            print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped at once; the output folder is unchanged.", file=sys.stderr)
        return INTERRUPTED


def run(options: "TrainingOptions") -> int:
    """Train, print the results and upload them if asked; return the exit status."""
    from sentiment_gru.data.sources import check_source

    for source in options.dataset:  # before the imports below, which take seconds
        check_source(source)
    if options.dry_run:
        from sentiment_gru.training.dry_run import make_plan

        print(make_plan(options))
        return 0
    if options.search:
        from sentiment_gru.training.search import describe_search, search

        found = search(options)
        print(describe_search(options, found))
        return INTERRUPTED if found.interrupted else 0
    from sentiment_gru.training.artifacts import check_login, push_to_hub
    from sentiment_gru.training.closing_report import describe_results
    from sentiment_gru.training.repeated_runs import train_folds, train_seeds
    from sentiment_gru.training.run import train

    if options.push_to_hub:
        check_login()
    if options.folds:
        metrics: dict[str, Any] | None = train_folds(options)
    else:
        metrics = train_seeds(options) if options.seeds else train(options)
    if metrics is None:  # this is not the first process of torchrun
        return 0
    print(describe_results(options.output_dir, metrics))
    if metrics["interrupted"]:
        return INTERRUPTED
    if options.push_to_hub:
        print(f"Uploaded: {push_to_hub(Path(options.output_dir), options.push_to_hub)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
