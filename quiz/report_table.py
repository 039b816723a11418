"""The report of an item analysis as text: a table, and the sentences that the teacher's page shows, too."""

from textwrap import shorten

from .bank import Bank, Item
from .errors import counted
from .estimates import Correlation, Interval, Reliability
from .item_analysis import SMALL_SAMPLE, Flag, ItemReport, Misconception, Report

HEADINGS = ("item", "question", "first tries", "facility", "credit", "discr.", "seconds", "hints", "answers")
LEGEND = (
    "facility: share of correct answers; discr.: correlation with the rest of the run; both with their 95% intervals; "
    "seconds: median; hints: share that took one; *: correct."
)
NO_ATTEMPTS = "Nothing has been answered yet."
_QUESTION_WIDTH = 50


def format_table(report: Report, bank: Bank) -> str:
    """Return the report as lines of text, one for each answered item."""
    if not report.attempts:
        return NO_ATTEMPTS
    items = {(item.id, item.version): item for item in bank.items}
    answered = [(entry, items.get((entry.item_id, entry.version))) for entry in report.items if entry.first_tries]
    rows = [HEADINGS, *(_format_row(entry, item) for entry, item in answered)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    flags = [
        f"{entry.item_id} v{entry.version}: {describe_flag(flag, item)}"
        for entry, item in answered
        for flag in entry.flags
    ]
    return "\n".join(
        [
            format_summary(report),
            "",
            *lines,
            "",
            LEGEND,
            *format_notes(report),
            *(["", "Worth a look:", *flags] if flags else []),
            *(["", "Misconceptions:"] if report.misconceptions else []),
            *map(_format_misconception, report.misconceptions),
        ]
    )


def format_summary(report: Report) -> str:
    """Return the numbers of answers, runs and first tries."""
    answers, runs = counted(report.attempts, "answer"), counted(report.runs, "run")
    return f"{answers} in {runs}. Only first tries count: {report.first_tries:,}."


def format_notes(report: Report) -> list[str]:
    """Return remarks on the report as a whole, one line each."""
    lines = []
    if report.reliability:
        lines.append(_format_reliability(report.reliability))
    unanswered = sum(not item.first_tries for item in report.items)
    if unanswered:
        lines.append(f"Items of the bank without a first try: {unanswered}.")
    if report.confidence:
        levels = (f"{level.stated}% sure, {level.right:.0%} right ({level.count})" for level in report.confidence)
        lines.append(f"Stated confidence and share of correct answers: {', '.join(levels)}.")
    return lines


def _format_reliability(found: Reliability) -> str:
    small = f" Small sample: fewer than {SMALL_SAMPLE} runs." if found.runs < SMALL_SAMPLE else ""
    return (
        f"Reliability of a run of {found.items_per_run:.3g} items (Cronbach's alpha, KR-20): {found.alpha:.2f} "
        f"({format_interval(found.interval)}), from {counted(found.runs, 'run')} of two or more items. Standard error "
        f"of measurement: {100 * found.standard_error:.0f} percentage points of the share of correct answers.{small}"
    )


def _format_misconception(found: Misconception) -> str:
    share = f"{found.count} of {found.chances} ({format_percent(found.interval)})"
    return f"{found.name}: {share}; {', '.join(found.items)}"


def format_percent(interval: Interval) -> str:
    """Return an interval of a share, such as 38 to 66%."""
    return f"{100 * interval.low:.0f} to {100 * interval.high:.0f}%"


def format_interval(interval: Interval) -> str:
    """Return an interval with two decimals, such as 0.02 to 0.55."""
    return f"{interval.low:.2f} to {interval.high:.2f}"


def format_correlation(found: Correlation | None) -> str:
    """Return a correlation with its interval, or "none"."""
    return f"{found.value:.2f} ({format_interval(found.interval)})" if found else "none"


def describe_flag(flag: Flag, item: Item | None) -> str:
    """Return a flag as one sentence."""
    if flag.kind == "discrimination":
        return "Those who do well elsewhere get this wrong. The key or the wording may be at fault."
    if flag.kind == "guessing":
        return "Fewer are right than by guessing."
    texts = {option.oid: option.text for option in item.options} if item else {}
    answer = texts.get(str(flag.answer), flag.answer)
    return f"Those who do well elsewhere choose this wrong answer more often: {answer}"


def _format_row(entry: ItemReport, item: Item | None) -> tuple[str, ...]:
    measures = entry.measures
    assert measures
    return (
        f"{entry.item_id} v{entry.version}" + ("" if entry.in_bank else " (not in the bank)"),
        shorten(item.stem, _QUESTION_WIDTH, placeholder=" ...") if item else "",
        f"{entry.first_tries}" + (" (small sample)" if entry.small else ""),
        f"{measures.facility:.0%} ({format_percent(measures.facility_interval)})",
        f"{measures.mean_credit:.2f}",
        format_correlation(measures.discrimination),
        "" if measures.seconds is None else f"{measures.seconds[1]:.0f}",
        f"{measures.hint_share:.0%}",
        ", ".join(f"{choice.answer}{'*' if choice.correct else ''} {choice.share:.0%}" for choice in measures.choices),
    )
