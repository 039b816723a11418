"""Units of a trained GRU that show what its gates do, found by measurement on one text.

Three kinds are searched among the units of one layer and direction:

- "hold": the update gate copies at least half of a state over the most tokens.
- "reset": the reset gate closes at a turn such as "but", and the state would be most different if it were open.
- "flip": at a negation or the token after it, the state changes its sign by the largest amount.

What the gate does is tested by holding it at another value, and running the model again.

Letters in shape comments: T tokens read, C labels, H hidden_size.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ..results import Array, Reading, find_words
from .gates import LayerStates, gate_terms, gate_values, layer_states

TURNS = frozenset(["although", "but", "however", "nevertheless", "though", "yet"])
NEGATIONS = frozenset(
    ["cannot", "hardly", "n't", "n’t", "neither", "never", "no", "nobody", "none", "nor", "not", "nothing", "without"]
)
LEAST_STATE = 0.3  # of a state that is worth holding, on both sides of a change of sign
LEAST_HELD = 0.5  # share of the state that is copied over a hold
LEAST_HOLD = 3  # tokens
LEAST_CLOSING = 0.2  # by which r at a turn is below its mean over the text
LEAST_CHANGE = 0.1  # of the state, if the reset gate were open


@dataclass(frozen=True)
class Clamp:
    """A gate of one unit that is held at a value.

    Attributes:
        direction: Index of the layer and direction, as in `Explanation.hidden`.
        unit: Index of the unit.
        gate: "reset" or "update".
        tokens: The tokens at which it is held, in the order in which the direction reads them.
        value: The value, from 0 to 1.
    """

    direction: int
    unit: int
    gate: str
    tokens: tuple[int, ...]
    value: float


@dataclass(frozen=True)
class StoryUnit:
    """A unit that was found, and what changes if its gate is held at another value.

    Attributes:
        kind: "hold", "reset" or "flip".
        clamp: The unit, its gate and the tokens at which the gate does this, with the value for the test.
        measure: The number that chose the unit: the share of the state that is copied over all tokens ("hold"), or the
            change of the state, from that with an open reset gate ("reset") or from that before the token ("flip").
        gate_mean: Mean of the gate over these tokens.
        before: State before the first of the tokens.
        after: State after the last of the tokens.
        clamped: The same state with the gate held.
        effect: (C,) changes of the logits with the gate held.
    """

    kind: str
    clamp: Clamp
    measure: float
    gate_mean: float
    before: float
    after: float
    clamped: float
    effect: Array


@dataclass(frozen=True)
class Candidate:
    """A unit, the positions in reading order at which its gate does this, and the number that chose it."""

    unit: int
    positions: range
    measure: float


@torch.inference_mode()
def find_story_units(reading: Reading, direction: int = 0) -> list[StoryUnit]:
    """Return the units that were found, at most one of each kind.

    Args:
        reading: A text with at least one token; the cells of its model are GRUs.
        direction: Index of the layer and direction whose units are searched.
    """
    states = layer_states(reading)[direction]
    order = reading_order(reading, direction)
    reset, update, _ = gate_values(states.cell, states.inputs, states.previous)
    tensors = (reset, update, states.previous, states.hidden, _states_with_open_reset(states))
    r, z, previous, hidden, opened = (tensor[order].cpu().numpy() for tensor in tensors)  # (T, H), in reading order
    # A piece of a word, such as the "no" of an unknown word, is not a negation.
    whole = [len(word) == 1 for word in find_words(reading.tokens) for _ in word]
    words = [reading.tokens[token].text.lower() if whole[token] else "" for token in order]
    reach = 2 if order[0] == 0 else 1  # read from the end, the word after a negation comes before it
    found = {
        ("hold", "update", 0.0): find_hold(z, previous),
        ("reset", "reset", 1.0): find_reset(r, hidden, opened, words),
        ("flip", "update", 1.0): find_flip(previous, hidden, words, reach),
    }
    stories = []
    for (kind, gate, value), candidate in found.items():
        if candidate is None:
            continue
        unit, positions = candidate.unit, candidate.positions
        clamp = Clamp(direction, unit, gate, tuple(order[position] for position in positions), value)
        clamped, logits = run_clamped(reading, clamp)
        _, unclamped = run_clamped(reading, replace(clamp, tokens=()))
        stories.append(
            StoryUnit(
                kind,
                clamp,
                candidate.measure,
                float((r if gate == "reset" else z)[positions, unit].mean()),
                float(previous[positions[0], unit]),
                float(hidden[positions[-1], unit]),
                float(clamped[clamp.tokens[-1], unit]),
                (logits - unclamped).cpu().numpy(),
            )
        )
    return stories


def reading_order(reading: Reading, direction: int) -> list[int]:
    """Return the indices of the tokens in the order in which a direction reads them."""
    indices = list(range(len(reading.ids)))
    return indices[::-1] if reading.model.config.bidirectional and direction % 2 else indices


def find_hold(update: Array, previous: Array) -> Candidate | None:
    """Return the unit that copies at least half of a state over the most tokens.

    Args:
        update: (T, H) values of z, in reading order.
        previous: (T, H) states before each token.
    """
    best: Candidate | None = None
    copied = np.where(np.abs(previous) >= LEAST_STATE, 1.0, 0.0)  # share of each state after `length` tokens
    for length in range(1, len(update) + 1):
        copied = copied[: len(update) - length + 1] * update[length - 1 :]
        start, unit = (int(index) for index in np.unravel_index(copied.argmax(), copied.shape))
        if copied[start, unit] < LEAST_HELD:
            break
        best = Candidate(unit, range(start, start + length), float(copied[start, unit]))
    return best if best and len(best.positions) >= LEAST_HOLD else None


def find_reset(reset: Array, hidden: Array, opened: Array, words: Sequence[str]) -> Candidate | None:
    """Return the unit whose reset gate closes at the first turn, and whose state would change most if it were open.

    Args:
        reset: (T, H) values of r, in reading order.
        hidden: (T, H) states after each token.
        opened: (T, H) states after each token if r were 1 there.
        words: The T tokens in lower case.
    """
    turn = next((position for position, word in enumerate(words) if word in TURNS), None)
    if turn is None:
        return None
    closes = reset.mean(axis=0) - reset[turn] >= LEAST_CLOSING
    changes = np.where(closes, np.abs(opened[turn] - hidden[turn]), 0)
    unit = int(changes.argmax())
    return Candidate(unit, range(turn, turn + 1), float(changes[unit])) if changes[unit] >= LEAST_CHANGE else None


def find_flip(previous: Array, hidden: Array, words: Sequence[str], reach: int) -> Candidate | None:
    """Return the unit whose state changes its sign by the largest amount at the first negation.

    Args:
        previous: (T, H) states before each token, in reading order.
        hidden: (T, H) states after each token.
        words: The T tokens in lower case.
        reach: Number of tokens to search, from the negation on.
    """
    negation = next((position for position, word in enumerate(words) if word in NEGATIONS), None)
    if negation is None:
        return None
    old, new = previous[negation : negation + reach], hidden[negation : negation + reach]
    flips = (old * new < 0) & (np.minimum(np.abs(old), np.abs(new)) >= LEAST_STATE)
    changes = np.where(flips, np.abs(new - old), 0)
    offset, unit = (int(index) for index in np.unravel_index(changes.argmax(), changes.shape))
    position = negation + offset
    return Candidate(unit, range(position, position + 1), float(changes[offset, unit])) if flips.any() else None


@torch.inference_mode()
def run_clamped(reading: Reading, clamp: Clamp) -> tuple[Tensor, Tensor]:
    """Run the model with a gate of one unit held at a value.

    Returns:
        The (T, H) states of the layer and direction, and the (C,) logits, divided by the temperature.
    """
    model = reading.model
    every = layer_states(reading)
    cell, inputs, previous, hidden = every[clamp.direction]
    directions = 2 if model.config.bidirectional else 1
    layer, side = divmod(clamp.direction, directions)
    states = hidden.clone()
    if clamp.tokens:
        order = reading_order(reading, clamp.direction)
        first = order.index(clamp.tokens[0])
        state = previous[order[first]][None]  # (1, H)
        for token in order[first:]:
            from_input, from_past = gate_terms(cell, inputs[token : token + 1], state)  # (3, 1, H)
            gates = torch.sigmoid(from_input[:2] + from_past[:2])
            if token in clamp.tokens:
                gates[("reset", "update").index(clamp.gate), 0, clamp.unit] = clamp.value
            reset, update = gates
            state = update * state + (1 - update) * torch.tanh(from_input[2] + reset * from_past[2])
            states[token] = state[0]
    halves = [entry.hidden for entry in every[layer * directions : (layer + 1) * directions]]
    halves[side] = states
    outputs = torch.cat(halves, dim=-1)[None]  # (1, T, directions * H)
    lengths = torch.tensor([len(reading.ids)], device=outputs.device)
    for following in model.layers[layer + 1 :]:
        outputs = following(outputs, lengths)
    logits = model.classifier(model._pool(outputs, lengths)) / model.divisor(lengths)
    return states, logits[0]


def _states_with_open_reset(states: LayerStates) -> Tensor:
    """Return the (T, H) states after each token if r were 1 at that token alone."""
    from_input, from_past = gate_terms(states.cell, states.inputs, states.previous)
    update = torch.sigmoid(from_input[1] + from_past[1])
    return update * states.previous + (1 - update) * torch.tanh(from_input[2] + from_past[2])
