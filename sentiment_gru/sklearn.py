"""The classifier as a scikit-learn estimator, from lists of texts and labels.

    from sentiment_gru.sklearn import GRUTextClassifier

    model = GRUTextClassifier().fit(texts, labels)
    cross_val_score(GRUTextClassifier(), texts, labels)

`fit` is the training of `train.py`: a tenth of the texts of each label is dev, which decides when to stop and the
calibration, and the shipped checkpoint is the start where it fits.
"""

import io
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from .checkpoint import CONFIG, TOKENIZER, TOKENIZER_CONFIG, WEIGHTS
from .classifier import SentimentClassifier
from .labels import NO_LABEL, plain_label
from .results import calibrated
from .training.options import TrainingOptions
from .training.run import train

FILES = (CONFIG, TOKENIZER, TOKENIZER_CONFIG, WEIGHTS)
PARAMETERS = ("init_from", "from_scratch", "epochs", "patience", "batch_size", "learning_rate", "class_weights")
# Options of `train.py` without a meaning here: how a table is read, several trainings, and the output folder.
OTHER_OPTIONS = {
    *("dataset", "text_column", "label_column", "train_split", "validation_split", "test_split", "label_map"),
    *("seeds", "folds", "refit", "search"),
    *("output_dir", "resume", "evaluate_test", "tensorboard", "push_to_hub", "dry_run"),
}


class GRUTextClassifier(ClassifierMixin, BaseEstimator):
    """GRU text classifier with the interface of scikit-learn.

    A fitted estimator is pickled as the bytes of its checkpoint files, whose weights are in the safetensors format.

    Args:
        init_from: Checkpoint to start from, as in `train.py`.
        from_scratch: Whether to start from random weights.
        epochs: Most passes over the training texts; None for a number that depends on how many texts there are.
        patience: Number of epochs without a better dev score after which training stops; None as above.
        batch_size: Texts per step; None as above.
        learning_rate: Peak of the learning rate; None as above.
        class_weights: "none", or "balanced" to let rare labels count more in the loss.
        options: Further fields of `TrainingOptions`, such as {"hidden_size": 64}; not those on tables, several
            trainings and the output folder.
        random_state: Seed of weights, order and dropout.
        verbose: Whether to show the progress of `fit`.

    Attributes:
        classes_: (K,) sorted labels.
        checkpoint_: Contents of the checkpoint files by their names.
    """

    def __init__(
        self,
        init_from: str | None = None,
        from_scratch: bool = False,
        epochs: float | None = None,
        patience: int | None = None,
        batch_size: int | None = None,
        learning_rate: float | None = None,
        class_weights: str = "none",
        options: Mapping[str, Any] | None = None,
        random_state: Any = 0,
        verbose: bool = False,
    ) -> None:
        self.init_from = init_from
        self.from_scratch = from_scratch
        self.epochs = epochs
        self.patience = patience
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.class_weights = class_weights
        self.options = options
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Iterable[str], y: Iterable[Any]) -> Self:  # noqa: N803, scikit-learn's name
        """Train on N texts and their N labels.

        Raises:
            ValueError: Texts are not strings, their number is not that of the labels, a label is missing, there is only
                one label, or `options` has a name that does not belong there.
            KeyboardInterrupt: Ctrl-C was pressed; the estimator is unchanged.
            DatasetError, OptionsError: As in `training.run.train`.
        """
        check_options(dict(self.options or {}))
        texts = check_texts(X)
        labels = check_labels(y, len(texts))
        classes, rows = np.unique(labels, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(f"a classifier needs at least two classes, but y holds only {classes.tolist()}")
        names = name_classes(classes.tolist())
        with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
            if not self.verbose:
                stack.enter_context(redirect_stdout(io.StringIO()))
                stack.enter_context(redirect_stderr(io.StringIO()))
            source, output = Path(folder) / "texts.parquet", Path(folder) / "out"
            pq.write_table(pa.table({"text": texts, "label": [names[row] for row in rows]}), source)
            metrics = train(self._training_options(source, output))
            if metrics is None or metrics["interrupted"]:
                raise KeyboardInterrupt
            self.checkpoint_ = {name: (output / name).read_bytes() for name in FILES}
        self.classes_ = classes
        self._classifier: SentimentClassifier | None = None
        return self

    def _training_options(self, source: Path, output: Path) -> TrainingOptions:
        return TrainingOptions(
            str(output),
            [str(source)],
            **{name: getattr(self, name) for name in PARAMETERS},
            seed=int(check_random_state(self.random_state).randint(2**31)),
            **({"baseline": False, "report": False} | dict(self.options or {})),
        )

    def predict_proba(self, X: Iterable[str]) -> np.ndarray:  # noqa: N803
        """Return the calibrated (N, K) scores of N texts, in the order of `classes_`.

        Raises:
            ValueError: Texts are not strings.
            sklearn.exceptions.NotFittedError: `fit` was not called.
        """
        check_is_fitted(self)
        texts, classifier = check_texts(X), self._loaded()
        scores = calibrated(classifier.logits(texts))
        found = np.zeros((len(texts), len(self.classes_)))
        for column, name in enumerate(name_classes(self.classes_.tolist())):
            if name in classifier.labels:  # a class whose texts were all empty has no output
                found[:, column] = scores[:, classifier.labels.index(name)]
        return found

    def predict(self, X: Iterable[str]) -> np.ndarray:  # noqa: N803
        """Return the (N,) most likely labels of N texts; errors are those of `predict_proba`."""
        scores = self.predict_proba(X)
        return self.classes_[scores.argmax(axis=1)]

    def save(self, folder: str | Path) -> None:
        """Write a checkpoint folder that `SentimentClassifier`, the app and `--init-from` load.

        Raises:
            sklearn.exceptions.NotFittedError: `fit` was not called.
        """
        check_is_fitted(self)
        Path(folder).mkdir(parents=True, exist_ok=True)
        for name, content in self.checkpoint_.items():
            (Path(folder) / name).write_bytes(content)

    def _loaded(self) -> SentimentClassifier:
        if self._classifier is None:
            with tempfile.TemporaryDirectory() as folder:
                self.save(folder)
                self._classifier = SentimentClassifier.from_pretrained(folder)
        return self._classifier

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        return {name: None if name == "_classifier" else value for name, value in state.items()}

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags


def check_options(options: Mapping[str, Any]) -> None:
    """Check the names of further options.

    Raises:
        ValueError: A name is not a field of `TrainingOptions`, is a parameter of the estimator, or has no meaning here.
    """
    if options.get("multi_label"):
        raise ValueError("this estimator gives a text one label; `train.py --multi-label` gives several")
    for name in options:
        if name in (*PARAMETERS, "seed"):
            parameter = "random_state" if name == "seed" else name
            raise ValueError(f"options has {name!r}; give it as the parameter {parameter}")
        if name in OTHER_OPTIONS:
            raise ValueError(f"options has {name!r}, which only `train.py` can use; leave it out")
        if name not in TrainingOptions.__dataclass_fields__:
            (near,) = get_close_matches(name, TrainingOptions.__dataclass_fields__, n=1, cutoff=0)
            raise ValueError(f"options has {name!r}, which is not an option of `train.py`; the nearest is {near!r}")


def check_labels(labels: Iterable[Any], count: int) -> np.ndarray:
    """Return the (N,) labels of N texts.

    Raises:
        ValueError: Their number is not `count`, one is missing, or they cannot be sorted.
    """
    found = labels if hasattr(labels, "shape") else list(labels)
    array = np.asarray(found)
    if array.shape != (count,):
        raise ValueError(f"y has the shape {array.shape}; {count} texts need ({count},)")
    for row, label in enumerate(found):  # in an array of strings, NaN would be the word "nan"
        if label is None or (not isinstance(label, str) and str(label) in ("nan", "NaT", "<NA>")):
            raise ValueError(f"y[{row}] is {label}: each text needs a label; leave out those without")
    types = sorted({type(label).__name__ for label in found})
    if any(isinstance(label, str) for label in found) and not all(isinstance(label, str) for label in found):
        raise ValueError(f"y holds labels of the types {' and '.join(types)}; make all of them strings")
    return array


def check_texts(texts: Iterable[str]) -> list[str]:
    """Return texts as a list.

    Raises:
        ValueError: The argument is a single string or has two dimensions, or an element is not a string; the message
            names its position.
    """
    if isinstance(texts, str):
        raise ValueError("X is one string; a list of texts is needed")
    if (dimensions := getattr(texts, "ndim", 1)) != 1:
        raise ValueError(f"X has {dimensions} dimensions; give the column of the texts alone, such as X['text']")
    texts = list(texts)
    for row, text in enumerate(texts):
        if not isinstance(text, str):
            raise ValueError(f"X[{row}] is {type(text).__name__}, not a string: {text!r:.80}")
    return [str(text) for text in texts]  # NumPy's strings become plain ones


def name_classes(classes: list[Any]) -> list[str]:
    """Return a label of the checkpoint for each class: its own name, or a number where names would be changed.

    >>> name_classes(["negative", "positive"]), name_classes([-1, 1])
    (['negative', 'positive'], ['class 0', 'class 1'])
    """
    names = [plain_label(value) for value in classes]
    if len(set(names)) == len(names) and not {None, NO_LABEL} & set(names):
        return [str(name) for name in names]
    return [f"class {row}" for row in range(len(classes))]
