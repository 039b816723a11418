"""Load a checkpoint once, classify many texts."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from transformers import PreTrainedTokenizerFast

from .checkpoint import load_model, load_tokenizer, resolve
from .errors import InputError
from .modeling import SentimentGRUForSequenceClassification
from .tokenization import keep_ends

BATCH_TEXTS = 64
BATCH_TOKENS = 32_768  # padded tokens per batch: bounds memory when texts are long
MOSTLY_UNKNOWN = 0.5


@dataclass(frozen=True)
class Prediction:
    """The verdict on one text.

    Attributes:
        label: the label with the highest score.
        scores: calibrated score of every label; they sum to 1.
        uncertain: the highest score lies in the band where the verdict was often wrong on validation texts,
            or no token of the text is known.
        tokens: tokens found in the text.
        unknown_tokens: how many of them the vocabulary does not hold.
        truncated_tokens: how many, in the middle of a very long text, were not read.
    """

    label: str
    scores: dict[str, float]
    uncertain: bool
    tokens: int
    unknown_tokens: int
    truncated_tokens: int

    @property
    def cannot_tell(self) -> bool:
        """Whether the text holds no known token, so that the verdict says nothing about it."""
        return self.unknown_tokens == self.tokens

    @property
    def warning(self) -> str | None:
        """What the reader should know before trusting the verdict, in one sentence."""
        if self.tokens == 0:
            return "There is no word in this text."
        if self.cannot_tell:
            return "The model knows none of these words."
        if self.unknown_tokens / self.tokens > MOSTLY_UNKNOWN:
            return "The model knows fewer than half of these words; is the text in another language?"
        if self.truncated_tokens:
            return f"The text is very long: {self.truncated_tokens:,} tokens in its middle were not read."
        return None


class SentimentClassifier:
    """A loaded model with its tokenizer; safe to share between threads, as it keeps no state between calls."""

    def __init__(self, model: SentimentGRUForSequenceClassification, tokenizer: PreTrainedTokenizerFast) -> None:
        self.model = model.eval()
        self.tokenizer = tokenizer
        self.config = model.config
        self.labels = [self.config.id2label[i] for i in range(self.config.num_labels)]

    @classmethod
    def from_pretrained(cls, model: str | Path | None = None) -> "SentimentClassifier":
        """Load the shipped checkpoint, a folder, or a Hub id; never unpickles and never runs downloaded code.

        Raises:
            CheckpointError: what is wrong with the checkpoint, in one line.
        """
        folder = resolve(model)
        return cls(load_model(folder), load_tokenizer(folder))

    def __call__(self, texts: Sequence[str] | str) -> list[Prediction]:
        """Classify texts, in their order; a single string counts as one text.

        Raises:
            InputError: an element is not a string; the message names its index.
        """
        texts = self._check(texts)
        encoded = self.encode(texts)
        scores = torch.from_numpy(self.logits(texts, encoded)).double().softmax(dim=-1).numpy()
        return [self._prediction(ids, row) for ids, row in zip(encoded, scores, strict=True)]

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the token ids of each text, uncut."""
        return self.tokenizer(list(texts), return_attention_mask=False)["input_ids"] if texts else []

    def logits(self, texts: Sequence[str] | str, encoded: list[list[int]] | None = None) -> np.ndarray:
        """Return (B, C) float32 logits, divided by the fitted temperature; softmax gives the scores.

        Args:
            texts: B texts.
            encoded: their token ids, where the caller has them already.
        """
        rows = self.encode(self._check(texts)) if encoded is None else encoded
        rows = [keep_ends(ids, self.config.max_tokens) for ids in rows]
        logits = np.zeros((len(rows), len(self.labels)), dtype=np.float32)
        for batch in batches_by_length([len(ids) for ids in rows]):
            logits[batch] = self._score([rows[i] for i in batch])
        return logits

    @torch.inference_mode()
    def _score(self, rows: list[list[int]]) -> np.ndarray:
        padded = self.tokenizer.pad({"input_ids": rows}, return_tensors="pt")
        device = self.model.device
        output = self.model(
            input_ids=padded["input_ids"].long().to(device),
            attention_mask=padded["attention_mask"].to(device),
        )
        return output.logits.float().cpu().numpy()

    def _check(self, texts: Sequence[str] | str) -> list[str]:
        texts = [texts] if isinstance(texts, str) else list(texts)
        for index, text in enumerate(texts):
            if not isinstance(text, str):
                raise InputError(f"text {index} is {type(text).__name__}, not a string: {text!r:.80}")
        return texts

    def _prediction(self, ids: list[int], scores: np.ndarray) -> Prediction:
        unknown = ids.count(self.config.unk_token_id)
        return Prediction(
            label=self.labels[int(scores.argmax())],
            scores={label: float(score) for label, score in zip(self.labels, scores, strict=True)},
            uncertain=bool(scores.max() < self.config.uncertain_below) or unknown == len(ids),
            tokens=len(ids),
            unknown_tokens=unknown,
            truncated_tokens=max(0, len(ids) - self.config.max_tokens),
        )


def batches_by_length(lengths: Sequence[int]) -> list[list[int]]:
    """Group indices into batches of similar length, each within `BATCH_TEXTS` and `BATCH_TOKENS`."""
    batches: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        size = len(batches[-1]) + 1 if batches else 0
        if not batches or size > BATCH_TEXTS or size * lengths[index] > BATCH_TOKENS:
            batches.append([])
        batches[-1].append(index)
    return batches
