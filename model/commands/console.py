"""What all commands share: options, where words go, and how errors are told."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer
from rich.console import Console

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        envvar="MODINV_DATA",
        help="Folder of corpora, one sub-folder each.",
        file_okay=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of a table.")]

PLAIN_MESSAGE = 1
WRONG_USE = 2
INTERRUPTED = 130


def tables() -> Console:
    """Results for people, on standard output."""
    return Console(highlight=False)


def notes() -> Console:
    """Progress and messages, on standard error, so that results can be piped."""
    return Console(stderr=True, highlight=False)


def print_json(value: Any) -> None:
    """Results for programs, on standard output."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def complain(message: object) -> None:
    """Tell an error in one line, whatever the width of the terminal."""
    notes().print(f"[bold red]Error:[/] {_escaped(message)}", soft_wrap=True)


def so_far(share: float | None, text: str) -> str:
    """How far something has come, in a line."""
    return text if share is None else f"{share:.0%} {text}"


@contextmanager
def errors_told() -> Iterator[None]:
    """Turn what a user can mend into one line and exit code 1. Everything else is a bug and keeps its traceback."""
    try:
        yield
    except typer.Exit:
        raise
    except Exception as error:
        from model.checkpoint import UnusableCheckpoint
        from model.evaluation import EvaluationError
        from model.failures import what_to_do
        from model.sweep import SweepFailed
        from model.training import TrainingFailed

        if not isinstance(error, OSError | UnusableCheckpoint | EvaluationError | TrainingFailed | SweepFailed):
            raise
        complain(what_to_do(error))
        raise typer.Exit(PLAIN_MESSAGE) from error


@contextmanager
def bad_option(name: str) -> Iterator[None]:
    """Tell a ``ValueError`` as a wrong value of an option: exit code 2."""
    try:
        yield
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=name) from error


@contextmanager
def ctrl_c() -> Iterator[Callable[[], bool]]:
    """A predicate that is true once Ctrl-C was pressed; a second Ctrl-C interrupts at once."""
    pressed = False

    def press(_number: int, _frame: FrameType | None) -> None:
        nonlocal pressed
        pressed = True
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, press)
    try:
        yield lambda: pressed
    finally:
        signal.signal(signal.SIGINT, before)


def _escaped(message: object) -> str:
    from rich.markup import escape

    return escape(" ".join(str(message).split()))
