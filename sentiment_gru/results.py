"""Predictions and explanations as plain data; this module imports in milliseconds, without torch."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .network import Network

MAX_CHARACTERS = 200_000  # of a text in the app or a file; longer ones would delay other visitors
MOSTLY_UNKNOWN = 0.5
FEWEST_FOREIGN = 3  # words in pieces that make a text one of another language, if it has no other words


@dataclass(frozen=True)
class Prediction:
    """The verdict on one text.

    Attributes:
        label: the label with the highest score.
        scores: calibrated score of every label; they sum to 1.
        uncertain: whether the highest score is in the range where verdicts on validation texts were often wrong, or no
            word of the text is known.
        tokens: number of tokens in the text.
        unknown_tokens: number of tokens outside the vocabulary.
        truncated_tokens: number of tokens in the middle of a very long text that were not read.
        punctuation_tokens: number of known tokens that are punctuation.
        piece_tokens: number of tokens that continue a word.
        split_words: number of words outside the vocabulary that are read as several tokens.
    """

    label: str
    scores: dict[str, float]
    uncertain: bool
    tokens: int
    unknown_tokens: int
    truncated_tokens: int
    punctuation_tokens: int = 0
    piece_tokens: int = 0
    split_words: int = 0

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the text: the one with the highest score."""
        return (self.label,)

    @property
    def cannot_tell(self) -> bool:
        """True if the verdict carries no information: the text has no known word, or none that is not in pieces.

        One or two words in pieces may be misspelled; a longer text of such words alone is in another language.
        """
        read_in_pieces = self.split_words if self.split_words >= FEWEST_FOREIGN else 0
        return self.unknown_tokens + read_in_pieces == self._words

    @property
    def warning(self) -> str | None:
        """Sentence on a reason to doubt the verdict, or None."""
        if self._words == 0:
            return "There is no word in this text."
        if self.cannot_tell:
            return "The model knows none of these words."
        if (self.unknown_tokens + self.split_words) / self._words > MOSTLY_UNKNOWN:
            return "The model knows fewer than half of these words; is the text misspelled or in another language?"
        if self.truncated_tokens:
            return f"The text is very long: {self.truncated_tokens:,} tokens in its middle were not read."
        return None

    @property
    def _words(self) -> int:
        return self.tokens - self.piece_tokens - self.punctuation_tokens


@dataclass(frozen=True)
class MultiLabelPrediction(Prediction):
    """The verdict of a model that gives a text any number of labels, each with a score from 0 to 1 of its own.

    Attributes:
        labels: the labels whose score reaches the threshold of the model, the highest first; often none or several.
    """

    labels: tuple[str, ...] = ()


Array = NDArray[np.floating[Any]]
Target = str | tuple[str, str] | None  # the logit of a label, or the first label's minus the second's
METHODS = ("integrated_gradients", "leave_one_out", "as_read")
BAND = (0.1, 0.9)  # quantiles over units in `gate_summary`


@dataclass(frozen=True)
class Token:
    """A token: a word or a piece of one.

    Attributes:
        text: the original text from character `start` to `end`, in its original case.
        start: its first character.
        end: the character after its last.
        unknown: whether it stands for a word outside the vocabulary.
        continues: whether it is a further piece of the word that the token before it begins.
    """

    text: str
    start: int
    end: int
    unknown: bool
    continues: bool = False


def find_words(tokens: Sequence[Token]) -> list[range]:
    """Return the indices of the tokens of each word, in order."""
    starts = [index for index, token in enumerate(tokens) if not token.continues]
    return [range(*bounds) for bounds in pairwise([*starts, len(tokens)])]


@dataclass(frozen=True)
class Reading:
    """One text as the model reads it.

    Attributes:
        text: the text.
        tokens: its T tokens.
        ids: their ids.
        score: function from B rows of ids to (B, C) logits, divided by the temperature.
        load_model: function that returns the PyTorch model.
    """

    text: str
    tokens: tuple[Token, ...]
    ids: list[int]
    score: Callable[[list[list[int]]], Array] = field(repr=False)
    load_model: "Callable[[], Network]" = field(repr=False)

    @property
    def model(self) -> "Network":
        """The PyTorch model."""
        return self.load_model()


@dataclass(frozen=True, eq=False)
class Deletion:
    """Target logit while tokens are deleted, those with the largest attribution first.

    Attributes:
        removed: (K,) share of the tokens deleted, from 0 to 1.
        curves: for each method, the (K,) target logits in the order of its attributions.
        random: (10, K) target logits in ten seeded random orders.
    """

    removed: Array
    curves: dict[str, Array]
    random: Array

    def gain(self, method: str) -> float:
        """Return the area between the mean random curve and a method's curve, in logits; random order gives 0."""
        return float(np.trapezoid(self.random.mean(axis=0) - self.curves[method], self.removed))


@dataclass(frozen=True, eq=False)
class Explanation:
    """Explanation of the verdict on one text.

    Attributes:
        text: the original text.
        prediction: the verdict; its `scores` give the C labels in the order of the columns below.
        target: the label whose logit is attributed, and the label whose logit is subtracted, or None.
        tokens: the T tokens that are read; those in the middle of a very long text are not.
        logits: (T + 1, C) logits, divided by the temperature, after 0, 1, ... T tokens. They are exact at multiples of
            `strides["running"]` and at T, and interpolated linearly between.
        running: (T + 1, C) calibrated scores of these logits.
        reset, update, candidate, hidden: (D, T, H) r_t, z_t, n_t and h_t; index d is layer x directions + direction,
            index t is token t in every direction (a backward layer's predecessor of t is t + 1). D is 0 for cells
            that are not GRUs.
        directions: 1, or 2 for a bidirectional model.
        attributions: for each method, (T,) contributions of the tokens to the target logit. "integrated_gradients"
            (Sundararajan et al. 2017) has a baseline of zero embeddings; "leave_one_out" is the decrease of the logit
            without the token; "as_read" is the increase when the token is appended to the prefix before it, and sums
            to the last logit minus the first.
        deletion: target logits while tokens are deleted; None without tokens or methods.
        strides: number of tokens that are read ("running") or left out ("leave_one_out") together and share their
            effect evenly; 1 unless the text is long.
        gradient_steps: number of points on the path of integrated gradients.
        proofs: "hidden_state_error": largest difference between h computed from r, z and n, and h of torch (GRUs).
            "completeness_gap": relative difference between the sum of integrated gradients and its theoretical value.
            "telescoping_error": absolute difference of the same kind for "as_read", in logits.
            "deletion_gain_<method>": `Deletion.gain`.
    """

    text: str
    prediction: Prediction
    target: tuple[str, str | None]
    tokens: tuple[Token, ...]
    logits: Array
    running: Array
    reset: Array
    update: Array
    candidate: Array
    hidden: Array
    directions: int
    attributions: dict[str, Array]
    deletion: Deletion | None
    strides: dict[str, int]
    gradient_steps: int
    proofs: dict[str, float]

    def gate_summary(self, gate: str) -> dict[str, list[list[float]]]:
        """Return mean, 10% and 90% quantiles over the units of a gate ("reset" or "update"), each D lists of T."""
        values: Array = getattr(self, gate)
        low, high = np.quantile(values, BAND, axis=-1)
        return {"mean": _rounded(values.mean(axis=-1)), "low": _rounded(low), "high": _rounded(high)}

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values; the gates, which are D x T x H numbers, are summarised over units."""
        return {
            "text": self.text,
            "prediction": asdict(self.prediction),
            "target": list(self.target),
            "tokens": [asdict(token) for token in self.tokens],
            "logits": _rounded(self.logits),
            "running": _rounded(self.running),
            "directions": self.directions,
            "gates": {gate: self.gate_summary(gate) for gate in ("reset", "update")},
            "attributions": {method: _rounded(values) for method, values in self.attributions.items()},
            "deletion": self.deletion
            and {
                "removed": _rounded(self.deletion.removed),
                "curves": {method: _rounded(curve) for method, curve in self.deletion.curves.items()},
                "random_mean": _rounded(self.deletion.random.mean(axis=0)),
            },
            "strides": self.strides,
            "gradient_steps": self.gradient_steps,
            "proofs": self.proofs,
        }


@dataclass(frozen=True)
class WhatIf:
    """A text before and after a change, with both verdicts."""

    text: str
    changed: str
    before: Prediction
    after: Prediction


@dataclass(frozen=True)
class Flip:
    """Tokens, in order of removal, whose removal changes the label to `label`; a smaller set may exist.

    `uncertain` says, as in a `Prediction`, whether verdicts with such a score were often wrong.
    """

    removed: tuple[int, ...]
    label: str
    scores: dict[str, float]
    uncertain: bool = False


def calibrated(logits: Array) -> Array:
    """Return the softmax over the last axis, in float64."""
    exponentials = np.exp(logits.astype(np.float64) - logits.max(axis=-1, keepdims=True))
    shares: Array = exponentials / exponentials.sum(axis=-1, keepdims=True)
    return shares


def independent(logits: Array) -> Array:
    """Return the sigmoid of each logit, in float64."""
    return np.exp(-np.logaddexp(0.0, -logits.astype(np.float64)))


def _rounded(values: Array) -> Any:
    return np.round(values.astype(float), 6).tolist()
