"""Train a checkpoint from labelled texts and measure it; the entry point is `run.train`."""

from ..errors import check_extra

check_extra("Training", "train", "datasets", "accelerate", "matplotlib")
