"""Find, check, load and save checkpoint folders; checks precede loading, so that errors are clear."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open

from .errors import CheckpointError

if TYPE_CHECKING:  # torch and transformers take seconds to import; the checks need neither
    from torch import Tensor
    from transformers import PreTrainedTokenizerFast

    from .configuration import SentimentGRUConfig
    from .modeling import SentimentGRUForSequenceClassification
    from .network import SentimentGRU

PRETRAINED = Path(__file__).parent / "pretrained"
WEIGHTS, CONFIG, TOKENIZER = "model.safetensors", "config.json", "tokenizer.json"
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


def load_network(folder: Path) -> "SentimentGRU":
    """Load the network of a folder in float32, without the model classes of transformers.

    Raises:
        CheckpointError: A check fails, or the weights do not match the configuration.
    """
    from .network import SentimentGRU

    config, weights = _load(folder)
    network = SentimentGRU(config)
    network.load_state_dict(weights)  # widens float16 weights to float32
    return network.eval()


def load_model(folder: Path) -> "SentimentGRUForSequenceClassification":
    """Load a folder as a transformers model, which can be trained and saved.

    Raises:
        CheckpointError: A check fails, or the weights do not match the configuration.
    """
    from .modeling import SentimentGRUForSequenceClassification

    config, weights = _load(folder)
    model = SentimentGRUForSequenceClassification(config)
    model.load_state_dict(weights)
    return model.eval()


def _load(folder: Path) -> "tuple[SentimentGRUConfig, dict[str, Tensor]]":
    from safetensors.torch import load_file

    from .configuration import SentimentGRUConfig

    check_folder(folder)
    try:
        config = SentimentGRUConfig.from_pretrained(folder)
    except Exception as error:
        raise CheckpointError(f"{folder / CONFIG}: {one_line(error)}") from error
    _check_shapes(folder / WEIGHTS, config)
    return config, load_file(folder / WEIGHTS)


def _check_shapes(path: Path, config: "SentimentGRUConfig") -> None:
    """Raise CheckpointError if names or shapes of the weights do not match the configuration."""
    import torch

    from .network import SentimentGRU

    with torch.device("meta"):
        expected = SentimentGRU(config).state_dict()
    shapes = _read_shapes(path)
    for name, tensor in expected.items():
        if name not in shapes:
            raise CheckpointError(f"{path}: tensor {name} is missing")
        if list(tensor.shape) != shapes[name]:
            raise CheckpointError(
                f"{path}: {name} has shape {shapes[name]}, but config.json implies {list(tensor.shape)}"
            )
    if extra := sorted(shapes.keys() - expected.keys()):
        raise CheckpointError(f"{path}: tensor {extra[0]} is not part of the model that config.json describes")


def load_tokenizer(folder: Path) -> "PreTrainedTokenizerFast":
    """Load the tokenizer of a checked folder.

    Raises:
        CheckpointError: The file is damaged, or its ids exceed the vocabulary of the configuration.
    """
    from transformers import PreTrainedTokenizerFast

    config = check_folder(folder)
    try:
        tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    except Exception as error:
        raise CheckpointError(f"{folder / TOKENIZER}: {one_line(error)}") from error
    if len(tokenizer) > config.get("vocab_size", 0):
        raise CheckpointError(
            f"{folder / TOKENIZER}: {len(tokenizer)} entries, but vocab_size is {config.get('vocab_size')}"
        )
    return tokenizer


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
