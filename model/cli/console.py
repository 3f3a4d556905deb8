"""What all commands share: options, where words go, and how errors are told."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

if TYPE_CHECKING:
    from rich.text import Text

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        envvar="MODINV_DATA",
        help="Folder of corpora, one sub-folder each.",
        file_okay=False,
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="FIELD=VALUE", help="A field of the recipe, such as batch_size=64; as often as you like."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of a table.")]

PLAIN_MESSAGE = 1
WRONG_USE = 2


def tables() -> Console:
    """Results for people, on standard output.

    Here and in `notes` a string is what it says: names of files may look like markup. Styles come as ``Text``.
    """
    return Console(highlight=False, markup=False, emoji=False)


def notes() -> Console:
    """Progress and messages, on standard error, so that results can be piped."""
    return Console(stderr=True, highlight=False, markup=False, emoji=False)


def print_json(value: Any) -> None:
    """Results for programs, on standard output: strict JSON, without NaN or infinity.

    What no Unicode text can hold, in names of files, comes as the escape of JSON.
    """
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    typer.echo(text.encode("utf-8", "backslashreplace").decode("utf-8"))


def complain(message: object) -> None:
    """Tell an error in one line, whatever the width of the terminal."""
    from rich.text import Text

    text = " ".join(str(message).split())
    notes().print(Text.assemble(("Error:", "bold red"), " ", text), soft_wrap=True)


def warn(message: str) -> None:
    """Tell in one line what need not stop anybody but may surprise them later."""
    from rich.text import Text

    notes().print(Text.assemble(("Warning:", "bold yellow"), " ", message), soft_wrap=True)


def so_far(share: float | None, text: str) -> Text:
    """How far something has come, in a line."""
    from rich.text import Text

    return Text(text if share is None else f"{share:.0%} {text}")


@contextmanager
def errors_told() -> Iterator[None]:
    """Turn what a user can mend into one line and exit code 1. Everything else is a bug and keeps its traceback."""
    try:
        yield
    except typer.Exit:
        raise
    except Exception as error:
        from model.errors import ModinvError, describe_failure

        if not isinstance(error, ModinvError | OSError):
            raise
        complain(describe_failure(error))
        raise typer.Exit(PLAIN_MESSAGE) from error


@contextmanager
def bad_option(name: str) -> Iterator[None]:
    """Tell a ``ValueError`` as a wrong value of an option: exit code 2."""
    try:
        yield
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=name) from error


class Interruption:
    """Whether somebody wants a command to end: Ctrl-C, or the system; see :func:`interruptible`."""

    def __init__(self) -> None:
        self.signal: int | None = None

    def __call__(self) -> bool:
        return self.signal is not None

    @property
    def status(self) -> int:
        """The exit status that says so, as shells have it."""
        return 128 + (self.signal or signal.SIGINT)


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """A predicate that is true once Ctrl-C was pressed or the system asked the process to end.

    The system does so when it shuts down (SIGTERM) and when the terminal closes (SIGHUP; SIGBREAK on Windows). A second
    signal of the kind ends the process at once. SIGHUP is left alone where it is ignored, as by ``nohup``.
    """
    found = Interruption()
    numbers = [getattr(signal, name, None) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")]
    terminals = [stream for stream in (0, 1, 2) if _is_terminal(stream)]

    def end(number: int, _frame: FrameType | None) -> None:
        found.signal = number
        signal.signal(number, before[number])
        if number == getattr(signal, "SIGHUP", None):
            _let_go(terminals)

    before: dict[int, Any] = {}
    for number in numbers:
        if number is not None and (number == signal.SIGINT or signal.getsignal(number) is not signal.SIG_IGN):
            before[number] = signal.signal(number, end)
    try:
        yield found
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_terminal(stream: int) -> bool:
    try:
        return os.isatty(stream)
    except OSError:
        return False


def _let_go(streams: list[int]) -> None:
    """Words to a terminal that has closed go nowhere: as errors, they would end a command that still has to save."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in streams:
        os.dup2(nowhere, stream)
    os.close(nowhere)
