"""Train one configuration with the program's own recipe, and measure it on dev.

Dev chooses nothing here: neither the number of epochs nor the checkpoint (the last one is kept), so its accuracy is
that of unseen texts. Recipe and rate are the defaults of `train.py`, which were chosen for a GRU.
"""

import hashlib
import time
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from transformers import TrainerCallback

from sentiment_gru import SentimentClassifier
from sentiment_gru.checkpoint import TOKENIZER
from sentiment_gru.data.splits import TextSplit
from sentiment_gru.tokenization import keep_ends
from sentiment_gru.training.datasets import prepare_corpora
from sentiment_gru.training.options import TrainingOptions
from sentiment_gru.training.output_folder import RunFolder
from sentiment_gru.training.run import train

from .results import WORK, describe, is_done, load_average, pack, share, write_result
from .runs import EMBEDDING, Configuration

TOKENS, EPOCHS, QUARTERS = 200, 2, 4


class Watch(TrainerCallback):
    """Measure the time of the epochs, without evaluation, and keep the last checkpoint rather than the best on dev."""

    def __init__(self) -> None:
        self.steps, self.seconds, self.cpu_seconds = 0, 0.0, 0.0

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Start the clocks; a resumed run starts within an epoch."""
        self.started = state.global_step, time.perf_counter(), time.process_time()

    def on_epoch_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Stop the clocks."""
        step, seconds, cpu_seconds = self.started
        self.steps += state.global_step - step
        self.seconds += time.perf_counter() - seconds
        self.cpu_seconds += time.process_time() - cpu_seconds

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Forget the former score, so that the newest checkpoint is the best."""
        state.best_metric = None

    def per_epoch(self, steps: int) -> dict[str, float | None]:
        """Return seconds of an epoch of so many steps, on the clock and of the processor; None if none was seen."""
        seen = {"seconds_per_epoch": self.seconds, "cpu_seconds_per_epoch": self.cpu_seconds}
        return {name: round(total * steps / self.steps, 1) if self.steps else None for name, total in seen.items()}


def settings_of(configuration: Configuration, seed: int) -> dict[str, Any]:
    """Return what shapes a training, besides the defaults of `train.py`."""
    return {
        "cell": configuration.cell,
        "hidden_size": configuration.hidden,
        "bidirectional": configuration.bidirectional,
        "pooling": configuration.pooling,
        "embedding_size": EMBEDDING,
        "train_tokens": TOKENS,
        "epochs": EPOCHS,
        "seed": seed,
    }


def train_run(
    name: str, configuration: Configuration, seed: int, imdb: str, path: Path, work: Path = WORK, **changes: Any
) -> bool:
    """Train and measure unless the result file is there; a run that was killed goes on from its last checkpoint.

    Args:
        name: of the run.
        configuration: of the network.
        seed: of weights and order.
        imdb: Hub id, folder or file.
        path: the result file.
        work: folder of the checkpoints.
        changes: further options of the training, for tests.

    Returns:
        Whether the run was not there yet and is now.
    """
    settings = settings_of(configuration, seed) | changes
    if is_done(path, settings):
        return False
    options = TrainingOptions(output_dir=str(work / name), dataset=[imdb], report=False, **settings)
    watch, load = Watch(), load_average()
    metrics = train(replace(options, resume=RunFolder(options).record.is_file()), callbacks=[watch])
    if metrics is None or metrics["interrupted"]:
        raise KeyboardInterrupt
    split = dev_texts(imdb)
    result = describe("train", f"{', '.join(metrics['datasets'])}: train less dev, and dev (rule of data/splits.py)")
    result |= {"run": name, "configuration": configuration.name, "equal": configuration.equal, "settings": settings}
    result |= {
        "recurrent_parameters": configuration.recurrent_parameters,
        "parameters": metrics["parameters"],
        "train_texts": next(iter(metrics["datasets"].values()))["train_texts"],
        "steps": metrics["steps"],
        **watch.per_epoch(metrics["steps"] // settings["epochs"]),
        "load": [load, load_average()],
        "dev": measure(SentimentClassifier.from_pretrained(work / name), split, settings["train_tokens"]),
        "tokenizer": hashlib.sha256((work / name / TOKENIZER).read_bytes()).hexdigest(),
        "commit": metrics["commit"],
    }
    write_result(path, result)
    return True


@cache
def dev_texts(imdb: str) -> TextSplit:
    """Return the dev texts under the split rule, as a training sees them."""
    (corpus,) = prepare_corpora(TrainingOptions(dataset=[imdb], dry_run=True))
    return corpus.dev


def measure(classifier: SentimentClassifier, split: TextSplit, tokens: int) -> dict[str, Any]:
    """Return the accuracy on texts cut to their first and last half of `tokens`, over all and by uncut length."""
    encoded = classifier.encode(split.texts)
    logits = classifier.logits((), [keep_ends(ids, tokens) for ids in encoded])
    verdicts = [classifier.labels[i] for i in logits.argmax(axis=1)]
    right = np.array([a == b for a, b in zip(verdicts, split.labels, strict=True)])
    lengths = np.array([len(ids) for ids in encoded])
    edges = np.quantile(lengths, np.arange(1, QUARTERS) / QUARTERS)
    quarters = np.searchsorted(edges, lengths)
    by_length = [
        {"tokens": [int(lengths[rows].min()), int(lengths[rows].max())]} | share(right[rows])
        for rows in (quarters == quarter for quarter in range(QUARTERS))
        if rows.any()
    ]
    return share(right) | {"by_length": by_length, "right": pack(right)}
