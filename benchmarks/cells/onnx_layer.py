"""A recurrent layer of the program as one node of an ONNX graph, run by ONNX Runtime."""

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from sentiment_gru.network import RecurrentLayer
from sentiment_gru.onnx_model import IR_VERSION, OPSET, recurrent_weights


def open_session(layer: RecurrentLayer) -> onnxruntime.InferenceSession:
    """Return a session with the weights of a layer, on one thread.

    Its input X is (T, B, E), its output Y (T, D, B, H); texts of a batch have the same length.
    """
    cells = [cell for cell in (layer.forward_cell, layer.backward_cell) if cell is not None]
    named = [{name: array.detach().cpu().numpy() for name, array in cell.named_parameters()} for cell in cells]
    kinds = [type(cell).__name__.lower() for cell in cells]
    operators, arrays, attributes = zip(*map(recurrent_weights, kinds, named), strict=True)
    weights = {name: np.concatenate(parts) for name, parts in zip("WRB", zip(*arrays, strict=True), strict=True)}
    settings = attributes[0] | {"direction": "bidirectional" if len(cells) == 2 else "forward"}
    input_size, hidden_size = layer.forward_cell.input_size, layer.forward_cell.hidden_size
    graph = helper.make_graph(
        [helper.make_node(operators[0], ["X", *weights], ["Y"], **settings)],
        "layer",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, ["T", "B", input_size])],
        [helper.make_tensor_value_info("Y", TensorProto.FLOAT, ["T", len(cells), "B", hidden_size])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def run_session(session: onnxruntime.InferenceSession, inputs: np.ndarray) -> np.ndarray:
    """Return (T, D, B, H) states of (T, B, E) inputs."""
    states: np.ndarray = session.run(None, {"X": inputs})[0]
    return states
