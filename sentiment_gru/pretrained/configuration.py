"""Configuration of the classifier for transformers; every checkpoint folder holds a copy of this file."""

from huggingface_hub.dataclasses import strict
from transformers import PreTrainedConfig

from .model_config import ModelConfig


@strict
class SentimentGRUConfig(ModelConfig, PreTrainedConfig):
    """Everything needed to rebuild a `SentimentGRUForSequenceClassification` from its weights.

    Raises:
        huggingface_hub.errors.StrictDataclassError: A value has the wrong type or contradicts another; the message
            names the fields.
    """

    model_type = "sentiment_gru"
    attribute_map = {"num_hidden_layers": "num_layers"}  # noqa: RUF012, read by transformers as a plain dict


SentimentGRUConfig.register_for_auto_class()
