"""A start for students: embeddings and recurrent cells that have learned to guess the neighboring word.

The forward cell guesses the next token, the backward cell the one before (Dai and Le 2015, "Semi-supervised Sequence
Learning"), so no labels are needed. The loss is a sampled softmax: the token is told from others drawn from the batch,
with logits corrected by how often each is drawn (Bengio and Senecal 2008, "Adaptive Importance Sampling").
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import Dataset
from transformers import DataCollatorWithPadding, PreTrainedTokenizerFast, Trainer, TrainingArguments, set_seed
from transformers.trainer_utils import get_last_checkpoint

from ..checkpoint import save_checkpoint
from ..modeling import SentimentGRUForSequenceClassification
from ..network import reverse_padded
from ..training.trainer import LengthBucketSampler

WINDOW = 200  # tokens read in one piece
NEGATIVES = 512  # drawn tokens, shared by all guesses of a batch


class NeighborGuesser(nn.Module):
    """The network of a classifier with one layer, guessing each token from those before, and from those after, it.

    Args:
        network: its embeddings and cells learn; its head does not.
        frequencies: (V,) share of each vocabulary entry in the texts.
    """

    accepts_loss_kwargs = False
    log_frequencies: Tensor

    def __init__(self, network: SentimentGRUForSequenceClassification, frequencies: Tensor) -> None:
        super().__init__()
        self.network = network
        hidden, embedding = network.config.hidden_size, network.config.embedding_size
        self.projections = nn.ModuleList(nn.Linear(hidden, embedding) for _ in range(1 + network.config.bidirectional))
        self.register_buffer("log_frequencies", frequencies.clamp(min=1e-9).log())

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> dict[str, Tensor]:
        """Return the mean loss of all guesses for (B, T) right-padded token ids."""
        lengths = attention_mask.sum(dim=1)
        drawn = self.draw(input_ids[attention_mask.bool()])
        layer: Any = self.network.layers[0]
        readings = [(layer.forward_cell, input_ids)]
        if layer.backward_cell is not None:
            readings.append((layer.backward_cell, reverse_padded(input_ids[:, :, None], lengths)[:, :, 0]))
        followed = attention_mask[:, 1:].bool()  # (B, T - 1)
        losses = []
        for projection, (cell, ids) in zip(self.projections, readings, strict=True):
            embeddings = F.dropout(self.network.embedding(ids), self.network.config.embedding_dropout, self.training)
            states = F.dropout(cell(embeddings)[0], self.network.config.output_dropout, self.training)  # (B, T, H)
            losses.append(self.loss(projection(states[:, :-1][followed]), ids[:, 1:][followed], drawn))
        return {"loss": torch.stack(losses).mean()}

    def draw(self, tokens: Tensor) -> Tensor:
        """Return (NEGATIVES,) of the (N,) tokens, drawn with replacement."""
        return tokens[torch.randint(len(tokens), (NEGATIVES,), device=tokens.device)]

    def loss(self, guesses: Tensor, tokens: Tensor, drawn: Tensor) -> Tensor:
        """Return the mean loss of (N, E) guesses at (N,) tokens against (NEGATIVES,) drawn ones."""
        table = self.network.embedding.weight
        right = (guesses * table[tokens]).sum(dim=1) - self.log_frequencies[tokens]  # (N,)
        wrong = guesses @ table[drawn].T - self.log_frequencies[drawn]  # (N, NEGATIVES)
        wrong = wrong.masked_fill(tokens[:, None] == drawn, torch.finfo(wrong.dtype).min)
        return (torch.logaddexp(right, wrong.logsumexp(dim=1)) - right).mean()


class Windows(Dataset[dict[str, Any]]):
    """Texts cut to windows of at most WINDOW tokens, by length."""

    def __init__(self, texts: Sequence[str], tokenizer: PreTrainedTokenizerFast) -> None:
        rows = tokenizer(list(texts), return_attention_mask=False)["input_ids"]
        pieces = [row[start : start + WINDOW] for row in rows for start in range(0, len(row), WINDOW)]
        self.pieces = sorted((piece for piece in pieces if len(piece) > 1), key=len)

    def __len__(self) -> int:
        return len(self.pieces)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"input_ids": self.pieces[index]}

    def frequencies(self, vocab_size: int) -> Tensor:
        """Return the (V,) share of each vocabulary entry."""
        ids = torch.tensor([token for piece in self.pieces for token in piece])
        return torch.bincount(ids, minlength=vocab_size) / len(ids)


class GuesserTrainer(Trainer):
    """Trainer with length buckets."""

    def _get_train_sampler(self, train_dataset: Any = None) -> LengthBucketSampler:
        lengths = [len(piece) for piece in self.train_dataset.pieces]
        return LengthBucketSampler(lengths, self.args.train_batch_size, self.args.seed)


def learn_language(
    network: SentimentGRUForSequenceClassification,
    tokenizer: PreTrainedTokenizerFast,
    texts: Sequence[str],
    output: Path,
    epochs: float,
    batch_size: int = 32,
    learning_rate: float = 2e-3,
) -> float:
    """Let a network with an untrained head learn to guess neighboring words, save it as a checkpoint, return the loss.

    Goes on from the newest checkpoint of the trainer beside the output folder.
    """
    set_seed(0)
    windows = Windows(texts, tokenizer)
    work = Path(f"{output}.training")
    trainer = GuesserTrainer(
        model=NeighborGuesser(network, windows.frequencies(len(tokenizer))),
        args=TrainingArguments(
            output_dir=str(work),
            num_train_epochs=epochs,
            per_device_train_batch_size=batch_size,
            learning_rate=learning_rate,
            lr_scheduler_type="cosine",
            warmup_steps=200,
            save_steps=500,
            save_total_limit=2,
            logging_steps=100,
            report_to="none",
            remove_unused_columns=False,
            dataloader_pin_memory=False,
        ),
        train_dataset=windows,
        data_collator=DataCollatorWithPadding(tokenizer),
    )
    result = trainer.train(resume_from_checkpoint=get_last_checkpoint(str(work)) if work.is_dir() else None)
    save_checkpoint(network, tokenizer, output)
    return float(result.training_loss)
