"""Texts of a given number of tokens: a seeded draw from the vocabulary of the model, frequent words more often."""

import csv
import json
import random
from itertools import accumulate
from pathlib import Path

TOKENIZER = Path(__file__).parent.parent.parent / "sentiment_gru" / "pretrained" / "tokenizer.json"


def make_texts(count: int, words: int, seed: int = 0) -> list[str]:
    """Return texts of so many words, each of them one token.

    The word of rank k is drawn in proportion to 1 / (k + 2.7), about as often as in natural text (Mandelbrot's form of
    Zipf's law); the vocabulary is in the order of frequency.
    """
    vocabulary = json.loads(TOKENIZER.read_text(encoding="utf-8"))["model"]["vocab"]
    plain = [word for word in vocabulary if word.isascii() and word.isalpha() and word != "n"]
    weights = list(accumulate(1 / (rank + 2.7) for rank in range(1, len(plain) + 1)))
    draws = random.Random(seed)
    return [" ".join(draws.choices(plain, cum_weights=weights, k=words)) for _ in range(count)]


def write_table(path: Path, rows: int, words: int) -> None:
    """Write a CSV file of numbered texts, each with one of two labels."""
    draws = random.Random(0)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text", "label"])
        for number, text in enumerate(make_texts(rows, words)):
            writer.writerow([number, text, draws.choice(["negative", "positive"])])
