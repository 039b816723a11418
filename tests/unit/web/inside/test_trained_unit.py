"""The steps of the trained units against torch.nn.GRU and against the gates of the explanation."""

import random

import numpy as np
import pytest
import torch

from sentiment_gru import SentimentClassifier
from sentiment_gru.explanation.gates import gates
from sentiment_gru.web.examples import EXAMPLES
from sentiment_gru.web.inside.gru_cell import CHUNG, CONVENTIONS
from sentiment_gru.web.inside.trained_unit import TrainedUnits, read_units

TEXT = EXAMPLES["A long review"]


@pytest.fixture(scope="module")
def shipped() -> SentimentClassifier:
    return SentimentClassifier.from_pretrained()


@pytest.fixture(scope="module")
def units(shipped: SentimentClassifier) -> TrainedUnits:
    return read_units(shipped, TEXT)


def states_of_torch(classifier: SentimentClassifier, text: str) -> np.ndarray:
    """Return the (D, T, H) states of the model's own nn.GRU cells, run here on the embeddings of the text."""
    ids = torch.tensor([classifier.read(text).ids])
    layer = classifier.model.layers[0]
    with torch.inference_mode():
        x = classifier.model.embedding(ids)
        forward = layer.forward_cell(x)[0][0]
        backward = layer.backward_cell(x.flip(1))[0][0].flip(0)
    return torch.stack([forward, backward]).numpy()


def test_100_random_units_and_tokens_equal_those_of_torch(shipped: SentimentClassifier, units: TrainedUnits) -> None:
    expected = states_of_torch(shipped, TEXT)
    draws = random.Random(0)
    for _ in range(100):
        direction, token, unit = (draws.randrange(size) for size in expected.shape)
        for convention in CONVENTIONS.values():
            shown = units.step(direction, token, unit, convention)
            assert shown.new == pytest.approx(expected[direction, token, unit], abs=1e-5)


def test_gates_and_candidate_equal_those_of_the_explanation(shipped: SentimentClassifier, units: TrainedUnits) -> None:
    expected, _ = gates(shipped.read(TEXT))
    for unit in (0, 5, 100):
        for direction in (0, 1):
            trace = units.trace(direction, unit)
            for letter, values in zip("rznh", expected, strict=True):
                np.testing.assert_allclose(trace[letter], values[direction, :, unit], atol=1e-5)


def test_in_chungs_convention_z_is_the_other_share(units: TrainedUnits) -> None:
    pytorch, chung = units.step(0, 3, 7), units.step(0, 3, 7, CHUNG)
    assert chung.z == pytest.approx(1 - pytorch.z)
    assert chung.copied == pytest.approx(pytorch.copied)


def test_a_reset_before_the_product_gives_ancandidate_with_reset_first(
    shipped: SentimentClassifier, units: TrainedUnits
) -> None:
    token, unit = 20, 11
    cell = shipped.model.layers[0].forward_cell
    with torch.inference_mode():
        matrix, bias = cell.weight_hh_l0.chunk(3)[2], cell.bias_hh_l0.chunk(3)[2]
        h = torch.tensor(units.previous[0, token])
        r = torch.sigmoid(torch.tensor(units.from_input[0, 0, token] + units.from_past[0, 0, token]))
        past = (matrix.double() @ (r * h) + bias)[unit].item()
    expected = np.tanh(units.from_input[0, 2, token, unit] + past)
    assert units.candidate_with_reset_first(0, token, unit) == pytest.approx(expected, abs=1e-5)
    assert units.candidate_with_reset_first(0, token, unit) != pytest.approx(units.step(0, token, unit).n, abs=1e-4)


def test_the_most_changed_unit_and_the_number_of_changed_units(units: TrainedUnits) -> None:
    changes = np.abs(units.hidden - units.previous)
    unit = units.most_changed_unit(1, 12)
    assert changes[1, 12, unit] == changes[1, 12].max()
    assert units.count_changed(12, 0.5) == ((changes[:, 12] > 0.5).sum(), 384)
