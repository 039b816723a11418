"""Checks for the topic Gradients: how much of a gradient survives many steps, and along which path."""

from statistics import median
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.functional import jacobian

from .cells import Layer
from .expressions import Measurement

_SEEDS = range(5)


def paths(cell: Any, z: float) -> Measurement:
    """Split the derivative of a step with respect to the old state into three paths: copy, candidate, gates."""
    layer = Layer(cell)
    keep = layer.keeping_value()
    pre_activation = torch.tensor(z).double().logit()
    held = layer.gated(z=z)  # the update gate no longer sees the state
    free = layer.gated()
    free.weights("z")[2].copy_(pre_activation - (layer.weights("z")[0] @ layer.x + layer.weights("z")[3]))
    copied = _derivative(held.fixed(n=0))
    through_candidate = _derivative(held) - copied
    total = _derivative(free)
    quantities = {
        "total": total.norm(),
        "copied": copied.norm(),
        "through_candidate": through_candidate.norm(),
        "through_gates": (total - copied - through_candidate).norm(),
        "kept_value": keep,
    }
    return Measurement(f"derivatives of one step with z about {z}, along three paths", quantities)


def survival(cell: Any, steps: int, hidden: int) -> Measurement:
    """Send a gradient back through freshly initialised layers."""
    quantities = {"gradient": median(_gradient(cell, seed, steps, hidden) for seed in _SEEDS)}
    return Measurement(
        f"median over {len(_SEEDS)} layers of the gradient of the last state with respect to h_0", quantities
    )


def best_bias(cell: Any, steps: int, hidden: int, raised: float) -> Measurement:
    """Raise the bias of one block at a time, and compare the gradients that survive."""
    quantities: dict[str, Any] = {
        block: median(_gradient(cell, seed, steps, hidden, block, raised) for seed in _SEEDS) for block in "rzn"
    }
    quantities["unchanged"] = median(_gradient(cell, seed, steps, hidden) for seed in _SEEDS)
    best = max("rzn", key=lambda block: quantities[block])
    quantities["answer"] = best if quantities[best] > 100 * quantities["unchanged"] else "nothing"
    return Measurement(f"gradients over {steps} steps, each block's bias raised by {raised}", quantities)


def ranking(cell: Any, steps: int, hidden: int, raised: float) -> Measurement:
    """Compare the gradients that survive in a plain RNN, in the cell, and in the cell with a raised update bias."""
    gradients = {
        "rnn": median(_gradient(nn.RNN, seed, steps, hidden) for seed in _SEEDS),
        "gru": median(_gradient(cell, seed, steps, hidden) for seed in _SEEDS),
        "raised": median(_gradient(cell, seed, steps, hidden, "z", raised) for seed in _SEEDS),
    }
    answer = tuple(sorted(gradients, key=lambda name: gradients[name]))
    return Measurement(f"median gradients over {steps} steps", gradients | {"answer": answer})


def explosion(cell: Any, steps: int) -> Measurement:
    """Give a layer large recurrent weights for the candidate, and send a gradient back from a state of 0."""

    def gradient(share_kept: float) -> Tensor:
        layer = Layer(cell)
        keep = layer.keeping_value()
        layer = layer.fixed(n=0).gated(r=1, z=share_kept if keep == 1 else 1 - share_kept)
        layer.weights("n")[1].copy_(3 * torch.eye(4))
        return _through_time(layer, torch.zeros(steps, 1, 3, dtype=torch.double), torch.zeros(4).double())

    quantities = {"keeping_nothing": gradient(0), "keeping_half": gradient(0.5), "keeping_all": gradient(1)}
    return Measurement(f"gradients over {steps} steps with recurrent weights 3 for the candidate", quantities)


def plain_write(cell: Any) -> Measurement:
    """Take one step, and measure the terms of its formulas."""
    layer = Layer(cell)
    w, u, b, c = layer.weights("n")
    quantities = {"h": layer.h, "from_input": w @ layer.x + b, "from_state": u @ layer.h + c, "answer": layer.step()}
    return Measurement("one step", quantities)


def truncation(cell: Any, steps: int, cut: int) -> Measurement:
    """Detach the state after some steps, and measure the gradients of the inputs and the change of the result."""
    layer = Layer(cell)
    inputs = torch.randn(steps, 1, 3, dtype=torch.double, generator=torch.Generator().manual_seed(1))
    inputs.requires_grad_()
    first = layer.states(inputs[:cut], layer.h)[-1].detach()
    second = layer.states(inputs[cut:], first)[-1]
    (gradient,) = torch.autograd.grad(second.sum(), inputs)
    other = layer.states(inputs[cut:], layer.h)[-1]
    quantities = {
        "before_cut": gradient[:cut].abs().max(),
        "after_cut": gradient[cut:].abs().max(),
        "effect_on_the_result": (second - other).abs().max().detach(),
    }
    return Measurement(f"{steps} steps, the state detached after {cut}", quantities)


def _derivative(layer: Layer) -> Tensor:
    return jacobian(lambda h: layer.step(h=h), layer.h)


def _gradient(cell: Any, seed: int, steps: int, hidden: int, block: str = "", raised: float = 0) -> float:
    layer = Layer(cell, hidden, hidden, seed, scale=1)
    if block:
        layer.weights(block)[2].add_(raised)
    inputs = torch.randn(steps, 1, hidden, dtype=torch.double, generator=torch.Generator().manual_seed(seed))
    return float(_through_time(layer, inputs, torch.zeros(hidden, dtype=torch.double)))


def _through_time(layer: Layer, inputs: Tensor, start: Tensor) -> Tensor:
    """Return the norm of the gradient of the summed last state with respect to the (H,) first state."""
    start = start.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(layer.states(inputs, start)[-1].sum(), start)
    return gradient.norm()
