"""The effect of each part of the recipe's short texts: small students that differ in one part, measured on dev.

    python benchmarks/parts.py ../shared/data --work out/parts [--judged out/release] [--steps 1500]

Every student starts from the same random weights and reads as many texts: phrases of SST-2 and tweets; then also the
corpora with neutral texts; then also made sentences; then also twins of texts (counterfactual logit pairing); and with
`--judged`, the work folder of a recipe, also the opinions and sentences of its encoder. Reviews are left out. Figures
are macro recalls on dev and failures in the development half of the behaviour suite, never reported or frozen texts.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is loaded

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from transformers import set_seed

from benchmarks.behaviour import classify_with_checkpoint, score_half
from benchmarks.corpora import sources_in
from sentiment_gru.checkpoint import save_checkpoint
from sentiment_gru.data.soft_labels import SoftLabels, read_soft_labels
from sentiment_gru.data.splits import Corpus
from sentiment_gru.distillation.grammar import Grammar
from sentiment_gru.distillation.student import train_on_soft_labels
from sentiment_gru.distillation.texts import REVIEWS, corpora_of, drawn
from sentiment_gru.labels import POLES
from sentiment_gru.modeling import SentimentGRUForSequenceClassification
from sentiment_gru.tokenization import train_tokenizer
from sentiment_gru.training.options import TrainingOptions
from sentiment_gru.training.run import build_config

BEFORE = ("sst2", "tweets")
TEXTS, MADE, BATCH = 12_000, 12_000, 64
CERTAINTY = 0.95  # of a made sentence's label


def main() -> int:
    """Train the students one after the other and write their figures as they come."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder with a folder of each corpus")
    parser.add_argument("--work", type=Path, required=True, help="folder of the students")
    parser.add_argument("--judged", type=Path, help="work folder of a recipe whose encoder has judged its texts")
    parser.add_argument("--steps", type=int, default=1_500, help="of each training, at 64 texts")
    parser.add_argument("--json", type=Path, default=Path("benchmarks/results/parts.json"))
    options = parser.parse_args()
    corpora = [cut(corpus) for corpus in corpora_of(sources_in(options.data)) if corpus.name != REVIEWS]
    made = made_sentences()
    start = start_network(options.work, [text for corpus in corpora for text in corpus.train.texts] + made.texts)
    parts: dict[str, tuple[list[Corpus], list[SoftLabels], float]] = {
        "SST-2 and tweets": ([silenced(corpus, BEFORE) for corpus in corpora], [], 0.0),
        "and neutral data": (corpora, [], 0.0),
        "and made sentences": (corpora, [made], 0.0),
        "and pairing": (corpora, [made], 1.0),
    }
    if options.judged:
        paths = sorted(options.judged.glob("label-sentences-*/sentences.parquet"))
        parts["and the teacher"] = (corpora, [made, *map(read_soft_labels, paths)], 1.0)
    figures: dict[str, Any] = {"steps": options.steps, "students": {}}
    for name, (known, soft, pairing) in parts.items():
        folder = options.work / name.replace(" ", "-")
        if not (folder / "metrics.json").is_file():
            train(folder, start, known, soft, pairing, options.steps)
        figures["students"][name] = measure(folder)
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        print(name, json.dumps(figures["students"][name]), flush=True)
    return 0


def cut(corpus: Corpus) -> Corpus:
    """Keep at most `TEXTS` training texts."""
    return replace(corpus, train=corpus.train.take(drawn(range(len(corpus.train)), TEXTS)))


def silenced(corpus: Corpus, kept: Sequence[str]) -> Corpus:
    """Return a corpus with its dev texts, and with its training texts only if it is one of those kept."""
    return corpus if corpus.name in kept else replace(corpus, train=corpus.train.take([]))


def made_sentences() -> SoftLabels:
    """Return sentences of the grammar with their labels."""
    made = Grammar(seed=0).sentences(MADE)
    scores = np.array(
        [[CERTAINTY if label == pole else (1 - CERTAINTY) / 2 for pole in POLES] for label in made.values()]
    )
    return SoftLabels("made", list(made), list(POLES), scores)


def start_network(work: Path, texts: Sequence[str]) -> Path:
    """Write the random weights from which every student starts, with the words of all of their texts."""
    folder = work / "start"
    if not (folder / "config.json").is_file():
        set_seed(0)
        options = TrainingOptions(str(folder), ["none"], embedding_size=72, hidden_size=128)
        tokenizer = train_tokenizer(texts, 30_000)
        network = SentimentGRUForSequenceClassification(build_config(options, len(tokenizer), POLES))
        save_checkpoint(network, tokenizer, folder)
    return folder


def train(
    folder: Path, start: Path, corpora: Sequence[Corpus], soft: Sequence[SoftLabels], pairing: float, steps: int
) -> None:
    """Train a student for about so many steps."""
    count = sum(len(corpus.train) for corpus in corpora) + sum(map(len, soft))
    options = TrainingOptions(
        str(folder),
        [corpus.name for corpus in corpora],
        init_from=str(start),
        epochs=steps * BATCH / count,
        batch_size=BATCH,
        patience=99,
        report=False,
    )
    train_on_soft_labels(options, corpora, soft, pairing)


def measure(folder: Path) -> dict[str, Any]:
    """Return macro recalls on dev and failures in the development half of the behaviour suite, in percent."""
    sets = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["datasets"]
    behaviour = score_half("development", classify_with_checkpoint(str(folder)))
    dev = {name: round(100 * found["dev"]["macro_recall"], 1) for name, found in sets.items()}
    return dev | {"behaviour": behaviour}


if __name__ == "__main__":
    sys.exit(main())
