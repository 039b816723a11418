"""Search for settings that are better on dev: `--search N` trains N times and prints a table and the best command.

Optuna draws the settings and stops trainings that are worse than the median. It is called directly and not by the
Trainer's `hyperparameter_search`, which trains one Trainer again and again: the order of the batches, the averaged
weights and the count of epochs without a better score would pass from one trial to the next, and dropouts are
not arguments of the Trainer.
"""

import shlex
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers import TrainerCallback, set_seed

from ..data.soft_labels import SoftLabels
from ..data.splits import Corpus, JoinedSplit, label_names
from ..errors import OptionsError, StorageError, check_extra
from .datasets import join_train, prepare_corpora, prepare_soft_labels
from .initial import fill_schedule
from .options import TrainingOptions, default_options
from .output_folder import FREE_OPTIONS, fingerprint, process_count
from .run import build_trainer, start

if TYPE_CHECKING:
    from optuna import Study, Trial

STUDY_FILE = "search.sqlite3"
COMPARED_TRIALS, COMPARED_EPOCH = 4, 2  # finished trials, and epoch, from which the median ends a training
UNNAMED = FREE_OPTIONS | {"search"}  # options that do not change what a trial gives


BATCH_SIZES = (16, 32, 64)
RATES = {"learning_rate": (5e-4, 1e-2)}  # drawn by their logarithm
SHARES = {"word_dropout": (0.0, 0.2), "embedding_dropout": (0.0, 0.6), "output_dropout": (0.0, 0.6)}
SPACE = ("learning_rate", "batch_size", *SHARES)


@dataclass(frozen=True)
class Task:
    """The options and data that all trials share."""

    options: TrainingOptions
    corpora: Sequence[Corpus]
    labels: Sequence[str]
    soft: Sequence[SoftLabels]
    texts: JoinedSplit
    dev: JoinedSplit

    @classmethod
    def prepare(cls, options: TrainingOptions) -> "Task":
        """Read the datasets."""
        corpora = prepare_corpora(options)
        labels = label_names(corpora)
        soft = prepare_soft_labels(options, corpora, labels)
        dev = JoinedSplit.join({corpus.name: corpus.dev for corpus in corpora})
        return cls(options, corpora, labels, soft, join_train(corpora, soft), dev)


@dataclass(frozen=True)
class SearchResult:
    """The finished trials, the best first: number, mean macro recall on dev, settings, and whether it was cut short."""

    trials: list[tuple[int, float, dict[str, Any], bool]]
    interrupted: bool


def search(options: TrainingOptions) -> SearchResult:
    """Train until the study in the output folder has `--search` finished trials; the first has the usual settings.

    Raises:
        DatasetError: A dataset cannot be used.
        OptionsError: The output folder has other files or a study of other options or texts, or torchrun started this
            process.
        StorageError: The study cannot be written.
    """
    check_extra("A search", "search", "optuna")
    if process_count() > 1:
        raise OptionsError("--search runs in one process; leave torchrun out")
    output = Path(options.output_dir)
    foreign = [path.name for path in output.glob("*") if path.name != STUDY_FILE and not path.name.startswith("best")]
    if foreign and not (output / STUDY_FILE).is_file():
        raise OptionsError(f"--output-dir {output} holds other files, such as {min(foreign)}; name a new folder")
    task = Task.prepare(options)
    study = open_study(task)
    interrupted = False
    try:
        with tempfile.TemporaryDirectory() as folder:
            study.optimize(
                lambda trial: run_trial(task, trial, Path(folder)),
                n_trials=max(0, options.search - len(finished(study))),
                callbacks=[lambda study, _: print_progress(len(finished(study)), options.search)],
            )
    except KeyboardInterrupt:
        interrupted = True
    return SearchResult(finished(study), interrupted)


def print_progress(done: int, total: int) -> None:
    """Print how many trials are finished."""
    print(f"Finished {done} of {total} trials.", file=sys.stderr, flush=True)


def open_study(task: Task) -> "Study":
    """Open the study of the output folder, or create it.

    Raises:
        OptionsError: It was started with other options or texts.
        StorageError: It cannot be written.
    """
    import optuna
    from sqlalchemy.exc import SQLAlchemyError

    optuna.logging.set_verbosity(optuna.logging.ERROR)  # its warning about Ctrl-C has a traceback
    path = Path(task.options.output_dir, STUDY_FILE)
    settings, data = fixed_options(task.options), fingerprint([task.texts.split, task.dev.split])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        study = optuna.create_study(
            storage=f"sqlite:///{path}",
            study_name="search",
            direction="maximize",
            load_if_exists=True,
            pruner=optuna.pruners.MedianPruner(COMPARED_TRIALS, COMPARED_EPOCH),
        )
        # A sampler that begins anew with the same seed would draw the same settings again.
        study.sampler = optuna.samplers.TPESampler(seed=task.options.seed + len(study.trials))
        if not study.user_attrs:
            study.set_user_attr("task", {"options": settings, "data": data})
    except (OSError, SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        raise StorageError(f"{path} cannot be used: {error}") from error
    before = study.user_attrs["task"]
    changed = [
        f"--{name.replace('_', '-')} was {before['options'].get(name)!r} and is {value!r}"
        for name, value in settings.items()
        if (default_options() | before["options"])[name] != value  # an older study lacks newer options
    ]
    if before["data"] != data:
        changed.append("the texts or labels of the datasets have changed")
    if changed:
        raise OptionsError(f"{path} holds a search with other options: {'; '.join(changed)}; name a new --output-dir")
    enqueue(study, task)
    return study


def enqueue(study: "Study", task: Task) -> None:
    """Let the next trials have the usual settings, and those of trials that were killed or stopped by hand."""
    from optuna.trial import TrialState

    for trial in study.get_trials(deepcopy=False, states=[TrialState.RUNNING]):
        study.tell(trial.number, state=TrialState.FAIL)
    usual = fill_schedule(task.options, len(task.texts.split))
    failed = study.get_trials(deepcopy=False, states=[TrialState.FAIL])
    wanted = [{name: getattr(usual, name) for name in searched(task.options)}, *(trial.params for trial in failed)]
    waiting = study.get_trials(deepcopy=False, states=[TrialState.WAITING])
    known = [trial.system_attrs.get("fixed_params") for trial in waiting] + [row[2] for row in finished(study)]
    for settings in wanted:
        if settings and settings not in known:
            known.append(settings)
            study.enqueue_trial(settings)


def fixed_options(options: TrainingOptions) -> dict[str, Any]:
    """Return the options that determine the result of a trial."""
    return {field.name: getattr(options, field.name) for field in fields(options) if field.name not in UNNAMED}


def searched(options: TrainingOptions) -> list[str]:
    """Return the options that are drawn: those of `SPACE` that the user has not set."""
    defaults = {field.name: field.default for field in fields(options)}
    names = [name for name in SPACE if getattr(options, name) == defaults[name]]
    return [name for name in names if not (name == "word_dropout" and options.adversarial)]  # contradict each other


def draw(trial: "Trial", options: TrainingOptions) -> dict[str, Any]:
    """Return settings for a trial."""
    draws: dict[str, Callable[[], Any]] = {"batch_size": lambda: trial.suggest_categorical("batch_size", BATCH_SIZES)}
    for name, (low, high) in (RATES | SHARES).items():
        draws[name] = partial(trial.suggest_float, name, low, high, log=name in RATES)
    return {name: draws[name]() for name in searched(options)}


def run_trial(task: Task, trial: "Trial", folder: Path) -> float:
    """Train with the settings of a trial; return its best score, the mean macro recall on dev over the datasets.

    Raises:
        optuna.TrialPruned: It is worse than the median of the trials before it.
    """
    options = replace(task.options, **draw(trial, task.options), output_dir=str(folder / f"trial-{trial.number}"))
    set_seed(options.seed)
    options, initial, tokenizer, _ = start(options, task.texts, task.corpora, task.labels)
    trainer = build_trainer(options, tokenizer, task.labels, task.texts, task.dev, task.soft, initial)
    scores = StopBelowMedian(trial)
    trainer.add_callback(scores)
    trainer.train()
    return max(scores.scores)


class StopBelowMedian(TrainerCallback):
    """Report the best score so far after each evaluation, and stop a training that is worse than the median."""

    def __init__(self, trial: "Trial") -> None:
        self.trial, self.scores = trial, list[float]()

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: Any = None, **kwargs: Any) -> None:
        """Report a score; raise `optuna.TrialPruned` to stop."""
        import optuna

        self.scores.append(float(metrics["eval_score"]))
        self.trial.report(max(self.scores), len(self.scores))
        if self.trial.should_prune():
            raise optuna.TrialPruned


def finished(study: "Study") -> list[tuple[int, float, dict[str, Any], bool]]:
    """Return the finished trials of a study as in `SearchResult`."""
    from optuna.trial import TrialState

    trials = study.get_trials(deepcopy=False, states=[TrialState.COMPLETE, TrialState.PRUNED])
    rows = [
        (trial.number, float(trial.value or 0.0), trial.params, trial.state == TrialState.PRUNED) for trial in trials
    ]
    return sorted(rows, key=lambda row: (row[3], -row[1], row[0]))


def describe_search(options: TrainingOptions, result: SearchResult) -> str:
    """Return the table of the trials and the command that trains with the best settings."""
    if not result.trials:
        return "No trial was finished; the same command continues."
    names = list(result.trials[0][2])
    widths = [max(len(name), 6) for name in names]
    lines = ["  ".join(["trial", "macro recall", *(name.ljust(w) for name, w in zip(names, widths, strict=True))])]
    for number, score, settings, pruned in result.trials:
        cells = [f"{settings[name]:<{width}.4g}" for name, width in zip(names, widths, strict=True)]
        shown = f"{score:.1%}{'*' if pruned else ''}"
        lines.append("  ".join([f"{number:<5}", f"{shown:<12}", *cells]).rstrip())
    if any(pruned for *_, pruned in result.trials):
        lines.append("* stopped below the median")
    lines.append("The scores are on dev, which chose the best, so its own is a little too high.")
    if result.interrupted:
        lines.append(f"Stopped after {len(result.trials)} of {options.search} trials; the same command continues.")
    _, _, settings, _ = result.trials[0]
    best = replace(options, search=0, output_dir=str(Path(options.output_dir, "best")), **settings)
    return "\n".join([*lines, f"Train with the best settings:\n{write_command(best)}"])


def write_command(options: TrainingOptions) -> str:
    """Return a command line for these options, for a shell."""
    words = ["python", "train.py"]
    for name, default in default_options().items():
        value = getattr(options, name)
        if value != default:
            values = value if isinstance(value, list) else [value]
            words += [f"--{name.replace('_', '-')}", *(format_value(one) for one in values)]
    return shlex.join(words)


def format_value(value: object) -> str:
    """Return a value as the command line takes it."""
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value).lower() if isinstance(value, bool) else str(value)
