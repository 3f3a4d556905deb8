"""Output, error messages and interruption of the commands."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

from model.progress import JobContext

if TYPE_CHECKING:
    from rich.status import Status
    from rich.text import Text

FAILURE = 1
"""The exit code after an error message."""


def tables() -> Console:
    """The console for results, on standard output.

    It prints strings literally, as `notes` does, since names of files may look like markup.
    """
    return Console(highlight=False, markup=False, emoji=False)


def notes() -> Console:
    """The console for progress and messages, on standard error, so that results can be piped."""
    return Console(stderr=True, highlight=False, markup=False, emoji=False)


def print_json(value: Any) -> None:
    """Print strict JSON, without NaN or infinity; bytes of file names that are not Unicode are escaped."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    typer.echo(text.encode("utf-8", "backslashreplace").decode("utf-8"))


def print_note(*parts: str | tuple[str, str]) -> None:
    """Print a message of strings and styled strings in one line, whatever the width of the terminal."""
    from rich.text import Text

    notes().print(Text.assemble(*parts), soft_wrap=True)


def print_changes(data: Mapping[str, Any]) -> None:
    """Print what the user has changed in training data, as a checkpoint's header states it; nothing if nothing."""
    from model.export.words import changed

    if found := changed(data):
        print_note(f"Items of the training data are changed by your decisions: {found}.")


def print_error(message: object) -> None:
    """Print an error message."""
    print_note(("Error:", "bold red"), f" {' '.join(str(message).split())}")


def print_warning(message: str) -> None:
    """Print a warning."""
    print_note(("Warning:", "bold yellow"), f" {message}")


def progress_text(share: float | None, text: str) -> Text:
    """Progress as a line, ``"50% Encoding"``."""
    from rich.text import Text

    return Text(text if share is None else f"{share:.0%} {text}")


@contextmanager
def report_errors() -> Iterator[None]:
    """Print errors that a user can fix and exit with code 1. Everything else is a bug and keeps its traceback."""
    try:
        yield
    except typer.Exit:
        raise
    except Exception as error:
        from model.errors import ModinvError, describe_failure, for_training

        if not isinstance(error, ModinvError | OSError) and not for_training(error):
            raise
        print_error(describe_failure(error))
        raise typer.Exit(FAILURE) from error


class StatusContext(JobContext):
    """Shows progress in a status line; never cancels, as Ctrl-C ends the process."""

    def __init__(self, status: Status) -> None:
        self._status = status

    def send(self, message: Mapping[str, Any]) -> None:
        if message["say"] == "progress":
            self._status.update(progress_text(message["share"], message["text"]))


class Interruption:
    """Whether a command was interrupted, by Ctrl-C or by the system; see :func:`interruptible`."""

    def __init__(self) -> None:
        self.signal: int | None = None

    def __call__(self) -> bool:
        return self.signal is not None

    @property
    def status(self) -> int:
        """The exit status of an interrupted command, by the convention of shells."""
        return 128 + (self.signal or signal.SIGINT)


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """A predicate that is true once Ctrl-C was pressed or the system asked the process to end.

    The system does so at shutdown (SIGTERM) and when the terminal closes (SIGHUP; SIGBREAK on Windows). A second signal
    of the same kind ends the process at once. SIGHUP is left alone if it is ignored, as under ``nohup``.
    """
    found = Interruption()
    numbers = [getattr(signal, name, None) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")]
    terminals = [stream for stream in (0, 1, 2) if _is_terminal(stream)]

    def end(number: int, _frame: FrameType | None) -> None:
        found.signal = number
        signal.signal(number, before[number])
        if number == getattr(signal, "SIGHUP", None):
            _redirect_to_null(terminals)

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


def _redirect_to_null(streams: list[int]) -> None:
    """Discard output to a closed terminal: errors from it would end a command that still has to save."""
    null = os.open(os.devnull, os.O_RDWR)
    for stream in streams:
        os.dup2(null, stream)
    os.close(null)
