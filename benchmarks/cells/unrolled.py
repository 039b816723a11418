"""A recurrent layer run step by step, so that every state is a node of its own whose gradient can be read.

The gradient of a logit by a state is then the total derivative: through what reads it at once and all later steps.
"""

from typing import Any

import torch
from torch import Tensor, nn

STEPS: dict[type[nn.RNNBase], Any] = {nn.GRU: nn.GRUCell, nn.LSTM: nn.LSTMCell, nn.RNN: nn.RNNCell}


class Unrolled(nn.Module):
    """One direction of a layer, in place of `torch.nn.GRU`, `LSTM` or `RNN` with `batch_first`.

    Attributes:
        states: after a forward pass the T states h_t, each (B, H).
        memories: of an LSTM its T cell states c_t, each (B, H); empty for the others.
        output: (B, T, H), the states as the layers above see them.
    """

    def __init__(self, layer: nn.RNNBase) -> None:
        super().__init__()
        self.step = STEPS[type(layer)](layer.input_size, layer.hidden_size)
        self.step.load_state_dict({name.removesuffix("_l0"): value for name, value in layer.state_dict().items()})
        self.step.to(layer.weight_ih_l0.dtype)

    def forward(self, inputs: Tensor) -> tuple[Tensor, None]:
        """Return the (B, T, H) states of (B, T, E) inputs, and None where the layer has its last state."""
        self.states: list[Tensor] = []
        self.memories: list[Tensor] = []
        state = None
        for x in inputs.unbind(dim=1):
            state = self.step(x, state)
            h, *memory = state if isinstance(state, tuple) else (state,)
            self.states.append(h)
            self.memories += memory
        self.output = torch.stack(self.states, dim=1)
        for node in (*self.states, *self.memories, self.output):
            node.retain_grad()
        return self.output, None

    def gradients(self) -> dict[str, Tensor]:
        """Return (B, T, H) gradients, once something computed from the output has gone backward.

        `h` is the total derivative by h_t, for an LSTM with c_t held. `c`, of an LSTM, is the one by c_t, from which
        h_t follows. `h_later` is the part of `h` that goes through later steps, without what reads h_t at once.
        """
        total = torch.stack([_gradient(state) for state in self.states], dim=1)
        found = {"h": total, "h_later": total - _gradient(self.output)}
        if self.memories:
            found["c"] = torch.stack([_gradient(memory) for memory in self.memories], dim=1)
        return found


def _gradient(node: Tensor) -> Tensor:
    return torch.zeros_like(node) if node.grad is None else node.grad
