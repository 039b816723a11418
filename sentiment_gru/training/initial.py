"""Where a training starts when it fine-tunes: the network, tokenizer and labels of an existing checkpoint."""

import json
from collections.abc import Sequence
from dataclasses import fields, replace

from transformers import PreTrainedTokenizerFast

from ..checkpoint import load_model, load_tokenizer, resolve
from ..errors import DatasetError, OptionsError
from ..modeling import SentimentGRUForSequenceClassification
from .options import TrainingOptions

ARCHITECTURE = ("cell", "bidirectional", "pooling", "embedding_size", "hidden_size", "num_layers", "vocab_size")
DROPOUTS = ("word_dropout", "embedding_dropout", "layer_dropout", "output_dropout")


def load_initial(
    options: TrainingOptions, labels: Sequence[str]
) -> tuple[TrainingOptions, SentimentGRUForSequenceClassification, PreTrainedTokenizerFast]:
    """Load the checkpoint of `--init-from` and make it trainable on texts with these labels.

    Returns:
        The options with the checkpoint's architecture in place of the defaults; the network, without its former
        calibration and with the options' dropouts; its tokenizer.

    Raises:
        CheckpointError: the checkpoint cannot be loaded.
        DatasetError: the texts have a label that the checkpoint lacks.
        OptionsError: an option asks for another architecture than the checkpoint has.
    """
    folder = resolve(options.init_from)
    model, tokenizer = load_model(folder), load_tokenizer(folder)
    known = list(model.config.id2label.values())
    if unknown := [label for label in labels if label not in known]:
        raise DatasetError(
            f"the texts have the label {', '.join(unknown)}, but {options.init_from} has only {', '.join(known)}"
        )
    pieces = json.loads(tokenizer.backend_tokenizer.to_str())["model"]["type"] == "BPE"
    architecture = {name: getattr(model.config, name) for name in ARCHITECTURE} | {"subwords": pieces}
    defaults = {field.name: field.default for field in fields(options)}
    for name, value in architecture.items():
        asked = getattr(options, name)
        if asked not in (value, defaults[name]):
            raise OptionsError(f"--{name.replace('_', '-')} is {asked}, but --init-from has {value}; leave it out")
    options = replace(options, **architecture)
    for name in DROPOUTS:
        setattr(model.config, name, getattr(options, name))
    model.config.temperature, model.config.temperature_exponent, model.config.uncertain_below = 1.0, 0.0, 0.0
    return options, model, tokenizer
