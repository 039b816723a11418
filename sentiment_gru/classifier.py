"""The classifier: loads a checkpoint once and classifies any number of texts."""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from tokenizers import Tokenizer

from .checkpoint import build_network, load_config, load_text_encoder, load_weights, resolve
from .errors import InputError
from .model_config import ModelConfig, length_factor
from .numpy_runtime import NumpyRuntime
from .onnx_model import Rows, Runtime
from .results import (
    METHODS,
    Explanation,
    Flip,
    MultiLabelPrediction,
    Reading,
    Target,
    Token,
    WhatIf,
    calibrated,
    independent,
)
from .results import Prediction as Prediction
from .token_counts import TokenCounter, TokenCounts
from .tokenization import keep_ends

if TYPE_CHECKING:  # verdicts need neither torch nor transformers
    from transformers import PreTrainedTokenizerFast

    from .network import Network

FEW_TEXTS = 32  # fewer than this are left to ONNX Runtime


class SentimentClassifier:
    """A loaded model with its tokenizer; it keeps no state between calls, so threads can share it.

    ONNX Runtime computes the scores of few texts, and NumPy those of many, which it does faster. The PyTorch model
    computes the gradients and states of an explanation; it is loaded when it is first used.

    Args:
        config: Configuration of the model.
        weights: Weights of `Network` by name.
        encoder: Tokenizer without padding and truncation.
        load_model: Function that returns the PyTorch model.
        threads: Number of threads, by default OMP_NUM_THREADS or the number of available cores.
    """

    def __init__(
        self,
        config: ModelConfig,
        weights: Mapping[str, np.ndarray],
        encoder: Tokenizer,
        load_model: "Callable[[], Network]",
        threads: int | None = None,
    ) -> None:
        self.config = config
        self.labels = config.labels
        self.threads = threads or _count_threads()
        self._runtime = Runtime(config, weights)
        self._runtime_of_many = NumpyRuntime(config, weights) if NumpyRuntime.is_supported(config) else self._runtime
        self._encoder = encoder
        self._load_model = load_model
        self._model: Network | None = None
        self._lock = Lock()
        self._counter = TokenCounter(encoder.get_vocab(), config.unk_token_id)

    @classmethod
    def from_pretrained(cls, model: str | Path | None = None, threads: int | None = None) -> "SentimentClassifier":
        """Load the shipped checkpoint, a folder, or a Hub id, without unpickling or running downloaded code.

        Raises:
            CheckpointError: The checkpoint cannot be loaded; the message is one line.
        """
        folder = resolve(model)
        config = load_config(folder)
        weights, encoder = load_weights(folder, config), load_text_encoder(folder)
        return cls(config, weights, encoder, lambda: build_network(config, weights, threads), threads)

    @classmethod
    def from_model(cls, model: "Network", tokenizer: "PreTrainedTokenizerFast") -> "SentimentClassifier":
        """Return a classifier with a copy of the weights of a model in memory."""
        encoder = deepcopy(tokenizer.backend_tokenizer)  # each call of the tokenizer sets the padding of its own
        encoder.no_padding()
        encoder.no_truncation()
        encoder.encode_special_tokens = tokenizer.split_special_tokens  # "[PAD]" in a text is text
        weights = {name: tensor.detach().cpu().numpy() for name, tensor in model.state_dict().items()}
        return cls(model.config, weights, encoder, model.eval)

    @property
    def model(self) -> "Network":
        """The PyTorch model, loaded at the first use."""
        with self._lock:
            if self._model is None:
                import torch

                with torch.inference_mode(False):  # weights made in inference mode would not allow gradients later
                    self._model = self._load_model()
            return self._model

    def __call__(self, texts: Sequence[str] | str) -> list[Prediction]:
        """Classify texts and return predictions in the same order; a single string is one text.

        Raises:
            InputError: An element is not a string; the message names its index.
        """
        texts = self._check(texts)
        encoded = self.encode(texts)
        scores = self.scores(self.logits(texts, encoded))
        counts = self._counter.count(encoded)
        return [self._prediction(count, row) for count, row in zip(counts, scores, strict=True)]

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
            InputError: The text is not a string, a method or label does not exist, or the model gives a text several
                labels.
        """
        self._check_explainable()
        from .explanation.attributions import explain

        (text,) = self._check([text])
        return explain(self.read(text), self([text])[0], self.labels, methods, target)

    def what_if(self, text: str, index: int, action: str, replacement: str = "") -> WhatIf:
        """Classify a text before and after one of its words is changed.

        Args:
            text: The text.
            index: Index of the token in `Explanation.tokens`; of a piece, the whole word is changed.
            action: "remove", "replace" (with `replacement`), or "negate" (adds or removes the English "not").
            replacement: Replacement text.

        Raises:
            InputError: There is no such token or action.
        """
        from .explanation.what_if import edit_text

        (text,) = self._check([text])
        changed = edit_text(text, self.read(text).tokens, index, action, replacement)
        before, after = self([text, changed])
        return WhatIf(text, changed, before, after)

    def smallest_flip(self, text: str) -> Flip | None:
        """Search greedily for a small set of tokens whose removal changes the verdict.

        A smaller set may exist. Returns None if `what_if.MAX_REMOVED` removals do not change the verdict.

        Raises:
            InputError: The text is not a string, or the model gives a text several labels.
        """
        self._check_explainable()
        from .explanation.what_if import smallest_flip

        (text,) = self._check([text])
        flip = smallest_flip(self.read(text), self.labels)
        return flip and replace(flip, uncertain=max(flip.scores.values()) < self.config.uncertain_below)

    def read(self, text: str) -> Reading:
        """Return the tokens of a text that the model reads, with a function that scores other token ids."""
        encoding = self._encoder.encode(text)
        ids, spans = encoding.ids, encoding.offsets
        kept = keep_ends(list(range(len(ids))), self.config.max_tokens)
        tokens = []
        for before, i in zip([-1, *kept], kept, strict=False):
            start, end = spans[i]
            continues = ids[i] in self._counter.continued and before == i - 1  # what it continues may not be read
            tokens.append(Token(text[start:end], start, end, ids[i] == self.config.unk_token_id, continues))
        return Reading(text, tuple(tokens), [ids[i] for i in kept], self._score, lambda: self.model)

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Return all token ids of each text."""
        return [encoding.ids for encoding in self._encoder.encode_batch_fast(list(texts))]

    def logits(self, texts: Sequence[str] | str, encoded: list[list[int]] | None = None) -> np.ndarray:
        """Return (B, C) float32 logits, divided by the fitted temperature; see `scores`.

        Args:
            texts: B texts.
            encoded: Their token ids, if already known.
        """
        rows = self.encode(self._check(texts)) if encoded is None else encoded
        return self._score(rows)

    def _score(self, rows: Sequence[list[int]]) -> np.ndarray:
        """Return (B, C) float32 logits of token ids, divided by the fitted temperature."""
        rows = [keep_ends(ids, self.config.max_tokens) for ids in rows]
        lengths = np.array([len(ids) for ids in rows], dtype=np.int64)
        runtime = self._runtime if len(rows) < FEW_TEXTS else self._runtime_of_many
        each = max(FEW_TEXTS, -(-len(rows) // self.threads))  # so that every thread has a batch
        batches = batches_by_length(lengths.tolist(), min(runtime.BATCH_TEXTS, each), runtime.BATCH_TOKENS)
        logits = np.zeros((len(rows), len(self.labels)), dtype=np.float32)
        contents = [[rows[i] for i in batch] for batch in batches]
        for batch, batch_logits in zip(batches, self._run(runtime, contents), strict=True):
            logits[batch] = batch_logits
        divisors = self.config.temperature * length_factor(lengths, self.config.temperature_exponent)
        return logits / divisors.astype(np.float32)[:, None]

    def scores(self, logits: np.ndarray) -> np.ndarray:
        """Return (B, C) scores of logits: their softmax, or the sigmoid of each if a text may have several labels."""
        return independent(logits) if self.config.multi_label else calibrated(logits)

    def _run(self, runtime: Callable[[Rows], np.ndarray], batches: Sequence[Rows]) -> list[np.ndarray]:
        """Return the (B, C) logits of each batch; `threads` batches run in parallel."""
        if self.threads == 1 or len(batches) < 2:
            return [runtime(batch) for batch in batches]
        with ThreadPoolExecutor(self.threads) as workers:
            return list(workers.map(runtime, batches))

    def _check_explainable(self) -> None:
        if self.config.multi_label:
            raise InputError("explanations compare labels, but this model gives a text any number of them")

    def _check(self, texts: Sequence[str] | str) -> list[str]:
        texts = [texts] if isinstance(texts, str) else list(texts)
        for index, text in enumerate(texts):
            if not isinstance(text, str):
                raise InputError(f"text {index} is {type(text).__name__}, not a string: {text!r:.80}")
        return texts

    def _prediction(self, count: TokenCounts, scores: np.ndarray) -> Prediction:
        prediction = Prediction(
            label=self.labels[int(scores.argmax())],
            scores={label: float(score) for label, score in zip(self.labels, scores, strict=True)},
            uncertain=bool(scores.max() < self.config.uncertain_below)
            or count.unknown + count.punctuation == count.tokens,
            tokens=count.tokens,
            unknown_tokens=count.unknown,
            truncated_tokens=max(0, count.tokens - self.config.max_tokens),
            punctuation_tokens=count.punctuation,
            piece_tokens=count.pieces,
            split_words=count.split_words,
        )
        if not self.config.multi_label:
            return prediction
        order = sorted(range(len(scores)), key=lambda i: -scores[i])
        given = tuple(self.labels[i] for i in order if scores[i] >= self.config.label_threshold)
        return MultiLabelPrediction(**vars(prediction), labels=given)


def _count_threads() -> int:
    given = os.environ.get("OMP_NUM_THREADS", "")
    return int(given) if given.isdecimal() and int(given) else os.cpu_count() or 1


def batches_by_length(lengths: Sequence[int], texts: int, tokens: int) -> list[list[int]]:
    """Group indices into batches of similar length, the longest first.

    Args:
        lengths: Number of tokens of each text.
        texts: Largest number of texts in a batch.
        tokens: Largest number of tokens in a batch of several texts, with the padding to the longest one.
    """
    batches: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True):
        size = len(batches[-1]) + 1 if batches else 0
        if not batches or size > texts or size * lengths[batches[-1][0]] > tokens:
            batches.append([])
        batches[-1].append(index)
    return batches
