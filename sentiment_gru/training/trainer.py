"""A transformers Trainer with length buckets, averaged weights, and checkpoints that resume to identical weights."""

import copy
import math
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import Dataset, Sampler
from transformers import PreTrainedTokenizerFast, Trainer, TrainerCallback, TrainerState
from transformers.trainer_pt_utils import get_length_grouped_indices

from ..data.splits import JoinedSplit
from ..errors import StorageError
from ..metrics import labels_to_compare
from ..tokenization import encode_ends
from .callbacks import AverageAfterStep
from .output_folder import STATE

AVERAGE_FILE = "average.safetensors"


class EncodedTexts(Dataset[dict[str, Any]]):
    """Truncated token ids, (C,) target probabilities, and a mask of the labels that are present for each text.

    The labels present are those of its dataset, or of its soft target.
    """

    def __init__(
        self,
        joined: JoinedSplit,
        tokenizer: PreTrainedTokenizerFast,
        labels: Sequence[str],
        limit: int,
        soft_targets: Mapping[str, Mapping[str, float]] | None = None,
    ) -> None:
        ids = encode_ends(tokenizer, joined.split.texts, limit)
        self.rows: list[dict[str, Any]] = [{"input_ids": row} for row in ids]
        sets = joined.split.label_sets
        for name, indices in joined.rows.items():
            present = labels_to_compare(labels, joined.labels_of(name))
            for index in indices:
                hard = dict.fromkeys(sets[index], 1.0)
                target = (soft_targets or {}).get(joined.split.texts[index])
                self.rows[index] |= {
                    "labels": [(target or hard).get(label, 0.0) for label in labels],
                    "present": [label in (target or present) for label in labels],
                }
        self.lengths = [len(row["input_ids"]) for row in self.rows]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.rows[index]


class LengthBucketSampler(Sampler[int]):
    """Random batches of texts of similar length, in an order determined by seed and epoch."""

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int) -> None:
        self.lengths, self.batch_size, self.seed, self.epoch = list(lengths), batch_size, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch, which determines the order."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed + self.epoch)
        indices = get_length_grouped_indices(self.lengths, self.batch_size, generator=generator)
        # Batches of a bucket are sorted from long to short; averaging and the schedule need a random order.
        batches = [indices[i : i + self.batch_size] for i in range(0, len(indices), self.batch_size)]
        for batch in torch.randperm(len(batches) - 1, generator=generator).tolist():
            yield from batches[batch]
        yield from batches[-1]  # last, as it may be smaller and the others must stay aligned


class SentimentTrainer(Trainer):
    """Trainer with length buckets, exponentially averaged weights that are the ones evaluated, and partial labels.

    A dataset without neutral texts distinguishes positive from negative, but does not imply that no text is neutral.
    The share `absent_weight` of the loss compares all labels; the rest compares only the labels of the dataset.
    """

    def __init__(
        self,
        *,
        ema_decay: float,
        absent_weight: float,
        adversarial: float = 0.0,
        class_weights: torch.Tensor | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.absent_weight, self.adversarial = absent_weight, adversarial
        self.multi_label = self.model.config.multi_label
        self.class_weights = class_weights if class_weights is None else class_weights.to(self.args.device)
        self.sampler = LengthBucketSampler(self.train_dataset.lengths, self.args.train_batch_size, self.args.seed)
        decay = shortest_decay(ema_decay, self.planned_steps())
        self.average = AveragedModel(self.model, multi_avg_fn=get_ema_multi_avg_fn(decay))
        self.add_callback(AverageAfterStep(self.average))
        self.add_callback(_OrderOfEpoch(self.sampler))

    def planned_steps(self) -> int:
        """Return the number of steps of a training that is not stopped early."""
        steps = math.ceil(len(self.train_dataset) / (self.args.train_batch_size * self.args.world_size))
        return math.ceil(steps * self.args.num_train_epochs)

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int]:
        return self.sampler

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Return the loss of the texts, averaged with the adversarial loss in training if that is enabled."""
        if not (self.adversarial and model.training):
            outputs = model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"])
            loss = self.mean_loss(outputs.logits, inputs)
            return (loss, outputs) if return_outputs else loss
        return self.adversarial_loss(model, inputs)

    def mean_loss(self, logits: torch.Tensor, inputs: dict[str, Any]) -> torch.Tensor:
        """Return the loss of (B, C) logits, in which labels that are not present have the share `absent_weight`.

        It is the weighted mean of the cross-entropies over all labels and over those present; or, if a text may have
        several labels, the weighted mean of the binary cross-entropies.
        """
        present, labels = inputs["present"], inputs["labels"]
        if self.multi_label:
            weights = torch.where(present, 1.0, self.absent_weight)
            return F.binary_cross_entropy_with_logits(logits, labels, weights)
        among_all = F.cross_entropy(logits, labels, self.class_weights)
        # Minus infinity times a probability of 0 would be NaN.
        lowest = torch.finfo(logits.dtype).min
        among_present = F.cross_entropy(logits.masked_fill(~present, lowest), labels, self.class_weights)
        return self.absent_weight * among_all + (1 - self.absent_weight) * among_present

    def adversarial_loss(self, model: Any, inputs: dict[str, Any]) -> torch.Tensor:
        """Return the mean loss of texts and of the same texts with embeddings shifted along the gradient of the loss.

        The backward pass of the unshifted half runs here, as it gives that gradient; the returned loss propagates the
        gradient of the shifted half only. Source: Miyato et al. 2017, "Adversarial Training Methods for
        Semi-Supervised Text Classification". They use a fixed shift of normalised embeddings; here the shift is
        proportional to the mean norm of the embeddings.
        """
        lookup, mask = self.accelerator.unwrap_model(model).get_input_embeddings(), inputs["attention_mask"]
        embeddings = lookup(inputs["input_ids"])  # (B, T, E)
        embeddings.retain_grad()
        clean = self.mean_loss(model(inputs_embeds=embeddings, attention_mask=mask).logits, inputs) / 2
        self.accelerator.backward(clean)
        gradient = embeddings.grad
        length = embeddings.detach().norm(dim=-1)[mask.bool()].mean()
        steepest = gradient / gradient.norm(dim=(1, 2), keepdim=True).clamp(min=torch.finfo(gradient.dtype).tiny)
        shifted = lookup(inputs["input_ids"]) + self.adversarial * length * steepest
        return clean.detach() + self.mean_loss(model(inputs_embeds=shifted, attention_mask=mask).logits, inputs) / 2

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Evaluate the averaged weights instead of the current ones."""
        current = copy.deepcopy(self.model.state_dict())
        self.model.load_state_dict(self.average.module.state_dict())
        try:
            return super().evaluate(*args, **kwargs)
        finally:
            self.model.load_state_dict(current)

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        super()._save(output_dir, state_dict)
        if self.args.should_save:
            save_file(self.average.state_dict(), Path(output_dir or self.args.output_dir) / AVERAGE_FILE)

    def _save_rng_state(self, output_dir: str) -> None:
        super()._save_rng_state(output_dir)
        self.accelerator.wait_for_everyone()  # the state file, written next, marks all files as complete

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        folder = Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"
        try:
            super()._save_checkpoint(model, trial)
        except (OSError, RuntimeError, SafetensorError) as error:  # torch.save raises RuntimeError for a full disk
            shutil.rmtree(folder, ignore_errors=True)
            raise StorageError(
                f"{folder} was not written: {error}. Checkpoints before it are kept: make room, then run the same"
                " command with --resume"
            ) from error

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        super()._load_from_checkpoint(resume_from_checkpoint, model)
        self.average.load_state_dict(load_file(Path(resume_from_checkpoint) / AVERAGE_FILE))

    def train_from(self, checkpoint: Path | None) -> None:
        """Train from a checkpoint to the end, or from the beginning."""
        state = TrainerState.load_from_json(str(checkpoint / STATE)) if checkpoint else None
        # The Trainer would ignore that it had stopped early and continue.
        if checkpoint and state and state.stateful_callbacks["TrainerControl"]["args"]["should_training_stop"]:
            self._load_from_checkpoint(str(checkpoint))
            self.state = state
        else:
            self.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)

    def load_best_average(self) -> None:
        """Load the averaged weights of the best evaluated step, or the current average if there is none."""
        if self.state.best_global_step:
            best = Path(self.args.output_dir) / f"checkpoint-{self.state.best_global_step}"
            self.average.load_state_dict(load_file(best / AVERAGE_FILE))
        self.model.load_state_dict(self.average.module.state_dict())


class _OrderOfEpoch(TrainerCallback):
    """Set the epoch of the sampler, which data loaders of resumed or distributed runs do not always do."""

    def __init__(self, sampler: LengthBucketSampler) -> None:
        self.sampler = sampler

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.sampler.set_epoch(int(state.epoch))


def shortest_decay(decay: float, steps: int) -> float:
    """Return a decay whose average covers at most a tenth of the run.

    Otherwise the average of a short run, such as fine-tuning on some hundred texts, would stay near its first step.
    """
    return min(decay, max(0.0, 1 - 10 / steps))


def balanced_weights(names: Sequence[str], labels: Sequence[str]) -> torch.Tensor:
    """Return the (C,) weights of the loss that give every label the same total weight."""
    counts = Counter(names)
    return torch.tensor([len(names) / (len(labels) * counts[label]) for label in labels])
