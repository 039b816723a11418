"""Draw the plots of the quiz from the numbers in the answer bank, as SVG files beside it.

python benchmarks/quiz_plots.py
"""

import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from quiz.bank import Bank, load_bank

WORDS = ["The", "plot", "is", "thin", "but", "the", "acting", "is", "superb"]
BLUE, ORANGE, GREY, DARK = "#2166ac", "#9a4a00", "#d5d5d5", "#222222"
WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 440, 300, 44, 36, 52


def draw_plots(bank: Bank) -> dict[str, str]:
    """Return the SVG text of each plot, by file name."""
    params = {item.id: item.check.params for item in bank.items if item.check}
    gates = params["gru-dynamics-008"]["gates"]
    losses = params["gru-use-010"]
    epochs = [str(number) for number in range(1, len(losses["dev"]) + 1)]
    curves = {"Development": (losses["dev"], ORANGE, "6 4"), "Training": (losses["train"], BLUE, "")}
    return {
        "plot_gates.svg": _draw({"Update gate": (gates, BLUE, "")}, WORDS, 1.0, numbers=True),
        "plot_losses.svg": _draw(curves, epochs, 0.8, numbers=False),
    }


def _draw(
    curves: dict[str, tuple[Sequence[float], str, str]], labels: Sequence[str], highest: float, numbers: bool
) -> str:
    """Return curves over labelled points as SVG; curves differ in dashes and in their name, not in color alone."""

    def x(index: int) -> float:
        return LEFT + (index + 0.5) * (WIDTH - LEFT - 12) / len(labels)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - value / highest * (HEIGHT - TOP - BOTTOM)

    parts = [f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>']
    for step in range(5):
        value = step * highest / 4
        parts.append(f'<path d="M{LEFT} {y(value):.1f}H{WIDTH - 12}" stroke="{GREY}"/>')
        parts.append(_text(LEFT - 8, y(value) + 5, f"{value:.2g}", "end"))
    parts += [_text(x(index), HEIGHT - BOTTOM + 24, label) for index, label in enumerate(labels)]
    for number, (name, (values, color, dashes)) in enumerate(curves.items()):
        points = " ".join(f"{x(index):.1f},{y(value):.1f}" for index, value in enumerate(values))
        dash = f' stroke-dasharray="{dashes}"' if dashes else ""
        parts.append(f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2.5"{dash}/>')
        for index, value in enumerate(values):
            parts.append(f'<circle cx="{x(index):.1f}" cy="{y(value):.1f}" r="4" fill="{color}"/>')
            if numbers:
                parts.append(_text(x(index), y(value) - 10, f"{value:.2f}"))
        left = LEFT + 150 * number
        parts.append(f'<path d="M{left} 16h28" stroke="{color}" stroke-width="2.5"{dash}/>')
        parts.append(_text(left + 36, 21, name, "start"))
    axis = "Epoch" if len(curves) > 1 else "Word"
    parts.append(_text((LEFT + WIDTH) / 2, HEIGHT - 6, axis))
    body = "\n".join(parts)
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">\n{body}\n</svg>\n'


def _text(x: float, y: float, text: str, anchor: str = "middle") -> str:
    halo = 'stroke="#ffffff" stroke-width="4" paint-order="stroke"'  # keeps numbers readable over the curve
    style = f'font-family="sans-serif" font-size="14" fill="{DARK}" text-anchor="{anchor}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style} {halo}>{text}</text>'


if __name__ == "__main__":
    shipped = load_bank()
    for name, svg in draw_plots(shipped).items():
        (shipped.folder / name).write_text(svg, encoding="utf-8")
