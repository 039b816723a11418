"""Write a checkpoint as one ONNX file, for those who serve it elsewhere."""

import os
from pathlib import Path

from .checkpoint import TOKENIZER, load_network, resolve
from .errors import FileError
from .onnx_graph import build_graph


def export_onnx(model: str | Path | None, output: Path, force: bool = False) -> str:
    """Write the shipped checkpoint, a folder or a Hub id to an ONNX file; return what a user of the file must know.

    What the file computes: `sentiment_gru.onnx_graph.build_graph`.

    Raises:
        CheckpointError: what is wrong with the checkpoint, in one line.
        FileError: the file is there already and `force` is not given, or cannot be written.
    """
    if output.exists() and not force:
        raise FileError(f"{output} is there already; --force replaces it")
    if not output.parent.is_dir():
        raise FileError(f"{output} cannot be written: there is no folder {str(output.parent)!r}")
    folder = resolve(model)
    network = load_network(folder)
    content = build_graph(network, calibrated=True).SerializeToString()
    part = output.with_name(f".{output.name}.part")
    try:
        part.write_bytes(content)
        os.replace(part, output)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise FileError(f"{output} cannot be written: {error.strerror or error}") from error
    labels = ", ".join(network.config.id2label[i] for i in range(network.config.num_labels))
    return (
        f"Written to {output}: input_ids and attention_mask to logits, whose softmax are the scores of {labels}.\n"
        f"Token ids come from {folder / TOKENIZER}; of a text of more than {network.config.max_tokens:,} tokens give"
        " the first and last half of as many."
    )
