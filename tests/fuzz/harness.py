"""Gives damaged inputs to the code that reads them, in a process that may hang, crash or fill the memory.

Each kind of input is a module of this package with two functions:

``cases(count, seed)``
    A generator of ``count`` pairs ``(name, content)``: how the input was damaged, in words, and the input itself, of
    whatever type ``use`` takes. The same count and seed give the same cases on every machine. What it does before its
    first yield (importing, loading a model) is not timed.
``use(content)``
    Does with one input what the application does, and returns what came of it in a word, such as ``"answer"`` or
    ``"refused"``. Whatever it raises is a traceback that a user would have met, so errors that are told in words
    must be caught by their own types, never by ``Exception``.

Modules whose names begin with an underscore are helpers. An optional ``SAMPLE`` says how many cases the tests take.
"""

from __future__ import annotations

import faulthandler
import importlib
import itertools
import json
import multiprocessing
import os
import pkgutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType
from typing import Any

import psutil

LONGEST_SECONDS = 5.0
"""What takes longer counts as hanging; time of the processor, lest a busy machine decide."""

PATIENCE_SECONDS = 20.0
"""What takes longer by the clock counts as hanging, too, and is ended: it may wait for something."""

LARGEST_BYTES = 2**29
"""By how much an input may raise the resident memory; what libraries hold differs from machine to machine."""

_PREPARING_SECONDS = 180.0  # to import, or to make the next case


@dataclass(frozen=True)
class Finding:
    """An input that was not answered and not refused in words.

    ``what`` is ``"traceback"``, ``"hang"``, ``"memory"`` or ``"crash"``.
    """

    number: int
    name: str
    what: str
    details: str


@dataclass
class Report:
    """What came of all inputs of a kind."""

    kind: str
    used: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    slowest: float = 0.0
    slowest_name: str = ""
    largest: int = 0

    def to_json(self) -> str:
        """A line for people and programs."""
        return json.dumps(
            {
                "kind": self.kind,
                "used": self.used,
                "outcomes": dict(self.outcomes),
                "findings": dict(Counter(finding.what for finding in self.findings)),
                "slowest_seconds": round(self.slowest, 2),
                "slowest": self.slowest_name,
                "largest_megabytes": self.largest // 2**20,
            }
        )


def kinds() -> list[str]:
    """The names of all kinds of input."""
    modules = [module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)])]
    return sorted(name for name in modules if not name.startswith("_") and name != "harness")


def module_of(kind: str) -> ModuleType:
    """The module that makes and uses a kind of input."""
    return importlib.import_module(f"{__package__}.{kind}")


def run(kind: str, count: int, seed: int = 0) -> Report:
    """Use ``count`` damaged inputs of a kind, one after the other; after a hang or crash a new process goes on."""
    report = Report(kind)
    number = 0
    with tempfile.TemporaryDirectory() as folder:
        while number < count:
            number = _run_until_trouble(report, count, seed, number, Path(folder) / "stderr")
    return report


def _run_until_trouble(report: Report, count: int, seed: int, start: int, log: Path) -> int:
    """Use the inputs from number ``start`` on in a process of its own; returns the number to go on from."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_child, args=(report.kind, count, seed, start, theirs, log), daemon=True)
    process.start()
    theirs.close()
    number, name = start, ""
    try:
        while True:
            message = _receive(ours, process.pid, _PREPARING_SECONDS, None)
            if message is None:
                raise RuntimeError(f"{report.kind}: case {number} was never made")
            what, *details = message
            if what == "end":
                return count
            if what == "unmade":
                raise RuntimeError(f"{report.kind}: the case after {number} was never made\n{details[0]}")
            number, name = details
            report.used += 1
            message = _receive(ours, process.pid, PATIENCE_SECONDS, 4 * LARGEST_BYTES)
            if message is None:
                report.findings.append(Finding(number, name, "hang", f"no answer within {PATIENCE_SECONDS} s"))
                return number + 1
            what, *details = message
            if what == "memory":
                report.findings.append(Finding(number, name, what, str(details[0])))
                return number + 1
            outcome, trace, seconds, peak = details
            report.slowest, report.slowest_name = max((report.slowest, report.slowest_name), (seconds, name))
            report.largest = max(report.largest, peak)
            report.outcomes[outcome] += 1
            if seconds > LONGEST_SECONDS:
                report.findings.append(Finding(number, name, "hang", f"{seconds:.1f} s"))
            if trace:
                report.findings.append(Finding(number, name, "traceback", trace))
            if peak > LARGEST_BYTES:
                report.findings.append(Finding(number, name, "memory", f"{peak // 2**20} MB more than before"))
                return number + 1  # a new process: what this one has not given back would count against the next
    except (EOFError, ConnectionError):
        process.join()
        last_words = log.read_text(errors="replace")[-4000:]
        report.findings.append(Finding(number, name, "crash", f"exit code {process.exitcode}\n{last_words}"))
        return number + 1
    finally:
        process.kill()
        process.join()


def _receive(ours: Connection, pid: int | None, patience: float, most: int | None) -> tuple[Any, ...] | None:
    """The next message; None after ``patience`` seconds, ``("memory", ...)`` beyond ``most`` bytes."""
    deadline = time.monotonic() + patience
    while not ours.poll(0.1):
        if time.monotonic() > deadline:
            return None
        with suppress(psutil.Error):  # it has just ended: the pipe tells
            if most is not None and (held := psutil.Process(pid).memory_info().rss) > most:
                return "memory", f"{held // 2**20} MB and growing"
    message: tuple[Any, ...] = ours.recv()
    return message


def _child(kind: str, count: int, seed: int, start: int, pipe: Connection, log: Path) -> None:
    with log.open("wb") as file:  # the decoders' own chatter; read where the process crashes
        os.dup2(file.fileno(), sys.stderr.fileno())
    faulthandler.enable()
    module = module_of(kind)
    try:
        for number, (name, content) in enumerate(itertools.islice(module.cases(count, seed), start, None), start):
            pipe.send(("begin", number, name))
            _forget_peak()
            before = _held()
            started = time.process_time()
            trace = ""
            try:
                outcome = module.use(content)
            except Exception:
                outcome, trace = "traceback", traceback.format_exc()
            pipe.send(("done", outcome, trace, time.process_time() - started, max(0, _peak() - before)))
    except Exception:  # of the maker, whose next process would fail at the same case
        pipe.send(("unmade", traceback.format_exc()))
    pipe.send(("end",))


def _forget_peak() -> None:
    """Let the highest resident memory be measured anew; only Linux can."""
    peak = Path("/proc/self/clear_refs")
    if peak.exists():
        peak.write_text("5")


def _held() -> int:
    """The resident memory in bytes."""
    return int(psutil.Process().memory_info().rss)


def _peak() -> int:
    """The highest resident memory since `_forget_peak` in bytes; elsewhere than on Linux, what is held now."""
    status = Path("/proc/self/status")
    if status.exists():
        return next(1024 * int(line.split()[1]) for line in status.read_text().splitlines() if "VmHWM" in line)
    return _held()
