"""Engines that carry out trials in several worker processes at the same time, wherever these run."""

from __future__ import annotations

import itertools
import json
import logging
import queue
import subprocess
import threading
import time
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import psutil

from model.checkpoints import UnusableCheckpoint
from model.evaluation.store import Evaluation
from model.processes import environment, python
from model.runs.store import RunRecord
from model.sweeps.plans import SweepFailed
from model.sweeps.trials import Done, Evaluating, Failed, Started, Step, Trial, TrialEvent

log = logging.getLogger(__name__)

COMMAND = python("-m", "model.jobs.worker")
"""Starts a process; it does the job ``trial``."""

_RETRIES = 2
_LOST = (
    f"Its process ended {_RETRIES + 1} times, perhaps because memory ran out. Close other programs or train fewer runs "
    "at the same time; what was saved is kept."
)
_POLL_SECONDS = 0.1  # between two calls of `stop` while no message comes
_SAVING_SECONDS = 20.0  # for a process to save its run, if the engine is left before its trials have ended


class Connection(Protocol):
    """A worker process (:mod:`model.jobs.worker`), wherever it runs, as its engine sees it."""

    @property
    def pending(self) -> bool:
        """Whether it waits for a place to run, and has not begun with anything."""

    def messages(self) -> Iterator[dict[str, Any]]:
        """What it says, to its end, for a thread that waits for it; raises whatever makes it unreachable."""

    def send(self, message: Mapping[str, Any]) -> None:
        """Tell it something; nothing happens if it has ended, which `messages` tells."""

    def close(self) -> None:
        """Tell it to save and to exit."""

    def end(self, seconds: float) -> None:
        """Wait until it has ended, so many seconds; then kill it."""


class LocalConnection:
    """Starts a worker process on this machine.

    Parameters
    ----------
    command
        The program and its arguments.
    more
        Variables to add to its environment.
    """

    pending = False

    def __init__(self, command: Sequence[str], more: Mapping[str, str]) -> None:
        self._popen = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**environment(), **more},
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._popen.pid

    def messages(self) -> Iterator[dict[str, Any]]:
        """See :class:`Connection`."""
        assert self._popen.stdout is not None, "it has a pipe"
        with self._popen.stdout as lines, suppress(ValueError):  # a last line that was torn
            for line in lines:
                yield json.loads(line)

    def send(self, message: Mapping[str, Any]) -> None:
        """See :class:`Connection`."""
        assert self._popen.stdin is not None, "it has a pipe"
        with suppress(OSError):  # it has ended
            self._popen.stdin.write(f"{json.dumps(dict(message))}\n".encode())
            self._popen.stdin.flush()

    def memory(self) -> int:
        """Bytes of memory in use."""
        try:
            return int(psutil.Process(self.pid).memory_info().rss)
        except psutil.Error:  # it has just ended
            return 0

    def close(self) -> None:
        """See :class:`Connection`."""
        assert self._popen.stdin is not None, "it has a pipe"
        with suppress(OSError):
            self._popen.stdin.close()

    def end(self, seconds: float) -> None:
        """See :class:`Connection`."""
        self.close()
        try:
            self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()


class WorkerProcesses(ABC):
    """Carries out trials in worker processes, one in each at a time; a subclass says where, and how many.

    A trial whose process ends, whatever the reason, is begun again from its checkpoint by another process, twice at
    most; the others are not affected. If this process ends, the others save their runs and exit, since their input
    ends. A process for which no trial is left exits at once, and makes room.
    """

    def __init__(self) -> None:
        self._processes: list[_Process] = []
        self._inbox: _Inbox = queue.SimpleQueue()

    @abstractmethod
    def _has_room(self, trial: Trial) -> bool:
        """Whether one more process may be started now, for trials like this one."""

    @abstractmethod
    def _connect(self, slot: int, trial: Trial) -> Connection:
        """Start a process for trials like this one; no two that run have the same slot, the lowest that is free."""

    def run(self, trials: Sequence[Trial], stop: Callable[[], bool]) -> Iterator[TrialEvent]:
        """See :meth:`model.sweeps.trials.Engine.run`."""
        waiting, lost = deque(trials), Counter[str]()
        stopping = False
        try:
            while True:
                if not stopping and stop():
                    stopping = True
                    self._tell("stop")
                while not stopping and waiting and (process := self._free_process(waiting[0])) is not None:
                    trial = waiting.popleft()
                    process.begin(trial)
                    yield Started(trial.name)
                if (stopping or not waiting) and not any(process.busy for process in self._processes):
                    return
                try:
                    process, message = self._inbox.get(timeout=_POLL_SECONDS)
                except queue.Empty:
                    continue
                if message is None:
                    self._processes.remove(process)
                    process.end()
                elif (event := process.note(message)) is not None:
                    yield event
                if process.abandoned is not None and not stopping:
                    trial, process.abandoned = process.abandoned, None
                    lost[trial.name] += 1
                    if lost[trial.name] <= _RETRIES:
                        log.warning("The process of %s has ended; it is begun again from its checkpoint.", trial.name)
                        waiting.appendleft(trial)
                    else:
                        yield Failed(trial.name, _LOST)
                if not waiting:
                    for process in self._processes:
                        if not process.busy and not process.leaving:
                            process.close()
        except KeyboardInterrupt:  # pressed for the second time: the processes save their runs alone
            for process in self._processes:
                process.close()
            self._processes.clear()
            raise
        finally:
            self._end()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """See :meth:`model.sweeps.trials.Engine.paused`."""
        self._tell("pause")
        try:
            yield
        finally:
            self._tell("go")

    def _tell(self, command: str) -> None:
        for process in self._processes:
            process.tell(command)

    def _free_process(self, trial: Trial) -> _Process | None:
        """An idle process, or a new one if there may be one more."""
        alive = [process for process in self._processes if not process.leaving]
        idle = next((process for process in alive if not process.busy), None)
        if idle is not None or not self._has_room(trial):
            return idle
        taken = {process.slot for process in self._processes}
        slot = next(slot for slot in itertools.count() if slot not in taken)
        self._processes.append(_Process(slot, self._connect(slot, trial), self._inbox))
        return self._processes[-1]

    def _end(self) -> None:
        """End all processes; those with a trial may save it."""
        for process in self._processes:
            process.close()
        deadline = time.monotonic() + _SAVING_SECONDS
        while self._processes:
            self._processes.pop().end(deadline)


class _Process:
    """A worker process."""

    def __init__(self, slot: int, connection: Connection, inbox: _Inbox) -> None:
        self.slot = slot
        self.busy = False
        """Whether it has a trial, and perhaps has not yet said that it is done."""
        self.settled = False
        """Whether its memory use is known: it has made a step, or done a trial."""
        self.leaving = False
        """Whether it takes no more trials."""
        self.trial: Trial | None = None
        """The trial that has not ended."""
        self.abandoned: Trial | None = None
        """A trial that it won't finish."""
        self._ids = itertools.count(1)
        self._id = 0
        self.connection = connection
        self._reader = threading.Thread(target=self._read, args=(inbox,), name="trials", daemon=True)
        self._reader.start()

    def _read(self, inbox: _Inbox) -> None:
        try:
            for message in self.connection.messages():
                inbox.put((self, message))
        except Exception as error:  # any error: whatever it is, the process can't be heard any more
            log.warning("A worker process can't be reached any more: %s", str(error).partition("\n")[0])
        inbox.put((self, None))

    def begin(self, trial: Trial) -> None:
        """Carry out a trial."""
        self.trial, self.busy, self._id = trial, True, next(self._ids)
        self.connection.send({"id": self._id, "do": "trial", "trial": trial.to_dict()})

    def tell(self, command: str) -> None:
        """Send a command to its trial, if it has one."""
        if self.busy and command == "stop" and self.connection.pending:
            self.connection.end(0.0)  # nothing to save
        elif self.busy:
            self.connection.send({"id": self._id, "do": command})

    def note(self, message: Mapping[str, Any]) -> TrialEvent | None:
        """Note what it says; the event of its trial that this means, if any.

        Raises :class:`~model.sweeps.plans.SweepFailed` if no trial can be carried out where it runs.
        """
        trial, says = self.trial, message["say"]
        if says == "unusable":
            raise SweepFailed(message["message"])
        if says in ("done", "failed"):  # the last word of a job; a trial has told its end before, if all went well
            self.busy, self.settled = False, True
        if trial is None:
            return None
        if says == "step":
            self.settled = True
            return Step(trial.name, message["step"])
        if says == "evaluating":
            return Evaluating(trial.name)
        if says == "stopped":  # by the engine, or by the system, which ends the process
            self.trial, self.abandoned, self.leaving = None, trial, True
        elif says == "evaluated":
            self.trial = None
            try:
                evaluation = Evaluation.load(Path(message["folder"]))
            except UnusableCheckpoint as error:
                return Failed(trial.name, str(error))
            return Done(trial.name, evaluation.named(RunRecord(trial.folder).model_file.name))
        elif says in ("trial_failed", "failed"):
            self.trial = None
            return Failed(trial.name, message["message"])
        return None

    def close(self) -> None:
        """Tell it to save and to exit."""
        self.leaving = True
        self.connection.close()

    def end(self, deadline: float = 0.0) -> None:
        """Wait until it has ended, until ``deadline`` of the monotonic clock; then kill it."""
        self.leaving = True
        self.connection.end(max(0.0, deadline - time.monotonic()))
        self._reader.join()
        self.trial, self.abandoned, self.busy = None, self.trial or self.abandoned, False


_Inbox = queue.SimpleQueue[tuple[_Process, dict[str, Any] | None]]
