"""One step of one unit as a picture: a road for h, as wide as the share that is copied, and what joins it.

It is as wide as a telephone, so that it can be read there without being scaled down.
"""

from html import escape

from .cell import Step

WIDTH, TOP, HEIGHT = 360, 22, 250
ROAD, BRANCH = 62, 176  # heights of the road for h and of the way through the candidate
OLD, SPLIT, FIRST, SECOND, CANDIDATE, MERGE, NEW = 26, 63, 100, 171, 242, 302, 334  # from left to right
THIN, WIDEST = 1.5, 20.0


def number(value: float, digits: int = 2) -> str:
    """Return a number with a true minus sign, and with none before 0."""
    text = f"{value:.{digits}f}"
    return text.replace("-", "−") if float(text) else text.lstrip("-")


def share(value: float) -> str:
    """Return a share in percent; what is nearly all or nothing keeps a digit that says so."""
    return f"{value:.1%}" if 0 < value < 0.005 or 0.995 <= value < 1 else f"{value:.0%}"


def told(step: Step) -> str:
    """Return the step in words, for those who do not see the picture."""
    return (
        f"Old state {number(step.h)}, reset gate {number(step.r)}, update gate {number(step.z)}, candidate "
        f"{number(step.n)}. The new state is {number(step.new)}: {share(step.kept)} of the old state is copied, and "
        f"{share(1 - step.kept)} of the candidate is written."
    )


def drawing(step: Step) -> str:
    """Return the picture as SVG, in the colours of the page."""
    convention = step.convention
    product, reset = (FIRST, SECOND) if convention.reset_after else (SECOND, FIRST)
    ways = (
        _way(f"M{SPLIT} {ROAD}V{BRANCH}H{reset}", "h", THIN)
        + _way(f"M{reset} {BRANCH}H{CANDIDATE}", "r", _width(step.r))
        + _way(f"M{CANDIDATE} {HEIGHT - 26}V{BRANCH}", "x", THIN)
        + _way(
            f"M{CANDIDATE} {BRANCH}H{MERGE - 16}Q{MERGE} {BRANCH} {MERGE} {BRANCH - 16}V{ROAD}",
            "n",
            _width(1 - step.kept),
        )
        + _way(f"M{OLD} {ROAD}H{NEW}", "h", _width(step.kept))
    )
    nodes = (
        _node(OLD, ROAD, "h", f"<tspan>h</tspan> {number(step.h)}", 58)
        + _node(NEW, ROAD, "h", f"<tspan>h′</tspan> {number(step.new)}", 62)
        + _gate((SPLIT + MERGE) / 2, ROAD, "z", convention.keep_share, step.kept)
        + _gate(MERGE, (ROAD + BRANCH) / 2, "z", convention.write_share, 1 - step.kept)
        + _gate(reset, BRANCH, "r", "r", step.r)
        + _gate(CANDIDATE, BRANCH, "n", "n", step.n)
        + _node(product, BRANCH, "h", "U h + c" if convention.reset_after else "U(rh) + c", 60)
    )
    words = (
        _words((SPLIT + MERGE) / 2, ROAD - 24, f"copies {share(step.kept)} of the old state", "z")
        + _words(MERGE + 4, BRANCH + 26, f"writes {share(1 - step.kept)}", "z")
        + _words(CANDIDATE, HEIGHT - 12, f"from the input: {number(step.from_input[2])}", "x")
        + _words(product, BRANCH + 28, number(step.from_past[2]), "h")
    )
    return (
        f'<svg class="cell" viewBox="0 {TOP} {WIDTH} {HEIGHT - TOP}" role="img" aria-label="{escape(told(step))}">'
        f"{ways}{nodes}{words}</svg>"
    )


def _width(part: float) -> float:
    return THIN + (WIDEST - THIN) * part


def _way(path: str, symbol: str, width: float) -> str:
    return f'<path class="cell-way sym-{symbol}" d="{path}" style="stroke-width: {width:.1f}"/>'


def _gate(x: float, y: float, symbol: str, name: str, value: float) -> str:
    return _node(x, y, symbol, f"<tspan>{name}</tspan> {number(value)}", 60 if len(name) == 1 else 80)


def _node(x: float, y: float, symbol: str, words: str, width: float) -> str:
    left = min(max(x - width / 2, 1), WIDTH - width - 1)
    return (
        f'<g class="cell-node sym-{symbol}"><rect x="{left:.1f}" y="{y - 14:.1f}" width="{width}" height="28" rx="14"/>'
        f'<text x="{left + width / 2:.1f}" y="{y + 4:.1f}">{words}</text></g>'
    )


def _words(x: float, y: float, words: str, symbol: str) -> str:
    return f'<text class="cell-words sym-{symbol}" x="{x:.1f}" y="{y:.1f}">{escape(words)}</text>'
