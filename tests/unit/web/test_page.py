"""The colours of the page can be read on light and on dark."""

import numpy as np
import pytest

from sentiment_gru.web.charts import COLOURS
from sentiment_gru.web.page import palette_css, theme

TEXT_COLOURS = [name for name in COLOURS if not name.endswith("fill")]


@pytest.mark.parametrize("name", TEXT_COLOURS)
def test_a_colour_has_contrast_on_both_pages(name: str) -> None:
    look = theme()
    pages = (look.body_background_fill, look.body_background_fill_dark)
    for colour, page in zip(COLOURS[name], pages, strict=True):
        assert contrast(colour, page) >= 4.5


def test_every_colour_is_a_css_variable_in_light_and_dark() -> None:
    light, dark = palette_css().split(".dark")
    for name, (light_colour, dark_colour) in COLOURS.items():
        assert f"--{name}: {light_colour};" in light
        assert f"--{name}: {dark_colour};" in dark


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two colours (WCAG 2.2)."""
    low, high = sorted(luminance(colour) for colour in (first, second))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour such as "#1c1c1e" (WCAG 2.2)."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in channels]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))
