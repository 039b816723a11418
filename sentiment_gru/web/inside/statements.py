"""What courses say of GRUs, each with a verdict and the figures it rests on; all of them are computed or read.

A sentence about a measurement is chosen by comparing the numbers: it stays true if they change.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Any

from .drawings import number, share
from .gru_cell import BLOCKS, CHO, CHUNG, GATES, PYTORCH, RESET_ONLY, blend, recurrent_parameters, step
from .measurements import WAYS, Measured, Speed, Trainings

HOLDS, LOOSE, CONVENTION, FAILS = "holds", "loose", "depends on the convention", "does not hold"
ALIKE = 1.05  # times that differ by less than this factor are called equal
EXAMPLE = {"z": 0.25, "h": 0.8, "n": -0.4}


@dataclass(frozen=True)
class Statement:
    """A sentence of a course, its verdict, and in HTML why; `source` is where figures were measured, if they were."""

    claim: str
    verdict: str
    reason: str
    source: str = ""


def statements(config: dict[str, Any], measured: Measured) -> list[Statement]:
    """Return the statements; `config` is that of the loaded checkpoint."""
    found = [two_gates(), reset_forgets(), update_decides(), fewer_parameters(config)]
    if measured.speed:
        found.append(faster(measured.speed))
    if "gru" in measured.trainings and "lstm" in measured.trainings:
        found.append(as_good(measured.trainings["gru"], measured.trainings["lstm"]))
    return found


def two_gates() -> Statement:
    """Judge the number of gates."""
    return Statement(
        "A GRU has two gates, an LSTM has three.",
        HOLDS,
        f"A GRU has {BLOCKS['gru']} blocks of weights: {GATES['gru']} gates, reset and update, and the candidate. An "
        f"LSTM has {BLOCKS['lstm']}: {GATES['lstm']} gates and the cell input.",
    )


def reset_forgets() -> Statement:
    """Judge whether a shut reset gate forgets, by the preset that shuts it alone."""
    found = step(RESET_ONLY.weights, RESET_ONLY.x, RESET_ONLY.h)
    return Statement(
        "A reset gate near 0 makes the unit forget its past.",
        LOOSE,
        f"It hides the past from the candidate only. With r = {number(found.r)} and z = {number(found.z)} an old "
        f"state of {number(found.h)} becomes {number(found.new)}: {share(found.kept)} of it is copied all the same. "
        "The unit forgets if the update gate copies nothing, too.",
    )


def update_decides() -> Statement:
    """Judge what a large z means, by one update in both senses."""
    z, h, n = (EXAMPLE[name] for name in "zhn")
    results = [f"{number(blend(z, h, n, one))} in {one.title}" for one in (PYTORCH, CHO, CHUNG)]
    return Statement(
        "The update gate decides how much new information enters: the larger, the more.",
        CONVENTION,
        f"With z = {number(z)}, old state {number(h)} and candidate {number(n)} the new state is "
        f"{escape(', '.join(results))}. In Chung's equations z is the share of what is new; in Cho's and PyTorch's it "
        "is the share of what is kept.",
    )


def fewer_parameters(config: dict[str, Any]) -> Statement:
    """Judge the size, at that of the loaded model."""
    gru, lstm = (recurrent_parameters(config, cell) for cell in ("gru", "lstm"))
    table = int(config["vocab_size"]) * int(config["embedding_size"])
    return Statement(
        "A GRU has fewer parameters than an LSTM.",
        HOLDS,
        f"At the sizes of this app's model {gru:,} against {lstm:,} in the recurrent layers, which is exactly "
        f"{BLOCKS['gru']}/{BLOCKS['lstm']} at any size. Of a whole model it may be little: the word vectors here are "
        f"another {table:,}, so that the LSTM would make all of it only {share((lstm - gru) / (gru + table))} larger.",
    )


def faster(speed: Speed) -> Statement:
    """Judge the speed, in every way it was measured."""
    ratios = {way: speed.times["lstm"][way] / speed.times["gru"][way] for way in speed.ways}
    wins = sum(ratio > ALIKE for ratio in ratios.values())
    verdict = HOLDS if wins == len(ratios) else LOOSE if wins else FAILS
    told = "; ".join(_told_time(speed, way) for way in ratios)
    lead = {
        HOLDS: "So it was in every way that was tried",
        LOOSE: f"So it was in {wins} of {len(ratios)} ways that were tried: the library and the batch decide",
        FAILS: f"So it was in none of {len(ratios)} ways that were tried",
    }[verdict]
    return Statement("A GRU is faster than an LSTM.", verdict, f"{lead}. {told}.", speed.source)


def _told_time(speed: Speed, way: str) -> str:
    gru, lstm = speed.times["gru"][way], speed.times["lstm"][way]
    if max(gru, lstm) / min(gru, lstm) < ALIKE:
        word = "equally fast"
    else:
        word = f"{max(gru, lstm) / min(gru, lstm):.1f} times {'faster' if gru < lstm else 'slower'}"
    return f"{WAYS[way]}: {gru:.1f} ms against {lstm:.1f} ms, {word}"


def as_good(gru: Trainings, lstm: Trainings) -> Statement:
    """Judge the accuracy: equal if the difference of the means is no larger than the spread of the seeds."""
    difference = gru.mean - lstm.mean
    spread = max(max(one.accuracies) - min(one.accuracies) for one in (gru, lstm))
    if min(len(gru.accuracies), len(lstm.accuracies)) < 2:
        verdict, word = LOOSE, "one seed each says little"
    elif abs(difference) <= spread:
        verdict, word = HOLDS, f"a difference within the spread of the seeds, {100 * spread:.1f} points"
    else:
        verdict = HOLDS if difference > 0 else FAILS
        word = f"the GRU is {'better' if difference > 0 else 'worse'} by more than the spread of the seeds"
    return Statement(
        "A GRU is often as good as an LSTM.",
        verdict,
        f"Here, at equal hidden size, {gru.mean:.1%} against {lstm.mean:.1%} on {gru.texts:,} reviews: {word}. "
        "It is one task; on others, such as counting, the LSTM is known to be ahead.",
        gru.source,
    )


def statements_html(found: list[Statement]) -> str:
    """Return the statements as a list, the verdict of each as a badge."""
    return f'<ul class="statements">{"".join(_rows(found))}</ul>'


def _rows(found: list[Statement]) -> Iterator[str]:
    for one in found:
        kind = one.verdict.split()[0]
        source = f'<p class="inside-source">{one.source}</p>' if one.source else ""
        yield (
            f'<li><p class="claim">“{escape(one.claim)}” <span class="badge verdict-{kind}">{one.verdict}</span></p>'
            f"<p>{one.reason}</p>{source}</li>"
        )
