"""ONNX's GRU operator, run by the reference implementation that comes with the format."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from .expressions import NotInstalledError


def run_onnx(blocks: Sequence[tuple[Tensor, Tensor, Tensor, Tensor]], inputs: Tensor, **attributes: Any) -> Tensor:
    """Run a GRU node.

    Args:
        blocks: (H, E) and (H, H) weights and two (H,) biases of each gate, in the order they are stacked.
        inputs: (T, 1, E) inputs.
        attributes: Attributes of the node, such as linear_before_reset=1.

    Returns:
        (T, H) states.

    Raises:
        NotInstalledError: The package onnx is missing.
    """
    try:
        from onnx import TensorProto, helper
        from onnx.reference import ReferenceEvaluator
    except ImportError as error:
        raise NotInstalledError("the package onnx is not installed") from error
    w, u, b, c = (torch.cat(parts) for parts in zip(*blocks, strict=True))
    feeds = {"X": inputs, "W": w[None], "R": u[None], "B": torch.cat([b, c])[None]}
    hidden = blocks[0][0].shape[0]
    node = helper.make_node("GRU", list(feeds), ["Y"], hidden_size=hidden, **attributes)
    double = TensorProto.DOUBLE
    graph = helper.make_graph(
        [node],
        "gru",
        [helper.make_tensor_value_info(name, double, tuple(value.shape)) for name, value in feeds.items()],
        [helper.make_tensor_value_info("Y", double, None)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)])
    (states,) = ReferenceEvaluator(model).run(None, {name: value.numpy() for name, value in feeds.items()})
    return torch.from_numpy(states)[:, 0, 0]  # (T, directions, N, H) in ONNX
