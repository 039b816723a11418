"""The layer that learns from both directions at once."""

import copy

import pytest
import torch

from sentiment_gru.distillation.student import TwoThreadLayer
from sentiment_gru.model_config import ModelConfig
from sentiment_gru.network import RecurrentLayer


@pytest.fixture
def layer() -> RecurrentLayer:
    torch.manual_seed(0)
    return RecurrentLayer(ModelConfig(vocab_size=10, embedding_size=3, hidden_size=5, id2label={0: "a", 1: "b"}), 3)


def learn(layer: RecurrentLayer) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Return the states and the gradients of the inputs and of all parameters."""
    inputs = torch.randn(4, 6, 3, generator=torch.Generator().manual_seed(1)).requires_grad_()
    states = layer(inputs, torch.tensor([6, 5, 2, 1]))
    weights = torch.randn(states.shape, generator=torch.Generator().manual_seed(2))
    tensors = [inputs, *layer.parameters()]
    return states, list(torch.autograd.grad((states * weights).sum(), tensors))


def test_two_threads_give_the_states_and_gradients_of_the_layer(layer: RecurrentLayer) -> None:
    expected, expected_gradients = learn(copy.deepcopy(layer))
    states, gradients = learn(TwoThreadLayer(layer))
    torch.testing.assert_close(states, expected)
    assert len(gradients) == 1 + 8
    for gradient, other in zip(gradients, expected_gradients, strict=True):
        torch.testing.assert_close(gradient, other)
        assert gradient.abs().max() > 0


def test_states_without_gradients_are_those_of_the_layer(layer: RecurrentLayer) -> None:
    inputs, lengths = torch.randn(2, 4, 3), torch.tensor([4, 3])
    with torch.no_grad():
        torch.testing.assert_close(TwoThreadLayer(layer)(inputs, lengths), layer(inputs, lengths))


def test_names_in_a_checkpoint_stay(layer: RecurrentLayer) -> None:
    assert list(TwoThreadLayer(layer).state_dict()) == list(layer.state_dict())


def test_one_direction_is_read_as_before() -> None:
    layer = RecurrentLayer(
        ModelConfig(vocab_size=10, embedding_size=3, hidden_size=5, id2label={0: "a", 1: "b"}, bidirectional=False), 3
    )
    inputs, lengths = torch.randn(2, 4, 3), torch.tensor([4, 3])
    torch.testing.assert_close(TwoThreadLayer(layer)(inputs, lengths), layer(inputs, lengths))
