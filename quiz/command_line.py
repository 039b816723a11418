"""The parts that the commands of the quiz have in common: arguments, messages about errors, and files written."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from .errors import BankError, ClassError
from .records import Period, StoreError

BankOption = Annotated[Path, typer.Option(help="The answer bank; the shipped one by default.", show_default=False)]
NewFileArgument = Annotated[Path | None, typer.Argument(help="A new file; standard output by default.")]
SinceOption = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day of the answers, in UTC.", show_default=False)
]
UntilOption = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day of the answers, in UTC.", show_default=False)
]


@contextmanager
def errors_as_messages() -> Iterator[None]:
    """End the command with a message on stderr if the block fails."""
    try:
        yield
    except FileExistsError as error:
        print(f"{error.filename} already exists; name another file", file=sys.stderr)
        raise typer.Exit(1) from None
    except (ClassError, BankError, StoreError, OSError) as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from None


def write_output(content: str, file: Path | None) -> None:
    """Write a text to a new file, or to standard output if it is None.

    Raises:
        OSError: The file exists, or cannot be written.
    """
    data = content.encode("utf-8", "replace")
    if file is None:
        sys.stdout.buffer.write(data)
    else:
        with file.open("xb") as output:
            output.write(data)


def to_period(since: datetime | None, until: datetime | None) -> Period:
    """Return the period of the days that the options name."""
    return Period(since and since.date(), until and until.date())
