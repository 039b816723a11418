"""Checks for the topics State dynamics and Gradients: the state and its gradient over many steps."""

import math
from collections.abc import Sequence
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.functional import jacobian

from ..bank.formulas import NOISE
from . import Measurement
from .cells import OPEN, Layer


def reach(cell: Any, start: float, steps: int) -> Measurement:
    """Look for the largest and smallest state over strong weights, both extremes of z, and many steps."""
    lowest, highest = math.inf, -math.inf
    for seed in range(4):
        layer = Layer(cell, hidden=8, seed=seed, scale=20)
        inputs = torch.randn(steps, 1, 3, dtype=torch.double, generator=torch.Generator().manual_seed(seed))
        for held in (layer, layer.gated(z=0), layer.gated(z=1)):
            states = held.states(inputs, torch.full((8,), start, dtype=torch.double))
            lowest, highest = min(lowest, float(states.min())), max(highest, float(states.max()))
    quantities = {"start": start, "steps": steps, "lowest": lowest, "highest": highest, "answer": highest}
    return Measurement(f"{steps} steps from {start} with four draws of strong weights, and z free, 0 and 1", quantities)


def half_life(cell: Any, z: float) -> Measurement:
    """Count the steps until half of the old state is left, the candidate being held at 0."""
    shares = _shares(cell, z, steps=100)
    after = next(step for step, share in enumerate(shares) if share <= 0.5)
    before = shares[after - 1]
    # Between two whole steps the share falls by the same factor throughout.
    answer = after - 1 + math.log(0.5 / before) / math.log(shares[after] / before)
    return Measurement(f"steps with z = {z} and a candidate of 0", {"z": z, "answer": answer})


def share_left(cell: Any, z: float, steps: int) -> Measurement:
    """Measure what is left of the old state after some steps, the candidate being held at 0."""
    quantities = {"z": z, "steps": steps, "answer": _shares(cell, z, steps)[-1]}
    return Measurement(f"{steps} steps with z = {z} and a candidate of 0", quantities)


def approach(cell: Any, z: float, candidate: float, start: float, steps: int) -> Measurement:
    """Take steps of one unit with a constant update gate and a constant candidate."""
    layer = Layer(cell, hidden=1).gated(z=z).fixed(n=math.atanh(candidate))
    states = layer.states(torch.zeros(steps, 1, 3, dtype=torch.double), torch.tensor([start]).double())
    return Measurement(f"{steps} steps with z = {z} and the candidate {candidate}", {"answer": float(states[-1])})


def gate_for_share(cell: Any, share: float, steps: int) -> Measurement:
    """Search by bisection the constant update gate that leaves a share of the old state, the candidate being 0."""
    keep = Layer(cell).keeping_value()
    lost, kept = 1 - keep, keep
    for _ in range(20):
        middle = (lost + kept) / 2
        if _shares(cell, middle, steps)[-1] < share:
            lost = middle
        else:
            kept = middle
    return Measurement(f"{steps} steps for each of 20 values of the update gate", {"answer": kept})


def shares_left(cell: Any, gates: Sequence[float], steps: Sequence[int]) -> Measurement:
    """Measure what is left of the old state in several cases, the candidate being held at 0."""
    cases = [(z, count, _shares(cell, z, count)[-1]) for z, count in zip(gates, steps, strict=True)]
    quantities = {f"share_{number}": share for number, (_, _, share) in enumerate(cases, 1)}
    return Measurement(f"{len(cases)} cases with a constant gate and a candidate of 0", quantities)


def rewritten(cell: Any, gates: Sequence[float]) -> Measurement:
    """Take steps of one unit with given update gates, and find the step that replaces the largest share of the state.

    The candidate is held at 1, so the step shows how far the state moves from its old value towards 1.
    """
    layer, state, replaced = Layer(cell, hidden=1).fixed(n=OPEN), torch.zeros(1, dtype=torch.double), []
    for z in gates:
        new = layer.gated(z=z).step(h=state)
        replaced.append(float((new - state) / (1 - state)))
        state = new
    quantities = {"largest_share": max(replaced), "answer": 1 + replaced.index(max(replaced))}
    return Measurement(f"{len(gates)} steps with the gates {gates} and a candidate of 1", quantities)


def reset_effect(cell: Any) -> Measurement:
    """Move the reset gate from 0 to 1 while the update gate is held, and see how far the new state moves."""
    layer = Layer(cell)

    def effect(z: float) -> torch.Tensor:
        return (layer.gated(r=1, z=z).step() - layer.gated(r=0, z=z).step()).abs().max()

    quantities = {"effect_at_z_0": effect(0), "effect_at_z_half": effect(0.5), "effect_at_z_1": effect(1)}
    return Measurement("pairs of steps with r = 0 and r = 1", quantities)


def _shares(cell: Any, z: float, steps: int) -> list[float]:
    layer = Layer(cell).gated(z=z).fixed(n=0)
    inputs = torch.zeros(steps, 1, 3, dtype=torch.double)
    shares = layer.states(inputs, layer.h) / layer.h  # (steps, H)
    return [1.0, *shares[:, 0].tolist()]


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


def copied_gradient(cell: Any, gates: Sequence[float]) -> Measurement:
    """Send a gradient back through steps of one unit with given update gates and constant candidates."""
    layer, start = Layer(cell, hidden=1).fixed(n=0.5), torch.zeros(1, dtype=torch.double, requires_grad=True)
    state = start
    for z in gates:
        state = layer.gated(z=z).step(h=state)
    (gradient,) = torch.autograd.grad(state, start)
    return Measurement(f"{len(gates)} steps with the gates {gates}, differentiated", {"answer": float(gradient)})


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


def carried_chunks(cell: Any) -> Measurement:
    """Train on three chunks with each repair of a loop that hands its state on.

    For each repair it is measured whether the loop runs, whether the first chunk changes the output for the second,
    and whether the weights of the cell get a gradient.
    """
    quantities = dict[str, int]()
    for repair in ("none", "detached", "fresh", "retained", "no_grad"):
        outputs, gradient = _train_on_chunks(cell, repair, first=1.0)
        changed, _ = _train_on_chunks(cell, repair, first=2.0)
        carries = len(outputs) > 1 and bool((outputs[1] - changed[1]).abs().max() > NOISE)
        quantities |= {f"{repair}_runs": int(len(outputs) == _CHUNKS)}
        quantities |= {f"{repair}_carries": int(carries), f"{repair}_learns": int(gradient > NOISE)}
    return Measurement(f"{_CHUNKS} chunks trained on with each repair", quantities)


_CHUNKS = 3


def _train_on_chunks(cell: Any, repair: str, first: float) -> tuple[list[Tensor], float]:
    """Return the outputs for the chunks, as many as could be trained on, and the gradient of the cell's weights."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module, head = cell(3, 4).double(), nn.Linear(4, 1).double()
        chunks = torch.randn(_CHUNKS, 5, 1, 3, dtype=torch.double)
    chunks[0] *= first
    # The learning rate is 0, so that the first chunk reaches the second one through the state alone.
    optimizer = torch.optim.SGD([*module.parameters(), *head.parameters()], lr=0.0)
    state, outputs = None, list[Tensor]()
    for chunk in chunks:
        with torch.set_grad_enabled(repair != "no_grad"):
            output, state = module(chunk, None if repair == "fresh" else state)
        optimizer.zero_grad()
        try:
            head(output).square().sum().backward(retain_graph=repair == "retained")
        except RuntimeError:
            break
        optimizer.step()
        outputs.append(output.detach())
        if repair == "detached":
            state = tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()
    gradients = [weights.grad.abs().max() for weights in module.parameters() if weights.grad is not None]
    return outputs, float(max(gradients, default=0.0))


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
