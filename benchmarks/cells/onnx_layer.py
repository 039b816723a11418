"""A recurrent layer of the program as one node of an ONNX graph, run by ONNX Runtime."""

from collections.abc import Sequence

import numpy as np
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from sentiment_gru.modeling import RecurrentLayer

OPSET, IR_VERSION = 14, 8
# Place of each of ONNX's blocks of weights among PyTorch's: z r n from r z n, i o f g from i f g o.
ORDERS = {"GRU": [1, 0, 2], "LSTM": [0, 3, 1, 2], "RNN": [0]}


def open_session(layer: RecurrentLayer) -> onnxruntime.InferenceSession:
    """Return a session with the weights of a layer, on one thread.

    Its input X is (T, B, E), its output Y (T, D, B, H); texts of a batch have the same length.
    """
    cells = [cell for cell in (layer.forward_cell, layer.backward_cell) if cell is not None]
    operator = type(cells[0]).__name__
    weights = {"W": _stack(cells, "weight_ih_l0"), "R": _stack(cells, "weight_hh_l0")}
    weights["B"] = torch.cat([_stack(cells, "bias_ih_l0"), _stack(cells, "bias_hh_l0")], dim=1)
    attributes = {"hidden_size": cells[0].hidden_size, "direction": "bidirectional" if len(cells) == 2 else "forward"}
    if operator == "GRU":
        attributes["linear_before_reset"] = 1  # PyTorch's reset gate acts after the matrix product
    graph = helper.make_graph(
        [helper.make_node(operator, ["X", *weights], ["Y"], **attributes)],
        "layer",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, ["T", "B", cells[0].input_size])],
        [helper.make_tensor_value_info("Y", TensorProto.FLOAT, ["T", len(cells), "B", cells[0].hidden_size])],
        [numpy_helper.from_array(value.numpy(), name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def _stack(cells: Sequence[nn.RNNBase], name: str) -> Tensor:
    """Return the weights of all directions, in ONNX's order of blocks."""
    order = ORDERS[type(cells[0]).__name__]
    blocks = [getattr(cell, name).detach().chunk(len(order)) for cell in cells]
    return torch.stack([torch.cat([parts[i] for i in order]) for parts in blocks])


def run_session(session: onnxruntime.InferenceSession, inputs: np.ndarray) -> np.ndarray:
    """Return (T, D, B, H) states of (T, B, E) inputs."""
    states: np.ndarray = session.run(None, {"X": inputs})[0]
    return states
