"""The network computes what torch.nn computes, and a text's result does not depend on its batch."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from sentiment_gru import SentimentGRUConfig, SentimentGRUForSequenceClassification
from sentiment_gru.network import CELLS, reverse_padded

POOLINGS = ["last", "mean", "max", "mean_max"]


def make_model(**changes: object) -> SentimentGRUForSequenceClassification:
    settings = {"vocab_size": 40, "embedding_size": 6, "hidden_size": 5, "num_labels": 3} | changes
    torch.manual_seed(0)
    return SentimentGRUForSequenceClassification(SentimentGRUConfig(**settings)).eval()


def make_batch(lengths: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(sum(lengths))
    ids = torch.randint(2, 40, (len(lengths), max(lengths)), generator=generator)
    mask = (torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]).long()
    return ids * mask, mask


def torch_reference(model: SentimentGRUForSequenceClassification) -> nn.RNNBase:
    """Return torch's own stacked bidirectional module with the weights of a model."""
    config = model.config
    reference = CELLS[config.cell](
        config.embedding_size, config.hidden_size, config.num_layers, batch_first=True, bidirectional=True
    )
    weights = {}
    for index, layer in enumerate(model.layers):
        for cell, suffix in ((layer.forward_cell, ""), (layer.backward_cell, "_reverse")):
            for name, tensor in cell.state_dict().items():
                weights[name.replace("_l0", f"_l{index}{suffix}")] = tensor
    reference.load_state_dict(weights)
    return reference


@pytest.mark.parametrize("cell", ["gru", "lstm", "rnn"])
@pytest.mark.parametrize("num_layers", [1, 2])
def test_states_equal_those_of_packed_torch_modules(cell: str, num_layers: int) -> None:
    model = make_model(cell=cell, num_layers=num_layers)
    ids, mask = make_batch([7, 3, 1, 5])
    packed = pack_padded_sequence(model.embedding(ids), mask.sum(1), batch_first=True, enforce_sorted=False)
    expected, _ = pad_packed_sequence(torch_reference(model)(packed)[0], batch_first=True)
    states = model(input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states
    assert len(states) == num_layers + 1
    torch.testing.assert_close(states[-1], expected, atol=1e-6, rtol=0)


def test_the_loss_of_several_labels_is_binary_for_each() -> None:
    model = make_model(problem_type="multi_label_classification")
    ids, mask = make_batch([4, 2])
    truth = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    output = model(input_ids=ids, attention_mask=mask, labels=truth)
    chances = torch.sigmoid(output.logits)
    expected = -(truth * chances.log() + (1 - truth) * (1 - chances).log()).mean()
    torch.testing.assert_close(output.loss, expected)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=8), st.sampled_from(POOLINGS), st.booleans())
def test_logits_do_not_depend_on_the_batch(lengths: list[int], pooling: str, bidirectional: bool) -> None:
    model = make_model(pooling=pooling, bidirectional=bidirectional)
    ids, mask = make_batch([*lengths, 33])
    together = model(input_ids=ids, attention_mask=mask).logits
    alone = [model(input_ids=ids[i : i + 1, :n]).logits[0] for i, n in enumerate([*lengths, 33])]
    torch.testing.assert_close(together, torch.stack(alone), atol=1e-5, rtol=0)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=5))
def test_reversing_twice_gives_the_input_back(lengths: list[int]) -> None:
    sequence = torch.randn(len(lengths), 9, 2)
    once = reverse_padded(sequence, torch.tensor(lengths))
    assert torch.equal(reverse_padded(once, torch.tensor(lengths)), sequence)
    for row, n in enumerate(lengths):
        assert torch.equal(once[row, :n], sequence[row, :n].flip(0))
        assert torch.equal(once[row, n:], sequence[row, n:])


@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_text_without_tokens_gets_the_logits_of_the_bias(pooling: str) -> None:
    model = make_model(pooling=pooling)
    bias = model.classifier.bias
    with torch.no_grad():
        bias.copy_(torch.tensor([0.5, -1.0, 2.0]))
    logits = model(input_ids=torch.zeros((2, 0), dtype=torch.long)).logits
    torch.testing.assert_close(logits, bias.expand(2, 3))


def test_last_pooling_sees_the_last_state_of_each_direction() -> None:
    model = make_model(pooling="last")
    ids, mask = make_batch([6, 2])
    embeddings = model.embedding(ids)
    _, final = torch_reference(model)(
        pack_padded_sequence(embeddings, mask.sum(1), batch_first=True, enforce_sorted=True)
    )
    expected = model.classifier(torch.cat([final[0], final[1]], dim=-1))
    torch.testing.assert_close(model(input_ids=ids, attention_mask=mask).logits, expected)


def test_hidden_states_are_zero_in_the_padding_and_absent_unless_asked_for() -> None:
    model = make_model(num_layers=2)
    ids, mask = make_batch([4, 2])
    states = model(input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states
    assert [tuple(state.shape) for state in states] == [(2, 4, 6), (2, 4, 10), (2, 4, 10)]
    assert all(state[1, 2:].abs().sum() == 0 for state in states)
    assert model(input_ids=ids, attention_mask=mask).hidden_states is None


def test_embeddings_can_be_given_in_place_of_ids() -> None:
    model = make_model()
    ids, mask = make_batch([5, 3])
    by_ids = model(input_ids=ids, attention_mask=mask).logits
    by_embeddings = model(inputs_embeds=model.embedding(ids), attention_mask=mask).logits
    assert torch.equal(by_ids, by_embeddings)
    with pytest.raises(ValueError, match="either input_ids or inputs_embeds"):
        model()
    with pytest.raises(ValueError, match="either input_ids or inputs_embeds"):
        model(input_ids=ids, inputs_embeds=model.embedding(ids))


def test_padding_on_the_left_is_refused() -> None:
    with pytest.raises(ValueError, match="padding must be on the right"):
        make_model()(input_ids=torch.tensor([[0, 5]]), attention_mask=torch.tensor([[0, 1]]))


def test_temperature_divides_the_logits() -> None:
    ids, mask = make_batch([5, 3])
    warm, plain = make_model(temperature=2.5), make_model()
    torch.testing.assert_close(
        warm(input_ids=ids, attention_mask=mask).logits * 2.5, plain(input_ids=ids, attention_mask=mask).logits
    )


def test_the_temperature_follows_each_texts_length() -> None:
    ids, mask = make_batch([40, 3])
    by_length, plain = make_model(temperature_exponent=-0.5), make_model()
    expected = plain(input_ids=ids, attention_mask=mask).logits / torch.tensor([[0.4**-0.5], [0.1**-0.5]])
    torch.testing.assert_close(by_length(input_ids=ids, attention_mask=mask).logits, expected)


def test_soft_labels_generalise_hard_ones() -> None:
    model = make_model()
    ids, mask = make_batch([5, 3])
    hard = torch.tensor([2, 0])
    soft = nn.functional.one_hot(hard, 3).float()
    losses = [model(input_ids=ids, attention_mask=mask, labels=labels).loss for labels in (hard, soft)]
    torch.testing.assert_close(*losses)
    assert losses[0] > 0


def test_word_dropout_hides_words_while_training_only() -> None:
    model = make_model(word_dropout=0.9)
    ids, _ = make_batch([30])
    assert torch.equal(model(input_ids=ids).logits, model(input_ids=ids).logits)
    states = model.train()(input_ids=ids, output_hidden_states=True).hidden_states[0][0]
    hidden = (states == model.embedding.weight[1]).all(dim=1).sum()
    assert 20 <= hidden < 30


def test_a_plain_tuple_can_be_asked_for() -> None:
    ids, _ = make_batch([3])
    output = make_model()(input_ids=ids, return_dict=False)
    assert isinstance(output, tuple)
    assert output[0].shape == (1, 3)
