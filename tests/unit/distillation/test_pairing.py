"""Twins of texts, and the loss that keeps their logits together."""

import pytest
import torch

from sentiment_gru.distillation.grammar import terms
from sentiment_gru.distillation.student import PairCollator, PairedTrainer, TermSwapper
from sentiment_gru.tokenization import train_tokenizer


@pytest.mark.parametrize("kind", ["identities", "first_names", "places"])
def test_a_term_is_swapped_for_another_of_its_kind(kind: str) -> None:
    term = next(term for term in terms(kind) if term.istitle() and term != "Black")
    swapper = TermSwapper(0)
    twins = {str(swapper.twin(f"I met {term} today.")) for _ in range(40)}
    others = {twin.removeprefix("I met ").removesuffix(" today.") for twin in twins}
    assert term not in others
    assert len(others & set(terms(kind))) > 9


@pytest.mark.parametrize("kind", ["identities", "first_names", "places"])
def test_half_of_the_terms_that_take_the_place_of_another_are_in_no_list_or_in_that_of_people(kind: str) -> None:
    term = next(term for term in terms(kind) if term.istitle() and term != "Black")
    swapper = TermSwapper(0)
    others = [other for other in (swapper.other(term) for _ in range(200)) if other not in terms(kind)]
    assert 70 < len(others) < 130
    if kind == "identities":
        assert set(others) <= set(terms("people"))
    else:
        assert all(name.isalpha() and name.istitle() for name in others)


def test_a_number_keeps_its_digits_and_a_term_is_swapped_alike_wherever_it_stands() -> None:
    twin = TermSwapper(0).twin("[NAME] saw [NAME] 250 times.")
    assert twin
    first, saw, second, count, times = twin.split()
    assert first == second
    assert (saw, times) == ("saw", "times.")
    assert len(count) == 3
    assert count.isdigit()


@pytest.mark.parametrize("text", ["an old joke", "a 90s film", "7.5 of 10%", "nothing to swap", "Lagos " * 61])
def test_what_is_no_term_and_what_is_long_has_no_twin(text: str) -> None:
    assert TermSwapper(0).twin(text) is None


def test_twins_stand_behind_their_texts_in_a_batch() -> None:
    tokenizer = train_tokenizer(["a b c d"] * 3, 100)
    known = {"labels": [1.0, 0.0], "present": [True, True]}
    other = {"labels": [0.0, 1.0], "present": [True, False]}
    batch = PairCollator(tokenizer)([known | {"input_ids": [2, 3]}, other | {"input_ids": [4], "twin": [5, 2, 3]}])
    assert batch["input_ids"].tolist() == [[2, 3, 0], [4, 0, 0], [5, 2, 3]]
    assert batch["labels"].tolist() == [[1, 0], [0, 1], [0, 1]]
    assert batch["present"].tolist() == [[True, True], [True, False], [True, False]]
    assert batch["twin_of"].tolist() == [1]
    assert "twin_of" not in PairCollator(tokenizer)([known | {"input_ids": [2]}])


def test_the_loss_counts_how_far_the_logits_of_twins_are_apart() -> None:
    trainer = PairedTrainer.__new__(PairedTrainer)
    trainer.pairing, trainer.absent_weight, trainer.class_weights, trainer.multi_label = 2.0, 0.1, None, False
    logits = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 4.0]])
    inputs = {"labels": torch.eye(2)[[0, 1, 1]], "present": torch.ones(3, 2, dtype=torch.bool)}
    plain = trainer.mean_loss(logits, inputs)
    paired = trainer.mean_loss(logits, inputs | {"twin_of": torch.tensor([1])})
    assert paired.item() == pytest.approx(plain.item() + 2.0 * (9 / 2) / 3)
