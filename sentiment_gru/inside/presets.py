"""Weights worth looking at, in the sense of PyTorch's z, and the sequence they are tried on."""

from dataclasses import dataclass

from .cell import Weights


@dataclass(frozen=True)
class Preset:
    """Weights with an input and an old state at which they show what they are for."""

    title: str
    about: str
    weights: Weights
    x: float
    h: float


SHUT, OPEN = -6.0, 6.0  # biases at which a gate is nearly 0 and nearly 1
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
