"""Checks for the topics Parameters and Shapes: the number of parameters of a layer, and the shapes that it returns."""

import warnings
from itertools import permutations, product
from typing import Any

import torch
from torch import Tensor, nn

from .cells import ChoGRU, ChungGRU, ChungSignGRU, Layer, VariantGRU, load_keras, run_onnx
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
    """Read a long text at once, and in short pieces with the state handed on; count the layers that this takes."""
    layer = Layer(cell)
    inputs = torch.randn(long, 1, 3, dtype=torch.double, generator=torch.Generator().manual_seed(1))
    whole, states, state = layer.module(inputs)[0], [], None
    for piece in inputs.split(short):
        output, state = layer.module(piece, state)
        states.append(output)
    gap = (torch.cat(states) - whole).abs().max()
    size = _count(layer.module)
    quantities = {
        "short": short,
        "long": long,
        "gap": gap,
        "size_short": size,
        "state_weights": layer.module.weight_hh_l0.numel(),
        # A layer with weights of its own for each position would need as many copies as there are pieces.
        "answer": size if gap < 1e-9 else size * len(states),
    }
    return Measurement(f"{long} steps at once, and in pieces of {short} with the same weights", quantities)


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


N, L, E, H = 2, 7, 3, 5
SIZES = {"N": N, "L": L, "E": E, "H": H}


def output_shape(cell: Any) -> Measurement:
    """Run a bidirectional layer and look at its output."""
    output, _ = _run(cell, bidirectional=True)
    return Measurement("a bidirectional layer run, batch_first=True", SIZES | {"answer": tuple(output.shape)})


def final_shape(cell: Any) -> Measurement:
    """Run two bidirectional layers and look at the final states."""
    _, final = _run(cell, num_layers=2, bidirectional=True)
    return Measurement("two bidirectional layers run, batch_first=True", SIZES | {"answer": tuple(final.shape)})


def backward_summary(cell: Any) -> Measurement:
    """Compare slices of the output with the final state of the backward direction."""
    output, final = _run(cell, bidirectional=True)
    quantities = {
        "first_forward": output[:, 0, :H],
        "first_backward": output[:, 0, H:],
        "last_forward": output[:, -1, :H],
        "last_backward": output[:, -1, H:],
        "answer": final[-1],
    }
    return Measurement("a bidirectional layer run; its final backward state compared with slices", quantities)


def padding(cell: Any, steps: int) -> Measurement:
    """Let a layer read zeros after the text."""
    layer = Layer(cell)
    read = layer.states(torch.zeros(steps, 1, 3, dtype=torch.double), layer.h)
    quantities = {"at_last_word": layer.h, "after_padding": read[-1]}
    return Measurement(f"{steps} steps of zero input from the state at the last word", quantities)


def start_shape(cell: Any, layers: int) -> Measurement:
    """Offer initial states of every order of sizes, and see which one is taken."""
    module = cell(E, H, num_layers=layers, batch_first=True)
    taken = []
    for shape in [(layers, N, H), (N, layers, H), (N, H), (layers, H, N), (N, H, layers)]:
        start = torch.zeros(shape)
        try:
            module(torch.zeros(N, L, E), (start, start) if isinstance(module, nn.LSTM) else start)
            taken.append(shape)
        except RuntimeError:  # what the library raises for a wrong shape
            continue
    quantities = SIZES | {"layers": layers, "answer": taken[0]}
    return Measurement("five shapes of h_0 offered to a layer with batch_first=True", quantities)


def dropout(cell: Any, share: float) -> Measurement:
    """Compare a single layer with dropout, in training mode, with the same layer without."""
    plain, _ = _run(cell)
    output, refused = plain, 0
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            output, _ = _run(cell, dropout=share)
        except (TypeError, ValueError, RuntimeError):
            refused = 1
    quantities = {
        "largest_change": (output - plain).abs().max(),
        "share_of_zeros": float((output == 0).double().mean()),
        "warnings": len(caught),
        "refused": refused,
    }
    return Measurement("one layer in training mode, with and without dropout", quantities)


def _run(cell: Any, **options: Any) -> tuple[Tensor, Tensor]:
    """Return output and final hidden states of a layer for (N, L, E) inputs; weights and inputs are always the same."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = cell(E, H, batch_first=True, **options)
        output, final = module(torch.randn(N, L, E))
    return output.detach(), (final[0] if isinstance(final, tuple) else final).detach()
