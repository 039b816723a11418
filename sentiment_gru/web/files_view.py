"""What the Files tab says, as HTML. No Gradio in here; every name, cell and message goes through `escape`."""

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from . import charts
from .verdict_view import tone

if TYPE_CHECKING:
    from ..files.job import Progress
    from ..files.summary import Doubtful, Grading, Report
    from ..files.table import Table


EXCERPT = 120  # characters of a cell in the preview
WAITING = '<p class="files-note">Waiting for its turn: one file is scored at a time …</p>'
STOPPED = '<p class="files-sentence">Stopped.</p><p class="files-note">No file was written. You can start again.</p>'


def refusal(message: str) -> str:
    """Return why something cannot be done; the message is a clause without a full stop."""
    return f'<p class="files-sentence">That did not work.</p><p class="files-refusal">{escape(_sentence(message))}</p>'


def preview(table: "Table", name: str) -> str:
    """Return what was found in a file, with its first rows."""
    rows = f"{table.rows:,} row{'' if table.rows == 1 else 's'}"
    columns = f"{len(table.columns):,} column{'' if len(table.columns) == 1 else 's'}"
    notes = "".join(f'<p class="files-note">{escape(note)}</p>' for note in table.notes)
    head = "".join(f'<th scope="col">{escape(_cut(column))}</th>' for column in table.columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(_cut(cell))}</td>" for cell in row) + "</tr>" for row in table.preview
    )
    return (
        f'<p class="files-found"><strong>{escape(name)}</strong>: {rows}, {columns}.</p>{notes}'
        '<div class="files-scroll" role="region" tabindex="0" aria-label="First rows">'
        f'<table class="files-table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def progress(step: "Progress") -> str:
    """Return a bar, the rows done, the speed and the time left."""
    share = step.rows / step.total if step.total else 1
    line = f"{step.rows:,} of {step.total:,} rows"
    if step.seconds_left is not None:
        line += f" · {step.rows_per_second:,.0f} rows/s · {duration(step.seconds_left)} left"
    return (
        f'<div class="files-progress" role="progressbar" aria-label="Rows scored" aria-valuemin="0" '
        f'aria-valuemax="{step.total}" aria-valuenow="{step.rows}"><div style="width: {100 * share:.1f}%"></div></div>'
        f'<p class="files-speed">{line}</p>'
    )


def duration(seconds: float) -> str:
    """Return a time as a person would say it.

    >>> duration(0.2), duration(59), duration(61), duration(3700)
    ('1 s', '59 s', '2 min', '1 h 2 min')
    """
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = -int(-seconds // 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def results(report: "Report", seconds: float) -> str:
    """Return everything that came of a file: counts, histogram, comparison with its labels, least certain rows."""
    missed = "".join(
        f"<li>{count:,} row{'' if count == 1 else 's'} not scored: {escape(error)}.</li>"
        for error, count in report.errors.items()
    )
    speed = f"{report.rows / seconds:,.0f} rows/s" if seconds else ""
    return (
        f'<p class="files-sentence">{report.scored:,} of {report.rows:,} rows scored.</p>'
        f'<p class="files-note">{_counts(report)} In {duration(seconds)}, {speed}.</p>'
        f"{f'<ul>{missed}</ul>' if missed else ''}"
        f"{_grading(report.grading) if report.grading else ''}"
        f"<h2>Scores</h2>{charts.histogram(report.histogram)}{_legend(list(report.labels))}"
        f"{_least_certain(report.least_certain)}"
    )


def _counts(report: "Report") -> str:
    labels = ", ".join(f"{count:,} {escape(label)}" for label, count in report.labels.items())
    share = f" ({report.uncertain / report.scored:.0%})" if report.scored else ""
    return f"{labels}; {report.uncertain:,}{share} of the verdicts are uncertain."


def _legend(labels: Sequence[str]) -> str:
    marks = "".join(f'<span><i class="tone-{tone(label)}"></i>{escape(label)}</span>' for label in labels)
    return f'<p class="files-legend">{marks}</p>'


def _grading(grading: "Grading") -> str:
    without = ", ".join(f"{escape(_cut(name)) or 'nothing'} ({count:,})" for name, count in grading.without.items())
    rest = (
        f'<p class="files-note">Rows whose label the model does not have were left out: {without}.</p>'
        if without
        else ""
    )
    if grading.accuracy is None or grading.macro_f1 is None or grading.calibration_error is None:
        known = ", ".join(map(escape, grading.verdicts))
        return f"<h2>Against the file's labels</h2><p>None of them is one of the model's: {known}.</p>{rest}"
    figures = {
        "Accuracy": f"{grading.accuracy:.1%}",
        "Macro-F1": f"{grading.macro_f1:.3f}",
        "Calibration error": f"{grading.calibration_error:.3f}",
    }
    cells = "".join(f"<div><dt>{name}</dt><dd>{figure}</dd></div>" for name, figure in figures.items())
    among = ""
    if grading.among_present is not None:
        names = " and ".join(map(escape, grading.labels))
        among = (
            f'<p class="files-note">The file knows only {names}; were these the only possible verdicts, '
            f"{grading.among_present:.1%} would be right.</p>"
        )
    return (
        f'<h2>Against the file\'s labels</h2><dl class="files-figures">{cells}</dl>'
        f'<p class="files-note">Over {grading.rows:,} rows.</p>{among}{rest}{charts.confusion(grading)}'
        f"<h2>Calibration</h2>{charts.calibration(grading.bins)}"
        '<p class="files-note">On the diagonal, verdicts are right as often as their score says. '
        "Larger dots stand for more rows.</p>"
    )


def _least_certain(doubtful: Sequence["Doubtful"]) -> str:
    rows = "".join(
        f'<tr><td>{one.row:,}</td><td>{escape(one.text)}</td><td class="tone-{tone(one.label)}">'
        f"<strong>{escape(one.label)}</strong> {one.score:.2f}</td></tr>"
        for one in doubtful
    )
    if not rows:
        return ""
    return (
        "<h2>Least certain rows</h2>"
        '<div class="files-scroll" role="region" tabindex="0" aria-label="Least certain rows">'
        '<table class="files-table"><thead><tr><th scope="col">Row</th><th scope="col">Text</th>'
        f'<th scope="col">Verdict</th></tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _cut(text: str) -> str:
    return text if len(text) <= EXCERPT else text[:EXCERPT] + "…"


def _sentence(message: str) -> str:
    return message[:1].upper() + message[1:] + "."
