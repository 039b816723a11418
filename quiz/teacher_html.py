"""The teacher's page as HTML, without a script. Whatever learners or banks say is escaped."""

from collections.abc import Iterable
from datetime import datetime
from html import escape
from pathlib import Path

from .bank import Bank, Item
from .inline_html import inline_html
from .records import Feedback
from .statistics import ENOUGH, Choice, ItemReport, Report
from .teacher_report import NO_ATTEMPTS, notes, summary

_CSS = (Path(__file__).parent / "teacher.css").read_text(encoding="utf-8")


def page(title: str, body: str) -> str:
    """Return a whole document; the body is HTML."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        f"<title>{_text(title)}</title><style>{_CSS}</style></head><body><main><h1>{_text(title)}</h1>{body}</main></body>"
        "</html>"
    )


def sign_in(message: str = "") -> str:
    """Return the page that asks for the token, with a message if the last one was not taken."""
    alert = f'<p role="alert">{_text(message)}</p>' if message else ""
    return page(
        "Teacher's page",
        f'{alert}<form method="post" action="teacher"><label for="token">Token</label>'
        '<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>'
        "<button>Open</button></form>",
    )


def trouble(message: str) -> str:
    """Return the page that says why there is nothing to see."""
    return page("Teacher's page", f'<p role="alert">{_text(message)}</p>')


def overview(report: Report, bank: Bank, feedback: Iterable[tuple[datetime, Feedback]]) -> str:
    """Return the statistics of each item, and the feedback, the latest first."""
    items = {(item.id, item.version): item for item in bank.items}
    told = [_item(one, items.get((one.item_id, one.version))) for one in report.items if one.measures]
    return page(
        "Teacher's page",
        '<form method="post" action="teacher/leave"><button class="quiet">Sign out</button></form>'
        f"<p>{_text(summary(report) if report.attempts else NO_ATTEMPTS)}</p>"
        f"<h2>Items</h2>{_notes(report) if told else ''}{''.join(told)}{_withheld(report)}{_feedback(list(feedback))}",
    )


def _notes(report: Report) -> str:
    return "".join(f'<p class="note">{_text(line)}</p>' for line in (_LEGEND, *notes(report)))


def _item(report: ItemReport, item: Item | None) -> str:
    found = report.measures
    assert found
    facts = [
        ("First tries", str(report.first_tries)),
        ("Facility", f"{found.facility:.0%}"),
        ("Credit", f"{found.mean_credit:.2f}"),
        ("Discrimination", "none" if found.discrimination is None else f"{found.discrimination:.2f}"),
        ("Median time", "none" if found.median_seconds is None else f"{found.median_seconds:.0f} s"),
        ("Hints", f"{found.hint_share:.0%}"),
    ]
    terms = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts)
    texts = {option.oid: option.text for option in item.options} if item else {}
    look = found.discrimination is not None and found.discrimination < 0
    return (
        f"<article><h3>{_text(_name(report))}</h3><p>{inline_html(item.stem) if item else ''}</p><dl>{terms}</dl>"
        f"{_WORTH_A_LOOK if look else ''}"
        f"<ul>{''.join(_choice(choice, texts) for choice in found.choices)}</ul></article>"
    )


def _choice(choice: Choice, texts: dict[str, str]) -> str:
    text = inline_html(texts[choice.answer]) if choice.answer in texts else _text(choice.answer)
    mark, kind = (" <strong>right</strong>", "bar right") if choice.correct else ("", "bar")
    return (
        f'<li><span class="share">{choice.share:.0%}</span><span>{text}{mark}'
        f'<span class="{kind}" style="width:{choice.share:.1%}"></span></span></li>'
    )


def _withheld(report: Report) -> str:
    few = [one for one in report.items if 0 < one.first_tries < ENOUGH]
    if not few:
        return ""
    entries = "".join(f"<li>{_text(_name(one))}: {one.first_tries}</li>" for one in few)
    return f"<h3>Withheld: fewer than {ENOUGH} first tries</h3><ul class='plain'>{entries}</ul>"


def _name(report: ItemReport) -> str:
    return f"{report.item_id} v{report.version}" + ("" if report.in_bank else " (not in the bank)")


def _feedback(feedback: list[tuple[datetime, Feedback]]) -> str:
    if not feedback:
        return "<h2>Feedback</h2><p>There is none yet.</p>"
    yes, no = (sum(one.clear is clear for _, one in feedback) for clear in (True, False))
    said = "".join(
        f"<li><span class='note'>{time:%Y-%m-%d %H:%M} UTC, {_CLEAR[one.clear]}</span>"
        f"<span class='said'>{_text(one.text)}</span></li>"
        for time, one in reversed(feedback)
        if one.text
    )
    return (
        f"<h2>Feedback</h2><p>Was everything clear? Yes {yes}, no {no}. "
        f'<a href="teacher/feedback.csv">Download as CSV</a></p><ul class="plain">{said}</ul>'
    )


_LEGEND = (
    "Facility is the share of right answers. Discrimination is the correlation of an item with the rest of the run: "
    "well above 0 where good learners get it right."
)
_WORTH_A_LOOK = "<p><strong>Worth a look: those who do well elsewhere get this wrong.</strong></p>"
_CLEAR = {True: "clear", False: "not clear", None: "clear or not: not said"}


def _text(text: str) -> str:
    return escape(text, quote=True)
