"""The trainings that are compared: three cells at equal hidden size and at equal size of the recurrent layer."""

from dataclasses import dataclass

EMBEDDING, HIDDEN, SEEDS = 128, 128, (0, 1, 2)
BLOCKS = {"gru": 3, "lstm": 4, "rnn": 1}  # gates and candidate: matrices of each kind


@dataclass(frozen=True)
class Configuration:
    """A recurrent layer, and how its states become logits.

    Attributes:
        name: of the configuration; runs are called NAME-SEED.
        cell: gru, lstm or rnn.
        hidden: units a direction.
        bidirectional: whether texts are read from both ends.
        pooling: what the linear head sees.
        equal: what it shares with the GRU: "hidden size" or "parameters".
    """

    name: str
    cell: str
    hidden: int = HIDDEN
    bidirectional: bool = True
    pooling: str = "mean_max"
    equal: str = "hidden size"

    @property
    def recurrent_parameters(self) -> int:
        """The weights and biases of the recurrent layer, in all directions."""
        return (2 if self.bidirectional else 1) * count_parameters(self.cell, self.hidden)


def count_parameters(cell: str, hidden: int, embedding: int = EMBEDDING) -> int:
    """Return how many weights and biases one direction of a layer has in PyTorch, which keeps two biases a unit."""
    return BLOCKS[cell] * hidden * (embedding + hidden + 2)


def matching_hidden_size(cell: str, parameters: int, embedding: int = EMBEDDING) -> int:
    """Return the hidden size at which a direction of a layer comes nearest to a number of parameters."""
    hidden = 1
    while count_parameters(cell, hidden + 1, embedding) < parameters:
        hidden += 1
    return min((hidden, hidden + 1), key=lambda size: abs(count_parameters(cell, size, embedding) - parameters))


def compared() -> list[Configuration]:
    """Return the five configurations that are compared, the GRU first."""
    target = count_parameters("gru", HIDDEN)
    matched = {cell: matching_hidden_size(cell, target) for cell in ("lstm", "rnn")}
    return [
        *(Configuration(cell, cell) for cell in ("gru", "lstm", "rnn")),
        *(Configuration(f"{cell}-matched", cell, hidden, equal="parameters") for cell, hidden in matched.items()),
    ]


def read_by_last_state() -> list[Configuration]:
    """Return the three cells in one direction, judged by their last state alone: for the gradients."""
    return [Configuration(f"{cell}-last", cell, bidirectional=False, pooling="last") for cell in ("gru", "lstm", "rnn")]


def all_runs() -> dict[str, tuple[Configuration, int]]:
    """Return configuration and seed of every training by the name of its run, in the order they are made.

    The last-state ones have one seed.
    """
    runs = {f"{c.name}-{seed}": (c, seed) for seed in SEEDS for c in compared()}
    return runs | {f"{c.name}-0": (c, 0) for c in read_by_last_state()}
