"""A trained unit at a token as HTML: the text with the token marked, the picture, the equations, the unit's course."""

from html import escape

from ..explanation.result import Token
from .cell_drawing import drawing, number, share, told
from .conventions import Convention
from .equations import equations
from .trace_html import trace_html
from .unit import TrainedUnits

AROUND = 400  # characters of the text that are shown on each side of the token


def reading_html(text: str, tokens: tuple[Token, ...], chosen: int) -> str:
    """Return the text around a token, with the token marked."""
    token = tokens[chosen]
    before, after = text[max(0, token.start - AROUND) : token.start], text[token.end : token.end + AROUND]
    lead, rest = "… " * (token.start > AROUND), " …" * (len(text) > token.end + AROUND)
    return f'<p class="inside-reading">{lead}{escape(before)}<mark>{escape(token.text)}</mark>{escape(after)}{rest}</p>'


def unit_drawing(units: TrainedUnits, direction: int, token: int, unit: int, convention: Convention) -> str:
    """Return the picture of a unit at a token."""
    return drawing(units.step(direction, token, unit, convention))


def unit_html(units: TrainedUnits, direction: int, token: int, unit: int, convention: Convention) -> str:
    """Return the equations of a unit at a token, what the convention changes in them, and the unit's course."""
    step = units.step(direction, token, unit, convention)
    names = [one.text for one in units.tokens]
    backward = units.directions == 2 and direction % 2 == 1
    course = trace_html(units.trace(direction, unit), names, token, backward)
    return (
        f"{equations(step)}"
        f'<p class="inside-note">{_note(units, direction, token, unit, convention)}</p>'
        f"<h3>Unit {unit} over the text, z as PyTorch means it</h3>{course}"
    )


def unit_told(units: TrainedUnits, direction: int, token: int, unit: int, convention: Convention) -> str:
    """Return the same in a sentence."""
    word = escape(units.tokens[token].text)
    return f"Unit {unit} at “{word}”: {told(units.step(direction, token, unit, convention))}"


def _note(units: TrainedUnits, direction: int, token: int, unit: int, convention: Convention) -> str:
    step = units.step(direction, token, unit, convention)
    gap = abs(step.new - float(units.after[direction, token, unit]))
    proof = f"The new state computed from these numbers and that of torch.nn.GRU differ by {gap:.0e}.".replace("-", "−")
    vectors = "W and U are rows of weights: the sums over all inputs and units are shown, biases included."
    if convention.reset_after:
        return f"{vectors} {proof}"
    other = units.other_candidate(direction, token, unit)
    sense = "" if convention.z_keeps else f"z has {convention.title}'s sense here, {share(step.z)} new. "
    return (
        f"{sense}The model was trained with r after the product, so it stands there in any convention: with r before "
        f"it, the same weights would give the candidate {number(other, 3)} in place of {number(step.n, 3)}. {proof}"
    )
