"""One unit of the trained model while it reads a text, as the same `Step` that the sliders make."""

from dataclasses import dataclass, replace
from math import tanh

import numpy as np

from ..explanation.result import Array, Token
from .cell import Step
from .conventions import PYTORCH, Convention

MOVED = 0.5  # a change of h that counts as one


@dataclass(frozen=True, eq=False)
class TrainedUnits:
    """All units of a trained GRU over the T tokens of a text.

    Attributes:
        tokens: what was read.
        directions: 1, or 2 if a second set of units reads from the end.
        from_input: (D, 3, T, H) what r, z and n get from the layer's input, its biases included.
        from_past: (D, 3, T, H) what they get from the state before, its biases included.
        reset_first: (D, T, H) what n would get from the state before, if r came before the product.
        before, after: (D, T, H) the states before and after each token; `after` is that of torch.nn.GRU.
    """

    tokens: tuple[Token, ...]
    directions: int
    from_input: Array
    from_past: Array
    reset_first: Array
    before: Array
    after: Array

    def step(self, direction: int, token: int, unit: int, convention: Convention = PYTORCH) -> Step:
        """Return what a unit does at a token, with z in the sense of a convention; r stands where the model has it."""
        place = (slice(None), token, unit)
        read, past = self.from_input[direction][place].tolist(), self.from_past[direction][place].tolist()
        if not convention.z_keeps:
            read[1], past[1] = -read[1], -past[1]
        written = replace(convention, reset_after=True)
        return Step(float(self.before[direction, token, unit]), tuple(read), tuple(past), written)

    def other_candidate(self, direction: int, token: int, unit: int) -> float:
        """Return what n would be if the same weights were used with r before the product."""
        return tanh(self.from_input[direction, 2, token, unit] + self.reset_first[direction, token, unit])

    def trace(self, direction: int, unit: int) -> dict[str, Array]:
        """Return r, z, n and h of a unit over the tokens, each (T,), as PyTorch means z."""
        steps = [self.step(direction, token, unit) for token in range(len(self.tokens))]
        found = {name: np.array([getattr(one, name) for one in steps]) for name in "rzn"}
        return found | {"h": self.after[direction, :, unit]}

    def most_moved(self, direction: int, token: int) -> int:
        """Return the unit that a token changes most."""
        return int(np.abs(self._moves(token)[direction]).argmax())

    def moved(self, token: int) -> tuple[int, int]:
        """Return how many units a token changes by more than `MOVED`, and how many there are."""
        moves = self._moves(token)
        return int((np.abs(moves) > MOVED).sum()), moves.size

    def _moves(self, token: int) -> Array:
        return self.after[:, token] - self.before[:, token]
