"""Result files, what is said of their origin, and the claims by which several processes share the work."""

import fcntl
import json
import os
import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import binomtest

REPOSITORY = Path(__file__).parent.parent.parent
RESULTS = REPOSITORY / "sentiment_gru" / "web" / "inside" / "results"  # the page shows them
WORK = REPOSITORY / "out" / "cells"
PACKAGES = ("torch", "transformers", "onnx", "onnxruntime")


def describe(part: str, data: str) -> dict[str, Any]:
    """Return what every result file says of its origin.

    Args:
        part: the part of this benchmark, as on its command line.
        data: what was read, in words.
    """
    versions = {"python": platform.python_version()} | {name: _version(name) for name in PACKAGES}
    return {
        "script": f"python -m benchmarks.cells {part}",
        "data": data,
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, one thread",
        "versions": {name: found for name, found in versions.items() if found},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def load_average() -> float:
    """Return how many processes wanted a core in the last minute, this one included."""
    return round(os.getloadavg()[0], 1)


def read_result(path: Path) -> dict[str, Any] | None:
    """Return a result file, or None if it is not there yet."""
    if not path.is_file():
        return None
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def write_result(path: Path, result: dict[str, Any]) -> None:
    """Write a result file in one move; lists of numbers stand on one line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = re.sub(
        r"\[\s[^][{}]*\]", lambda match: f"[{' '.join(match[0][1:-1].split())}]", json.dumps(result, indent=1)
    )
    half = path.with_suffix(".half")
    half.write_text(text + "\n", encoding="utf-8")
    half.replace(path)


def is_done(path: Path, settings: dict[str, Any]) -> bool:
    """Return whether a result file is there and was made with these settings."""
    result = read_result(path)
    return result is not None and result["settings"] == json.loads(json.dumps(settings))


def share(right: np.ndarray) -> dict[str, Any]:
    """Return number of texts, accuracy and its 95% Wilson interval."""
    interval = binomtest(int(right.sum()), len(right)).proportion_ci(method="wilson")
    return {
        "texts": len(right),
        "accuracy": float(right.mean()),
        "accuracy_interval": [float(interval.low), float(interval.high)],
    }


def pack(right: np.ndarray) -> str:
    """Return which texts were right, in their order, as hexadecimal digits of four texts each."""
    return np.packbits(right).tobytes().hex()


def unpack(digits: str, texts: int) -> np.ndarray:
    """Return the (texts,) truth values that `pack` was given."""
    return np.unpackbits(np.frombuffer(bytes.fromhex(digits), dtype=np.uint8), count=texts).astype(bool)


@contextmanager
def claim(path: Path) -> Iterator[bool]:
    """Tell whether a piece of work is ours; while it is, no other process is told so.

    Args:
        path: a file that stands for the work. Its lock ends with the process, however that ends.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
