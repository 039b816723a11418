"""The last lines that `train.py` prints: the figures beside those of the baseline, recall by label, and mistakes."""

from typing import Any

from .baseline import ADVICE, baseline_is_better
from .repeated_runs import describe_folds, describe_spread, folds_favour_baseline

WORST = 5  # labels and mistakes that are listed
FIGURES = {"accuracy": "accuracy", "macro_recall": "macro recall"}


def describe_results(output_dir: str, metrics: dict[str, Any]) -> str:
    """Return the closing lines of a training.

    Args:
        output_dir: Folder of the checkpoint.
        metrics: Content of its `metrics.json`, or what `train_folds` returned.
    """
    stopped = metrics["interrupted"]
    lines = describe_folds(metrics["folds"]) if "folds" in metrics else []
    if "datasets" in metrics:
        lines.append(f"Checkpoint in {output_dir} after {describe_time(metrics)}, started from {metrics['start']}.")
    elif not stopped:
        lines.append(f"Figures in {output_dir} after {describe_time(metrics)}, without a checkpoint; --refit adds one.")
    for name, dataset in metrics.get("datasets", {}).items():
        for role in ("dev", "reported"):
            if role in dataset:
                rival = metrics.get("baseline", {}).get(name, {}).get(role)
                describe = describe_label_sets if "subset_accuracy" in dataset[role] else describe_split
                lines += describe(f"{name} {role}", dataset[role], rival)
        if left_out := [f"{count:,} {reason}" for reason, count in dataset["removed"].items() if count]:
            lines.append(f"  {'rows left out':16} {', '.join(left_out)}")
    lines += [f"Careful: {warning}." for warning in metrics.get("warnings", [])]
    if not stopped and (folds_favour_baseline(metrics["folds"]) if "folds" in metrics else baseline_is_better(metrics)):
        lines.append(ADVICE)
    if "seeds" in metrics:
        lines.append(f"Macro recall on dev: {describe_spread(metrics['seeds'])}.")
    if stopped:
        part = f" of fold {stopped['fold']} of {stopped['folds']}" if "fold" in stopped else ""
        lines.append(
            f"Stopped at step {stopped['step']:,} of {stopped['of']:,}{part}; --resume continues the same command."
        )
    return "\n".join(lines)


def describe_time(metrics: dict[str, Any]) -> str:
    """Return the minutes of a training in words."""
    return f"{metrics['minutes']:.1f} minutes" if metrics["minutes"] >= 1 else "less than a minute"


def describe_split(name: str, result: dict[str, Any], rival: dict[str, Any] | None) -> list[str]:
    """Return lines on one split: both models' figures with intervals, recall by label, and the worst mistakes."""
    lines = [f"{name}, {result['texts']:,} texts"]
    for who, figures in (("this model", result), ("TF-IDF baseline", rival)):
        if figures:
            cells = [
                f"{noun} {figures[key]:.1%} ({low:.1%} to {high:.1%})"
                for key, noun in FIGURES.items()
                for low, high in [figures[f"{key}_interval"]]
            ]
            lines.append(f"  {who:16} {', '.join(cells)}")
    shares = sorted((counts["right"] / counts["texts"], label) for label, counts in result["recalls"].items())
    listed = ", ".join(
        f"{label} {share:.0%} of {result['recalls'][label]['texts']:,}" for share, label in shares[:WORST]
    )
    lines.append(f"  {'recall by label' if len(shares) <= WORST else 'lowest recalls':16} {listed}")
    if result["mistakes"]:
        listed = ", ".join(
            f"{m['label']} as {m['verdict']} ({m['texts']:,} of {m['of']:,})" for m in result["mistakes"][:WORST]
        )
        lines.append(f"  {'mistakes':16} {listed}")
    return lines


def describe_label_sets(name: str, result: dict[str, Any], rival: dict[str, Any] | None) -> list[str]:
    """Return lines on one split whose texts may have several labels: both models' figures, and the worst labels."""
    lines = [f"{name}, {result['texts']:,} texts with {result['labels_per_text']:.2f} labels each"]
    for who, figures in (("this model", result), ("TF-IDF baseline", rival)):
        if figures:
            low, high = figures["micro_f1_interval"]
            lines.append(
                f"  {who:16} micro F1 {figures['micro_f1']:.1%} ({low:.1%} to {high:.1%}), macro F1"
                f" {figures['macro_f1']:.1%}, all labels right {figures['subset_accuracy']:.1%}"
            )
    by_label = {label: figures for label, figures in result["by_label"].items() if figures["texts"]}
    worst = sorted(by_label, key=lambda label: (by_label[label]["f1"], label))[:WORST]
    listed = ", ".join(f"{label} {by_label[label]['f1']:.0%} of {by_label[label]['texts']:,}" for label in worst)
    lines.append(f"  {'F1 by label' if len(by_label) <= WORST else 'lowest F1':16} {listed}")
    return lines
