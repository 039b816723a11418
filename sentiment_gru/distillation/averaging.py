"""Several students that went on from the same weights, averaged into one.

Source: Wortsman et al. 2022, "Model soups: averaging weights of multiple fine-tuned models improves accuracy without
increasing inference time".
"""

from collections.abc import Sequence
from pathlib import Path

import torch

from ..checkpoint import load_model, load_tokenizer, save_checkpoint


def average_checkpoints(folders: Sequence[Path], target: Path) -> None:
    """Put the mean of the checkpoints' weights into the checkpoint folder `target`, which is one of them copied."""
    states = [load_model(folder).state_dict() for folder in folders]
    model = load_model(target)
    model.load_state_dict({name: torch.stack([state[name] for state in states]).mean(dim=0) for name in states[0]})
    save_checkpoint(model, load_tokenizer(target), target)
