"""A teacher that has read much text before: a transformer encoder, fine-tuned on all corpora with three labels.

Mean pooling over the last layer's states, then one linear layer (Reimers and Gurevych 2019, "Sentence-BERT"). The
word embeddings stay as they are: most of the weights, and little to gain. Autocast to bfloat16 halves the time on some
CPUs with instructions for it, makes it half as long again on others, and multiplies it by ten on CPUs without, so both
are timed first. Fine-tuning is the longest stage of the recipe but one, and uses all cores.
"""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import Dataset
from transformers import AutoModel, AutoTokenizer, PreTrainedTokenizerFast, Trainer, TrainingArguments, set_seed
from transformers.trainer_utils import get_last_checkpoint

from ..errors import CheckpointError
from ..labels import POLES
from ..tokenization import keep_ends
from ..training.trainer import LengthBucketSampler

WEIGHTS = "encoder.safetensors"
HEAD_RATE = 20.0  # learning rate of the linear layer, in learning rates of the encoder
SCORING_TOKENS = 8_192  # of a batch without gradients, padding included


@cache
def is_bfloat16_faster() -> bool:
    """Return whether the CPU has instructions for bfloat16 that multiply matrices faster than those for float32."""
    if not torch.cpu.get_capabilities().get("avx512_bf16"):
        return False
    return _product_seconds(torch.bfloat16) < _product_seconds(torch.float32)


def _product_seconds(dtype: torch.dtype) -> float:
    """Return the time of a product of matrices of the size of a batch's; the least of ten, as the first one is slow."""
    batch, weights = torch.ones(1024, 384, dtype=dtype), torch.ones(384, 1536, dtype=dtype)

    def measure() -> float:
        begun = time.perf_counter()
        batch @ weights
        return time.perf_counter() - begun

    return min(measure() for _ in range(10))


class EncoderClassifier(nn.Module):
    """An encoder with a linear layer on its mean state.

    Args:
        name: Hub id or folder of the encoder and its tokenizer.

    Raises:
        CheckpointError: there is no such encoder.
    """

    accepts_loss_kwargs = False

    def __init__(self, name: str) -> None:
        super().__init__()
        try:
            self.encoder = AutoModel.from_pretrained(name)
            self.tokenizer: PreTrainedTokenizerFast = AutoTokenizer.from_pretrained(name)
        except (OSError, ValueError) as error:
            raise CheckpointError(f"--teacher {name}: no encoder can be loaded: {error}") from error
        self.encoder.embeddings.requires_grad_(False)
        self.head = nn.Linear(self.encoder.config.hidden_size, len(POLES))

    def logits(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return (B, 3) logits of (B, T) token ids."""
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state  # (B, T, D)
        mask = attention_mask[:, :, None].to(states.dtype)
        pooled = (states * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1)
        return self.head(F.dropout(pooled, 0.1, self.training)).float()

    def forward(self, input_ids: Tensor, attention_mask: Tensor, labels: Tensor, present: Tensor) -> dict[str, Tensor]:
        """Return the mean cross-entropy of (B, 3) target probabilities over the (B, 3) labels that are present."""
        logits = self.logits(input_ids, attention_mask)
        masked = logits.masked_fill(~present, torch.finfo(logits.dtype).min)
        return {"loss": F.cross_entropy(masked, labels), "logits": logits}

    def encode(self, texts: Sequence[str], limit: int) -> list[list[int]]:
        """Return the token ids of each text; beyond the limit, only the first and last half of that number."""
        return [keep_ends(ids, limit) for ids in self.tokenizer(list(texts))["input_ids"]]

    def pad(self, rows: Sequence[Sequence[int]]) -> dict[str, Tensor]:
        """Return (B, T) token ids and their mask."""
        width = max(map(len, rows))
        ids = torch.full((len(rows), width), self.tokenizer.pad_token_id)
        mask = torch.zeros((len(rows), width), dtype=torch.long)
        for index, row in enumerate(rows):
            ids[index, : len(row)] = torch.tensor(row)
            mask[index, : len(row)] = 1
        return {"input_ids": ids, "attention_mask": mask}

    @torch.inference_mode()
    def score(self, texts: Sequence[str], limit: int) -> np.ndarray:
        """Return (N, 3) logits of texts, in their order."""
        rows = self.eval().encode(texts, limit)
        order = sorted(range(len(rows)), key=lambda index: len(rows[index]))
        logits = np.zeros((len(rows), len(POLES)), dtype=np.float32)
        while order:
            size = max(1, SCORING_TOKENS // len(rows[order[-1]]))
            order, batch = order[:-size], order[-size:]
            with torch.autocast("cpu", torch.bfloat16, enabled=is_bfloat16_faster()):
                logits[batch] = self.logits(**self.pad([rows[index] for index in batch])).numpy()
        return logits


@dataclass(frozen=True)
class Targets:
    """N texts, the most tokens read of one, (N, 3) target probabilities, and (N, 3) which labels were judged."""

    texts: list[str]
    limit: int
    labels: np.ndarray
    present: np.ndarray


class _Rows(Dataset[int]):
    def __init__(self, lengths: Sequence[int]) -> None:
        self.lengths = lengths

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, index: int) -> int:
        return index


class _EncoderTrainer(Trainer):
    def _get_train_sampler(self, train_dataset: Any = None) -> LengthBucketSampler:
        return LengthBucketSampler(self.train_dataset.lengths, self.args.train_batch_size, self.args.seed)


def fine_tune(
    name: str,
    targets: Targets,
    output: Path,
    epochs: float,
    batch_size: int = 32,
    learning_rate: float = 1.5e-4,
    seed: int = 0,
) -> EncoderClassifier:
    """Fine-tune an encoder and write its weights; goes on from the newest checkpoint beside the output folder.

    Args:
        name: Hub id or folder of the encoder.
        targets: training texts with what is known of them.
        output: folder of the weights.
        epochs: passes over the texts.
        batch_size: texts a step.
        learning_rate: peak of the encoder's; linear warm-up, then linear decay to 0.
        seed: of the order, of the head and of dropout.

    Raises:
        CheckpointError: there is no such encoder.
    """
    set_seed(seed)
    model = EncoderClassifier(name)
    work = Path(f"{output}.training")
    settings = TrainingArguments(
        output_dir=str(work),
        num_train_epochs=epochs,
        per_device_train_batch_size=batch_size,
        learning_rate=learning_rate,
        lr_scheduler_type="linear",
        warmup_steps=0.05,
        bf16=is_bfloat16_faster(),
        use_cpu=True,
        seed=seed,
        save_steps=500,
        save_total_limit=1,
        logging_steps=100,
        report_to="none",
        remove_unused_columns=False,
        dataloader_pin_memory=False,
    )
    trainer = _build_trainer(model, targets, settings)
    threads = torch.get_num_threads()
    torch.set_num_threads(os.cpu_count() or 1)
    try:
        trainer.train(resume_from_checkpoint=get_last_checkpoint(str(work)) if work.is_dir() else None)
    finally:
        torch.set_num_threads(threads)
    output.mkdir(parents=True, exist_ok=True)
    save_file({key: value.contiguous() for key, value in model.state_dict().items()}, output / WEIGHTS)
    return model.eval()


def _build_trainer(model: EncoderClassifier, targets: Targets, settings: TrainingArguments) -> _EncoderTrainer:
    """Return a trainer of the layers of an encoder and, at a higher learning rate, of its head."""
    rows = model.encode(targets.texts, targets.limit)
    labels, present = torch.tensor(targets.labels, dtype=torch.float32), torch.tensor(targets.present)

    def collate(indices: Sequence[int]) -> dict[str, Tensor]:
        return model.pad([rows[i] for i in indices]) | {"labels": labels[indices], "present": present[indices]}

    optimizer = torch.optim.AdamW(
        [
            {"params": model.encoder.encoder.parameters(), "lr": settings.learning_rate},
            {"params": model.head.parameters(), "lr": settings.learning_rate * HEAD_RATE},
        ],
        weight_decay=0.01,
    )
    return _EncoderTrainer(
        model=model,
        optimizers=(optimizer, None),
        args=settings,
        train_dataset=_Rows([len(row) for row in rows]),
        data_collator=collate,
    )


def load_encoder(name: str, folder: Path) -> EncoderClassifier:
    """Load what `fine_tune` wrote."""
    model = EncoderClassifier(name)
    model.load_state_dict(load_file(folder / WEIGHTS))
    return model.eval()
