"""The changed keys: every kind of item has some, a sound proof notices all of them, and a weak one is caught."""

from dataclasses import replace
from typing import Any

import pytest

from benchmarks import key_mutations
from benchmarks.key_mutations import list_formulas, list_mutants, summarize, try_keys
from quiz.bank import Item, load_bank
from quiz.proofs import ProofError

BY_ID = {item.id: item for item in load_bank().items}


@pytest.mark.parametrize(
    ("item_id", "count"),
    [
        ("gru-update-001", 3),  # the other options
        ("gru-placement-006", 2**5 - 3),  # every other set of five options but none and all
        ("gru-parameters-012", 4 * 3 * 2 - 1),  # the other orders
        ("gru-update-003", 2 + 3),  # both sides, and the anticipated numbers
        ("gru-update-011", 2 + 3 + 3),  # also three other positions of the slider
    ],
)
def test_a_key_is_changed_in_every_way(item_id: str, count: int) -> None:
    item = BY_ID[item_id]
    mutants = dict(list_mutants(item))
    assert len(mutants) == count
    assert item not in mutants.values()


def test_pairs_of_a_match_are_exchanged_and_replaced() -> None:
    item = BY_ID["gru-shapes-009"]
    assert item.arrangement
    places = [mutant.arrangement.correct for _, mutant in list_mutants(item) if mutant.arrangement]
    assert item.arrangement.correct not in places
    assert (*item.arrangement.correct[1::-1], *item.arrangement.correct[2:]) in places
    assert len({sum(a != b for a, b in zip(place, item.arrangement.correct, strict=True)) for place in places}) == 2


def test_a_formula_is_changed_in_its_operators_constants_and_names() -> None:
    formulas = {formula for _, formula in list_formulas(BY_ID["gru-update-003"])}
    assert {"(1 + z) * n + z * h", "(2 - z) * n + z * h", "(1 - z) * h + z * h", "(1 - z) * n - z * h"} <= formulas
    assert {field for field, _ in list_formulas(BY_ID["gru-update-011"])} == {"value", "formula"}
    assert list_formulas(BY_ID["gru-update-001"]) == []


@pytest.mark.parametrize("item_id", ["gru-update-001", "gru-update-003", "gru-update-011", "gru-use-007"])
def test_a_sound_proof_notices_every_wrong_key(item_id: str) -> None:
    outcome = try_keys(BY_ID[item_id], draws=2)
    assert outcome.tried >= 3
    assert outcome.survivors == ()


def weaken_options(item: Item) -> Item:
    """Return the item with a wrong option whose claim is that of the right one, as if they meant the same."""
    claim = item.correct_option.claim
    options = [replace(option, claim=claim) for option in item.options[:2]]
    return replace(item, options=(*options, *item.options[2:]))


def test_a_key_that_is_wrong_in_the_bank_is_reported() -> None:
    with pytest.raises(ProofError, match="the key of the bank is not proved"):
        try_keys(weaken_options(BY_ID["gru-update-001"]), draws=0)


def test_wrong_keys_that_nothing_notices_are_listed() -> None:
    item = BY_ID["gru-use-007"]
    assert item.check
    agreeing = [
        replace(item, check=replace(item.check, answer=(option.oid,))) for option in item.options if not option.correct
    ]
    outcomes = [try_keys(other, draws=0) for other in agreeing]
    assert [len(outcome.survivors) for outcome in outcomes] == [1] * len(agreeing)


def test_the_summary_counts_what_is_not_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    item = BY_ID["gru-use-007"]
    assert item.check
    wrong = next(option.oid for option in item.options if not option.correct)
    blind = replace(item, check=replace(item.check, answer=(wrong,)))

    def summary() -> dict[str, Any]:
        return summarize({item.id: try_keys(blind, draws=0)}, 0, [])

    assert (summary()["wrong_keys"], summary()["unexplained"]) == (len(item.options) - 1, 1)
    monkeypatch.setattr(key_mutations, "EXPLANATIONS", {(item.id, wrong): "means the same"})
    assert summary()["unexplained"] == 0
    assert summary()["survivors"][0]["explanation"] == "means the same"
