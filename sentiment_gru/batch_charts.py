"""The charts of a scored file as inline SVG and tables. No Gradio in here; every name goes through `escape`.

Their width is that of a telephone, so that they can be read there without being scaled down.
"""

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from .verdict_html import tone

if TYPE_CHECKING:
    from .batch.grading import Bin, Grading
    from .batch.report import Histogram

WIDTH, HEIGHT = 360, 190
LEFT, RIGHT, TOP, BOTTOM = 44, 10, 12, 38  # room around the plot, for the numbers on its axes


def histogram(found: "Histogram") -> str:
    """Return stacked bars of how many rows got which score, one colour a label."""
    bins = len(next(iter(found.counts.values())))
    totals = [sum(counts[i] for counts in found.counts.values()) for i in range(bins)]
    highest = max(1, *totals)
    width = (WIDTH - LEFT - RIGHT) / bins
    bars = []
    for place in range(bins):
        base = float(HEIGHT - BOTTOM)
        for label, counts in found.counts.items():
            height = counts[place] / highest * (HEIGHT - TOP - BOTTOM)
            base -= height
            if counts[place]:
                bars.append(
                    f'<rect class="fill tone-{tone(label)}" x="{LEFT + place * width + 1:.1f}" y="{base:.1f}" '
                    f'width="{width - 2:.1f}" height="{max(height, 1):.1f}">'
                    f"<title>{escape(label)}: {counts[place]:,}</title></rect>"
                )
    ends = ("−1", "0", "+1") if found.balanced else ("0", "0.5", "1")
    what = "balance, from negative to positive" if found.balanced else "score of the verdict"
    summary = ", ".join(f"{escape(label)} {sum(counts):,}" for label, counts in found.counts.items())
    return _svg(
        f"Histogram of the {what}: {summary}",
        _frame(ends, ("0", f"{highest // 2:,}" if highest > 1 else "", f"{highest:,}"), what, "rows") + "".join(bars),
    )


def calibration(bins: Sequence["Bin"]) -> str:
    """Return how often verdicts are right against the score they claim; the diagonal is a model without illusions."""
    if not bins:
        return ""
    most = max(one.rows for one in bins)
    radii = [3 + 6 * (one.rows / most) ** 0.5 for one in bins]
    dots = "".join(
        f'<circle class="dot" cx="{_x(one.score):.1f}" cy="{_y(one.right):.1f}" r="{radius:.1f}">'
        f"<title>score {one.score:.2f}: {one.right:.0%} of {one.rows:,} right</title></circle>"
        for one, radius in zip(bins, radii, strict=True)
    )
    line = " ".join(f"{_x(one.score):.1f},{_y(one.right):.1f}" for one in bins)
    told = "; ".join(f"score {one.score:.2f}, {one.right:.0%} of {one.rows:,} right" for one in bins)
    diagonal = f'<line class="diagonal" x1="{_x(0):.1f}" y1="{_y(0):.1f}" x2="{_x(1):.1f}" y2="{_y(1):.1f}"/>'
    axes = _frame(("0", "0.5", "1"), ("0%", "50%", "100%"), "score of the verdict", "share right")
    return _svg(f"Calibration: {told}", f'{axes}{diagonal}<polyline class="joint" points="{line}"/>{dots}')


def confusion(grading: "Grading") -> str:
    """Return a table of the file's labels by the verdicts, shaded by the share of each row."""
    heads = "".join(f'<th scope="col">{escape(verdict)}</th>' for verdict in grading.verdicts)
    rows = "".join(
        f'<tr><th scope="row">{escape(label)}</th>'
        + "".join(
            _shaded(count, sum(counts), verdict == label)
            for count, verdict in zip(counts, grading.verdicts, strict=True)
        )
        + "</tr>"
        for label, counts in zip(grading.labels, grading.confusion, strict=True)
    )
    return (
        '<div class="files-scroll" role="region" tabindex="0" aria-label="Confusion matrix">'
        '<table class="confusion"><caption>Rows: label in the file. Columns: verdict.</caption>'
        f"<thead><tr><td></td>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _shaded(count: int, total: int, right: bool) -> str:
    share = count / total if total else 0
    kind = "confusion-right" if right else "confusion-wrong"
    return f'<td class="{kind}" style="--share: {60 * share:.0f}%">{count:,} <small>{share:.0%}</small></td>'


def _x(share: float) -> float:
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _y(share: float) -> float:
    return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def _frame(across: Sequence[str], up: Sequence[str], what: str, unit: str) -> str:
    """Return the two axes with three numbers each, and what they count."""
    marks = "".join(
        f'<text x="{_x(place):.0f}" y="{HEIGHT - BOTTOM + 15}" text-anchor="{anchor}">{mark}</text>'
        for place, anchor, mark in zip((0, 0.5, 1), ("start", "middle", "end"), across, strict=True)
    )
    marks += "".join(
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{_y(place):.1f}" y2="{_y(place):.1f}"/>'
        f'<text x="{LEFT - 6}" y="{_y(place) + 4:.1f}" text-anchor="end">{mark}</text>'
        for place, mark in zip((0, 0.5, 1), up, strict=True)
    )
    return f'{marks}<text x="{_x(0.5):.0f}" y="{HEIGHT - 6}" text-anchor="middle">{what} · up: {unit}</text>'


def _svg(told: str, content: str) -> str:
    return f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{told}">{content}</svg>'
