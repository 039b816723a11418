"""Choose the initial checkpoint and the schedule of a training where the user left them out."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import torch
from torch import nn

from ..checkpoint import PRETRAINED, load_config, load_text_encoder, read_metrics, resolve
from ..data.sources import distinct_names
from ..modeling import SentimentGRUForSequenceClassification
from ..token_counts import TokenCounter
from .options import SHIPPED, TrainingOptions

ARCHITECTURE = ("cell", "bidirectional", "pooling", "embedding_size", "hidden_size", "num_layers", "vocab_size")
# Ends of other names of datasets that checkpoints of `make train-release` have read.
OTHER_NAMES = {"tweets": ("tweet_eval:sentiment", "tweet_sentiment")}
MAX_UNKNOWN = 0.15  # of the tokens: AG News, full of names, has 0.07; German has over 0.5
NEW_HEAD = 0.02  # standard deviation of the weights of new rows of the head
MAX_READ = 5_000  # texts whose tokens are counted


@dataclass(frozen=True)
class Schedule:
    """Values of the options that depend on the number of training texts, up to `texts` of them."""

    texts: float
    epochs: float
    patience: int
    batch_size: int
    learning_rate: float


# Measured on TREC, Banking77 and AG News: see EXPERIMENTS.md, 2026-11-29.
SCHEDULES = (
    Schedule(5_000, epochs=15.0, patience=5, batch_size=32, learning_rate=4e-3),
    Schedule(float("inf"), epochs=4.0, patience=2, batch_size=32, learning_rate=2e-3),
)


def fill_schedule(options: TrainingOptions, texts: float = float("inf")) -> TrainingOptions:
    """Return options whose epochs, patience, batch size and learning rate are set.

    Args:
        options: Options of the training; what the user set is kept.
        texts: Number of training texts, on which the others depend.
    """
    schedule = next(schedule for schedule in SCHEDULES if texts <= schedule.texts)
    names = [field.name for field in fields(Schedule) if field.name != "texts"]
    return replace(options, **{name: getattr(schedule, name) for name in names if getattr(options, name) is None})


def choose_start(
    options: TrainingOptions, texts: Sequence[str], datasets: Collection[str]
) -> tuple[TrainingOptions, str]:
    """Choose between the shipped checkpoint and random weights, unless the options say it.

    Args:
        options: Options of the training.
        texts: Training texts.
        datasets: Names of the datasets.

    Returns:
        The options with the initial checkpoint, if any, and a phrase on what it is and why.
    """
    if options.init_from:
        return options, f"{options.init_from}, as --init-from says"
    if options.from_scratch:
        return options, "random weights, as --from-scratch says"
    if named := named_architecture(options):
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in named)
        return options, f"random weights, because of {flags}"
    if read := sorted(set(datasets) & set(datasets_read(SHIPPED, options.dataset))):
        return options, f"random weights, because the shipped checkpoint has read {', '.join(read)}"
    share = unknown_share(texts)
    if share > MAX_UNKNOWN:
        return options, f"random weights, because the shipped checkpoint does not know {share:.0%} of the tokens"
    return (
        replace(options, init_from=SHIPPED),
        f"the shipped checkpoint, which knows {1 - share:.0%} of the tokens; --from-scratch starts without it",
    )


def named_architecture(options: TrainingOptions) -> list[str]:
    """Return the options of the architecture that differ from their defaults."""
    plain = {field.name: field.default for field in fields(options)}
    return [name for name in (*ARCHITECTURE, "subwords") if getattr(options, name) != plain[name]]


def choose_linear_units(options: TrainingOptions, texts: int) -> TrainingOptions:
    """Return options that say whether linear units are built in, if the user did not."""
    if options.linear_units is not None:
        return options
    plain = not named_architecture(options) and options.init_from in (None, SHIPPED) and not options.multi_label
    return replace(options, linear_units=plain and texts <= SCHEDULES[0].texts)


def datasets_read(init_from: str | None, sources: Sequence[str] = ()) -> list[str]:
    """Return the names of the datasets that a checkpoint was trained on, as its metrics state them.

    Args:
        init_from: Checkpoint, or None.
        sources: Datasets of this training; the names of those that the checkpoint has read under another are added.
    """
    read = list(read_metrics(initial_folder(init_from)).get("datasets", {})) if init_from else []
    ends = tuple(end for name in read for end in OTHER_NAMES.get(name, ()))
    named = zip(distinct_names(sources), sources, strict=True)
    return read + [name for name, source in named if ends and source.rstrip("/").endswith(ends)]


def unknown_share(texts: Sequence[str]) -> float:
    """Return the share of words that the vocabulary of the shipped checkpoint lacks; it may have pieces of them."""
    encoder = load_text_encoder(PRETRAINED)
    counter = TokenCounter(encoder.get_vocab(), load_config(PRETRAINED).unk_token_id)
    some = texts[:: -(-len(texts) // MAX_READ)]
    counts = list(counter.count([encoding.ids for encoding in encoder.encode_batch_fast(list(some))]))
    words = sum(count.tokens - count.pieces for count in counts)
    return sum(count.unknown + count.split_words for count in counts) / words if words else 1.0


def initial_folder(init_from: str) -> Path:
    """Return the folder of an initial checkpoint.

    Raises:
        CheckpointError: There is no such checkpoint.
    """
    return resolve(None if init_from == SHIPPED else init_from)


def replace_head(model: SentimentGRUForSequenceClassification, labels: Sequence[str]) -> None:
    """Give a model these C labels: rows of the head that belong to a label it knows are kept, others are drawn.

    Args:
        model: Model, which is changed.
        labels: Names of the labels, in the order of their ids.
    """
    known, head = model.config.labels, model.classifier
    model.classifier = nn.Linear(head.in_features, len(labels))
    nn.init.normal_(model.classifier.weight, std=NEW_HEAD)
    nn.init.zeros_(model.classifier.bias)
    with torch.no_grad():
        for row, label in enumerate(labels):
            if label in known:
                model.classifier.weight[row] = head.weight[known.index(label)]
                model.classifier.bias[row] = head.bias[known.index(label)]
    model.config.id2label = dict(enumerate(labels))
    model.config.label2id = {label: row for row, label in enumerate(labels)}
