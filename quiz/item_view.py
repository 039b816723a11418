"""The values that the teacher's pages show of an item analysis."""

from typing import Any

from markupsafe import Markup

from .bank import Bank, Item
from .estimates import Correlation
from .item_analysis import ItemReport, Misconception, Report
from .proof_view import inline_html
from .report_table import describe_flag, format_interval, format_percent


def describe_items(report: Report, bank: Bank, prefix: str = "item") -> list[dict[str, Any]]:
    """Return the values that the page shows of each answered item; the prefix is that of the anchors."""
    items = {(item.id, item.version): item for item in bank.items}
    return [
        {"anchor": f"{prefix}-{number}"} | _describe_item(entry, items.get((entry.item_id, entry.version)))
        for number, entry in enumerate(report.items, 1)
        if entry.measures
    ]


def describe_misconceptions(report: Report) -> list[tuple[Misconception, Markup, str]]:
    """Return each misconception with the sentence that puts it right and the interval of its share."""
    return [(found, inline_html(found.statement), format_percent(found.interval)) for found in report.misconceptions]


def _describe_item(report: ItemReport, item: Item | None) -> dict[str, Any]:
    """Return the values that the page shows of an item."""
    measures = report.measures
    assert measures is not None
    texts = {option.oid: inline_html(option.text) for option in item.options} if item else {}
    return {
        "report": report,
        "stem": inline_html(item.stem) if item else "",
        "facts": {
            "First tries": (str(report.first_tries), "small sample" if report.small else ""),
            "Facility": (f"{measures.facility:.0%}", format_percent(measures.facility_interval)),
            "Credit": (f"{measures.mean_credit:.2f}", ""),
            "Discrimination": _describe_correlation(measures.discrimination),
            "Median time": _describe_time(measures.seconds),
            "Hints": (f"{measures.hint_share:.0%}", ""),
        }.items(),
        "flags": [inline_html(describe_flag(flag, item)) for flag in report.flags],
        "groups": measures.groups,
        "choices": [(choice, texts.get(choice.answer, choice.answer)) for choice in measures.choices],
    }


def _describe_correlation(found: Correlation | None) -> tuple[str, str]:
    return (f"{found.value:.2f}", format_interval(found.interval)) if found else ("none", "")


def _describe_time(seconds: tuple[float, float, float] | None) -> tuple[str, str]:
    """Return the median time, and the range of the middle half."""
    if seconds is None:
        return "none", ""
    low, median, high = seconds
    return f"{median:.0f} s", f"{low:.0f} to {high:.0f} s"
