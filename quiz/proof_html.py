"""A proof as HTML: what was run on which cell, what was measured, and what each answer comes to.

Everything that comes from a bank or a learner is escaped. Running a proof is the business of `quiz.checks`, which
loads torch; this module only writes down what came of it.
"""

import math
import re
from collections.abc import Iterator, Sequence
from html import escape
from string import ascii_uppercase

from .bank import Anticipated, Item, Numeric
from .checks import NotInstalledError, Proof, Run, Verdict
from .inline_html import inline_html


def proof_html(proof: Proof, item: Item, chosen: Sequence[str]) -> str:
    """Return a proof, beginning with what it says about the learner's answer.

    Args:
        proof: What `quiz.checks.prove` returned for the item.
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
        body = f"<p>What ran: {escape(run.did)}.</p>{_answers(run, item, chosen)}{_measured(run)}"
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
