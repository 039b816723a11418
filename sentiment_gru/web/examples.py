"""The examples of the Sentiment tab: texts to try, texts that the model gets wrong, and a stored explanation.

The page opens with the first example, whose explanation is stored: an explanation needs PyTorch, whose import takes
seconds and 250 MB, and a visitor who only looks at the page pays neither. `python -m sentiment_gru.web.examples`
computes it for the shipped checkpoint.
"""

import hashlib
import json
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ..checkpoint import PRETRAINED, WEIGHTS
from ..results import Deletion, Explanation, Prediction, Token

EXAMPLES = {
    "It drags, but …": "The first hour drags, but the ending is so beautiful that I forgave it everything.",
    "Not bad at all": "Not bad at all. I did not expect to like it, and I was not disappointed for a minute.",
    "Oh great …": "Oh great, another sequel nobody asked for. Two hours of my life well spent, really.",
    "A plain fact": "The film opens on Friday. It runs for two hours and was shot in Lisbon.",
    "Unknown words": "Blorf zindle quaxotl vrimp",
    "A long review": (
        "I went in expecting very little. The trailer gave away half the plot, the posters were dreadful, and the "
        "last two films by this director put me to sleep. The opening did nothing to change my mind: ten minutes of "
        "people explaining things to each other in a car.\n\n"
        "Then, quite suddenly, it wakes up. The daughter arrives, the house fills with people, and every scene has "
        "something in it worth watching: a look, a joke that lands, a silence held just long enough. The supporting "
        "cast is superb, and the score knows when to stay out of the way.\n\n"
        "It is not perfect. The subplot about the neighbour goes nowhere, and the dream sequence should have been cut. "
        "But I laughed, I cried a little, and I have been thinking about the last shot ever since. Go and see it with "
        "somebody you have argued with."
    ),
}
WORKED_EXAMPLE = Path(__file__).parent / "worked_example.json"
FAILURES = Path(__file__).parent / "failures.json"  # written by benchmarks/failures.py for the shipped checkpoint
ARRAYS = ("logits", "running", "reset", "update", "candidate", "hidden")
DECIMALS = 5


def hash_weights(folder: Path) -> str:
    """Return the SHA-256 of a checkpoint's weights, as hexadecimal digits."""
    return hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()


def load_worked_example(folder: Path, text: str) -> Explanation | None:
    """Return the stored explanation of a text, or None if there is none of this text and these weights.

    Args:
        folder: The folder of the checkpoint.
        text: The text to explain.
    """
    if text != next(iter(EXAMPLES.values())):
        return None
    stored = json.loads(WORKED_EXAMPLE.read_text(encoding="utf-8"))
    with suppress(OSError):  # weights that are gone since they were loaded
        if (stored["weights"], stored["explanation"]["text"]) == (hash_weights(folder), text):
            return from_json(stored["explanation"])
    return None


def load_failures(folder: Path) -> list[dict[str, Any]]:
    """Return texts that the shipped checkpoint gets wrong; an empty list for another checkpoint."""
    found: list[dict[str, Any]] = json.loads(FAILURES.read_text(encoding="utf-8"))
    return found if folder == PRETRAINED else []


def to_json(explanation: Explanation) -> dict[str, Any]:
    """Return all fields of an explanation as JSON values, arrays rounded to `DECIMALS`."""

    def plain(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return np.round(value.astype(float), DECIMALS).tolist()
        if isinstance(value, dict):
            return {name: plain(part) for name, part in value.items()}
        return value

    fields: dict[str, Any] = plain(asdict(explanation))
    return fields


def from_json(fields: dict[str, Any]) -> Explanation:
    """Return the explanation of the values that `to_json` returned."""
    deletion = fields["deletion"]
    return Explanation(
        **{
            **fields,
            **{name: np.array(fields[name]) for name in ARRAYS},
            "prediction": Prediction(**fields["prediction"]),
            "target": tuple(fields["target"]),
            "tokens": tuple(Token(**token) for token in fields["tokens"]),
            "attributions": {name: np.array(values) for name, values in fields["attributions"].items()},
            "deletion": deletion
            and Deletion(
                np.array(deletion["removed"]),
                {name: np.array(curve) for name, curve in deletion["curves"].items()},
                np.array(deletion["random"]),
            ),
        }
    )


def store_worked_example() -> None:
    """Compute the explanation of the first example with the shipped checkpoint, and store it."""
    from ..classifier import SentimentClassifier
    from .explanation_view import choose_target

    classifier, text = SentimentClassifier.from_pretrained(), next(iter(EXAMPLES.values()))
    explanation = classifier.explain(text, target=choose_target(classifier([text])[0].scores))
    stored = {"weights": hash_weights(PRETRAINED), "explanation": to_json(explanation)}
    WORKED_EXAMPLE.write_text(json.dumps(stored, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    store_worked_example()
