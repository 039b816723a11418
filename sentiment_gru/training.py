"""Train a classifier on one dataset or several: data, tokenizer, trainer, calibration, measurement, card."""

import json
import shutil
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.special import softmax
from sklearn.metrics import recall_score
from transformers import (
    DataCollatorWithPadding,
    EarlyStoppingCallback,
    EvalPrediction,
    PreTrainedTokenizerFast,
    TrainingArguments,
    set_seed,
)

from .card import write_card
from .checkpoint import save_checkpoint
from .classifier import SentimentClassifier
from .configuration import SentimentGRUConfig
from .data import prepare_corpora
from .evaluation import evaluate, find_uncertain_band, fit_temperature, restrict
from .labels import order_labels
from .modeling import SentimentGRUForSequenceClassification
from .options import TrainingOptions
from .splits import Corpus, JoinedSplit
from .tokenization import train_tokenizer
from .trainer import EncodedTexts, SentimentTrainer


def train(options: TrainingOptions) -> dict[str, Any]:
    """Run a training from datasets to a checkpoint folder.

    Returns:
        The metrics that are also written to `metrics.json` in the folder.

    Raises:
        DatasetError: a dataset cannot be used.
    """
    started = time.perf_counter()
    set_seed(options.seed)
    corpora = prepare_corpora(options)
    labels = order_labels(label for corpus in corpora for label in corpus.train.labels)
    texts = JoinedSplit.join({corpus.name: corpus.train for corpus in corpora})
    dev = JoinedSplit.join({corpus.name: corpus.dev for corpus in corpora})
    tokenizer = train_tokenizer(texts.split.texts, options.vocab_size, options.subwords)
    trainer = build_trainer(options, tokenizer, labels, texts, dev)
    trainer.train()
    trainer.load_best_average()

    folder = Path(options.output_dir)
    save_checkpoint(trainer.model, tokenizer, folder)
    shutil.rmtree(trainer.args.output_dir)
    calibrate(folder, dev)
    metrics = measure(folder, corpora, options.evaluate_test)
    metrics |= {
        "options": asdict(options) | {"dataset": [corpus.name for corpus in corpora]},
        "history": [
            {key: value for key, value in entry.items() if key == "epoch" or key.startswith("eval_")}
            for entry in trainer.state.log_history
            if "eval_score" in entry
        ],
        "device": describe_device(trainer.args.device),
        "minutes": round((time.perf_counter() - started) / 60, 1),
    }
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
    write_card(folder, metrics)
    return metrics


def build_trainer(
    options: TrainingOptions,
    tokenizer: PreTrainedTokenizerFast,
    labels: Sequence[str],
    texts: JoinedSplit,
    dev: JoinedSplit,
) -> SentimentTrainer:
    """Return a trainer whose score is the macro recall on dev, each dataset counted alike."""

    def compute_metrics(prediction: EvalPrediction) -> dict[str, float]:
        recalls = {
            f"recall_{name}": recall_score(targets, logits.argmax(axis=1), average="macro")
            for name, (logits, targets) in restricted_sets(dev, prediction.predictions, labels).items()
        }
        return recalls | {"score": float(np.mean(list(recalls.values())))}

    model = SentimentGRUForSequenceClassification(build_config(options, len(tokenizer), labels))
    return SentimentTrainer(
        ema_decay=options.ema_decay,
        absent_weight=options.absent_weight,
        class_weights=balanced_weights(texts.split.labels, labels) if options.class_weights == "balanced" else None,
        model=model,
        args=training_arguments(options),
        train_dataset=EncodedTexts(texts, tokenizer, labels, options.train_tokens),
        eval_dataset=EncodedTexts(dev, tokenizer, labels, options.train_tokens),
        data_collator=DataCollatorWithPadding(tokenizer),
        compute_metrics=compute_metrics,
        callbacks=[EarlyStoppingCallback(options.patience)],
    )


def balanced_weights(names: Sequence[str], labels: Sequence[str]) -> torch.Tensor:
    """Return (C,) weights of the loss with which every label counts alike, whatever its share of the texts."""
    counts = Counter(names)
    return torch.tensor([len(names) / (len(labels) * counts[label]) for label in labels])


def restricted_sets(
    dev: JoinedSplit, logits: np.ndarray, labels: Sequence[str]
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return per dataset the logits (B, K) of the K labels it has, and (B,) ids among those."""
    sets = {}
    for name, rows in dev.rows.items():
        present = [label for label in labels if label in dev.labels_of(name)]
        targets = np.array([present.index(dev.split.labels[i]) for i in rows])
        sets[name] = (restrict(logits[rows], labels, present), targets)
    return sets


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
    """Translate our options into transformers' arguments; checkpoints of the run go beside the output folder."""
    return TrainingArguments(
        output_dir=f"{options.output_dir.rstrip('/')}.training",
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
        save_total_limit=1,
        load_best_model_at_end=True,
        metric_for_best_model="score",
        greater_is_better=True,
        logging_steps=100,
        report_to="none",
        dataloader_pin_memory=False,
        remove_unused_columns=False,
    )


def calibrate(folder: Path, dev: JoinedSplit) -> None:
    """Fit temperature and uncertain band of a saved checkpoint on dev, read as a user's texts are read."""
    classifier = SentimentClassifier.from_pretrained(folder)
    logits = classifier.logits(dev.split.texts)
    config = classifier.config
    config.temperature = fit_temperature(list(restricted_sets(dev, logits, classifier.labels).values()))
    scores = softmax(logits / config.temperature, axis=1)
    targets = np.array([classifier.labels.index(label) for label in dev.split.labels])
    config.uncertain_below = find_uncertain_band([(scores[rows], targets[rows]) for rows in dev.rows.values()])
    save_checkpoint(classifier.model, classifier.tokenizer, folder)


def measure(folder: Path, corpora: Sequence[Corpus], evaluate_test: bool) -> dict[str, Any]:
    """Evaluate a finished checkpoint on every dev set and, if asked, on the reported ones."""
    classifier = SentimentClassifier.from_pretrained(folder)
    sets: dict[str, Any] = {}
    for corpus in corpora:
        splits = {"dev": corpus.dev} | ({"reported": corpus.reported} if evaluate_test and corpus.reported else {})
        sets[corpus.name] = {
            "rule": corpus.rule,
            "train_texts": len(corpus.train),
            "removed": corpus.removed,
        } | {
            role: asdict(
                evaluate(
                    classifier.logits(split.texts),
                    split,
                    classifier.labels,
                    classifier.config.uncertain_below,
                )
            )
            for role, split in splits.items()
        }
    return {
        "labels": classifier.labels,
        "parameters": classifier.model.num_parameters(),
        "vocab_size": classifier.config.vocab_size,
        "max_tokens": classifier.config.max_tokens,
        "temperature": classifier.config.temperature,
        "uncertain_below": classifier.config.uncertain_below,
        "datasets": sets,
    }


def describe_device(device: torch.device) -> str:
    """Return the training hardware in words."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"{torch.get_num_threads()} CPU threads"
