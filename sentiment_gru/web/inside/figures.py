"""Figures of what was measured, as plotly's JSON, each with a table that says the same.

Gradio's page brings plotly.js along; Python's package of that name would only write this JSON.
"""

import json
from collections.abc import Iterable, Sequence
from html import escape
from statistics import fmean
from typing import Any

from ..theme import COLOURS
from .gru_cell import parameters
from .measurements import CELLS, CONFIGURATIONS, POINTS, WAYS, Curve, Gradients, Measured, Recall, Speed, Trainings

INK, GRID = (
    ("#1c1c1e", "#ececea"),
    ("#dddbd6", "#3a3b40"),
)  # of a light and of a dark page, as in sentiment_gru/web/theme.py
TONES = {"gru": "positive", "lstm": "negative", "rnn": "neutral"}
DASHES = {"gru": "solid", "lstm": "dash", "rnn": "dot"}
SHOWN_DISTANCES = (0, 10, 20, 50, 100, 199)


def compared_table(measured: Measured) -> str:
    """Return parameters, and where they were measured accuracy and time of training, of every configuration."""
    found = measured.trainings
    if not found:
        rows = [[cell.upper(), f"{parameters(cell, 128, 128):,}"] for cell in CELLS]
        return table("One layer and direction, 128 inputs and 128 units.", ["cell", "parameters"], rows)
    rows = [
        [
            CONFIGURATIONS[name],
            str(one.hidden),
            f"{one.parameters:,}",
            f"{one.mean:.1%} ({min(one.accuracies):.1%} to {max(one.accuracies):.1%})",
            "" if one.seconds is None else f"{one.seconds:.0f} s",
        ]
        for name, one in found.items()
    ]
    heads = ["cell", "units", "recurrent parameters", "accuracy, least to most", "CPU time an epoch"]
    first = next(iter(found.values()))
    caption = f"The same training with other cells: {first.texts:,} reviews it did not see."
    return table(caption, heads, rows) + source(first.source)


def length_table(trainings: dict[str, Trainings]) -> str:
    """Return the mean accuracy of every configuration by the length of the review."""
    first = next(iter(trainings.values()))
    rows = [
        [CONFIGURATIONS[name], *(f"{one.by_length[bounds]:.1%}" for bounds in first.by_length)]
        for name, one in trainings.items()
    ]
    heads = ["cell", *(f"{fewest:,} to {most:,}" for fewest, most in first.by_length)]
    caption = "Accuracy by the length of the review, in tokens: a quarter of the reviews in each column."
    return table(caption, heads, rows) + source(first.source)


def speed_table(speed: Speed) -> str:
    """Return the milliseconds of every way."""
    rows = [[WAYS[way], *(f"{speed.times[cell][way]:.1f} ms" for cell in CELLS)] for way in speed.ways]
    caption = f"Median time of the recurrent layer, texts of {speed.tokens} tokens, batches of {speed.batch}."
    return table(caption, ["", *(cell.upper() for cell in CELLS)], rows) + source(speed.source)


def speed_figure(speed: Speed, dark: bool) -> str:
    """Return bars of the time for one text."""
    ways = [way for way in speed.ways if way.endswith("_one")]
    bars = [
        {
            "type": "bar",
            "name": cell.upper(),
            "x": [WAYS[way] for way in ways],
            "y": [speed.times[cell][way] for way in ways],
            "text": [f"{speed.times[cell][way]:.1f}" for way in ways],
            "textposition": "outside",
            "cliponaxis": False,
            "marker": {"color": _colour(cell, dark), "pattern": {"shape": {"gru": "", "lstm": "/", "rnn": "."}[cell]}},
        }
        for cell in CELLS
    ]
    return _figure(bars, "", "milliseconds for one text", dark)


def gradient_figure(gradients: Gradients, point: str, dark: bool) -> str:
    """Return the medians, with the band between the quartiles, by distance from the end, on a logarithmic axis."""
    traces = [
        trace
        for cell in CELLS
        for trace in _curve_with_band(cell, gradients.distances, gradients.curves[point][cell], dark)
    ]
    return _figure(traces, "tokens from the end", "norm of the gradient", dark, log=True)


def gradient_table(gradients: Gradients) -> str:
    """Return the medians at a few distances, at every point, and where they have become faint."""
    places = [gradients.distances.index(d) for d in SHOWN_DISTANCES if d in gradients.distances]
    rows = [
        [
            f"{cell.upper()}, {words}",
            *(f"{curve.median[place]:.0e}".replace("-", "−") for place in places),
            "never" if curve.faint_from is None else str(curve.faint_from),
        ]
        for point, words in POINTS.items()
        for cell, curve in gradients.curves[point].items()
    ]
    heads = ["median", *(f"{gradients.distances[place]} back" for place in places), "below 1% from"]
    return table("Norm of the gradient by the distance from the end, in tokens.", heads, rows) + source(
        gradients.source
    )


def recall_figure(recall: Recall, dark: bool) -> str:
    """Return the mean accuracy of each variant by the delay."""
    traces = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": recall_name(variant),
            "x": list(recall.lags),
            "y": [fmean(by_lag[lag]) for lag in recall.lags],
            "line": {"color": _colour(variant.split(",")[0], dark), "dash": _variant_dash(variant), "width": 2},
            "marker": {"symbol": "diamond" if "," in variant else "circle", "size": 8},
        }
        for variant, by_lag in recall.accuracies.items()
    ]
    return _figure(traces, "tokens between", "share recalled", dark, bounds=[0, 1.05])


def recall_table(recall: Recall) -> str:
    """Return the accuracies, mean and range over the seeds."""
    rows = [
        [recall_name(variant), *(f"{fmean(by_lag[lag]):.0%} ({min(by_lag[lag]):.0%})" for lag in recall.lags)]
        for variant, by_lag in recall.accuracies.items()
    ]
    caption = f"Share recalled, mean of the seeds (the least of them); guessing gives {recall.chance:.0%}."
    heads = ["", *(f"after {lag}" for lag in recall.lags)]
    return table(caption, heads, rows) + source(recall.source)


def recall_name(variant: str) -> str:
    """Return a variant's name as it is shown."""
    cell, *rest = variant.split(",")
    return ",".join([cell.upper(), *rest])


def source(words: str) -> str:
    """Return the line under a figure that says where it comes from."""
    return f'<p class="inside-source">{words}</p>'


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table that scrolls where it is too wide."""
    head = "".join(f'<th scope="col">{escape(one)}</th>' if one else "<td></td>" for one in heads)
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in cells)}</tr>'
        for name, *cells in rows
    )
    return (
        f'<div class="inside-scroll" role="region" tabindex="0" aria-label="{escape(caption)}">'
        f'<table class="inside-table"><caption><span>{escape(caption)}</span></caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _curve_with_band(cell: str, distances: Sequence[int], curve: Curve, dark: bool) -> list[dict[str, Any]]:
    """Return a filled outline of the quartiles and the line of the median; a logarithmic axis has no room for 0."""
    places = [i for i, low in enumerate(curve.low) if low > 0]
    x = [distances[i] for i in places]
    outline = [curve.high[i] for i in places] + [curve.low[i] for i in reversed(places)]
    colour = _colour(cell, dark)
    common = {"type": "scatter", "legendgroup": cell}
    return [
        common
        | {"x": x + x[::-1], "y": outline, "fill": "toself", "fillcolor": f"{colour}33", "line": {"width": 0}}
        | {"mode": "lines", "hoverinfo": "skip", "showlegend": False},
        common
        | {"name": cell.upper(), "x": x, "y": [curve.median[i] for i in places], "mode": "lines"}
        | {"line": {"color": colour, "dash": DASHES[cell], "width": 2}},
    ]


def _figure(
    traces: list[dict[str, Any]],
    x_title: str,
    y_title: str,
    dark: bool,
    log: bool = False,
    bounds: list[float] | None = None,
) -> str:
    colours = {"gridcolor": GRID[dark], "linecolor": GRID[dark]}
    axis: dict[str, Any] = colours | {"zeroline": False, "automargin": True, "fixedrange": True}
    logarithmic = {"type": "log", "exponentformat": "power"} if log else {}
    y_axis = axis | {"title": {"text": y_title}} | logarithmic
    return json.dumps(
        {
            "data": traces,
            "layout": {
                "paper_bgcolor": "rgba(0,0,0,0)",
                "plot_bgcolor": "rgba(0,0,0,0)",
                "font": {"color": INK[dark], "family": "IBM Plex Sans, system-ui, sans-serif", "size": 13},
                "margin": {"l": 10, "r": 10, "t": 10, "b": 10},
                "height": 340,
                "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
                "xaxis": axis | {"title": {"text": x_title}},
                "yaxis": y_axis | ({"range": bounds} if bounds else {}),
                "hovermode": "closest",
                "dragmode": False,
            },
            "config": {"displayModeBar": False},
        }
    )


def _colour(cell: str, dark: bool) -> str:
    return COLOURS[TONES[cell]][dark]


def _variant_dash(variant: str) -> str:
    return "dashdot" if "," in variant else DASHES[variant]
