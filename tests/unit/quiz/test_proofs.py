"""The proofs: every key is derived by running code, and no other key would be."""

import dataclasses
import os
from functools import cache
from typing import Any

import pytest
from torch import nn

from quiz.bank import Item, load_bank
from quiz.proofs import NotInstalledError, Proof, ProofError, prove
from quiz.proofs.cells import ChoGRU, ChungSignGRU
from quiz.proofs.expressions import ClaimError, value
from sentiment_gru import SentimentClassifier

# The facts that are others in each wrong cell, by rows of the plan. Shapes and most of what is told of use are not.
OTHER_FACTS = {
    ChoGRU: "C2 C4 D1 D3 D4 D5 D6 F5 I6",  # the reset gate before the product
    ChungSignGRU: "B2 B3 B4 C1 C3 C4 D4 D5 D6 E3 E4 E5 I1 I3 I4 I6 J5",  # the other sign of z
    nn.LSTM: "A1 A2 A3 A4 A5 A6 B1 B2 B3 B4 B5 B6 C1 C2 C3 C4 C6 C7 D1 D3 D4 D5 D6 E1 E2 E3 E4 E5 "
    "F1 F2 F3 F4 F5 F6 F7 F8 H1 H2 H3 H4 H6 I1 I3 I4 I5 I6 J5 J6",
}

ITEMS = load_bank().items
PROVED = [item for item in ITEMS if item.check and item.check.fn]
each_proof = pytest.mark.parametrize("item", PROVED, ids=lambda item: item.blueprint)


@cache
def shipped() -> SentimentClassifier:
    return SentimentClassifier.from_pretrained()


@cache
def proof_of(item: Item, cell: Any = None) -> Proof:
    try:
        return prove(item, cell, classifier=shipped())
    except NotInstalledError as error:
        if os.environ.get("REQUIRE_ALL"):
            pytest.fail(f"REQUIRE_ALL is set, but {error}")
        pytest.skip(str(error))


@each_proof
def test_the_key_is_proved_and_every_other_answer_refuted(item: Item) -> None:
    proof = proof_of(item)
    assert proof.proved, proof.trace


def with_another_key(item: Item) -> Item:
    """Return the item with the truth of its first right and first wrong option exchanged, or with a wrong number."""
    if item.numeric:
        wrong = dataclasses.replace(item.numeric, value=item.numeric.anticipated[0].value, anticipated=())
        return dataclasses.replace(item, numeric=wrong)
    right = next(option for option in item.options if option.correct)
    wrong_one = next(option for option in item.options if not option.correct)
    flipped = {
        right: dataclasses.replace(right, correct=False),
        wrong_one: dataclasses.replace(wrong_one, correct=True),
    }
    return dataclasses.replace(item, options=tuple(flipped.get(option, option) for option in item.options))


@each_proof
def test_another_key_is_not_proved(item: Item) -> None:
    assert not proof_of(with_another_key(item)).proved


@each_proof
def test_no_answer_can_be_added_to_the_key_or_taken_away(item: Item) -> None:
    proof = proof_of(item)
    for answer in {verdict.answer for run in proof.runs for verdict in run.verdicts}:
        assert not dataclasses.replace(proof, key=proof.key ^ {answer}).proved


@pytest.mark.parametrize("cell", OTHER_FACTS)
def test_a_wrong_cell_fails_exactly_the_checks_whose_facts_are_others(cell: Any) -> None:
    failed = [item.blueprint for item in PROVED if not proof_of(item, cell).proved]
    assert failed == OTHER_FACTS[cell].split()


def test_the_plan_is_covered_and_most_keys_are_proved() -> None:
    plan = {"A": 6, "B": 6, "C": 7, "D": 7, "E": 5, "F": 9, "G": 6, "H": 6, "I": 7, "J": 7}
    rows = [f"{topic}{number}" for topic, count in plan.items() for number in range(1, count + 1)]
    assert [item.blueprint for item in ITEMS] == rows
    assert [item.blueprint for item in ITEMS if item not in PROVED] == ["C5", "D2", "D7", "H5", "J4", "J7"]


def test_live_tokens_are_tokens_of_the_shipped_model() -> None:
    for item in ITEMS:
        if item.live and item.live.text:
            assert (item.live.token or 0) < len(shipped().encode([item.live.text])[0]), item.id


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


@pytest.mark.parametrize(
    "claim", ["True", "q + 1", "h.real", "print(h)", "h ==", "[h]", "h in n", "lambda: h", "1 / 0", "h @ n"]
)
def test_a_claim_that_is_no_formula_is_refused(claim: str) -> None:
    with pytest.raises(ClaimError):
        value(claim, {"h": 0.8, "n": 1.0})


def test_a_check_that_does_not_exist_is_refused() -> None:
    for name in ("nowhere.parts", "anatomy.nothing"):
        unknown = dataclasses.replace(ITEMS[0], check=dataclasses.replace(PROVED[0].check, fn=name))  # type: ignore[type-var]
        with pytest.raises(ProofError, match="there is no"):
            prove(unknown)


def test_a_claim_that_does_not_fit_its_check_is_refused() -> None:
    def claiming(claim: str) -> Item:
        options = (dataclasses.replace(ITEMS[0].options[0], claim=claim), *ITEMS[0].options[1:])
        return dataclasses.replace(ITEMS[0], options=options)

    for claim, told in [("0.5", "has to be a comparison"), ("unknown > 0", "'unknown' is not known here")]:
        with pytest.raises(ProofError, match=told):
            prove(claiming(claim))


def test_an_item_without_a_check_is_not_proved() -> None:
    with pytest.raises(ProofError, match="not proved by running code"):
        prove(dataclasses.replace(ITEMS[0], check=None))
