"""The proofs: running the checks confirms every key of the shipped bank, and refutes every other key."""

import dataclasses
import os
import re
from functools import cache
from typing import Any

import pytest
import torch
from torch import nn

from quiz.__main__ import _prove_item
from quiz.bank import Item, load_bank
from quiz.bank.formulas import ClaimError, evaluate_claim, format_value
from quiz.proofs import Measurement, NotInstalledError, Proof, ProofError, gating, placement, prove
from quiz.proofs.cells import ChoGRU, ChungSignGRU, VariantGRU
from sentiment_gru import SentimentClassifier

# Blueprint rows whose facts differ in each wrong cell. Shapes and most facts on use do not differ.
DIFFERENT_FACTS = {
    # the reset gate before the product
    ChoGRU: "gru-reset-007 gru-reset-008 C2 C4 gru-update-008 D1 D3 D4 D5 D6 D7 F5 I6",
    # the other sign of z
    ChungSignGRU: "B2 B3 B4 C1 C3 C4 C5 gru-update-009 gru-update-010 gru-update-011 gru-update-012 D4 D5 D6 E3 E4 "
    "E5 gru-dynamics-006 gru-dynamics-007 gru-dynamics-008 gru-dynamics-009 gru-dynamics-010 "
    "gru-dynamics-011 I1 I3 I4 I6 gru-gradients-008 J5",
    nn.LSTM: "A1 A2 A3 A4 A5 A6 B1 B2 B3 B4 B5 B6 gru-reset-007 gru-reset-008 C1 C2 C3 C4 C5 C6 C7 "
    "gru-update-008 gru-update-009 gru-update-010 gru-update-011 gru-update-012 D1 D3 D4 D5 D6 D7 E1 "
    "E2 E3 E4 E5 gru-dynamics-006 gru-dynamics-007 gru-dynamics-008 gru-dynamics-009 gru-dynamics-010 "
    "gru-dynamics-011 F1 F2 F3 F4 F5 F6 F7 F8 gru-parameters-010 gru-parameters-011 "
    "gru-parameters-012 gru-shapes-008 gru-shapes-009 H1 H2 H3 H4 H6 I1 I3 I4 I5 I6 gru-gradients-008 "
    "J5 J6 gru-use-011 gru-use-012",
}

ITEMS = load_bank().items
PROVED = [item for item in ITEMS if item.check and item.check.fn]
each_proof = pytest.mark.parametrize("item", PROVED, ids=lambda item: item.blueprint or item.id)


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


def change_key(item: Item) -> Item:
    """Return the item with its first right and first wrong option exchanged in the key, or with a wrong number.

    Of options to order or match, the first two are exchanged.
    """
    if item.arrangement:
        first, second, *others = item.arrangement.correct
        return dataclasses.replace(
            item, arrangement=dataclasses.replace(item.arrangement, correct=(second, first, *others))
        )
    if item.numeric:
        key = dataclasses.replace(item.numeric, value=item.numeric.anticipated[0].value, anticipated=())
        return dataclasses.replace(item, numeric=key)
    right = next(option for option in item.options if option.correct)
    wrong = next(option for option in item.options if not option.correct)
    flipped = {
        right: dataclasses.replace(right, correct=False),
        wrong: dataclasses.replace(wrong, correct=True),
    }
    return dataclasses.replace(item, options=tuple(flipped.get(option, option) for option in item.options))


@each_proof
def test_another_key_is_not_proved(item: Item) -> None:
    assert not proof_of(change_key(item)).proved


@each_proof
def test_no_answer_can_be_added_to_the_key_or_taken_away(item: Item) -> None:
    proof = proof_of(item)
    for answer in {verdict.answer for run in proof.runs for verdict in run.verdicts}:
        assert not dataclasses.replace(proof, key=proof.key ^ {answer}).proved


@pytest.mark.parametrize("cell", DIFFERENT_FACTS)
def test_a_wrong_cell_fails_exactly_the_checks_whose_facts_differ(cell: Any) -> None:
    failed = [item.blueprint or item.id for item in PROVED if not proof_of(item, cell).proved]
    assert failed == DIFFERENT_FACTS[cell].split()


def test_every_blueprint_row_has_an_item_and_most_keys_are_proved() -> None:
    plan = {"A": 6, "B": 6, "C": 7, "D": 7, "E": 5, "F": 9, "G": 6, "H": 6, "I": 7, "J": 7}
    rows = [f"{topic}{number}" for topic, count in plan.items() for number in range(1, count + 1)]
    assert [item.blueprint for item in ITEMS if item.blueprint] == rows
    assert [item.blueprint for item in ITEMS if item not in PROVED] == ["D2", "H5", "J7"]


@pytest.mark.parametrize("item", [item for item in ITEMS if item not in PROVED], ids=lambda item: item.id)
def test_a_changed_key_that_no_code_proves_fails_the_check(item: Item) -> None:
    assert _prove_item(item, None).startswith("not proved: ")
    assert _prove_item(change_key(item), None) == "FAILED"


class RememberingGRU(nn.GRU):
    """A GRU that also carries the sum of its inputs to the next call."""

    memory = 0.0

    def forward(self, inputs: torch.Tensor, h_0: torch.Tensor | None = None) -> Any:  # type: ignore[override]
        """Return the output of a GRU for the inputs and the memory."""
        result = super().forward(inputs + self.memory, h_0)
        self.memory = self.memory + inputs.sum()
        return result


class PositionalGRU(nn.GRU):
    """A GRU that adds to each input its position."""

    def forward(self, inputs: torch.Tensor, h_0: torch.Tensor | None = None) -> Any:  # type: ignore[override]
        """Return the output of a GRU for the changed inputs."""
        return super().forward(inputs + torch.arange(len(inputs)).reshape(-1, 1, 1), h_0)


class RefusingGRU(nn.GRU):
    """A GRU that refuses dropout."""

    def __init__(self, *sizes: int, dropout: float = 0, **options: Any) -> None:
        if dropout:
            raise ValueError("one layer has no place for dropout")
        super().__init__(*sizes, **options)


class ForgettingGRU(VariantGRU):
    """A GRU whose reset gate also acts on the copied state."""

    def step(self, x: Any, h: Any, w: Any, u: Any, b: Any, c: Any) -> torch.Tensor:
        """Return the state of a GRU less the part that the reset gate takes away."""
        r, z, _ = torch.sigmoid(x @ w.T + b + h @ u.T + c).chunk(3, dim=-1)
        return super().step(x, h, w, u, b, c) - (1 - r) * z * h


@pytest.mark.parametrize(
    ("row", "cell"), [("A6", RememberingGRU), ("F9", PositionalGRU), ("G6", RefusingGRU), ("B4", ForgettingGRU)]
)
def test_a_cell_made_to_break_one_fact_fails_its_check(row: str, cell: Any) -> None:
    item = next(item for item in ITEMS if item.blueprint == row)
    proof = proof_of(item, cell)
    assert not proof.proved
    assert not [run.failure for run in proof.runs if run.failure]


def test_a_reset_gate_that_forgets_is_noticed() -> None:
    assert gating.every_convention(nn.GRU).quantities["r0_forgets"] == 0
    assert gating.every_convention(ForgettingGRU).quantities["r0_forgets"] == 0.25


def test_live_tokens_are_tokens_of_the_shipped_model() -> None:
    for item in ITEMS:
        if item.live and item.live.text:
            assert (item.live.token or 0) < len(shipped().encode([item.live.text])[0]), item.id


@each_proof
def test_the_trace_shows_the_value_of_each_claim(item: Item) -> None:
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
def test_a_claim_is_evaluated_from_the_measured_quantities(claim: str | float, result: object) -> None:
    assert evaluate_claim(claim, {"z": 0.25, "n": -0.4, "h": 0.8, "H": 4}) == pytest.approx(result)


@pytest.mark.parametrize(
    "claim", ["True", "q + 1", "h.real", "print(h)", "h ==", "[h]", "h in n", "lambda: h", "1 / 0", "h @ n"]
)
def test_a_claim_that_is_not_a_formula_is_refused(claim: str) -> None:
    with pytest.raises(ClaimError):
        evaluate_claim(claim, {"h": 0.8, "n": 1.0})


@pytest.mark.parametrize("name", ["nowhere.parts", "anatomy.nothing", "os.system"])
def test_a_check_that_does_not_exist_is_refused(name: str) -> None:
    unknown = dataclasses.replace(ITEMS[0], check=dataclasses.replace(PROVED[0].check, fn=name))  # type: ignore[type-var]
    with pytest.raises(ProofError, match=re.escape(name.partition(".")[0])):
        prove(unknown)


def test_a_claim_that_does_not_fit_its_check_is_refused() -> None:
    def claiming(claim: str) -> Item:
        options = (dataclasses.replace(ITEMS[0].options[0], claim=claim), *ITEMS[0].options[1:])
        return dataclasses.replace(ITEMS[0], options=options)

    for claim in ("0.5", "unknown > 0"):
        with pytest.raises(ProofError, match=ITEMS[0].id):
            prove(claiming(claim))


def test_an_item_without_a_check_is_not_proved() -> None:
    with pytest.raises(ProofError, match=ITEMS[0].id):
        prove(dataclasses.replace(ITEMS[0], check=None))


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1.11022e-16, "0"),
        (-9.9e-10, "0"),
        (2e-9, "2e-09"),
        (1 / 3, "0.333333"),
        (123456789.0, "1.23457e+08"),
        (7, "7"),
        (torch.tensor(-1.11022e-16), "0"),
        (torch.tensor([0.1, 1e-17]), "[0.1, 0]"),
        (torch.arange(6).double(), "[0, 1, 2, 3, 4, ...]"),
        (("h", "c"), "('h', 'c')"),
    ],
)
def test_values_are_printed_with_six_digits_and_without_rounding_error(number: object, text: str) -> None:
    assert format_value(number) == text


@pytest.mark.parametrize("claim", ["a > 0", "a < 0", "a != 0", "0 < b", "abs(a) > 0"])
def test_rounding_error_does_not_satisfy_a_strict_comparison(claim: str) -> None:
    quantities = {"a": 1.11022e-16, "b": torch.tensor([1.0, 1.11022e-16])}
    assert evaluate_claim(claim, quantities) is False


@pytest.mark.parametrize("error", [1.11022e-16, -1.11022e-16])
def test_rounding_error_of_another_processor_changes_neither_verdicts_nor_trace(
    error: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With AVX-512, gap_r_alike and gap_symmetric are 1.11022e-16, not 0."""
    item = next(item for item in ITEMS if item.check and item.check.fn == "placement.agreement")
    exact, agreement = prove(item), placement.agreement

    def with_error(cell: Any) -> Measurement:
        measured = agreement(cell)
        quantities = {name: quantity + error for name, quantity in measured.quantities.items()}
        return Measurement(measured.procedure, quantities)

    monkeypatch.setattr(placement, "agreement", with_error)
    proof = prove(item)
    assert proof.proved
    assert proof.trace == exact.trace
    assert "gap_r_alike = 0\n" in proof.trace
