"""The classifier: loads a checkpoint once and classifies any number of texts."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
from transformers import PreTrainedTokenizerFast

from .checkpoint import load_network, load_tokenizer, resolve
from .configuration import length_factor
from .errors import InputError
from .explanation import METHODS, Explanation, Flip, Target, Token, WhatIf
from .explanation.attributions import explain
from .explanation.gates import Reading
from .explanation.what_if import edit_text, smallest_flip
from .network import Network
from .onnx_model import Runtime
from .results import Prediction as Prediction
from .tokenization import is_punctuation, keep_ends

BATCH_TEXTS = 64
BATCH_TOKENS = 16_384  # padded tokens per batch: bounds memory when texts are long


class SentimentClassifier:
    """A loaded model with its tokenizer; it keeps no state between calls, so threads can share it.

    ONNX Runtime computes verdicts; the PyTorch model computes explanations, which need gradients and states.
    """

    def __init__(self, model: Network, tokenizer: PreTrainedTokenizerFast) -> None:
        self.model = model.eval()
        self.tokenizer = tokenizer
        self._encoder = deepcopy(
            tokenizer.backend_tokenizer
        )  # a copy, because each call of the tokenizer sets its padding
        self._encoder.no_padding()
        self._encoder.no_truncation()
        self._encoder.encode_special_tokens = tokenizer.split_special_tokens  # "[PAD]" in a text is text
        self.config = model.config
        self._runtime = Runtime(self.model)
        self.labels = [self.config.id2label[i] for i in range(self.config.num_labels)]
        self._punctuation = {i for token, i in tokenizer.get_vocab().items() if is_punctuation(token)}

    @classmethod
    def from_pretrained(cls, model: str | Path | None = None) -> "SentimentClassifier":
        """Load the shipped checkpoint, a folder, or a Hub id, without unpickling or running downloaded code.

        Raises:
            CheckpointError: The checkpoint cannot be loaded; the message is one line.
        """
        folder = resolve(model)
        return cls(load_network(folder), load_tokenizer(folder))

    def __call__(self, texts: Sequence[str] | str) -> list[Prediction]:
        """Classify texts and return predictions in the same order; a single string is one text.

        Raises:
            InputError: An element is not a string; the message names its index.
        """
        texts = self._check(texts)
        encoded = self.encode(texts)
        scores = torch.from_numpy(self.logits(texts, encoded)).double().softmax(dim=-1).numpy()
        return [self._prediction(ids, row) for ids, row in zip(encoded, scores, strict=True)]

    def explain(self, text: str, methods: Sequence[str] = METHODS, target: Target = None) -> Explanation:
        """Explain the verdict on one text.

        Args:
            text: The text; for a very long one, the explanation covers the tokens that are read.
            methods: Attribution methods among `METHODS`; empty for gates and running prediction only.
            target: Label whose logit is explained (by default the predicted label), or a pair of labels for the
                difference of their logits.

        Returns:
            The explanation, with numeric checks in `Explanation.proofs`.

        Raises:
            InputError: The text is not a string, or a method or label does not exist.
        """
        (text,) = self._check([text])
        return explain(self.read(text), self([text])[0], self.labels, methods, target)

    def what_if(self, text: str, index: int, action: str, replacement: str = "") -> WhatIf:
        """Classify a text before and after one of its tokens is changed.

        Args:
            text: The text.
            index: Index of the token in `Explanation.tokens`.
            action: "remove", "replace" (with `replacement`), or "negate" (adds or removes the English "not").
            replacement: Replacement text.

        Raises:
            InputError: There is no such token or action.
        """
        (text,) = self._check([text])
        changed = edit_text(text, self.read(text).tokens, index, action, replacement)
        before, after = self([text, changed])
        return WhatIf(text, changed, before, after)

    def smallest_flip(self, text: str) -> Flip | None:
        """Search greedily for a small set of tokens whose removal changes the verdict.

        A smaller set may exist. Returns None if `what_if.MAX_REMOVED` removals do not change the verdict.
        """
        (text,) = self._check([text])
        return smallest_flip(self.read(text), self.labels)

    def read(self, text: str) -> Reading:
        """Return the tokens of a text that the model reads, with a function that scores other token ids."""
        encoding = self.tokenizer(text, return_attention_mask=False, return_offsets_mapping=True)
        ids, spans = encoding["input_ids"], encoding["offset_mapping"]
        kept = keep_ends(list(range(len(ids))), self.config.max_tokens)
        tokens = tuple(
            Token(text[start:end], start, end, ids[i] == self.config.unk_token_id)
            for i, (start, end) in zip(kept, (spans[i] for i in kept), strict=True)
        )
        return Reading(text, tokens, [ids[i] for i in kept], self.model, lambda rows: self.logits((), rows))

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Return all token ids of each text."""
        return [encoding.ids for encoding in self._encoder.encode_batch_fast(list(texts))]

    def logits(self, texts: Sequence[str] | str, encoded: list[list[int]] | None = None) -> np.ndarray:
        """Return (B, C) float32 logits, divided by the fitted temperature; softmax gives the scores.

        Args:
            texts: B texts.
            encoded: Their token ids, if already known.
        """
        rows = self.encode(self._check(texts)) if encoded is None else encoded
        rows = [keep_ends(ids, self.config.max_tokens) for ids in rows]
        lengths = np.array([len(ids) for ids in rows], dtype=np.int64)
        batches = batches_by_length(lengths.tolist())
        logits = np.zeros((len(rows), len(self.labels)), dtype=np.float32)
        for batch, batch_logits in zip(batches, self._run(batches, rows), strict=True):
            logits[batch] = batch_logits
        divisors = self.config.temperature * length_factor(lengths, self.config.temperature_exponent)
        return logits / divisors.astype(np.float32)[:, None]

    def _run(self, batches: list[list[int]], rows: list[list[int]]) -> list[np.ndarray]:
        """Return the (B, C) logits of each batch; as many batches run in parallel as torch has threads."""
        contents = [[rows[i] for i in batch] for batch in batches]
        if torch.get_num_threads() == 1 or len(contents) < 2:
            return [self._runtime(content) for content in contents]
        with ThreadPoolExecutor(torch.get_num_threads()) as workers:
            return list(workers.map(self._runtime, contents))

    def _check(self, texts: Sequence[str] | str) -> list[str]:
        texts = [texts] if isinstance(texts, str) else list(texts)
        for index, text in enumerate(texts):
            if not isinstance(text, str):
                raise InputError(f"text {index} is {type(text).__name__}, not a string: {text!r:.80}")
        return texts

    def _prediction(self, ids: list[int], scores: np.ndarray) -> Prediction:
        unknown = ids.count(self.config.unk_token_id)
        punctuation = sum(token in self._punctuation for token in ids)
        return Prediction(
            label=self.labels[int(scores.argmax())],
            scores={label: float(score) for label, score in zip(self.labels, scores, strict=True)},
            uncertain=bool(scores.max() < self.config.uncertain_below) or unknown + punctuation == len(ids),
            tokens=len(ids),
            unknown_tokens=unknown,
            truncated_tokens=max(0, len(ids) - self.config.max_tokens),
            punctuation_tokens=punctuation,
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
