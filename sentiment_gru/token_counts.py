"""Counts of the tokens of texts by kind: unknown, punctuation, pieces of words."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from .tokenization import CONTINUED


class TokenCounts(NamedTuple):
    """Counts in one text.

    Attributes:
        tokens: tokens.
        unknown: tokens outside the vocabulary.
        punctuation: known tokens that are punctuation.
        pieces: tokens that continue a word.
        split_words: words that are several pieces.
    """

    tokens: int
    unknown: int
    punctuation: int
    pieces: int
    split_words: int


class TokenCounter:
    """Counter of tokens by kind, for any number of texts at once.

    Args:
        vocabulary: token ids by token.
        unknown: id of the token for what is outside the vocabulary.

    Attributes:
        continued: ids of the pieces that continue a word; empty for a vocabulary of whole words.
    """

    def __init__(self, vocabulary: Mapping[str, int], unknown: int) -> None:
        self.continued = frozenset(i for entry, i in vocabulary.items() if is_continued(entry))
        self._unknown = unknown
        size = max([unknown, *vocabulary.values()]) + 1
        self._is_punctuation, self._is_piece = np.zeros((2, size), dtype=bool)
        self._is_punctuation[[i for entry, i in vocabulary.items() if is_punctuation(entry)]] = True
        self._is_piece[list(self.continued)] = True

    def count(self, rows: Sequence[Sequence[int]]) -> Iterator[TokenCounts]:
        """Return the counts of each text, from its token ids."""
        lengths = np.array([len(row) for row in rows], dtype=np.int64)
        ids = np.concatenate([np.zeros(0, dtype=np.int64), *(np.asarray(row, dtype=np.int64) for row in rows)])
        texts = np.repeat(np.arange(len(rows)), lengths)
        pieces = self._is_piece[ids]
        second = pieces & ~np.roll(pieces, 1)  # one in each split word; no text begins with a piece
        kinds = (ids == self._unknown, self._is_punctuation[ids], pieces, second)
        columns = [np.bincount(texts[kind], minlength=len(rows)).tolist() for kind in kinds]
        return map(TokenCounts, lengths.tolist(), *columns)


def is_continued(token: str) -> bool:
    """Return whether a token is a piece that continues a word."""
    return token.startswith(CONTINUED) and token != CONTINUED


def is_punctuation(token: str) -> bool:
    """Return whether a token is a punctuation mark or an ellipsis, but not an emoticon or emoji.

    >>> is_punctuation("."), is_punctuation("..."), is_punctuation(":)"), is_punctuation("n't")
    (True, True, False, False)
    """
    return token == "..." or (len(token) == 1 and unicodedata.category(token).startswith("P"))
