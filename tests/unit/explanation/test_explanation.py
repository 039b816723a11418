"""Explanations agree with the model: every claim is recomputed here another way."""

import itertools
import json
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_gru import InputError, SentimentClassifier, SentimentGRUConfig, SentimentGRUForSequenceClassification
from sentiment_gru.explanation import METHODS, Explanation
from sentiment_gru.explanation.attributions import (
    FIRST_STEPS,
    MAX_STEPS,
    TOKENS_IN_MEMORY,
    TOKENS_ON_PATH,
    DirectionStates,
    PartialReader,
)
from sentiment_gru.tokenization import train_tokenizer
from tests.conftest import made_up_texts

TEXT = "This film isn't superb, or is it?\nA  STORY so warm …"
WORDS = ["film", "superb", "awful", "n't", "is", "zindle", ",", "so", "warm"]
TOKENIZER = train_tokenizer([row["text"] for row in made_up_texts()] * 3, 200)


def make(labels: int = 3, max_tokens: int = 2_000, **options: object) -> SentimentClassifier:
    """Return a classifier with random weights, large enough for gates to differ."""
    torch.manual_seed(0)
    names = {0: "negative", labels - 1: "positive"}
    config = SentimentGRUConfig(
        vocab_size=len(TOKENIZER),
        embedding_size=6,
        hidden_size=5,
        id2label={i: names.get(i, f"label {i}") for i in range(labels)},
        label2id={names.get(i, f"label {i}"): i for i in range(labels)},
        max_tokens=max_tokens,
        temperature=1.3,
        initializer_range=1.0,
        **options,
    )
    return SentimentClassifier.from_model(SentimentGRUForSequenceClassification(config), TOKENIZER)


SHAPES = [
    {"cell": cell, "bidirectional": two, "num_layers": layers, "pooling": pooling}
    for cell, two, layers, pooling in itertools.product(
        ["gru", "lstm", "rnn"], [False, True], [1, 2], ["last", "mean", "max", "mean_max"]
    )
]


@pytest.fixture(scope="module")
def random_classifier() -> SentimentClassifier:
    return make()


@pytest.fixture(scope="module")
def explanation(random_classifier: SentimentClassifier) -> Explanation:
    return random_classifier.explain(TEXT)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "-".join(map(str, shape.values())))
def test_running_logits_are_those_of_every_prefix_and_gates_those_of_torch(shape: dict[str, object]) -> None:
    classifier = make(**shape)
    found = classifier.explain(TEXT, methods=())
    ids = classifier.encode([TEXT])[0]
    for length in range(len(ids) + 1):
        expected = classifier.logits((), [ids[:length]])[0]
        assert np.abs(found.logits[length] - expected).max() < 1e-5
    assert found.running[-1] == pytest.approx(list(found.prediction.scores.values()), abs=1e-5)
    if shape["cell"] != "gru":
        assert found.hidden.shape == (0, len(ids), 5)
        assert "hidden_state_error" not in found.proofs
        return
    directions = shape["num_layers"] * (1 + shape["bidirectional"])
    for gate in (found.reset, found.update, found.candidate, found.hidden):
        assert gate.shape == (directions, len(ids), 5)
    assert found.proofs["hidden_state_error"] < 1e-6


def test_gates_are_those_of_a_cell_run_step_by_step() -> None:
    classifier = make(bidirectional=True)
    found = classifier.explain(TEXT, methods=())
    layer = classifier.model.layers[0]
    embeddings = classifier.model.embedding(torch.tensor(classifier.encode([TEXT])[0])).detach()
    for direction, gru in enumerate((layer.forward_cell, layer.backward_cell)):
        cell = torch.nn.GRUCell(6, 5)
        cell.load_state_dict({name.removesuffix("_l0"): value for name, value in gru.state_dict().items()})
        state = torch.zeros(1, 5)
        steps = range(len(embeddings))
        for t in reversed(steps) if direction else steps:
            z, n = (torch.tensor(gate[direction, t]) for gate in (found.update, found.candidate))
            by_gates = (1 - z) * n + z * state
            state = cell(embeddings[t : t + 1], state).detach()
            assert torch.allclose(by_gates, state, atol=1e-5)
            assert np.allclose(found.hidden[direction, t], state, atol=1e-5)


@pytest.mark.parametrize("labels", [2, 3, 12])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_as_read_sums_to_the_change_of_the_logit(labels: int, bidirectional: bool) -> None:
    found = make(labels, bidirectional=bidirectional).explain(TEXT, methods=["as_read"])
    column = list(found.prediction.scores).index(found.prediction.label)
    changes = found.attributions["as_read"]
    assert found.target == (found.prediction.label, None)
    assert abs(changes.sum() - (found.logits[-1] - found.logits[0])[column]) < 1e-9
    assert np.allclose(changes, np.diff(found.logits[:, column]))
    assert found.proofs["telescoping_error"] < 1e-9


def test_leaving_out_is_scoring_the_other_tokens() -> None:
    classifier = make()
    found = classifier.explain(TEXT, ["leave_one_out"], target="positive")
    ids = classifier.encode([TEXT])[0]
    whole = classifier.logits((), [ids])[0, 2]
    expected = [whole - classifier.logits((), [ids[:i] + ids[i + 1 :]])[0, 2] for i in range(len(ids))]
    assert found.attributions["leave_one_out"] == pytest.approx(expected, abs=1e-5)


def test_integrated_gradients_are_the_mean_gradient_times_the_embedding(explanation: Explanation) -> None:
    model = make().model
    ids = make().encode([TEXT])[0]
    embeddings = model.embedding(torch.tensor([ids])).detach()
    column = list(explanation.prediction.scores).index(explanation.prediction.label)
    alphas = (torch.arange(2_000) + 0.5)[:, None, None] / 2_000
    path = (alphas * embeddings).requires_grad_()
    (gradients,) = torch.autograd.grad(model(inputs_embeds=path).logits[:, column].sum(), path)
    expected = (gradients.mean(dim=0) * embeddings[0]).sum(dim=-1)
    assert np.abs(explanation.attributions["integrated_gradients"] - expected.numpy()).max() < 0.05
    with torch.no_grad():
        ends = [model(inputs_embeds=share * embeddings).logits[0, column] for share in (0, 1)]
    difference = float(ends[1] - ends[0])
    gap = abs(explanation.attributions["integrated_gradients"].sum() - difference) / abs(difference)
    assert explanation.proofs["completeness_gap"] == pytest.approx(gap, abs=1e-4)
    assert gap < 0.1
    assert FIRST_STEPS <= explanation.gradient_steps <= MAX_STEPS


def test_the_difference_of_two_labels_is_the_difference_of_their_explanations(
    random_classifier: SentimentClassifier,
) -> None:
    both, one, other = (
        random_classifier.explain(TEXT, target=target) for target in (("positive", "negative"), "positive", "negative")
    )
    assert both.target == ("positive", "negative")
    for method in ("leave_one_out", "as_read"):
        assert np.allclose(both.attributions[method], one.attributions[method] - other.attributions[method], atol=1e-5)


def test_explaining_leaves_the_model_as_it_was() -> None:
    classifier = make()
    before = {name: value.clone() for name, value in classifier.model.state_dict().items()}
    verdict = classifier([TEXT])
    classifier.explain(TEXT)
    assert not classifier.model.training
    assert all(parameter.grad is None for parameter in classifier.model.parameters())
    assert all(torch.equal(before[name], value) for name, value in classifier.model.state_dict().items())
    assert classifier([TEXT]) == verdict


def test_deletion_starts_at_the_text_and_ends_without_tokens(explanation: Explanation) -> None:
    curves = explanation.deletion
    column = list(explanation.prediction.scores).index(explanation.prediction.label)
    assert set(curves.curves) == set(METHODS)
    assert curves.random.shape == (10, len(curves.removed))
    for curve in [*curves.curves.values(), *curves.random]:
        assert curve[0] == pytest.approx(explanation.logits[-1, column], abs=1e-5)
        assert curve[-1] == pytest.approx(explanation.logits[0, column], abs=1e-5)
    gain = np.trapezoid(curves.random.mean(axis=0) - curves.curves["as_read"], curves.removed)
    assert explanation.proofs["deletion_gain_as_read"] == pytest.approx(gain)


def test_deletion_goes_from_the_strongest_support_on() -> None:
    classifier = make()
    found = classifier.explain("film superb awful so", ["leave_one_out"])
    order = np.argsort(-found.attributions["leave_one_out"])
    ids = classifier.encode(["film superb awful so"])[0]
    column = list(found.prediction.scores).index(found.prediction.label)
    for point, size in enumerate(range(5)):
        rest = [ids[i] for i in sorted(order[size:])]
        expected = classifier.logits((), [rest])[0, column]
        assert found.deletion.curves["leave_one_out"][point] == pytest.approx(expected, abs=1e-5)


@settings(max_examples=60)
@given(st.text() | st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join))
def test_any_text_is_explained_and_its_tokens_stand_where_they_say(text: str) -> None:
    classifier = make(bidirectional=False)
    found = classifier.explain(text)
    assert len(found.tokens) == found.prediction.tokens
    assert sum(token.unknown for token in found.tokens) == found.prediction.unknown_tokens
    assert all(text[token.start : token.end] == token.text for token in found.tokens)
    assert [token.start for token in found.tokens] == sorted(token.start for token in found.tokens)
    assert all(values.shape == (len(found.tokens),) for values in found.attributions.values())
    assert np.isfinite(found.logits).all()


@pytest.mark.parametrize("text", ["", "  \n"])
def test_a_text_without_tokens_has_empty_arrays(text: str, random_classifier: SentimentClassifier) -> None:
    found = random_classifier.explain(text)
    assert found.tokens == ()
    assert found.logits.shape == found.running.shape == (1, 3)
    assert found.hidden.shape == (2, 0, 5)
    assert {method: values.shape for method, values in found.attributions.items()} == dict.fromkeys(METHODS, (0,))
    assert found.deletion is None
    assert found.to_dict()["gates"]["reset"]["mean"] == [[], []]


def test_one_token_is_explained(random_classifier: SentimentClassifier) -> None:
    found = random_classifier.explain("superb")
    assert found.deletion.removed.tolist() == [0, 1]
    change = (found.logits[1] - found.logits[0])[list(found.prediction.scores).index(found.prediction.label)]
    for method in ("leave_one_out", "as_read"):
        assert found.attributions[method] == pytest.approx([change], abs=1e-5)


@pytest.mark.parametrize("tokens", [282, 500, 1_000, 2_000])
def test_the_work_of_an_explanation_and_of_a_search_is_bounded(tokens: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some seconds of one core each with the shipped checkpoint; of longer texts, 2,000 tokens are read."""
    classifier, scored, differentiated = make(bidirectional=True), [0], [0]
    logits, score, read = classifier.logits, classifier.model.score, DirectionStates.read

    def count_logits(texts: Any, rows: Any = None) -> Any:
        scored[0] += sum(map(len, rows or ()))
        return logits(texts, rows)

    def count_steps(direction: DirectionStates, known: torch.Tensor, first: torch.Tensor) -> Any:
        scored[0] += int((len(direction.from_input) - first).sum())
        return read(direction, known, first)

    def count_gradients(*ids: Any, inputs_embeds: Any = None) -> Any:
        if inputs_embeds is not None and inputs_embeds.requires_grad:
            differentiated[0] += inputs_embeds.shape[0] * inputs_embeds.shape[1]
            assert inputs_embeds.shape[0] * inputs_embeds.shape[1] <= TOKENS_IN_MEMORY
        return score(*ids, inputs_embeds=inputs_embeds)

    monkeypatch.setattr(classifier, "logits", count_logits)
    monkeypatch.setattr(classifier.model, "score", count_gradients)
    monkeypatch.setattr(DirectionStates, "read", count_steps)
    text = "superb " * tokens
    classifier.explain(text)
    assert 100_000 < scored[0] < 320_000
    assert 4_000 < differentiated[0] <= 1.6 * TOKENS_ON_PATH  # the steps double until their sum is exact enough
    scored[0] = 0
    classifier.smallest_flip(text)
    assert scored[0] < 400_000


def test_a_long_text_is_read_with_a_stride_and_its_sums_still_hold() -> None:
    classifier = make(bidirectional=True)
    found = classifier.explain(" ".join(WORDS * 223))  # 2,007 tokens
    assert len(found.tokens) == 2_000
    assert found.prediction.truncated_tokens == 7
    assert found.strides["running"] > 1
    assert found.strides["leave_one_out"] > 1
    column = list(found.prediction.scores).index(found.prediction.label)
    whole = (found.logits[-1] - found.logits[0])[column]
    assert abs(found.attributions["as_read"].sum() - whole) < 1e-9
    stride = found.strides["running"]
    ids = classifier.read(found.text).ids
    for length in (stride, 7 * stride, 2_000):
        assert np.abs(found.logits[length] - classifier.logits((), [ids[:length]])[0]).max() < 1e-5


def test_a_cut_text_keeps_the_places_of_its_last_tokens() -> None:
    text = " ".join(WORDS)
    found = make(max_tokens=4).explain(text)
    assert [token.text for token in found.tokens] == ["film", "superb", "so", "warm"]
    assert all(text[token.start : token.end] == token.text for token in found.tokens)


@pytest.mark.parametrize(
    ("text", "index", "action", "replacement", "expected"),
    [
        ("A warm film", 1, "remove", "", "A  film"),
        ("well-made", 1, "remove", "", "well made"),
        ("A warm film", 1, "replace", "cold <b>", "A cold <b> film"),
        ("A warm film", 1, "negate", "", "A not warm film"),
        ("It is not warm", 3, "negate", "", "It is  warm"),
        ("It is not warm", 2, "negate", "", "It is  warm"),
        ("It isn't warm", 3, "negate", "", "It is warm"),
        ("I can't go", 3, "negate", "", "I can go"),
        ("I won’t go", 2, "negate", "", "I will go"),
        ("Isn't it", 1, "remove", "", "Is it"),
    ],
)
def test_a_token_can_be_changed(
    random_classifier: SentimentClassifier, text: str, index: int, action: str, replacement: str, expected: str
) -> None:
    found = random_classifier.what_if(text, index, action, replacement)
    assert (found.text, found.changed) == (text, expected)
    assert [found.before, found.after] == random_classifier([text, expected])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((2, "remove"), "there is no token 2; this text has 2"),
        ((-1, "remove"), "there is no token -1"),
        ((0, "explode"), "can be changed by remove, replace, negate, not 'explode'"),
    ],
)
def test_what_if_refuses(random_classifier: SentimentClassifier, arguments: tuple[int, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        random_classifier.what_if("two words", *arguments)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"methods": ["magic"]}, "no attribution method 'magic'"),
        ({"target": "joy"}, "the model has no label 'joy'; it has negative, label 1, positive"),
        ({"target": ("positive", "positive")}, "one label or two different ones"),
    ],
)
def test_explain_refuses(random_classifier: SentimentClassifier, settings: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        random_classifier.explain("a film", **settings)


def test_a_flip_is_another_verdict_and_removes_as_few_as_the_search_says(classifier: SentimentClassifier) -> None:
    text = "this film was superb . this story was great . this cast was awful"
    flip = classifier.smallest_flip(text)
    ids = classifier.encode([text])[0]
    before = classifier([text])[0].label
    rest = [token for i, token in enumerate(ids) if i not in flip.removed]
    scores = classifier.logits((), [rest])[0]
    assert flip.label == classifier.labels[int(scores.argmax())] != before
    assert max(flip.scores, key=flip.scores.__getitem__) == flip.label
    assert sum(flip.scores.values()) == pytest.approx(1)
    fewer = [token for i, token in enumerate(ids) if i not in flip.removed[:-1]]
    assert classifier.labels[int(classifier.logits((), [fewer])[0].argmax())] == before


def test_no_flip_is_told_as_none(random_classifier: SentimentClassifier) -> None:
    assert random_classifier.smallest_flip("film") is None
    assert random_classifier.smallest_flip("") is None


def test_punctuation_is_no_known_word(random_classifier: SentimentClassifier) -> None:
    unknown, known, dots = random_classifier(["Zqx vrrblt.", "Zqx film.", "! , ."])
    assert unknown.cannot_tell
    assert unknown.uncertain
    assert unknown.warning == "The model knows none of these words."
    assert not known.cannot_tell
    assert dots.warning == "There is no word in this text."


@pytest.mark.parametrize("text", [TEXT, ""])
def test_all_of_an_explanation_can_be_written_as_json(text: str) -> None:
    found = make(cell="gru").explain(text)
    read = json.loads(json.dumps(found.to_dict()))
    assert read["text"] == text
    assert read["prediction"]["label"] == found.prediction.label
    assert np.allclose(read["logits"], found.logits, atol=1e-6)
    assert set(read["attributions"]) == set(METHODS)
    assert np.allclose(read["gates"]["update"]["mean"], found.update.mean(axis=-1), atol=1e-6)


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
