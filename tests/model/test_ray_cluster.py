"""A sweep on a Ray cluster of this machine: the same results as in one process, whatever becomes of its workers."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import small_worker
from hostile_folder import HostileFolder
from small_sweeps import PLAN, STEPS, assert_same, use_cache
from tiny import write_corpora

from model.jobs import worker_processes
from model.processes import environment
from model.runs.store import RunRecord, RunTail
from model.sweeps.plans import SweepFailed, on_all_cores
from model.sweeps.records import SweepRecord
from model.sweeps.runner import Working, sweep

_LOOPBACK = ("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
"""All of Ray talks and listens on 127.0.0.1 only; it looks at this when it is imported."""

with pytest.MonkeyPatch.context() as _patch:
    _patch.setenv(*_LOOPBACK)
    pytest.importorskip("ray", reason="Ray is an extra: pip install 'modinv[cluster]'")

from model.jobs import ray_cluster  # noqa: E402 (it imports ray)
from model.jobs.ray_cluster import RayProcesses, connected  # noqa: E402

pytestmark = [
    pytest.mark.usefixtures("small_encoders", "brief_judging", "judged_once"),
    pytest.mark.timeout(900),
    pytest.mark.skipif(sys.platform != "linux", reason="Ray has clusters on Linux only"),
]

ROOT = Path(__file__).resolve().parents[2]
_STARTS = 5  # Ray gives up a start that takes more than 15 seconds, as it does on a busy machine


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """Where both the cluster and the sweep start."""
    return HostileFolder(tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="module")
def address(hostile, tmp_path_factory):
    """A cluster of one machine with two cores, of which nothing is left afterwards."""
    logs = tempfile.mkdtemp(prefix="ray-", dir="/tmp")  # paths of sockets must be short
    env = {
        **environment(),
        **hostile.environment,
        "PYTHONPATH": str(ROOT),
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_AUTH_MODE": "disabled",  # whether or not somebody has a token here
        "RAY_TMPDIR": logs,
        **dict([_LOOPBACK]),
        "XDG_CACHE_HOME": str(tmp_path_factory.mktemp("cache-of-the-cluster")),
    }
    for _ in range(_STARTS):
        with socket.socket() as one, socket.socket() as other:
            for free in (one, other):
                free.bind(("127.0.0.1", 0))
            port, second = (free.getsockname()[1] for free in (one, other))
        command = (
            *(Path(sys.executable).with_name("ray"), "start", "--head", "--block", "--num-cpus=2", f"--port={port}"),
            *("--node-ip-address=127.0.0.1", f"--ray-client-server-port={second}", "--include-dashboard=false"),
            f"--object-store-memory={80 * 2**20}",
        )
        with subprocess.Popen(
            command, env=env, cwd=hostile.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, process_group=0
        ) as process:
            try:
                if any(b"Ray runtime started" in line for line in process.stdout):
                    yield f"127.0.0.1:{port}"
                    break
            finally:
                _end(process)
    else:
        pytest.fail(f"Ray does not start; see {logs}")
    shutil.rmtree(logs)


def _end(process):
    """End a cluster with all its processes."""
    with suppress(psutil.NoSuchProcess):
        all_of_it = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(60)
        for each in all_of_it:
            with suppress(psutil.NoSuchProcess):
                each.kill()
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.fixture(scope="module")
def cluster(address):
    with connected(address) as found:
        yield found


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_corpora(tmp_path_factory.mktemp("data"))


@pytest.fixture
def _small_processes(monkeypatch, tmp_path_factory):
    monkeypatch.setattr(worker_processes, "COMMAND", small_worker.COMMAND)
    use_cache(monkeypatch, tmp_path_factory.mktemp("cache"))  # not the cluster's


@pytest.fixture(scope="module")
def serial(data, tmp_path_factory):
    """The folder of the sweep, trained by this process alone, and its results."""
    folder = tmp_path_factory.mktemp("serial")
    with pytest.MonkeyPatch.context() as patch:
        use_cache(patch, tmp_path_factory.mktemp("other-cache"))
        *_, ended = sweep(PLAN, folder, data=data)
    return folder, ended.results


def _workers():
    """The processes of Ray that have a worker process each, with it."""
    actors = [process for process in psutil.process_iter() if process.name().startswith("ray::_HostConn")]
    return [(actor, child) for actor in actors for child in actor.children()]


@pytest.mark.usefixtures("_small_processes")
def test_two_workers_of_which_one_is_killed_find_bit_for_bit_what_one_process_does(
    cluster, serial, data, hostile, tmp_path, monkeypatch
):
    monkeypatch.chdir(hostile.folder)
    SweepRecord(tmp_path).keep_plan(PLAN)
    name, killed, seen = PLAN.runs()[0].name, [], {}
    tail = RunTail(RunRecord(tmp_path / name))
    for event in sweep(PLAN, tmp_path, data=data, engine=cluster.engine(PLAN, tmp_path, None)):
        if not isinstance(event, Working):
            continue
        seen.setdefault(event.name, []).append(event.text)
        if len(seen) == 2 and not killed:
            states = {run.name: run.state for run in SweepRecord(tmp_path).runs()}
            assert set(states.values()) <= {"running", "complete"}, "the window sees them"
            assert "running" in states.values()
            workers = _workers()
            assert len(workers) == 2, "both were in progress at the same time"
            for actor, _ in workers:
                actor.kill()
            killed = [psutil.Process(child.pid) for _, child in workers]
    assert killed
    assert not any(child.is_running() for child in killed), "they have saved their runs and are gone"
    assert _workers() == [], "what is done makes room"
    assert_same(tmp_path, event.results, *serial)
    update = tail.poll()
    assert (update.info.state, update.info.step) == ("complete", STEPS)
    assert [point.step for point in update.points] == [p.step for p in RunRecord(serial[0] / name).points()]
    assert hostile.told() == []
    assert [path for path in tmp_path.iterdir() if path.name.startswith(".")] == []

    engine = cluster.engine(PLAN, tmp_path, None)
    monkeypatch.setattr(engine, "_connect", lambda *_: pytest.fail("This machine has the evaluations, too."))
    *_, again = sweep(PLAN, tmp_path, data=data, engine=engine)
    assert [row.report for row in again.results.rows] == [row.report for row in event.results.rows]


@pytest.mark.usefixtures("_small_processes")
def test_a_sweep_is_stopped_and_saved_even_if_a_run_waits_for_room(cluster, data, tmp_path):
    plan = replace(PLAN, threads=2)
    ours, others = (cluster.engine(plan, tmp_path, None) for _ in range(2))
    seen = []
    for event in sweep(plan, tmp_path, lambda: bool(seen), data=data, engine=ours):
        if isinstance(event, Working) and not seen:
            *_, ended = sweep(plan, tmp_path / "others", _after(1), data=data, engine=others)
            assert ended.results is None, "it never had room"
            seen.append(event)
    assert event.results is None
    info = RunRecord(tmp_path / PLAN.runs()[0].name).info()
    assert info.state == "stopped"
    assert 0 < info.step < STEPS
    assert not (tmp_path / "others" / PLAN.runs()[0].name).exists()


def _after(seconds):
    end = time.monotonic() + seconds
    return lambda: time.monotonic() > end


def test_machines_that_do_not_see_the_folder_are_named(cluster, tmp_path, monkeypatch):
    engine = cluster.engine(PLAN, tmp_path, None)
    monkeypatch.setattr(engine, "_seen", tmp_path / "elsewhere" / "file")
    monkeypatch.setattr(Path, "touch", lambda _self: None)
    with pytest.raises(SweepFailed, match=f"{socket.gethostname()} does not see .*elsewhere"):
        list(sweep(PLAN, tmp_path, engine=engine))


def test_machines_with_other_versions_are_named(tmp_path):
    connection = ray_cluster._HostConnection((), {}, tmp_path, {"modinv": "0", "torch": "0"})
    (message,) = connection.messages()
    assert message["say"] == "unusable"
    assert "instead of 0" in message["message"]


class _Machines:
    """A cluster with so many cores and GPUs on each machine."""

    def __init__(self, *machines):
        self.machines = machines
        self.cores = tuple(cores for cores, _ in machines)
        self.has_gpus = any(gpus for _, gpus in machines)

    def resources(self):
        return [(float(cores), float(gpus)) for cores, gpus in self.machines]


@pytest.mark.parametrize(
    ("device", "jobs", "most"), [("cpu", None, 5), ("cpu", 3, 3), ("auto", None, 2), ("cuda", None, 2)]
)
def test_each_run_has_its_cores_and_its_gpu(tmp_path, device, jobs, most):
    engine = RayProcesses(_Machines((6, 0), (5, 2)), tmp_path, device, jobs)
    engine._processes = [None] * (most - 1)
    trial = next(_trials(tmp_path, threads=2))
    assert engine._has_room(trial)
    engine._processes += [None]
    assert not engine._has_room(trial)


def test_a_run_for_which_no_machine_is_large_enough_is_refused(tmp_path):
    engine = RayProcesses(_Machines((2, 0), (3, 0)), tmp_path, "cpu")
    with pytest.raises(SweepFailed, match="4 cores"):
        engine._has_room(next(_trials(tmp_path, threads=4)))
    with pytest.raises(SweepFailed, match="a GPU"):
        RayProcesses(_Machines((2, 0)), tmp_path, "cuda")._has_room(next(_trials(tmp_path, threads=1)))


def _trials(folder, threads):
    from model.sweeps.runner import _trials as trials_of

    return iter(trials_of(replace(PLAN, threads=threads), folder, train=True, data=None).values())


def test_all_runs_together_occupy_all_machines():
    assert on_all_cores(PLAN, (8, 8)).threads == 8, "one run on each"
    assert on_all_cores(PLAN, (8, 3)).threads == 4, "both on the larger one"
    assert on_all_cores(PLAN, (1, 1, 1)).threads == 1
