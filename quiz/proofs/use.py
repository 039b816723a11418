"""Checks for the topic Use: reading sentences, and measurements on the shipped model."""

import copy
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from ..bank.formulas import NOISE
from . import Measurement
from .cells import OPEN, Layer
from .lstm import counting

TEXTS = (
    "The plot is thin, but the acting is superb.",
    "I wanted to like this film and could not.",
    "A warm, funny and honest story.",
    "Two hours of my life that I will never get back.",
    "It opens at nine and closes at five.",
    "Not bad at all, I was pleasantly surprised.",
    "The cast is wonderful and the ending is beautiful.",
    "Dull, far too long and badly acted.",
    "The second half repeats everything the first half said.",
    "The film was shot in Canada in the spring of 2003.",
    "It is the best thing she has ever written.",
    "What a waste of a good idea.",
    "I would watch it again tomorrow.",
    "Nothing in this film makes sense.",
    "The music alone is worth the ticket.",
    "It is neither good nor bad, just long.",
    "A boring script saved by a brilliant cast.",
    "The parcel arrived on Tuesday morning.",
    "She never disappoints.",
    "I fell asleep before the end.",
    "An instant classic for the whole family.",
    "The jokes are old and the effects are cheap.",
    "He plays a doctor who moves to the coast.",
    "I cannot recommend it to anyone.",
    "Surprisingly moving and beautifully shot.",
    "The sequel is worse than the first one.",
    "The sequel is better than the first one.",
    "There are three trains a day.",
    "I hated every minute of it.",
    "A small film with a big heart.",
    "The dialogue feels fake.",
    "It was fun while it lasted.",
    "The room has two windows and a desk.",
    "Far from perfect, yet I enjoyed it.",
    "It could have been great, but it is not.",
    "The best soundtrack of the year.",
    "An insult to the book.",
    "The lecture begins in room twelve.",
    "Charming from start to finish.",
    "My money is gone and so is my evening.",
)


def word_order(cell: Any) -> Measurement:
    """Read two words in both orders, and add up their vectors in both orders."""
    layer = Layer(cell)
    words = torch.randn(2, 1, 3, dtype=torch.double, generator=torch.Generator().manual_seed(1))
    start = torch.zeros(4, dtype=torch.double)
    swapped = words.flip(0)
    quantities = {
        "states_differ_by": (layer.states(words, start)[-1] - layer.states(swapped, start)[-1]).abs().max(),
        "sums_differ_by": (words.sum(0) - swapped.sum(0)).abs().max(),
    }
    return Measurement("two words read in both orders", quantities)


def summary_vector(cell: Any, words: int, padded: int) -> Measurement:
    """Read a text alone, and with zeros behind it, and look for the state it had when read alone."""
    layer = Layer(cell)
    text = torch.randn(words, 1, 3, dtype=torch.double, generator=torch.Generator().manual_seed(1))
    zeros = torch.zeros(padded - words, 1, 3, dtype=torch.double)
    start = torch.zeros(4, dtype=torch.double)
    states = layer.states(torch.cat([text, zeros]), start)  # (padded, H)
    quantities = {
        "at_last_word": states[words - 1],
        "at_last_column": states[-1],
        "at_first_word": states[0],
        "mean_over_columns": states.mean(0),
        "answer": layer.states(text, start)[-1],
    }
    return Measurement(f"a text of {words} words, alone and padded to {padded} columns", quantities)


def streaming(cell: Any, steps: int, heard: int) -> Measurement:
    """Change the frames after some steps, and see which outputs up to there change; exchange the first two frames."""
    frames = torch.randn(steps, 1, 3, dtype=torch.double, generator=torch.Generator().manual_seed(1))
    later = frames.clone()
    later[heard:] += 1
    exchanged = torch.cat([frames[1:2], frames[:1], frames[2:]])
    with torch.random.fork_rng():
        torch.manual_seed(0)
        forward, both = cell(3, 4).double(), cell(3, 4, bidirectional=True).double()
        attention = nn.MultiheadAttention(3, 1).double()

    def change(read: Callable[[Tensor], Tensor], other: Tensor) -> Tensor:
        return (read(other)[:heard] - read(frames)[:heard]).detach().abs()

    quantities = {
        "forward_reads_ahead": change(lambda x: forward(x)[0], later).max(),
        "bidirectional_reads_ahead": change(lambda x: both(x)[0], later).max(),
        "attention_reads_ahead": change(lambda x: attention(x, x, x)[0], later).max(),
        "forward_sees_order": change(lambda x: forward(x)[0], exchanged)[-1].max(),
        "sum_sees_order": change(lambda x: x.cumsum(0), exchanged)[-1].max(),
    }
    return Measurement(f"{heard} of {steps} frames heard, the later ones changed; largest changes", quantities)


def chunked(cell: Any, steps: int, chunk: int) -> Measurement:
    """Read a recording as a whole, and in chunks that hand on the final states of both directions."""
    frames = torch.randn(steps, 1, 3, dtype=torch.double, generator=torch.Generator().manual_seed(1))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        both = cell(3, 4, bidirectional=True).double()
    whole, state, pieces = both(frames)[0], None, list[Tensor]()
    for piece in frames.split(chunk):
        output, state = both(piece, state)
        pieces.append(output)
    differs = (torch.cat(pieces) - whole).detach().abs()
    quantities = {"forward_differs": differs[..., :4].max(), "backward_differs": differs[..., 4:].max()}
    return Measurement(f"{steps} frames read as a whole and in chunks of {chunk}; largest differences", quantities)


def jobs(cell: Any) -> Measurement:
    """Measure three properties of four designs, as triples of 0 and 1.

    They are: whether the first output depends on later inputs, whether there can be more or fewer outputs than inputs,
    and whether a number in the state can count beyond 1.
    """
    frames = torch.randn(6, 1, 4, dtype=torch.double, generator=torch.Generator().manual_seed(1))
    later = torch.cat([frames[:3], frames[3:] + 1])
    with torch.random.fork_rng():
        torch.manual_seed(0)
        forward, both = cell(4, 4).double(), cell(4, 4, bidirectional=True).double()
        lstm, decoder = nn.LSTM(4, 4).double(), cell(4, 4).double()

    def translate(inputs: Tensor, length: int) -> Tensor:
        """Return the outputs of a decoder that starts from the final state and reads its own outputs."""
        state, outputs = forward(inputs)[1], [torch.zeros(1, 1, 4, dtype=torch.double)]
        for _ in range(length):
            output, state = decoder(outputs[-1], state)
            outputs.append(output)
        return torch.cat(outputs[1:])

    def measure(read: Callable[[Tensor], Tensor], lengths: set[int], highest: float) -> tuple[int, int, int]:
        ahead = bool((read(frames)[0] - read(later)[0]).abs().max() > NOISE)
        return int(ahead), int(lengths != {len(frames)}), int(highest > 1 + NOISE)

    counts = counting(cell, len(frames)).quantities
    gru, memory = float(counts["gru_highest"]), float(counts["lstm_after_a"])
    quantities = {
        "forward": measure(lambda x: forward(x)[0], {len(forward(frames)[0])}, gru),
        "bidirectional": measure(lambda x: both(x)[0], {len(both(frames)[0])}, gru),
        "encoder_decoder": measure(lambda x: translate(x, 3), {len(translate(frames, n)) for n in (3, 9)}, gru),
        "lstm": measure(lambda x: lstm(x)[0], {len(lstm(frames)[0])}, memory),
    }
    return Measurement("four designs run on six inputs: reads ahead, other length, counts", quantities)


def stored(cell: Any, size: int, tokens: int) -> Measurement:
    """Count the numbers that four designs must keep after some tokens to go on."""
    inputs = torch.zeros(tokens, 1, size)
    output, own = cell(size, size)(inputs)
    quantities = {
        "own_state": sum(state.numel() for state in (own if isinstance(own, tuple) else (own,))),
        "lstm_states": sum(state.numel() for state in nn.LSTM(size, size)(inputs)[1]),
        "all_outputs": output.numel(),
        "attention": cache(cell, size, tokens).quantities["answer"],
    }
    return Measurement(f"numbers to keep after {tokens} tokens, counted", quantities)


def loss_curves(train: Sequence[float], dev: Sequence[float]) -> Measurement:
    """Evaluate two plotted loss curves: where each is lowest, and where one is below the other."""
    quantities = {
        "epochs": len(dev),
        "train_lowest": 1 + train.index(min(train)),
        "dev_lowest": 1 + dev.index(min(dev)),
        "train_rises": sum(after > before for before, after in pairwise(train)),
        "dev_below_train": sum(d < t for d, t in zip(dev, train, strict=True)),
    }
    procedure = "the numbers of the two curves were compared, epochs counted from 1; nothing was trained"
    return Measurement(procedure, quantities, subject="the plotted losses")


def memory(cell: Any, short: int, long: int) -> Measurement:
    """Count the numbers to store after each length: a GRU's state, an attention layer's keys and values."""
    size = 8
    module, attention = cell(size, size), nn.MultiheadAttention(size, 1, batch_first=True)
    quantities: dict[str, Any] = {"short": short, "long": long}
    for label, length in (("short", short), ("long", long)):
        inputs = torch.zeros(1, length, size)
        carried = module(inputs.transpose(0, 1))[1]
        states = carried if isinstance(carried, tuple) else (carried,)
        keys, values = (inputs @ w.T for w in attention.in_proj_weight.detach().chunk(3)[1:])
        quantities[f"gru_{label}"] = sum(state.numel() for state in states)
        quantities[f"attention_{label}"] = keys.numel() + values.numel()
    return Measurement(f"numbers to store after {short} and after {long} tokens", quantities)


def cache(cell: Any, size: int, tokens: int) -> Measurement:
    """Count the numbers in the keys and values of an attention layer for all tokens, and in a state."""
    attention, inputs = nn.MultiheadAttention(size, 1), torch.zeros(tokens, 1, size)
    keys, values = (inputs @ w.T for w in attention.in_proj_weight.detach().chunk(3)[1:])
    carried = cell(size, size)(inputs)[1]
    states = carried if isinstance(carried, tuple) else (carried,)
    quantities = {"state": sum(state.numel() for state in states), "answer": keys.numel() + values.numel()}
    return Measurement(f"keys and values of {tokens} tokens of width {size} counted", quantities)


def rewriting_token(cell: Any, classifier: Any) -> Measurement:
    """Run the forward cell of the shipped model over texts, and measure what share of the state each token replaces."""
    model = classifier.model
    layer = Layer(cell, model.config.embedding_size, model.config.hidden_size)
    layer.rows("z")
    layer.module.load_state_dict({k: v.double() for k, v in model.layers[0].forward_cell.state_dict().items()})
    positions: dict[str, list[int]] = {"smallest_z": [], "largest_z": [], "first": [], "last": [], "answer": []}
    for text in TEXTS[:3]:
        (ids,) = classifier.encode([text])
        inputs = model.embedding.weight[torch.tensor(ids)].detach().double()  # (T, E)
        z, replaced = _trace_updates(layer, inputs)
        positions["smallest_z"].append(int(z.argmin()))
        positions["largest_z"].append(int(z.argmax()))
        positions["first"].append(0)
        positions["last"].append(len(ids) - 1)
        positions["answer"].append(int(replaced.argmax()))
    quantities = {name: tuple(indices) for name, indices in positions.items()}
    return Measurement("three texts through the shipped model; positions of tokens", quantities)


def frozen_reset(cell: Any, classifier: Any) -> Measurement:
    """Hold the reset gates of the shipped model open, and compare its verdicts with the usual ones."""
    usual, frozen = _rebuild_model(cell, classifier), _rebuild_model(cell, classifier)
    for module in (frozen.layers[0].forward_cell, frozen.layers[0].backward_cell):
        rows = slice(0, module.hidden_size)
        for name in ("weight_ih_l0", "weight_hh_l0", "bias_hh_l0"):
            getattr(module, name)[rows] = 0
        module.bias_ih_l0[rows] = OPEN
    before, after = (_scores(model, classifier) for model in (usual, frozen))  # (B, C)
    quantities = {
        "same_verdict": float((before.argmax(-1) == after.argmax(-1)).double().mean()),
        "mean_change": (before - after).abs().mean(),
        "largest_change": (before - after).abs().max(),
        "least_spread": (after.max(-1).values - after.min(-1).values).min(),
    }
    return Measurement(f"{len(TEXTS)} texts scored with and without r = 1", quantities)


def _trace_updates(layer: Layer, inputs: Tensor) -> tuple[Tensor, Tensor]:
    """Return two (T,) means over units for (T, E) inputs: of z, and of the share of the state that is replaced."""
    h = torch.zeros(layer.hidden, dtype=torch.double)
    gates, shares = [], []
    for x in inputs:
        new = layer.step(x, h)
        gates.append(layer.gate("z", x, h).mean())
        shares.append(((new - h) / (layer.candidate(x, h) - h)).mean())
        h = new
    return torch.stack(gates), torch.stack(shares)


def _rebuild_model(cell: Any, classifier: Any) -> Any:
    """Return a copy of the shipped model whose cells are replaced by the given cell with the same weights."""
    Layer(cell).rows("r")
    model = copy.deepcopy(classifier.model).requires_grad_(False)
    for name in ("forward_cell", "backward_cell"):
        old = getattr(model.layers[0], name)
        new = cell(old.input_size, old.hidden_size, batch_first=True).requires_grad_(False)
        new.load_state_dict(old.state_dict())
        setattr(model.layers[0], name, new)
    return model


def _scores(model: Any, classifier: Any) -> Tensor:
    rows = classifier.encode(list(TEXTS))
    logits = [model(input_ids=torch.tensor([ids])).logits[0] for ids in rows]
    return torch.stack(logits).double().softmax(-1)
