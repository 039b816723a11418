"""Figures of the measurements as plotly's JSON, each with a table of the same numbers.

Gradio's page brings plotly.js along; Python's plotly package would only write this JSON.
"""

import json
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from ..rendering import render_table
from ..theme import COLOURS
from .measurements import (
    CELLS,
    CONFIGURATIONS,
    SPEED_MODES,
    TRAINING_STAGES,
    Curve,
    Gradients,
    Measured,
    Recall,
    Speed,
    Trainings,
)
from .statements import count_parameters

# Text and grid lines on a light and on a dark page.
INK, GRID = ("#1c1c1e", "#ececea"), ("#dddbd6", "#3a3b40")
TONES = {"gru": "positive", "lstm": "negative", "rnn": "neutral"}
DASHES = {"gru": "solid", "lstm": "dash", "rnn": "dot"}
PATTERNS = {"gru": "", "lstm": "/", "rnn": "."}
TABLE_DISTANCES = (0, 10, 20, 50, 100, 199)


def render_comparison_table(measured: Measured) -> Markup:
    """Return parameters, accuracy and training time of every configuration; without trainings, parameters only."""
    trainings = measured.trainings
    if not trainings:
        rows = [[cell.upper(), f"{count_parameters(cell, 128, 128):,}"] for cell in CELLS]
        return render_table("One layer and direction, 128 inputs and 128 units.", ["cell", "parameters"], rows)
    rows = [
        [
            CONFIGURATIONS[name],
            str(runs.hidden),
            f"{runs.parameters:,}",
            f"{runs.mean:.1%} ({min(runs.accuracies):.1%} to {max(runs.accuracies):.1%})",
            "" if runs.seconds is None else f"{runs.seconds:.0f} s",
        ]
        for name, runs in trainings.items()
    ]
    heads = ["cell", "units", "recurrent parameters", "accuracy, least to most", "CPU time an epoch"]
    first = next(iter(trainings.values()))
    caption = f"The same training with other cells: {first.texts:,} reviews it did not see."
    return render_table(caption, heads, rows, first.source)


def render_length_table(trainings: dict[str, Trainings]) -> Markup:
    """Return the mean accuracy of every configuration by the length of the review."""
    first = next(iter(trainings.values()))
    rows = [
        [CONFIGURATIONS[name], *(f"{runs.by_length[bounds]:.1%}" for bounds in first.by_length)]
        for name, runs in trainings.items()
    ]
    heads = ["cell", *(f"{fewest:,} to {most:,}" for fewest, most in first.by_length)]
    caption = "Accuracy by the length of the review, in tokens: a quarter of the reviews in each column."
    return render_table(caption, heads, rows, first.source)


def render_speed_table(speed: Speed) -> Markup:
    """Return the milliseconds of every cell in every mode."""
    rows = [[SPEED_MODES[mode], *(f"{speed.times[cell][mode]:.1f} ms" for cell in CELLS)] for mode in speed.modes]
    caption = f"Median time of the recurrent layer, texts of {speed.tokens} tokens, batches of {speed.batch}."
    return render_table(caption, ["", *(cell.upper() for cell in CELLS)], rows, speed.source)


def draw_speed(speed: Speed, dark: bool) -> str:
    """Return bars of the milliseconds for one text."""
    modes = [mode for mode in speed.modes if mode.endswith("_one")]
    bars = [
        {
            "type": "bar",
            "name": cell.upper(),
            "x": [SPEED_MODES[mode] for mode in modes],
            "y": [speed.times[cell][mode] for mode in modes],
            "text": [f"{speed.times[cell][mode]:.1f}" for mode in modes],
            "textposition": "outside",
            "cliponaxis": False,
            "marker": {"color": _colour(cell, dark), "pattern": {"shape": PATTERNS[cell]}},
        }
        for cell in CELLS
    ]
    return _figure(bars, "", "milliseconds for one text", dark)


def draw_gradients(gradients: Gradients, stage: str, dark: bool) -> str:
    """Return the medians by distance from the end, each in the band of its quartiles, on a logarithmic axis."""
    traces = [
        trace
        for cell in CELLS
        for trace in _curve_with_band(cell, gradients.distances, gradients.curves[stage][cell], dark)
    ]
    logarithmic = {"type": "log", "exponentformat": "power"}
    return _figure(traces, "tokens from the end", "norm of the gradient", dark, logarithmic)


def render_gradient_table(gradients: Gradients) -> Markup:
    """Return the medians at selected distances for every stage, and the distance at which they become faint."""
    indices = [gradients.distances.index(d) for d in TABLE_DISTANCES if d in gradients.distances]
    rows = [
        [
            f"{cell.upper()}, {stage_name}",
            *(f"{curve.median[index]:.0e}".replace("-", "−") for index in indices),
            "never" if curve.faint_from is None else str(curve.faint_from),
        ]
        for stage, stage_name in TRAINING_STAGES.items()
        for cell, curve in gradients.curves[stage].items()
    ]
    heads = ["median", *(f"{gradients.distances[index]} back" for index in indices), "below 1% from"]
    return render_table("Norm of the gradient by the distance from the end, in tokens.", heads, rows, gradients.source)


def draw_recall(recall: Recall, dark: bool) -> str:
    """Return the mean accuracy of each variant by the delay."""
    means = {lag: recall.means(lag) for lag in recall.lags}
    traces = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": variant_name(variant),
            "x": list(recall.lags),
            "y": [means[lag][variant] for lag in recall.lags],
            "line": {"color": _colour(variant.split(",")[0], dark), "dash": _variant_dash(variant), "width": 2},
            "marker": {"symbol": "diamond" if "," in variant else "circle", "size": 8},
        }
        for variant in recall.accuracies
    ]
    return _figure(traces, "tokens between", "share recalled", dark, {"range": [0, 1.05]})


def render_recall_table(recall: Recall) -> Markup:
    """Return the accuracy of each variant by the delay: the mean of the seeds, and the least of them."""
    means = {lag: recall.means(lag) for lag in recall.lags}
    rows = [
        [variant_name(variant), *(f"{means[lag][variant]:.0%} ({min(by_lag[lag]):.0%})" for lag in recall.lags)]
        for variant, by_lag in recall.accuracies.items()
    ]
    caption = f"Share recalled, mean of the seeds (the least of them); guessing gives {recall.chance:.0%}."
    return render_table(caption, ["", *(f"after {lag}" for lag in recall.lags)], rows, recall.source)


def variant_name(variant: str) -> str:
    """Return the name of a variant of delayed recall for readers.

    >>> variant_name("lstm, forget bias 1")
    'LSTM, forget bias 1'
    """
    cell, *rest = variant.split(",")
    return ",".join([cell.upper(), *rest])


def _curve_with_band(cell: str, distances: Sequence[int], curve: Curve, dark: bool) -> list[dict[str, Any]]:
    """Return a filled outline of the quartiles and the line of the median, without values that are not positive."""
    positive = [index for index, low in enumerate(curve.low) if low > 0]
    x = [distances[index] for index in positive]
    outline = [curve.high[index] for index in positive] + [curve.low[index] for index in reversed(positive)]
    colour = _colour(cell, dark)
    common = {"type": "scatter", "legendgroup": cell}
    return [
        common
        | {"x": x + x[::-1], "y": outline, "fill": "toself", "fillcolor": f"{colour}33", "line": {"width": 0}}
        | {"mode": "lines", "hoverinfo": "skip", "showlegend": False},
        common
        | {"name": cell.upper(), "x": x, "y": [curve.median[index] for index in positive], "mode": "lines"}
        | {"line": {"color": colour, "dash": DASHES[cell], "width": 2}},
    ]


def _figure(
    traces: list[dict[str, Any]], x_title: str, y_title: str, dark: bool, y_options: dict[str, Any] | None = None
) -> str:
    colours = {"gridcolor": GRID[dark], "linecolor": GRID[dark]}
    axis: dict[str, Any] = colours | {"zeroline": False, "automargin": True, "fixedrange": True}
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
                "yaxis": axis | {"title": {"text": y_title}} | (y_options or {}),
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
