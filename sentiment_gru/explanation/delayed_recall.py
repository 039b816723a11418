"""Delayed recall: the first token names a class, random others follow, and at the end the class is asked for.

After Hochreiter and Schmidhuber 1997, "Long Short-Term Memory", section 5. Every batch is new, so that nothing can be
learned by heart. Recurrent matrices start orthogonal and biases at 0. As an LSTM is often started with an open forget
gate (its bias 1; Jozefowicz et al. 2015, "An Empirical Exploration of Recurrent Network Architectures"), that is a
variant of its own.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..network import CELLS
from ..results import Array
from .gates import gate_values

VARIANTS = {"gru": ("gru", 0.0), "lstm": ("lstm", 0.0), "lstm, forget bias 1": ("lstm", 1.0), "rnn": ("rnn", 0.0)}
BETAS, EPSILON = (0.9, 0.999), 1e-8  # of Adam


@dataclass(frozen=True)
class Task:
    """The sizes of the task, of the network and of its training.

    Attributes:
        classes: First tokens; chance is one in so many.
        distractors: Other tokens.
        embedding: Numbers per token.
        hidden: Units.
        batch: Sequences per step.
        steps: Most steps of a training; it ends earlier once `WINDOW` batches in a row are right.
        rate: Learning rate of Adam.
        clip: Largest norm of the gradients.
    """

    classes: int = 8
    distractors: int = 8
    embedding: int = 32
    hidden: int = 64
    batch: int = 64
    steps: int = 1_000
    rate: float = 3e-3
    clip: float = 1.0


WINDOW = 10  # batches


def draw(task: Task, lag: int, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return (count, 1 + lag) tokens and their (count,) classes: the class, then random distractors."""
    classes = torch.randint(task.classes, (count,), generator=generator)
    others = torch.randint(task.distractors, (count, lag), generator=generator) + task.classes
    return torch.cat([classes[:, None], others], dim=1), classes


class RecallNetwork(nn.Module):
    """Token vectors, one recurrent layer, and a linear layer on its last state.

    Args:
        task: The sizes.
        variant: A key of `VARIANTS`.
        seed: Of the initial weights.
    """

    def __init__(self, task: Task, variant: str, seed: int) -> None:
        super().__init__()
        cell, forget_bias = VARIANTS[variant]
        random = np.random.default_rng(seed)  # torch's generator is shared with other threads
        tokens = random.normal(size=(task.classes + task.distractors, task.embedding))
        self.tokens = nn.Parameter(torch.tensor(tokens, dtype=torch.float32))
        self.cell = CELLS[cell](task.embedding, task.hidden, batch_first=True)
        self.head = nn.Linear(task.hidden, task.classes)
        weights = dict(self.cell.named_parameters())
        gates = len(weights["weight_hh_l0"]) // task.hidden
        square = random.normal(size=(gates, task.hidden, task.hidden))
        with torch.no_grad():
            weights["weight_hh_l0"].copy_(torch.tensor(np.linalg.qr(square)[0].reshape(-1, task.hidden)))
            for matrix in (weights["weight_ih_l0"], self.head.weight):
                bound = np.sqrt(6 / sum(matrix.shape))  # Glorot and Bengio 2010
                matrix.copy_(torch.tensor(random.uniform(-bound, bound, size=matrix.shape)))
            for bias in (weights["bias_ih_l0"], weights["bias_hh_l0"], self.head.bias):
                bias.zero_()
            if forget_bias:
                weights["bias_ih_l0"][task.hidden : 2 * task.hidden] = forget_bias  # second of i f g o

    def states(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Return the (B, T, embedding) vectors of (B, T) tokens, and the (B, T, hidden) states after each."""
        inputs = self.tokens[tokens]
        return inputs, self.cell(inputs)[0]

    def forward(self, tokens: Tensor) -> Tensor:
        """Return (B, classes) logits of (B, T) tokens."""
        return self.head(self.states(tokens)[1][:, -1])

    @torch.no_grad()
    def kept_shares(self, tokens: Tensor) -> Array | None:
        """Return the (T,) share of the old state that each token keeps, the mean over sequences and units.

        That is z of a GRU and the forget gate of an LSTM; an RNN has no such gate, and None is returned.
        """
        inputs, states = self.states(tokens)
        previous = torch.cat([torch.zeros_like(states[:, :1]), states[:, :-1]], dim=1)
        if isinstance(self.cell, nn.GRU):
            kept = gate_values(self.cell, inputs, previous)[1]
        elif isinstance(self.cell, nn.LSTM):
            weights = dict(self.cell.named_parameters())
            terms = F.linear(inputs, weights["weight_ih_l0"], weights["bias_ih_l0"])
            terms = terms + F.linear(previous, weights["weight_hh_l0"], weights["bias_hh_l0"])
            kept = torch.sigmoid(terms.chunk(4, dim=-1)[1])
        else:
            return None
        shares: Array = kept.mean(dim=(0, 2)).numpy()
        return shares


class Step(NamedTuple):
    """A step of a training: its loss in nats, and the number of sequences of the batch that were right before it."""

    loss: float
    right: int


class RecallTraining:
    """A training of a network for one lag; the same arguments give the same training.

    Args:
        task: The sizes.
        variant: A key of `VARIANTS`.
        lag: Random tokens between the class and the answer.
        seed: Of the initial weights and of the sequences.
    """

    def __init__(self, task: Task, variant: str, lag: int, seed: int) -> None:
        self.task, self.lag, self.done = task, lag, 0
        self.network = RecallNetwork(task, variant, seed)
        self.generator = torch.Generator().manual_seed(seed)
        self.parameters = list(self.network.parameters())
        self.moments = [(torch.zeros_like(p), torch.zeros_like(p)) for p in self.parameters]

    def step(self) -> Step:
        """Train on a new batch."""
        tokens, classes = draw(self.task, self.lag, self.task.batch, self.generator)
        logits = self.network(tokens)
        loss = F.cross_entropy(logits, classes)
        gradients = torch.autograd.grad(loss, self.parameters)
        norm = torch.stack([gradient.norm() for gradient in gradients]).norm()
        self.done += 1
        self._descend(gradients, min(1.0, self.task.clip / float(norm)))
        return Step(float(loss.detach()), int((logits.argmax(dim=1) == classes).sum()))

    @torch.no_grad()
    def _descend(self, gradients: tuple[Tensor, ...], scale: float) -> None:
        """Move the weights by one step of Adam (Kingma and Ba 2015, algorithm 1).

        `torch.optim` would import torch's compiler: 70 MB, and seconds before the first step.
        """
        first_rest, second_rest = (1 - beta**self.done for beta in BETAS)
        for parameter, gradient, (first, second) in zip(self.parameters, gradients, self.moments, strict=True):
            gradient = gradient * scale
            first.lerp_(gradient, 1 - BETAS[0])
            second.mul_(BETAS[1]).addcmul_(gradient, gradient, value=1 - BETAS[1])
            parameter.addcdiv_(first / first_rest, (second / second_rest).sqrt() + EPSILON, value=-self.task.rate)

    def kept_shares(self, count: int = 64) -> Array | None:
        """Return `RecallNetwork.kept_shares` of so many sequences, always the same ones."""
        return self.network.kept_shares(draw(self.task, self.lag, count, torch.Generator().manual_seed(1))[0])
