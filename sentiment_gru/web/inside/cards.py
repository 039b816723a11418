"""The cards of the tab in their order, and the question that each asks before it shows its figures."""

from dataclasses import dataclass

from .cell_view import format_number
from .figures import variant_name
from .gru_cell import Preset, Weights, step
from .measurements import CELLS, Measured, Recall

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
