"""What happens during training besides the steps: averaging, checkpoints within epochs, Ctrl-C."""

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

ECHO = 2.0  # seconds in which a second SIGINT is the same Ctrl-C, forwarded by a launcher


class TrainingInterrupted(Exception):  # noqa: N818, a request and no error
    """The user pressed Ctrl-C, and a checkpoint of that step has been saved."""


class AverageAfterStep(TrainerCallback):
    """Update the averaged weights after each step."""

    def __init__(self, average: AveragedModel) -> None:
        self.average = average

    def on_step_end(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
        """Take the weights of this step into the average."""
        self.average.update_parameters(model)


class SaveWithinEpochs(TrainerCallback):
    """Save every so many steps, besides the checkpoints after each epoch, so that a killed run loses little."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Ask for a checkpoint."""
        if state.global_step % self.steps == 0 and not ends_epoch(state, control):
            control.should_save = control.should_log = True

    def on_epoch_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Log the loss up to each checkpoint: the sum since the last log is not part of one."""
        control.should_log = True


class StopOnInterrupt(TrainerCallback):
    """Answer Ctrl-C with a checkpoint after the step, then stop; a second Ctrl-C stops at once."""

    def __init__(self) -> None:
        self.asked_at: float | None = None
        self.agreed = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listen for Ctrl-C; only a program's main thread can."""
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
        if self.asked_at is None:
            self.asked_at = now
            print("\nStopping after this step; Ctrl-C once more stops at once.", file=sys.stderr, flush=True)
        elif now - self.asked_at > ECHO:
            raise KeyboardInterrupt

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Ask for a checkpoint once every process has been told to stop."""
        asked = torch.tensor(float(self.asked_at is not None), device=args.device)
        if args.world_size > 1:  # a signal may reach the processes in different steps
            torch.distributed.all_reduce(asked, torch.distributed.ReduceOp.MAX)
        self.agreed = bool(asked)
        if self.agreed and not ends_epoch(state, control):
            control.should_save = True

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Stop, unless the training just came to its own end."""
        if self.agreed and not control.should_training_stop:
            raise TrainingInterrupted


def ends_epoch(state: Any, control: Any) -> bool:
    """Return whether evaluation follows this step: a checkpoint before it would resume without it."""
    return bool(control.should_training_stop or state.epoch.is_integer())
