"""Figures of the measurements: the speed as plotly's JSON, all others as HTML.

Gradio's page brings plotly.js along; Python's plotly package would only write this JSON.
"""

import json
from typing import Any

import numpy as np
from markupsafe import Markup

from ..charts import COLOURS, Line, render_line_chart
from ..rendering import render, render_table
from .measurements import (
    CELLS,
    CONFIGURATIONS,
    SPEED_MODES,
    Gradients,
    Measured,
    Recall,
    Speed,
    Trainings,
    format_left,
)
from .statements import count_parameters

# Text and grid lines on a light and on a dark page.
INK, GRID = ("#1c1c1e", "#ececea"), ("#dddbd6", "#3a3b40")
TONES = {"gru": "positive", "lstm": "negative", "rnn": "neutral"}
PATTERNS = {"gru": "", "lstm": "/", "rnn": "."}
TABLE_DISTANCES = (10, 20, 50, 100, 199)
STAGES = {
    "pytorch": "As PyTorch starts a layer",
    "start": "As this app starts it",
    "trained": "After training",
}
WHY_STARTS_DIFFER = (
    "Why do the two starts differ? The gradient meets the recurrent matrix U at every step. PyTorch fills it with "
    "small random numbers, and multiplying by it shrinks a vector. This app starts with an orthogonal matrix, which "
    "turns a vector without shrinking it: an RNN, whose gradient meets only U and tanh, then keeps the most. The gates"
    " of GRU and LSTM start half open and let about half of the gradient through at each step, whatever U is. Training"
    " opens them."
)


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
    return _figure(bars, "milliseconds for one text", dark)


def render_gradients(gradients: Gradients) -> Markup:
    """Return a chart for each stage, with the share of the gradient at the last token by the distance from it."""
    x = np.array(gradients.distances) / gradients.distances[-1]
    charts = []
    for stage, title in STAGES.items():
        shares = {
            cell: np.array([gradients.left(stage, cell, distance) for distance in gradients.distances])
            for cell in CELLS
        }
        highest = max(1.0, *(float(values.max()) for values in shares.values()))
        lines = [Line(cell.upper(), f"line tone-{TONES[cell]}", x, values) for cell, values in shares.items()]
        chart = render_line_chart(
            lines,
            (0, highest),
            ("0%", f"{highest:.0%}"),
            f"{title}: share of the gradient at the last word that is left, by the distance from the end",
            axis=("last word", f"{gradients.distances[-1]} words back"),
            on_tokens=False,
        )
        charts.append((title, chart))
    return render("inside/gradients.html", charts=charts, reason=WHY_STARTS_DIFFER)


def render_gradient_table(gradients: Gradients) -> Markup:
    """Return the shares that are left at selected distances for every stage."""
    distances = [distance for distance in TABLE_DISTANCES if distance in gradients.distances]
    rows = [
        [
            f"{cell.upper()}, {title[0].lower()}{title[1:]}",
            *(format_left(gradients.left(stage, cell, distance)) for distance in distances),
        ]
        for stage, title in STAGES.items()
        for cell in CELLS
    ]
    heads = ["", *(f"{distance} back" for distance in distances)]
    return render_table("Gradient left, as a share of that at the last word; medians.", heads, rows, gradients.source)


def render_recall(recall: Recall) -> Markup:
    """Return the accuracy of each variant by the delay as bars: the mean of the seeds, and the least of them."""
    rows = [
        (
            variant_name(variant),
            [{"mean": recall.means(lag)[variant], "least": min(by_lag[lag])} for lag in recall.lags],
        )
        for variant, by_lag in recall.accuracies.items()
    ]
    return render("inside/recall.html", lags=recall.lags, rows=rows, chance=recall.chance, source=recall.source)


def variant_name(variant: str) -> str:
    """Return the name of a variant of delayed recall for readers.

    >>> variant_name("lstm, forget bias 1")
    'LSTM, forget bias 1'
    """
    cell, *rest = variant.split(",")
    return ",".join([cell.upper(), *rest])


def _figure(traces: list[dict[str, Any]], y_title: str, dark: bool) -> str:
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
                "xaxis": axis,
                "yaxis": axis | {"title": {"text": y_title}},
                "hovermode": "closest",
                "dragmode": False,
            },
            "config": {"displayModeBar": False},
        }
    )


def _colour(cell: str, dark: bool) -> str:
    return COLOURS[TONES[cell]][dark]
