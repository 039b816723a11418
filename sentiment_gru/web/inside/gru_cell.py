"""A GRU with one input and one unit, whose weights are set by hand, and the conventions of three sources.

The page computes with the same values in `static/stage_cards.js`; here, they give the figures of the statements.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple


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


PYTORCH = Convention("pytorch", "PyTorch", True, True, "documentation of torch.nn.GRU")
CHO = Convention("cho2014", "Cho et al. 2014", True, False, "arXiv 1406.1078, version 3, section 2.3")
CHUNG = Convention("chung2014", "Chung et al. 2014", False, False, "arXiv 1412.3555, section 3.2")
CONVENTIONS = (PYTORCH, CHO, CHUNG)


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


class Step(NamedTuple):
    """One step of a unit: the old state h, the gates r and z, the candidate n, and the new state."""

    h: float
    r: float
    z: float
    n: float
    new: float


def sigmoid(value: float) -> float:
    """Return the logistic function of any value, without overflow."""
    return 0.5 * (1 + math.tanh(value / 2))


def blend(z: float, h: float, n: float, convention: Convention) -> float:
    """Return the new state: the mixture of old state and candidate that the update gate sets."""
    return z * h + (1 - z) * n if convention.z_keeps else (1 - z) * h + z * n


def step(weights: Weights, x: float, h: float) -> Step:
    """Return the step of a cell of PyTorch's convention from old state h at input x."""
    r = sigmoid(weights.w_r * x + weights.u_r * h + weights.b_r)
    z = sigmoid(weights.w_z * x + weights.u_z * h + weights.b_z)
    n = math.tanh(weights.w_n * x + weights.b_n + r * (weights.u_n * h + weights.c_n))
    return Step(h, r, z, n, blend(z, h, n, PYTORCH))


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
