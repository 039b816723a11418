"""GRU layers of other frameworks: Keras on the torch backend, and the reference implementation of ONNX's operator.

Both packages are optional; `NotInstalledError` names the one that is missing.
"""

import os
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from .expressions import NotInstalledError


def load_keras() -> Any:
    """Return the keras module with the torch backend.

    Raises:
        NotInstalledError: If the package keras is not installed.
    """
    os.environ.setdefault("KERAS_BACKEND", "torch")  # Keras reads this when it is imported
    try:
        import keras
    except ImportError as error:
        raise NotInstalledError("the package keras is not installed") from error
    return keras


class KerasGRU(nn.GRU):
    """`keras.layers.GRU` with its defaults, behind the constructor and weights of `torch.nn.GRU`."""

    title = "keras.layers.GRU"

    def _build(self) -> Any:
        layer = load_keras().layers.GRU(self.hidden_size, return_sequences=True, return_state=True, dtype="float64")
        layer.build((None, None, self.input_size))
        return layer

    def count_parameters(self) -> int:
        """Return the number of parameters that Keras reports."""
        return int(self._build().count_params())

    def forward(self, inputs: Tensor, h_0: Tensor | None = None) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        """Return (T, N, H) outputs and (1, N, H) final states for (T, N, E) inputs."""
        layer = self._build()
        # Keras stacks z, r, h along the columns; its two bias rows belong to the input and to the state.
        w, u, b, c = (_reorder_blocks(weights) for weights in self.all_weights[0])
        layer.set_weights([w.T.numpy(), u.T.numpy(), torch.stack([b, c]).numpy()])
        h = inputs.new_zeros(inputs.shape[1], self.hidden_size) if h_0 is None else h_0[0]
        with torch.no_grad():
            states, final = layer(inputs.transpose(0, 1), initial_state=h)
        return states.transpose(0, 1), final[None]


def _reorder_blocks(weights: Tensor) -> Tensor:
    r, z, n = weights.detach().chunk(3)
    return torch.cat([z, r, n])


def run_onnx(blocks: Sequence[tuple[Tensor, Tensor, Tensor, Tensor]], inputs: Tensor, **attributes: Any) -> Tensor:
    """Run ONNX's GRU operator.

    Args:
        blocks: For each gate, in the order in which they are stacked: (H, E) weights, (H, H) weights and two (H,)
            biases.
        inputs: (T, 1, E) inputs.
        attributes: Attributes of the node, such as linear_before_reset=1; see
            https://onnx.ai/onnx/operators/onnx__GRU.html.

    Returns:
        (T, H) states.

    Raises:
        NotInstalledError: If the package onnx is not installed.
    """
    try:
        from onnx import TensorProto, helper
        from onnx.reference import ReferenceEvaluator
    except ImportError as error:
        raise NotInstalledError("the package onnx is not installed") from error
    w, u, b, c = (torch.cat(parts) for parts in zip(*blocks, strict=True))
    feeds = {"X": inputs, "W": w[None], "R": u[None], "B": torch.cat([b, c])[None]}
    node = helper.make_node("GRU", list(feeds), ["Y"], hidden_size=blocks[0][0].shape[0], **attributes)
    double = TensorProto.DOUBLE
    graph = helper.make_graph(
        [node],
        "gru",
        [helper.make_tensor_value_info(name, double, tuple(value.shape)) for name, value in feeds.items()],
        [helper.make_tensor_value_info("Y", double, None)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)])
    (states,) = ReferenceEvaluator(model).run(None, {name: value.numpy() for name, value in feeds.items()})
    return torch.from_numpy(states)[:, 0, 0]  # ONNX returns (T, directions, N, H)
