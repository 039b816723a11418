"""Find, check, load and save checkpoint folders; checks precede loading, so that errors are clear."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from .errors import CheckpointError
from .model_config import ModelConfig

if TYPE_CHECKING:  # torch and transformers take seconds to import; verdicts need neither
    from transformers import PreTrainedTokenizerFast

    from .modeling import SentimentGRUForSequenceClassification
    from .network import SentimentGRU

PRETRAINED = Path(__file__).parent / "pretrained"
WEIGHTS, CONFIG, TOKENIZER = "model.safetensors", "config.json", "tokenizer.json"
TOKENIZER_CONFIG = "tokenizer_config.json"
METRICS = "metrics.json"
GATES = {"gru": 3, "lstm": 4, "rnn": 1}  # blocks of rows in the weights of a cell
HUB_FILES = ["*.json", "*.safetensors", "README.md"]
HUB_TIMEOUT = 5.0  # seconds


def resolve(model: str | Path | None) -> Path:
    """Return the folder of a checkpoint, downloading it from the Hub if needed.

    Args:
        model: Folder or Hub id; None for the shipped checkpoint.

    Raises:
        CheckpointError: There is no such folder, and the Hub did not provide the model.
    """
    if model is None:
        return PRETRAINED
    if Path(model).is_dir():
        return Path(model)
    from huggingface_hub import HfApi, snapshot_download

    try:
        HfApi().model_info(str(model), timeout=HUB_TIMEOUT)
        return Path(snapshot_download(str(model), allow_patterns=HUB_FILES))
    except Exception as error:
        raise CheckpointError(
            f"{model}: no such folder, and the Hugging Face Hub did not give a model of this name"
            f" ({type(error).__name__})"
        ) from error


def check_folder(folder: Path) -> dict[str, Any]:
    """Check a folder without importing torch, in milliseconds, and return the parsed configuration.

    Raises:
        CheckpointError: A file is missing, cut short or of another type; the message names the file and the fault.
    """
    config = _read_json(folder / CONFIG)
    if config.get("model_type") != "sentiment_gru":
        raise CheckpointError(f"{folder / CONFIG}: model_type is {config.get('model_type')!r}, not 'sentiment_gru'")
    _read_json(folder / TOKENIZER)
    if not (folder / WEIGHTS).is_file():
        pickles = sorted(path.name for path in folder.glob("*.bin")) + sorted(p.name for p in folder.glob("*.pt"))
        also = f"; {', '.join(pickles)} is a pickle and is never loaded" if pickles else ""
        raise CheckpointError(f"{folder / WEIGHTS}: file is missing{also}")
    check_labels(folder, config, _read_shapes(folder / WEIGHTS))
    return config


def check_labels(folder: Path, config: dict[str, Any], shapes: dict[str, list[int]]) -> None:
    """Raise CheckpointError if the number of labels differs from the rows of the linear head."""
    rows = shapes.get("classifier.weight", [0])[0]
    labels = config.get("id2label")
    if not isinstance(labels, dict) or len(labels) != rows:
        count = len(labels) if isinstance(labels, dict) else 0
        raise CheckpointError(f"{folder / CONFIG}: id2label has {count} labels, but classifier.weight has {rows} rows")


def read_metrics(folder: Path) -> dict[str, Any]:
    """Return the metrics that a training wrote beside a checkpoint; empty if there are none."""
    return _read_json(folder / METRICS) if (folder / METRICS).is_file() else {}


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(f"{path}: file is missing") from None
    except (ValueError, OSError) as error:
        raise CheckpointError(f"{path}: not readable as JSON: {error}") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path}: not a JSON object")
    return content


def _read_shapes(path: Path) -> dict[str, list[int]]:
    """Return the tensor shapes in a safetensors header; opening the file also checks its length."""
    try:
        with safe_open(path, framework="numpy") as file:
            return {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118, not a dict
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: not a whole safetensors file: {error}") from error


def load_config(folder: Path) -> ModelConfig:
    """Load the configuration of a folder, without torch and transformers.

    Raises:
        CheckpointError: A check fails, or a value is invalid; the message names the field.
    """
    content = check_folder(folder)
    try:
        return ModelConfig.from_json(content)
    except Exception as error:
        raise CheckpointError(f"{folder / CONFIG}: {one_line(error)}") from error


def load_weights(folder: Path, config: ModelConfig) -> dict[str, np.ndarray]:
    """Load the weights of a folder by their names in `Network`, with the types of the file.

    Raises:
        CheckpointError: Names or shapes of the weights do not match the configuration.
    """
    path = folder / WEIGHTS
    shapes, expected = _read_shapes(path), list_shapes(config)
    for name, shape in expected.items():
        if name not in shapes:
            raise CheckpointError(f"{path}: tensor {name} is missing")
        if shape != shapes[name]:
            raise CheckpointError(f"{path}: {name} has shape {shapes[name]}, but config.json implies {shape}")
    if extra := sorted(shapes.keys() - expected.keys()):
        raise CheckpointError(f"{path}: tensor {extra[0]} is not part of the model that config.json describes")
    return load_file(path)


def list_shapes(config: ModelConfig) -> dict[str, list[int]]:
    """Return the shapes of the weights of `Network`, by name."""
    rows, hidden = GATES[config.cell] * config.hidden_size, config.hidden_size
    state_size = hidden * (2 if config.bidirectional else 1)
    shapes = {"embedding.weight": [config.vocab_size, config.embedding_size]}
    for layer in range(config.num_layers):
        input_size = state_size if layer else config.embedding_size
        for cell in ("forward_cell", "backward_cell")[: 2 if config.bidirectional else 1]:
            shapes |= {
                f"layers.{layer}.{cell}.weight_ih_l0": [rows, input_size],
                f"layers.{layer}.{cell}.weight_hh_l0": [rows, hidden],
                f"layers.{layer}.{cell}.bias_ih_l0": [rows],
                f"layers.{layer}.{cell}.bias_hh_l0": [rows],
            }
    pooled_size = state_size * (2 if config.pooling == "mean_max" else 1)
    labels = len(config.labels)
    return shapes | {"classifier.weight": [labels, pooled_size], "classifier.bias": [labels]}


def load_text_encoder(folder: Path) -> Tokenizer:
    """Load the tokenizer of a folder without transformers; it neither pads nor truncates.

    Raises:
        CheckpointError: The file is damaged, or its ids exceed the vocabulary of the configuration.
    """
    config = check_folder(folder)
    try:
        tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    except Exception as error:
        raise CheckpointError(f"{folder / TOKENIZER}: {one_line(error)}") from error
    _check_entries(folder, tokenizer.get_vocab_size(), config)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    path = folder / TOKENIZER_CONFIG
    tokenizer.encode_special_tokens = path.is_file() and bool(_read_json(path).get("split_special_tokens"))
    return tokenizer


def build_network(config: ModelConfig, weights: Mapping[str, np.ndarray], threads: int | None = None) -> "SentimentGRU":
    """Return the network in float32, without transformers.

    Args:
        config: Configuration of the model.
        weights: Weights by their names in `Network`.
        threads: Number of threads that PyTorch uses in this process; None for its default.
    """
    import torch

    from .network import SentimentGRU

    if threads is not None:
        torch.set_num_threads(threads)
    network = SentimentGRU(config)
    network.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})  # float16 to float32
    return network.eval()


def load_model(folder: Path) -> "SentimentGRUForSequenceClassification":
    """Load a folder as a transformers model, which can be trained and saved.

    Raises:
        CheckpointError: A check fails, or the weights do not match the configuration.
    """
    import torch

    from .configuration import SentimentGRUConfig
    from .modeling import SentimentGRUForSequenceClassification

    weights = load_weights(folder, load_config(folder))
    model = SentimentGRUForSequenceClassification(SentimentGRUConfig.from_pretrained(folder))
    model.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
    return model.eval()


def load_tokenizer(folder: Path) -> "PreTrainedTokenizerFast":
    """Load the tokenizer of a folder for transformers.

    Raises:
        CheckpointError: The file is damaged, or its ids exceed the vocabulary of the configuration.
    """
    from transformers import PreTrainedTokenizerFast

    config = check_folder(folder)
    try:
        tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    except Exception as error:
        raise CheckpointError(f"{folder / TOKENIZER}: {one_line(error)}") from error
    _check_entries(folder, len(tokenizer), config)
    return tokenizer


def _check_entries(folder: Path, entries: int, config: dict[str, Any]) -> None:
    if entries > config.get("vocab_size", 0):
        raise CheckpointError(f"{folder / TOKENIZER}: {entries} entries, but vocab_size is {config.get('vocab_size')}")


def one_line(error: BaseException) -> str:
    """Return an exception's message on one line, or its type if it has none."""
    return " ".join(str(error).split()) or type(error).__name__


def save_checkpoint(
    model: "SentimentGRUForSequenceClassification", tokenizer: "PreTrainedTokenizerFast", folder: Path
) -> None:
    """Write weights (float16), configuration, tokenizer and modelling code, replacing files of the same names.

    The configuration states float32, so loading converts the weights back.
    """
    half = {name: tensor.detach().half().cpu().contiguous() for name, tensor in model.state_dict().items()}
    model.save_pretrained(folder, state_dict=half)
    tokenizer.save_pretrained(folder)
    path = folder / TOKENIZER  # indentation is a third of the file
    path.write_text(json.dumps(_read_json(path), ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
    path = folder / TOKENIZER_CONFIG  # set here, as the tokenizer itself would warn of longer texts while training
    settings = _read_json(path) | {"model_max_length": model.config.max_tokens}
    path.write_text(json.dumps(settings, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
