"""A linear teacher: word n-grams weighted by how much they speak for one of two labels, then logistic regression.

Source: Wang and Manning 2012, "Baselines and Bigrams: Simple, Good Sentiment and Topic Classification".
"""

import re
from collections.abc import Sequence

import numpy as np
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression


def fit_weights(logits: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """Return (M,) weights, none below 0, of (M, N) logits with the lowest log loss on (N,) targets of 0 and 1.

    Their sum is also the scale that makes the blend calibrated, so a single teacher gets its inverse temperature.
    """
    signs = 2 * positive - 1

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        margins = signs * (weights @ logits)
        gradient = -(logits * (signs * expit(-margins))).mean(axis=1)
        return float(np.logaddexp(0, -margins).mean()), gradient

    members = len(logits)
    result = minimize(loss, np.full(members, 1 / members), jac=True, bounds=[(0, None)] * members)
    return np.asarray(result.x)


def blend(weights: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """Return (N,) probabilities of the positive label from (M,) weights and (M, N) logits."""
    return np.asarray(expit(weights @ logits))


NGRAMS = (1, 3)
MIN_TEXTS = 3  # an n-gram of fewer texts is left out
SMOOTHING = 1.0
C = 0.1  # inverse regularisation, best of 0.03, 0.1 and 0.3 on IMDB dev
WORD = r"[\w']+|[^\w\s]"
TAG = re.compile(r"<br\s*/?>")


class NBSVM:
    """Positive against negative on whole texts; small and quick to train, blind to order beyond three words."""

    def __init__(self) -> None:
        self.counts = CountVectorizer(
            ngram_range=NGRAMS,
            binary=True,
            min_df=MIN_TEXTS,
            token_pattern=WORD,
            preprocessor=lambda text: TAG.sub(" ", text.lower()),
            dtype=np.float32,
        )
        self.regression = LogisticRegression(C=C, max_iter=300)
        self.ratio = np.zeros(0, dtype=np.float32)

    def fit(self, texts: Sequence[str], positive: np.ndarray) -> "NBSVM":
        """Learn from texts and (N,) probabilities of the positive label, which may be 0 and 1."""
        return self.fit_features(self.counts.fit_transform(texts), positive)

    def fit_features(self, features: sparse.csr_matrix, positive: np.ndarray) -> "NBSVM":
        """Learn from (N, F) n-grams of texts, as `counts` makes them."""
        for_it, against = (SMOOTHING + features.T @ share for share in (positive, 1 - positive))
        self.ratio = np.log((for_it / for_it.sum()) / (against / against.sum())).astype(np.float32)
        weighted = features.multiply(self.ratio).tocsr()
        # A text with a probability counts for both labels, by its share in each.
        rows = [np.flatnonzero(share) for share in (positive, 1 - positive)]
        self.regression.fit(
            sparse.vstack([weighted[chosen] for chosen in rows]),
            np.repeat([1, 0], [len(chosen) for chosen in rows]),
            sample_weight=np.concatenate([positive[rows[0]], 1 - positive[rows[1]]]),
        )
        return self

    def logits(self, texts: Sequence[str]) -> np.ndarray:
        """Return (N,) logits of the positive label."""
        return self.logits_of_features(self.counts.transform(texts))

    def logits_of_features(self, features: sparse.csr_matrix) -> np.ndarray:
        """Return (N,) logits of (N, F) n-grams."""
        return self.regression.decision_function(features.multiply(self.ratio).tocsr())


def out_of_fold(texts: Sequence[str], positive: np.ndarray, folds: int = 5) -> np.ndarray:
    """Return (N,) logits, each from a model that has not seen the text nor its neighbours of the same label.

    Args:
        texts: in the dataset's order, in which neighbours share a source (IMDB's a film).
        positive: (N,) 1 or 0.
        folds: blocks of each label's texts.
    """
    fold = np.zeros(len(texts), dtype=int)
    for label in (0, 1):
        rows = np.flatnonzero(positive == label)
        fold[rows] = np.arange(len(rows)) * folds // len(rows)
    model = NBSVM()
    features = model.counts.fit_transform(texts)
    logits = np.zeros(len(texts))
    for held in range(folds):
        seen = fold != held
        model.fit_features(features[seen], positive[seen])
        logits[~seen] = model.logits_of_features(features[~seen])
    return logits
