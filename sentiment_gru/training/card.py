"""The model card: a README.md rendered from the metrics of a training, so that no figure is typed by hand."""

from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from ..model_config import LONGEST, REFERENCE, SHORTEST
from .baseline import ADVICE, baseline_is_better, main_figure

TEMPLATE = Path(__file__).parent / "card.md.jinja"
POOLING_NAMES = {"mean_max": "mean and max", "mean": "mean", "max": "max", "last": "last-state"}
SCORE_HEADER = (
    "| set | texts | accuracy | macro recall | macro F1 | calibration error | if perfect | uncertain |\n"
    "|---|---|---|---|---|---|---|---|"
)


SET_HEADER = (
    "| set | texts | labels per text | micro F1 | macro F1 | micro precision | micro recall | all labels right |\n"
    "|---|---|---|---|---|---|---|---|"
)


def write_card(folder: Path, metrics: dict[str, Any]) -> None:
    """Write the README.md of a checkpoint folder from the metrics of its training."""
    several = bool(metrics["options"].get("multi_label"))
    data = ModelCardData(
        language="en",
        license="apache-2.0",
        library_name="transformers",
        pipeline_tag="text-classification",
        tags=["gru", "sentiment-analysis"],
        datasets=list(metrics["datasets"]),
        model_name="gru-sentiment-studio",
        eval_results=_eval_results(metrics),
    )
    options = metrics["options"]
    card = ModelCard.from_template(
        data,
        template_path=str(TEMPLATE),
        metrics=metrics,
        options=options,
        cell=options["cell"].upper(),
        pooling=POOLING_NAMES[options["pooling"]],
        several=several,
        scores=score_table(metrics),
        mistakes="" if several else _mistake_table(metrics),
        by_label=_label_table(metrics) if several else "",
        data=_data_table(metrics),
        uncertainty="" if several else _describe_uncertainty(metrics),
        calibration=_describe_threshold(metrics) if several else _describe_calibration(metrics),
        baseline=_baseline_table(metrics),
        advice=ADVICE if baseline_is_better(metrics) else "",
        folds=_describe_folds(metrics),
        seeds=_describe_seeds(metrics),
    )
    (folder / "README.md").write_text(f"{card}\n", encoding="utf-8")


def score_table(metrics: dict[str, Any], roles: tuple[str, ...] = ("reported", "dev")) -> str:
    """Return a Markdown table of every measured set."""
    rows = [
        _score_row(f"{name} ({_split_name(dataset, role)})", dataset[role])
        for role in roles
        for name, dataset in metrics["datasets"].items()
        if role in dataset
    ]
    return "\n".join([SET_HEADER if metrics["options"].get("multi_label") else SCORE_HEADER, *rows])


def _split_name(dataset: dict[str, Any], role: str) -> str:
    return dataset["rule"]["reported"].removesuffix(" split") if role == "reported" else "dev"


def _score_row(name: str, result: dict[str, Any]) -> str:
    if "subset_accuracy" in result:
        return _set_row(name, result)
    cells = [
        name,
        f"{result['texts']:,}",
        _with_interval(result, "accuracy"),
        _with_interval(result, "macro_recall"),
        f"{result['macro_f1']:.1%}",
        f"{result['calibration_error']:.1%}",
        f"{result['calibration_error_if_perfect']:.1%}",
        f"{result['uncertain']:.1%}",
    ]
    return f"| {' | '.join(cells)} |"


def _set_row(name: str, result: dict[str, Any]) -> str:
    shares = [f"{result[key]:.1%}" for key in ("macro_f1", "micro_precision", "micro_recall")]
    cells = [
        name,
        f"{result['texts']:,}",
        f"{result['labels_per_text']:.2f}",
        _with_interval(result, "micro_f1"),
        *shares,
        _with_interval(result, "subset_accuracy"),
    ]
    return f"| {' | '.join(cells)} |"


def _label_table(metrics: dict[str, Any]) -> str:
    rows = ["| set | label | texts | given | precision | recall | F1 |", "|---|---|---|---|---|---|---|"]
    for name, dataset in metrics["datasets"].items():
        role = "reported" if "reported" in dataset else "dev"
        rows += [
            f"| {name} ({_split_name(dataset, role)}) | {label} | {figures['texts']:,} | {figures['given']:,}"
            f" | {figures['precision']:.1%} | {figures['recall']:.1%} | {figures['f1']:.1%} |"
            for label, figures in dataset[role]["by_label"].items()
        ]
    return "\n".join(rows)


def _describe_threshold(metrics: dict[str, Any]) -> str:
    threshold = f"A text has the labels whose score is at least {metrics['label_threshold']:.2f}."
    if metrics["threshold_fitted"]:
        return f"{threshold} This gives the highest micro F1 on dev."
    return f"{threshold} In cross-validation on the small dev set, no fitted threshold was better."


def _with_interval(result: dict[str, Any], name: str) -> str:
    low, high = result.get(f"{name}_interval", (None, None))  # older checkpoints have one for accuracy only
    return f"{result[name]:.1%}" + (f" ({low:.1%} to {high:.1%})" if low is not None else "")


def _data_table(metrics: dict[str, Any]) -> str:
    rows = ["| dataset | training texts | dev | reported | removed |", "|---|---|---|---|---|"]
    for name, dataset in metrics["datasets"].items():
        rule = dataset["rule"]
        removed = ", ".join(f"{count} {reason}" for reason, count in dataset["removed"].items() if count) or "none"
        rows.append(
            f"| {name} | {dataset['train_texts']:,} | {rule['dev']} | {rule.get('reported', 'none')} | {removed} |"
        )
    return "\n".join(rows)


def _describe_calibration(metrics: dict[str, Any]) -> str:
    calibration = metrics.get("calibration", {"cross_validated": False, "temperature": True})  # older checkpoints
    if not calibration["temperature"]:
        return "There is no temperature: in cross-validation on the small dev set, none was better than 1."
    exponent = metrics.get("temperature_exponent", 0)
    short, usual, long = (
        f"{metrics['temperature'] * (tokens / REFERENCE) ** exponent:.2f}" for tokens in (SHORTEST, REFERENCE, LONGEST)
    )
    checked = " and checked by cross-validation" if calibration["cross_validated"] else ""
    return (
        f"Logits are divided by a temperature fitted on dev{checked}: {usual} for a text of 100 tokens, {short} for one"
        f" of 10,\n{long} for one of 1,000."
    )


def _baseline_table(metrics: dict[str, Any]) -> str:
    several = metrics["options"].get("multi_label")
    heads = ("micro F1", "macro F1", "all labels right") if several else ("accuracy", "macro recall", "macro F1")
    rows = [f"| set | {' | '.join(heads)} |", "|---|---|---|---|"]
    for name, roles in metrics.get("baseline", {}).items():
        for role, result in roles.items():
            split = _split_name(metrics["datasets"][name], role)
            names = ("micro_f1", "macro_f1", "subset_accuracy") if several else ("accuracy", "macro_recall", "macro_f1")
            rows.append(f"| {name} ({split}) | {' | '.join(_with_interval(result, key) for key in names)} |")
    return "\n".join(rows) if len(rows) > 2 else ""


def _describe_uncertainty(metrics: dict[str, Any]) -> str:
    band = metrics["uncertain_below"]
    if not band:
        checked = " in cross-validation" if metrics.get("calibration", {}).get("cross_validated") else ""
        return f"No range of scores had enough errors on dev{checked} to be called uncertain."
    dev = {name: dataset["dev"] for name, dataset in metrics["datasets"].items()}
    shares = [
        f"{r['uncertain_error']:.0%} of those verdicts and {r['certain_error']:.0%} of the others on {name}"
        for name, r in dev.items()
        if r["uncertain_error"] is not None and r["certain_error"] is not None
    ]
    return f"A verdict whose highest score is below {band:.2f} is called uncertain. Wrong on dev: {'; '.join(shares)}."


def _mistake_table(metrics: dict[str, Any]) -> str:
    rows = ["| set | label | verdict | texts | of them uncertain |", "|---|---|---|---|---|"]
    for name, dataset in metrics["datasets"].items():
        role = "reported" if "reported" in dataset else "dev"
        rows += [
            f"| {name} ({_split_name(dataset, role)}) | {mistake['label']} | {mistake['verdict']}"
            f" | {mistake['texts']:,} of {mistake['of']:,} | {mistake['uncertain']:,} |"
            for mistake in dataset[role]["mistakes"]
        ]
    return "\n".join(rows) if len(rows) > 2 else "None."


def _describe_folds(metrics: dict[str, Any]) -> str:
    return "\n".join(
        f"Cross-validation on {name}, {len(figures['texts'])} folds: "
        + ", ".join(
            f"{key.replace('_', ' ')} {result['mean']:.1%} ({result['interval'][0]:.1%} to {result['interval'][1]:.1%})"
            for key, result in figures["model"].items()
        )
        + "."
        for name, figures in metrics.get("folds", {}).items()
    )


def _describe_seeds(metrics: dict[str, Any]) -> str:
    if "seeds" not in metrics:
        return ""
    scores = ", ".join(f"{score:.1%} with seed {seed}" for seed, score in metrics["seeds"].items())
    if "average_of_seeds" not in metrics:
        return f" Macro recall on dev: {scores}; this is the best of them."
    average = metrics["average_of_seeds"]  # of the shipped checkpoint
    return f" Macro recall on dev: {scores}; {average:.1%} with the mean of their weights, which this checkpoint holds."


def _eval_results(metrics: dict[str, Any]) -> list[EvalResult]:
    return [
        EvalResult(
            task_type="text-classification",
            dataset_type=name,
            dataset_name=name,
            dataset_split=_split_name(dataset, "reported"),
            metric_type=metric,
            metric_value=round(dataset["reported"][metric], 4),
        )
        for name, dataset in metrics["datasets"].items()
        if "reported" in dataset
        for metric in (main_figure(metrics), "macro_f1")
    ]
