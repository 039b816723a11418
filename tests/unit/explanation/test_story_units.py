"""Claims about found units, verified by running the cell again, in plain NumPy, with its gate held."""

from pathlib import Path

import numpy as np
import pytest

from sentiment_gru import SentimentClassifier
from sentiment_gru.explanation import story_units
from sentiment_gru.explanation.story_units import (
    LEAST_CLOSING,
    LEAST_HELD,
    LEAST_HOLD,
    LEAST_STATE,
    NEGATIONS,
    TURNS,
    Clamp,
    StoryUnit,
    find_story_units,
    run_clamped,
)
from sentiment_gru.model_config import length_factor
from sentiment_gru.results import Reading

from .test_explanation import make

FOLDER = Path(__file__).parent
SENTENCES = {
    kind: (FOLDER / f"sentences_with_{name}.txt").read_text().splitlines()
    for kind, name in {"reset": "but", "flip": "negation"}.items()
}
PARAMETERS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
FEWEST_FOUND = 25  # of the 50 sentences of a kind, in any well-trained model


@pytest.fixture(scope="module")
def shipped() -> SentimentClassifier:
    return SentimentClassifier.from_pretrained(threads=1)


def sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values))


def run_cell(reading: Reading, clamp: Clamp) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (T, H) values of r and z and the states of one direction of a model with one layer, a gate held."""
    layer = reading.model.layers[0]
    cell = list(layer.children())[clamp.direction]
    w_ih, w_hh, b_ih, b_hh = (getattr(cell, f"{name}_l0").detach().double().numpy() for name in PARAMETERS)
    embeddings = reading.model.embedding.weight.detach()[reading.ids].double().numpy()
    steps = range(len(embeddings))[:: -1 if clamp.direction else 1]
    r, z, states = np.zeros((3, len(embeddings), w_hh.shape[1]))
    state = states[0]
    for t in steps:
        from_input, from_past = np.split(w_ih @ embeddings[t] + b_ih, 3), np.split(w_hh @ state + b_hh, 3)
        r[t], z[t] = (sigmoid(from_input[gate] + from_past[gate]) for gate in (0, 1))
        if t in clamp.tokens:
            (r if clamp.gate == "reset" else z)[t, clamp.unit] = clamp.value
        candidate = np.tanh(from_input[2] + r[t] * from_past[2])
        states[t] = state = z[t] * state + (1 - z[t]) * candidate
    return r, z, states


def logits_of_states(reading: Reading, clamp: Clamp, states: np.ndarray) -> np.ndarray:
    """Return the (C,) logits if the states of one direction are these, by the pooling of the shipped model."""
    model = reading.model
    sides = [states if side == clamp.direction else run_cell(reading, unheld(side))[2] for side in (0, 1)]
    both = np.concatenate(sides, axis=1)
    assert model.config.pooling == "mean_max"
    pooled = np.concatenate([both.mean(axis=0), both.max(axis=0)])
    weight, bias = (parameter.detach().double().numpy() for parameter in model.classifier.parameters())
    config = model.config
    divisor = config.temperature * length_factor(np.array([len(states)]), config.temperature_exponent)
    return (weight @ pooled + bias) / divisor


def unheld(direction: int) -> Clamp:
    return Clamp(direction, 0, "update", (), 0.0)


def verify(reading: Reading, story: StoryUnit) -> None:
    """Verify the claim of a story with the gates and states of a run of its own."""
    clamp = story.clamp
    unit, tokens = clamp.unit, list(clamp.tokens)
    r, z, states = run_cell(reading, unheld(clamp.direction))
    _, _, held = run_cell(reading, clamp)
    before = tokens[0] + (1 if clamp.direction else -1)
    old = states[before, unit] if 0 <= before < len(states) else 0.0
    new, new_held = states[tokens[-1], unit], held[tokens[-1], unit]
    assert story.before == pytest.approx(old, abs=1e-5)
    assert story.after == pytest.approx(new, abs=1e-5)
    assert story.clamped == pytest.approx(new_held, abs=1e-4)
    assert story.gate_mean == pytest.approx((r if clamp.gate == "reset" else z)[tokens, unit].mean(), abs=1e-5)
    words = [token.text.lower() for token in reading.tokens]
    if story.kind == "hold":
        assert story.measure == pytest.approx(z[tokens, unit].prod(), abs=1e-4)
        assert story.measure >= LEAST_HELD
        assert len(tokens) >= LEAST_HOLD
        assert abs(old) >= LEAST_STATE - 1e-5
        _, _, copied = run_cell(reading, Clamp(clamp.direction, unit, "update", clamp.tokens, 1.0))
        assert copied[tokens[-1], unit] == pytest.approx(old, abs=1e-5)  # a gate that copies all keeps it all
    elif story.kind == "reset":
        assert words[tokens[0]] in TURNS
        assert r[:, unit].mean() - r[tokens[0], unit] >= LEAST_CLOSING - 1e-5
        assert abs(new_held - new) == pytest.approx(story.measure, abs=1e-4)  # the reset makes this difference
    else:
        assert NEGATIONS & set(words[max(0, tokens[0] - 1) : tokens[0] + 1])
        assert old * new < 0
        assert min(abs(old), abs(new)) >= LEAST_STATE - 1e-5
        assert new_held == pytest.approx(old, abs=1e-5)  # without the write there is no change of sign


@pytest.mark.parametrize("kind", SENTENCES)
def test_the_claims_on_fifty_sentences_hold_when_the_gate_is_held(shipped: SentimentClassifier, kind: str) -> None:
    assert len(set(SENTENCES[kind])) == 50
    found = []
    for sentence in SENTENCES[kind]:
        reading = shipped.read(sentence)
        for direction in (0, 1):
            for story in find_story_units(reading, direction):
                verify(reading, story)
                found.append((story.kind, direction))
    assert found.count((kind, 0)) >= FEWEST_FOUND


def test_the_effect_on_the_logits_is_that_of_the_held_states(shipped: SentimentClassifier) -> None:
    changed = []
    for sentence in (SENTENCES["reset"][0], SENTENCES["flip"][0]):
        reading = shipped.read(sentence)
        for direction in (0, 1):
            for story in find_story_units(reading, direction):
                states = [run_cell(reading, clamp)[2] for clamp in (unheld(direction), story.clamp)]
                unheld_logits, logits = (logits_of_states(reading, story.clamp, each) for each in states)
                assert unheld_logits == pytest.approx(reading.score([reading.ids])[0], abs=1e-4)
                assert story.effect == pytest.approx(logits - unheld_logits, abs=1e-4)
                changed.append(np.abs(story.effect).max())
    assert max(changed) > 0.01


def test_a_held_gate_in_a_lower_layer_changes_what_the_upper_layers_say() -> None:
    classifier = make(bidirectional=True, num_layers=2)
    reading = classifier.read("this film isn't superb")
    expected = reading.score([reading.ids])[0]
    for direction in range(4):
        _, unchanged = run_clamped(reading, Clamp(direction, 1, "update", (), 0.0))
        assert unchanged.numpy() == pytest.approx(expected, abs=1e-5)
        order = story_units.reading_order(reading, direction)
        _, changed = run_clamped(reading, Clamp(direction, 1, "update", tuple(order[1:3]), 1.0))
        assert np.abs(changed.numpy() - expected).max() > 1e-4


def test_no_unit_is_found_where_none_does_it() -> None:
    z, states = np.full((6, 4), 0.4), np.full((6, 4), 0.9)
    assert story_units.find_hold(z, states) is None  # nothing is copied for long
    assert story_units.find_hold(np.ones((6, 4)), np.zeros((6, 4))) is None  # there is nothing to hold
    words = ["a", "b", "but", "not", "c", "d"]
    assert story_units.find_reset(np.full((6, 4), 0.1), states, -states, words) is None  # it was closed all the time
    assert story_units.find_flip(states, states, words, 2) is None
    assert story_units.find_flip(states, -states, ["a"] * 6, 2) is None
    assert story_units.find_reset(1 - np.eye(6, 4, -2), states, -states, ["a"] * 6) is None


def test_the_longest_hold_wins_and_a_reset_counts_only_where_it_closes() -> None:
    z, states = np.full((8, 3), 0.3), np.full((8, 3), 0.5)
    z[2:6, 1] = z[1:4, 2] = 1.0
    hold = story_units.find_hold(z, states)
    assert (hold.unit, hold.positions, hold.measure) == (1, range(2, 6), 1.0)
    r, opened = np.full((8, 3), 0.9), states.copy()
    r[3, 0] = 0.1
    opened[3] = [0.9, -0.9, 0.5]
    reset = story_units.find_reset(r, states, opened, ["x"] * 3 + ["but"] + ["x"] * 4)
    assert (reset.unit, reset.positions, reset.measure) == (0, range(3, 4), pytest.approx(0.4))


def test_the_word_after_a_negation_counts_where_it_is_read_after_it() -> None:
    previous, hidden = np.full((4, 2), 0.5), np.full((4, 2), 0.5)
    hidden[2, 1] = -0.8
    words = ["it", "not", "good", "."]
    flip = story_units.find_flip(previous, hidden, words, 2)
    assert (flip.unit, flip.positions, flip.measure) == (1, range(2, 3), pytest.approx(1.3))
    assert story_units.find_flip(previous, hidden, words, 1) is None
