"""The values that explanations are made of. No torch in here: what shows them can be imported in milliseconds."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_CHARACTERS = 200_000  # of a text that visitors may send; more is no review, and would keep all others waiting
MOSTLY_UNKNOWN = 0.5


@dataclass(frozen=True)
class Prediction:
    """The verdict on one text.

    Attributes:
        label: the label with the highest score.
        scores: calibrated score of every label; they sum to 1.
        uncertain: the highest score lies in the band where the verdict was often wrong on validation texts,
            or no word of the text is known.
        tokens: tokens found in the text.
        unknown_tokens: how many of them the vocabulary does not hold.
        truncated_tokens: how many, in the middle of a very long text, were not read.
        punctuation_tokens: how many are known, but only punctuation, which says nothing about a text of unknown words.
    """

    label: str
    scores: dict[str, float]
    uncertain: bool
    tokens: int
    unknown_tokens: int
    truncated_tokens: int
    punctuation_tokens: int = 0

    @property
    def cannot_tell(self) -> bool:
        """Whether the text holds no known word, so that the verdict says nothing about it."""
        return self.unknown_tokens == self._words

    @property
    def warning(self) -> str | None:
        """What the reader should know before trusting the verdict, in one sentence."""
        if self._words == 0:
            return "There is no word in this text."
        if self.cannot_tell:
            return "The model knows none of these words."
        if self.unknown_tokens / self._words > MOSTLY_UNKNOWN:
            return "The model knows fewer than half of these words; is the text in another language?"
        if self.truncated_tokens:
            return f"The text is very long: {self.truncated_tokens:,} tokens in its middle were not read."
        return None

    @property
    def _words(self) -> int:
        return self.tokens - self.punctuation_tokens


Array = NDArray[np.floating[Any]]
Target = str | tuple[str, str] | None  # a label's logit, or the first label's less the second's
METHODS = ("integrated_gradients", "leave_one_out", "as_read")
BAND = (0.1, 0.9)  # quantiles over units that the gate strip shows


@dataclass(frozen=True)
class Token:
    """A token and its place: `text` is characters `start` to `end` of the original text, in its own casing."""

    text: str
    start: int
    end: int
    unknown: bool


@dataclass(frozen=True, eq=False)
class Deletion:
    """What remains of the target logit while tokens are deleted, the strongest support first.

    Attributes:
        removed: (K,) share of the tokens deleted, from 0 to 1.
        curves: for each method, the (K,) target logit when tokens go in the order of their attributions.
        random: (10, K) target logits when they go in ten seeded random orders.
    """

    removed: Array
    curves: dict[str, Array]
    random: Array

    def gain(self, method: str) -> float:
        """Return the area between the mean random curve and a method's, in logits; above 0 beats random order."""
        return float(np.trapezoid(self.random.mean(axis=0) - self.curves[method], self.removed))


@dataclass(frozen=True, eq=False)
class Explanation:
    """How the model reads one text.

    Attributes:
        text: the original text.
        prediction: the verdict; its `scores` name the C labels in the order of the columns below.
        target: the label whose logit is attributed, and the one whose logit is taken off it, or None.
        tokens: the T tokens that are read; a very long text lacks those in its middle.
        logits: (T + 1, C) logits, divided by the temperature, after 0, 1, ... T tokens. Exact at every multiple of
            `strides["running"]` and at T; on a straight line between.
        running: (T + 1, C) calibrated scores of the same.
        reset, update, candidate, hidden: (D, T, H) r_t, z_t, n_t and h_t; index d is layer x directions + direction,
            index t is token t in every direction (a backward layer's predecessor of t is t + 1). D is 0 for cells
            that are not GRUs.
        directions: 1, or 2 if a second set of units reads the text from its end.
        attributions: for each method, the (T,) share of every token in the target logit. "integrated_gradients"
            (Sundararajan et al. 2017) starts from embeddings of zero; "leave_one_out" is what the logit loses without
            the token; "as_read" is what the token adds to the prefix before it, and sums to the last logit less the
            first.
        deletion: how the target logit falls when the tokens are deleted; None without tokens or methods.
        strides: "running" and "leave_one_out": tokens read or left out together, 1 unless the text is long; they
            share their effect evenly.
        gradient_steps: points on the path of integrated gradients.
        proofs: "hidden_state_error": largest difference between h computed from r, z and n, and h of torch (GRUs).
            "completeness_gap": distance of the sum of integrated gradients from the difference it should have, as a
            share of that. "telescoping_error": the same of as-read, in logits. "deletion_gain_<method>":
            `Deletion.gain`.
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
        """Return mean and 10% and 90% quantile over units of a gate ("reset" or "update"), each D lists of T."""
        values: Array = getattr(self, gate)
        low, high = np.quantile(values, BAND, axis=-1)
        return {"mean": _rounded(values.mean(axis=-1)), "low": _rounded(low), "high": _rounded(high)}

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as JSON-ready values; of the gates, which are D x T x H numbers, the summary over units."""
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
    """A text before and after a change, each with its verdict."""

    text: str
    changed: str
    before: Prediction
    after: Prediction


@dataclass(frozen=True)
class Flip:
    """Tokens, in the order found, without which the label is another one; found greedily, a smaller set may exist."""

    removed: tuple[int, ...]
    label: str
    scores: dict[str, float]


def _rounded(values: Array) -> Any:
    return np.round(values.astype(float), 6).tolist()
