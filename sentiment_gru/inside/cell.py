"""One unit of a GRU at one step, and a GRU of one input and one unit whose weights can be set by hand.

Everything is plain Python in double precision: a moved slider is answered in microseconds.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from .conventions import PYTORCH, Convention


@dataclass(frozen=True)
class Weights:
    """Weights of a GRU with one input and one unit: `w_` of the input, `u_` of the old state, `b_` the bias.

    PyTorch gives every gate two biases; those of r and z are only ever added up, and are one here. Of the candidate,
    `c_n` is the one that stands with the old state.
    """

    w_r: float = 0.0
    u_r: float = 0.0
    b_r: float = 0.0
    w_z: float = 0.0
    u_z: float = 0.0
    b_z: float = 0.0
    w_n: float = 0.0
    u_n: float = 0.0
    b_n: float = 0.0
    c_n: float = 0.0


@dataclass(frozen=True)
class Step:
    """One unit at one step: what enters it, and by properties what comes of that.

    Attributes:
        h: the old state.
        from_input: what r, z and n get from the input, biases of the input included.
        from_past: what they get from the old state, before r scales that of n where r comes after the product.
        convention: how z and r are meant.
    """

    h: float
    from_input: tuple[float, float, float]
    from_past: tuple[float, float, float]
    convention: Convention = PYTORCH

    @property
    def r(self) -> float:
        """The reset gate."""
        return sigmoid(self.from_input[0] + self.from_past[0])

    @property
    def z(self) -> float:
        """The update gate, in the sense of the convention."""
        return sigmoid(self.from_input[1] + self.from_past[1])

    @property
    def n(self) -> float:
        """The candidate."""
        return math.tanh(self.from_input[2] + (self.r if self.convention.reset_after else 1) * self.from_past[2])

    @property
    def kept(self) -> float:
        """The share of the old state in the new one."""
        return self.z if self.convention.z_keeps else 1 - self.z

    @property
    def new(self) -> float:
        """The new state."""
        return blend(self.z, self.h, self.n, self.convention)


def sigmoid(value: float) -> float:
    """Return the logistic function, without overflow."""
    return 0.5 * (1 + math.tanh(value / 2))


def blend(z: float, h: float, n: float, convention: Convention) -> float:
    """Return the new state of an update gate, an old state and a candidate."""
    return z * h + (1 - z) * n if convention.z_keeps else (1 - z) * h + z * n


def step(weights: Weights, x: float, h: float, convention: Convention = PYTORCH) -> Step:
    """Return the cell with these weights at input x and old state h."""
    gates = Step(
        h,
        (weights.w_r * x + weights.b_r, weights.w_z * x + weights.b_z, weights.w_n * x + weights.b_n),
        (weights.u_r * h, weights.u_z * h, weights.u_n * h + weights.c_n),
        convention,
    )
    if convention.reset_after:
        return gates
    return replace(gates, from_past=(*gates.from_past[:2], weights.u_n * (gates.r * h) + weights.c_n))


def run(weights: Weights, inputs: Sequence[float], convention: Convention = PYTORCH, h: float = 0.0) -> list[Step]:
    """Return the steps over a sequence of inputs, each from the state that the one before left."""
    steps: list[Step] = []
    for x in inputs:
        steps.append(step(weights, x, h, convention))
        h = steps[-1].new
    return steps


def convert(weights: Weights, source: Convention, target: Convention) -> Weights:
    """Return the weights with which the target convention computes the states of the source.

    The other sense of z is had by its negated weights, as sigmoid(-a) = 1 - sigmoid(a). The place of r makes no
    difference to a single unit, unless `c_n` is not 0: then no weights do it, and the states differ.
    """
    if source.z_keeps == target.z_keeps:
        return weights
    return replace(weights, w_z=-weights.w_z, u_z=-weights.u_z, b_z=-weights.b_z)


def converts_exactly(weights: Weights, source: Convention, target: Convention) -> bool:
    """Return whether `convert` keeps every state."""
    return source.reset_after == target.reset_after or weights.c_n == 0
