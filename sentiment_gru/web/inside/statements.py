"""Common statements of courses about GRUs, each with a verdict and the figures that support it.

Every figure is computed or read from a result file. A sentence about a measurement is chosen by comparing the numbers,
so that it stays true when they change.
"""

from dataclasses import dataclass
from typing import Any

from .gru_cell import CHO, CHUNG, PYTORCH, RESET_ONLY, blend, step
from .measurements import (
    COMPARED_DISTANCE,
    SPEED_MODES,
    Gradients,
    Measured,
    Source,
    Speed,
    Trainings,
    format_left,
)
from .stage_view import format_number, format_share

HOLDS, LOOSE, CONVENTION, FAILS = "holds", "loose", "depends on the convention", "does not hold"
EQUAL_RATIO = 1.05  # times that differ by less than this factor count as equal
EXAMPLE = {"z": 0.25, "h": 0.8, "n": -0.4}
BLOCKS = {"gru": 3, "lstm": 4, "rnn": 1}  # weight matrices per input: gates, and candidate or cell input
GATES = {"gru": 2, "lstm": 3, "rnn": 0}
KERAS_EXAMPLE = (4, 5)  # inputs and units of the quiz's question on Keras


@dataclass(frozen=True)
class Statement:
    """A statement of a course, its verdict, the reason, and the origin of measured figures if there are any."""

    claim: str
    verdict: str
    reason: str
    source: Source | None = None


def list_statements(config: dict[str, Any], measured: Measured) -> dict[str, Statement]:
    """Return the statements that the measurements allow to judge, by the names that the chapter uses.

    Args:
        config: The configuration of the loaded checkpoint.
        measured: The measurements.
    """
    statements = {
        "gates": judge_gate_count(),
        "reset": judge_reset_gate(),
        "update": judge_update_gate(),
        "learning": REGULATES_LEARNING,
        "size": judge_size(config),
        "data": LARGE_DATASETS,
        "translation": TRANSLATION,
        "speech": SPEECH,
        "series": TIME_SERIES,
    }
    if measured.gradients:
        statements["gradient"] = judge_gradient(measured.gradients)
    if measured.speed:
        statements["speed"] = judge_speed(measured.speed)
        statements["real_time"] = judge_real_time(measured.speed)
    if "gru" in measured.trainings and "lstm" in measured.trainings:
        statements["accuracy"] = judge_accuracy(measured.trainings["gru"], measured.trainings["lstm"])
    return statements


REGULATES_LEARNING = Statement(
    "The gates regulate learning.",
    LOOSE,
    "They regulate what a unit keeps and writes, at every step, in training and afterwards. Learning is the work of "
    "gradient descent; but where the copied share stays near 1 the gradient passes, and there is something to learn "
    "from.",
)
LARGE_DATASETS = Statement(
    "GRUs are efficient, and so they suit large datasets.",
    LOOSE,
    "A step is cheap, but the steps of a text must be taken one after the other. A transformer reads all words at "
    "once, and with much text and hardware it trains faster and gets further. GRUs shine where data or devices are "
    "small.",
)
TRANSLATION = Statement(
    "GRUs are used for machine translation and language modelling.",
    LOOSE,
    "They were invented for translation (Cho et al. 2014). By now both belong to transformers.",
)
SPEECH = Statement(
    "GRUs are used for speech recognition.",
    HOLDS,
    "Small models that follow a stream on a device still use them; large recognizers are transformers, too.",
)
TIME_SERIES = Statement(
    "GRUs are used for time series.",
    HOLDS,
    "Load, sensors, prices: the same cell with numbers for words. Whether it beats a simpler method must be tried on "
    "each series; this app measures texts only.",
)


def count_parameters(cell: str, inputs: int, hidden: int) -> int:
    """Return the weights and biases of one layer and direction in PyTorch, which has two biases per unit and block."""
    return BLOCKS[cell] * hidden * (inputs + hidden + 2)


def count_recurrent_parameters(config: dict[str, Any], cell: str) -> int:
    """Return the parameters of the recurrent layers of a config.json if its cells were of this kind."""
    hidden, layers = int(config["hidden_size"]), int(config.get("num_layers", 1))
    directions = 2 if config.get("bidirectional") else 1
    inputs = [int(config["embedding_size"])] + [directions * hidden] * (layers - 1)
    return directions * sum(count_parameters(cell, size, hidden) for size in inputs)


def judge_gate_count() -> Statement:
    """Judge the number of gates."""
    return Statement(
        "A GRU has two gates, an LSTM has three.",
        HOLDS,
        f"A GRU has {BLOCKS['gru']} blocks of weights: {GATES['gru']} gates, reset and update, and the candidate. An "
        f"LSTM has {BLOCKS['lstm']}: {GATES['lstm']} gates and the cell input.",
    )


def judge_reset_gate() -> Statement:
    """Judge whether a closed reset gate forgets, by the preset that closes only the reset gate."""
    example = step(RESET_ONLY.weights, RESET_ONLY.x, RESET_ONLY.h)
    return Statement(
        "A reset gate near 0 makes the unit forget its past.",
        LOOSE,
        f"It hides the past from the candidate only. With r = {format_number(example.r)} and z = "
        f"{format_number(example.z)} an old state of {format_number(example.h)} becomes {format_number(example.new)}: "
        f"{format_share(example.z)} of it is copied all the same. The unit forgets if the update gate copies "
        "nothing, too.",
    )


def judge_update_gate() -> Statement:
    """Judge the meaning of a large z, by one update under each convention."""
    z, h, n = (EXAMPLE[name] for name in "zhn")
    results = ", ".join(
        f"{format_number(blend(z, h, n, convention))} in {convention.title}" for convention in (PYTORCH, CHO, CHUNG)
    )
    return Statement(
        "The update gate decides how much new information enters: the larger, the more.",
        CONVENTION,
        f"With z = {format_number(z)}, old state {format_number(h)} and candidate {format_number(n)} the new state is "
        f"{results}. In Chung's equations z is the share of what is new; in Cho's and PyTorch's it is the share of "
        "what is kept.",
    )


def judge_size(config: dict[str, Any]) -> Statement:
    """Judge the number of parameters, at the sizes of the loaded model and with the biases of Keras."""
    gru, lstm = (count_recurrent_parameters(config, cell) for cell in ("gru", "lstm"))
    embeddings = int(config["vocab_size"]) * int(config["embedding_size"])
    growth = format_share((lstm - gru) / (gru + embeddings))
    inputs, hidden = KERAS_EXAMPLE
    keras = BLOCKS["gru"] * (inputs + hidden + 2) / (BLOCKS["lstm"] * (inputs + hidden + 1))
    return Statement(
        "A GRU has fewer parameters than an LSTM.",
        HOLDS,
        f"At the sizes of this app's model {gru:,} against {lstm:,} in the recurrent layers, exactly "
        f"{BLOCKS['gru']}/{BLOCKS['lstm']}. That is PyTorch's count, with two biases in both. In Keras the GRU has two "
        f"and the LSTM one: with {inputs} inputs and {hidden} units the ratio is {keras:.3f}, and with many it nears "
        f"{BLOCKS['gru']}/{BLOCKS['lstm']}. Of a whole model it may be little: the word vectors here are another "
        f"{embeddings:,}, so that the LSTM would make all of it only {growth} larger.",
    )


def judge_gradient(gradients: Gradients) -> Statement:
    """Judge whether gates keep the gradient, by the shares left before and after training."""
    start, trained = (gradients.left(stage, "gru", COMPARED_DISTANCE) for stage in ("pytorch", "trained"))
    rnn = gradients.left("trained", "rnn", COMPARED_DISTANCE)
    verdict = FAILS if trained <= rnn else HOLDS if start > 0.1 else LOOSE
    return Statement(
        "Gates solve the vanishing gradient problem.",
        verdict,
        f"Of the gradient at the last word, {COMPARED_DISTANCE} words earlier {format_left(start)} is left in a GRU as "
        f"PyTorch starts it, and {format_left(trained)} after training; in a trained RNN {format_left(rnn)}. Gates "
        "make it possible to keep the gradient, and training has to make use of that.",
        gradients.source,
    )


def judge_real_time(speed: Speed) -> Statement:
    """Judge the use in real time, by the time of a step."""
    milliseconds = speed.times["gru"]["torch_one"] / speed.tokens
    return Statement(
        "GRUs suit real-time applications.",
        HOLDS,
        f"A step costs the same however long the past is: {milliseconds:.2f} ms a word in this measurement. The past a "
        "transformer looks at grows. An LSTM and an RNN have the same advantage.",
        speed.source,
    )


def judge_speed(speed: Speed) -> Statement:
    """Judge the speed in every mode that was measured."""
    ratios = [speed.times["lstm"][mode] / speed.times["gru"][mode] for mode in speed.modes]
    wins = sum(ratio > EQUAL_RATIO for ratio in ratios)
    verdict = HOLDS if wins == len(ratios) else LOOSE if wins else FAILS
    lead = {
        HOLDS: "So it was in every way that was tried",
        LOOSE: f"So it was in {wins} of {len(ratios)} ways that were tried: the library and the batch decide",
        FAILS: f"So it was in none of {len(ratios)} ways that were tried",
    }[verdict]
    comparisons = "; ".join(_compare_times(speed, mode) for mode in speed.modes)
    limits = "All of it on a processor; on a GPU it may be otherwise."
    return Statement("A GRU is faster than an LSTM.", verdict, f"{lead}. {comparisons}. {limits}", speed.source)


def _compare_times(speed: Speed, mode: str) -> str:
    gru, lstm = speed.times["gru"][mode], speed.times["lstm"][mode]
    if max(gru, lstm) / min(gru, lstm) < EQUAL_RATIO:
        comparison = "equally fast"
    else:
        comparison = f"{max(gru, lstm) / min(gru, lstm):.1f} times {'faster' if gru < lstm else 'slower'}"
    return f"{SPEED_MODES[mode]}: {gru:.1f} ms against {lstm:.1f} ms, {comparison}"


def judge_accuracy(gru: Trainings, lstm: Trainings) -> Statement:
    """Judge the accuracy: equal if the means differ by no more than the spread of the seeds."""
    difference = gru.mean - lstm.mean
    spread = max(max(runs.accuracies) - min(runs.accuracies) for runs in (gru, lstm))
    if min(len(gru.accuracies), len(lstm.accuracies)) < 2:
        verdict, comparison = LOOSE, "one seed each says little"
    elif abs(difference) <= spread:
        verdict, comparison = HOLDS, f"a difference within the spread of the seeds, {100 * spread:.1f} points"
    else:
        verdict = HOLDS if difference > 0 else FAILS
        comparison = f"the GRU is {'better' if difference > 0 else 'worse'} by more than the spread of the seeds"
    return Statement(
        "A GRU is often as good as an LSTM.",
        verdict,
        f"Here, at equal hidden size, {gru.mean:.1%} against {lstm.mean:.1%} on {gru.texts:,} reviews: {comparison}. "
        f"That is one dataset and {len(gru.accuracies)} seeds; on other tasks, such as counting, the LSTM is known to "
        "be ahead.",
        gru.source,
    )
