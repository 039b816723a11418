"""The cards of the tab in their order; the question that each asks before it shows its figures, and its answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

from ..rendering import render
from .cell_view import format_number, format_share
from .figures import variant_name
from .gru_cell import Convention, Preset, Step, Weights, step
from .measurements import CELLS, SPEED_MODES, Gradients, Measured, Recall, Speed
from .statements import EQUAL_RATIO

LARGE_CHANGE = 0.5  # of h at one token; units that change by more are counted
COMPARED_DISTANCE = 50  # tokens from the end at which gradients are compared
EXERCISE = Preset(
    "The question",
    "An old state, a candidate and an update gate of PyTorch's sense, set by the biases alone.",
    Weights(b_z=-1.1, b_n=-0.42),
    x=0.0,
    h=0.8,
)
EXERCISE_STEP = step(EXERCISE.weights, EXERCISE.x, EXERCISE.h)
CELL_NAMES = tuple(cell.upper() for cell in CELLS)


@dataclass(frozen=True)
class Card:
    """A card: its name in links, its title, and the sentence below the title."""

    name: str
    title: str
    lead: str


@dataclass(frozen=True)
class Question:
    """A question with the options to choose from."""

    text: str
    options: tuple[str, ...]


CARDS = (
    Card("chapter", "The chapter", "Gated Recurrent Units in two minutes, and what is often said of them."),
    Card(
        "cell",
        "One cell",
        "One unit with one input. The road on top carries the old state; its width is the share that is copied. "
        "Move anything.",
    ),
    Card(
        "unit",
        "In the model",
        "The same picture, filled with what one trained unit of this app's model does at a word of your text.",
    ),
    Card("compare", "RNN, LSTM, GRU", "The three cells at the same work, measured."),
    Card(
        "gradient",
        "Vanishing gradient",
        "How much does the state at an earlier word still matter to the verdict? The norm of d logit / d h, in models "
        "that judge by their last state, on real reviews. Of an LSTM it is the cell state, which is what it carries.",
    ),
    Card(
        "recall",
        "Delayed recall",
        "The first token names a class, random ones follow, and at the end the class is asked for.",
    ),
)
QUESTIONS = {
    "chapter": Question(
        "The reset gate of a unit is at 0. Is its past forgotten?",
        ("Yes, whatever the update gate does", "Only if the update gate copies nothing", "No, never"),
    ),
    "cell": Question(
        f"In PyTorch's GRU an old state is {format_number(EXERCISE_STEP.h)}, the candidate "
        f"{format_number(EXERCISE_STEP.n)}, the update gate {format_number(EXERCISE_STEP.z)}. Where does the new state "
        "land?",
        ("Nearer to the old state", "Nearer to the candidate", "Outside of both"),
    ),
    "unit": Question(
        f"One word comes in. How many of the model's units change by more than {LARGE_CHANGE}?",
        ("Nearly all", "About half", "Few"),
    ),
    "compare": Question(
        "One text at a time, in PyTorch, on a processor: which layer is the fastest of equal hidden size?", CELL_NAMES
    ),
    "gradient": Question(
        f"Before training, {COMPARED_DISTANCE} tokens from the end: which cell has the largest gradient left?",
        CELL_NAMES,
    ),
}


def list_cards(measured: Measured, is_gru: bool) -> list[Card]:
    """Return the cards that have something to show.

    Args:
        measured: The measurements; a card without its measurement is left out.
        is_gru: True if the cells of the loaded model are GRUs.
    """
    available = {
        "unit": is_gru,
        "gradient": measured.gradients is not None,
        "recall": measured.recall is not None,
    }
    return [card for card in CARDS if available.get(card.name, True)]


def find_question(name: str, measured: Measured) -> Question | None:
    """Return the question of a card, or None if its answer was not measured."""
    if name == "compare" and measured.speed is None:
        return None
    if name == "recall":
        return recall_question(measured.recall) if measured.recall else None
    return QUESTIONS[name]


def recall_question(recall: Recall) -> Question:
    """Return the question on delayed recall."""
    options = tuple(variant_name(variant) for variant in recall.accuracies)
    return Question(f"Which one recalls best over {compared_lag(recall)} tokens?", options)


def compared_lag(recall: Recall) -> int:
    """Return the longest delay over which a variant is right at least half the time, or the longest of all."""
    return max([lag for lag in recall.lags if max(recall.means(lag).values()) >= 0.5], default=recall.lags[-1])


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
