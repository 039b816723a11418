"""The model card: a README.md generated from the metrics of a training, so that no figure is typed by hand."""

import json
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from ..configuration import LONGEST, REFERENCE, SHORTEST

BODY = """
# A {cell} text classifier with calibrated scores

Labels: {labels}. {directions} {cell} with {hidden_size} hidden units a direction, {embedding_size}-dimensional
embeddings of {vocabulary} from the training texts only, {pooling} pooling; {parameters:,} parameters.

## Use

```python
from sentiment_gru import SentimentClassifier

SentimentClassifier.from_pretrained("THIS_FOLDER_OR_HUB_ID")(["Not bad at all."])[0].scores
```

or, without that package, as the folder carries its modelling code:

```python
from transformers import pipeline

pipeline("text-classification", model="THIS_FOLDER_OR_HUB_ID", trust_remote_code=True)("Not bad at all.")
```

## Results

{scores}

Accuracy with its 95% Wilson interval, macro recall with its 95% bootstrap interval. Recall and F1 are unweighted
means over the labels of the set, and scores are renormalised over those labels: a set without neutral texts asks for
positive against negative. The calibration error (15 bins) stands beside the 95th percentile that a perfectly calibrated
model would show on as many texts.
{result_plots}
## Most frequent mistakes

{mistakes}

## Data

{data}

*dev* decided when to stop, the temperature and the uncertain band. The training read the *reported* split only after
that, and chose nothing by it. Training texts equal to a reported or a dev text were removed.{remarks}

## When the model doubts

Logits are divided by a temperature, fitted on dev: {temperature:.2f} for a text of 100 tokens,
{short_temperature:.2f} for one of 10, {long_temperature:.2f} for one of 1,000. {uncertainty}

## Limits

A score is a frequency on texts like those above, not a certainty about yours: other languages, topics and times are
other texts, and irony is often misread. Of texts longer than {max_tokens:,} tokens the first and last half of that are
read. Links and @names are not read beyond "http" and "@".

## Training

{minutes} minutes on {device}{processes}, seed {seed}, best of {epochs} epochs by the mean macro recall on dev{stopped}.
{start}{seeds}
{origin}
{loss_plot}
```json
{options}
```
"""

RESULT_PLOTS = """
![Shares of each label's texts by verdict](confusion.png)

![Share of right verdicts by score](reliability.png)
"""
LOSS_PLOT = "\n![Loss and dev score by step](loss.png)\n"
POOLING_NAMES = {"mean_max": "mean and max", "mean": "mean", "max": "max", "last": "last-state"}
SCORE_HEADER = (
    "| set | texts | accuracy | macro recall | macro F1 | calibration error | if perfect | uncertain |\n"
    "|---|---|---|---|---|---|---|---|"
)


def write_card(folder: Path, metrics: dict[str, Any]) -> None:
    """Write the README.md of a checkpoint folder from the metrics of its training."""
    front_matter = ModelCardData(
        language="en",
        license="apache-2.0",
        library_name="transformers",
        pipeline_tag="text-classification",
        tags=["gru", "sentiment-analysis"],
        datasets=list(metrics["datasets"]),
        model_name="gru-sentiment-studio",
        eval_results=_eval_results(metrics),
    ).to_yaml()
    (folder / "README.md").write_text(f"---\n{front_matter}\n---\n{render_body(metrics)}", encoding="utf-8")


def render_body(metrics: dict[str, Any]) -> str:
    """Return the card's Markdown below the front matter."""
    options = metrics["options"]
    return BODY.format(
        cell=options["cell"].upper(),
        labels=", ".join(metrics["labels"]),
        directions="Bidirectional" if options["bidirectional"] else "One-directional",
        hidden_size=options["hidden_size"],
        embedding_size=options["embedding_size"],
        vocabulary="{:,} {}".format(metrics["vocab_size"], "sub-words" if options["subwords"] else "words"),
        pooling=POOLING_NAMES[options["pooling"]],
        parameters=metrics["parameters"],
        scores=score_table(metrics),
        data=_data_table(metrics),
        remarks="".join(f" {remark}" for remark in metrics.get("remarks", [])),
        temperature=metrics["temperature"],
        short_temperature=metrics["temperature"] * (SHORTEST / REFERENCE) ** metrics.get("temperature_exponent", 0),
        long_temperature=metrics["temperature"] * (LONGEST / REFERENCE) ** metrics.get("temperature_exponent", 0),
        uncertainty=_uncertainty(metrics),
        max_tokens=metrics["max_tokens"],
        minutes=metrics["minutes"],
        device=metrics["device"],
        seed=options["seed"],
        epochs=len(metrics["history"]),
        stopped=_stopped(metrics),
        start=f" It started from the checkpoint {options['init_from']}." if options["init_from"] else "",
        seeds=_seeds(metrics),
        mistakes=_mistakes(metrics),
        processes=f" in {metrics['processes']} processes" if metrics["processes"] > 1 else "",
        origin=_origin(metrics),
        result_plots=RESULT_PLOTS if options["report"] else "",
        loss_plot=LOSS_PLOT if options["report"] else "",
        options=json.dumps(options),
    )


def score_table(metrics: dict[str, Any], roles: tuple[str, ...] = ("reported", "dev")) -> str:
    """Return a Markdown table of every measured set."""
    rows = [
        _score_row(f"{name} ({_split_name(dataset, role)})", dataset[role])
        for role in roles
        for name, dataset in metrics["datasets"].items()
        if role in dataset
    ]
    return "\n".join([SCORE_HEADER, *rows])


def _split_name(dataset: dict[str, Any], role: str) -> str:
    return dataset["rule"]["reported"].removesuffix(" split") if role == "reported" else "dev"


def _score_row(name: str, result: dict[str, Any]) -> str:
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


def _with_interval(result: dict[str, Any], name: str) -> str:
    low, high = result.get(f"{name}_interval", (None, None))  # metrics of older checkpoints have one for accuracy only
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


def _uncertainty(metrics: dict[str, Any]) -> str:
    band = metrics["uncertain_below"]
    if not band:
        return "No band of scores was wrong often enough on dev to be called uncertain."
    dev = {name: dataset["dev"] for name, dataset in metrics["datasets"].items()}
    shares = [
        f"on {name} {r['uncertain_error']:.0%} of those verdicts were wrong, of the others {r['certain_error']:.0%}"
        for name, r in dev.items()
        if r["uncertain_error"] is not None and r["certain_error"] is not None
    ]
    return f"A verdict whose highest score is under {band:.2f} is called uncertain: on dev, {'; '.join(shares)}."


def _mistakes(metrics: dict[str, Any]) -> str:
    rows = ["| set | label | verdict | texts | of them uncertain |", "|---|---|---|---|---|"]
    for name, dataset in metrics["datasets"].items():
        role = "reported" if "reported" in dataset else "dev"
        rows += [
            f"| {name} ({_split_name(dataset, role)}) | {mistake['label']} | {mistake['verdict']}"
            f" | {mistake['texts']:,} of {mistake['of']:,} | {mistake['uncertain']:,} |"
            for mistake in dataset[role]["mistakes"]
        ]
    return "\n".join(rows) if len(rows) > 2 else "There was none."


def _origin(metrics: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in metrics["environment"].items())
    commit = f" Commit of the code: {metrics['commit']}." if metrics["commit"] else ""
    command = f"\n\n```sh\n{metrics['command']}\n```" if metrics["command"] else ""
    return f"Environment: {versions}.{commit}{command}"


def _seeds(metrics: dict[str, Any]) -> str:
    if "seeds" not in metrics:
        return ""
    scores = ", ".join(f"{score:.1%} with seed {seed}" for seed, score in metrics["seeds"].items())
    if "average_of_seeds" not in metrics:
        return f" Macro recall on dev: {scores}; the best of them is this one."
    average = metrics["average_of_seeds"]
    return f" Macro recall on dev: {scores}, {average:.1%} with a mean of weights, which are these."


def _stopped(metrics: dict[str, Any]) -> str:
    stopped = metrics["interrupted"]
    return f", stopped by hand at step {stopped['step']:,} of {stopped['of']:,}" if stopped else ""


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
        for metric in ("accuracy", "macro_f1")
    ]
