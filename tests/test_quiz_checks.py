"""The proofs: every key is derived by running code, and no other key would be."""

import dataclasses
from functools import cache

import pytest

from quiz.bank import Item, load_bank
from quiz.checks import Proof, ProofError, prove
from quiz.checks.claims import ClaimError, value
from sentiment_gru import SentimentClassifier

ITEMS = load_bank().items
PROVED = [item for item in ITEMS if item.check and item.check.fn]
each_proof = pytest.mark.parametrize("item", PROVED, ids=lambda item: item.blueprint)


@cache
def shipped() -> SentimentClassifier:
    return SentimentClassifier.from_pretrained()


@cache
def proof_of(item: Item) -> Proof:
    return prove(item, classifier=shipped())


@each_proof
def test_the_key_is_proved_and_every_other_answer_refuted(item: Item) -> None:
    proof = proof_of(item)
    assert proof.proved, proof.trace


@each_proof
def test_another_key_is_not_proved(item: Item) -> None:
    proof = proof_of(item)
    for answer in {verdict.answer for run in proof.runs for verdict in run.verdicts} - proof.key:
        assert not dataclasses.replace(proof, key=frozenset({answer})).proved
        assert not dataclasses.replace(proof, key=proof.key | {answer}).proved
    assert not dataclasses.replace(proof, key=frozenset()).proved


@each_proof
def test_the_trace_shows_what_each_answer_comes_to(item: Item) -> None:
    proof = proof_of(item)
    for run in proof.runs:
        for verdict in run.verdicts:
            assert f"{verdict.answer}: {verdict.claim} -> {verdict.value}" in proof.trace
    assert proof.code.startswith("def ")


def test_items_without_a_proof_give_a_reason_and_a_source() -> None:
    for item in ITEMS:
        if item not in PROVED:
            assert item.check
            assert item.check.reason
            assert item.sources


@pytest.mark.parametrize(
    ("claim", "result"),
    [
        ("(1 - z) * n + z * h", -0.1),
        ("-0.4 <= n < h", True),
        ("n == -0.4 and h == 0.7", False),
        ("(H, 3 * H)", (4, 12)),
        ("'rzn'", "rzn"),
        (2.5, 2.5),
        ("max(n, h) ** 2", 0.64),
    ],
)
def test_a_claim_is_computed_from_what_was_measured(claim: str | float, result: object) -> None:
    assert value(claim, {"z": 0.25, "n": -0.4, "h": 0.8, "H": 4}) == pytest.approx(result)


@pytest.mark.parametrize("claim", ["True", "q + 1", "h.real", "print(h)", "h ==", "[h]", "h in n", "lambda: h"])
def test_a_claim_that_is_no_formula_is_refused(claim: str) -> None:
    with pytest.raises(ClaimError):
        value(claim, {"h": 0.8, "n": 1.0})


def test_a_check_that_does_not_exist_is_refused() -> None:
    for name in ("nowhere.parts", "anatomy.nothing"):
        unknown = dataclasses.replace(ITEMS[0], check=dataclasses.replace(PROVED[0].check, fn=name))  # type: ignore[type-var]
        with pytest.raises(ProofError, match="there is no"):
            prove(unknown)


def test_an_item_without_a_check_is_not_proved() -> None:
    with pytest.raises(ProofError, match="not proved by running code"):
        prove(dataclasses.replace(ITEMS[0], check=None))
