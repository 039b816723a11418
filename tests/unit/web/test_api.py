"""The API's answer to a text, and its refusal of values that cannot be judged."""

import gradio as gr
import pytest

from sentiment_gru import SentimentClassifier
from sentiment_gru.results import MAX_CHARACTERS
from sentiment_gru.web.api import classify_text


def test_a_verdict_has_all_its_values(classifier: SentimentClassifier) -> None:
    answer = classify_text(classifier, "a great film")
    assert answer["label"] == classifier(["a great film"])[0].label
    assert set(answer) >= {"scores", "uncertain", "tokens", "cannot_tell", "warning"}


@pytest.mark.parametrize("text", ["x" * (MAX_CHARACTERS + 1), " ", None, 5])
def test_a_value_that_cannot_be_judged_is_refused(classifier: SentimentClassifier, text: object) -> None:
    with pytest.raises(gr.Error):
        classify_text(classifier, text)
