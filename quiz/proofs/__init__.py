"""Proofs: each key is derived, and each distractor refuted, by running the cell under question.

    proof = prove(item)              # Proof: which options hold, and what was computed
    print(proof.trace)

A check is a function of a cell that measures quantities; it knows nothing of options. What an option states is its
`claim`, a formula over those quantities, so whether it holds is computed here. An item whose convention is none is
proved in all three conventions of the GRU. Checks import torch only when called.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from ..bank import Claim, Item
from .expressions import ClaimError, Measurement, NoSuchPartError, NotInstalledError, same, value

__all__ = ["Measurement", "NoSuchPartError", "NotInstalledError", "Proof", "ProofError", "Verdict", "prove"]

TOPICS = (
    "anatomy", "reset", "update", "placement", "dynamics", "parameters", "shapes", "lstm", "gradients", "use",
)  # fmt: skip


class ProofError(ValueError):
    """The item names no check that exists, or a claim that cannot be computed."""


@dataclass(frozen=True)
class Verdict:
    """Whether one answer holds: its option id (or the number itself), its claim, and what the claim comes to."""

    answer: str
    claim: Claim
    value: str
    holds: bool


@dataclass(frozen=True)
class Run:
    """One run of a check on one cell; `failure` says why nothing could be measured."""

    cell: str
    did: str
    measured: dict[str, str]
    verdicts: tuple[Verdict, ...]
    failure: str | None = None


@dataclass(frozen=True)
class Proof:
    """The proof of one item's key.

    Attributes:
        item_id: The item.
        code: Source of the check.
        runs: One run for each cell under question.
        key: The answers that the bank calls right.
    """

    item_id: str
    code: str
    runs: tuple[Run, ...]
    key: frozenset[str]

    @property
    def proved(self) -> bool:
        """Whether, on every cell, exactly the answers of the key hold."""
        return all(run.failure is None and {v.answer for v in run.verdicts if v.holds} == self.key for run in self.runs)

    @property
    def trace(self) -> str:
        """What was run, what was measured, and what each answer comes to, as text to print."""
        return "\n\n".join(_print(run) for run in self.runs)


def prove(item: Item, cell: Any = None, classifier: Any = None) -> Proof:
    """Run an item's check.

    Args:
        item: An item whose check names a function.
        cell: The cell under question, a class with the constructor and weights of `torch.nn.GRU`. By default the
            cell of the item's convention, and all three conventions if it has none.
        classifier: The shipped model, a `sentiment_gru.SentimentClassifier`, for the checks that look at it.

    Returns:
        What was computed, and whether it proves the key.

    Raises:
        ProofError: The item has no check, or its check or a claim cannot be run.
        NotInstalledError: A library that the check needs is missing.
    """
    if item.check is None or item.check.fn is None:
        raise ProofError(f"item {item.id} is not proved by running code")
    check = _find(item.check.fn)
    parameters = dict(item.check.params)
    if "classifier" in inspect.signature(check).parameters:
        if classifier is None:
            raise NotInstalledError("this check looks at the shipped model, and none was given")
        parameters["classifier"] = classifier
    cells = [cell] if cell is not None else _cells(item)
    runs = tuple(_run(item, check, each, parameters) for each in cells)
    return Proof(item.id, inspect.getsource(check), runs, frozenset(_key(item)))


def _find(name: str) -> Callable[..., Measurement]:
    module, _, function = name.partition(".")
    if module not in TOPICS:
        raise ProofError(f"there is no module quiz.proofs.{module}")
    try:
        return getattr(import_module(f"quiz.proofs.{module}"), function)
    except AttributeError as error:
        raise ProofError(f"there is no check {name}") from error


def _cells(item: Item) -> list[Any]:
    cells = import_module("quiz.proofs.cells")
    if item.check and item.check.cell:
        return [cells.NAMED[item.check.cell]]
    return list(cells.CONVENTIONS.values()) if item.convention == "none" else [cells.of_convention(item.convention)]


def _run(item: Item, check: Callable[..., Measurement], cell: Any, parameters: dict[str, Any]) -> Run:
    name = getattr(cell, "title", f"torch.nn.{cell.__name__}")
    try:
        measurement = check(cell, **parameters)
    except NoSuchPartError as error:
        return Run(name, "", {}, (), failure=str(error))
    measured = {key: _show(result) for key, result in measurement.names.items()}
    try:
        return Run(name, measurement.did, measured, tuple(_verdicts(item, measurement)))
    except ClaimError as error:
        raise ProofError(f"item {item.id}: {error}") from error


def _verdicts(item: Item, measurement: Measurement) -> list[Verdict]:
    if item.numeric is None:
        return [_judge(option.oid, option.claim, measurement) for option in item.options]
    key = item.numeric
    answer = _answer(measurement)
    verdicts = [Verdict(str(key.value), key.value, _show(key.value), abs(key.value - answer) <= key.tolerance)]
    for wrong in key.anticipated:
        claim = wrong.value if wrong.claim is None else wrong.claim
        result = value(claim, measurement.names)
        if abs(result - wrong.value) > key.tolerance:
            raise ClaimError(f"{claim!r} comes to {_show(result)}, not to the anticipated {wrong.value}")
        verdicts.append(Verdict(str(wrong.value), claim, _show(result), abs(result - answer) <= key.tolerance))
    return verdicts


def _judge(answer: str, claim: Claim | None, measurement: Measurement) -> Verdict:
    if claim is None:
        raise ClaimError(f"option {answer!r} makes no claim")
    result = value(claim, measurement.names)
    holds = result if isinstance(result, bool) else same(result, _answer(measurement))
    return Verdict(answer, claim, _show(result), holds)


def _answer(measurement: Measurement) -> Any:
    if "answer" not in measurement.names:
        raise ClaimError("the check measures no answer, so a claim has to be a comparison")
    return measurement.names["answer"]


def _key(item: Item) -> list[str]:
    return [str(item.numeric.value)] if item.numeric else [option.oid for option in item.correct_options]


def _print(run: Run) -> str:
    if run.failure:
        return f"{run.cell}: {run.failure}"
    lines = [f"{run.cell}: {run.did}", *(f"    {name} = {result}" for name, result in run.measured.items())]
    lines += [
        f"{'holds  ' if verdict.holds else 'refuted'} {verdict.answer}: {verdict.claim} -> {verdict.value}"
        for verdict in run.verdicts
    ]
    return "\n".join(lines)


def _show(result: Any) -> str:
    """Return a value as text: numbers to six digits, and the first five of a longer tensor."""
    if hasattr(result, "flatten"):
        numbers = result.flatten().tolist()
        text = ", ".join(f"{number:.6g}" for number in numbers[:5])
        return text if len(numbers) == 1 else f"[{text}{', ...' if len(numbers) > 5 else ''}]"
    return f"{result:.6g}" if isinstance(result, float) else str(result)
