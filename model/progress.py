"""How long work reports its progress and is cancelled; the same for loaders, jobs and commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

ProgressCallback = Callable[[float | None, str], None]
"""Takes how far work has come, in [0, 1] or None where that is not known, and what is being done, in words.

It may raise :class:`Cancelled`.
"""


class Cancelled(Exception):
    """The work is not wanted any more. What it had begun is left as it was before."""


def no_progress(_share: float | None, _text: str) -> None:
    """A :data:`ProgressCallback` that does nothing."""


class JobContext:
    """What a job reports to, and what tells it to end. This one listens to nothing and never cancels."""

    def send(self, message: Mapping[str, Any]) -> None:
        """Send a JSON-ready message; ``message["say"]`` is its kind."""

    def cancelled(self, pausing: Callable[[], AbstractContextManager[None]] = nullcontext) -> bool:  # noqa: ARG002
        """Whether the job should end now; waits, inside of ``pausing``, while it is paused."""
        return False

    def progress(self, share: float | None, text: str) -> None:
        """A :data:`ProgressCallback`: send a message of kind ``progress``; raises `Cancelled` if the job should end."""
        self.send({"say": "progress", "share": share, "text": text})
        self.check()

    def check(self) -> None:
        """Raise `Cancelled` if the job should end."""
        if self.cancelled():
            raise Cancelled
