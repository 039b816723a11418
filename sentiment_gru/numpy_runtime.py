"""The network in NumPy, for many texts at once: faster than ONNX Runtime (docs/measurements.md), and as exact.

The input half of the products depends on the word alone, so it is computed once for each distinct word of a batch; and
a text leaves the batch after its last token, so nothing is computed for padding. ONNX's GRU operator allows neither.
The equations are those of `torch.nn.GRU`: https://docs.pytorch.org/docs/stable/generated/torch.nn.GRU.html

Shapes in comments: B texts, T tokens, U distinct tokens, H hidden_size, D directions, C labels.
"""

from threading import Lock
from types import TracebackType

import numpy as np
from threadpoolctl import ThreadpoolController

from .model_config import ModelConfig
from .onnx_model import Rows, Weights, select

BELOW_ALL = -2.0  # states lie between -1 and 1


class NumpyRuntime:
    """A copy of a one-layer GRU; threads can share it, and each run uses one thread.

    Args:
        config: configuration of a model that `is_supported`.
        weights: weights of `Network` by name.
    """

    BATCH_TEXTS = 256
    BATCH_TOKENS = 65_536  # bounds the memory of a run

    def __init__(self, config: ModelConfig, weights: Weights) -> None:
        self._config = config
        self._embeddings = weights["embedding.weight"]
        names = ("forward_cell", "backward_cell")[: 2 if config.bidirectional else 1]
        self._directions = [_Direction(select(weights, f"layers.0.{name}.")) for name in names]
        self._head = [weights[name].astype(np.float32) for name in ("classifier.weight", "classifier.bias")]

    @staticmethod
    def is_supported(config: ModelConfig) -> bool:
        """Return whether a model is a GRU of one layer; others are left to ONNX Runtime."""
        return config.cell == "gru" and config.num_layers == 1

    def __call__(self, rows: Rows) -> np.ndarray:
        """Return (B, C) float32 logits, before division, of the token ids of B texts, which may be empty."""
        lengths = np.array([len(row) for row in rows])
        order = np.argsort(-lengths, kind="stable")  # longest first: the texts still read are the first ones
        lengths = lengths[order]
        ids = np.concatenate([np.asarray(rows[i], dtype=np.int64) for i in order])
        distinct, ids = np.unique(ids, return_inverse=True)
        embeddings = self._embeddings[distinct].astype(np.float32)
        with one_thread_each:
            pooled = np.concatenate(self._pool(embeddings, ids, lengths), axis=1)
            weight, bias = self._head
            logits = np.empty((len(rows), len(bias)), dtype=np.float32)
            logits[order] = pooled @ weight.T + bias
        return logits

    def _pool(self, embeddings: np.ndarray, ids: np.ndarray, lengths: np.ndarray) -> list[np.ndarray]:
        """Return the states of B texts reduced over time as the model pools: arrays of (B, H), 0 for an empty text.

        Args:
            embeddings: (U, E) embeddings of the distinct tokens.
            ids: indices of the tokens of all texts in `embeddings`, one text after another.
            lengths: (B,) numbers of tokens, in descending order.
        """
        mask = np.arange(max(lengths, default=0)) < lengths[:, None]
        steps = np.zeros(mask.shape, dtype=np.int64)  # (B, T)
        steps[mask] = ids
        backward = np.zeros_like(steps)  # each text reversed within its own length
        backward[mask] = steps[:, ::-1][mask[:, ::-1]]
        reading = mask.sum(axis=0)  # (T,) number of texts that have a token at each step
        results = [
            direction.run(embeddings, np.ascontiguousarray(order.T), reading, len(lengths))
            for direction, order in zip(self._directions, (steps, backward), strict=False)
        ]
        divisors = np.maximum(lengths, 1).astype(np.float32)[:, None]
        parts = []
        if self._config.pooling == "last":
            parts += [last for last, _, _ in results]
        if "mean" in self._config.pooling:
            parts += [total / divisors for _, total, _ in results]
        if "max" in self._config.pooling:
            parts += [np.where(lengths[:, None] > 0, most, np.float32(0)) for _, _, most in results]
        return parts


class _Direction:
    """One recurrence over texts.

    The gates are computed as sigmoid(x) = (1 + tanh(x / 2)) / 2, as NumPy has a vectorized tanh. The weights contain
    the halves: those of r and z are halved for x / 2, and those of the hidden state in n for the factor of r.
    """

    def __init__(self, weights: Weights) -> None:
        names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
        arrays = [np.stack(np.split(weights[name].astype(np.float32), 3)) for name in names]  # blocks of r, z and n
        inputs, states, input_bias, state_bias = arrays
        for array in (inputs[:2], states, input_bias[:2], state_bias):
            array /= 2
        input_bias[:2] += state_bias[:2]
        self._inputs, self._input_bias = inputs.transpose(0, 2, 1), input_bias[:, None]  # (3, E, H) and (3, 1, H)
        self._states = np.ascontiguousarray(states.transpose(0, 2, 1))  # (3, H, H)
        self._candidate_bias = state_bias[2]

    def run(
        self, embeddings: np.ndarray, steps: np.ndarray, reading: np.ndarray, texts: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the last state of every text, the sum of its states, and the largest value of each unit, all (B, H).

        Args:
            embeddings: (U, E) embeddings.
            steps: (T, B) indices in `embeddings`, texts in descending order of length.
            reading: (T,) numbers of texts at each step.
            texts: B.
        """
        size = len(self._candidate_bias)
        projected = embeddings @ self._inputs  # (3, U, H)
        projected += self._input_bias
        hidden, total = np.zeros((2, texts, size), dtype=np.float32)
        most = np.full((texts, size), BELOW_ALL, dtype=np.float32)
        # The arrays are reused at every step: allocation would take longer than arithmetic.
        inputs, products = np.empty((2, 3, texts, size), dtype=np.float32)
        for indices, count in zip(steps, reading, strict=True):
            h, x, product = hidden[:count], inputs[:, :count], products[:, :count]
            for block in range(3):
                np.take(projected[block], indices[:count], axis=0, out=x[block], mode="clip")  # other modes copy
            np.matmul(h, self._states, out=product)
            gates, (r, z, n) = product[:2], product
            gates += x[:2]
            np.tanh(gates, out=gates)
            gates += 1  # twice r and twice z
            n += self._candidate_bias
            n *= r
            n += x[2]
            np.tanh(n, out=n)
            h -= n  # h = n + z (h - n)
            h *= 0.5
            h *= z
            h += n
            total[:count] += h
            np.maximum(most[:count], h, out=most[:count])
        return hidden, total, most


class _OneThreadEach:
    """A context in which each matrix product of NumPy uses one thread, as batches run in parallel; threads share it."""

    def __init__(self) -> None:
        self._libraries = ThreadpoolController().select(user_api="blas")  # NumPy's, and others if they are loaded
        self._lock = Lock()
        self._inside = 0

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._limits = self._libraries.limit(limits=1)
            self._inside += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._limits.restore_original_limits()


one_thread_each = _OneThreadEach()
