"""Run a typer command as a function from arguments to exit status, as console scripts and tests call it."""

from collections.abc import Sequence

import typer


def run_command(command: typer.Typer, name: str, arguments: Sequence[str] | None = None) -> int:
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
