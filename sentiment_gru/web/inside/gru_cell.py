"""One unit of a GRU at one step, and a GRU of one input and one unit whose weights can be set by hand.

Everything is plain Python in double precision: a moved slider is answered in microseconds.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Convention:
    """How one source writes the GRU.

    Attributes:
        name: short, as in a link.
        title: as a reader knows it.
        z_keeps: whether h' is z h + (1 - z) n, rather than (1 - z) h + z n.
        reset_after: whether the candidate sees r * (U h + c), rather than U (r * h) + c.
        source: where that is written.
    """

    name: str
    title: str
    z_keeps: bool
    reset_after: bool
    source: str

    @property
    def keep_share(self) -> str:
        """The factor of the old state, as the source writes it."""
        return "z" if self.z_keeps else "1 − z"

    @property
    def write_share(self) -> str:
        """The factor of the candidate, as the source writes it."""
        return "1 − z" if self.z_keeps else "z"


PYTORCH = Convention("pytorch", "PyTorch", True, True, "documentation of torch.nn.GRU")
CHO = Convention("cho2014", "Cho et al. 2014", True, False, "arXiv 1406.1078, version 3, section 2.3")
CHUNG = Convention("chung2014", "Chung et al. 2014", False, False, "arXiv 1412.3555, section 3.2")
CONVENTIONS = {convention.name: convention for convention in (PYTORCH, CHO, CHUNG)}


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


BLOCKS = {"gru": 3, "lstm": 4, "rnn": 1}  # matrices for gates, candidate or cell input
GATES = {"gru": 2, "lstm": 3, "rnn": 0}


def parameters(cell: str, inputs: int, hidden: int) -> int:
    """Return the weights and biases of one layer and direction in PyTorch, which keeps two biases a unit and block."""
    return BLOCKS[cell] * hidden * (inputs + hidden + 2)


def recurrent_parameters(config: dict[str, object], cell: str) -> int:
    """Return those of a checkpoint's recurrent layers, had it cells of this kind; `config` is its config.json."""
    hidden, layers = int(str(config["hidden_size"])), int(str(config.get("num_layers", 1)))
    directions = 2 if config.get("bidirectional") else 1
    inputs = [int(str(config["embedding_size"]))] + [directions * hidden] * (layers - 1)
    return directions * sum(parameters(cell, size, hidden) for size in inputs)
