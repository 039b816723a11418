"""Train a classifier on one or more datasets, from reading the data to writing the card."""

import json
import time
from collections import Counter
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

from ..checkpoint import load_model, load_tokenizer, resolve, save_checkpoint
from ..configuration import SentimentGRUConfig
from ..data.soft_labels import SoftLabels
from ..data.splits import JoinedSplit, TextSplit
from ..errors import DatasetError, OptionsError
from ..labels import order_labels
from ..metrics import restricted_sets
from ..modeling import SentimentGRUForSequenceClassification
from ..tokenization import train_tokenizer
from .callbacks import SaveWithinEpochs, StopOnInterrupt, TrainingInterrupted
from .datasets import join_train, prepare_corpora, prepare_soft_labels
from .options import TrainingOptions
from .output_folder import RunFolder, is_first_process, process_count
from .report import calibrate, describe_origin, write_report
from .trainer import EncodedTexts, SentimentTrainer

ARCHITECTURE = ("cell", "bidirectional", "pooling", "embedding_size", "hidden_size", "num_layers", "vocab_size")
DROPOUTS = ("word_dropout", "embedding_dropout", "layer_dropout", "output_dropout")


def load_initial(
    options: TrainingOptions, labels: Sequence[str]
) -> tuple[TrainingOptions, SentimentGRUForSequenceClassification, PreTrainedTokenizerFast]:
    """Load the checkpoint of `--init-from` and make it trainable on texts with these labels.

    Returns:
        The options with the checkpoint's architecture; the model without calibration and with the dropouts of the
        options; its tokenizer.

    Raises:
        CheckpointError: The checkpoint cannot be loaded.
        DatasetError: The texts have a label that the checkpoint lacks.
        OptionsError: An option contradicts the architecture of the checkpoint.
    """
    folder = resolve(options.init_from)
    model, tokenizer = load_model(folder), load_tokenizer(folder)
    known = model.config.labels
    if unknown := [label for label in labels if label not in known]:
        raise DatasetError(
            f"the texts have the label {', '.join(unknown)}, but {options.init_from} has only {', '.join(known)}"
        )
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
    return options, model, tokenizer


def train(options: TrainingOptions, callbacks: Sequence[TrainerCallback] = ()) -> dict[str, Any] | None:
    """Train from datasets to a checkpoint folder; Ctrl-C ends the training early with the best weights so far.

    Args:
        options: Options of the training.
        callbacks: Additional callbacks of the trainer.

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
    corpora = prepare_corpora(options)
    labels = order_labels(label for corpus in corpora for label in corpus.train.labels)
    soft = prepare_soft_labels(options, corpora, labels)
    texts = join_train(corpora, soft)
    dev = JoinedSplit.join({corpus.name: corpus.dev for corpus in corpora})
    initial = None
    if options.init_from:
        options, initial, tokenizer = load_initial(options, labels)
        labels = initial.config.labels
    else:
        tokenizer = train_tokenizer(texts.split.texts, options.vocab_size, options.subwords)
    trainer = build_trainer(options, tokenizer, labels, texts, dev, soft, initial)
    for callback in callbacks:
        trainer.add_callback(callback)
    facts = run_trainer(trainer, run, [texts.split, dev.split])
    if not is_first_process():
        return None
    with run.staging() as folder:
        save_checkpoint(trainer.model, tokenizer, folder)
        calibrate(folder, dev)
        facts["minutes"] = round((time.perf_counter() - started) / 60, 1)
        metrics = write_report(folder, options, corpora, trainer.state.log_history, facts)
    if metrics["interrupted"] is None:
        run.remove()
    return metrics


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


def build_trainer(
    options: TrainingOptions,
    tokenizer: PreTrainedTokenizerFast,
    labels: Sequence[str],
    texts: JoinedSplit,
    dev: JoinedSplit,
    soft: Sequence[SoftLabels] = (),
    initial: SentimentGRUForSequenceClassification | None = None,
) -> SentimentTrainer:
    """Return a trainer of a new or the initial model; its score is the mean macro recall on dev over the datasets."""
    soft_targets = {text: target for part in soft for text, target in part.targets().items()}
    model = initial or SentimentGRUForSequenceClassification(build_config(options, len(tokenizer), labels))
    callbacks = [EarlyStoppingCallback(options.patience), SaveWithinEpochs(options.save_steps)]
    if options.tensorboard and is_first_process():
        from torch.utils.tensorboard import SummaryWriter

        folder = f"{options.output_dir.rstrip('/')}.tensorboard"
        callbacks.append(TensorBoardCallback(SummaryWriter(folder)))
    return SentimentTrainer(
        ema_decay=options.ema_decay,
        absent_weight=options.absent_weight,
        adversarial=options.adversarial,
        class_weights=balanced_weights(texts.split.labels, labels) if options.class_weights == "balanced" else None,
        model=model,
        args=training_arguments(options),
        train_dataset=EncodedTexts(texts, tokenizer, labels, options.train_tokens, soft_targets),
        eval_dataset=EncodedTexts(dev, tokenizer, labels, options.train_tokens),
        data_collator=DataCollatorWithPadding(tokenizer),
        compute_metrics=dev_metrics(dev, labels),
        callbacks=callbacks,
    )


def balanced_weights(names: Sequence[str], labels: Sequence[str]) -> torch.Tensor:
    """Return the (C,) weights of the loss that give every label the same total weight."""
    counts = Counter(names)
    return torch.tensor([len(names) / (len(labels) * counts[label]) for label in labels])


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
        **{name: getattr(options, name) for name in names.split()},
    )


def training_arguments(options: TrainingOptions) -> TrainingArguments:
    """Return the arguments of the transformers Trainer; checkpoints go beside the output folder."""
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
