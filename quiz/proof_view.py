"""A proof as HTML: what was run on which cell, what was measured, and what each answer comes to.

Everything that comes from a bank or a learner is escaped. Running a proof is the business of `quiz.proofs`, which
loads torch; this module only writes down what came of it.
"""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from html import escape
from string import ascii_uppercase
from threading import Lock
from typing import Any

from .bank import Anticipated, Item, Numeric
from .grading import Grade
from .proofs import NotInstalledError, Proof, Run, Verdict, prove

_PARTS = re.compile(r"`(?P<code>[^`]+)`|\$(?P<formula>[^$]+)\$|\*\*(?P<bold>[^*]+)\*\*|\*(?P<italic>[^*\s][^*]*)\*")
_SYMBOLS = {
    "odot": "⊙", "cdot": "·", "times": "×", "sigma": "σ", "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "ne": "≠",
    "neq": "≠", "approx": "≈", "to": "→", "dots": "…", "in": "∈", "partial": "∂", "sum": "∑", ",": " ", ";": " ",
    "%": "%",
}  # fmt: skip
_ACCENTS = {"tilde": "\u0303", "hat": "\u0302", "bar": "\u0304"}
_PLAIN = {"mathrm", "mathbf", "text", "operatorname", "left", "right"}
_FORMULA = re.compile(
    r"\\(?P<accent>tilde|hat|bar)\s*\{?(?P<under>\w)\}?|\\(?P<name>[A-Za-z]+|.)\s?"
    r"|(?P<shift>[_^])(?:\{(?P<group>[^{}]*)\}|(?P<one>\\[A-Za-z]+|.))|(?P<letter>[A-Za-z])|(?P<brace>[{}])|(?P<minus>-)"
)


def inline_html(markdown: str) -> str:
    """Return the HTML of one line of Markdown with formulas between dollar signs."""
    done, html = 0, []
    for found in _PARTS.finditer(markdown):
        html += [escape(markdown[done : found.start()]), _part(found)]
        done = found.end()
    return "".join([*html, escape(markdown[done:])])


def _part(found: re.Match[str]) -> str:
    match found.lastgroup:
        case "code":
            return f"<code>{escape(found['code'])}</code>"
        case "formula":
            return f'<span class="formula">{_formula(found["formula"])}</span>'
        case "bold":
            return f"<strong>{escape(found['bold'])}</strong>"
    return f"<em>{escape(found['italic'])}</em>"


def _formula(tex: str) -> str:
    done, html = 0, []
    for found in _FORMULA.finditer(tex):
        html += [escape(tex[done : found.start()]), _symbol(found)]
        done = found.end()
    return "".join([*html, escape(tex[done:])])


def _symbol(found: re.Match[str]) -> str:
    if found["accent"]:
        return f"<i>{escape(found['under'])}{_ACCENTS[found['accent']]}</i>"
    if found["name"]:
        return "" if found["name"] in _PLAIN else escape(_SYMBOLS.get(found["name"], found["name"]))
    if found["shift"]:
        tag = "sub" if found["shift"] == "_" else "sup"
        return f"<{tag}>{_formula(found['group'] if found['group'] is not None else found['one'])}</{tag}>"
    if found["letter"]:
        return f"<i>{found['letter']}</i>"
    return "−" if found["minus"] else ""


def proof_html(proof: Proof, item: Item, chosen: Sequence[str]) -> str:
    """Return a proof, beginning with what it says about the learner's answer.

    Args:
        proof: What `quiz.proofs.prove` returned for the item.
        item: The item, its options in the order in which the learner saw them.
        chosen: The ids of the options the learner chose, or one number as text.
    """
    said = "".join(f'<p class="proof-yours">{sentence}</p>' for sentence in _about(proof, item, chosen))
    only = len(proof.runs) == 1
    runs = "".join(_run(run, item, chosen, is_open=only or not number) for number, run in enumerate(proof.runs))
    return (
        f'<div class="proof" role="group" aria-label="Proof"><p class="proof-verdict">{_verdict(proof)}</p>{said}{runs}'
        "<details><summary>The code that ran</summary>"
        f'<pre tabindex="0" role="group" aria-label="Code that ran"><code>{escape(proof.code)}</code></pre>'
        "</details></div>"
    )


def unproved_html(item: Item, error: NotInstalledError | None = None) -> str:
    """Return why an item has no proof to show, and where its fact can be read.

    Args:
        item: An item that names no check, or whose check could not run.
        error: Why it could not run here: a package is not installed, or there is no model.
    """
    if error is not None:
        why = f"This proof cannot run here: {error}."
    elif item.check and item.check.reason:
        why = f"No code can prove this. {item.check.reason}"
    else:
        why = "This question comes without a proof."
    cited = "".join(
        f'<li><a href="{escape(source.url)}" target="_blank" rel="noopener">{escape(source.cite)}</a>, '
        f"{escape(source.loc)}</li>"
        for source in item.sources
    )
    where = f'<p>It can be read here:</p><ul class="proof-sources">{cited}</ul>' if cited else ""
    return f'<div class="proof" role="group" aria-label="Proof"><p>{escape(why)}</p>{where}</div>'


def _verdict(proof: Proof) -> str:
    if not proof.proved:
        return "<strong>Not proved.</strong> The run does not agree with the answer bank; please report this question."
    where = "" if len(proof.runs) == 1 else f" in each of {len(proof.runs)} kinds of GRU"
    return f"<strong>Proved.</strong> The answers that the bank calls right hold{where}, and no other does."


def _about(proof: Proof, item: Item, chosen: Sequence[str]) -> Iterator[str]:
    """Yield a sentence about each wrong part of the learner's answer."""
    run = next((run for run in proof.runs if run.failure is None), None)
    if run is None:
        return
    if item.numeric:
        yield from _about_number(run, item.numeric, chosen)
        return
    verdicts = {verdict.answer: verdict for verdict in run.verdicts}
    for number, option in enumerate(item.options):
        letter, verdict = ascii_uppercase[number], verdicts[option.oid]
        states, found = _meaning(verdict), _found(run, verdict)
        if option.oid in chosen and not option.correct:
            yield f"Your option {letter} would mean {states}, but the run gives {found}."
        elif chosen and option.oid not in chosen and option.correct and item.type == "multi":
            yield f"You left out option {letter}: it says {states}, and the run gives {found}."


def _about_number(run: Run, key: Numeric, chosen: Sequence[str]) -> Iterator[str]:
    try:
        answer = float("".join(chosen).replace(",", ".").replace("−", "-"))
    except ValueError:
        return
    if not math.isfinite(answer) or abs(answer - key.value) <= key.tolerance:
        return
    given, result = f"<strong>{escape(f'{answer:.6g}')}</strong>", _code(run.measured["answer"])
    known = next((wrong for wrong in key.anticipated if abs(wrong.value - answer) <= key.tolerance), None)
    verdict = _verdict_on(run, known)
    if verdict and isinstance(verdict.claim, str):
        yield f"Your answer {given} would mean {_meaning(verdict)}, but the run gives {result}."
    else:
        yield f"Your answer is {given}, but the run gives {result}."


def _verdict_on(run: Run, known: Anticipated | None) -> Verdict | None:
    return next((verdict for verdict in run.verdicts if known and verdict.answer == str(known.value)), None)


def _meaning(verdict: Verdict) -> str:
    """Return what an answer states; a formula that is no comparison with what it comes to."""
    claim = _code(verdict.claim)
    return (
        claim if _is_comparison(verdict) or str(verdict.claim) == verdict.value else f"{claim} = {_code(verdict.value)}"
    )


def _found(run: Run, verdict: Verdict) -> str:
    """Return the measured quantities that decide whether a claim holds."""
    if not _is_comparison(verdict):
        return _code(run.measured["answer"])
    names = [name for name in run.measured if re.search(rf"\b{re.escape(name)}\b", str(verdict.claim))]
    return " and ".join(_code(f"{name} = {run.measured[name]}") for name in names)


def _is_comparison(verdict: Verdict) -> bool:
    return verdict.value in ("True", "False")


def _run(run: Run, item: Item, chosen: Sequence[str], is_open: bool) -> str:
    opened = " open" if is_open else ""
    if run.failure:
        body = f"<p>{escape(run.failure)}</p>"
    else:
        body = f"<p>What ran: {escape(run.procedure)}.</p>{_answers(run, item, chosen)}{_measured(run)}"
    return f"<details{opened}><summary>On <code>{escape(run.cell)}</code></summary>{body}</details>"


def _answers(run: Run, item: Item, chosen: Sequence[str]) -> str:
    options = {option.oid: (number, option) for number, option in enumerate(item.options)}
    verdicts = {verdict.answer: verdict for verdict in run.verdicts}
    order = [option.oid for option in item.options] or [verdict.answer for verdict in run.verdicts]
    rows = []
    for answer in order:
        verdict = verdicts[answer]
        if answer in options:
            number, option = options[answer]
            yours = " (yours)" if answer in chosen else ""
            name = f"<strong>{ascii_uppercase[number]}</strong>{yours} {inline_html(option.text)}"
        else:
            name = f"<strong>{escape(answer)}</strong>"
        rows.append(_row(name, verdict))
    return '<ul class="proof-answers" aria-label="What each answer comes to">' + "".join(rows) + "</ul>"


def _row(name: str, verdict: Verdict) -> str:
    css, mark, word = ("holds", "✓", "Holds") if verdict.holds else ("refuted", "✗", "Does not hold")
    formula = "" if str(verdict.claim) == verdict.value else f"<div>{_meaning(verdict)}</div>"
    return (
        f'<li class="proof-{css}"><div>{name}</div>{formula}'
        f'<div class="proof-word"><span aria-hidden="true">{mark}</span> {word}</div></li>'
    )


def _measured(run: Run) -> str:
    rows = "".join(f"<div><dt>{_code(name)}</dt><dd>{_code(value)}</dd></div>" for name, value in run.measured.items())
    return f'<p class="proof-title">Measured</p><dl class="proof-measured">{rows}</dl>'


def _code(value: object) -> str:
    return f"<code>{escape(str(value))}</code>"


class Proofs:
    """Proofs of the items of one bank. Threads may share it; they run one at a time."""

    def __init__(self, classifier: Callable[[], Any] | None = None) -> None:
        """Take a function that returns the shipped model, for the proofs that look at it."""
        self._classifier = classifier
        self._proofs: dict[str, Proof] = {}
        self._lock = Lock()

    def html(self, grade: Grade) -> str:
        """Return the proof of an answered item, and what the learner's answer would have computed.

        An item without a proof, or whose proof cannot run here, shows why and its sources instead.

        Raises:
            ProofError: If the item's check is broken.
        """
        item = grade.item
        if item.check is None or item.check.fn is None:
            return unproved_html(item)
        try:
            proof = self._proof(item)
        except NotInstalledError as error:
            return unproved_html(item, error)
        return proof_html(proof, item, grade.given if grade.number is None else [str(grade.number)])

    def _proof(self, item: Item) -> Proof:
        with self._lock:
            if item.id not in self._proofs:
                self._proofs[item.id] = prove(item, classifier=self._classifier() if self._classifier else None)
            return self._proofs[item.id]
