"""The network in ONNX Runtime, which needs a third of PyTorch's time for the GRU of one text."""

from collections.abc import Sequence

import numpy as np
import onnxruntime

from .network import Network
from .onnx_graph import build_graph


class Runtime:
    """Runs a model as it was when this was made; safe to share between threads, each run on one thread."""

    def __init__(self, model: Network) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # it would keep what the largest batch ever took
        content = build_graph(model, calibrated=False).SerializeToString()
        self.session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def __call__(self, rows: Sequence[Sequence[int]]) -> np.ndarray:
        """Return (B, C) float32 logits, not yet divided, of the token ids of B texts; a text may have none."""
        lengths = np.array([len(row) for row in rows])
        mask = np.arange(max(1, lengths.max())) < lengths[:, None]
        ids = np.zeros(mask.shape, dtype=np.int64)
        ids[mask] = np.concatenate([np.asarray(row, dtype=np.int64) for row in rows])
        logits: np.ndarray = self.session.run(None, {"input_ids": ids, "attention_mask": mask.astype(np.int64)})[0]
        return logits
