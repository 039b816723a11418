"""The network as an ONNX graph: what the classifier runs, and what `--export-onnx` writes.

Letters in comments: B texts, T tokens, D directions, H hidden_size. Operators: https://onnx.ai/onnx/operators/
"""

import json
from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper
from torch import nn

from .configuration import LONGEST, REFERENCE, SHORTEST, SentimentGRUConfig
from .network import Network, RecurrentLayer

OPSET, IR_VERSION = 17, 8
# Place of each of ONNX's blocks of weights among PyTorch's: z r n from r z n, i o f g from i f g o.
ORDERS = {"GRU": [1, 0, 2], "LSTM": [0, 3, 1, 2], "RNN": [0]}
BELOW_ALL = 4.0  # states lie between -1 and 1: so much less, and a state in the padding is never the largest


class Graph:
    """Nodes and weights of a graph in the making."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.weights: list[TensorProto] = []

    def constant(self, values: object, kind: type = np.float32) -> str:
        """Add numbers, or an array; return their name."""
        name = f"weight_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.array(values, dtype=kind), name))
        return name

    def axes(self, *axes: int) -> str:
        """Add a list of axes or sizes; return its name."""
        return self.constant(axes, np.int64)

    def outputs(self, operator: str, *inputs: str, names: Sequence[str], **attributes: object) -> list[str]:
        """Add a node with several outputs; return their names."""
        found = [f"{operator}_{len(self.nodes)}_{name}" for name in names]
        self.nodes.append(helper.make_node(operator, inputs, found, **attributes))
        return found

    def node(self, operator: str, *inputs: str, **attributes: object) -> str:
        """Add a node; return the name of its output."""
        return self.outputs(operator, *inputs, names=["out"], **attributes)[0]


def build_graph(model: Network, calibrated: bool) -> ModelProto:
    """Return the network of a model, with its weights.

    Its inputs are `input_ids` and `attention_mask`, (B, T) of int64, padded on the right, with T at least 1; its output
    is `logits`, (B, C) of float32. Labels and the most tokens to give it stand in its metadata.

    Args:
        model: of any cell, pooling, and number of layers.
        calibrated: whether to divide the logits as the model itself does, by what fits a text's length.
    """
    graph, config = Graph(), model.config
    count = graph.node("ReduceSum", "attention_mask", graph.axes(1), keepdims=0)  # (B,)
    lengths = graph.node("Cast", graph.node("Max", count, graph.axes(1)), to=TensorProto.INT32)
    ids = graph.node("Transpose", "input_ids", perm=[1, 0])
    inputs = graph.node("Gather", graph.constant(_numbers(model.embedding.weight)), ids)  # (T, B, E)
    states = last = ""
    for layer in model.layers:
        if states:
            joined = graph.node("Transpose", states, perm=[0, 2, 1, 3])
            inputs = graph.node("Reshape", joined, graph.axes(0, 0, -1))  # (T, B, D * H)
        states, last = _layer(graph, cast(RecurrentLayer, layer), inputs, lengths)
    pooled = _pool(graph, config.pooling, states, last, lengths)
    present = graph.node("Cast", graph.node("Min", count, graph.axes(1)), to=TensorProto.FLOAT)  # 0 without tokens
    pooled = graph.node("Mul", pooled, graph.node("Unsqueeze", present, graph.axes(1)))
    head = [graph.constant(_numbers(value)) for value in (model.classifier.weight, model.classifier.bias)]
    logits = graph.node("Gemm", pooled, *head, transB=1)
    if calibrated:
        logits = graph.node("Div", logits, _divisor(graph, config, count))
    graph.nodes.append(helper.make_node("Identity", [logits], ["logits"]))
    return _whole(graph, config)


def _numbers(parameter: torch.Tensor) -> np.ndarray:
    return parameter.detach().cpu().numpy()


def recurrent_weights(layer: RecurrentLayer) -> tuple[str, list[np.ndarray], dict[str, object]]:
    """Return ONNX's operator for a layer, its W, R and B, and its attributes."""
    cells = [cell for cell in (layer.forward_cell, layer.backward_cell) if cell is not None]
    operator = type(cells[0]).__name__
    biases = [_stack(cells, "bias_ih_l0"), _stack(cells, "bias_hh_l0")]
    weights = [_stack(cells, "weight_ih_l0"), _stack(cells, "weight_hh_l0"), np.concatenate(biases, axis=1)]
    attributes: dict[str, object] = {
        "hidden_size": cells[0].hidden_size,
        "direction": "bidirectional" if len(cells) == 2 else "forward",
    }
    if operator == "GRU":
        attributes["linear_before_reset"] = 1  # PyTorch's reset gate acts after the matrix product
    return operator, weights, attributes


def _stack(cells: Sequence[nn.RNNBase], name: str) -> np.ndarray:
    """Return the weights of all directions, in ONNX's order of blocks."""
    order = ORDERS[type(cells[0]).__name__]
    blocks = [getattr(cell, name).detach().cpu().chunk(len(order)) for cell in cells]
    return torch.stack([torch.cat([parts[i] for i in order]) for parts in blocks]).numpy()


def _layer(graph: Graph, layer: RecurrentLayer, inputs: str, lengths: str) -> tuple[str, str]:
    """Add a layer; return its (T, D, B, H) states, 0 in the padding, and its (D, B, H) last ones."""
    operator, weights, attributes = recurrent_weights(layer)
    names = [graph.constant(value) for value in weights]
    states, last, *_ = graph.outputs(operator, inputs, *names, lengths, names=["states", "last"], **attributes)
    return states, last


def _pool(graph: Graph, pooling: str, states: str, last: str, lengths: str) -> str:
    """Reduce (T, D, B, H) states over time to (B, D * H), or twice as much for mean and max."""
    parts = []
    if pooling == "last":
        parts.append(last)
    if "mean" in pooling:
        divisor = graph.node("Unsqueeze", graph.node("Cast", lengths, to=TensorProto.FLOAT), graph.axes(1))
        parts.append(graph.node("Div", graph.node("ReduceSum", states, graph.axes(0), keepdims=0), divisor))
    if "max" in pooling:
        mask = graph.node("Transpose", "attention_mask", perm=[1, 0])
        outside = graph.node("Sub", graph.node("Cast", mask, to=TensorProto.FLOAT), graph.constant(1))  # -1 in padding
        offset = graph.node("Unsqueeze", graph.node("Mul", outside, graph.constant(BELOW_ALL)), graph.axes(1, 3))
        parts.append(graph.node("ReduceMax", graph.node("Add", states, offset), axes=[0], keepdims=0))
    rows = [graph.node("Transpose", part, perm=[1, 0, 2]) for part in parts]
    flat = [graph.node("Reshape", row, graph.axes(0, -1)) for row in rows]
    return graph.node("Concat", *flat, axis=1)


def _divisor(graph: Graph, config: SentimentGRUConfig, count: str) -> str:
    """Return (B, 1) divisors, as `Network.divisor` has them."""
    tokens = graph.node("Cast", count, to=TensorProto.FLOAT)
    clipped = graph.node("Clip", tokens, graph.constant(SHORTEST), graph.constant(LONGEST))
    relative = graph.node("Div", clipped, graph.constant(REFERENCE))
    factor = graph.node("Pow", relative, graph.constant(config.temperature_exponent))
    return graph.node("Unsqueeze", graph.node("Mul", factor, graph.constant(config.temperature)), graph.axes(1))


def _whole(graph: Graph, config: SentimentGRUConfig) -> ModelProto:
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"])
        for name in ("input_ids", "attention_mask")
    ]
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", config.num_labels])
    whole = helper.make_graph(graph.nodes, "sentiment_gru", inputs, [logits], graph.weights)
    model = helper.make_model(whole, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    labels = [config.id2label[i] for i in range(config.num_labels)]
    helper.set_model_props(model, {"labels": json.dumps(labels), "max_tokens": str(config.max_tokens)})
    return model
