"""Exceptions about the input of a user, whose messages name the fault and the remedy, and commands that report them."""

from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer


class SentimentError(Exception):
    """Base class of all errors that a user can correct."""


class CheckpointError(SentimentError):
    """A checkpoint folder or Hub id cannot be loaded; the message names the file and the fault."""


class DatasetError(SentimentError):
    """A dataset, split, column or label cannot be used; the message lists the available ones."""


class FileError(SentimentError):
    """A file of texts cannot be read or written."""


class InputError(SentimentError):
    """An argument is invalid, such as a text that is None or a number."""


class OptionsError(SentimentError):
    """Options contradict each other or are out of range; the message names them."""


class StorageError(SentimentError):
    """A file or folder of a training cannot be written; the message says which files are intact."""


class MissingExtraError(SentimentError, ImportError):
    """A package of an optional dependency group is not installed; the message names the group."""


def check_extra(purpose: str, extra: str, *packages: str) -> None:
    """Raise MissingExtraError if a package of an extra is not installed.

    Args:
        purpose: Subject of the message, such as "Training".
        extra: Optional dependency group of pyproject.toml.
        packages: Names of top-level packages.
    """
    if not all(_is_installed(package) for package in packages):
        raise MissingExtraError(f"{purpose} needs the extra {extra!r}: pip install 'gru-sentiment-studio[{extra}]'")


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ValueError:  # an entry of sys.modules without a specification
        return False


def run_command(command: "typer.Typer", name: str, arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status.

    Args:
        command: Command to run.
        name: Name of the program in usage messages.
        arguments: Arguments; by default those of the process.
    """
    try:
        command(args=None if arguments is None else list(arguments), prog_name=name)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 0
    return 0
