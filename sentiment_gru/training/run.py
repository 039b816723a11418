"""Train a classifier on one or more datasets, from reading the data to writing the card."""

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
import torch
from sklearn.metrics import recall_score
from transformers import (
    DataCollatorWithPadding,
    EarlyStoppingCallback,
    EvalPrediction,
    PreTrainedTokenizerFast,
    TrainerCallback,
    TrainingArguments,
    set_seed,
)
from transformers.integrations import TensorBoardCallback
from transformers.trainer_callback import ProgressCallback

from ..checkpoint import load_model, load_tokenizer, save_checkpoint
from ..configuration import SentimentGRUConfig
from ..data.soft_labels import SoftLabels
from ..data.splits import Corpus, JoinedSplit, TextSplit, label_names
from ..errors import OptionsError
from ..label_set_metrics import find_threshold, scored_sets
from ..metrics import restricted_sets
from ..model_config import MULTI_LABEL
from ..modeling import SentimentGRUForSequenceClassification
from ..tokenization import MIN_FREQUENCY, train_tokenizer
from .baseline import measure_baseline
from .callbacks import EpochLines, SaveWithinEpochs, StopOnInterrupt, TrainingInterrupted
from .datasets import find_warnings, join_train, prepare_corpora, prepare_soft_labels
from .initial import (
    ARCHITECTURE,
    choose_linear_units,
    choose_start,
    datasets_read,
    fill_schedule,
    initial_folder,
    replace_head,
)
from .linear_units import add_linear_units, check_fits
from .options import TrainingOptions
from .output_folder import RunFolder, is_first_process, process_count
from .report import calibrate, describe_origin, fit_threshold, write_report
from .trainer import EncodedTexts, SentimentTrainer, balanced_weights

DROPOUTS = ("word_dropout", "embedding_dropout", "layer_dropout", "output_dropout")


def load_initial(
    options: TrainingOptions, labels: Sequence[str]
) -> tuple[TrainingOptions, SentimentGRUForSequenceClassification, PreTrainedTokenizerFast]:
    """Load the checkpoint of `--init-from` and make it trainable on texts with these labels.

    Returns:
        The options with the checkpoint's architecture; the model with these labels, without calibration and with the
        dropouts of the options; its tokenizer.

    Raises:
        CheckpointError: The checkpoint cannot be loaded.
        OptionsError: An option contradicts the architecture of the checkpoint.
    """
    folder = initial_folder(str(options.init_from))
    model, tokenizer = load_model(folder), load_tokenizer(folder)
    if list(labels) != model.config.labels:
        replace_head(model, labels)
    pieces = json.loads(tokenizer.backend_tokenizer.to_str())["model"]["type"] == "BPE"
    architecture = {name: getattr(model.config, name) for name in ARCHITECTURE} | {"subwords": pieces}
    defaults = {field.name: field.default for field in fields(options)}
    for name, value in architecture.items():
        requested = getattr(options, name)
        if requested not in (value, defaults[name]):
            raise OptionsError(f"--{name.replace('_', '-')} is {requested}, but --init-from has {value}; leave it out")
    options = replace(options, **architecture)
    for name in DROPOUTS:
        setattr(model.config, name, getattr(options, name))
    model.config.temperature, model.config.temperature_exponent, model.config.uncertain_below = 1.0, 0.0, 0.0
    model.config.problem_type = MULTI_LABEL if options.multi_label else None
    return options, model, tokenizer


def train(
    options: TrainingOptions, callbacks: Sequence[TrainerCallback] = (), corpora: Sequence[Corpus] | None = None
) -> dict[str, Any] | None:
    """Train from datasets to a checkpoint folder; Ctrl-C ends the training early with the best weights so far.

    Args:
        options: Options of the training.
        callbacks: Additional callbacks of the trainer.
        corpora: Datasets under the split rule; by default those of the options.

    Returns:
        The content of `metrics.json`; None in the other processes of `torchrun`.

    Raises:
        CheckpointError: The initial checkpoint cannot be loaded.
        DatasetError: A dataset cannot be used.
        OptionsError: The output folder or the run to resume contradicts the options.
        StorageError: A file cannot be written; the message says which files are intact.
    """
    started = time.perf_counter()
    run = RunFolder(options)
    if is_first_process():
        run.check()
    set_seed(options.seed)
    corpora = prepare_corpora(options) if corpora is None else corpora
    labels = label_names(corpora)
    soft = prepare_soft_labels(options, corpora, labels)
    texts = join_train(corpora, soft)
    dev = JoinedSplit.join({corpus.name: corpus.dev for corpus in corpora})
    options, initial, tokenizer, origin = start(options, texts, corpora, labels)
    if is_first_process():
        print(f"Starting from {origin}.", file=sys.stderr, flush=True)
    trainer = build_trainer(options, tokenizer, labels, texts, dev, soft, initial)
    for callback in callbacks:
        trainer.add_callback(callback)
    facts = run_trainer(trainer, run, [texts.split, dev.split])
    if not is_first_process():
        return None
    with run.staging() as folder:
        model = trainer.model
        if options.linear_units:
            model = add_linear_units(model, tokenizer, texts.split, dev.split)
        save_checkpoint(model, tokenizer, folder)
        facts["start"] = origin
        if options.multi_label:
            facts["threshold_fitted"] = fit_threshold(folder, dev, texts)
        else:
            facts["calibration"] = calibrate(folder, dev)
        facts["warnings"] = find_warnings(corpora, datasets_read(options.init_from, options.dataset))
        if options.baseline:
            facts["baseline"] = measure_baseline(corpora, labels, options.evaluate_test)
        facts["minutes"] = round((time.perf_counter() - started) / 60, 1)
        metrics = write_report(folder, options, corpora, trainer.state.log_history, facts)
    if metrics["interrupted"] is None:
        run.remove()
    return metrics


def start(
    options: TrainingOptions, texts: JoinedSplit, corpora: Sequence[Corpus], labels: Sequence[str]
) -> tuple[TrainingOptions, SentimentGRUForSequenceClassification | None, PreTrainedTokenizerFast, str]:
    """Choose and load what a training starts from.

    Returns:
        The options with every choice made; the initial model, or None for random weights; the tokenizer; a phrase on
        what was chosen and why.

    Raises:
        CheckpointError, OptionsError: As in `load_initial`.
    """
    options = fill_schedule(options, len(texts.split))
    options, origin = choose_start(options, texts.split.texts, [corpus.name for corpus in corpora])
    options, initial = choose_linear_units(options, len(texts.split)), None
    if options.init_from:
        options, initial, tokenizer = load_initial(options, labels)
    else:
        least = 1 if options.linear_units else MIN_FREQUENCY  # logistic regression makes use of rare words
        tokenizer = train_tokenizer(texts.split.texts, options.vocab_size, options.subwords, least)
    if options.linear_units:
        check_fits(options)
    return options, initial, tokenizer, origin


def run_trainer(trainer: SentimentTrainer, run: RunFolder, splits: Sequence[TextSplit]) -> dict[str, Any]:
    """Train from the newest checkpoint, if any, and load the best averaged weights into the model.

    Returns:
        Entries of the metrics about the run.
    """
    if is_first_process():
        run.start(splits, trainer.args.world_size)
    trainer.accelerator.wait_for_everyone()
    stop = StopOnInterrupt()
    trainer.add_callback(stop)
    interrupted = None
    try:
        with stop.listening():
            trainer.train_from(run.newest_checkpoint())
    except TrainingInterrupted:
        interrupted = {"step": trainer.state.global_step, "of": trainer.state.max_steps}
    trainer.load_best_average()
    return {
        "interrupted": interrupted,
        "processes": trainer.args.world_size,
        "steps": trainer.state.global_step,
    } | describe_origin(trainer.args.device)


def dev_metrics(dev: JoinedSplit, labels: Sequence[str]) -> Callable[[EvalPrediction], dict[str, float]]:
    """Return a function from predictions on dev to macro recalls, and their mean, the score, over datasets."""

    def compute_metrics(prediction: EvalPrediction) -> dict[str, float]:
        recalls = {
            f"recall_{name}": recall_score(
                targets, logits.argmax(axis=1), labels=np.unique(targets), average="macro", zero_division=0
            )
            for name, (logits, targets) in restricted_sets(dev, prediction.predictions, labels).items()
        }
        return recalls | {"score": float(np.mean(list(recalls.values())))}

    return compute_metrics


def dev_f1(dev: JoinedSplit, labels: Sequence[str], train: JoinedSplit) -> Callable[[EvalPrediction], dict[str, float]]:
    """Return a function from predictions on dev to the mean micro F1 over datasets, at the best threshold."""

    def compute_metrics(prediction: EvalPrediction) -> dict[str, float]:
        threshold, score = find_threshold(scored_sets(dev, prediction.predictions, labels, train))
        return {"threshold": threshold, "score": score}

    return compute_metrics


def build_trainer(
    options: TrainingOptions,
    tokenizer: PreTrainedTokenizerFast,
    labels: Sequence[str],
    texts: JoinedSplit,
    dev: JoinedSplit,
    soft: Sequence[SoftLabels] = (),
    initial: SentimentGRUForSequenceClassification | None = None,
) -> SentimentTrainer:
    """Return a trainer of a new or the initial model.

    Its score is the mean macro recall on dev over the datasets, or micro F1 if texts may have several labels.
    """
    options = fill_schedule(options, len(texts.split))
    soft_targets = {text: target for part in soft for text, target in part.targets().items()}
    model = initial or SentimentGRUForSequenceClassification(build_config(options, len(tokenizer), labels))
    callbacks = [EarlyStoppingCallback(options.patience), SaveWithinEpochs(options.save_steps)]
    if options.tensorboard and is_first_process():
        from torch.utils.tensorboard import SummaryWriter

        folder = f"{options.output_dir.rstrip('/')}.tensorboard"
        callbacks.append(TensorBoardCallback(SummaryWriter(folder)))
    trainer = SentimentTrainer(
        ema_decay=options.ema_decay,
        absent_weight=options.absent_weight,
        adversarial=options.adversarial,
        class_weights=balanced_weights(texts.split.labels, labels) if options.class_weights == "balanced" else None,
        model=model,
        args=training_arguments(options),
        train_dataset=EncodedTexts(texts, tokenizer, labels, options.train_tokens, soft_targets),
        eval_dataset=EncodedTexts(dev, tokenizer, labels, options.train_tokens),
        data_collator=DataCollatorWithPadding(tokenizer),
        compute_metrics=dev_f1(dev, labels, texts) if options.multi_label else dev_metrics(dev, labels),
        callbacks=callbacks,
    )
    if trainer.pop_callback(ProgressCallback):
        trainer.add_callback(EpochLines("micro F1" if options.multi_label else "macro recall"))
    return trainer


def build_config(options: TrainingOptions, vocab_size: int, labels: Sequence[str]) -> SentimentGRUConfig:
    """Return the configuration of a new model; its fields have the names of the options."""
    names = (
        "cell bidirectional pooling embedding_size hidden_size num_layers"
        " word_dropout embedding_dropout layer_dropout output_dropout"
    )
    return SentimentGRUConfig(
        vocab_size=vocab_size,
        id2label=dict(enumerate(labels)),
        label2id={label: i for i, label in enumerate(labels)},
        problem_type=MULTI_LABEL if options.multi_label else None,
        **{name: getattr(options, name) for name in names.split()},
    )


def training_arguments(options: TrainingOptions) -> TrainingArguments:
    """Return the arguments of the transformers Trainer; checkpoints go beside the output folder."""
    options = fill_schedule(options)
    return TrainingArguments(
        output_dir=str(RunFolder(options).path),
        num_train_epochs=options.epochs,
        per_device_train_batch_size=options.batch_size,
        per_device_eval_batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=0.05,
        weight_decay=0.0,
        max_grad_norm=1.0,
        seed=options.seed,
        eval_strategy="epoch",
        save_strategy="epoch",
        save_total_limit=2,  # the best and the newest
        restore_callback_states_from_checkpoint=True,  # number of epochs without a better score
        load_best_model_at_end=True,
        metric_for_best_model="score",
        greater_is_better=True,
        logging_steps=100,
        # Without it, processes on CPU would train independently.
        use_cpu=process_count() > 1 and not torch.cuda.is_available(),
        ddp_find_unused_parameters=False,
        report_to="none",
        dataloader_pin_memory=False,
        remove_unused_columns=False,
    )
