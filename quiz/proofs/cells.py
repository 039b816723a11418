"""The cells that checks run on: GRUs of all conventions with the same weights, and those of Keras and ONNX.

Letters in shapes: N texts, T steps, E inputs, H hidden units. Everything is computed in double precision with seeded
random weights. Gates and candidates are measured, not computed from equations: a copy of the layer gets weights for
which the returned state reveals the quantity. Keras and ONNX are optional: where one is missing, `NotInstalledError`
names it.
"""

import copy
import os
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from . import MissingPartError, NotInstalledError

BLOCKS = {1: "n", 3: "rzn", 4: "ifgo"}  # row blocks of weight_hh, by their number: RNN, GRU, LSTM
SHUT, OPEN = -1e3, 1e3  # pre-activations at which the sigmoid is exactly 0 and 1


class VariantGRU(nn.GRU):
    """A GRU with other equations and the constructor, weights and outputs of `torch.nn.GRU`."""

    title = ""
    reset_before = False  # U (r * h) instead of r * (U h)
    update_writes = False  # z weights the candidate instead of the old state

    def step(self, x: Tensor, h: Tensor, w: Tensor, u: Tensor, b: Tensor, c: Tensor) -> Tensor:
        """Return the (N, H) state after (N, E) inputs and (N, H) states, given stacked weights and biases."""
        w_r, w_z, w_n = (x @ w.T + b).chunk(3, dim=-1)
        u_r, u_z, u_n = (h @ u.T + c).chunk(3, dim=-1)
        r, z = torch.sigmoid(w_r + u_r), torch.sigmoid(w_z + u_z)
        if self.reset_before:
            n = torch.tanh(w_n + (r * h) @ u[-self.hidden_size :].T + c[-self.hidden_size :])
        else:
            n = torch.tanh(w_n + r * u_n)
        return (1 - z) * h + z * n if self.update_writes else (1 - z) * n + z * h

    def forward(self, inputs: Tensor, h_0: Tensor | None = None) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        """Return outputs and final states in the shapes of `torch.nn.GRU`."""
        x = inputs.transpose(0, 1) if self.batch_first else inputs  # (T, N, E)
        directions = 2 if self.bidirectional else 1
        shape = (self.num_layers * directions, x.shape[1], self.hidden_size)
        h_0 = x.new_zeros(shape) if h_0 is None else h_0
        self.check_hidden_size(h_0, shape)
        final: list[Tensor] = []
        for _ in range(self.num_layers):
            halves = []
            for direction in range(directions):
                h, states = h_0[len(final)], []
                for x_t in x.flip(0) if direction else x:
                    h = self.step(x_t, h, *self.all_weights[len(final)])
                    states.append(h)
                final.append(h)
                halves.append(torch.stack(states[::-1] if direction else states))
            x = torch.cat(halves, dim=-1)  # (T, N, directions * H)
        return x.transpose(0, 1) if self.batch_first else x, torch.stack(final)


class ChoGRU(VariantGRU):
    """Cho et al. (2014), arXiv:1406.1078v3: reset before the product; z near 1 keeps the old state."""

    title = "GRU of Cho et al. (2014)"
    reset_before = True


class ChungGRU(VariantGRU):
    """Chung et al. (2014), arXiv:1412.3555: reset before the product; z near 1 takes the candidate."""

    title = "GRU of Chung et al. (2014)"
    reset_before = True
    update_writes = True


class ChungSignGRU(VariantGRU):
    """PyTorch's GRU with the update gate of Chung et al. (2014): only the meaning of z differs."""

    title = "torch.nn.GRU with the other sign of z"
    update_writes = True


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


CONVENTIONS: dict[str, type[nn.GRU]] = {"pytorch": nn.GRU, "cho2014": ChoGRU, "chung2014": ChungGRU}
NAMED: dict[str, type[nn.RNNBase]] = {"rnn": nn.RNN}


def find_cell(convention: str) -> Any:
    """Return the cell of a convention; items on ONNX are proved on PyTorch's cell, whose weights ONNX then runs."""
    return KerasGRU if convention == "keras" else CONVENTIONS.get(convention, nn.GRU)


class Layer:
    """One layer of a cell with random weights, and methods that measure its parts."""

    def __init__(self, cell: Any, inputs: int = 3, hidden: int = 4, seed: int = 0, scale: float = 2.0) -> None:
        """Build the layer; `scale` multiplies the default weights, so that effects are large enough to measure."""
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.module = cell(inputs, hidden).double()
            self.x = torch.randn(inputs, dtype=torch.double)
            self.h = 1.6 * torch.rand(hidden, dtype=torch.double) - 0.8
        self.hidden = hidden
        for weights in self.module.parameters():
            weights.requires_grad_(False).mul_(scale)

    def rows(self, block: str) -> slice:
        """Return the rows of a block (r, z or n) in the stacked weights.

        Raises:
            MissingPartError: If the cell has no such block.
        """
        quantities = BLOCKS[self.module.weight_hh_l0.shape[0] // self.hidden]
        if block not in quantities:
            part = {"r": "reset gate", "z": "update gate", "n": "candidate"}[block]
            raise MissingPartError(f"this cell has no {part}; its blocks are {', '.join(quantities)}")
        start = quantities.index(block) * self.hidden
        return slice(start, start + self.hidden)

    def weights(self, block: str) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return views of a block's (H, E) weights, (H, H) weights and two (H,) biases."""
        rows, module = self.rows(block), self.module
        return tuple(
            getattr(module, name)[rows] for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
        )

    def fixed(self, **pre_activations: float) -> "Layer":
        """Return a copy in which the pre-activations of some blocks are constant, as in `fixed(n=0)`."""
        other = copy.deepcopy(self)
        for block, constant in pre_activations.items():
            w, u, b, c = other.weights(block)
            for part in (w, u, c):
                part.zero_()
            b.fill_(constant)
        return other

    def gated(self, **values: float) -> "Layer":
        """Return a copy with constant gates, each from 0 to 1, as in `gated(r=0, z=0.9)`."""
        logits = {gate: torch.tensor(value).double().logit().clamp(SHUT, OPEN).item() for gate, value in values.items()}
        return self.fixed(**logits)

    def step(self, x: Tensor | None = None, h: Tensor | None = None) -> Tensor:
        """Return the (H,) state after one step from an (E,) input and an (H,) state, by default the layer's own."""
        x, h = self.x if x is None else x, self.h if h is None else h
        return self.states(x[None, None], h)[0]

    def states(self, inputs: Tensor, h: Tensor) -> Tensor:
        """Return the (T, H) states for (T, 1, E) inputs and an (H,) initial state, an LSTM's cell state too."""
        state = h[None, None]  # (1, 1, H)
        outputs = self.module(inputs, (state, state) if isinstance(self.module, nn.LSTM) else state)[0]
        return outputs[:, 0]

    def keeping_value(self) -> float:
        """Return the value of the update gate, 0 or 1, at which the cell keeps the old state.

        Raises:
            MissingPartError: If the cell has no update gate.
        """
        return max((1.0, 0.0), key=lambda z: -float((self.gated(z=z).step() - self.h).abs().max()))

    def candidate(self, x: Tensor | None = None, h: Tensor | None = None) -> Tensor:
        """Return the (H,) candidate n, the new state when the update gate keeps nothing of the old one."""
        return self.gated(z=1 - self.keeping_value()).step(x, h)

    def gate(self, name: str, x: Tensor | None = None, h: Tensor | None = None) -> Tensor:
        """Return the (H,) values of a gate, r or z, measured from its effect at the given input and state.

        For z, the candidate is fixed at 1, so the step shows how far the state moves from h towards 1. For r, the
        candidate is made tanh(r * h), and the step returns it.
        """
        x, h = self.x if x is None else x, self.h if h is None else h
        keep = self.keeping_value()
        if name == "z":
            moved = (self.fixed(n=OPEN).step(x, h) - h) / (1 - h)
            return 1 - moved if keep == 1 else moved
        layer = self.fixed(n=0).gated(z=1 - keep)
        layer.weights("n")[1].copy_(torch.eye(self.hidden, dtype=torch.double))
        return layer.step(x, h).atanh() / h
