"""What the classifier says about one text."""

from dataclasses import dataclass

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
