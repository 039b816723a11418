"""A proof as HTML: the cells that it ran on, the measured quantities, and whether each answer holds.

`quiz.proofs` runs the proofs, which loads torch; this module renders their results. Text from banks and learners is
escaped.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from threading import Lock
from typing import Any, Union

from markupsafe import Markup

from .bank import Item, Numeric
from .bank.formulas import format_value
from .grading import Grade
from .proofs import NotInstalledError, Proof, Run, Verdict, prove
from .views import render

MOST_PROOFS = 500
"""Proofs that are kept; items with parameters have many."""
_SPANS = re.compile(r"`(?P<code>[^`]+)`|\$(?P<formula>[^$]+)\$|\*\*(?P<strong>[^*]+)\*\*|\*(?P<em>[^*\s][^*]*)\*")
_SYMBOLS = {
    "odot": "⊙", "cdot": "·", "times": "×", "sigma": "σ", "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "ne": "≠",
    "neq": "≠", "approx": "≈", "to": "→", "dots": "…", "in": "∈", "partial": "∂", "sum": "∑", ",": " ", ";": " ",
    "%": "%",
}  # fmt: skip
_ACCENTS = {"tilde": "\u0303", "hat": "\u0302", "bar": "\u0304"}
_IGNORED = {"mathrm", "mathbf", "text", "operatorname", "left", "right"}
_FORMULA = re.compile(
    r"\\(?P<accent>tilde|hat|bar)\s*\{?(?P<letter_below>\w)\}?|\\(?P<command>[A-Za-z]+|.)\s?"
    r"|(?P<script>[_^])(?:\{(?P<group>[^{}]*)\}|(?P<single>\\[A-Za-z]+|.))|(?P<letter>[A-Za-z])|(?P<brace>[{}])|(?P<minus>-)"
)
Node = tuple[str, Union[str, "list[Node]"]]
"""A tag of HTML, "formula" or "text", and its content."""


def inline_html(markdown: str) -> Markup:
    """Return the HTML of one line of Markdown with formulas between dollar signs."""
    return render("inline.html", nodes=_parse(_SPANS, markdown, _to_span))


def _parse(pattern: re.Pattern[str], text: str, to_node: Callable[[re.Match[str]], Node]) -> list[Node]:
    end, nodes = 0, list[Node]()
    for match in pattern.finditer(text):
        nodes += [("text", text[end : match.start()]), to_node(match)]
        end = match.end()
    return [*nodes, ("text", text[end:])]


def _to_span(match: re.Match[str]) -> Node:
    tag = str(match.lastgroup)
    return tag, _parse(_FORMULA, match["formula"], _to_symbol) if tag == "formula" else match[tag]


def _to_symbol(match: re.Match[str]) -> Node:
    if match["accent"]:
        return "i", match["letter_below"] + _ACCENTS[match["accent"]]
    if command := match["command"]:
        return "text", "" if command in _IGNORED else _SYMBOLS.get(command, command)
    if match["script"]:
        content = match["single"] if match["group"] is None else match["group"]
        return "sub" if match["script"] == "_" else "sup", _parse(_FORMULA, content, _to_symbol)
    if match["letter"]:
        return "i", match["letter"]
    return "text", "−" if match["minus"] else ""


@dataclass(frozen=True)
class _Remark:
    """A remark on a wrong part of the learner's answer: its claim, and the measurements that refute it.

    Attributes:
        answer: Letter of the option, or the number.
        claimed: The claim and its value; empty if nothing is claimed.
        measured: Quantities that decide whether the claim holds.
        letter: Whether the answer is an option.
        omitted: Whether the option is right and was not chosen.
    """

    answer: str
    claimed: list[str]
    measured: list[str]
    letter: bool = True
    omitted: bool = False


@dataclass(frozen=True)
class _Row:
    """An answer in the list of a run, with the text of its option if it is one."""

    answer: str
    text: str
    chosen: bool
    claimed: list[str]
    holds: bool


def proof_html(proof: Proof, item: Item, chosen: Sequence[str]) -> Markup:
    """Return a proof, beginning with the learner's answer.

    Args:
        proof: The result of `quiz.proofs.prove` for the item.
        item: The item, its options in the order shown to the learner.
        chosen: The ids of the chosen options, or a number as text.
    """
    runs = [(run, [] if run.failure else _to_rows(run, item, chosen)) for run in proof.runs]
    return render("proof.html", proof=proof, runs=runs, remarks=_to_remarks(proof, item, chosen))


def unproved_html(item: Item, error: NotInstalledError | None = None) -> Markup:
    """Return the reason why an item has no proof to show, with its sources.

    Args:
        item: An item without a check, or whose check could not run.
        error: The reason why it could not run here: a package is not installed, or there is no model.
    """
    return render("unproved.html", item=item, error=error)


def _to_remarks(proof: Proof, item: Item, chosen: Sequence[str]) -> list[_Remark]:
    """Return a remark for each wrong part of the learner's answer, about the first run that succeeded."""
    run = next((run for run in proof.runs if run.failure is None), None)
    if run is None or item.arrangement:
        return []
    if item.numeric:
        return _remark_on_number(run, item.numeric, chosen)
    verdicts, remarks = {verdict.answer: verdict for verdict in run.verdicts}, []
    for letter, option in zip(ascii_uppercase, item.options, strict=False):
        is_chosen, verdict = option.oid in chosen, verdicts[option.oid]
        omitted = bool(chosen) and item.type == "multi" and option.correct and not is_chosen
        if omitted or (is_chosen and not option.correct):
            remarks.append(_Remark(letter, _claimed(verdict), _measured(run, verdict), omitted=omitted))
    return remarks


def _remark_on_number(run: Run, key: Numeric, chosen: Sequence[str]) -> list[_Remark]:
    try:
        number = float("".join(chosen).replace(",", ".").replace("−", "-"))
    except ValueError:
        return []
    if not math.isfinite(number) or abs(number - key.value) <= key.tolerance:
        return []
    anticipated = {str(wrong.value) for wrong in key.anticipated if abs(wrong.value - number) <= key.tolerance}
    verdict = next((verdict for verdict in run.verdicts if verdict.answer in anticipated), None)
    claimed = _claimed(verdict) if verdict and isinstance(verdict.claim, str) else []
    return [_Remark(f"{number:.6g}", claimed, [run.measured["answer"]], letter=False)]


def _claimed(verdict: Verdict) -> list[str]:
    """Return the claim of an answer, followed by its value unless it is a comparison or the value itself."""
    claim = str(verdict.claim)
    return [claim] if _is_comparison(verdict) or claim == verdict.value else [claim, verdict.value]


def _measured(run: Run, verdict: Verdict) -> list[str]:
    """Return the measured quantities that decide whether a claim holds."""
    if not _is_comparison(verdict):
        return [run.measured["answer"]]
    names = [name for name in run.measured if re.search(rf"\b{re.escape(name)}\b", str(verdict.claim))]
    return [f"{name} = {run.measured[name]}" for name in names]


def _is_comparison(verdict: Verdict) -> bool:
    return verdict.value in ("True", "False")


def _to_rows(run: Run, item: Item, chosen: Sequence[str]) -> list[_Row]:
    verdicts = {verdict.answer: verdict for verdict in run.verdicts}
    names = [(option.oid, letter, option.text) for letter, option in zip(ascii_uppercase, item.options, strict=False)]
    if item.prompts:
        names = [(str(number), str(number), prompt.text) for number, prompt in enumerate(item.prompts, 1)]
    if item.numeric:
        numbers = [item.numeric.value, *(wrong.value for wrong in item.numeric.anticipated)]
        names = [(str(number), format_value(number), "") for number in numbers]
    rows = []
    for answer, name, text in names:
        verdict = verdicts[answer]
        claimed = _claimed(verdict) if isinstance(verdict.claim, str) else []
        is_chosen = bool(item.options) and item.arrangement is None and answer in chosen
        rows.append(_Row(name, inline_html(text), is_chosen, claimed, verdict.holds))
    return rows


class ProofRenderer:
    """A renderer of the proofs of one bank, which it runs first. Threads may share it; proofs run one at a time."""

    def __init__(self, load_classifier: Callable[[], Any] | None = None) -> None:
        """Take a function that returns the shipped model, for the proofs that use it."""
        self._load_classifier = load_classifier
        self._proofs: dict[tuple[str, str], Proof] = {}
        self._lock = Lock()

    def render(self, grade: Grade) -> Markup:
        """Return the proof of an answered item, with the consequences of the learner's answer.

        An item without a proof, or whose proof cannot run here, shows the reason and its sources instead.

        Raises:
            ProofError: The item's check is broken.
        """
        item = grade.item
        if item.check is None or item.check.fn is None:
            return unproved_html(item)
        try:
            proof = self._prove(item)
        except NotInstalledError as error:
            return unproved_html(item, error)
        return proof_html(proof, item, grade.given if grade.number is None else [str(grade.number)])

    def _prove(self, item: Item) -> Proof:
        with self._lock:
            key = item.id, repr(item.drawn)
            if key not in self._proofs:
                classifier = self._load_classifier() if self._load_classifier else None
                self._proofs[key] = prove(item, classifier=classifier)
                if len(self._proofs) > MOST_PROOFS:
                    del self._proofs[next(iter(self._proofs))]
            return self._proofs[key]
