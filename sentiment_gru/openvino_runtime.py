"""OpenVINO in place of ONNX Runtime for many texts, where it is installed, agrees and is faster.

Its matrix products use bfloat16 on CPUs with instructions for it, which moves scores in the third decimal.
docs/measurements.md compares the speed of both.
"""

import logging
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from queue import SimpleQueue
from threading import Lock
from typing import Any

import numpy as np

from .errors import OptionsError, check_extra
from .model_config import ModelConfig
from .onnx_model import Weights, build_graph, pad

Rows = Sequence[Sequence[int]]  # token ids of the texts of a batch
BatchRuntime = Callable[[Rows], np.ndarray]  # to (B, C) logits

ENGINES = ("auto", "onnxruntime", "openvino")
MANY_TEXTS = 1_000  # fewer are done before OpenVINO has started
PROBED = 4  # batches
TOLERANCE = 0.02  # largest difference between two scores of the same text
WIDTH = 16  # a batch's number of tokens is a multiple of this, as OpenVINO compiles its kernels once for each shape
log = logging.getLogger(__name__)


class OpenVinoRuntime:
    """A compiled copy of a model that threads can share; each run uses one thread.

    Args:
        config: configuration of the model.
        weights: weights of `Network` by name.
        threads: number of runs at once; further ones wait.
    """

    def __init__(self, config: ModelConfig, weights: Weights, threads: int) -> None:
        import openvino

        core = openvino.Core()
        has_bfloat16 = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        options = {
            "INFERENCE_PRECISION_HINT": "bf16" if has_bfloat16 else "f32",
            "NUM_STREAMS": threads,
            "INFERENCE_NUM_THREADS": threads,
            "ENABLE_CPU_PINNING": False,
        }
        content = build_graph(config, weights, calibrated=False).SerializeToString()
        compiled = core.compile_model(core.read_model(content), "CPU", options)
        self._requests: SimpleQueue[Any] = SimpleQueue()
        for _ in range(threads):
            self._requests.put(compiled.create_infer_request())
        # The first two inferences of a process must not run at once: OpenVINO's binding to NumPy initializes itself in
        # the first one, and two threads that do so can wait for each other forever.
        self([[config.pad_token_id]])

    def __call__(self, rows: Rows) -> np.ndarray:
        """Return (B, C) float32 logits, before division, of the token ids of B texts, which may be empty."""
        request = self._requests.get()
        try:
            logits: np.ndarray = request.infer(pad(rows, WIDTH))[0].copy()
        finally:
            self._requests.put(request)
        return logits


def read_engine(name: str | None) -> str:
    """Return the name of an engine, `auto` for None or an empty name.

    Raises:
        OptionsError: there is no such engine.
        MissingExtraError: it is not installed.
    """
    engine = name or ENGINES[0]
    if engine not in ENGINES:
        raise OptionsError(f"ENGINE must be {', '.join(ENGINES[:-1])} or {ENGINES[-1]}, not {engine!r}")
    if engine == "openvino":
        check_extra("ENGINE=openvino", "openvino", "openvino")
    return engine


class RuntimeChoice:
    """The choice between ONNX Runtime and OpenVINO for large batches, made once.

    Args:
        engine: one of `ENGINES`; for `auto`, OpenVINO must be installed, agree, and be faster on the texts at hand.
        reference: ONNX Runtime.
        load: function that returns OpenVINO's.
        to_scores: function from (N, C) logits to scores, in which both are compared.
    """

    def __init__(
        self,
        engine: str,
        reference: BatchRuntime,
        load: Callable[[], BatchRuntime],
        to_scores: Callable[[np.ndarray], np.ndarray],
    ) -> None:
        self._reference, self._load, self._to_scores = reference, load, to_scores
        self._chosen = reference if engine == "onnxruntime" or find_spec("openvino") is None else None
        self._engine = engine
        self._texts = 0
        self._lock = Lock()

    def __call__(self, batches: Sequence[Rows]) -> BatchRuntime:
        """Return the runtime for batches of texts; the first `MANY_TEXTS` texts decide."""
        with self._lock:
            self._texts += sum(map(len, batches))
            if self._chosen is None and self._engine == "openvino":
                self._chosen = self._load()
            elif self._chosen is None and self._texts >= MANY_TEXTS:
                self._chosen = self._measure(batches[:: -(-len(batches) // PROBED)])
            return self._chosen or self._reference

    def _measure(self, batches: Sequence[Rows]) -> BatchRuntime:
        """Return the faster runtime, if both agree on batches."""
        try:
            other = self._load()
            for rows in batches:
                other(rows)  # compiles for this shape
            seconds, found = _time(other, batches)
        except (RuntimeError, ImportError) as error:
            log.warning("OpenVINO cannot be used: %s", error)
            return self._reference
        seconds_of_reference, expected = _time(self._reference, batches)
        if not agree(self._to_scores(found), self._to_scores(expected)):
            log.warning("OpenVINO gives other verdicts than ONNX Runtime here, so it is not used")
            return self._reference
        log.info("seconds for %d texts: ONNX Runtime %.3f, OpenVINO %.3f", len(found), seconds_of_reference, seconds)
        return other if seconds < seconds_of_reference else self._reference


def agree(scores: np.ndarray, others: np.ndarray) -> bool:
    """Return whether (N, C) scores are near, and the first label of every text the same but for ties."""
    chosen = scores.argmax(axis=1)[:, None]
    lost = others.max(axis=1) - np.take_along_axis(others, chosen, axis=1)[:, 0]  # 0 for the same verdict
    return bool(np.abs(scores - others).max() <= TOLERANCE and lost.max() <= TOLERANCE)


def _time(runtime: BatchRuntime, batches: Sequence[Rows]) -> tuple[float, np.ndarray]:
    started = time.perf_counter()
    logits = np.concatenate([runtime(rows) for rows in batches])
    return time.perf_counter() - started, logits
