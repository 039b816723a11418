"""Measure a checkpoint on the dev or the reported texts of the recipe's eight corpora.

python benchmarks/corpora.py ../shared/data --model out/release/calibrate/checkpoint

Macro recall is over the labels that a corpus has; where it has neutral texts only, it is the share called neutral. The
reported texts are for released models alone.
"""

import argparse
import json
import sys
from dataclasses import asdict, fields
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from sentiment_gru import SentimentClassifier
from sentiment_gru.distillation.corpora import Sources, read_sources
from sentiment_gru.metrics import evaluate

FOLDERS = {"tweets": "tweet_sentiment"}


def main() -> int:
    """Measure, print a table, and write the figures if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?", help="folder with a folder of each corpus; by default the Hub")
    parser.add_argument("--model", help="checkpoint folder or Hub id; by default the shipped one")
    parser.add_argument("--role", choices=["dev", "reported"], default="dev")
    parser.add_argument("--json", type=Path, help="file for the figures")
    options = parser.parse_args()
    sources = sources_in(options.data) if options.data else Sources()
    classifier = SentimentClassifier.from_pretrained(options.model)
    figures = {}
    for corpus in read_sources(sources):
        split = getattr(corpus, options.role)
        found = evaluate(classifier.logits(split.texts), split, classifier.labels, classifier.config.uncertain_below)
        figures[corpus.name] = asdict(found)
        low, high = found.macro_recall_interval
        print(
            f"{corpus.name:14} {found.texts:6,} texts  accuracy {found.accuracy:.1%}  macro recall"
            f" {found.macro_recall:.1%} ({low:.1%} to {high:.1%})  uncertain {found.uncertain:.1%}"
        )
    if options.json:
        options.json.write_text(
            json.dumps({"role": options.role, "corpora": figures}, indent=1) + "\n", encoding="utf-8"
        )
    return 0


def sources_in(folder: Path) -> Sources:
    """Return the corpora that stand in a folder."""
    return Sources(**{field.name: str(folder / FOLDERS.get(field.name, field.name)) for field in fields(Sources)})


if __name__ == "__main__":
    sys.exit(main())
