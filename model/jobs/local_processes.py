"""The engine that carries out trials in several processes of this machine at the same time."""

from __future__ import annotations

import itertools
import json
import logging
import os
import queue
import subprocess
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from model.checkpoints import UnusableCheckpoint
from model.cores import MEMORY_MARGIN, jobs_that_pay
from model.evaluation.store import Evaluation
from model.processes import environment, python
from model.runs.store import RunRecord
from model.sweeps.plans import Plan
from model.sweeps.trials import Done, Engine, Evaluating, Failed, Serial, Started, Step, Trial, TrialEvent

if TYPE_CHECKING:
    from model.runs.corpus_cache import CorpusCache

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


class LocalProcesses:
    """Carries out trials in worker processes (:mod:`model.jobs.worker`), one in each at a time.

    A trial whose process ends, whatever the reason, is begun again from its checkpoint by another process, twice at
    most; the others are not affected. If this process ends, the others save their runs and exit, since their input
    ends.

    Parameters
    ----------
    jobs
        How many trials at the same time, at least 1.
    sparing
        Start a further process only if memory has room for one as large as the largest so far; the first one makes a
        step before there is a second.
    gpus
        Names for ``CUDA_VISIBLE_DEVICES``, dealt out to the processes in turn; empty if all may use all devices.
    """

    def __init__(self, jobs: int, *, sparing: bool = False, gpus: Sequence[str] = ()) -> None:
        self._jobs = jobs
        self._sparing = sparing
        self._gpus = gpus
        self._processes: list[_Process] = []
        self._largest = 0  # bytes of memory
        self._inbox: _Inbox = queue.SimpleQueue()

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
        if idle is not None or len(self._processes) >= self._jobs or not self._room():
            return idle
        slot = min(set(range(self._jobs)) - {process.slot for process in self._processes})
        more = {"OMP_NUM_THREADS": str(trial.threads)}  # else libraries start a thread for each core
        if self._gpus:
            more["CUDA_VISIBLE_DEVICES"] = self._gpus[slot % len(self._gpus)]
        self._processes.append(_Process(slot, more, self._inbox))
        return self._processes[-1]

    def _room(self) -> bool:
        """Whether memory has room for another process."""
        if not self._sparing or not self._processes:
            return True
        settled = [process for process in self._processes if process.settled]
        self._largest = max([self._largest, *(process.memory() for process in settled)])
        starting = len(self._processes) - len(settled)
        needed = (starting + 1) * self._largest * MEMORY_MARGIN
        return self._largest > 0 and psutil.virtual_memory().available > needed

    def _end(self) -> None:
        """End all processes; those with a trial may save it."""
        for process in self._processes:
            process.close()
        deadline = time.monotonic() + _SAVING_SECONDS
        while self._processes:
            self._processes.pop().end(deadline)


class _Process:
    """A worker process."""

    def __init__(self, slot: int, more: Mapping[str, str], inbox: _Inbox) -> None:
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
        self._popen = subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**environment(), **more},
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        self._reader = threading.Thread(target=self._read, args=(inbox,), name="trials", daemon=True)
        self._reader.start()

    def _read(self, inbox: _Inbox) -> None:
        assert self._popen.stdout is not None, "it has a pipe"
        with suppress(ValueError):  # a last line that was torn
            for line in self._popen.stdout:
                inbox.put((self, json.loads(line)))
        inbox.put((self, None))

    def begin(self, trial: Trial) -> None:
        """Carry out a trial."""
        self.trial, self.busy, self._id = trial, True, next(self._ids)
        self._send({"id": self._id, "do": "trial", "trial": trial.to_dict()})

    def tell(self, command: str) -> None:
        """Send a command to its trial, if it has one."""
        if self.busy:
            self._send({"id": self._id, "do": command})

    def _send(self, message: Mapping[str, Any]) -> None:
        assert self._popen.stdin is not None, "it has a pipe"
        with suppress(OSError):  # it has ended, which its output tells
            self._popen.stdin.write(f"{json.dumps(dict(message))}\n".encode())
            self._popen.stdin.flush()

    def note(self, message: Mapping[str, Any]) -> TrialEvent | None:
        """Note what it says; the event of its trial that this means, if any."""
        trial, says = self.trial, message["say"]
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

    def memory(self) -> int:
        """Bytes of memory in use."""
        try:
            return int(psutil.Process(self._popen.pid).memory_info().rss)
        except psutil.Error:  # it has just ended
            return 0

    def close(self) -> None:
        """Tell it to save and to exit."""
        self.leaving = True
        assert self._popen.stdin is not None, "it has a pipe"
        with suppress(OSError):
            self._popen.stdin.close()

    def end(self, deadline: float = 0.0) -> None:
        """Wait until it has ended, until ``deadline`` of the monotonic clock; then kill it."""
        self.close()
        try:
            self._popen.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        self._reader.join()
        assert self._popen.stdout is not None, "it has a pipe"
        self._popen.stdout.close()
        self.trial, self.abandoned, self.busy = None, self.trial or self.abandoned, False


_Inbox = queue.SimpleQueue[tuple[_Process, dict[str, Any] | None]]


def engine_for(plan: Plan, jobs: int | None, corpora: CorpusCache) -> Engine:
    """The engine for a plan.

    Parameters
    ----------
    plan
        The runs.
    jobs
        How many runs at the same time; by default as many as cores, GPUs and memory permit.
    corpora
        Loads the corpora if runs are trained in this process, one after another.

    Raises
    ------
    ValueError
        If the device of the plan is not available.
    """
    from model.systems.model_io import best_device  # late: it imports torch

    wanted = plan.plan.device
    device = best_device(wanted)
    gpus = _visible_gpus() if device.type == "cuda" and wanted in ("auto", "cuda") else ()
    accelerators = 0 if device.type == "cpu" else max(1, len(gpus))
    most = jobs or jobs_that_pay(len(plan.runs()), plan.threads, accelerators)
    return Serial(corpora) if most == 1 else LocalProcesses(most, sparing=jobs is None, gpus=gpus)


def _visible_gpus() -> tuple[str, ...]:
    """What to set CUDA_VISIBLE_DEVICES to for each of the GPUs that this process sees."""
    import torch

    count = torch.cuda.device_count()
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    return tuple(chosen.split(",") if chosen else map(str, range(count)))[:count]
