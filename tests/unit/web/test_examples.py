"""The stored explanation of the page's first example."""

import json
from pathlib import Path

import numpy as np
import pytest

from sentiment_gru import SentimentClassifier
from sentiment_gru.checkpoint import PRETRAINED
from sentiment_gru.results import Explanation
from sentiment_gru.web.examples import ARRAYS, EXAMPLES, from_json, load_failures, load_worked_example, to_json
from sentiment_gru.web.explanation_view import choose_target

TEXT = next(iter(EXAMPLES.values()))


@pytest.fixture(scope="module")
def stored() -> Explanation:
    """The stored explanation of the shipped checkpoint."""
    found = load_worked_example(PRETRAINED, TEXT)
    assert found is not None
    return found


def test_the_stored_explanation_equals_the_live_one(stored: Explanation) -> None:
    classifier = SentimentClassifier.from_pretrained()
    (prediction,) = classifier([TEXT])
    live = classifier.explain(TEXT, target=choose_target(prediction.scores))
    for name in ARRAYS:
        np.testing.assert_allclose(getattr(stored, name), getattr(live, name), atol=1e-4)
    for method, values in live.attributions.items():
        np.testing.assert_allclose(stored.attributions[method], values, atol=1e-3)
    assert stored.deletion
    assert live.deletion
    np.testing.assert_allclose(stored.deletion.random, live.deletion.random, atol=1e-3)
    for exact in ("text", "target", "tokens", "directions", "strides", "gradient_steps"):
        assert getattr(stored, exact) == getattr(live, exact)
    assert stored.prediction.label == prediction.label
    assert stored.prediction.scores == pytest.approx(prediction.scores, abs=1e-4)


def test_an_explanation_survives_json(classifier: SentimentClassifier) -> None:
    explanation = classifier.explain("a superb film", methods=())
    again = from_json(json.loads(json.dumps(to_json(explanation))))
    assert again.deletion is None
    for name in ARRAYS:
        np.testing.assert_allclose(getattr(again, name), getattr(explanation, name), atol=1e-4)
    assert (again.prediction, again.tokens, again.proofs) == (
        explanation.prediction,
        explanation.tokens,
        explanation.proofs,
    )


def test_other_texts_and_other_weights_have_none(tiny_checkpoint: Path, tmp_path: Path) -> None:
    assert load_worked_example(PRETRAINED, "a superb film") is None
    assert load_worked_example(tiny_checkpoint, TEXT) is None
    assert load_worked_example(tmp_path, TEXT) is None  # the weights are gone


def test_the_texts_that_fail_are_wrong_as_they_say(tiny_checkpoint: Path) -> None:
    failures = load_failures(PRETRAINED)
    verdicts = SentimentClassifier.from_pretrained()([failure["text"] for failure in failures])
    for failure, prediction in zip(failures, verdicts, strict=True):
        assert failure["verdict"] == prediction.label
        assert prediction.label not in failure["expected"].split(" or ")
        assert failure["score"] == pytest.approx(prediction.scores[prediction.label], abs=0.01)
    assert load_failures(tiny_checkpoint) == []
