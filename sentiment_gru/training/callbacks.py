"""Trainer callbacks for weight averaging, checkpoints within epochs, and Ctrl-C."""

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.optim.swa_utils import AveragedModel
from transformers import TrainerCallback
from transformers.trainer_callback import ProgressCallback

ECHO = 2.0  # seconds within which a second SIGINT is the same Ctrl-C, forwarded by a launcher


class TrainingInterrupted(Exception):  # noqa: N818, a request rather than an error
    """Raised after Ctrl-C, once a checkpoint of that step has been saved."""


class AverageAfterStep(TrainerCallback):
    """Update the averaged weights after each step."""

    def __init__(self, average: AveragedModel) -> None:
        self.average = average

    def on_step_end(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
        """Update the average with the weights of this step."""
        self.average.update_parameters(model)


class EpochLines(ProgressCallback):
    """Progress bar, with a line after each evaluation in place of the dictionaries of the Trainer."""

    def __init__(self, figure: str) -> None:
        super().__init__()
        self.figure = figure
        self.loss = float("nan")

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        """Print the score of an evaluation with the training loss before it."""
        self.loss = logs.get("loss", self.loss)
        if self.training_bar is not None and "eval_score" in logs:
            self.training_bar.write(
                f"Epoch {state.epoch:g}: training loss {self.loss:.3f}, {self.figure} on dev {logs['eval_score']:.1%}",
                file=sys.stderr,
            )


class SaveWithinEpochs(TrainerCallback):
    """Save a checkpoint every `steps` steps, so that a killed run loses little of an epoch."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Request a checkpoint."""
        if state.global_step % self.steps == 0 and not ends_epoch(state, control):
            control.should_save = control.should_log = True

    def on_epoch_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Log the loss before each checkpoint, which does not store the loss summed since the last log."""
        control.should_log = True


class StopOnInterrupt(TrainerCallback):
    """On Ctrl-C, save a checkpoint after the step and stop; a second Ctrl-C stops at once."""

    def __init__(self) -> None:
        self.requested_at: float | None = None
        self.confirmed = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Handle Ctrl-C within the context; only the main thread can."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        previous = signal.signal(signal.SIGINT, self._handle)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, previous)

    def _handle(self, number: int, frame: Any) -> None:
        now = time.monotonic()
        if self.requested_at is None:
            self.requested_at = now
            print("\nStopping after this step; Ctrl-C once more stops at once.", file=sys.stderr, flush=True)
        elif now - self.requested_at > ECHO:
            raise KeyboardInterrupt

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Request a checkpoint once any process has received Ctrl-C."""
        requested = torch.tensor(float(self.requested_at is not None), device=args.device)
        if args.world_size > 1:  # a signal may reach the processes in different steps
            torch.distributed.all_reduce(requested, torch.distributed.ReduceOp.MAX)
        self.confirmed = bool(requested)
        if self.confirmed and not ends_epoch(state, control):
            control.should_save = True

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Stop, unless the training has just ended by itself."""
        if self.confirmed and not control.should_training_stop:
            raise TrainingInterrupted


def ends_epoch(state: Any, control: Any) -> bool:
    """Return whether evaluation follows this step; a run resumed from an earlier checkpoint would skip it."""
    return bool(control.should_training_stop or state.epoch.is_integer())
