"""Checks for the topic Parameters: how many there are, and how they are laid out."""

from itertools import permutations, product
from typing import Any

import torch
from torch import Tensor, nn

from .cells import ChoGRU, ChungGRU, ChungSignGRU, Layer, VariantGRU
from .expressions import Measurement


def count(cell: Any, inputs: int, hidden: int) -> Measurement:
    """Build the layer and count its parameters."""
    quantities = {"E": inputs, "H": hidden, "answer": _count(cell(inputs, hidden))}
    return Measurement(f"a layer of {hidden} units on {inputs} inputs, its parameters counted", quantities)


def ratio_to_lstm(cell: Any, inputs: int, hidden: int) -> Measurement:
    """Count the parameters of the cell and of an LSTM of the same sizes."""
    own, lstm = _count(cell(inputs, hidden)), _count(nn.LSTM(inputs, hidden))
    return Measurement("both layers built and counted", {"own": own, "lstm": lstm, "answer": own / lstm})


def keras_sizes(cell: Any, inputs: int, hidden: int) -> Measurement:
    """Count the parameters of the cell and of Keras' LSTM of the same sizes."""
    from .external_cells import load_keras  # an optional dependency

    lstm = load_keras().layers.LSTM(hidden)
    lstm.build((None, None, inputs))
    quantities = {"E": inputs, "H": hidden, "gru": _count(cell(inputs, hidden)), "lstm": int(lstm.count_params())}
    return Measurement("both layers built and counted", quantities)


def bias_pairs(cell: Any) -> Measurement:
    """Move part of each recurrent bias over to the input bias of its block, and see whether the step changes."""
    layer = Layer(cell)

    def change(block: str) -> Tensor:
        other = layer.gated()
        _, _, b, c = other.weights(block)
        b.add_(0.5)
        c.sub_(0.5)
        return (other.step() - layer.step()).abs().max()

    changes = {block: change(block) for block in "rzn"}
    answer = tuple(block for block, size in changes.items() if size > 1e-9)
    return Measurement("one step before and after 0.5 is moved from b_h to b_i in one block", {"answer": answer})


def layout(cell: Any, inputs: int, hidden: int, name: str, layers: int = 1, bidirectional: bool = False) -> Measurement:
    """Look up the shape of one weight."""
    module = cell(inputs, hidden, num_layers=layers, bidirectional=bidirectional)
    quantities = {"E": inputs, "H": hidden, "answer": tuple(getattr(module, name).shape)}
    return Measurement(f"the shape of {name} looked up", quantities)


def gate_orders(cell: Any) -> Measurement:
    """Find the order of blocks under which GRU equations reproduce a step of the cell, of Keras and of ONNX."""
    from .external_cells import load_keras, run_onnx  # optional dependencies

    layer = Layer(cell)
    x = layer.x[None]
    own = tuple(weights.detach() for weights in layer.module.all_weights[0])
    w, u, b, c = _first_three_blocks(own)
    keras = load_keras().layers.GRU(4, dtype="float64")
    keras.build((None, None, 3))
    keras.set_weights([w.T.numpy(), u.T.numpy(), torch.stack([b, c]).numpy()])
    steps = (
        layer.states(torch.stack([x, x]), torch.zeros(4, dtype=torch.double))[-1],
        keras(torch.stack([x, x], dim=1))[0].detach(),
        run_onnx([(w, u, b, c)], torch.stack([x, x]), linear_before_reset=1)[-1],
    )
    answer = tuple(_order((w, u, b, c), x, step) for step in steps)
    return Measurement("two steps each, compared with the equations under all orders of blocks", {"answer": answer})


def sizes_by_length(cell: Any, short: int, long: int) -> Measurement:
    """Run one layer on a short and on a long sequence, and count its parameters after each."""
    layer = Layer(cell)
    sizes = []
    for length in (short, long):
        layer.states(torch.zeros(length, 1, 3, dtype=torch.double), layer.h)
        sizes.append(_count(layer.module))
    quantities = {
        "short": short,
        "long": long,
        "size_short": sizes[0],
        "state_weights": layer.module.weight_hh_l0.numel(),
    }
    return Measurement("one layer run on both lengths", quantities | {"answer": sizes[1]})


def _count(module: Any) -> int:
    """Return the number of parameters, as the module's own library counts them if it can."""
    if hasattr(module, "count_parameters"):
        return int(module.count_parameters())
    return sum(parameter.numel() for parameter in module.parameters())


def _first_three_blocks(weights: tuple[Tensor, ...]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    rows = 3 * weights[1].shape[1]
    w, u, b, c = (part[:rows] for part in weights)
    return w, u, b, c


def _order(weights: tuple[Tensor, ...], x: Tensor, expected: Tensor) -> str:
    """Return the block order under which two steps on (1, E) inputs give the expected (H,) state, or "none"."""
    for order, kind in product(permutations("rzn"), (VariantGRU, ChoGRU, ChungSignGRU, ChungGRU)):
        module = kind(x.shape[1], expected.shape[0])
        blocks = [dict(zip(order, part.chunk(3), strict=True)) for part in weights]
        w, u, b, c = (torch.cat([part[name] for name in "rzn"]) for part in blocks)
        h = torch.zeros(1, expected.shape[0], dtype=torch.double)
        for _ in range(2):
            h = module.step(x, h, w, u, b, c)
        if torch.allclose(h[0], expected):
            return "".join(order)
    return "none"
