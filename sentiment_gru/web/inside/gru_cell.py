"""A GRU with one input and one unit, whose weights are set by hand, under the conventions of three sources.

It is plain Python in double precision, so that a moved slider is answered in microseconds.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Convention:
    """The GRU as one source defines it.

    Attributes:
        name: Identifier of the convention.
        title: Name of the source for readers.
        z_keeps: True if h' is z h + (1 - z) n, False if it is (1 - z) h + z n.
        reset_after: True if n depends on r * (U h + c), False if it depends on U (r * h) + c.
        source: Publication or documentation with the definition.
    """

    name: str
    title: str
    z_keeps: bool
    reset_after: bool
    source: str

    @property
    def keep_share(self) -> str:
        """The factor of the old state: "z" or "1 − z"."""
        return "z" if self.z_keeps else "1 − z"

    @property
    def write_share(self) -> str:
        """The factor of the candidate: "1 − z" or "z"."""
        return "1 − z" if self.z_keeps else "z"


PYTORCH = Convention("pytorch", "PyTorch", True, True, "documentation of torch.nn.GRU")
CHO = Convention("cho2014", "Cho et al. 2014", True, False, "arXiv 1406.1078, version 3, section 2.3")
CHUNG = Convention("chung2014", "Chung et al. 2014", False, False, "arXiv 1412.3555, section 3.2")
CONVENTIONS = {convention.name: convention for convention in (PYTORCH, CHO, CHUNG)}


@dataclass(frozen=True)
class Weights:
    """Weights of a GRU with one input and one unit: `w_` for the input, `u_` for the old state, `b_` for the bias.

    PyTorch has two biases per gate. Only the sum of the two matters for r and z, so each has one here; the candidate
    has `b_n` beside the input and `c_n` beside the old state.
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
    """One unit at one step: its inputs as fields, its gates and new state as properties.

    Attributes:
        h: The old state.
        from_input: The terms of r, z and n that come from the input, including its biases.
        from_past: The terms of r, z and n that come from the old state. If the convention applies r after the matrix
            product, that of n is not yet scaled by r.
        convention: The definition of z and r.
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
        """The update gate, as the convention defines it."""
        return sigmoid(self.from_input[1] + self.from_past[1])

    @property
    def n(self) -> float:
        """The candidate."""
        return math.tanh(self.from_input[2] + (self.r if self.convention.reset_after else 1) * self.from_past[2])

    @property
    def copied(self) -> float:
        """The share of the old state in the new one."""
        return self.z if self.convention.z_keeps else 1 - self.z

    @property
    def new(self) -> float:
        """The new state."""
        return blend(self.z, self.h, self.n, self.convention)


def sigmoid(value: float) -> float:
    """Return the logistic function of any value, without overflow."""
    return 0.5 * (1 + math.tanh(value / 2))


def blend(z: float, h: float, n: float, convention: Convention) -> float:
    """Return the new state: the mixture of old state and candidate that the update gate sets."""
    return z * h + (1 - z) * n if convention.z_keeps else (1 - z) * h + z * n


def step(weights: Weights, x: float, h: float, convention: Convention = PYTORCH) -> Step:
    """Return the step of a cell from old state h at input x."""
    after = Step(
        h,
        (weights.w_r * x + weights.b_r, weights.w_z * x + weights.b_z, weights.w_n * x + weights.b_n),
        (weights.u_r * h, weights.u_z * h, weights.u_n * h + weights.c_n),
        convention,
    )
    if convention.reset_after:
        return after
    return replace(after, from_past=(*after.from_past[:2], weights.u_n * (after.r * h) + weights.c_n))


def run(weights: Weights, inputs: Sequence[float], convention: Convention = PYTORCH, h: float = 0.0) -> list[Step]:
    """Return the steps of a cell over a sequence of inputs, from an initial state h."""
    steps: list[Step] = []
    for x in inputs:
        steps.append(step(weights, x, h, convention))
        h = steps[-1].new
    return steps


def convert(weights: Weights, source: Convention, target: Convention) -> Weights:
    """Return the weights with which the target convention computes the same states as the source convention.

    Negating the weights of z turns it into 1 - z, because sigmoid(-a) = 1 - sigmoid(a). For a single unit, the order of
    r and the matrix product matters only if `c_n` is not 0; no weights make the two orders agree then.
    """
    if source.z_keeps == target.z_keeps:
        return weights
    return replace(weights, w_z=-weights.w_z, u_z=-weights.u_z, b_z=-weights.b_z)


def converts_exactly(weights: Weights, source: Convention, target: Convention) -> bool:
    """Return True if `convert` preserves every state."""
    return source.reset_after == target.reset_after or weights.c_n == 0


@dataclass(frozen=True)
class Preset:
    """Weights, with an input and an old state that demonstrate their effect."""

    title: str
    about: str
    weights: Weights
    x: float
    h: float


SHUT, OPEN = -6.0, 6.0  # biases that hold a gate near 0 and near 1
RESET_ONLY = Preset(
    "Reset only",
    "The reset gate is shut, but the update gate copies most of the old state: it is not forgotten.",
    Weights(b_r=SHUT, b_z=2, w_n=2, u_n=3),
    x=0.5,
    h=0.9,
)
PRESETS = (
    Preset(
        "A mixture",
        "Both gates are half open and lean on what they see.",
        Weights(w_r=1, u_r=1, w_z=-1.5, u_z=1, b_z=0.5, w_n=1.5, u_n=1),
        x=1.0,
        h=-0.5,
    ),
    Preset(
        "Keep",
        "The update gate copies the old state; whatever the input is, little changes.",
        Weights(b_z=OPEN, w_n=2, u_n=1),
        x=1.0,
        h=-0.5,
    ),
    Preset(
        "Overwrite",
        "The update gate copies nothing; the candidate, which still sees the old state, replaces it.",
        Weights(b_r=OPEN, b_z=SHUT, w_n=2, u_n=1),
        x=1.0,
        h=-0.5,
    ),
    Preset(
        "Ignore the past",
        "The reset gate hides the old state from the candidate, and the update gate copies none of it: only the "
        "input is left.",
        Weights(b_r=SHUT, b_z=SHUT, w_n=2, u_n=3),
        x=1.0,
        h=-0.5,
    ),
    RESET_ONLY,
    Preset(
        "A latch",
        "A strong input opens the update gate and is written; without one the state is held.",
        Weights(w_r=0, b_r=SHUT, w_z=-5, b_z=4, w_n=4),
        x=1.5,
        h=0.0,
    ),
)
SEQUENCE = (0.0, 1.5, 0.0, 0.0, 0.0, -0.5, 0.0, 0.0)
