"""The equations of a step, each with its numbers beneath, in the colours of the drawing."""

from .cell import Step
from .cell_drawing import number


def symbol(name: str) -> str:
    """Return a letter of the equations in its colour; h′ is the new state."""
    return f'<var class="sym-{name[0]}">{name}</var>'


def equations(step: Step) -> str:
    """Return the four equations of the step's convention as a list, the numbers under each."""
    convention = step.convention
    r, z, n, h, x = (symbol(name) for name in "rznhx")
    if convention.reset_after:
        past, past_number = f"{r} · (U<sub>n</sub>{h} + c)", f"{_in('r', step.r)} × {_bracketed(step.from_past[2])}"
    else:
        past, past_number = f"U<sub>n</sub>({r} · {h}) + c", _bracketed(step.from_past[2])
    keep, write = convention.keep_share.replace("z", z), convention.write_share.replace("z", z)
    if "−" in keep:
        keep = f"({keep})"
    if "−" in write:
        write = f"({write})"
    lines = [
        (f"{r} = σ(W<sub>r</sub>{x} + U<sub>r</sub>{h} + b<sub>r</sub>)", _sum("σ", step, 0), "r", step.r),
        (f"{z} = σ(W<sub>z</sub>{x} + U<sub>z</sub>{h} + b<sub>z</sub>)", _sum("σ", step, 1), "z", step.z),
        (
            f"{n} = tanh(W<sub>n</sub>{x} + b<sub>n</sub> + {past})",
            f"tanh({number(step.from_input[2])} + {past_number})",
            "n",
            step.n,
        ),
        (
            f"{symbol('h′')} = {keep} · {h} + {write} · {n}",
            f"{_in('z', step.kept)} × {_in('h', step.h)} + {_in('z', 1 - step.kept)} × {_in('n', step.n)}",
            "h",
            step.new,
        ),
    ]
    rows = "".join(
        f'<li><span class="equation">{formula}</span>'
        f'<span class="equation-numbers">= {numbers} = {_result(name, value)}</span></li>'
        for formula, numbers, name, value in lines
    )
    return f'<ul class="equations">{rows}</ul>'


def _result(name: str, value: float) -> str:
    return f'<strong class="sym-{name}">{number(value, 3)}</strong>'


def _sum(function: str, step: Step, gate: int) -> str:
    return f"{function}({number(step.from_input[gate])} + {_bracketed(step.from_past[gate])})"


def _in(name: str, value: float) -> str:
    return f'<span class="sym-{name}">{_bracketed(value)}</span>'


def _bracketed(value: float) -> str:
    text = number(value)
    return f"({text})" if text.startswith("−") else text
