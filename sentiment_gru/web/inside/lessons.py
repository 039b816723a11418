"""The cards of the tab in their order, and what each asks before it shows its picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from statistics import fmean

from .drawings import number, share
from .figures import recall_name
from .gru_cell import Convention, Preset, Step, Weights, step
from .measurements import CELLS, WAYS, Gradients, Measured, Recall, Speed
from .statements import ALIKE
from .trained_unit import MOVED

FAR = 50  # tokens from the end at which gradients are compared
ASKED = Preset(
    "The question",
    "An old state, a candidate and an update gate of PyTorch's sense, set by the biases alone.",
    Weights(b_z=-1.1, b_n=-0.42),
    x=0.0,
    h=0.8,
)


_ASKED = step(ASKED.weights, ASKED.x, ASKED.h)


@dataclass(frozen=True)
class Card:
    """One card: `name` as in links, `title` as in the list of cards, `lead` in Markdown."""

    name: str
    title: str
    lead: str


@dataclass(frozen=True)
class Question:
    """What a visitor predicts: options, and how many of them in `right` are."""

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
        f"In PyTorch's GRU an old state is {number(_ASKED.h)}, the candidate {number(_ASKED.n)}, the update gate "
        f"{number(_ASKED.z)}. Where does the new state land?",
        ("Nearer to the old state", "Nearer to the candidate", "Outside of both"),
    ),
    "unit": Question(
        f"One word comes in. How many of the model's units change by more than {MOVED}?",
        ("Nearly all", "About half", "Few"),
    ),
    "compare": Question(
        "One text at a time, in PyTorch, on a processor: which layer is the fastest of equal hidden size?",
        tuple(cell.upper() for cell in CELLS),
    ),
    "gradient": Question(
        f"Before training, {FAR} tokens from the end: which cell has the largest gradient left?",
        tuple(cell.upper() for cell in CELLS),
    ),
    "recall": Question("Which one recalls best over {lag} tokens?", ()),
}


def cards(measured: Measured, gated: bool) -> list[Card]:
    """Return the cards there is something for; `gated` is whether the loaded model's cells are GRUs."""
    missing = {"unit"} if not gated else set()
    missing |= {"gradient"} if measured.gradients is None else set()
    missing |= {"recall"} if measured.recall is None else set()
    return [card for card in CARDS if card.name not in missing]


def question(name: str, measured: Measured) -> Question | None:
    """Return what a card asks; None if its answer was not measured."""
    if name == "compare" and measured.speed is None:
        return None
    if name == "recall" and measured.recall:
        text = QUESTIONS[name].text.format(lag=telling_lag(measured.recall))
        return Question(text, tuple(recall_name(variant) for variant in measured.recall.accuracies))
    return QUESTIONS[name]


def answer_html(guess: str | None, right: Sequence[str], told: str) -> str:
    """Return whether a guess was right, or nothing of it if there was none, and what the picture shows."""
    lead = "" if guess is None else "<strong>As you said.</strong> " if guess in right else "<strong>Not so.</strong> "
    return f"<p>{lead}{told}</p>"


def forgets(step: Step) -> tuple[list[str], str]:
    """Return the right option, and what shows it, by a step with a shut reset gate."""
    told = (
        f"With r = {number(step.r)} and z = {number(step.z)} an old state of {number(step.h)} becomes "
        f"{number(step.new)}. The reset gate hides the past from the candidate; what the update gate copies is kept."
    )
    return [QUESTIONS["chapter"].options[1]], told


def lands(step: Step) -> tuple[list[str], str]:
    """Return where the new state of a step lands, and the figures."""
    nearer = abs(step.new - step.n) < abs(step.new - step.h)
    told = (
        f"z = {number(step.z)} is the share of the old state: {number(step.z)} × {number(step.h)} + "
        f"{number(1 - step.z)} × ({number(step.n)}) = {number(step.new)}. The sliders below now say so; in Chung's "
        "convention the same z would be the share of the candidate."
    )
    return [QUESTIONS["cell"].options[1 if nearer else 0]], told


def changes(moved: int, units: int, token: str) -> tuple[list[str], str]:
    """Return how many units a token changes, as an option and in figures."""
    part = moved / units
    index = 0 if part > 2 / 3 else 2 if part < 1 / 3 else 1
    told = f"At “{escape(token)}” {moved} of {units} units change by more than {MOVED}, {share(part)} of them."
    return [QUESTIONS["unit"].options[index]], told


def fastest(speed: Speed) -> tuple[list[str], str]:
    """Return the fastest cells for one text in PyTorch, equal ones together, and how the GRU and the LSTM compare."""
    times = {cell: speed.times[cell]["torch_one"] for cell in CELLS}
    right = [cell.upper() for cell in CELLS if times[cell] < ALIKE * min(times.values())]
    listed = ", ".join(f"{cell.upper()} {times[cell]:.1f} ms" for cell in sorted(CELLS, key=times.__getitem__))
    ratio = times["gru"] / times["lstm"]
    told = f"{WAYS['torch_one']} of {speed.tokens} tokens: {listed}."
    if ratio > ALIKE:
        return right, f"{told} Here the course's “faster than an LSTM” fails: the GRU takes {ratio:.1f} times as long."
    if ratio < 1 / ALIKE:
        return right, f"{told} Here the course's “faster than an LSTM” holds."
    return right, f"{told} Here GRU and LSTM are equally fast."


def reaches(gradients: Gradients) -> tuple[list[str], str]:
    """Return whose gradient is the largest before training, `FAR` tokens from the end, and what training changes."""
    place = gradients.distances.index(FAR)

    def left(point: str, cell: str) -> float:
        curve = gradients.curves[point][cell]
        return curve.median[place] / curve.median[0] if curve.median[0] else 0.0

    before = {cell: gradients.curves["start"][cell].median[place] for cell in CELLS}
    right = max(CELLS, key=before.__getitem__)
    parts = "; ".join(f"{cell.upper()} {left('start', cell):.0e}, then {left('trained', cell):.0e}" for cell in CELLS)
    told = f"Of the gradient at the last token {FAR} tokens earlier is left, before training and after: {parts}."
    return [right.upper()], told.replace("e-", "e−")


def telling_lag(recall: Recall) -> int:
    """Return the longest delay over which one of the variants is right half the time; the longest if there is none."""
    return max([lag for lag in recall.lags if max(_means(recall, lag).values()) >= 0.5], default=recall.lags[-1])


def recalls(recall: Recall) -> tuple[list[str], str]:
    """Return the variants that recall best over the telling delay, their shares, and the best beyond it."""
    lag = telling_lag(recall)
    means = _means(recall, lag)
    right = [name for name, mean in means.items() if mean >= max(means.values()) - 0.005]
    told = f"After {lag} tokens: {', '.join(f'{name} {mean:.0%}' for name, mean in means.items())}."
    for longer in [one for one in recall.lags if one > lag][:1]:
        told += f" After {longer} none gets beyond {max(_means(recall, longer).values()):.0%}."
    return right, f"{told} Guessing gives {recall.chance:.0%}."


def _means(recall: Recall, lag: int) -> dict[str, float]:
    return {recall_name(variant): fmean(by_lag[lag]) for variant, by_lag in recall.accuracies.items()}


def convention_note(exact: bool, difference: float, convention: Convention) -> str:
    """Return what became of the weights when the convention was switched."""
    if exact:
        return (
            f"Written as in {convention.title}. The weights of z were converted where its sense turns, so that the "
            "cell computes the same. The place of r makes no difference to a single unit; in a layer, whose matrix U "
            "mixes the units, it does."
        )
    return (
        f"Written as in {convention.title}. PyTorch's r scales the recurrent bias c, too, and c is not 0: no weights "
        f"make the two agree. Here the new state differs by {number(abs(difference), 3)}."
    )


COURSE = {
    "Recurrent networks": "One state, rewritten at every step.",
    "Gated recurrent units": "Two gates decide what is kept. You are here.",
    "Advanced variants": "LSTM, two directions, several layers.",
    "Time series": "The same cells, with numbers for words.",
    "Sentiment": "A text read to its end, then judged: this app.",
}
HERE = "Gated recurrent units"

CHAPTER = r"""
### Memory, and how it fades
A recurrent network reads a sequence step by step and carries one vector along, its state $h$. A plain RNN writes the
whole state anew each time, $h_t=\tanh(Wx_t+Uh_{t-1}+b)$. What it saw long ago survives only if it comes through all
of these rewritings, and so does the gradient on its way back: it is multiplied by a similar matrix at every step. If
that shrinks it, the gradient *vanishes*, and what stands far apart is not learned together.

### The cell
A gated recurrent unit does not rewrite its state, it mixes: a share of the old state is copied as it is, and the rest
comes from a *candidate* $n$.

- The **reset gate** $r$ decides how much of the old state the candidate sees.
- The **update gate** $z$ sets the shares of old state and candidate.

Both are numbers between 0 and 1, one for each unit and step, computed from the input and the old state. Where the
copied share stays near 1, state and gradient pass through unchanged. That is learned, not given.

### Beside an LSTM
An LSTM carries two vectors, a cell state and an output, and has three gates. A GRU couples what the LSTM's forget and
input gates do apart, has no output gate, and shows its state as it is. That saves a block of weights.

### Where it is used
- **Speech recognition** and other audio: small models that follow a stream on a device.
- **Language modelling** and **machine translation**, for which it was invented; by now both belong to transformers.
- **Time series**: load, sensors, prices.
- **Real-time use**: each step costs the same, however long the past; a transformer's grows.

It is a poor choice where much text and computing power are at hand, where single steps of a far past must be looked up
exactly, or where training has to run over all steps at once: a recurrence takes them one after the other.
"""


def course_map() -> str:
    """Return the chapters of the course, in their order, as HTML."""
    items = "".join(
        f"<li{' aria-current=true' if name == HERE else ''}><strong>{name}</strong><span>{about}</span></li>"
        for name, about in COURSE.items()
    )
    return f'<nav aria-label="The course: Introduction to RNNs"><ol class="course">{items}</ol></nav>'
