"""Train a GRU text classifier on any dataset of labelled texts.

    python train.py --dataset stanfordnlp/imdb --output-dir out/imdb --evaluate-test

A dataset is a Hub id, a local folder or a file; repeat `--dataset` to join several. `--dry-run` prints what would
happen. The output folder loads in the app (`MODEL=out/imdb make app`), on the command line
(`python -m sentiment_gru --model out/imdb`) and in transformers.
"""

import sys

from sentiment_gru.command_line import parse_options
from sentiment_gru.errors import SentimentError


def main() -> int:
    """Parse the command line, train, and say where the checkpoint is."""
    try:
        options = parse_options(__doc__)
        from sentiment_gru.sources import check_source

        for source in options.dataset:  # before the imports of the next line, which take seconds
            check_source(source)
        if options.dry_run:
            from sentiment_gru.plan import make_plan

            print(make_plan(options))
            return 0
        from sentiment_gru.training import train

        metrics = train(options)
    except SentimentError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"Checkpoint in {options.output_dir} after {metrics['minutes']} minutes.")
    for name, dataset in metrics["datasets"].items():
        for role in ("dev", "reported"):
            if role in dataset:
                low, high = dataset[role]["accuracy_interval"]
                print(f"{name:20} {role:9} accuracy {dataset[role]['accuracy']:.1%} ({low:.1%} to {high:.1%})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
