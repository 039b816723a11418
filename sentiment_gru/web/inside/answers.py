"""The answers to the questions of the cards: the correct options, and the figures that show them."""

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from ..rendering import render
from .cards import COMPARED_DISTANCE, LARGE_CHANGE, QUESTIONS, compared_lag
from .cell_view import format_number, format_share
from .figures import variant_name
from .gru_cell import Convention, Step
from .measurements import CELLS, SPEED_MODES, Gradients, Recall, Speed
from .statements import EQUAL_RATIO


class Answer(NamedTuple):
    """The correct options of a question, and an explanation with figures."""

    correct: Sequence[str]
    explanation: str


def render_answer(guess: str | None, answer: Answer) -> Markup:
    """Return whether the guess is correct, unless there was none, and the explanation."""
    verdict = "" if guess is None else "As you said." if guess in answer.correct else "Not so."
    return render("inside/answer.html", verdict=verdict, explanation=answer.explanation)


def answer_chapter(step: Step) -> Answer:
    """Return whether the past is forgotten, by a step with a closed reset gate."""
    return Answer(
        [QUESTIONS["chapter"].options[1]],
        f"With r = {format_number(step.r)} and z = {format_number(step.z)} an old state of {format_number(step.h)} "
        f"becomes {format_number(step.new)}. The reset gate hides the past from the candidate; what the update gate "
        "copies is kept.",
    )


def answer_cell(step: Step) -> Answer:
    """Return whether the new state of a step is nearer to the old state or to the candidate."""
    nearer_to_candidate = abs(step.new - step.n) < abs(step.new - step.h)
    z, h, n, new = (format_number(value) for value in (step.z, step.h, step.n, step.new))
    return Answer(
        [QUESTIONS["cell"].options[1 if nearer_to_candidate else 0]],
        f"z = {z} is the share of the old state: {z} × {h} + {format_number(1 - step.z)} × ({n}) = {new}. The sliders "
        "below now say so; in Chung's convention the same z would be the share of the candidate.",
    )


def answer_unit(changed: int, units: int, token: str) -> Answer:
    """Return how many of the units change by more than `LARGE_CHANGE` at a token."""
    share = changed / units
    option = 0 if share > 2 / 3 else 2 if share < 1 / 3 else 1
    return Answer(
        [QUESTIONS["unit"].options[option]],
        f"At “{token}” {changed} of {units} units change by more than {LARGE_CHANGE}, {format_share(share)} of them.",
    )


def answer_compare(speed: Speed) -> Answer:
    """Return the fastest cells for one text in PyTorch, including equally fast ones, and compare GRU with LSTM."""
    times = {cell: speed.times[cell]["torch_one"] for cell in CELLS}
    correct = [cell.upper() for cell in CELLS if times[cell] < EQUAL_RATIO * min(times.values())]
    listed = ", ".join(f"{cell.upper()} {times[cell]:.1f} ms" for cell in sorted(CELLS, key=times.__getitem__))
    ratio = times["gru"] / times["lstm"]
    if ratio > EQUAL_RATIO:
        comparison = f"Here the course's “faster than an LSTM” fails: the GRU takes {ratio:.1f} times as long."
    elif ratio < 1 / EQUAL_RATIO:
        comparison = "Here the course's “faster than an LSTM” holds."
    else:
        comparison = "Here GRU and LSTM are equally fast."
    return Answer(correct, f"{SPEED_MODES['torch_one']} of {speed.tokens} tokens: {listed}. {comparison}")


def answer_gradient(gradients: Gradients) -> Answer:
    """Return the cell with the largest gradient at `COMPARED_DISTANCE` before training, and the effect of training."""
    index = gradients.distances.index(COMPARED_DISTANCE)

    def remaining(stage: str, cell: str) -> str:
        median = gradients.curves[stage][cell].median
        return f"{median[index] / median[0] if median[0] else 0.0:.0e}".replace("e-", "e−")

    before = {cell: gradients.curves["start"][cell].median[index] for cell in CELLS}
    parts = "; ".join(f"{cell.upper()} {remaining('start', cell)}, then {remaining('trained', cell)}" for cell in CELLS)
    return Answer(
        [max(CELLS, key=before.__getitem__).upper()],
        f"The share of the gradient at the last token that is left {COMPARED_DISTANCE} tokens earlier, before training "
        f"and after: {parts}.",
    )


def answer_recall(recall: Recall) -> Answer:
    """Return the variants that recall best over the compared delay, and the best share over the next longer one."""
    lag = compared_lag(recall)
    means = recall.means(lag)
    best = max(means.values())
    correct = [variant_name(variant) for variant, mean in means.items() if mean >= best - 0.005]
    explanation = f"After {lag} tokens: {', '.join(f'{variant_name(v)} {mean:.0%}' for v, mean in means.items())}."
    longer = next((other for other in recall.lags if other > lag), None)
    if longer is not None:
        explanation += f" After {longer} none gets beyond {max(recall.means(longer).values()):.0%}."
    return Answer(correct, f"{explanation} Guessing gives {recall.chance:.0%}.")


def describe_conversion(exact: bool, difference: float, convention: Convention) -> str:
    """Return what switching to a convention did to the weights, and by how much the new state differs if it does."""
    if exact:
        return (
            f"Written as in {convention.title}. The weights of z were converted where its sense turns, so that the "
            "cell computes the same. The place of r makes no difference to a single unit; in a layer, whose matrix U "
            "mixes the units, it does."
        )
    return (
        f"Written as in {convention.title}. PyTorch's r scales the recurrent bias c, too, and c is not 0: no weights "
        f"make the two agree. Here the new state differs by {format_number(abs(difference), 3)}."
    )
