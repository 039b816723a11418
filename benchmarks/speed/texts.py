"""Texts of a given number of tokens, made by a seeded draw from the vocabulary of the model."""

import json
import random
from pathlib import Path

TOKENIZER = Path(__file__).parent.parent.parent / "sentiment_gru" / "pretrained" / "tokenizer.json"


def make_texts(count: int, words: int, seed: int = 0) -> list[str]:
    """Return texts of so many words, each of them one token."""
    vocabulary = json.loads(TOKENIZER.read_text(encoding="utf-8"))["model"]["vocab"]
    plain = [word for word in vocabulary if word.isascii() and word.isalpha() and word != "n"]
    draws = random.Random(seed)
    return [" ".join(draws.choices(plain, k=words)) for _ in range(count)]
