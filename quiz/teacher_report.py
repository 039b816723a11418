"""The statistics as a table in plain text, and the feedback as a CSV file.

python -m quiz stats
python -m quiz feedback --csv feedback.csv
"""

import csv
import io
from collections.abc import Iterable
from datetime import datetime

from .records import Feedback
from .statistics import ENOUGH, Choice, Confidence, ItemReport, Report

HEADINGS = ("item", "first tries", "facility", "credit", "discr.", "seconds", "hints", "answers")
LEGEND = (
    "facility: share right; discr.: correlation with the rest of the run; seconds: median; hints: share that took one; "
    "*: right."
)
NO_ATTEMPTS = "Nothing has been answered yet."
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def table(report: Report) -> str:
    """Return the report as lines of text, one for each item that was answered."""
    if not report.attempts:
        return NO_ATTEMPTS
    rows = [HEADINGS, *(row(item) for item in report.items if item.first_tries)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([summary(report), "", *lines, "", LEGEND, *notes(report)])


def summary(report: Report) -> str:
    """Return how much was answered."""
    return f"{report.attempts:,} answers in {report.runs:,} runs; the {report.first_tries:,} first tries count."


def row(item: ItemReport) -> tuple[str, ...]:
    """Return the cells of an item under `HEADINGS`."""
    name = f"{item.item_id} v{item.version}" + ("" if item.in_bank else " (not in the bank)")
    if item.measures is None:
        return (name, str(item.first_tries), f"withheld under {ENOUGH}", *[""] * (len(HEADINGS) - 3))
    found = item.measures
    return (
        name,
        str(item.first_tries),
        f"{found.facility:.0%}",
        f"{found.mean_credit:.2f}",
        "" if found.discrimination is None else f"{found.discrimination:.2f}",
        "" if found.median_seconds is None else f"{found.median_seconds:.0f}",
        f"{found.hint_share:.0%}",
        ", ".join(map(_choice, found.choices)),
    )


def _choice(choice: Choice) -> str:
    return f"{choice.answer}{'*' if choice.correct else ''} {choice.share:.0%}"


def notes(report: Report) -> list[str]:
    """Return what holds for all items, a line each."""
    lines = []
    unanswered = sum(not item.first_tries for item in report.items)
    if unanswered:
        lines.append(f"{unanswered} items of the bank have no first try yet.")
    if report.confidence:
        lines.append("How sure, and how often right: " + ", ".join(map(_sureness, report.confidence)) + ".")
    return lines


def _sureness(confidence: Confidence) -> str:
    return f"{confidence.stated}% sure, {confidence.right:.0%} right ({confidence.count})"


def feedback_csv(feedback: Iterable[tuple[datetime, Feedback]]) -> str:
    """Return a CSV file that spreadsheets open as text: cells that would be formulas begin with an apostrophe.

    It begins with a byte order mark, by which they know that it is UTF-8.
    """
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(["time_utc", "run", "clear", "text"])
    for time, one in feedback:
        clear = {True: "yes", False: "no", None: ""}[one.clear]
        writer.writerow([f"{time:%Y-%m-%d %H:%M:%S}", _safe(one.run or ""), clear, _safe(one.text)])
    return "\ufeff" + buffer.getvalue()


def _safe(cell: str) -> str:
    return "'" + cell if cell.startswith(_DANGEROUS) else cell
