"""How stand-ins for the worker process are started, and how they speak: in the words of ``model.jobs.worker``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Job = Callable[[dict[str, Any]], None]

_job: int | None = None  # the one that is done


class Failed(Exception):
    """A job fails, with this message."""


def command_of(module: str) -> tuple[str, ...]:
    """The command that starts a module of this folder; the window's processes don't look for modules beside theirs."""
    folders = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
    program = f"import runpy, sys; sys.path[:0] = {folders}; runpy.run_module({module!r}, run_name='__main__')"
    return (sys.executable, "-c", program)


def say(**message: Any) -> None:
    """Tell the window something about the job that is done."""
    print(json.dumps({"id": _job, **message}), flush=True)


def serve(jobs: Mapping[str, Job], seconds: float, step_seconds: float) -> None:
    """Do jobs by their names until there are no more, and estimate any training to take so long."""
    global _job

    def estimate(_message: dict[str, Any]) -> None:
        cost = {"step_seconds": step_seconds, "seconds": seconds, "memory_bytes": 1.2e9, "free_bytes": 8e9}
        say(say="estimate", **cost, device="A processor")

    say(say="ready", devices=[["cpu", "A processor"]])
    for line in sys.stdin:
        message = json.loads(line)
        if message["do"] == "stop":
            continue  # of a job that is done
        _job = message["id"]
        try:
            {**jobs, "estimate": estimate}.get(message["do"], lambda _message: None)(message)
        except Failed as error:
            say(say="failed", message=str(error), details="")
        else:
            say(say="done")
