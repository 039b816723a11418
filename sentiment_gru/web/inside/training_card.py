"""The card on which a visitor trains a small network on delayed recall: its event and its charts."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import gradio as gr
import numpy as np
from markupsafe import Markup

from ...results import Array
from ..charts import Line, render_line_chart
from ..gradio_compat import LIGHT
from ..rendering import render
from .figures import TONES, variant_name

VARIANTS = ("gru", "lstm", "lstm, forget bias 1", "rnn")
UNITS, DELAYS = (8, 64, 8), (5, 40, 5)  # least, most, and step of the sliders
MOST_STEPS, MOST_SECONDS = 1_500, 20.0
REPORTED = 0.15  # seconds of work between two charts
# At most two at once, each on one core, so that verdicts and explanations go on beside them.
TRAIN: dict[str, Any] = {
    "concurrency_limit": 2,
    "concurrency_id": "trainings",
    "trigger_mode": "once",
    "show_progress": "hidden",
    "api_visibility": "private",
}
WAITING = "The training begins as soon as fewer than two others run."
START = "Choose a cell and press Train. Then change one thing and train again: both runs are drawn."


@dataclass
class Run:
    """A training as the card shows it.

    Attributes:
        variant: A key of `explanation.delayed_recall.VARIANTS`.
        hidden: Units.
        delay: Random tokens between the class and the answer.
        steps: Steps at which the curves have a point.
        accuracy: Share of right answers in the last batches, at each of these steps.
        loss: Mean loss of the batches since the point before, in nats.
        kept: (1 + delay,) shares of the old state that each token keeps, or None for an RNN.
        seconds: CPU time of the steps.
        is_learned: True once the last answers were all right.
        seed: Of the weights and sequences.
        answers: Number of last answers that count.
        chance: Share of right answers by guessing.
    """

    variant: str
    hidden: int
    delay: int
    seed: int = 0
    steps: list[int] = field(default_factory=lambda: [0])
    accuracy: list[float] = field(default_factory=list)
    loss: list[float] = field(default_factory=list)
    kept: Array | None = None
    seconds: float = 0.0
    is_learned: bool = False
    answers: int = 0
    chance: float = 0.0

    @property
    def name(self) -> str:
        """The name of the run in the legends."""
        return f"{variant_name(self.variant)}, {self.hidden} units, {self.delay} tokens"


def train(run: Run) -> Iterator[Run]:
    """Train until it has learned, or for `MOST_STEPS` or `MOST_SECONDS`; yield the run after each `REPORTED` seconds.

    Nothing runs between two of its steps: a visitor who leaves takes the training along.
    """
    from ...explanation.delayed_recall import WINDOW, RecallTraining, Task

    task = Task(hidden=run.hidden, embedding=16, batch=32, rate=1e-2, steps=MOST_STEPS)
    training = RecallTraining(task, run.variant, run.delay, run.seed)
    right: list[int] = []
    losses: list[float] = []
    run.answers, run.chance = WINDOW * task.batch, 1 / task.classes
    run.kept, run.accuracy, run.loss = training.kept_shares(), [run.chance], [-float(np.log(run.chance))]
    started = time.thread_time()
    while not run.is_learned and training.done < task.steps and run.seconds < MOST_SECONDS:
        step = training.step()
        right.append(step.right)
        losses.append(step.loss)
        run.is_learned = sum(right[-WINDOW:]) == run.answers
        is_last = run.is_learned or training.done == task.steps
        if (spent := time.thread_time() - started) >= REPORTED or is_last:
            run.seconds += spent
            run.steps.append(training.done)
            run.accuracy.append(sum(right[-WINDOW:]) / (len(right[-WINDOW:]) * task.batch))
            run.loss.append(float(np.mean(losses)))
            run.kept = training.kept_shares()
            losses = []
            yield run
            started = time.thread_time()  # the next step may run in another thread


def report(run: Run, is_running: bool) -> str:
    """Return the progress of a training, or how it ended."""
    if run.is_learned:
        steps = f"Learned after {run.steps[-1]:,} steps and {run.seconds:.1f} s"
        return f"{steps}: the last {run.answers:,} answers were all right."
    share = f"{run.accuracy[-1]:.0%} of the last answers are right; guessing gives {run.chance:.0%}"
    where = f"Step {run.steps[-1]:,}: {share}."
    if is_running:
        return where
    is_over = run.steps[-1] >= MOST_STEPS or run.seconds >= MOST_SECONDS
    return f"{f'Not learned in {run.seconds:.1f} s' if is_over else 'Stopped'}. {where}"


def render_runs(runs: list[Run], is_running: bool = False) -> Markup:
    """Return the charts of the runs, the newest last, and what became of it."""
    if not runs:
        return render("inside/training.html", report=START, charts=[], notes=[])
    last = max(run.steps[-1] for run in runs) or 1
    highest = max(max(run.loss) for run in runs)
    farthest = max(run.delay for run in runs)
    ends = ("step 0", f"step {last:,}")
    charts = [
        ("Right answers", _chart(runs, "accuracy", last, 1.0, ("0%", "100%"), ends)),
        ("Loss", _chart(runs, "loss", last, highest, ("0", f"{highest:.2f}"), ends)),
    ]
    gated = [run for run in runs if run.kept is not None]
    if gated:
        ends = ("the class", f"{farthest} tokens later")
        charts.append(
            ("Share of the old state that is kept", _chart(gated, "kept", farthest, 1.0, ("0%", "100%"), ends))
        )
    notes = [f"{run.name}: no gate. Each token overwrites the whole state." for run in runs if run.kept is None]
    return render("inside/training.html", report=report(runs[-1], is_running), charts=charts, notes=notes)


def _chart(runs: list[Run], curve: str, last: int, top: float, names: tuple[str, str], ends: tuple[str, str]) -> Markup:
    """Return a chart of one curve of each run, by steps, or by tokens for `kept`."""
    lines = []
    for run in runs:
        at = np.arange(1 + run.delay) if curve == "kept" else np.array(run.steps)
        css = f"line tone-{TONES[run.variant.split(',')[0]]}"
        lines.append(Line(run.name, css, at / last, np.array(getattr(run, curve))))
    return render_line_chart(lines, (0, top), names, f"{curve} of each run", axis=ends, on_tokens=False)


@dataclass
class TrainingVisit:
    """The trainings of one visitor.

    Attributes:
        runs: The last training, and the one before it.
        started: Number of trainings so far, which is the seed of the next one.
        is_stopped: Whether the training that runs or waits must stop.
    """

    runs: list[Run] = field(default_factory=list)
    started: int = 0
    is_stopped: bool = False


def begin_training(visit: TrainingVisit) -> Markup:
    """Return the content of the card for a training that waits for its turn."""
    visit.is_stopped = False
    return render("inside/training.html", report=WAITING, charts=[], notes=[])


def run_training(visit: TrainingVisit, variant: str, hidden: float, delay: float) -> Iterator[Markup]:
    """Train a new network and yield the content of the card; the run stays in the visit."""
    run = Run(variant, int(hidden), int(delay), seed=visit.started)
    visit.started += 1
    earlier = visit.runs[-1:]
    for _ in () if visit.is_stopped else train(run):
        visit.runs = [*earlier, run]
        if visit.is_stopped:
            break
        yield render_runs(visit.runs, is_running=True)
    yield render_runs(visit.runs)


def stop_training(visit: TrainingVisit) -> None:
    """Let the training of a visit stop before its first step or at its next report."""
    visit.is_stopped = True


def build_training_card() -> None:
    """Build the components and events of the card in the current Gradio context."""
    choices = [(variant_name(variant), variant) for variant in VARIANTS]
    variant = gr.Radio(choices, value="gru", label="Cell", interactive=True, elem_id="inside-train-cell")
    with gr.Row():
        hidden = gr.Slider(*UNITS[:2], 32, step=UNITS[2], label="Units", buttons=[], interactive=True)
        delay = gr.Slider(*DELAYS[:2], 20, step=DELAYS[2], label="Tokens between", buttons=[], interactive=True)
    with gr.Row(elem_id="inside-train-buttons"):
        start = gr.Button("Train", variant="primary", elem_id="inside-train-start")
        stop = gr.Button("Stop", elem_id="inside-train-stop")
    picture = gr.HTML(render_runs([]), apply_default_css=False, js_on_load=None, elem_id="inside-train-picture")
    visit = gr.State(TrainingVisit())
    waiting = start.click(begin_training, visit, picture, **LIGHT)
    waiting.then(run_training, [visit, variant, hidden, delay], picture, **TRAIN)
    stop.click(stop_training, visit, None, **LIGHT)
