"""The estimator keeps the conventions of scikit-learn, and is pickled without unpickling tensors."""

import pickle
import pickletools

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import get_tags

from sentiment_gru import OptionsError, SentimentClassifier
from sentiment_gru.sklearn import GRUTextClassifier, name_classes
from tests.conftest import made_up_texts

ROWS = [row for row in made_up_texts() if row["label"] != "neutral"][::2]
TEXTS, LABELS = [row["text"] for row in ROWS], [row["label"] for row in ROWS]
TINY = {"embedding_size": 8, "hidden_size": 8, "embedding_dropout": 0.1, "output_dropout": 0.1}


def tiny(**changes: object) -> GRUTextClassifier:
    settings = {"epochs": 6, "batch_size": 16, "learning_rate": 1e-2, "options": TINY}
    return GRUTextClassifier(**(settings | changes))


@pytest.fixture(scope="module")
def fitted() -> GRUTextClassifier:
    return tiny().fit(TEXTS, LABELS)


def test_fit_predict_and_score(fitted: GRUTextClassifier) -> None:
    assert fitted.classes_.tolist() == ["negative", "positive"]
    scores = fitted.predict_proba(np.array(TEXTS))
    assert scores.shape == (len(TEXTS), 2)
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-6)
    assert fitted.predict(TEXTS).tolist() == [fitted.classes_[i] for i in scores.argmax(axis=1)]
    assert fitted.score(TEXTS, LABELS) > 0.9


def test_a_pickle_holds_safetensors_bytes_and_gives_the_same_scores(fitted: GRUTextClassifier) -> None:
    before = fitted.predict_proba(TEXTS)
    data = pickle.dumps(fitted)
    names = {argument for _, argument, _ in pickletools.genops(data) if isinstance(argument, str)}
    assert not any("torch" in name or "safetensors." in name for name in names)
    assert fitted.checkpoint_["model.safetensors"] in data
    assert np.array_equal(pickle.loads(data).predict_proba(TEXTS), before)


def test_a_saved_folder_is_a_checkpoint(fitted: GRUTextClassifier, tmp_path: object) -> None:
    fitted.save(f"{tmp_path}/out")
    loaded = SentimentClassifier.from_pretrained(f"{tmp_path}/out")
    assert [p.label for p in loaded(TEXTS)] == fitted.predict(TEXTS).tolist()


def test_parameters_are_read_set_and_cloned(fitted: GRUTextClassifier) -> None:
    copy = clone(fitted)
    assert copy.get_params() == fitted.get_params() == tiny().get_params()
    assert copy.set_params(epochs=2).epochs == 2
    with pytest.raises(NotFittedError):
        copy.predict(TEXTS)
    with pytest.raises(ValueError, match="Invalid parameter 'hidden'"):
        copy.set_params(hidden=3)


def test_numbers_as_labels_come_back_as_numbers() -> None:
    labels = [-1 if label == "negative" else 1 for label in LABELS]
    model = tiny(epochs=1).fit(TEXTS, labels)
    assert model.classes_.tolist() == [-1, 1]
    assert set(model.predict(TEXTS).tolist()) <= {-1, 1}


@pytest.mark.parametrize(
    ("classes", "names"),
    [
        ([0, 1, 10], ["0", "1", "10"]),
        (["neg", "pos"], ["negative", "positive"]),
        (["pos", "positive"], ["class 0", "class 1"]),
        (["", "a"], ["class 0", "class 1"]),
        ([True, False], ["True", "False"]),
    ],
)
def test_labels_that_the_checkpoint_would_change_are_numbered(classes: list[object], names: list[str]) -> None:
    assert name_classes(classes) == names


def test_pipelines_cross_validation_and_grid_search_run() -> None:
    lower = FunctionTransformer(lambda texts: [text.lower() for text in texts])
    pipeline = make_pipeline(lower, tiny(epochs=1))
    assert cross_val_score(pipeline, TEXTS, LABELS, cv=2, error_score="raise").shape == (2,)
    search = GridSearchCV(tiny(), {"learning_rate": [1e-6, 1e-2]}, cv=2, error_score="raise")
    search.fit(np.array(TEXTS), np.array(LABELS))
    assert search.best_params_ == {"learning_rate": 1e-2}
    assert search.best_estimator_.predict(TEXTS[:2]).shape == (2,)


def test_its_tags_say_that_it_takes_texts() -> None:
    tags = get_tags(GRUTextClassifier())
    assert (tags.estimator_type, tags.input_tags.string, tags.input_tags.two_d_array) == ("classifier", True, False)


@pytest.mark.parametrize(
    ("texts", "labels", "message"),
    [
        ("one text", ["a"], "X is one string"),
        (["a", 3], ["a", "b"], r"X\[1\] is int, not a string: 3"),
        (["a", "b"], ["a"], r"y has the shape \(1,\); 2 texts need \(2,\)"),
        (["a", "b"], ["a", "a"], r"at least two classes, but y holds only \['a'\]"),
        (["a", "b"], [0.0, float("nan")], r"y\[1\] is nan: each text needs a label; leave out"),
        (["a", "b"], ["a", None], r"y\[1\] is None: each text needs a label; leave out"),
        (["a", "b"], ["a", float("nan")], r"y\[1\] is nan: each text needs a label; leave out"),
        (["a", "b"], np.array(["a", 1], dtype=object), "labels of the types int and str; make all of them strings"),
        (np.array([["a"], ["b"]]), ["a", "b"], r"X has 2 dimensions; give the column of the texts alone"),
    ],
)
def test_input_that_is_no_training_set_is_refused(texts: object, labels: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GRUTextClassifier().fit(texts, labels)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hiden_size": 8}, "options has 'hiden_size', .* the nearest is 'hidden_size'"),
        ({"epochs": 3}, "options has 'epochs'; give it as the parameter epochs"),
        ({"seed": 3}, "options has 'seed'; give it as the parameter random_state"),
        ({"folds": 5}, "options has 'folds', which only `train.py` can use; leave it out"),
    ],
)
def test_an_option_that_would_be_ignored_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GRUTextClassifier(options=options).fit(TEXTS, LABELS)


def test_several_labels_per_text_are_refused() -> None:
    with pytest.raises(ValueError, match=r"one label; .* gives several"):
        GRUTextClassifier(options={"multi_label": True}).fit(["a", "b"], ["a;b", "b"])


def test_an_option_out_of_range_is_refused_by_name() -> None:
    with pytest.raises(OptionsError, match="--epochs is -1"):
        tiny(epochs=-1).fit(TEXTS, LABELS)
