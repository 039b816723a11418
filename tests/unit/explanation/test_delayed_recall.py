"""The task of delayed recall, and the training of a small network on it."""

import numpy as np
import pytest
import torch

from sentiment_gru.explanation.delayed_recall import VARIANTS, RecallNetwork, RecallTraining, Task, draw

SMALL = Task(classes=4, distractors=3, embedding=6, hidden=8, batch=16, rate=1e-2)


def test_a_sequence_begins_with_its_class_and_goes_on_with_other_tokens() -> None:
    tokens, classes = draw(SMALL, 5, 200, torch.Generator().manual_seed(0))
    assert tokens.shape == (200, 6)
    assert torch.equal(tokens[:, 0], classes)
    assert set(classes.tolist()) == set(range(4))
    assert set(tokens[:, 1:].flatten().tolist()) == {4, 5, 6}


def test_a_gru_learns_to_recall_and_the_same_seed_gives_the_same_training() -> None:
    def learn() -> tuple[list[float], list[int]]:
        training = RecallTraining(SMALL, "gru", 4, seed=3)
        steps = [training.step() for _ in range(150)]
        return [step.loss for step in steps], [step.right for step in steps]

    losses, right = learn()
    assert sum(right[-10:]) > 0.95 * 160 > 0.6 * 160 > sum(right[:10])
    assert losses[-1] < 0.3 < losses[0]
    assert learn()[0] == losses


@pytest.mark.parametrize("variant", ["gru", "lstm", "lstm, forget bias 1"])
def test_the_kept_shares_are_those_by_which_the_states_were_computed(variant: str) -> None:
    network = RecallNetwork(SMALL, variant, seed=0)
    tokens = torch.tensor([[1, 5, 6]])
    weights = dict(network.cell.named_parameters())
    with torch.no_grad():
        inputs, states = network.states(tokens)
    previous, expected = torch.zeros(8), []
    is_gru = variant == "gru"
    for x, h in zip(inputs[0].detach(), states[0], strict=True):
        terms = weights["weight_ih_l0"] @ x + weights["bias_ih_l0"] + weights["weight_hh_l0"] @ previous
        terms = terms + weights["bias_hh_l0"]
        rows = slice(8, 16)  # z of r, z, n, and f of i, f, g, o
        expected.append(float(torch.sigmoid(terms[rows]).mean().detach()))
        previous = h
    assert network.kept_shares(tokens) == pytest.approx(np.array(expected), abs=1e-6)
    assert is_gru or (expected[0] > 0.6) == (variant != "lstm")


def test_an_rnn_has_no_gate_that_keeps() -> None:
    assert RecallNetwork(SMALL, "rnn", seed=0).kept_shares(torch.tensor([[1, 5, 6]])) is None


@pytest.mark.parametrize("variant", VARIANTS)
def test_recurrent_matrices_start_orthogonal(variant: str) -> None:
    matrices = dict(RecallNetwork(SMALL, variant, seed=1).cell.named_parameters())["weight_hh_l0"].detach().split(8)
    for matrix in matrices:
        assert torch.allclose(matrix @ matrix.T, torch.eye(8), atol=1e-5)
    assert len(matrices) == {"gru": 3, "rnn": 1}.get(variant, 4)


def test_a_step_is_one_of_adam_on_clipped_gradients() -> None:
    ours, theirs = (RecallTraining(SMALL, "gru", 4, seed=0) for _ in range(2))
    optimizer = torch.optim.Adam(theirs.parameters, SMALL.rate)
    generator = torch.Generator().manual_seed(0)
    for _ in range(5):
        ours.step()
        tokens, classes = draw(SMALL, 4, SMALL.batch, generator)
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(theirs.network(tokens), classes).backward()
        torch.nn.utils.clip_grad_norm_(theirs.parameters, SMALL.clip)
        optimizer.step()
    for mine, other in zip(ours.parameters, theirs.parameters, strict=True):
        assert torch.allclose(mine, other, atol=1e-5)
