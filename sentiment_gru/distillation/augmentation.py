"""Texts for a teacher to judge: sentences cut out of reviews, and short texts recombined."""

import re
from collections.abc import Iterable, Sequence

import numpy as np

END = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]?[A-Z0-9])")
TAG = re.compile(r"\s*<br\s*/?>\s*")
FEWEST_WORDS, MOST_WORDS = 4, 30
JOINTS = (" but ", ", and ", ". ", "; ", ", although ", " because ")
SWAPPED = 0.15  # share of the words of a text that are exchanged


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


def recombine(texts: Sequence[str], count: int, seed: int) -> list[str]:
    """Return so many texts made of others: a part of one, two joined, or one with words of another.

    What such a text says is for a teacher to judge. Source: Tang et al. 2019, "Distilling Task-Specific Knowledge from
    BERT into Simple Neural Networks", who mask words, exchange them and sample n-grams.

    Args:
        texts: short texts.
        count: different texts to return; fewer if there are not so many.
        seed: of what is drawn.
    """
    draws = np.random.default_rng(seed)
    words = [text.split() for text in texts if len(text.split()) <= MOST_WORDS]
    words = [found for found in words if len(found) >= FEWEST_WORDS]
    made: dict[str, None] = {}
    for _ in range(5 * count if words else 0):
        if len(made) == count:
            break
        first, second = (words[i] for i in draws.integers(len(words), size=2))
        way = draws.integers(3)
        if way == 0:
            start, end = sorted(draws.choice(len(first) + 1, size=2, replace=False))
            made[" ".join(first[start:end])] = None
        elif way == 1:
            joint = JOINTS[int(draws.integers(len(JOINTS)))]
            made[" ".join(first).rstrip(" .!?") + joint + " ".join(second)] = None
        else:
            exchanged = draws.random(len(first)) < SWAPPED
            other = draws.integers(len(second), size=len(first))
            made[" ".join(second[o] if x else word for word, x, o in zip(first, exchanged, other, strict=True))] = None
    return list(made)
