"""How many weights the three cells have."""

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
