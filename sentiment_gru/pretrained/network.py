"""The classifier's network in plain PyTorch; every checkpoint folder holds a copy of this file.

Letters in shape comments: B texts, T tokens, E embedding_size, H hidden_size, D directions (1 or 2), C labels.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .model_config import ModelConfig, length_factor

CELLS: dict[str, type[nn.GRU] | type[nn.LSTM] | type[nn.RNN]] = {
    "gru": nn.GRU,
    "lstm": nn.LSTM,
    "rnn": nn.RNN,
}


def reverse_padded(sequence: Tensor, lengths: Tensor) -> Tensor:
    """Reverse each row of a right-padded batch within its length, so that padding stays last.

    Args:
        sequence: (B, T, *) padded rows.
        lengths: (B,) true lengths.

    Returns:
        (B, T, *) reversed rows with unchanged padding. The function is its own inverse.
    """
    steps = torch.arange(sequence.shape[1], device=sequence.device)  # (T,)
    mirrored = lengths[:, None] - 1 - steps  # (B, T), negative in the padding
    index = torch.where(mirrored >= 0, mirrored, steps)
    return sequence.gather(1, index[:, :, None].expand_as(sequence))


class RecurrentLayer(nn.Module):
    """One layer over a right-padded batch; the states of a row do not depend on other rows.

    Packed sequences give the same states, but their backward pass on CPU is 5 to 30 times slower.
    """

    def __init__(self, config: ModelConfig, input_size: int) -> None:
        super().__init__()
        cell = CELLS[config.cell]
        self.forward_cell = cell(input_size, config.hidden_size, batch_first=True)
        self.backward_cell = cell(input_size, config.hidden_size, batch_first=True) if config.bidirectional else None

    def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        """Return (B, T, D * H) states of (B, T, *) inputs; both halves at index t belong to token t."""
        states: Tensor = self.forward_cell(inputs)[0]  # (B, T, H)
        if self.backward_cell is None:
            return states
        backward_states = self.backward_cell(reverse_padded(inputs, lengths))[0]
        return torch.cat([states, reverse_padded(backward_states, lengths)], dim=-1)  # (B, T, 2H)


class Scored(NamedTuple):
    """Logits (B, C) divided by `Network.divisor`; hidden states: (B, T, E) embeddings, then (B, T, D * H) per layer."""

    logits: Tensor
    hidden_states: tuple[Tensor, ...]


class Network(nn.Module):
    """Embedding, recurrent layers, pooling over real tokens, one linear layer.

    Equations are those of `torch.nn.GRU`, with z near 1 keeping the old state (Cho et al. 2014, "Learning
    Phrase Representations using RNN Encoder-Decoder"; reset gate after the matrix product).
    """

    config: ModelConfig

    def build(self, config: ModelConfig) -> None:
        """Create the modules, under their names in a checkpoint."""
        directions = 2 if config.bidirectional else 1
        state_size = directions * config.hidden_size
        pooled_size = state_size * (2 if config.pooling == "mean_max" else 1)
        # Zeros, to be set by a checkpoint or transformers; random numbers would make torch import its compiler.
        table = torch.zeros(config.vocab_size, config.embedding_size)
        self.embedding = nn.Embedding.from_pretrained(table, freeze=False, padding_idx=config.pad_token_id)
        input_sizes = [config.embedding_size] + [state_size] * (config.num_layers - 1)
        self.layers = nn.ModuleList(RecurrentLayer(config, size) for size in input_sizes)
        self.classifier = nn.Linear(pooled_size, len(config.labels))

    def score(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
    ) -> Scored:
        """Score a right-padded batch; rows of zero tokens are allowed.

        Args:
            input_ids: (B, T) token ids; or give `inputs_embeds`.
            attention_mask: (B, T), 1 for tokens, then 0 for padding; by default everything but
                `pad_token_id` is a token.
            inputs_embeds: (B, T, E) embeddings in place of ids.

        Returns:
            Logits, and states that are zero in the padding.

        Raises:
            ValueError: Neither or both inputs are given, or padding is not on the right.
        """
        embeddings, mask = self._embed(input_ids, attention_mask, inputs_embeds)
        lengths = mask.sum(dim=1)  # (B,)
        hidden_states = [embeddings]
        states = F.dropout(embeddings, self.config.embedding_dropout, self.training)
        for index, layer in enumerate(self.layers):
            if index:
                states = F.dropout(states, self.config.layer_dropout, self.training)
            states = layer(states, lengths) * mask[:, :, None]  # (B, T, D * H)
            hidden_states.append(states)
        pooled = F.dropout(self._pool(states, lengths), self.config.output_dropout, self.training)
        return Scored(self.classifier(pooled) / self.divisor(lengths), tuple(hidden_states))

    def divisor(self, lengths: Tensor) -> Tensor:
        """Return the (B, 1) divisors of logits, from the (B,) numbers of tokens."""
        config = self.config
        return config.temperature * length_factor(lengths, config.temperature_exponent)[:, None]

    def _embed(
        self, input_ids: Tensor | None, attention_mask: Tensor | None, inputs_embeds: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Return (B, T, E) embeddings and the (B, T) boolean mask of real tokens, with T at least 1."""
        if input_ids is not None and inputs_embeds is None:
            input_ids = input_ids.long()  # transformers makes a float tensor of a text without tokens
            mask = (input_ids != self.config.pad_token_id if attention_mask is None else attention_mask).bool()
            if self.training and self.config.word_dropout:
                dropped = torch.rand(input_ids.shape, device=input_ids.device) < self.config.word_dropout
                input_ids = input_ids.masked_fill(dropped & mask, self.config.unk_token_id)
            embeddings = self.embedding(input_ids)
        elif inputs_embeds is not None and input_ids is None:
            embeddings = inputs_embeds
            mask = (torch.ones_like(embeddings[:, :, 0]) if attention_mask is None else attention_mask).bool()
        else:
            raise ValueError("give either input_ids or inputs_embeds")
        if (mask[:, 1:] & ~mask[:, :-1]).any():
            raise ValueError("padding must be on the right: the attention mask has a 1 after a 0")
        if mask.shape[1] == 0:  # recurrent cells refuse an empty time axis
            embeddings, mask = F.pad(embeddings, (0, 0, 0, 1)), F.pad(mask, (0, 1))
        return embeddings, mask

    def _pool(self, states: Tensor, lengths: Tensor) -> Tensor:
        """Pool (B, T, D * H) states, zero in the padding, over time; rows of zero tokens give zeros."""
        pooling = self.config.pooling
        if pooling == "last":
            hidden = self.config.hidden_size
            last = (lengths - 1).clamp(min=0)[:, None, None].expand(-1, 1, hidden)
            forward_last = states[:, :, :hidden].gather(1, last).squeeze(1)  # (B, H)
            return torch.cat([forward_last, states[:, 0, hidden:]], dim=-1)
        mean = states.sum(dim=1) / lengths.clamp(min=1)[:, None]
        if pooling == "mean":
            return mean
        steps = torch.arange(states.shape[1], device=states.device)
        padding = (steps >= lengths.clamp(min=1)[:, None])[:, :, None]
        maximum = states.masked_fill(padding, float("-inf")).amax(dim=1)
        return maximum if pooling == "max" else torch.cat([mean, maximum], dim=-1)


class SentimentGRU(Network):
    """The network without the model classes of transformers, for verdicts and explanations.

    Importing those classes takes two seconds and 150 MB.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.build(config)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
    ) -> Scored:
        """Score a batch, as `score` does."""
        return self.score(input_ids, attention_mask, inputs_embeds)
