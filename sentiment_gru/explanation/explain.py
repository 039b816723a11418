"""Put an `Explanation` together."""

from collections.abc import Sequence

import numpy as np

from ..errors import InputError
from ..prediction import Prediction
from .attribution import deletion, integrated_gradients, leave_one_out
from .gates import gates
from .reading import Reading
from .result import METHODS, Array, Explanation, Target
from .running import calibrated, running_logits


def explain(
    reading: Reading, prediction: Prediction, labels: Sequence[str], methods: Sequence[str], target: Target
) -> Explanation:
    """Explain one text; `SentimentClassifier.explain` documents the arguments and errors."""
    label, against = _check_target(prediction.label if target is None else target, labels)
    if unknown := set(methods) - set(METHODS):
        raise InputError(f"no method of explanation is called {sorted(unknown)[0]!r}; there are {', '.join(METHODS)}")
    weights = np.array([(name == label) - float(name == against) for name in labels])  # (C,)
    logits, stride = running_logits(reading)
    arrays, error = gates(reading)
    strides, steps, proofs = {"running": stride}, 0, {}
    if len(arrays.hidden):
        proofs["hidden_state_error"] = error
    attributions: dict[str, Array] = {}
    if reading.ids and "integrated_gradients" in methods:
        found, proofs["completeness_gap"], steps = integrated_gradients(reading, weights)
        attributions["integrated_gradients"] = found
    if reading.ids and "leave_one_out" in methods:
        attributions["leave_one_out"], strides["leave_one_out"] = leave_one_out(reading, weights)
    if reading.ids and "as_read" in methods:
        attributions["as_read"] = np.diff(logits @ weights)
        whole = float((logits[-1] - logits[0]) @ weights)
        proofs["telescoping_error"] = abs(float(attributions["as_read"].sum()) - whole)
    curves = deletion(reading, weights, attributions) if attributions else None
    proofs |= {f"deletion_gain_{method}": curves.gain(method) for method in attributions if curves}
    return Explanation(
        text=reading.text,
        prediction=prediction,
        target=(label, against),
        tokens=reading.tokens,
        logits=logits,
        running=calibrated(logits),
        **arrays._asdict(),
        directions=2 if reading.model.config.bidirectional else 1,
        attributions=attributions or {method: np.zeros(0) for method in methods},
        deletion=curves,
        strides=strides,
        gradient_steps=steps,
        proofs=proofs,
    )


def _check_target(target: str | tuple[str, str], labels: Sequence[str]) -> tuple[str, str | None]:
    names = (target,) if isinstance(target, str) else tuple(target)
    for name in names:
        if name not in labels:
            raise InputError(f"the model has no label {name!r}; it has {', '.join(labels)}")
    if not 1 <= len(set(names)) == len(names) <= 2:
        raise InputError(f"a target is one label or two different ones, not {target!r}")
    return names[0], names[1] if len(names) == 2 else None
