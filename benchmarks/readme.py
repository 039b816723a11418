"""Write the generated blocks of README.md, the documents in docs and the model card from the result files.

`python benchmarks/readme.py` rewrites them; with `--check` it only compares and exits with 1 if one is outdated.
"""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parent.parent
sys.path.insert(0, str(REPOSITORY))

from benchmarks.cells.summary import cells_block  # noqa: E402, the script runs from anywhere
from benchmarks.small_data import RESULT as SMALL_DATA  # noqa: E402
from benchmarks.small_data import describe_missing, make_table, read_runs  # noqa: E402
from benchmarks.speed.summary import speed_block  # noqa: E402
from sentiment_gru.training.card import score_table  # noqa: E402


def read(path: str) -> dict[str, Any]:
    """Return a JSON file of the repository."""
    content: dict[str, Any] = json.loads((REPOSITORY / path).read_text(encoding="utf-8"))
    return content


def rivals_table(metrics: dict[str, Any], measured: dict[str, Any]) -> str:
    """Return the GRU beside NB-SVM: accuracy on IMDB test, size, speed."""
    imdb = metrics["datasets"]["imdb"]["reported"]
    rows = [
        "| model | IMDB test | size | one review of 250 words | reviews a second |",
        "|---|---|---|---|---|",
    ]
    for name, accuracy, figures in (
        ("this GRU", imdb, measured["gru"]),
        ("NB-SVM, words to 3-grams", measured["nbsvm"]["reported"], measured["nbsvm"]),
    ):
        low, high = accuracy["accuracy_interval"]
        rows.append(
            f"| {name} | {accuracy['accuracy']:.1%} ({low:.1%} to {high:.1%}) | {figures['kib']:,} KiB"
            f" | {figures['milliseconds']:.1f} ms | {figures['per_second']:,.0f} |"
        )
    gain = imdb["accuracy"] - measured["nbsvm"]["reported"]["accuracy"]
    note = (
        f"The GRU is {abs(gain) * 100:.1f} points {'ahead' if gain > 0 else 'behind'}; it also covers short texts,"
        f" neutral texts and uncertainty. Measured on {measured['machine']}, {measured['date']}, by"
        " `benchmarks/nbsvm.py`."
    )
    return "\n".join([*rows, "", note])


def proofs_table(measured: dict[str, Any]) -> str:
    """Return what was checked of the explanations, the figure, and its bound."""
    gap, gain, seconds = measured["completeness_gap"], measured["deletion_gain"], measured["seconds"]
    rows = [
        (
            "largest difference between the recomputed hidden states and PyTorch's",
            f"{measured['hidden_state_error']:.0e}",
            "1e-5",
        ),
        (
            "as read: difference between the sum and the change of the logit",
            f"{measured['telescoping_error']:.0e}",
            "1e-4",
        ),
        ("integrated gradients: completeness gap, median", f"{gap['median']:.1%}", "2%"),
        *(
            (
                f"{name}: area between the deletion curves, random minus this order, in logits",
                f"{gain[method]['mean']:.2f} ({gain[method]['low']:.2f} to {gain[method]['high']:.2f})",
                "above 0",
            )
            for method, name in (("integrated_gradients", "integrated gradients"), ("leave_one_out", "leave one out"))
        ),
        (
            f"seconds for gates and running prediction, {seconds['tokens']} tokens",
            f"{seconds['gates_and_running']:.1f}",
            "1",
        ),
        ("seconds with all methods", f"{seconds['all_methods']:.1f}", "3"),
    ]
    table = ["| checked | measured | bound |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)]
    source = f"{measured['reviews']} reviews drawn from {measured['dataset']}, on {measured['processor']}"
    note = f"{source}, by `benchmarks/explanations.py`."
    return "\n".join([*table, "", note])


def small_data_block() -> str:
    """Return the table of small datasets, and what of it was not measured."""
    runs = read_runs(SMALL_DATA)
    return "\n\n".join(filter(None, [make_table(runs) if runs else "", describe_missing(runs)]))


def files_sentence(measured: dict[str, Any]) -> str:
    """Return how long a large file takes, and how much memory."""
    return (
        f"{measured['rows']:,} rows of {measured['words_per_row']} words take {measured['seconds_to_score']:.0f}"
        f" seconds ({measured['rows_per_second']:,} rows a second; at most {measured['peak_megabytes']} MB of memory,"
        f" {measured['peak_megabytes_with_model_loaded']} MB before the file), on {measured['machine']},"
        f" {measured['date']} (`benchmarks/files.py`)."
    )


def workers_sentence(path: str) -> str:
    """Return the rows a second of scoring a folder by engine and number of workers, or that there are no figures."""
    if not (REPOSITORY / path).is_file():
        return "Rows a second for one and two workers have not been measured yet; `benchmarks/ray_workers.py` does it."
    measured = read(path)
    names = {"local": "this process alone", "ray": "Ray"}
    runs = ", ".join(
        f"{run['rows_per_second']:,} with {names[run['engine']]}"
        + (f" and {run['workers']} worker{'' if run['workers'] == 1 else 's'}" if run["engine"] == "ray" else "")
        for run in measured["runs"]
    )
    return (
        f"Rows of {measured['words_per_row']} words a second, start of the workers included: {runs}. Measured on"
        f" {measured['rows']:,} rows, {measured['machine']}, {measured['cores']} cores, load {measured['load'][0]}"
        f" before, {measured['date']}, by `benchmarks/ray_workers.py`."
    )


def lists_table(measured: dict[str, Any]) -> str:
    """Return how the checkpoint fares on the frozen lists, by kind of sentence."""
    rows = ["| frozen list | texts | agreement with a person | uncertain |", "|---|---|---|---|"]
    facts, short = measured["facts"]["all"], measured["short_sentences"]
    named = {"plain facts: neutral or uncertain": facts} | {f"short: {kind}": found for kind, found in short.items()}
    rows += [f"| {name} | {one['texts']} | {one['met']:.0%} | {one['uncertain']:.0%} |" for name, one in named.items()]
    return "\n".join(rows)


def behaviour_table(measured: dict[str, Any], every_capability: bool) -> str:
    """Return the failure rates on the frozen half of the behaviour suite, for the checkpoint and its rivals.

    Args:
        measured: contents of results/behaviour.json.
        every_capability: whether each capability has a row, or only their mean.
    """
    frozen = measured["frozen"]
    systems = {"shipped": "this GRU"} | {name: name for name in frozen if name != "shipped"}
    rows = [f"| failures | cases | {' | '.join(systems.values())} |", "|" + "---|" * (len(systems) + 2)]

    def add(name: str, cases: str, value: Callable[[dict[str, Any]], str]) -> None:
        rows.append(f"| {name} | {cases} | {' | '.join(value(frozen[system]) for system in systems)} |")

    capabilities = frozen["shipped"]["capabilities"]
    for name in capabilities if every_capability else ():
        add(
            name,
            f"{capabilities[name]['cases']:,}",
            lambda found, name=name: f"{found['capabilities'][name]['failure']:.0%}",
        )
    total = sum(one["cases"] for one in capabilities.values())
    add(f"mean of {len(capabilities)} capabilities", f"{total:,}", lambda found: f"{found['mean_failure']:.1%}")
    identity = frozen["shipped"]["identity"]
    swaps = f"{identity['frames'] * identity['terms']:,}"
    add("identity terms: wrong verdicts", swaps, lambda found: f"{found['identity']['wrong']:.1%}")
    add("identity terms: spread of the balance", swaps, lambda found: f"{found['identity']['spread']:.2f}")
    return "\n".join(rows)


def recipe_table(measured: dict[str, Any]) -> str:
    """Return what each stage of the recipe took and gave."""
    rows = ["| stage | minutes | figures |", "|---|---|---|"]
    for stage in measured["stages"]:
        figures = {name: value for name, value in stage.items() if name not in ("stage", "minutes")}
        flat = {
            f"{name} {key}" if isinstance(value, dict) else name: found
            for name, value in figures.items()
            for key, found in (value.items() if isinstance(value, dict) else [("", value)])
        }
        text = ", ".join(f"{name} {format_figure(value)}" for name, value in flat.items())
        rows.append(f"| {stage['stage']} | {stage['minutes']:.0f} | {text} |")
    return "\n".join(rows)


def format_figure(value: float | str | list[float]) -> str:
    """Return a count as it is, a fraction with three digits, and a list of them with slashes between."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return " / ".join(map(format_figure, value))
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}"


def learners_sentence(measured: dict[str, Any]) -> str:
    """Return how the quiz fares when many answer without a pause."""
    return (
        f"{measured['learners']} simulated learners answered for {measured['seconds']:.0f} seconds without a pause, on"
        f" the two cores that also served them: {measured['acknowledged']} answers acknowledged,"
        f" {measured['stored']} stored, {measured['errors']} errors; half of the answers took"
        f" {measured['p50_ms'] / 1000:.1f} s or less, 95% of them"
        f" {measured['p95_ms'] / 1000:.1f} s or less (`benchmarks/quiz_load.py`)."
    )


def class_sentence(measured: dict[str, Any]) -> str:
    """Return how a class fares that takes two tests on the app at once."""
    differ = len(measured["figures_that_differ"])
    return (
        f"A class of {measured['learners']} simulated learners, {measured['at_once']} at once without a pause, took an"
        f" exam with a pre-test and a post-test of {measured['questions']} questions:"
        f" {measured['acknowledged']:,} answers acknowledged, {measured['stored']:,} stored, {measured['lost']} lost,"
        f" {measured['errors']} errors, and {measured['busy']:,} times the advice to try again in a few seconds, which"
        f" they did. Half of the answers took {measured['p50_ms'] / 1000:.1f} s or less, 95% of them"
        f" {measured['p95_ms'] / 1000:.1f} s or less, with the time waited. {measured['figures_compared']:,} figures of"
        f" the teacher's page were recomputed from its CSV file; {differ} differ by more than 1e-9. Measured on"
        f" {measured['cores']} cores, which the learners share, {measured['date']}, by"
        f" `benchmarks/class_load.py`."
    )


def study_block(measured: dict[str, Any]) -> str:
    """Return how well the analysis of a study finds a planted effect, and the number of learners that it needs."""
    rows = [
        "| learners in each condition | planted effect | mean estimate | intervals that cover it | significant at 5% |",
        "|---|---|---|---|---|",
    ]
    for run in (measured[name] for name in ("planted_effect", "no_effect", "required_number")):
        rows.append(
            f"| {run['learners_per_condition']} | {run['planted']:.1f} | {run['mean_estimate']:.3f} |"
            f" {run['coverage']:.1%} | {run['significant']:.1%} |"
        )
    required = measured["required_number"]
    note = (
        f"**{required['learners_per_condition']} learners in each condition** who take both tests find an effect of"
        f" {required['planted']:.1f} standard deviations with a probability of 80%; without the test before the lesson,"
        f" {measured['required_without_pretest']} would be needed. The simulated tests have {measured['questions']}"
        f" questions, and their scores before and after the lesson correlate by {required['correlation']:.2f}; the"
        f" weaker this correlation is, the more learners are needed. {measured['studies']:,} studies of each kind,"
        f" simulated on {measured['date']} by `benchmarks/study.py`."
    )
    return "\n".join([*rows, "", note])


def load_block(measured: dict[str, Any]) -> str:
    """Return what visitors met who used the app at once, by kind of event, and what became of the app."""
    rows = ["| event | count | p50 | p95 | p99 | refused as busy |", "|---|---|---|---|---|---|"]
    rows += [
        f"| {kind} | {one['count']:,} | {one['p50_ms']:,} ms | {one['p95_ms']:,} ms | {one['p99_ms']:,} ms"
        f" | {one['busy']:,} |"
        for kind, one in measured["events"].items()
    ]
    answers, memory, left = measured["answers"], measured["memory_megabytes"], measured["sessions_left"]
    note = (
        f"{measured['visitors']} simulated visitors with human pauses, {measured['hostile']['visitors']} of them"
        f" hostile, for {measured['seconds']:.0f} seconds:"
        f" {measured['errors']} errors, {measured['busy']} refusals,"
        f" {answers['acknowledged']:,} answers acknowledged and {answers['stored']:,} stored,"
        f" memory at most {memory['largest']:.0f} MB, and"
        f" {memory['growth_in_the_last_two_minutes'] / memory['before_the_last_two_minutes']:+.1%} in the last two"
        " minutes (medians of half a minute)."
        f" Memory while {left['opened']:,} sessions were opened and abandoned:"
        f" {left['megabytes_before']:.0f} MB before, {left['after_half']:.0f} MB after half of them,"
        f" {left['after_all']:.0f} MB after all. After SIGTERM the app"
        f" ended within {measured['seconds_to_end']:.1f} s. Measured on {measured['machine']}, load"
        f" {measured['load'][0]} before, {measured['date']}, by `make load`."
    )
    return "\n".join([*rows, "", note])


def parity_sentence(measured: dict[str, Any]) -> str:
    """Return how far the runtimes are from PyTorch."""
    parts = [
        f"{name} by at most {found['largest_difference']:.1e}, with {found['other_verdicts']} other verdicts"
        for name, found in measured["runtimes"].items()
    ]
    return (
        f"On {measured['texts']:,} reviews, the scores differ from PyTorch's: those of {', those of '.join(parts)}"
        f" ({measured['date']}, `python benchmarks/parity.py DATA/imdb`)."
    )


def read_blocks() -> dict[str, dict[str, str]]:
    """Return the generated blocks of each document, by name."""
    metrics = read("sentiment_gru/pretrained/metrics.json")
    return {
        "README.md": {
            "scores": score_table(metrics, ("reported",)),
            "lists": lists_table(read("benchmarks/results/frozen_lists.json")),
            "behaviour": behaviour_table(read("benchmarks/results/behaviour.json"), every_capability=False),
            "rivals": rivals_table(metrics, read("benchmarks/results/nbsvm.json")),
            "small_data": small_data_block(),
        },
        "docs/serving.md": {"parity": parity_sentence(read("benchmarks/results/parity.json"))},
        "docs/scale.md": {"workers": workers_sentence("benchmarks/results/ray.json")},
        "docs/measurements.md": {
            "cells": cells_block(),
            "behaviour": behaviour_table(read("benchmarks/results/behaviour.json"), every_capability=True),
            "serving": speed_block(read("benchmarks/results/serving.json")),
            "files": files_sentence(read("benchmarks/results/files.json")),
            "proofs": proofs_table(read("benchmarks/results/explanations.json")),
            "load": load_block(read("benchmarks/results/load.json")),
            "learners": learners_sentence(read("benchmarks/results/quiz_load.json")),
            "recipe": recipe_table(read("benchmarks/results/recipe.json")),
            "class": class_sentence(read("benchmarks/results/class_load.json")),
        },
        "sentiment_gru/pretrained/README.md": {
            "behaviour": behaviour_table(read("benchmarks/results/behaviour.json"), every_capability=True),
        },
        "docs/study.md": {"study": study_block(read("benchmarks/results/study.json"))},
    }


def fill(document: str, blocks: dict[str, str]) -> str:
    """Return a document with the text between each pair of markers replaced.

    Raises:
        ValueError: A block does not occur exactly once.
    """
    for name, content in blocks.items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", flags=re.DOTALL)
        document, count = pattern.subn(lambda match, text=content: f"{match[1]}{text}\n{match[2]}", document)
        if count != 1:
            raise ValueError(f"the document has {count} blocks named {name}, not 1")
    return document


def main() -> int:
    """Rewrite the documents, or with --check only compare them with the result files."""
    outdated = []
    for name, blocks in read_blocks().items():
        path = REPOSITORY / name
        before = path.read_text(encoding="utf-8")
        after = fill(before, blocks)
        if before != after:
            outdated.append(name)
            if "--check" not in sys.argv:
                path.write_text(after, encoding="utf-8")
    if "--check" in sys.argv:
        print(f"run benchmarks/readme.py: {', '.join(outdated)}" if outdated else "the documents are up to date")
        return int(bool(outdated))
    return 0


if __name__ == "__main__":
    sys.exit(main())
