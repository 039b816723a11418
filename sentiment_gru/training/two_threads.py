"""Both directions of a recurrent layer at once, each in a thread; EXPERIMENTS.md says how much time that saves.

The cells are the layer's own, so that states and gradients are the same, and so are the names in a checkpoint.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from ..network import Network, RecurrentLayer, reverse_padded

Result = TypeVar("Result")


def at_once(first: Callable[[], Result], second: Callable[[], Result]) -> tuple[Result, Result]:
    """Return both results; the first function runs in another thread."""
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(first)
        result = second()
        return waiting.result(), result


class BothDirections(torch.autograd.Function):
    """Two cells, each on inputs of its own; PyTorch's backward pass would run them one after the other."""

    @staticmethod
    def forward(ctx: Any, cells: tuple[nn.Module, nn.Module], *tensors: Tensor) -> tuple[Tensor, Tensor]:
        """Return the (B, T, H) states of both cells.

        Args:
            ctx: context that keeps both graphs.
            cells: of one kind and size.
            tensors: (B, T, *) inputs of each cell, then the parameters of both, which get their gradients here.
        """
        inputs = [tensor.detach().requires_grad_() for tensor in tensors[:2]]

        def states(index: int) -> Tensor:
            with torch.enable_grad():
                return cells[index](inputs[index])[0]

        found = at_once(lambda: states(0), lambda: states(1))
        ctx.graphs = [
            (states, [given, *cell.parameters()]) for states, given, cell in zip(found, inputs, cells, strict=True)
        ]
        return found[0].detach(), found[1].detach()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of the tensors from those of both states."""

        def propagate(index: int) -> tuple[Tensor, ...]:
            states, tensors = ctx.graphs[index]
            return torch.autograd.grad(states, tensors, gradients[index])

        forward, backward = at_once(lambda: propagate(0), lambda: propagate(1))
        ctx.graphs = []
        return None, forward[0], backward[0], *forward[1:], *backward[1:]


class TwoThreadLayer(RecurrentLayer):
    """A bidirectional layer that shares its cells with another and learns from both at once."""

    def __init__(self, layer: RecurrentLayer) -> None:
        nn.Module.__init__(self)
        self.forward_cell, self.backward_cell = layer.forward_cell, layer.backward_cell

    def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        """Return (B, T, 2 * H) states of (B, T, *) inputs; both halves at index t belong to token t."""
        if self.backward_cell is None or not torch.is_grad_enabled():
            return super().forward(inputs, lengths)
        cells = (self.forward_cell, self.backward_cell)
        parameters = [parameter for cell in cells for parameter in cell.parameters()]
        states, mirrored = BothDirections.apply(cells, inputs, reverse_padded(inputs, lengths), *parameters)
        return torch.cat([states, reverse_padded(mirrored, lengths)], dim=-1)


def use_two_threads(network: Network) -> None:
    """Make the layers of a network train both directions in parallel."""
    for index, layer in enumerate(network.layers):
        if isinstance(layer, RecurrentLayer):
            network.layers[index] = TwoThreadLayer(layer)
