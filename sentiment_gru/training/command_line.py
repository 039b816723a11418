"""The command line of `train.py` -> `TrainingOptions`; a JSON file of options may stand behind it."""

import json
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from transformers import HfArgumentParser

from ..errors import OptionsError
from .options import TrainingOptions


def parse_options(description: str | None, arguments: Sequence[str] | None = None) -> TrainingOptions:
    """Return what the command line tells, and below it what the file of `--config` does.

    Raises:
        OptionsError: a file that cannot be read, an unknown option in it, or options that contradict each other.
    """
    parser = HfArgumentParser(TrainingOptions, description=description)
    parser.add_argument("--config", help="JSON file of options; those on the command line go before it")
    told = _parse(parser, arguments)
    config = told.pop("config", None)
    from_file = _parse(parser, _as_arguments(Path(config))) if config else {}
    return TrainingOptions(**(from_file | told))


def _parse(parser: HfArgumentParser, arguments: Sequence[str] | None) -> dict[str, Any]:
    """Return only the options that were given: argparse fills in no default where the namespace has a value."""
    unset = Namespace(**{field.name: None for field in fields(TrainingOptions)})
    return {name: value for name, value in vars(parser.parse_args(arguments, unset)).items() if value is not None}


def _as_arguments(path: Path) -> list[str]:
    """Return a file's options as the command line would have them, which checks their types and choices."""
    known = [field.name for field in fields(TrainingOptions)]
    arguments = []
    for key, value in _read_object(path).items():
        name = key.replace("-", "_")
        if name not in known:
            near = get_close_matches(name, known, n=1, cutoff=0)
            raise OptionsError(f"--config {path}: there is no option {key!r}; the nearest is {near[0]!r}")
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict | list):
                raise OptionsError(f"--config {path}: {key!r} holds {item}; write it as on the command line")
            if item is not None:
                arguments.append(f"--{name}={item}")
    return arguments


def _read_object(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise OptionsError(f"--config {path}: there is no such file") from None
    except (ValueError, OSError) as error:
        raise OptionsError(f"--config {path}: not readable as JSON: {error}") from error
    if not isinstance(content, dict):
        raise OptionsError(f'--config {path}: not a JSON object such as {{"epochs": 2}}')
    return content
