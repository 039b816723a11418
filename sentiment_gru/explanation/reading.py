"""One text as the model reads it."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from ..network import Network
from .result import Array, Token


@dataclass(frozen=True)
class Reading:
    """One text as the model reads it: T tokens, their ids, and `score`, which maps rows of ids to (B, C) logits."""

    text: str
    tokens: tuple[Token, ...]
    ids: list[int]
    model: Network = field(repr=False)
    score: Callable[[list[list[int]]], Array] = field(repr=False)

    @property
    def tensor(self) -> torch.Tensor:
        """The (1, T) token ids on the model's device."""
        return torch.tensor([self.ids], dtype=torch.long, device=self.model.embedding.weight.device)
