"""The engine that carries out trials on the machines of a Ray cluster. Needs the extra ``modinv[cluster]``.

Ray finds a place for each worker process, starts it, and tells when it is gone; what the process is told and says is as
on one machine. The folder of the plan has to be one that all machines see by the same path.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # Ray reads it before it connects
import ray

from model.evaluation.store import FILES, adopt
from model.jobs import worker_processes
from model.jobs.worker_processes import LocalConnection, WorkerProcesses
from model.processes import in_prefix
from model.sweeps.plans import Plan, SweepFailed
from model.sweeps.trials import Engine, Trial, TrialEvent

_OUTPUT = "output"  # the thread of an actor that reads what its process says
_ANSWER_SECONDS = 10.0  # for a machine to answer, beyond what it has to wait for itself


@contextmanager
def connected(address: str) -> Iterator[RayCluster]:
    """The cluster at an address, ``"auto"`` for the one that this machine belongs to, as long as the context lasts.

    Raises
    ------
    SweepFailed
        If there is none.
    """
    try:
        if address != "auto":
            _knock(address)
        with in_prefix():  # else Ray lets all workers import from the current folder
            ray.init(address, log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, RuntimeError, ValueError) as error:
        raise SweepFailed(
            f"This machine belongs to no Ray cluster at {address} ({error}). Start one with `ray start`, as "
            "docs/scale.md says, and run the command on one of its machines."
        ) from error
    try:
        yield RayCluster()
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Raise ``OSError`` or ``ValueError`` unless somebody is there: Ray would wait for minutes."""
    host, _, port = address.rpartition(":")
    socket.create_connection((host, int(port)), _ANSWER_SECONDS).close()


class RayCluster:
    """A cluster that this process is connected to."""

    @property
    def cores(self) -> tuple[int, ...]:
        """Cores of each machine, as Ray counts them."""
        return tuple(int(cores) for cores, _ in self.resources())

    @property
    def has_gpus(self) -> bool:
        """Whether some machine has a GPU."""
        return any(gpus for _, gpus in self.resources())

    def engine(self, plan: Plan, folder: Path, jobs: int | None) -> Engine:
        """The engine for a plan in a folder; see :class:`RayProcesses`."""
        return RayProcesses(self, folder, plan.plan.device, jobs)

    def resources(self) -> list[tuple[float, float]]:
        """Cores and GPUs of each machine that is there at this moment."""
        present = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        return [(each.get("CPU", 0.0), each.get("GPU", 0.0)) for each in present]


class RayProcesses(WorkerProcesses):
    """Carries out trials in worker processes on the machines of a cluster: each has its cores, and perhaps a GPU.

    Parameters
    ----------
    cluster
        The cluster.
    folder
        Of the plan; all machines have to see it.
    device
        Of the plan, as in :class:`~model.training.config.TrainingConfig`: with ``"cuda"`` each trial has a GPU, with
        ``"auto"`` if the cluster has any.
    jobs
        How many trials at the same time at most; by default as many as the machines have room for.
    """

    def __init__(self, cluster: RayCluster, folder: Path, device: str, jobs: int | None = None) -> None:
        super().__init__()
        self._cluster = cluster
        self._folder = folder.absolute()
        self._gpus = int(device == "cuda" or (device == "auto" and cluster.has_gpus))
        self._jobs = jobs
        self._seen = self._folder / f".seen-by-all-{secrets.token_hex(8)}"

    def run(self, trials: Sequence[Trial], stop: Callable[[], bool]) -> Iterator[TrialEvent]:
        """See :meth:`model.sweeps.trials.Engine.run`.

        Raises :class:`~model.sweeps.plans.SweepFailed` if a machine can't see the folder or has other versions.
        """
        if not trials:
            return
        self._seen.touch()
        try:
            yield from super().run(trials, stop)
        finally:
            self._seen.unlink(missing_ok=True)

    def _has_room(self, trial: Trial) -> bool:
        room = 0
        for cores, gpus in self._cluster.resources():
            places = cores // trial.threads
            room += int(min(places, gpus // self._gpus) if self._gpus else places)
        if not room:
            wanted = f"{trial.threads} cores" + (" and a GPU" if self._gpus else "")
            raise SweepFailed(f"No machine of the cluster has {wanted}, which each run of this plan takes.")
        return len(self._processes) < min(room, self._jobs or room)

    def _connect(self, slot: int, trial: Trial) -> _RayConnection:  # noqa: ARG002 (Ray deals out the GPUs)
        host = ray.remote(concurrency_groups={_OUTPUT: 1})(_HostConnection)
        place = host.options(num_cpus=trial.threads, num_gpus=self._gpus)
        more = {"OMP_NUM_THREADS": str(trial.threads)}
        return _RayConnection(place.remote(worker_processes.COMMAND[1:], more, self._seen, _versions()))


class _HostConnection(LocalConnection):
    """A worker process on the machine that Ray has chosen; an actor has it.

    Parameters
    ----------
    arguments
        Of the machine's Python interpreter.
    more
        Variables to add to its environment.
    seen
        A file that has to be visible here.
    versions
        What has to be installed here.
    """

    def __init__(
        self, arguments: Sequence[str], more: Mapping[str, str], seen: Path, versions: Mapping[str, str]
    ) -> None:
        self._trouble = _trouble(seen, versions)
        if not self._trouble:
            super().__init__((sys.executable, *arguments), more)

    def messages(self) -> Iterator[dict[str, Any]]:
        """See :class:`~model.jobs.worker_processes.Connection`."""
        if self._trouble:
            yield {"say": "unusable", "message": self._trouble}
        else:
            yield from super().messages()

    def evaluation(self, folder: str) -> dict[str, bytes]:
        """The files of an evaluation that is kept here."""
        return {file: (Path(folder) / file).read_bytes() for file in FILES}


class _RayConnection:
    """Reaches a worker process through its actor."""

    def __init__(self, actor: Any) -> None:
        self._actor = actor
        self._messages = actor.messages.options(num_returns="streaming", concurrency_group=_OUTPUT).remote()
        self.pending = True

    def messages(self) -> Iterator[dict[str, Any]]:
        """See :class:`~model.jobs.worker_processes.Connection`."""
        for reference in self._messages:
            message = ray.get(reference)
            self.pending = False
            if message["say"] == "evaluated":  # it is kept on the other machine
                there = message["folder"]
                files = ray.get(self._actor.evaluation.remote(there))
                message = {**message, "folder": str(adopt(Path(there).name, files))}
            yield message

    def send(self, message: Mapping[str, Any]) -> None:
        """See :class:`~model.jobs.worker_processes.Connection`."""
        self._actor.send.remote(message)

    def close(self) -> None:
        """See :class:`~model.jobs.worker_processes.Connection`."""
        self._actor.close.remote()

    def end(self, seconds: float) -> None:
        """See :class:`~model.jobs.worker_processes.Connection`."""
        if not self.pending:
            with suppress(ray.exceptions.RayError):
                ray.get(self._actor.end.remote(seconds), timeout=seconds + _ANSWER_SECONDS)
        ray.kill(self._actor)


def _versions() -> dict[str, str]:
    return {name: version(name) for name in ("modinv", "torch")}


def _trouble(seen: Path, versions: Mapping[str, str]) -> str:
    """Why this machine can't carry out trials; empty if it can."""
    host = socket.gethostname()
    if not seen.exists():
        return (
            f"{host} does not see {seen.parent}. With --engine ray, choose a folder with --out that all machines of "
            "the cluster share, by the same path."
        )
    if differing := [
        f"{name} {version} instead of {versions[name]}"
        for name, version in _versions().items()
        if version != versions[name]
    ]:
        return f"{host} has {', '.join(differing)}. Install the same versions on all machines of the cluster."
    return ""
