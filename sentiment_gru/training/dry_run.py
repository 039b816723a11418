"""Describe a training without running it: data, vocabulary, model, steps and estimated time."""

import json
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from torch.nn.utils import clip_grad_norm_
from transformers import PreTrainedTokenizerFast, set_seed

from ..data.splits import Corpus, JoinedSplit, TextSplit, label_names
from ..modeling import SentimentGRUForSequenceClassification
from .datasets import find_warnings, join_train, prepare_corpora, prepare_soft_labels
from .initial import datasets_read
from .options import TrainingOptions
from .repeated_runs import assign_folds, join_texts
from .report import describe_device
from .run import build_trainer, start
from .trainer import LengthBucketSampler, SentimentTrainer

WARM_UP, TIMED = 2, 12  # steps
FORWARD_SHARE = 1 / 3  # of a training step's time, measured on CPU


def make_plan(options: TrainingOptions) -> str:
    """Return the plan of a training as lines of text.

    Raises:
        DatasetError: A dataset cannot be used.
    """
    set_seed(options.seed)
    corpora = prepare_corpora(options)
    labels = label_names(corpora)
    soft = prepare_soft_labels(options, corpora, labels)
    texts = join_train(corpora, soft)
    for corpus in corpora if options.folds else ():
        assign_folds(corpus.name, join_texts(corpus.train, corpus.dev).labels, options.folds)
    dev = JoinedSplit.join({corpus.name: corpus.dev for corpus in corpora})
    options, initial, tokenizer, origin = start(options, texts, corpora, labels)
    with tempfile.TemporaryDirectory() as folder:  # a trainer creates its folder when it is built
        trainer = build_trainer(
            replace(options, output_dir=str(Path(folder) / "plan")), tokenizer, labels, texts, dev, soft, initial
        )
        seconds = measure_step(trainer)
    lines = [line for corpus in corpora for line in describe_corpus(corpus, labels)]
    lines += [f"soft labels {part.name}: {len(part):,} texts" for part in soft]
    lines.append(f"start: {origin}")
    lines += describe_model(trainer.model, tokenizer)
    if options.linear_units:
        lines.append(f"linear units: {len(labels)}, built in after training")
    lines += _describe_time(options, trainer, seconds, corpora, texts)
    if options.search:
        lines.append(f"search: {options.search} such trainings at most, with other settings")
    if options.folds:
        lines.append(f"folds: {options.folds} such trainings, each without 1 in {options.folds} of the texts")
    lines += [
        f"careful: {warning}" for warning in find_warnings(corpora, datasets_read(options.init_from, options.dataset))
    ]
    return "\n".join([*lines, "Nothing was written."])


def describe_corpus(corpus: Corpus, labels: Sequence[str]) -> list[str]:
    """Return lines on the columns, rows and rules of a dataset."""
    splits = {"train": corpus.train, "dev": corpus.dev, "reported": corpus.reported or TextSplit([], [])}
    counts = {role: Counter(chain.from_iterable(split.label_sets)) for role, split in splits.items()}
    width = max(len(label) for label in [*labels, "label"])
    columns = f", columns {corpus.columns.text} and {corpus.columns.label}" if corpus.columns else ""
    removed = ", ".join(f"{count:,} {reason}" for reason, count in corpus.removed.items() if count)
    return [
        f"dataset {corpus.name}{columns}",
        f"  {'label':{width}} " + " ".join(f"{role:>9}" for role in splits),
        *(
            f"  {label:{width}} " + " ".join(f"{counts[role][label]:9,}" for role in splits)
            for label in labels
            if any(count[label] for count in counts.values())
        ),
        f"  {'all':{width}} " + " ".join(f"{len(split):9,}" for split in splits.values()),
        f"  dev: {corpus.rule['dev']}; reported: {corpus.rule.get('reported', 'nothing')}",
        f"  left out: {removed or 'nothing'}",
    ]


def describe_model(model: SentimentGRUForSequenceClassification, tokenizer: PreTrainedTokenizerFast) -> list[str]:
    """Return lines on vocabulary and size; a weight takes two bytes on disk."""
    words = json.dumps(json.loads(tokenizer.backend_tokenizer.to_str()), ensure_ascii=False, separators=(",", ":"))
    size = (2 * model.num_parameters() + len(words.encode())) / 1024
    return [
        f"vocabulary: {len(tokenizer):,} entries",
        f"model: {model.num_parameters():,} parameters, {size:,.0f} KiB on disk",
    ]


def measure_step(trainer: SentimentTrainer) -> float:
    """Return the mean time of a few training steps with batches of all lengths."""
    dataset, size = trainer.train_dataset, trainer.args.train_batch_size
    order = list(LengthBucketSampler(dataset.lengths, size, trainer.args.seed))
    batches = [order[start : start + size] for start in range(0, len(order), size)]
    batches.sort(key=lambda batch: max(dataset.lengths[i] for i in batch))
    chosen = [batches[(2 * i + 1) * len(batches) // (2 * TIMED)] for i in range(TIMED)]
    trainer.create_optimizer()
    for batch in chosen[:WARM_UP]:
        _step(trainer, batch)
    start = time.perf_counter()
    for batch in chosen:
        _step(trainer, batch)
    return (time.perf_counter() - start) / TIMED


def _step(trainer: SentimentTrainer, batch: Sequence[int]) -> None:
    inputs = trainer.data_collator([trainer.train_dataset[i] for i in batch]).to(trainer.args.device)
    trainer.compute_loss(trainer.model.train(), inputs).backward()
    clip_grad_norm_(trainer.model.parameters(), trainer.args.max_grad_norm)
    trainer.optimizer.step()
    trainer.optimizer.zero_grad()
    trainer.average.update_parameters(trainer.model)


def _describe_time(
    options: TrainingOptions, trainer: SentimentTrainer, seconds: float, corpora: Sequence[Corpus], texts: JoinedSplit
) -> list[str]:
    epochs = trainer.args.num_train_epochs
    steps = -(-len(trainer.train_dataset) // trainer.args.train_batch_size)
    characters = sum(map(len, texts.split.texts))
    per_character = FORWARD_SHARE * seconds * steps / characters
    dev = sum(len(text) for corpus in corpora for text in corpus.dev.texts)
    reported = sum(len(text) for corpus in corpora if corpus.reported for text in corpus.reported.texts)
    read = (epochs + 2) * dev + reported * options.evaluate_test  # dev: each epoch, then calibration, measures
    minutes = (seconds * steps * epochs + per_character * read) / 60
    device = describe_device(trainer.args.device)
    return [
        f"steps: {steps:,} an epoch, {epochs:g} epochs at most",
        f"time: about {minutes:.1f} minutes at most ({seconds:.3f} seconds a step on {device})",
    ]
