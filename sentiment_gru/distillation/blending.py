"""Several teachers' opinions made one: weighted logits, the weights and their scale fitted on dev."""

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit


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
