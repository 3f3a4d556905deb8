"""Progress reports and cancellation of long work, for loaders, jobs and commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

ProgressCallback = Callable[[float | None, str], None]
"""Called with the share of work done, in [0, 1] or None if unknown, and a description of the current work.

It may raise :class:`Cancelled`.
"""


class Cancelled(Exception):
    """The work was cancelled; it leaves no partial results."""


def no_progress(_share: float | None, _text: str) -> None:
    """A :data:`ProgressCallback` that does nothing."""


class JobContext:
    """Receives a job's messages and can cancel it. This base class ignores messages and never cancels."""

    def send(self, message: Mapping[str, Any]) -> None:
        """Send a JSON-ready message; ``message["say"]`` is its kind."""

    def cancelled(self, pausing: Callable[[], AbstractContextManager[None]] = nullcontext) -> bool:  # noqa: ARG002
        """Whether the job should end now; while the job is paused, waits within the context ``pausing()``."""
        return False

    def progress(self, share: float | None, text: str) -> None:
        """A :data:`ProgressCallback`: send a message of kind ``progress``; raises `Cancelled` if the job should end."""
        self.send({"say": "progress", "share": share, "text": text})
        self.check()

    def check(self) -> None:
        """Raise `Cancelled` if the job should end."""
        if self.cancelled():
            raise Cancelled
