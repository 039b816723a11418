"""Texts nearer to what visitors type, made of the datasets' own: no sentence is written by hand.

The labels of what is made are soft, as a part or another spelling of a text may lose what its label rested on.
"""

import re
from collections.abc import Iterable, Sequence

import numpy as np
from scipy.optimize import brentq

from ..data.soft_labels import SoftLabels

END = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]?[A-Z0-9])")
TAG = re.compile(r"\s*<br\s*/?>\s*")
FEWEST_WORDS, MOST_WORDS = 4, 30


def cut_sentences(texts: Iterable[str], count: int, seed: int) -> list[str]:
    """Draw different sentences of 4 to 30 words, at most so many, in the order of their texts."""
    found: dict[str, None] = {}
    for text in texts:
        for line in TAG.split(text):
            for sentence in END.split(line):
                if FEWEST_WORDS <= len(sentence.split()) <= MOST_WORDS:
                    found[sentence.strip()] = None
    sentences = list(found)
    drawn = np.random.default_rng(seed).permutation(len(sentences))[:count]
    return [sentences[i] for i in sorted(drawn)]


LABELS = ["negative", "neutral", "positive"]
TWEET_CERTAINTY, PHRASE_CERTAINTY = 0.9, 0.95
MARKS = re.compile(r"https?://\S+|www\.\S+|@\w+|\buser\b")
NEGATOR = re.compile(
    r"\b(not|never|no|nothing|nobody|none|hardly|without|neither|nor|cannot|dont|didnt|isnt|wasnt|cant|wont)\b"
    r"|n['\u2019]t\b",
    re.IGNORECASE,
)
TREEBANK_GAP = re.compile(r" (n't|'(?:s|re|ve|ll|d|m)|[.,!?;:])(?=\s|$)")
TREEBANK_MARKS = {"-lrb- ": "(", " -rrb-": ")", "`` ": '"', " ''": '"'}


def plain_tweets(texts: Sequence[str], labels: Sequence[str]) -> SoftLabels:
    """Return tweets without addresses, names and hash signs; those that were so already are left out.

    Neutral ones are cut into sentences: a part of what is neutral is neutral, a part of what is not may be anything.
    """
    known, found = set(texts), dict[str, str]()
    for text, label in zip(texts, labels, strict=True):
        plain = " ".join(MARKS.sub(" ", text).replace("#", "").split()).strip(" -:|\"'")
        for part in END.split(plain) if label == "neutral" else [plain]:
            part = part.strip()
            if len(part.split()) >= FEWEST_WORDS and part not in known:
                found.setdefault(part, label)
    return _soften("tweets", found, LABELS, TWEET_CERTAINTY)


def negated_phrases(texts: Sequence[str], labels: Sequence[str]) -> SoftLabels:
    """Return the treebank's phrases with a negator, spelled as people write: "is n't" as "isn't"."""
    known, found = set(texts), dict[str, str]()
    for text, label in zip(texts, labels, strict=True):
        if NEGATOR.search(text) and len(text.split()) > 1:
            spelled = TREEBANK_GAP.sub(r"\1", text)
            for mark, written in TREEBANK_MARKS.items():
                spelled = spelled.replace(mark, written)
            spelled = spelled[:1].upper() + spelled[1:]
            if spelled not in known:
                found.setdefault(spelled, label)
    return _soften("phrases", found, [LABELS[0], LABELS[2]], PHRASE_CERTAINTY)


def trusted_sentences(soft: SoftLabels, neutral: float) -> SoftLabels:
    """Return judged sentences without the negated ones, their scores of neutral raised to this mean.

    Reviews teach that "not bad" is rather bad, so opinions on negated sentences are not passed on. Neutral is raised
    as for another share of neutral texts (Saerens et al. 2002, "Adjusting the outputs of a classifier to new a priori
    probabilities"): the teacher has learned from one-sided texts that sentences of reviews never are.
    """
    rows = [row for row, text in enumerate(soft.texts) if not NEGATOR.search(text)]
    kept, column = soft.take(rows), soft.labels.index("neutral")

    def raised(log_factor: float) -> np.ndarray:
        scores = kept.scores * np.where(np.arange(len(soft.labels)) == column, np.exp(log_factor), 1.0)
        return scores / scores.sum(axis=1, keepdims=True)

    log_factor = brentq(lambda value: raised(value)[:, column].mean() - neutral, -20, 20)
    return SoftLabels(soft.name, kept.texts, soft.labels, raised(log_factor))


def _soften(name: str, found: dict[str, str], labels: list[str], certainty: float) -> SoftLabels:
    scores = np.full((len(found), len(labels)), (1 - certainty) / (len(labels) - 1))
    scores[range(len(found)), [labels.index(label) for label in found.values()]] = certainty
    return SoftLabels(name, list(found), labels, scores)
