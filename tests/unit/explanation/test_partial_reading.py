"""Logits of a text without some of its tokens, computed from the states of the whole."""

import itertools

import numpy as np
import pytest

from sentiment_gru.explanation.partial_reading import PartialReader
from tests.unit.explanation.test_explanation import TEXT, make


@pytest.mark.parametrize(
    ("bidirectional", "pooling"), list(itertools.product([False, True], ["last", "mean", "max", "mean_max"]))
)
def test_they_are_those_of_the_shortened_texts(bidirectional: bool, pooling: str) -> None:
    classifier = make(bidirectional=bidirectional, pooling=pooling)
    reading = classifier.read(TEXT)
    count = len(reading.ids)
    ranges = [(start, end) for start in range(count + 1) for end in range(start, count + 1)]
    found = PartialReader(reading).without([start for start, _ in ranges], [end for _, end in ranges])
    expected = classifier.logits((), [reading.ids[:start] + reading.ids[end:] for start, end in ranges])
    assert np.abs(found - expected).max() < 1e-5


def test_other_networks_are_read_as_a_whole() -> None:
    assert PartialReader.supports(make(bidirectional=True).read(TEXT))
    for other in ({"num_layers": 2}, {"cell": "lstm"}):
        assert not PartialReader.supports(make(**other).read(TEXT))
    assert not PartialReader.supports(make().read(""))
