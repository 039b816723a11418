"""The stages of the students: pretraining, training, the choice among them, calibration and release."""

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import PreTrainedTokenizerFast, set_seed

from ..checkpoint import WEIGHTS, load_model, load_tokenizer, save_checkpoint
from ..classifier import SentimentClassifier
from ..data.soft_labels import SoftLabels, read_soft_labels
from ..data.splits import JoinedSplit
from ..labels import POLES
from ..modeling import SentimentGRUForSequenceClassification
from ..training.options import TrainingOptions
from ..training.report import calibrate, measure_again
from ..training.run import build_config
from .augmentation import add_emoji, misspell
from .corpora import LICENCES
from .pretraining import learn_language
from .recipe import PARTS, Setting
from .student import train_on_soft_labels
from .teacher_stages import REVIEWS_FILE, SENTENCES_FILE
from .texts import (
    MADE,
    REVIEWS,
    certain,
    corpora_of,
    cut_evenly,
    drawn,
    made_sentences,
    read_held_out,
    unlabelled_reviews,
    without_texts,
)
from .vocabulary_stages import initial_checkpoint

REFINING_RATE = 3e-4  # peak of the learning rate
REDUCTIONS = np.arange(0.0, 2.01, 0.1)  # of the neutral label's logit
Figures = Mapping[str, Any]


def pretrain(setting: Setting, name: str) -> Figures:
    """Let a new network learn to guess neighboring words in reviews and short texts."""
    set_seed(0)
    amounts, corpora = setting.amounts, corpora_of(setting.sources)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(setting.work / "vocabulary")
    options = student_options(setting, name, None, 1.0, 0)
    network = SentimentGRUForSequenceClassification(build_config(options, len(tokenizer), POLES))
    reviews = corpora[0].train.texts + unlabelled_reviews(setting.sources)
    texts = drawn(reviews, amounts.pretrain_reviews)
    texts += [text for corpus in corpora if corpus.name in ("tweets", "go_emotions") for text in corpus.train.texts]
    loss = learn_language(network, tokenizer, texts, setting.work / name, 1.0)
    return {"texts": len(texts), "loss": round(loss, 3)}


def train_student_of_reviews(setting: Setting, name: str) -> Figures:
    """Train a GRU on the reviews alone, with the soft labels of NB-SVM; the figure is its macro recall on dev."""
    options = student_options(setting, name, "pretrain", setting.amounts.review_epochs, 0)
    soft = read_soft_labels(setting.work / "teacher-reviews" / REVIEWS_FILE)
    train_on_soft_labels(options, corpora_of(setting.sources)[:1], [soft], pairing=0)
    return dev_figures(Path(options.output_dir))


def train_student(setting: Setting, name: str) -> Figures:
    """Train the GRU of reviews further on all soft labels; the figures are macro recalls on dev."""
    amounts, seed = setting.amounts, int(name.rpartition("-")[2])
    start = "vocabulary/checkpoint" if setting.start else "student-reviews/checkpoint"
    options = student_options(setting, name, start, amounts.student_epochs, seed, amounts.student_rate)
    soft = [
        read_soft_labels(setting.work / "label-reviews" / REVIEWS_FILE),
        *made_labels(setting, soft_sentences(setting), seed),
    ]
    train_on_soft_labels(options, corpora_of(setting.sources), soft, amounts.pairing)
    return dev_figures(Path(options.output_dir))


def refine_student(setting: Setting, name: str) -> Figures:
    """Train a student further on a sample of the texts, without shifted embeddings.

    Most are labelled, and the labels of a corpus have equally many texts as far as it goes: in their natural shares a
    student calls half of the negative tweets, one in seven, neutral.
    """
    amounts, seed = setting.amounts, int(name.rpartition("-")[2])
    options = student_options(setting, name, f"student-{seed}/checkpoint", 1.0, seed, REFINING_RATE)
    options.adversarial = 0.0
    most = {REVIEWS: amounts.refining_texts // 4}  # a review is as much work as ten short texts
    corpora = [
        cut_evenly(corpus, most.get(corpus.name, amounts.refining_texts), seed)
        for corpus in corpora_of(setting.sources)
    ]
    sample = soft_sentences(setting)
    sample = sample.take(drawn(range(len(sample)), amounts.refining_texts))
    soft = [part.take(drawn(range(len(part)), amounts.refining_texts)) for part in made_labels(setting, sample, seed)]
    train_on_soft_labels(options, corpora, soft, amounts.pairing)
    return dev_figures(Path(options.output_dir))


def student_options(
    setting: Setting, name: str, init_from: str | None, epochs: float, seed: int, learning_rate: float = 1e-3
) -> TrainingOptions:
    """Return the options of a training in the work folder that goes on from another stage's checkpoint."""
    amounts = setting.amounts
    return TrainingOptions(
        str(setting.work / name / "checkpoint"),
        [corpus.name for corpus in corpora_of(setting.sources)],
        seed=seed,
        init_from=str(setting.work / init_from) if init_from else None,
        epochs=epochs,
        batch_size=amounts.batch_size,
        learning_rate=learning_rate,
        adversarial=amounts.adversarial,
        train_tokens=400,
        embedding_size=amounts.embedding_size,
        hidden_size=amounts.hidden_size,
        report=False,
    )


def soft_sentences(setting: Setting) -> SoftLabels:
    """Return the short texts and sentences that `label_sentences` judged."""
    return join_soft(
        [read_soft_labels(setting.work / f"label-sentences-{part}" / SENTENCES_FILE) for part in range(PARTS)]
    )


def made_labels(setting: Setting, judged: SoftLabels, seed: int) -> list[SoftLabels]:
    """Return judged sentences, made sentences, misspelled forms of both, and made sentences with emoji."""
    amounts, made = setting.amounts, made_sentences(setting)
    sentences = join_soft([judged, certain(MADE, made)])
    wrong = misspell(sentences.texts, amounts.misspelled, seed)
    rows = {text: row for row, text in enumerate(sentences.texts)}
    misspelled = sentences.take([rows[text] for text in wrong.values()])
    return [
        judged,
        certain(MADE, made),
        replace(misspelled, name="misspelled", texts=list(wrong)),
        certain("emoji", without_texts(add_emoji(made, amounts.emoji, seed), read_held_out(setting.held_out))),
    ]


def join_soft(parts: Sequence[SoftLabels]) -> SoftLabels:
    """Return the texts of all parts, which have the same labels."""
    texts = [text for part in parts for text in part.texts]
    return replace(parts[0], texts=texts, scores=np.concatenate([part.scores for part in parts]))


def choose_student(setting: Setting, name: str) -> Figures:
    """Copy the student with the highest mean of macro recalls on dev."""
    students = [f"refine-{seed}" for seed in range(setting.amounts.students)]
    figures = {student: dev_figures(setting.work / student / "checkpoint") for student in students}
    best = max(students, key=lambda student: np.mean(list(figures[student].values())))
    target = setting.work / name / "checkpoint"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(setting.work / best / "checkpoint", target)
    return {"student": best, **figures[best]}


def calibrate_student(setting: Setting, name: str) -> Figures:
    """Fit the bias of the neutral label, the temperature and the uncertain band of the chosen student on dev."""
    target = setting.work / name / "checkpoint"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(setting.work / "choose" / "checkpoint", target)
    corpora = corpora_of(setting.sources)
    dev = JoinedSplit.join({corpus.name: corpus.dev for corpus in corpora})
    reduction = reduce_neutral(target, dev)
    calibrate(target, dev)
    measure_again(target, corpora, evaluate_test=False, facts={})
    config = SentimentClassifier.from_pretrained(target).config
    return {
        "neutral logit reduced by": reduction,
        "temperature": round(config.temperature, 3),
        "exponent": round(config.temperature_exponent, 3),
        "uncertain below": config.uncertain_below,
    }


def reduce_neutral(folder: Path, dev: JoinedSplit) -> float:
    """Reduce the bias of the neutral label in a checkpoint by as much as is best on dev, and return that number.

    The best is the highest mean over datasets of the mean recall of their labels, where every label may be the verdict.
    Most soft labels of polar texts leave some probability to neutral, which costs such texts their verdict otherwise.
    Source: Menon et al. 2021, "Long-tail learning via logit adjustment".
    """
    classifier = SentimentClassifier.from_pretrained(folder)
    classifier.config.temperature, classifier.config.temperature_exponent = 1.0, 0.0
    logits, labels = classifier.logits(dev.split.texts), np.array(dev.split.labels)

    def score(reduction: float) -> float:
        verdicts = np.array(POLES)[(logits - reduction * (np.array(POLES) == "neutral")).argmax(axis=1)]
        return float(np.mean([recall_of_labels(labels[rows], verdicts[rows]) for rows in dev.rows.values()]))

    reduction = float(max(REDUCTIONS, key=score))
    model = load_model(folder)
    with torch.no_grad():
        model.classifier.bias[POLES.index("neutral")] -= reduction
    save_checkpoint(model, load_tokenizer(folder), folder)
    return round(reduction, 2)


def recall_of_labels(labels: np.ndarray, verdicts: np.ndarray) -> float:
    """Return the mean over labels of the share of their texts with the right verdict."""
    return float(np.mean([(verdicts[labels == label] == label).mean() for label in sorted(set(labels))]))


def release(setting: Setting, name: str) -> Figures:
    """Read the reported splits, only now, and copy the checkpoint to its folder."""
    staged = setting.work / name / "checkpoint"
    shutil.rmtree(staged, ignore_errors=True)
    shutil.copytree(setting.work / "calibrate" / "checkpoint", staged)
    remarks = [f"The teacher was the encoder {Path(setting.teacher).name}. {LICENCES}"]
    if setting.start:
        digest = hashlib.sha256((initial_checkpoint(setting) / WEIGHTS).read_bytes()).hexdigest()
        remarks.append(f"The student went on from an earlier release, whose weights have the SHA-256 {digest}.")
    facts = {"recipe": setting.portable_options(), "remarks": remarks}
    measure_again(staged, corpora_of(setting.sources), evaluate_test=True, facts=facts)
    shutil.rmtree(setting.output, ignore_errors=True)
    shutil.copytree(staged, setting.output)
    size = sum(path.stat().st_size for path in staged.iterdir()) / 1024
    return {"KiB": round(size), **dev_figures(staged, "reported")}


def dev_figures(folder: Path, role: str = "dev") -> Figures:
    """Return the macro recall of a checkpoint on each corpus, from its metrics."""
    sets = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["datasets"]
    return {corpus: round(found[role]["macro_recall"], 4) for corpus, found in sets.items() if role in found}
