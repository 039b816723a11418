"""The cards of the tab in their order; the question that each asks before it shows its figures, and its answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

from ..rendering import render
from .figures import STAGES, variant_name
from .gru_cell import Step
from .measurements import (
    CELLS,
    COMPARED_DISTANCE,
    SPEED_MODES,
    Gradients,
    Measured,
    Recall,
    Speed,
    format_left,
)
from .stage_view import format_number
from .statements import EQUAL_RATIO

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
    Card("chapter", "The chapter", "Gated recurrent units in two minutes, and what is often said of them."),
    Card(
        "cell",
        "Two gates",
        "One unit. The road on top carries its old state; the valve z mixes it with the candidate, and the shutter r "
        "decides how much of the past the candidate gets to see. Set both by hand.",
    ),
    Card(
        "weights",
        "Where gates come from",
        "Nobody sets z and r by hand: weights compute them from the input and the old state. Choose what the unit "
        "should do, or move the weights, and play a sequence.",
    ),
    Card("unit", "Your sentence", "The same drawing, filled by the model of this app while it reads a sentence."),
    Card(
        "train",
        "Train one",
        "Delayed recall: the first token names one of eight classes, random tokens follow, and at the end the class is "
        "asked for. Every batch is new, so the network has to learn to remember. A training takes up to 20 seconds.",
    ),
    Card("compare", "RNN, LSTM, GRU", "The three cells at the same work, measured."),
    Card(
        "gradient",
        "Vanishing gradient",
        "How much does the state at an earlier word still matter to the verdict? The norm of d logit / d h as a share "
        "of that at the last word, in models that judge by their last state, on real reviews. Of an LSTM it is the "
        "cell state, which is what it carries.",
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
    "compare": Question(
        "One text at a time, in PyTorch, on a processor: which layer is the fastest of equal hidden size?", CELL_NAMES
    ),
    "gradient": Question(
        f"After training: which cell has the most gradient left {COMPARED_DISTANCE} words from the end?", CELL_NAMES
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
        "copies is kept. Try it on the next card.",
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
    """Return the cell with the most gradient left after training, and the shares left at every stage."""

    def left(stage: str, cell: str) -> float:
        return gradients.left(stage, cell, COMPARED_DISTANCE)

    parts = "; ".join(
        f"{title}: " + ", ".join(f"{cell.upper()} {format_left(left(stage, cell))}" for cell in CELLS)
        for stage, title in STAGES.items()
    )
    best = max(CELLS, key=lambda cell: left("trained", cell))
    return Answer(
        [best.upper()],
        f"Of the gradient at the last word this much is left {COMPARED_DISTANCE} words earlier. {parts}. A gate can "
        "stay open, but it does not start so: training has to open it.",
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
