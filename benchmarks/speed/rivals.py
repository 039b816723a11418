"""The functions that are timed side by side; each classifies some texts, or does the same amount of work.

DistilBERT has random weights, as its time does not depend on them, and reads random token ids: as many as the GRU reads
words, which favors it, since its own tokenizer cuts words into pieces and takes time.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from transformers import DistilBertConfig, DistilBertForSequenceClassification
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from sentiment_gru.distillation.teachers import NBSVM
from sentiment_gru.model_config import ModelConfig

from .texts import make_texts
from .throughput import load

Call = Callable[[], object]
LONGEST = 1_000  # tokens; the released DistilBERT stops at 512
TRAINING_TEXTS, TRAINING_WORDS = 2_000, 250
PROJECTED = 2_000  # rows of embeddings that are multiplied at a time


class Rivals:
    """All rivals, loaded; NB-SVM is fitted to made-up texts with labels by chance, as only its time is of interest."""

    def __init__(self, training_texts: int = TRAINING_TEXTS) -> None:
        torch.manual_seed(0)
        self.gru, self.gru_onnxruntime = load(onnx_alone=False), load(onnx_alone=True)
        distilbert = DistilBertConfig(num_labels=3, max_position_embeddings=LONGEST)
        self.distilbert = DistilBertForSequenceClassification(distilbert).eval()
        labels = np.random.default_rng(0).integers(0, 2, training_texts).astype(float)
        self.nbsvm = NBSVM().fit(make_texts(training_texts, TRAINING_WORDS, seed=1), labels)
        self.vader = SentimentIntensityAnalyzer()

    def calls(self, texts: Sequence[str], words: int) -> dict[str, Call]:
        """Return a call for each rival that judges all texts, which have so many words each."""
        ids = torch.randint(1_000, self.distilbert.config.vocab_size, (len(texts), words))
        return {
            "gru": partial(self.gru, texts),
            "gru_onnxruntime": partial(self.gru_onnxruntime, texts),
            "gru_without_tokenizing": partial(self.gru.logits, (), self.gru.encode(texts)),
            "distilbert": partial(self._run_distilbert, ids),
            "nbsvm": partial(self.nbsvm.logits, texts),
            "vader": lambda: [self.vader.polarity_scores(text) for text in texts],
            "matrix_products": matrix_products(self.gru.config, len(texts), words),
        }

    @torch.inference_mode()
    def _run_distilbert(self, ids: torch.Tensor) -> None:
        self.distilbert(input_ids=ids, attention_mask=torch.ones_like(ids))


def operations(config: ModelConfig, tokens: int) -> int:
    """Return the floating-point operations of the matrix products of one text; a product and its sum are two."""
    directions = 2 if config.bidirectional else 1
    inputs = [config.embedding_size] + [directions * config.hidden_size] * (config.num_layers - 1)
    return sum(2 * tokens * directions * 3 * config.hidden_size * (size + config.hidden_size) for size in inputs)


def matrix_products(config: ModelConfig, texts: int, tokens: int) -> Call:
    """Return a call that makes the matrix products that a GRU cannot do without, and nothing else, in float32.

    The inputs of all steps are multiplied together, but the states of one step must wait for those before.
    """
    directions, gates = (2 if config.bidirectional else 1), 3 * config.hidden_size
    rows = min(PROJECTED, texts * tokens)
    inputs = torch.randn(rows, config.embedding_size), torch.randn(config.embedding_size, gates)
    states = torch.randn(texts, config.hidden_size), torch.randn(directions, config.hidden_size, gates)
    projected, stepped = torch.empty(rows, gates), torch.empty(texts, gates)

    @torch.inference_mode()
    def multiply() -> None:
        for direction in range(directions):
            for _ in range(texts * tokens // rows):
                torch.mm(*inputs, out=projected)
            for _ in range(tokens):
                torch.mm(states[0], states[1][direction], out=stepped)

    if config.num_layers != 1:
        raise ValueError("the bound is written for a model of one layer")
    return multiply
