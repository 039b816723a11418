"""Provenance of a checkpoint: command, commit of the code, versions and hardware."""

import platform
import shlex
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch


def describe_origin(device: torch.device) -> dict[str, Any]:
    """Return command, commit, environment and training hardware."""
    return {
        "command": shlex.join(["python", *sys.argv]) if Path(sys.argv[0]).name == "train.py" else None,
        "commit": find_commit(),
        "environment": {"python": platform.python_version()}
        | {name: version(name) for name in ("torch", "transformers", "tokenizers")},
        "device": describe_device(device),
    }


def describe_device(device: torch.device) -> str:
    """Return a description of the training hardware."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"{threads} CPU thread{'' if threads == 1 else 's'}"


def find_commit() -> str | None:
    """Return the commit of this code, followed by "-dirty" if files have changed; None outside of git."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        result = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return result.stdout.strip()
