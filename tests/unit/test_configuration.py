"""Contradictory configurations are refused, and the message names the field."""

import pytest
from huggingface_hub.errors import StrictDataclassError

from sentiment_gru import SentimentGRUConfig


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("hidden_size", {"hidden_size": 0}),
        ("vocab_size", {"vocab_size": -5}),
        ("max_tokens", {"max_tokens": 0}),
        ("pad_token_id", {"pad_token_id": 50, "vocab_size": 50}),
        ("unk_token_id", {"unk_token_id": 0}),
        ("embedding_dropout", {"embedding_dropout": 1.0}),
        ("layer_dropout", {"layer_dropout": 0.5, "num_layers": 1}),
        ("temperature", {"temperature": 0.0}),
        ("temperature_exponent", {"temperature_exponent": 1.5}),
        ("temperature", {"temperature": float("nan")}),
        ("uncertain_below", {"uncertain_below": 1.5}),
        ("id2label", {"id2label": {0: "a", 2: "b"}}),
        ("id2label", {"id2label": {0: "a", 1: "a"}}),
        ("label2id", {"id2label": {0: "a", 1: "b"}, "label2id": {"a": 1, "b": 0}}),
        ("cell", {"cell": "transformer"}),
        ("pooling", {"pooling": "median"}),
    ],
)
def test_a_contradiction_is_refused_by_name(field: str, changes: dict[str, object]) -> None:
    with pytest.raises(StrictDataclassError, match=field):
        SentimentGRUConfig(**changes)


def test_every_field_survives_a_round_trip(tmp_path) -> None:
    config = SentimentGRUConfig(
        vocab_size=77, hidden_size=5, cell="lstm", pooling="last", temperature=1.7, id2label={0: "a", 1: "b", 2: "c"}
    )
    config.save_pretrained(tmp_path)
    loaded = SentimentGRUConfig.from_pretrained(tmp_path)
    for name in ("vocab_size", "hidden_size", "cell", "pooling", "temperature", "id2label"):
        assert getattr(loaded, name) == getattr(config, name)
    assert loaded.num_labels == 3
    assert loaded.num_hidden_layers == loaded.num_layers == 1
