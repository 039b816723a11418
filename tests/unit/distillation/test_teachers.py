"""The teachers of reviews, their blend, and the mean of students."""

import numpy as np
import pytest

from sentiment_gru.distillation.teachers import NBSVM, blend, fit_weights, out_of_fold


def test_the_linear_teacher_learns_words_and_their_order() -> None:
    texts = ["good not bad"] * 20 + ["bad not good"] * 20
    positive = np.repeat([1.0, 0.0], 20)
    logits = NBSVM().fit(texts, positive).logits(["good not bad", "bad not good", "unheard of"])
    assert logits[0] > 0 > logits[1]
    assert abs(logits[2]) < abs(logits[0])


def test_the_linear_teacher_learns_from_probabilities_what_it_learns_from_shares() -> None:
    texts = ["good"] * 8 + ["bad"] * 8
    shares = NBSVM().fit(texts, np.array([0.75] * 8 + [0.25] * 8)).logits(["good", "bad"])
    labels = NBSVM().fit(texts, np.array([1.0] * 6 + [0.0] * 2 + [0.0] * 6 + [1.0] * 2)).logits(["good", "bad"])
    np.testing.assert_allclose(shares, labels, atol=1e-2)


def test_out_of_fold_logits_come_from_models_without_the_text_or_its_neighbours() -> None:
    # Each block has a word of its own that gives its labels away; models without the block cannot know it.
    texts = [f"block{i // 4} word{i % 4}" for i in range(20)] * 2
    positive = np.repeat([1.0, 0.0], 20)
    np.testing.assert_allclose(out_of_fold(texts, positive), 0, atol=1e-6)


def test_weights_favour_the_better_teacher_and_a_single_one_gets_its_scale() -> None:
    draws = np.random.default_rng(0)
    truth = draws.normal(size=4_000)
    positive = (draws.random(4_000) < 1 / (1 + np.exp(-2 * truth))).astype(float)
    noise = draws.normal(size=4_000)
    weights = fit_weights(np.stack([truth, noise]), positive)
    assert weights[0] == pytest.approx(2, abs=0.2)
    assert weights[1] == pytest.approx(0, abs=0.1)
    assert fit_weights(truth[None], positive) == pytest.approx([2], abs=0.2)
    assert np.abs(blend(weights, np.stack([truth, noise])).mean() - positive.mean()) < 0.02
