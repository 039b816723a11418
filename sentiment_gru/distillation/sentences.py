"""Short texts cut out of long ones: a model that reads sentences well must see sentences."""

import re
from collections.abc import Iterable

import numpy as np

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
