"""Files of a finished training: history.csv, predictions.parquet and plots; and their upload to the Hub."""

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from huggingface_hub import HfApi, get_token
from scipy.special import softmax

from ..data.splits import TextSplit
from ..errors import OptionsError, StorageError
from ..labels import join_labels
from ..results import independent
from .output_folder import OUTPUT_FILES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


SPEEDS = ("runtime", "per_second", "preparation_time", "total_flos", "train_loss")
MISTAKES = 5  # pairs of labels in the card


@dataclass(frozen=True)
class ScoredSplit:
    """A split of a dataset with the logits of the finished model.

    Attributes:
        dataset: name of the dataset.
        role: "dev" or "reported".
        split: texts and true labels.
        logits: calibrated (B, C) logits.
        labels: the model's C labels.
        threshold: score from which a text has a label, if it may have several.
    """

    dataset: str
    role: str
    split: TextSplit
    logits: np.ndarray
    labels: list[str]
    threshold: float = 0.5

    @property
    def scores(self) -> np.ndarray:
        """(B, C) scores of all labels."""
        if self.split.multi_label:
            return independent(self.logits)
        return softmax(self.logits.astype(np.float64), axis=1)

    @property
    def verdicts(self) -> list[str]:
        """The predicted label of each text; several are joined as in `TextSplit.labels`."""
        if self.split.multi_label:
            return [
                join_labels(label for label, score in zip(self.labels, row, strict=True) if score >= self.threshold)
                for row in self.scores
            ]
        return [self.labels[i] for i in self.scores.argmax(axis=1)]

    @property
    def targets(self) -> np.ndarray:
        """(B,) ids of the true labels."""
        return np.array([self.labels.index(label) for label in self.split.labels])


def write_history(path: Path, log: Sequence[dict[str, Any]]) -> None:
    """Write the trainer's log as CSV, one row per log entry with loss and learning rate or dev metrics."""
    rows = [{key: value for key, value in entry.items() if not key.endswith(SPEEDS)} for entry in log]
    rows = [row for row in rows if len(row) > 2]  # the last entry only has speeds
    names = dict.fromkeys(["step", "epoch", "loss", "learning_rate", *(key for row in rows for key in row)])
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)


def write_predictions(path: Path, scored: Sequence[ScoredSplit]) -> None:
    """Write one Parquet row per text: dataset, split, index in that split, label, predicted, and a score per label.

    Texts are left out, because the licence of a dataset may forbid copies.
    """
    pq.write_table(pa.concat_tables([_to_table(split) for split in scored]), path, compression="zstd")


def _to_table(scored: ScoredSplit) -> pa.Table:
    count = len(scored.split)
    scores = scored.scores
    rounded = scores.round(3).astype(np.float32)
    return pa.table(
        {
            "dataset": [scored.dataset] * count,
            "split": [scored.role] * count,
            "index": pa.array(range(count), pa.int32()),
            "label": scored.split.labels,
            "predicted": scored.verdicts,
        }
        | {f"score_{label}": rounded[:, i] for i, label in enumerate(scored.labels)}
    )


def count_mistakes(scored: ScoredSplit, uncertain_below: float) -> list[dict[str, Any]]:
    """Return the most frequent pairs of a true label and a wrong verdict, with their counts."""
    verdicts, targets = scored.scores.argmax(axis=1), scored.targets
    uncertain = scored.scores.max(axis=1) < uncertain_below
    pairs = Counter((int(t), int(v)) for t, v in zip(targets, verdicts, strict=True) if t != v)
    return [
        {
            "label": scored.labels[target],
            "verdict": scored.labels[verdict],
            "texts": count,
            "of": int((targets == target).sum()),
            "uncertain": int((uncertain & (targets == target) & (verdicts == verdict)).sum()),
        }
        for (target, verdict), count in pairs.most_common(MISTAKES)
    ]


def count_recalls(scored: ScoredSplit) -> dict[str, dict[str, int]]:
    """Return, for each label of a split, the number of its texts and how many got it as their verdict."""
    verdicts, targets = scored.scores.argmax(axis=1), scored.targets
    return {
        scored.labels[target]: {
            "texts": int((targets == target).sum()),
            "right": int(((targets == target) & (verdicts == target)).sum()),
        }
        for target in np.unique(targets)
    }


BINS = 10
DOTS_PER_INCH = 80


def write_plots(folder: Path, log: Sequence[dict[str, Any]], scored: Sequence[ScoredSplit]) -> None:
    """Plot the loss, and confusion and reliability of the reported split of each dataset, or else of dev.

    If texts may have several labels, only the loss is plotted.
    """
    last = list({split.dataset: split for split in sorted(scored, key=lambda split: split.role)}.values())
    if any(split.split.multi_label for split in scored):
        figures = {"loss": plot_loss(log, "micro F1")}
    else:
        figures = {
            "loss": plot_loss(log),
            "confusion": plot_confusion(last),
            "reliability": plot_reliability(last),
        }
    for name, figure in figures.items():
        figure.savefig(folder / f"{name}.png", dpi=DOTS_PER_INCH, metadata={"Software": None})


def _new_figure(panels: int) -> tuple["Figure", list["Axes"]]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1 + 4 * panels, 4), layout="constrained")
    return figure, list(figure.subplots(1, panels, squeeze=False)[0])


def plot_loss(log: Sequence[dict[str, Any]], score: str = "mean macro recall") -> "Figure":
    """Plot the loss on training and dev texts, and the score on dev, by step."""
    figure, (losses, scores) = _new_figure(2)
    for axes, name, label in (
        (losses, "loss", "training"),
        (losses, "eval_loss", "dev"),
        (scores, "eval_score", "dev"),
    ):
        points = [(entry["step"], entry[name]) for entry in log if name in entry]
        axes.plot([x for x, _ in points], [y for _, y in points], marker=".", label=label)
        axes.set_xlabel("step")
        axes.legend()
    losses.set_ylabel("loss")
    scores.set_ylabel(score)
    return figure


def plot_confusion(scored: Sequence[ScoredSplit]) -> "Figure":
    """Plot, for each dataset, the share of verdicts among the texts of each true label."""
    figure, panels = _new_figure(len(scored))
    for axes, split in zip(panels, scored, strict=True):
        counts = np.zeros((len(split.labels), len(split.labels)))
        np.add.at(counts, (split.targets, split.scores.argmax(axis=1)), 1)
        shares = counts / counts.sum(axis=1, keepdims=True).clip(min=1)
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for (row, column), share in np.ndenumerate(shares):
            if len(split.labels) <= 10:  # more numbers are illegible
                axes.text(column, row, f"{share:.0%}", ha="center", va="center", color="wk"[int(share < 0.5)])
        axes.set_xticks(range(len(split.labels)), split.labels, rotation=45, ha="right")
        axes.set_yticks(range(len(split.labels)), split.labels)
        axes.set(title=f"{split.dataset} ({split.role})", xlabel="verdict", ylabel="label")
    return figure


def plot_reliability(scored: Sequence[ScoredSplit]) -> "Figure":
    """Plot the share of correct verdicts by the highest score; a calibrated model follows the diagonal."""
    figure, (axes,) = _new_figure(1)
    axes.plot([0, 1], [0, 1], color="gray", linestyle=":", label="perfect")
    for split in scored:
        confidence = split.scores.max(axis=1)
        correct = split.scores.argmax(axis=1) == split.targets
        bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
        present = np.unique(bins)
        axes.plot(
            [confidence[bins == b].mean() for b in present],
            [correct[bins == b].mean() for b in present],
            marker="o",
            label=f"{split.dataset} ({split.role})",
        )
    axes.set(xlabel="highest score", ylabel="share of correct verdicts", xlim=(0, 1), ylim=(0, 1))
    axes.legend()
    return figure


def check_login() -> None:
    """Raise OptionsError if an upload would fail after the training because there is no token."""
    if get_token() is None:
        raise OptionsError("--push-to-hub needs a login: run `hf auth login`, or set HF_TOKEN")


def push_to_hub(folder: Path, name: str, api: HfApi | None = None) -> str:
    """Upload the files that training wrote as one commit.

    Args:
        folder: Checkpoint folder.
        name: Model repository, such as user/name; it is created if needed.
        api: Client of the Hub; by default of the public one.

    Returns:
        URL of the commit.

    Raises:
        StorageError: The Hub refused or cannot be reached; the folder is unchanged.
    """
    api = api or HfApi()
    try:
        repository = api.create_repo(name, exist_ok=True).repo_id
        commit = api.upload_folder(
            folder_path=folder,
            repo_id=repository,
            allow_patterns=sorted(OUTPUT_FILES),
            commit_message="Upload the checkpoint and its card",
        )
    except Exception as error:
        raise StorageError(
            f"{folder} is complete, but was not uploaded to {name}: {error}; try again with `hf upload {name} {folder}`"
        ) from error
    return str(commit.commit_url)
