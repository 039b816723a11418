"""The network as an ONNX graph, which the classifier runs and `--export-onnx` writes.

Shapes in comments: B texts, T tokens, E embedding_size, D directions, H hidden_size, C labels. Operators: https://onnx.ai/onnx/operators/
"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from .checkpoint import TOKENIZER, load_config, load_weights, resolve
from .errors import FileError
from .model_config import LONGEST, REFERENCE, SHORTEST, ModelConfig

Weights = Mapping[str, np.ndarray]
Rows = Sequence[Sequence[int]]  # token ids of the texts of a batch

OPSET, IR_VERSION = 17, 8
# Index in PyTorch's order of each block of weights in ONNX's order: z r n from r z n, i o f c from i f g o.
ORDERS = {"gru": [1, 0, 2], "lstm": [0, 3, 1, 2], "rnn": [0]}
BELOW_ALL = 4.0  # states lie between -1 and 1, so a state of the padding reduced by this is never the largest


class Graph:
    """Nodes and weights of a graph under construction."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.weights: list[TensorProto] = []

    def constant(self, values: object, kind: type = np.float32) -> str:
        """Add a constant from numbers or an array; return its name."""
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


def build_graph(config: ModelConfig, weights: Weights, calibrated: bool) -> ModelProto:
    """Return the ONNX graph of a model, with its weights.

    The inputs are `input_ids` and `attention_mask`, (B, T) int64, padded on the right, with T at least 1. The output is
    `logits`, (B, C) float32. The metadata contain the labels, the maximum number of tokens, and the function that
    makes scores of logits.

    Args:
        config: configuration of the model.
        weights: weights of `Network` by name. Half-precision embeddings stay so in the graph and are widened when used.
        calibrated: whether the graph divides the logits by the temperature for the length of the text.
    """
    graph = Graph()
    count = graph.node("ReduceSum", "attention_mask", graph.axes(1), keepdims=0)  # (B,)
    lengths = graph.node("Max", count, graph.axes(1))
    ids = graph.node("Transpose", "input_ids", perm=[1, 0])
    table = weights["embedding.weight"]
    inputs = graph.node("Gather", graph.constant(table, table.dtype.type), ids)  # (T, B, E)
    if table.dtype != np.float32:
        inputs = graph.node("Cast", inputs, to=TensorProto.FLOAT)
    steps = graph.node("Transpose", graph.node("Cast", "attention_mask", to=TensorProto.FLOAT), perm=[1, 0])
    mask = graph.node("Unsqueeze", steps, graph.axes(2))  # (T, B, 1)
    states = last = ""
    for layer in range(config.num_layers):
        cells = [
            (config.cell, select(weights, f"layers.{layer}.{cell}."))
            for cell in ("forward_cell", "backward_cell")[: 2 if config.bidirectional else 1]
        ]
        states, last = _add_layer(graph, cells, states or inputs, mask, lengths)
    pooled = _pool(graph, config.pooling, states, last, mask, lengths)
    # 0 for a text without tokens
    present = graph.node("Cast", graph.node("Min", count, graph.axes(1)), to=TensorProto.FLOAT)
    pooled = graph.node("Mul", pooled, graph.node("Unsqueeze", present, graph.axes(1)))
    head = [graph.constant(weights[name]) for name in ("classifier.weight", "classifier.bias")]
    logits = graph.node("Gemm", pooled, *head, transB=1)
    if calibrated:
        logits = graph.node("Div", logits, _divisor(graph, config, count))
    graph.nodes.append(helper.make_node("Identity", [logits], ["logits"]))
    return _whole(graph, config)


def select(weights: Weights, prefix: str) -> Weights:
    """Return the weights whose names begin with a prefix, by the rest of their names."""
    return {name.removeprefix(prefix): array for name, array in weights.items() if name.startswith(prefix)}


def recurrent_weights(cell: str, weights: Weights) -> tuple[str, list[np.ndarray], dict[str, object]]:
    """Return the ONNX operator of a one-layer, one-direction cell, its weights W, R and B, and its attributes.

    Args:
        cell: "gru", "lstm" or "rnn".
        weights: weights by the names of `torch.nn.GRU`.
    """
    ordered = {name: _reorder(cell, array) for name, array in weights.items()}
    bias = np.concatenate([ordered["bias_ih_l0"], ordered["bias_hh_l0"]])
    arrays = [ordered["weight_ih_l0"], ordered["weight_hh_l0"], bias]
    attributes: dict[str, object] = {"hidden_size": arrays[1].shape[1], "direction": "forward"}
    if cell == "gru":
        attributes["linear_before_reset"] = 1  # PyTorch's reset gate acts after the matrix product
    return cell.upper(), [array[None] for array in arrays], attributes


def _reorder(cell: str, array: np.ndarray) -> np.ndarray:
    """Return weights of a cell with the blocks in ONNX's order."""
    blocks = np.split(array, len(ORDERS[cell]))
    return np.concatenate([blocks[i] for i in ORDERS[cell]])


def _add_layer(
    graph: Graph, cells: Sequence[tuple[str, Weights]], inputs: str, mask: str, lengths: str
) -> tuple[str, str]:
    """Add a layer over (T, B, *) inputs; return its (T, B, D * H) states, 0 in the padding, and (B, D * H) last ones.

    The graph does not use the operator's `sequence_lens`, which OpenVINO ignores in the backward direction. Each
    direction is a forward recurrence; ReverseSequence reverses each text within its own length, so that the padding
    stays at the end and cannot change earlier states.
    """
    forward, hidden_size = _add_cell(graph, *cells[0], inputs)
    last_index = graph.node("Unsqueeze", graph.node("Sub", lengths, graph.axes(1)), graph.axes(0, 2))  # (1, B, 1)
    hidden = graph.axes(1, 1, hidden_size)
    last = graph.node("GatherElements", forward, graph.node("Expand", last_index, hidden), axis=0)  # (1, B, H)
    states, lasts = [forward], [last]
    for cell, weights in cells[1:]:
        reverse = {"batch_axis": 1, "time_axis": 0}
        reversed_inputs = graph.node("ReverseSequence", inputs, lengths, **reverse)
        reversed_states, _ = _add_cell(graph, cell, weights, reversed_inputs)
        backward = graph.node("ReverseSequence", reversed_states, lengths, **reverse)
        states.append(backward)
        lasts.append(graph.node("Slice", backward, graph.axes(0), graph.axes(1), graph.axes(0)))
    joined = graph.node("Mul", graph.node("Concat", *states, axis=2), mask)
    return joined, graph.node("Squeeze", graph.node("Concat", *lasts, axis=2), graph.axes(0))


def _add_cell(graph: Graph, cell: str, weights: Weights, inputs: str) -> tuple[str, int]:
    """Add one forward recurrence over (T, B, *) inputs; return its (T, B, H) states, and H."""
    operator, arrays, attributes = recurrent_weights(cell, weights)
    names = [graph.constant(array) for array in arrays]
    states = graph.outputs(operator, inputs, *names, names=["states"], **attributes)[0]  # (T, 1, B, H)
    return graph.node("Squeeze", states, graph.axes(1)), arrays[1].shape[2]


def _pool(graph: Graph, pooling: str, states: str, last: str, mask: str, lengths: str) -> str:
    """Reduce (T, B, D * H) states over time to (B, D * H), or twice as much for mean and max."""
    if pooling == "last":
        return last
    parts = []
    if "mean" in pooling:
        divisor = graph.node("Unsqueeze", graph.node("Cast", lengths, to=TensorProto.FLOAT), graph.axes(1))
        parts.append(graph.node("Div", graph.node("ReduceSum", states, graph.axes(0), keepdims=0), divisor))
    if "max" in pooling:
        outside = graph.node("Sub", mask, graph.constant(1))  # -1 in the padding
        offset = graph.node("Mul", outside, graph.constant(BELOW_ALL))
        parts.append(graph.node("ReduceMax", graph.node("Add", states, offset), axes=[0], keepdims=0))
    return graph.node("Concat", *parts, axis=1)


def _divisor(graph: Graph, config: ModelConfig, count: str) -> str:
    """Return the (B, 1) divisors of `Network.divisor`."""
    tokens = graph.node("Cast", count, to=TensorProto.FLOAT)
    clipped = graph.node("Clip", tokens, graph.constant(SHORTEST), graph.constant(LONGEST))
    relative = graph.node("Div", clipped, graph.constant(REFERENCE))
    factor = graph.node("Pow", relative, graph.constant(config.temperature_exponent))
    return graph.node("Unsqueeze", graph.node("Mul", factor, graph.constant(config.temperature)), graph.axes(1))


def _whole(graph: Graph, config: ModelConfig) -> ModelProto:
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"])
        for name in ("input_ids", "attention_mask")
    ]
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", len(config.labels)])
    whole = helper.make_graph(graph.nodes, "sentiment_gru", inputs, [logits], graph.weights)
    model = helper.make_model(whole, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    properties = {
        "labels": json.dumps(config.labels),
        "max_tokens": str(config.max_tokens),
        "activation": activation(config),
    }
    if config.multi_label:
        properties["label_threshold"] = str(config.label_threshold)
    helper.set_model_props(model, properties)
    return model


def activation(config: ModelConfig) -> str:
    """Return the function that makes scores of logits."""
    return "sigmoid" if config.multi_label else "softmax"


def export_onnx(model: str | Path | None, output: Path, force: bool = False) -> str:
    """Write a checkpoint as an ONNX file (see `build_graph`); return a note on how to use the file.

    Args:
        model: a checkpoint folder or a Hub id; None for the shipped checkpoint.
        output: the file.
        force: whether an existing file is replaced.

    Raises:
        CheckpointError: the checkpoint cannot be loaded; the message is one line.
        FileError: the file exists and `force` is false, or the file cannot be written.
    """
    if output.exists() and not force:
        raise FileError(f"{output} exists already; --force replaces it")
    if not output.parent.is_dir():
        raise FileError(f"{output} cannot be written: there is no folder {str(output.parent)!r}")
    folder = resolve(model)
    config = load_config(folder)
    content = build_graph(config, load_weights(folder, config), calibrated=True).SerializeToString()
    part = output.with_name(f".{output.name}.part")
    try:
        part.write_bytes(content)
        os.replace(part, output)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise FileError(f"{output} cannot be written: {error.strerror or error}") from error
    return (
        f"Written to {output}. Inputs: input_ids and attention_mask; output: logits, whose {activation(config)} gives"
        f" the scores of {', '.join(config.labels)}.\nThe token ids come from {folder / TOKENIZER}. For a text of more"
        f" than {config.max_tokens:,} tokens, pass the first and last half of that number."
    )


class Runtime:
    """An ONNX Runtime session of a copy of a model; threads can share it, and each run uses one thread."""

    BATCH_TEXTS = 64
    BATCH_TOKENS = 16_384  # with padding; bounds the memory of a run

    def __init__(self, config: ModelConfig, weights: Weights) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # it would keep the memory of the largest batch
        content = build_graph(config, weights, calibrated=False).SerializeToString()
        self.session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def __call__(self, rows: Rows) -> np.ndarray:
        """Return (B, C) float32 logits, before division, of the token ids of B texts, which may be empty."""
        logits: np.ndarray = self.session.run(None, pad(rows))[0]
        return logits


def pad(rows: Rows) -> dict[str, np.ndarray]:
    """Return the inputs of the graph for the token ids of B texts, with at least one column."""
    lengths = np.array([len(row) for row in rows])
    mask = np.arange(max(1, lengths.max())) < lengths[:, None]
    ids = np.zeros(mask.shape, dtype=np.int64)
    ids[mask] = np.concatenate([np.asarray(row, dtype=np.int64) for row in rows])
    return {"input_ids": ids, "attention_mask": mask.astype(np.int64)}
