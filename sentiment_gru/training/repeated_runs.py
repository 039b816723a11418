"""Train several times: once per seed, which shows the spread, or once per fold of a cross-validation.

Of the seeds, the best on dev is kept. In a cross-validation, each model and its baseline are measured on the fold that
they have not seen.
"""

import json
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import t

from ..data.splits import STRETCHES, Corpus, TextSplit, carve_dev, remove_leaks
from ..errors import DatasetError, OptionsError
from .card import write_card
from .datasets import check_corpora, find_warnings, prepare_corpora
from .initial import datasets_read
from .options import TrainingOptions
from .output_folder import RunFolder, process_count
from .run import train

FIGURES = ("accuracy", "macro_recall")


def train_seeds(options: TrainingOptions) -> dict[str, Any]:
    """Train with each of `--seeds`; the best becomes the output folder, which holds all as `seed-N`.

    Returns:
        The metrics of the best, with the mean macro recall on dev by seed as `seeds`.

    Raises:
        OptionsError: `torchrun` started this process, or as in `run.train`.
        DatasetError, StorageError: As in `run.train`.
    """
    if process_count() > 1:
        raise OptionsError("--seeds runs in one process; start torchrun once per --seed instead")
    run = RunFolder(options)
    run.check()
    prepare_corpora(options)  # its errors come before there is a run to resume
    run.start([], processes=1)
    results: dict[int, dict[str, Any]] = {}
    for seed in options.seeds:
        part = replace(options, seed=seed, seeds=[], output_dir=str(run.path / f"seed-{seed}"))
        results[seed] = train_part(part)
        if results[seed]["interrupted"]:
            break
    scores = {seed: dev_score(metrics) for seed, metrics in results.items()}
    best = max(scores, key=lambda seed: scores[seed])
    stopped = results[seed]["interrupted"]
    metrics = results[best] | {"seeds": scores, "interrupted": stopped}
    metrics["options"] |= {"output_dir": options.output_dir, "seeds": options.seeds}
    with run.staging() as folder:
        for seed in results:
            shutil.copytree(run.path / f"seed-{seed}", folder / f"seed-{seed}")
        shutil.copytree(run.path / f"seed-{best}", folder, dirs_exist_ok=True)
        (folder / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
        write_card(folder, metrics)
    if not stopped:
        for logs in run.path.glob("seed-*.tensorboard"):
            shutil.copytree(logs, Path(f"{run.output}.tensorboard") / logs.stem, dirs_exist_ok=True)
        run.remove()
    return metrics


def train_part(options: TrainingOptions, corpora: Sequence[Corpus] | None = None) -> dict[str, Any]:
    """Start or resume one of several trainings, or read its metrics if it is finished.

    Args:
        options: Options of this training, whose output folder is its own.
        corpora: As in `run.train`.
    """
    unfinished = RunFolder(options).record.is_file()
    result = Path(options.output_dir) / "metrics.json"
    if not unfinished and result.is_file():
        finished: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
        return finished
    metrics = train(replace(options, resume=unfinished), corpora=corpora)
    assert metrics is not None  # this is the only process
    return metrics


def dev_score(metrics: dict[str, Any]) -> float:
    """Return the mean macro recall on dev over the datasets, by which seeds are compared."""
    return float(np.mean([dataset["dev"]["macro_recall"] for dataset in metrics["datasets"].values()]))


def describe_spread(scores: dict[int, float]) -> str:
    """Return a phrase with the mean and standard deviation of the scores."""
    values = list(scores.values())
    spread = np.std(values, ddof=1) if len(values) > 1 else 0.0
    return f"{np.mean(values):.1%} on average over {len(values)} seeds, standard deviation {spread:.1%}"


def train_folds(options: TrainingOptions) -> dict[str, Any]:
    """Cross-validate with `--folds`; with `--refit`, then train the checkpoint on all texts.

    The folds share the training and dev texts of each dataset; reported splits are not read. The texts outside a fold
    are divided into train and dev by the split rule. Without `--refit`, the output folder gets `metrics.json` only.

    Returns:
        The figures as `folds`, `warnings` and `interrupted`; with `--refit`, the metrics of the checkpoint as well.

    Raises:
        OptionsError: `torchrun` started this process, or as in `run.train`.
        DatasetError: A label has fewer texts than there are folds, or as in `run.train`.
        StorageError: As in `run.train`.
    """
    if process_count() > 1:
        raise OptionsError("--folds runs in one process; leave torchrun out")
    run = RunFolder(options)
    run.check()
    corpora = prepare_corpora(options)
    pools = {corpus.name: join_texts(corpus.train, corpus.dev) for corpus in corpora}
    folds = [make_fold(pools, options.folds, fold) for fold in range(options.folds)]
    run.start(list(pools.values()), processes=1)
    plain = replace(options, folds=0, refit=False, push_to_hub=None)
    results = _measure_folds(plain, folds, run.path)
    if interrupted := results[-1]["interrupted"]:
        return {"interrupted": interrupted | {"fold": len(results), "folds": options.folds}}
    minutes = round(sum(result["minutes"] for result in results), 1)
    metrics: dict[str, Any] = {"folds": summarize_folds(results), "minutes": minutes, "interrupted": None}
    if options.refit:
        metrics = train_part(replace(plain, output_dir=str(run.path / "refit"))) | {"folds": metrics["folds"]}
        if metrics["interrupted"]:
            return {"interrupted": metrics["interrupted"]}
        metrics["options"] |= {"folds": options.folds, "refit": True}
    else:
        whole = [Corpus(name, pool, pool, None, {}) for name, pool in pools.items()]
        metrics["warnings"] = find_warnings(whole, datasets_read(options.init_from, options.dataset))
        given = {"folds": options.folds, "evaluate_test": options.evaluate_test, "report": options.report}
        metrics["options"] = results[0]["options"] | given
    with run.staging() as folder:
        if options.refit:
            shutil.copytree(run.path / "refit", folder, dirs_exist_ok=True)
            write_card(folder, metrics)
        (folder / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
    run.remove()
    return metrics


def _measure_folds(options: TrainingOptions, folds: Sequence[list[Corpus]], path: Path) -> list[dict[str, Any]]:
    """Train on each fold and return the metrics of each, up to a fold that was interrupted.

    Args:
        options: Options of the training of a fold.
        folds: The corpora of each fold.
        path: Folder of the run.
    """
    results = []
    for number, corpora in enumerate(folds, 1):
        output = path / f"fold-{number}"
        settings = replace(options, output_dir=str(output), evaluate_test=True, report=False)
        results.append(train_part(settings, corpora))
        if results[-1]["interrupted"]:
            break
        for weights in output.glob("*.safetensors"):
            weights.unlink()  # a finished fold needs its metrics only
    return results


def join_texts(*splits: TextSplit) -> TextSplit:
    """Return the rows of all splits, one after the other."""
    return TextSplit(
        [text for split in splits for text in split.texts], [label for split in splits for label in split.labels]
    )


def make_fold(pools: dict[str, TextSplit], count: int, fold: int) -> list[Corpus]:
    """Return datasets whose reported split is one fold; copies of its texts are removed from the others.

    Args:
        pools: Texts of each dataset.
        count: Number of folds.
        fold: Number of the fold, from 0.

    Raises:
        DatasetError: A label has fewer texts than there are folds, or no training text without copies in the fold.
    """
    corpora = []
    for name, pool in pools.items():
        inside = assign_folds(name, pool.labels, count) == fold
        train, dev, rule = carve_dev(pool.take(np.flatnonzero(~inside)))
        origin = {"dev": rule, "reported": f"fold {fold + 1} of {count}"}
        corpora.append(Corpus(name, train, dev, pool.take(np.flatnonzero(inside)), origin))
    corpora = remove_leaks(corpora)
    try:
        check_corpora(corpora)
    except DatasetError as error:
        raise DatasetError(f"fold {fold + 1} of {count}: {error}") from error
    return corpora


def assign_folds(name: str, labels: Sequence[str], count: int) -> np.ndarray:
    """Return the (B,) folds, from 0, of B rows: blocks of adjacent rows of a label, as in the rule of the dev split.

    Args:
        name: Name of the dataset, for the message.
        labels: Labels of the rows.
        count: Number of folds.

    Raises:
        DatasetError: A label has fewer rows than there are folds.
    """
    rarest, fewest = min(Counter(labels).items(), key=lambda item: item[1])
    if fewest < count:
        raise DatasetError(
            f"dataset {name}: the label {rarest} has {fewest} text{'' if fewest == 1 else 's'}, and --folds {count}"
            f" needs {count} of each label; name fewer folds, or join or drop labels with --label-map"
        )
    folds, all_labels = np.zeros(len(labels), dtype=int), np.array(labels)
    for label in dict.fromkeys(labels):
        rows = np.flatnonzero(all_labels == label)
        blocks = max(1, min(STRETCHES, len(rows) // (10 * count)))
        for place, block in enumerate(np.array_split(rows, blocks * count)):
            folds[block] = place % count
    return folds


def summarize_folds(results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the figures of the model, the baseline and their difference on each dataset.

    Args:
        results: Metrics of the training of each fold.

    Returns:
        For each dataset, the number of texts by fold, and for "model", "baseline" and "difference" the accuracy and
        macro recall by fold, their mean and its interval. The last two are missing if a fold has no baseline.
    """
    summary: dict[str, Any] = {}
    for name in results[0]["datasets"]:
        ours = [result["datasets"][name]["reported"] for result in results]
        theirs = [result.get("baseline", {}).get(name, {}).get("reported") for result in results]
        summary[name] = {"texts": [figures["texts"] for figures in ours], "model": {}}
        for key in FIGURES:
            values = np.array([figures[key] for figures in ours])
            summary[name]["model"][key] = summarize(values)
            if all(theirs):
                rival = np.array([figures[key] for figures in theirs])
                summary[name].setdefault("baseline", {})[key] = summarize(rival)
                summary[name].setdefault("difference", {})[key] = summarize(values - rival, low=-1.0)
    return summary


def summarize(values: np.ndarray, low: float = 0.0) -> dict[str, Any]:
    """Return K values, their mean and its 95% interval.

    The trainings share texts, so their variance is corrected by the share of a fold: Nadeau and Bengio 2003,
    "Inference for the Generalization Error", section 3.

    Args:
        values: (K,) figures of the folds.
        low: Least possible value; the largest is 1.
    """
    count, mean = len(values), float(values.mean())
    error = np.sqrt((1 / count + 1 / (count - 1)) * values.var(ddof=1))
    half = float(t.ppf(0.975, count - 1) * error)
    return {"folds": values.tolist(), "mean": mean, "interval": [max(low, mean - half), min(1.0, mean + half)]}


def folds_favour_baseline(summary: dict[str, Any]) -> bool:
    """Return whether the baseline's mean accuracy over folds and datasets is higher."""
    return sum(figures["difference"]["accuracy"]["mean"] for figures in summary.values() if "difference" in figures) < 0


def describe_folds(summary: dict[str, Any]) -> list[str]:
    """Return a table for each dataset: both models by fold, and the means with their intervals."""
    lines = []
    for name, figures in summary.items():
        texts = figures["texts"]
        size = f"{min(texts):,} to {max(texts):,}" if min(texts) < max(texts) else f"{texts[0]:,}"
        lines.append(f"{name}: {len(texts)} folds of {size} texts, each measured by a model that has not seen it")
        columns = [(key, who) for key in FIGURES for who in ("model", "baseline") if who in figures]
        heads = [f"{key.replace('_', ' ')}, {who}" for key, who in columns]
        lines.append(f"  {'fold':10} {'  '.join(heads)}")
        for fold in range(len(texts)):
            cells = [
                f"{figures[who][key]['folds'][fold]:<{len(head)}.1%}"
                for (key, who), head in zip(columns, heads, strict=True)
            ]
            lines.append(f"  {fold + 1:<10} {'  '.join(cells)}".rstrip())
        for who, noun in (("model", "this model"), ("baseline", "TF-IDF baseline"), ("difference", "difference")):
            if who in figures:
                lines.append(f"  {noun:16} {', '.join(_describe_mean(figures[who], key, who) for key in FIGURES)}")
    return lines


def _describe_mean(figures: dict[str, Any], key: str, who: str) -> str:
    mean, (low, high) = figures[key]["mean"], figures[key]["interval"]
    noun = key.replace("_", " ")
    if who == "difference":
        return f"{noun} {100 * mean:+.1f} points ({100 * low:+.1f} to {100 * high:+.1f})"
    return f"{noun} {mean:.1%} ({low:.1%} to {high:.1%})"
