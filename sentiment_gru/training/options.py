"""Options of `train.py` as a dataclass, whose help texts the command line shows.

HfArgumentParser builds the parser from it; with typer, each of the 40 options would be declared twice.
"""

import json
import math
from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass, field, fields
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from transformers import HfArgumentParser

from ..errors import OptionsError
from ..labels import parse_label_map

SMOKE_TEXTS = 200
LARGEST_SEED = 2**32 - 1
LEAST_VOCABULARY = 3  # padding, the unknown word, and a word
SHIPPED = "pretrained"  # value of `init_from` for the shipped checkpoint


def _option(default: Any, help_text: str) -> Any:
    return field(default=default, metadata={"help": help_text})


@dataclass
class TrainingOptions:
    """Options of one training run.

    Raises:
        OptionsError: Values contradict each other or are out of range.
    """

    output_dir: str = _option("", "folder the checkpoint is written to, replacing what is there")
    dataset: list[str] = field(
        default_factory=list,
        metadata={
            "help": "Hub id (name or name:config), local folder, or CSV, TSV, XLSX, JSON or Parquet file; repeatable",
            "action": "extend",
        },
    )
    soft_labels: list[str] = field(
        default_factory=list,
        metadata={
            "help": "Parquet file of a column text and columns score_LABEL, as a teacher model gives them; its scores"
            " replace the labels of the training texts among them, the other texts are added; repeatable",
            "action": "extend",
        },
    )
    text_column: str | None = _option(None, "column of the texts, in datasets that have it; found if not given")
    label_column: str | None = _option(None, "column of the labels; found if not given")
    train_split: str | None = _option(None, "split to train on; found if not given")
    validation_split: str | None = _option(None, "split for dev, or for the report if there is no test split; found")
    test_split: str | None = _option(None, "split for the report; found if not given")
    multi_label: bool = _option(
        False,
        "a text may have any number of labels, as in lists, or in cells such as 'joy;love'; each label has a score of"
        " its own (sigmoid). Without it, rows with several labels are left out",
    )
    label_map: str = _option("", "new labels, as in '1,2=negative;3=neutral;4,5=positive'; '3=' drops the rows of 3")
    max_train_samples: int = _option(0, "most training texts of each dataset, drawn by label after leaks went; 0: all")
    class_weights: Literal["none", "balanced"] = _option(
        "none", "balanced: rare labels count more in the loss, and scores then lean towards them"
    )
    epochs: float | None = _option(None, "passes over the training texts; by their number if not given")
    patience: int | None = _option(None, "stop after this many epochs without a better dev score; by number of texts")
    batch_size: int | None = _option(None, "texts per step; by number of texts")
    learning_rate: float | None = _option(
        None, "peak of the schedule: linear warm-up, then cosine to 0; by number of texts"
    )
    seed: int = _option(0, "of initial weights, order and dropout")
    train_tokens: int = _option(400, "longer training texts are cut to their first and last half of this")
    ema_decay: float = _option(0.999, "decay per step of the averaged weights that are evaluated and saved")
    absent_weight: float = _option(0.1, "share of a text's loss that counts labels its dataset never uses as wrong")
    adversarial: float = _option(
        0.0,
        "size of an adversarial push on each text's embeddings, in lengths of a mean one; doubles the work",
    )
    evaluate_test: bool = _option(False, "also measure on the reported splits, once, at the end")
    report: bool = _option(True, "also write history.csv, predictions.parquet and plots")
    resume: bool = _option(False, "continue the unfinished run of this output folder where its last checkpoint is")
    save_steps: int = _option(500, "steps between checkpoints to resume from, besides the one after each epoch")
    init_from: str | None = _option(
        None,
        "checkpoint to start from, with its tokenizer: a folder, a Hub id, or 'pretrained' for the shipped one; labels"
        " that it lacks get new rows in the head. If not given: 'pretrained' if it knows the language and has not read"
        " the dataset, and no option asks for another architecture",
    )
    from_scratch: bool = _option(False, "start from random weights and a vocabulary of the training texts")
    linear_units: bool | None = _option(
        None,
        "build a logistic regression on words into the trained network, as units that average word weights; by default"
        " up to 5,000 training texts, unless an option asks for another architecture or checkpoint",
    )
    baseline: bool = _option(True, "also train TF-IDF with logistic regression, to compare with")
    seeds: list[int] = field(
        default_factory=list,
        metadata={"help": "train once with each of these; the best on dev becomes the output, all are kept in it"},
    )
    folds: int = _option(
        0,
        "cross-validate: train once for each of this many parts of the texts, and measure on that part; writes"
        " metrics.json only",
    )
    refit: bool = _option(False, "after --folds, also train the checkpoint as without it")
    search: int = _option(
        0,
        "train this many times with other learning rates, batch sizes and dropouts (those that are not set), and print"
        " the best command; needs the extra 'search'; the same command resumes",
    )
    tensorboard: bool = _option(False, "also log for TensorBoard, to the output folder's name with .tensorboard")
    push_to_hub: str | None = _option(None, "name of a model on the Hugging Face Hub to upload the output folder to")

    cell: Literal["gru", "lstm", "rnn"] = _option("gru", "recurrent cell")
    bidirectional: bool = _option(True, "read each text from both ends")
    pooling: Literal["last", "mean", "max", "mean_max"] = _option("mean_max", "what the linear head sees")
    vocab_size: int = _option(30_000, "most vocabulary entries, from the training texts only")
    subwords: bool = _option(False, "byte-pair pieces of words in place of whole words")
    embedding_size: int = _option(128, "numbers per token embedding")
    hidden_size: int = _option(192, "units of one layer in one direction")
    num_layers: int = _option(1, "recurrent layers")
    word_dropout: float = _option(0.0, "share of training tokens shown as unknown words")
    embedding_dropout: float = _option(0.3, "dropout on embeddings")
    layer_dropout: float = _option(0.0, "dropout between recurrent layers")
    output_dropout: float = _option(0.4, "dropout on pooled states")

    dry_run: bool = _option(False, "print the plan (data, model, steps, estimated time) and write nothing")
    smoke: bool = _option(False, "only prove that it works, in under a minute: 200 texts of each dataset, one epoch")

    def __post_init__(self) -> None:
        if not self.dataset:
            raise OptionsError("name at least one --dataset, for example --dataset stanfordnlp/imdb")
        if not self.output_dir and not self.dry_run:
            raise OptionsError("name an --output-dir, for example --output-dir out/mine")
        self._check_reading()
        self._check_numbers()
        if self.init_from and self.from_scratch:
            raise OptionsError("--init-from and --from-scratch contradict each other; leave one out")
        if self.adversarial and self.word_dropout:
            raise OptionsError("--word-dropout does not go with --adversarial, which pushes the words that are there")
        if len(set(self.seeds)) < len(self.seeds):
            raise OptionsError(f"--seeds names a seed twice: {' '.join(map(str, self.seeds))}")
        self._check_multi_label()
        self._check_folds()
        self._check_search()
        if self.tensorboard and find_spec("tensorboard") is None:
            raise OptionsError("--tensorboard needs a package that is not installed: pip install tensorboard")
        if self.layer_dropout and self.num_layers == 1 and not self.init_from:
            raise OptionsError("--layer-dropout acts between layers, but --num-layers is 1")
        if self.smoke:
            self._shrink_for_smoke()

    def _check_numbers(self) -> None:
        """Raise OptionsError for a number out of range."""
        positive = ("epochs", "batch_size", "learning_rate", "train_tokens", "patience", "save_steps")
        sizes = ("embedding_size", "hidden_size", "num_layers")
        shares = ("ema_decay", "word_dropout", "embedding_dropout", "layer_dropout", "output_dropout")
        ranges: dict[str, tuple[Callable[[float], bool], str]] = {
            **dict.fromkeys((*positive, *sizes), (lambda value: 0 < value < math.inf, "a number above 0")),
            **dict.fromkeys(shares, (lambda value: 0 <= value < 1, "in [0, 1)")),
            "absent_weight": (lambda value: 0 <= value <= 1, "in [0, 1]"),
            "adversarial": (lambda value: 0 <= value < math.inf, "0 (none) or more"),
            "vocab_size": (lambda value: value >= LEAST_VOCABULARY, f"at least {LEAST_VOCABULARY}"),
        }
        for name, (fits, allowed) in ranges.items():
            value = getattr(self, name)
            if value is not None and not fits(value):
                raise OptionsError(f"--{name.replace('_', '-')} is {value}; it must be {allowed}")
        for name, seeds in (("seed", [self.seed]), ("seeds", self.seeds)):
            if wrong := [seed for seed in seeds if not 0 <= seed <= LARGEST_SEED]:
                raise OptionsError(f"--{name} has {wrong[0]}; a seed is a number from 0 to {LARGEST_SEED:,}")

    def _check_reading(self) -> None:
        parse_label_map(self.label_map)
        if self.max_train_samples < 0:
            raise OptionsError(f"--max-train-samples is {self.max_train_samples}; it must be 0 (all) or more")
        for kind in ("column", "split"):
            names = {f"--{f.name.replace('_', '-')}": getattr(self, f.name) for f in fields(self) if kind in f.name}
            given = [name for name in names.values() if name is not None]
            if len(set(given)) < len(given):
                raise OptionsError(" and ".join(names) + f" must differ, but two are {max(given, key=given.count)!r}")

    def _check_multi_label(self) -> None:
        others = {
            "soft_labels": self.soft_labels,
            "class_weights": self.class_weights == "balanced",
            "linear_units": self.linear_units,
            "seeds": self.seeds,
            "folds": self.folds,
            "search": self.search,
        }
        for name, given in others.items() if self.multi_label else ():
            if given:
                raise OptionsError(f"--multi-label does not go with --{name.replace('_', '-')}; leave one out")

    def _check_folds(self) -> None:
        if not self.folds:
            if self.refit:
                raise OptionsError("--refit goes with --folds; a training without it always writes a checkpoint")
            return
        if self.folds < 2:
            raise OptionsError(f"--folds is {self.folds}; it must be 2 or more")
        if self.seeds or self.tensorboard:
            raise OptionsError(
                f"--folds does not go with {'--seeds' if self.seeds else '--tensorboard'}; leave one out"
            )
        for name in ("evaluate_test", "push_to_hub"):
            if getattr(self, name) and not self.refit:
                raise OptionsError(f"--{name.replace('_', '-')} needs a checkpoint: add --refit to --folds")

    def _check_search(self) -> None:
        if self.search < 0:
            raise OptionsError(f"--search is {self.search}; it must be 0 (none) or more")
        others = ("seeds", "folds", "evaluate_test", "resume", "tensorboard", "push_to_hub")
        for name in others if self.search else ():
            if getattr(self, name):
                raise OptionsError(f"--search does not go with --{name.replace('_', '-')}; add it to the best command")

    def _shrink_for_smoke(self) -> None:
        if self.evaluate_test:
            raise OptionsError("--smoke learns nothing worth measuring; leave out --evaluate-test")
        self.epochs = min(self.epochs or 1, 1)
        self.max_train_samples = min(self.max_train_samples or SMOKE_TEXTS, SMOKE_TEXTS)


def default_options() -> dict[str, Any]:
    """Return the default of every option by its name."""
    return {
        field.name: field.default if field.default_factory is MISSING else field.default_factory()
        for field in fields(TrainingOptions)
    }


def parse_options(description: str | None, arguments: Sequence[str] | None = None) -> TrainingOptions:
    """Return the options of the command line, which take precedence over those of the `--config` file.

    Raises:
        OptionsError: The file cannot be read or has an unknown option, or options contradict each other.
    """
    parser = HfArgumentParser(TrainingOptions, description=description)
    parser.add_argument("--config", help="JSON file of options; those on the command line take precedence")
    given = _parse(parser, arguments)
    config = given.pop("config", None)
    from_file = _parse(parser, _as_arguments(Path(config))) if config else {}
    return TrainingOptions(**(from_file | given))


def _parse(parser: HfArgumentParser, arguments: Sequence[str] | None) -> dict[str, Any]:
    """Return only the options that were given; argparse sets no default where the namespace has a value."""
    unset = Namespace(**{field.name: None for field in fields(TrainingOptions)})
    return {name: value for name, value in vars(parser.parse_args(arguments, unset)).items() if value is not None}


def _as_arguments(path: Path) -> list[str]:
    """Return the options of a file as command-line arguments, whose types and choices the parser checks."""
    known = [field.name for field in fields(TrainingOptions)]
    arguments = []
    for key, value in _read_object(path).items():
        name = key.replace("-", "_")
        if name not in known:
            near = get_close_matches(name, known, n=1, cutoff=0)
            raise OptionsError(f"--config {path}: there is no option {key!r}; the nearest is {near[0]!r}")
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict | list):
                raise OptionsError(f"--config {path}: {key!r} holds {item}; write it as on the command line")
            if item is not None:
                arguments.append(f"--{name}={item}")
    return arguments


def _read_object(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise OptionsError(f"--config {path}: there is no such file") from None
    except (ValueError, OSError) as error:
        raise OptionsError(f"--config {path}: not readable as JSON: {error}") from error
    if not isinstance(content, dict):
        raise OptionsError(f'--config {path}: not a JSON object such as {{"epochs": 2}}')
    return content
