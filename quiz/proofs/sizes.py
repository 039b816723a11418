"""Checks for the topics Parameters and Shapes: the number of parameters of a layer, and the shapes that it returns."""

import warnings
from itertools import permutations, product
from typing import Any

import torch
from torch import Tensor, nn

from . import Measurement
from .cells import ChoGRU, ChungGRU, ChungSignGRU, Layer, VariantGRU, load_keras, run_onnx


def count(cell: Any, inputs: int, hidden: int, **options: Any) -> Measurement:
    """Build the layer and count its parameters."""
    quantities = {"E": inputs, "H": hidden, "answer": _count(cell(inputs, hidden, **options))}
    return Measurement(f"{hidden} units on {inputs} inputs, the parameters counted", quantities)


def count_bytes(cell: Any, inputs: int, hidden: int) -> Measurement:
    """Build the layer and add up the bytes of its weights."""
    total = sum(weights.numel() * weights.element_size() for weights in cell(inputs, hidden).float().parameters())
    return Measurement(f"{hidden} units on {inputs} inputs, the bytes of their weights counted", {"answer": total})


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


def ranked_counts(cell: Any, inputs: int, hidden: int) -> Measurement:
    """Count the parameters of the cell, of a plain RNN and an LSTM of the same sizes, and of both directions."""
    quantities = {
        "rnn": _count(nn.RNN(inputs, hidden)),
        "own": _count(cell(inputs, hidden)),
        "lstm": _count(nn.LSTM(inputs, hidden)),
        "both_directions": _count(cell(inputs, hidden, bidirectional=True)),
    }
    return Measurement("four layers built, the parameters counted", quantities)


def growth(cell: Any, inputs: int, hidden: int, words: int) -> Measurement:
    """Count the parameters and the outputs of a layer after each of four changes, as pairs."""

    def measure(inputs: int = inputs, hidden: int = hidden, words: int = words, layers: int = 1) -> tuple[int, int]:
        module = cell(inputs, hidden, num_layers=layers)
        return _count(module), len(module(torch.zeros(words, 1, inputs))[0])

    quantities = {
        "twice_the_units": measure(hidden=2 * hidden),
        "twice_the_words": measure(words=2 * words),
        "twice_the_features": measure(inputs=2 * inputs),
        "two_layers": measure(layers=2),
    }
    return Measurement("each changed layer run on one text: parameters and steps", quantities)


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


_TEXTS, _TOKENS, _INPUTS, _HIDDEN = 2, 7, 3, 5


def output_shape(cell: Any, texts: int = _TEXTS, tokens: int = _TOKENS, hidden: int = _HIDDEN) -> Measurement:
    """Run a bidirectional layer and look at its output."""
    output, _ = _run(cell, texts, tokens, hidden, bidirectional=True)
    quantities = {"N": texts, "L": tokens, "H": hidden, "answer": tuple(output.shape)}
    return Measurement("a bidirectional layer run, batch_first=True", quantities)


def final_shape(cell: Any, texts: int = _TEXTS, hidden: int = _HIDDEN, layers: int = 2) -> Measurement:
    """Run bidirectional layers and look at the final states."""
    _, final = _run(cell, texts, hidden=hidden, num_layers=layers, bidirectional=True)
    quantities = {"N": texts, "H": hidden, "answer": tuple(final.shape)}
    return Measurement(f"{layers} bidirectional layers run, batch_first=True", quantities)


def backward_summary(cell: Any, hidden: int = _HIDDEN) -> Measurement:
    """Compare slices of the output with the final state of the backward direction."""
    output, final = _run(cell, hidden=hidden, bidirectional=True)
    quantities = {
        "first_forward": output[:, 0, :hidden],
        "first_backward": output[:, 0, hidden:],
        "last_forward": output[:, -1, :hidden],
        "last_backward": output[:, -1, hidden:],
        "answer": final[-1],
    }
    return Measurement("a bidirectional layer run; its final backward state compared with slices", quantities)


def padding(cell: Any, steps: int) -> Measurement:
    """Let a layer read zeros after the text."""
    layer = Layer(cell)
    read = layer.states(torch.zeros(steps, 1, 3, dtype=torch.double), layer.h)
    quantities = {"at_last_word": layer.h, "after_padding": read[-1]}
    return Measurement(f"{steps} steps of zero input from the state at the last word", quantities)


def start_shape(cell: Any, layers: int, texts: int = _TEXTS, hidden: int = _HIDDEN) -> Measurement:
    """Offer initial states of every order of sizes, and see which one is taken."""
    module = cell(_INPUTS, hidden, num_layers=layers, batch_first=True)
    taken = []
    for shape in [(layers, texts, hidden), (texts, layers, hidden), (texts, hidden), (layers, hidden, texts)]:
        start = torch.zeros(shape)
        try:
            module(torch.zeros(texts, _TOKENS, _INPUTS), (start, start) if isinstance(module, nn.LSTM) else start)
            taken.append(shape)
        except RuntimeError:  # what the library raises for a wrong shape
            continue
    quantities = {"N": texts, "H": hidden, "layers": layers, "answer": taken[0] if len(taken) == 1 else tuple(taken)}
    return Measurement("four shapes of h_0 offered to a layer with batch_first=True", quantities)


def forgotten_batch_first(cell: Any, texts: int, tokens: int, hidden: int) -> Measurement:
    """Give a layer without batch_first inputs of the layout (texts, tokens, features)."""
    final = cell(_INPUTS, hidden)(torch.zeros(texts, tokens, _INPUTS))[1]
    states = final if isinstance(final, tuple) else (final,)
    quantities = {"N": texts, "L": tokens, "E": _INPUTS, "H": hidden, "answer": tuple(states[0].shape)}
    return Measurement("a layer run on (texts, tokens, features) without batch_first", quantities)


def unpacked_states(cell: Any) -> Measurement:
    """Unpack what two layers return beside the output into h and c, and look for both among their states."""
    lower, both = _build(cell, batch_first=True), _build(cell, batch_first=True, num_layers=2)
    lower.load_state_dict({name: both.state_dict()[name] for name in lower.state_dict()})
    inputs = torch.randn(_TEXTS, _TOKENS, _INPUTS, generator=torch.Generator().manual_seed(1))
    output, (h, c) = both(inputs)

    def same(one: Tensor, other: Tensor) -> int:
        return int(one.shape == other.shape and torch.allclose(one, other, atol=1e-6))

    quantities = {
        "h_is_lower": same(h, lower(inputs)[0][:, -1]),
        "c_is_upper": same(c, output[:, -1]),
        "h_is_upper": same(h, output[:, -1]),
        "h_is_first_text": same(h, output[0, -1]),
        "h_is_first_token": same(h, output[:, 0]),
    }
    return Measurement("two layers run, their final states unpacked and compared", quantities)


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


def _build(cell: Any, hidden: int = _HIDDEN, **options: Any) -> Any:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return cell(_INPUTS, hidden, **options)


def _run(
    cell: Any, texts: int = _TEXTS, tokens: int = _TOKENS, hidden: int = _HIDDEN, **options: Any
) -> tuple[Tensor, Tensor]:
    """Return output and final hidden states of a layer; weights and inputs of one size are always the same."""
    inputs = torch.randn(texts, tokens, _INPUTS, generator=torch.Generator().manual_seed(1))
    output, final = _build(cell, hidden, batch_first=True, **options)(inputs)
    return output.detach(), (final[0] if isinstance(final, tuple) else final).detach()
