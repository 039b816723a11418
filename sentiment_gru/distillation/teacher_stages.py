"""The stages of the teachers and of the labels that they give to reviews, short texts and sentences."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file
from scipy.special import softmax
from sklearn.metrics import accuracy_score, recall_score

from ..classifier import SentimentClassifier
from ..data.soft_labels import SoftLabels, write_soft_labels
from ..data.splits import Corpus, TextSplit, held_out, letters
from ..labels import POLES
from ..metrics import labels_to_compare, restrict
from .augmentation import cut_sentences, recombine
from .encoder import Targets, fine_tune, load_encoder
from .recipe import PARTS, Setting
from .teachers import NBSVM, blend, fit_weights, out_of_fold
from .texts import MADE, corpora_of, drawn, made_sentences, short_corpora, unlabelled_reviews
from .vocabulary_stages import initial_checkpoint

POSTS = ("tweets", "go_emotions")  # corpora whose texts are written like messages
DEV_LOGITS = "dev.safetensors"
REVIEWS_FILE, SENTENCES_FILE = "reviews.parquet", "sentences.parquet"
LABEL_SHARE = 0.5  # of a labelled text's target; the rest is the teacher's opinion
Figures = Mapping[str, Any]


def fit_linear_teacher(setting: Setting, name: str) -> Figures:
    """Judge the reviews by NB-SVM, those of the training set out of fold, and keep its logits."""
    reviews = corpora_of(setting.sources)[0]
    positive = is_positive(reviews.train)
    out = out_of_fold(reviews.train.texts, positive)
    model = NBSVM().fit(reviews.train.texts, positive)
    dev, unlabelled = model.logits(reviews.dev.texts), model.logits(unlabelled_reviews(setting.sources))
    np.savez(setting.work / name / "logits.npz", train=out, dev=dev, unlabelled=unlabelled)
    scale = fit_weights(out[None], positive)
    write_reviews(setting, name, blend(scale, np.concatenate([out, unlabelled])[None]))
    return {"out of fold": accuracy(out, positive), "dev": accuracy(dev, is_positive(reviews.dev))}


def fine_tune_encoder(setting: Setting, name: str) -> Figures:
    """Fine-tune the encoder on the short texts and made sentences; the figures are macro recalls on dev."""
    amounts, short = setting.amounts, short_corpora(setting)
    made = made_sentences(setting)
    texts: list[str] = []
    labels, present = [], []
    for corpus in [*short, Corpus(MADE, made, TextSplit([], []), None, {})]:
        known = labels_to_compare(POLES, set(corpus.train.labels))
        rows = drawn(range(len(corpus.train)), amounts.teacher_texts)
        texts += [corpus.train.texts[i] for i in rows]
        labels += [[float(corpus.train.labels[i] == label) for label in POLES] for i in rows]
        present += [[label in known for label in POLES]] * len(rows)
    targets = Targets(texts, amounts.teacher_tokens, np.array(labels), np.array(present))
    encoder = fine_tune(setting.teacher, targets, setting.work / name, amounts.teacher_epochs)
    dev = {corpus.name: encoder.score(corpus.dev.texts, amounts.teacher_tokens) for corpus in short}
    save_file(dev, setting.work / name / DEV_LOGITS)
    return {"texts": len(texts)} | {corpus.name: macro_recall(dev[corpus.name], corpus.dev) for corpus in short}


def label_reviews(setting: Setting, name: str) -> Figures:
    """Blend the opinions of NB-SVM and of the GRU of reviews, weighted as is best on dev."""
    reviews = corpora_of(setting.sources)[0]
    linear = np.load(setting.work / "teacher-reviews" / "logits.npz")
    student = review_student(setting)
    positive = is_positive(reviews.dev)
    dev = np.stack([linear["dev"], poles(student.logits(reviews.dev.texts))])
    weights = fit_weights(dev, positive)
    texts = reviews.train.texts + unlabelled_reviews(setting.sources)
    both = np.stack([np.concatenate([linear["train"], linear["unlabelled"]]), poles(student.logits(texts))])
    count = write_reviews(setting, name, blend(weights, both))
    figures = {"linear": dev[0], "student": dev[1], "together": weights @ dev}
    return {member: accuracy(logits, positive) for member, logits in figures.items()} | {"texts": count}


def write_reviews(setting: Setting, name: str, opinions: np.ndarray) -> int:
    """Write soft labels of training and unlabelled reviews from (N,) probabilities of positive; return their number."""
    reviews = corpora_of(setting.sources)[0]
    positive = is_positive(reviews.train)
    train = LABEL_SHARE * positive + (1 - LABEL_SHARE) * opinions[: len(positive)]
    scores = np.concatenate([train, opinions[len(positive) :]])
    texts = reviews.train.texts + unlabelled_reviews(setting.sources)
    rows = drawn(range(len(texts)), setting.amounts.student_reviews)
    soft = SoftLabels("reviews", texts, [POLES[0], POLES[2]], np.stack([1 - scores, scores], axis=1)).take(rows)
    write_soft_labels(setting.work / name / REVIEWS_FILE, soft)
    return len(soft)


def label_sentences(setting: Setting, name: str) -> Figures:
    """Judge a part of the short texts and sentences; labelled texts keep half of their label.

    The encoder says how neutral a text is. Which side a text is on, it says together with the GRU of reviews.
    """
    part, amounts = int(name.rpartition("-")[2]), setting.amounts
    known: dict[str, tuple[str, str]] = {}
    for corpus in short_corpora(setting):
        rows = drawn(range(len(corpus.train)), amounts.judged)
        known |= {corpus.train.texts[i]: (corpus.name, corpus.train.labels[i]) for i in rows}
    made = cut_sentences(unlabelled_reviews(setting.sources), amounts.sentences, seed=0)
    made += recombine(list(known), amounts.recombined, seed=0)
    unwanted = held_out(corpora_of(setting.sources))
    texts = list(known) + [text for text in dict.fromkeys(made) if text not in known and letters(text) not in unwanted]
    texts = texts[part::PARTS]
    encoder = load_encoder(setting.teacher, setting.work / "teacher-sentences")
    student = review_student(setting)
    logits = encoder.score(texts, amounts.teacher_tokens)
    sides = np.stack([poles(logits), poles(student.logits(texts))])
    weights = side_weights(setting, student)
    scores = softmax(logits.astype(np.float64), axis=1)
    for row, text in enumerate(texts):
        corpus_name, label = known.get(text, (None, None))
        positive = float(blend(weights[corpus_name in POSTS], sides[:, row]))
        scores[row] = [(1 - positive) * (1 - scores[row, 1]), scores[row, 1], positive * (1 - scores[row, 1])]
        if label:
            scores[row] = LABEL_SHARE * (np.array(POLES) == label) + (1 - LABEL_SHARE) * scores[row]
    write_soft_labels(setting.work / name / SENTENCES_FILE, SoftLabels("sentences", texts, list(POLES), scores))
    figures = {"sentences": weights[False], "posts": weights[True]}
    return {"texts": len(texts), "neutral": round(float((scores.argmax(axis=1) == 1).mean()), 3)} | {
        f"weights of {kind}": [round(float(weight), 2) for weight in found] for kind, found in figures.items()
    }


def review_student(setting: Setting) -> SentimentClassifier:
    """Return the GRU of reviews; ONNX Runtime gives the same labels whatever else is installed."""
    trained = setting.work / "student-reviews" / "checkpoint"
    folder = initial_checkpoint(setting) if setting.start else trained
    return SentimentClassifier.from_pretrained(folder)


def side_weights(setting: Setting, student: SentimentClassifier) -> dict[bool, np.ndarray]:
    """Return (2,) weights of encoder and GRU, best on polar texts of dev, of posts (True) and of sentences (False)."""
    encoder = load_file(setting.work / "teacher-sentences" / DEV_LOGITS)
    members: dict[bool, list[np.ndarray]] = {True: [], False: []}
    positive: dict[bool, list[np.ndarray]] = {True: [], False: []}
    for corpus in short_corpora(setting):
        polar = [row for row, label in enumerate(corpus.dev.labels) if label != POLES[1]]
        if polar:
            dev = corpus.dev.take(polar)
            kind = corpus.name in POSTS
            members[kind].append(np.stack([poles(encoder[corpus.name])[polar], poles(student.logits(dev.texts))]))
            positive[kind].append(is_positive(dev))
    return {
        kind: fit_weights(np.concatenate(found, axis=1), np.concatenate(positive[kind]))
        for kind, found in members.items()
    }


def is_positive(split: TextSplit) -> np.ndarray:
    """Return (N,) 1 for positive and 0 for negative texts."""
    return np.array([label == "positive" for label in split.labels], dtype=float)


def poles(logits: np.ndarray) -> np.ndarray:
    """Return (N,) logits of positive against negative from (N, 3)."""
    return logits[:, 2] - logits[:, 0]


def accuracy(logits: np.ndarray, positive: np.ndarray) -> float:
    """Return the share of (N,) logits on the right side of 0."""
    return round(float(accuracy_score(positive > 0, logits > 0)), 4)


def macro_recall(logits: np.ndarray, split: TextSplit) -> float:
    """Return the macro recall of (N, 3) logits over the labels that the split has."""
    present = labels_to_compare(POLES, set(split.labels))
    verdicts = np.array(present)[restrict(logits, POLES, present).argmax(axis=1)]
    recall = recall_score(split.labels, verdicts, labels=sorted(set(split.labels)), average="macro", zero_division=0)
    return round(float(recall), 4)
