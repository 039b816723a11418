"""The contents of the Files tab as HTML: a preview of a file, the progress, and the results."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from .rendering import CLEAR_SCORE, render, render_note

if TYPE_CHECKING:
    from ..files.job import Progress
    from ..files.summary import Bin, Histogram, Report
    from ..files.table import Limits, Table

MANY_ROWS = 1_000  # with fewer, the speed is that of starting
WAITING = render_note("Waiting: one file is scored at a time …", css="files-note")
STOPPED = render("files_stopped.html")


@dataclass(frozen=True)
class Plot:
    """The frame of a plot, in SVG units: the picture, and the margins around the axes for their numbers."""

    width: int = 360
    height: int = 190
    left: int = 44
    right: int = 10
    top: int = 12
    bottom: int = 38

    def x(self, share: float) -> float:
        """Return the horizontal position of a share of the axis, from 0 to 1."""
        return self.left + share * (self.width - self.left - self.right)

    def y(self, share: float) -> float:
        """Return the vertical position of a share of the axis, from 0 to 1."""
        return self.height - self.bottom - share * (self.height - self.top - self.bottom)


PLOT = Plot()


def render_introduction(limits: "Limits") -> Markup:
    """Return the formats and limits of the tab, and an empty alert for files_tab.js, which refuses too large a file."""
    return render("files_introduction.html", limits=limits)


def render_refusal(message: str) -> Markup:
    """Return the reason for a failure.

    Args:
        message: A clause without a capital letter or a full stop, as in a `FileError`.
    """
    return render("files_refusal.html", sentence=f"{message[:1].upper()}{message[1:]}.")


def render_preview(table: "Table", name: str) -> Markup:
    """Return the size of a file and its first rows."""
    return render("files_preview.html", table=table, name=name)


def render_progress(progress: "Progress") -> Markup:
    """Return a bar, the rows done, the speed and the time left."""
    seconds_left = progress.seconds_left
    return render(
        "files_progress.html",
        progress=progress,
        share=progress.rows / progress.total if progress.total else 1,
        time_left=None if seconds_left is None else format_duration(seconds_left),
    )


def format_duration(seconds: float) -> str:
    """Return a duration in seconds, minutes or hours, rounded up.

    >>> format_duration(0.2), format_duration(59), format_duration(61), format_duration(3700)
    ('1 s', '59 s', '2 min', '1 h 2 min')
    """
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = -int(-seconds // 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def render_results(report: "Report", seconds: float) -> Markup:
    """Return the counts, the histogram, the comparison with the file's own labels, and the least certain rows.

    Args:
        report: The summary of a scored file.
        seconds: The time that the scoring took.
    """
    grading = report.grading
    return render(
        "files_results.html",
        report=report,
        grading=grading,
        duration=format_duration(seconds),
        rows_per_second=report.rows / seconds if report.rows >= MANY_ROWS else None,
        doubtful=[row for row in report.least_certain if row.score < CLEAR_SCORE],
        histogram=render_histogram(report.histogram),
        calibration=render_calibration(grading.bins) if grading and grading.bins else "",
    )


def render_histogram(histogram: "Histogram") -> Markup:
    """Return stacked bars of how many rows have which score, in one colour for each label."""
    counts = histogram.counts
    totals = [sum(column) for column in zip(*counts.values(), strict=True)]
    highest = max(1, *totals)
    bars = []
    for index in range(len(totals)):
        base = 0
        for label in counts:
            count = counts[label][index]
            base += count
            if count:
                height = max(1, PLOT.y(0) - PLOT.y(count / highest))
                bars.append((label, count, PLOT.x(index / len(totals)) + 1, PLOT.y(base / highest), height))
    return render(
        "files_histogram.html",
        plot=PLOT,
        bars=bars,
        bar_width=PLOT.x(1 / len(totals)) - PLOT.x(0) - 2,
        ends=("−1", "0", "+1") if histogram.balanced else ("0", "0.5", "1"),
        heights=("0", f"{highest // 2:,}" if highest > 1 else "", f"{highest:,}"),
        quantity="balance, from negative to positive" if histogram.balanced else "score of the verdict",
        totals={label: sum(values) for label, values in counts.items()},
    )


def render_calibration(bins: Sequence["Bin"]) -> Markup:
    """Return the share of correct verdicts against their score; on the diagonal the two are equal."""
    return render("files_calibration.html", plot=PLOT, bins=bins)
