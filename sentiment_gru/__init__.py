"""GRU text classification with reasons.

    from sentiment_gru import SentimentClassifier
    SentimentClassifier.from_pretrained()(["I loved it."])[0].label

Names are imported on first use (PEP 562): importing the package costs milliseconds, torch and transformers seconds.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .classifier import SentimentClassifier
    from .configuration import SentimentGRUConfig
    from .errors import (
        CheckpointError,
        DatasetError,
        FileError,
        InputError,
        MissingExtraError,
        OptionsError,
        SentimentError,
        StorageError,
    )
    from .modeling import SentimentGRUForSequenceClassification
    from .results import Explanation, Prediction, Token

__version__ = "0.1.0"
_MODULES = {
    "CheckpointError": "errors",
    "DatasetError": "errors",
    "Explanation": "results",
    "FileError": "errors",
    "InputError": "errors",
    "MissingExtraError": "errors",
    "OptionsError": "errors",
    "Prediction": "results",
    "SentimentClassifier": "classifier",
    "SentimentError": "errors",
    "SentimentGRUConfig": "configuration",
    "SentimentGRUForSequenceClassification": "modeling",
    "StorageError": "errors",
    "Token": "results",
}
__all__ = [
    "CheckpointError",
    "DatasetError",
    "Explanation",
    "FileError",
    "InputError",
    "MissingExtraError",
    "OptionsError",
    "Prediction",
    "SentimentClassifier",
    "SentimentError",
    "SentimentGRUConfig",
    "SentimentGRUForSequenceClassification",
    "StorageError",
    "Token",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULES[name]}", __name__), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
