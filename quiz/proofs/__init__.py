"""Proofs of the answer bank's keys: each key is derived, and each distractor refuted, by running the cell in question.

    proof = prove(item)
    proof.proved  # whether exactly the answers of the key hold
    print(proof.trace)

Each topic has a module of checks, such as `quiz.proofs.gating`. A check measures quantities of a cell and does not
know the options; a check that takes no cell runs once. The `claim` of an option is a formula over these quantities,
which `quiz.bank.formulas` evaluates. Importing this package does not import torch.
"""

import inspect
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any

from ..bank import Claim, Item, sample_positions
from ..bank.formulas import NOISE, TOLERANCE, ClaimError, Value, are_equal, evaluate_claim, format_value

__all__ = ["Measurement", "MissingPartError", "NotInstalledError", "Proof", "ProofError", "Run", "Verdict", "prove"]

TOPICS = ("anatomy", "gating", "placement", "dynamics", "sizes", "lstm", "use")


class MissingPartError(ValueError):
    """An error for a cell that lacks the part of the check, such as a reset gate."""


class NotInstalledError(RuntimeError):
    """An error for a library or model that the check needs and that is not installed; the message names it."""


@dataclass(frozen=True)
class Measurement:
    """The result of running a check on a cell.

    Attributes:
        procedure: The computation in one sentence without the full stop.
        quantities: The measured quantities by name: numbers, strings, tuples and double-precision tensors. A claim
            that is not a comparison is compared with the quantity named `answer`.
        subject: Name of what it ran on, for a check that takes no cell.
    """

    procedure: str
    quantities: Mapping[str, Value] = field(default_factory=dict)
    subject: str = ""


class ProofError(ValueError):
    """An error for an item that names a check that does not exist, or makes a claim that cannot be evaluated."""


@dataclass(frozen=True)
class Verdict:
    """The result for one answer.

    Attributes:
        answer: The option's id, the number of a numeric item as text, or the number of the prompt.
        claim: The statement of the answer.
        value: The value of the claim as text.
        holds: Whether the claim agrees with the measurement.
    """

    answer: str
    claim: Claim
    value: str
    holds: bool


@dataclass(frozen=True)
class Run:
    """One run of a check on one cell.

    Attributes:
        cell: Name of the cell, or of what a check without a cell ran on.
        procedure: The computation in one sentence without the full stop.
        measured: The measured quantities, as text.
        verdicts: One verdict for each answer.
        failure: Why the check could not run on this cell, or None.
    """

    cell: str
    procedure: str
    measured: dict[str, str]
    verdicts: tuple[Verdict, ...]
    failure: str | None = None


@dataclass(frozen=True)
class Proof:
    """The proof of one item's key.

    Attributes:
        item_id: Id of the item.
        code: Source code of the check.
        runs: One run for each cell.
        key: The answers that the bank marks as correct.
    """

    item_id: str
    code: str
    runs: tuple[Run, ...]
    key: frozenset[str]

    @property
    def proved(self) -> bool:
        """True if the answers of the key, and no others, hold on every cell."""
        return all(run.failure is None and {v.answer for v in run.verdicts if v.holds} == self.key for run in self.runs)

    @property
    def trace(self) -> str:
        """All runs as text: the procedure, the measured quantities and the verdict on each answer."""
        return "\n\n".join(_format_run(run) for run in self.runs)


def prove(item: Item, cell: Any = None, classifier: Any = None, memory: dict[Any, Measurement] | None = None) -> Proof:
    """Run an item's check, and compare its measurements with the key.

    Args:
        item: An item whose check names a function.
        cell: The cell to run the check on: a class with the constructor and weights of `torch.nn.GRU`. Defaults to
            the cell of the item's convention, or to the cells of all three GRU conventions if the item has none.
            A check that takes no cell is run without it.
        classifier: The shipped model, a `sentiment_gru.SentimentClassifier`. Some checks need it.
        memory: The measurements of earlier calls. A check that was run with the same numbers is not run again.

    Returns:
        The proof, whose `proved` tells whether the key is confirmed.

    Raises:
        ProofError: If the item has no check, or if its check or a claim cannot be run.
        NotInstalledError: If a library or the model that the check needs is missing.
    """
    if item.check is None or item.check.fn is None:
        raise ProofError(f"item {item.id} is not proved by running code")
    check = _load_check(item.check.fn)
    parameters, names = dict(item.check.params), inspect.signature(check).parameters
    if "classifier" in names:
        if classifier is None:
            raise NotInstalledError("this check needs the shipped model, and none was given")
        parameters["classifier"] = classifier
    cells = [None] if "cell" not in names else _choose_cells(item) if cell is None else [cell]
    remembered = check if memory is None else _remember(check, memory)
    runs = tuple(_run_check(item, remembered, each, parameters) for each in cells)
    return Proof(item.id, inspect.getsource(check), runs, frozenset(_key_answers(item)))


def _remember(check: Callable[..., Measurement], memory: dict[Any, Measurement]) -> Callable[..., Measurement]:
    def remembered(*cell: Any, **parameters: Any) -> Measurement:
        key = check, cell, repr(parameters)
        if key not in memory:
            memory[key] = check(*cell, **parameters)
        return memory[key]

    return remembered


def _load_check(name: str) -> Callable[..., Measurement]:
    module, _, function = name.partition(".")
    if module not in TOPICS:
        raise ProofError(f"there is no module quiz.proofs.{module}")
    try:
        return getattr(import_module(f"quiz.proofs.{module}"), function)
    except AttributeError as error:
        raise ProofError(f"there is no check {name}") from error


def _choose_cells(item: Item) -> list[Any]:
    cells = import_module("quiz.proofs.cells")
    if item.check and item.check.cell:
        return [cells.NAMED[item.check.cell]]
    return list(cells.CONVENTIONS.values()) if item.convention == "none" else [cells.find_cell(item.convention)]


def _run_check(item: Item, check: Callable[..., Measurement], cell: Any, parameters: dict[str, Any]) -> Run:
    cells = [] if cell is None else [cell]
    name = "" if cell is None else getattr(cell, "title", f"torch.nn.{cell.__name__}")
    try:
        measurement = check(*cells, **parameters, **(item.goal.solution if item.goal else {}))
        sampled = sample_positions(item.sliders) if item.goal else []
        others = [(position, check(*cells, **parameters, **position)) for position in sampled]
    except MissingPartError as error:
        return Run(name, "", {}, (), failure=str(error))
    name = name or measurement.subject
    measurement = replace(measurement, quantities={**item.drawn, **measurement.quantities})
    measured = {key: format_value(quantity) for key, quantity in measurement.quantities.items()}
    judge = _judge_numbers if item.numeric else _JUDGES.get(item.type, _judge_options)
    try:
        verdicts = _judge_sliders(item, measurement, others) if item.goal else judge(item, measurement)
        procedure = f"{measurement.procedure}; the same for {len(others)} other positions" if item.goal else None
        return Run(name, procedure or measurement.procedure, measured, tuple(verdicts))
    except ClaimError as error:
        raise ProofError(f"item {item.id}: {error}") from error


def _judge_options(item: Item, measurement: Measurement) -> list[Verdict]:
    verdicts = []
    for option in item.options:
        if option.claim is None:
            raise ClaimError(f"option {option.oid!r} has no claim")
        value = evaluate_claim(option.claim, measurement.quantities)
        holds = value if isinstance(value, bool) else are_equal(value, _measured_answer(measurement))
        verdicts.append(Verdict(option.oid, option.claim, format_value(value), holds))
    return verdicts


def _judge_order(item: Item, measurement: Measurement) -> list[Verdict]:
    """Return for each option whether it has the place in the key that its measured number has, the smallest first."""
    assert item.arrangement
    values = {option.oid: evaluate_claim(option.claim or "", measurement.quantities) for option in item.options}
    ranks = {oid: sum(bool(other < value - NOISE) for other in values.values()) for oid, value in values.items()}
    counts = Counter(ranks.values())
    return [
        Verdict(
            option.oid,
            option.claim or "",
            format_value(values[option.oid]),
            counts[ranks[option.oid]] == 1 and ranks[option.oid] == item.arrangement.correct.index(option.oid),
        )
        for option in item.options
    ]


def _judge_matches(item: Item, measurement: Measurement) -> list[Verdict]:
    """Return for each prompt, by number, whether the option of the key is the only one whose claim equals its own."""
    assert item.arrangement
    values = {option.oid: evaluate_claim(option.claim or "", measurement.quantities) for option in item.options}
    verdicts = []
    for number, (prompt, oid) in enumerate(zip(item.prompts, item.arrangement.correct, strict=True), 1):
        value = evaluate_claim(prompt.claim or "", measurement.quantities)
        equal = [other for other, option_value in values.items() if are_equal(option_value, value)]
        verdicts.append(Verdict(str(number), prompt.claim or "", format_value(value), equal == [oid]))
    return verdicts


_JUDGES = {"order": _judge_order, "match": _judge_matches}


def _judge_numbers(item: Item, measurement: Measurement) -> list[Verdict]:
    assert item.numeric
    key, answer = item.numeric, _measured_answer(measurement)
    verdicts = [Verdict(str(key.value), key.value, format_value(key.value), abs(key.value - answer) <= key.tolerance)]
    for wrong in key.anticipated:
        claim = wrong.value if wrong.claim is None else wrong.claim
        value = evaluate_claim(claim, measurement.quantities)
        if abs(value - wrong.value) > key.tolerance:
            raise ClaimError(f"{claim!r} evaluates to {format_value(value)}, not to the anticipated {wrong.value}")
        verdicts.append(Verdict(str(wrong.value), claim, format_value(value), abs(value - answer) <= key.tolerance))
    return verdicts


def _judge_sliders(
    item: Item, solution: Measurement, others: Sequence[tuple[Mapping[str, float], Measurement]]
) -> list[Verdict]:
    """Judge the number that the solution leads to, and the formula, which must hold at all positions."""
    assert item.goal
    goal = item.goal
    of_key, *anticipated = _judge_numbers(item, solution)
    pairs = [(goal.solution, solution), *others]
    agrees = all(abs(goal.result(position) - _measured_answer(measured)) <= TOLERANCE for position, measured in pairs)
    reached = format_value(goal.result(goal.solution))
    return [replace(of_key, claim=goal.formula, value=reached, holds=of_key.holds and agrees), *anticipated]


def _measured_answer(measurement: Measurement) -> Any:
    if "answer" not in measurement.quantities:
        raise ClaimError("the check does not measure an answer, so the claim must be a comparison")
    return measurement.quantities["answer"]


def _key_answers(item: Item) -> list[str]:
    if item.type == "match":
        return [str(number) for number in range(1, len(item.prompts) + 1)]
    if item.type == "order":
        return [option.oid for option in item.options]
    return [str(item.numeric.value)] if item.numeric else [option.oid for option in item.correct_options]


def _format_run(run: Run) -> str:
    if run.failure:
        return f"{run.cell}: {run.failure}"
    lines = [f"{run.cell}: {run.procedure}", *(f"    {name} = {value}" for name, value in run.measured.items())]
    lines += [
        f"{'holds  ' if verdict.holds else 'refuted'} {verdict.answer}: {verdict.claim} -> {verdict.value}"
        for verdict in run.verdicts
    ]
    return "\n".join(lines)
