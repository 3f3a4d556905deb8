"""Trials in several processes: the same results as one after another, whatever becomes of the processes."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
import small_worker
import torch
from small_sweeps import CONFIG, PLAN, STEPS, assert_same, use_cache
from tiny import write_corpora

from model import cores
from model.cores import available_cores, jobs_that_fit, jobs_that_pay, limited_threads, threads_for
from model.evaluation.protocol import EvaluationProtocol
from model.jobs import local_processes, worker_processes
from model.jobs.local_processes import LocalProcesses, engine_for
from model.processes import environment, python
from model.progress import JobContext
from model.runs.corpus_cache import CorpusCache
from model.runs.store import RunRecord
from model.sweeps.plans import ComparisonPlan, SweepPlan, on_all_cores, plan_from, protocol_of
from model.sweeps.runner import Working, sweep
from model.sweeps.trials import Failed, Serial, Started, Step, Trial, run_trial

pytestmark = [pytest.mark.usefixtures("small_encoders", "brief_judging", "judged_once"), pytest.mark.timeout(600)]

ROOT = Path(__file__).resolve().parents[2]
# The same results


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_corpora(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """Two processes find the same corpora in it."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def small_processes(monkeypatch, cache):
    """The engine starts processes that are like this one, and counts them."""
    started = []

    class Counted(worker_processes.LocalConnection):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            started.append(self.pid)

    monkeypatch.setattr(worker_processes, "COMMAND", small_worker.COMMAND)
    monkeypatch.setattr(local_processes, "LocalConnection", Counted)
    use_cache(monkeypatch, cache)
    yield started
    assert not [pid for pid in started if psutil.pid_exists(pid)], "no process is left"


@pytest.fixture(scope="module")
def serial(data, tmp_path_factory):
    """The folder of the sweep, trained by this process alone, and its results."""
    folder, threads = tmp_path_factory.mktemp("serial"), torch.get_num_threads()
    torch.set_num_threads(3)  # the plan's number counts
    with pytest.MonkeyPatch.context() as patch:
        use_cache(patch, tmp_path_factory.mktemp("other-cache"))  # else the others would find the evaluations there
        *_, ended = sweep(PLAN, folder, data=data)
    assert torch.get_num_threads() == 3
    torch.set_num_threads(threads)
    return folder, ended.results


def test_two_processes_find_bit_for_bit_what_one_does(small_processes, serial, data, tmp_path):
    events = list(sweep(PLAN, tmp_path, data=data, engine=LocalProcesses(2)))
    assert len(small_processes) == 2
    working = [event for event in events if isinstance(event, Working)]
    first = [event.name for event in working].index(PLAN.runs()[1].name)
    assert any(event.name == PLAN.runs()[0].name for event in working[first:]), "both were in progress at a time"
    shares = [event.share_of_all for event in working]
    assert shares == sorted(shares)
    assert {event.runs for event in working} == {2}
    assert_same(tmp_path, events[-1].results, *serial)
    for run in PLAN.runs():
        ours, others = (RunRecord(folder / run.name).points() for folder in (tmp_path, serial[0]))
        assert [point.values for point in ours] == [point.values for point in others]

    again = list(sweep(PLAN, tmp_path, data=data, engine=LocalProcesses(2)))
    assert len(small_processes) == 2, "what is evaluated needs no process"
    assert [row.report for row in again[-1].results.rows] == [row.report for row in events[-1].results.rows]


@pytest.mark.processes
def test_a_sweep_that_is_stopped_and_one_whose_process_is_killed_go_on(small_processes, serial, data, tmp_path):
    name, seen = PLAN.runs()[0].name, []
    for event in sweep(PLAN, tmp_path, lambda: name in seen, data=data, engine=LocalProcesses(1)):
        if isinstance(event, Working):
            seen.append(event.name)
    assert event.results is None
    info = RunRecord(tmp_path / name).info()
    assert info.state == "stopped"
    assert 0 < info.step < STEPS

    steps, killed = [], False
    for event in sweep(PLAN, tmp_path, data=data, engine=LocalProcesses(1)):
        if isinstance(event, Working) and event.name == name and event.text.startswith("step"):
            steps.append(int(event.text.split()[1]))
            if not killed:
                killed = True
                psutil.Process(small_processes[1]).kill()
    assert len(small_processes) == 3, "another one took its place, and did the rest"
    assert steps.count(info.step + 1) == 2, "it began twice at the checkpoint"
    assert_same(tmp_path, event.results, *serial)


# The end of the process that started them

PROGRAM = f"""
import sys
sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "tests")!r}]
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
import small_worker
from model.jobs import worker_processes
from model.networks import architecture
worker_processes.COMMAND = small_worker.COMMAND
architecture.HIDDEN_UNITS = small_worker.SMALL_UNITS
from model.cli.main import app
app()
"""


@pytest.mark.processes
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("number", ["SIGKILL", "SIGINT"])
def test_processes_do_not_outlive_their_parent_and_save_their_runs(data, cache, tmp_path, number):
    command = python(
        *("-c", PROGRAM, "sweep", "--out", str(tmp_path), "--data-dir", str(data), "--lambdas", "0,0.1", "--jobs", "2"),
        *("--steps", "100000", "--set", "batch_size=4", "--set", "samples_per_input=2", "--device", "cpu"),
    )
    env = {**environment(), "XDG_CACHE_HOME": str(cache), "OMP_NUM_THREADS": "1"}
    runs = [RunRecord(tmp_path / f"lambda-{value}-seed-0") for value in ("0", "1e-1")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=env, start_new_session=True) as parent:
        try:
            until(lambda: parent.poll() is not None or all(run.exists and run.points() for run in runs))
            children = psutil.Process(parent.pid).children()
            assert len(children) == 2
            if number == "SIGINT":
                os.killpg(parent.pid, signal.SIGINT)  # as a terminal sends it
            else:
                parent.kill()
            _, errors = parent.communicate(timeout=100)
            until(lambda: not any(child.is_running() for child in children))
        finally:
            with suppress(ProcessLookupError):
                os.killpg(parent.pid, signal.SIGKILL)
    assert parent.returncode == {"SIGKILL": -signal.SIGKILL, "SIGINT": 130}[number], errors
    assert number == "SIGKILL" or "the same command resumes the work" in errors
    assert "Traceback" not in errors
    for run in runs:
        info = run.info()
        assert (info.state, info.resumable) == ("stopped", True)
        assert info.step > 0


def until(condition, seconds=100):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.05)


# Processes that only talk

TALKER = """
import json, os, sys
job = None
def say(**message):
    print(json.dumps({"id": job, **message}), flush=True)
say(say="ready", devices=[])
for line in sys.stdin:
    message = json.loads(line)
    if message["do"] != "trial":
        continue
    job, name = message["id"], message["trial"]["name"]
    if name == "deadly":
        os._exit(9)
    if name == "garbled":
        print("{", flush=True)
    say(say="step", step=1)
    if name.startswith("patient"):
        say(say="step", step=2 if json.loads(sys.stdin.readline()) == {"id": job, "do": "pause"} else 0)
        say(say="step", step=3 if json.loads(sys.stdin.readline()) == {"id": job, "do": "go"} else 0)
    if name == "leaving" and not os.path.exists(message["trial"]["folder"]):
        os.mkdir(message["trial"]["folder"])
        say(say="stopped")
        say(say="done")
        break
    told = {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES")}
    say(say="trial_failed", message=json.dumps({**told, "pid": os.getpid()}))
    say(say="done")
"""


@pytest.fixture
def talkers(monkeypatch):
    monkeypatch.setattr(worker_processes, "COMMAND", python("-c", TALKER))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def trials(folder, *names, threads=1):
    return [Trial(name, folder / name, CONFIG, EvaluationProtocol(), threads) for name in names]


def carried_out(engine, trials, stop=lambda: False):
    return list(engine.run(trials, stop))


def told(events):
    return {event.name: json.loads(event.message) for event in events if isinstance(event, Failed)}


@pytest.mark.usefixtures("talkers")
@pytest.mark.parametrize("name", ["deadly", "garbled"])
def test_a_trial_whose_process_always_ends_fails_alone(tmp_path, name):
    events = carried_out(LocalProcesses(2), trials(tmp_path, "one", name, "two", "three"))
    failed = {event.name: event.message for event in events if isinstance(event, Failed)}
    assert set(failed) == {"one", name, "two", "three"}
    assert "ended 3 times" in failed[name]
    assert [event.name for event in events if isinstance(event, Started)].count(name) == 3
    assert all("ended" not in failed[other] for other in ("one", "two", "three"))


@pytest.mark.usefixtures("talkers")
def test_a_process_that_the_system_ends_is_replaced(tmp_path):
    events = carried_out(LocalProcesses(1), trials(tmp_path, "leaving", "after"))
    assert [event.name for event in events if isinstance(event, Started)] == ["leaving", "leaving", "after"]
    assert len({words["pid"] for words in told(events).values()}) == 1, "one process did the rest"


@pytest.mark.usefixtures("talkers")
def test_each_process_has_its_threads_and_its_gpu(tmp_path):
    names = [f"patient-{number}" for number in range(3)]  # so that no process is free before the others are busy
    engine = LocalProcesses(3, gpus=("2", "5"))
    pauses = []

    def stop():
        if len(seen) == 3 and not pauses:
            pauses.append(1)
            with engine.paused():
                pass
        return False

    seen, events = set(), []
    for event in engine.run(trials(tmp_path, *names, threads=4), stop):
        events.append(event)
        if isinstance(event, Step):
            seen.add(event.name)
    assert {words["OMP_NUM_THREADS"] for words in told(events).values()} == {"4"}
    assert sorted(words["CUDA_VISIBLE_DEVICES"] for words in told(events).values()) == ["2", "2", "5"]
    for name in names:
        steps = [event.step for event in events if isinstance(event, Step) and event.name == name]
        assert steps == [1, 2, 3], "it was told to pause and to go on"


@pytest.mark.usefixtures("talkers")
@pytest.mark.parametrize(("available", "processes"), [(2**50, 2), (2**20, 1)])
def test_memory_limits_the_processes_unless_their_number_is_given(tmp_path, monkeypatch, available, processes):
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=available))
    engine, seen, most = LocalProcesses(2, sparing=True), [], 0
    for event in engine.run(trials(tmp_path, *(f"trial-{number}" for number in range(20))), lambda: False):
        seen.append(event)
        most = max(most, len(engine._processes))
    assert most == processes
    assert len(told(seen)) == 20
    assert (
        len({words["pid"] for words in told(carried_out(LocalProcesses(2), trials(tmp_path, "a", "b"))).values()}) <= 2
    )


@pytest.mark.usefixtures("talkers")
def test_stopping_before_anything_began_starts_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(local_processes, "LocalConnection", lambda *_: pytest.fail("nothing is to be done"))
    assert carried_out(LocalProcesses(2), trials(tmp_path, "one"), lambda: True) == []


# How many pay


@pytest.fixture
def machine(monkeypatch):
    """A machine with so many logical and physical cores."""

    def have(logical, physical):
        monkeypatch.setattr(cores.os, "sched_getaffinity", lambda _: range(logical), raising=False)
        monkeypatch.setattr(cores, "_physical_cores", lambda: physical)

    return have


@pytest.mark.parametrize(
    ("logical", "physical", "available"), [(2, 2, 2), (16, 8, 8), (2, 8, 2), (4, None, 4), (1, 8, 1)]
)
def test_cores_are_physical_ones_that_this_process_may_use(machine, logical, physical, available):
    machine(logical, physical)
    assert available_cores() == available


def test_all_runs_together_occupy_all_cores(machine):
    machine(16, 16)
    assert [threads_for(runs) for runs in (1, 2, 3, 8, 16, 24)] == [16, 8, 5, 2, 1, 1]
    assert [jobs_that_pay(runs, threads_for(runs), 0) for runs in (1, 2, 3, 8, 16, 24)] == [1, 2, 3, 8, 16, 16]
    assert jobs_that_pay(24, 32, 0) == 1, "a plan of a larger machine"
    assert [jobs_that_pay(runs, 1, 4) for runs in (1, 3, 8)] == [1, 3, 4], "one on each GPU"
    assert on_all_cores(SweepPlan(CONFIG, (0.0, 0.1))).threads == 8
    assert on_all_cores(ComparisonPlan(CONFIG)).threads == 1


def test_no_more_run_at_a_time_than_memory_has_room_for():
    assert [jobs_that_fit(8, free, 2) for free in (0, 2, 5, 10, 100)] == [1, 1, 1, 3, 8]


def test_one_run_or_one_job_needs_no_other_process(machine, data):
    machine(4, 4)
    corpora = CorpusCache(data)
    assert isinstance(engine_for(PLAN, None, corpora), LocalProcesses)
    assert isinstance(engine_for(PLAN, 1, corpora), Serial)
    assert isinstance(engine_for(SweepPlan(CONFIG, (0.1,)), None, corpora), Serial)
    assert isinstance(engine_for(replace(PLAN, threads=4), None, corpora), Serial)
    with pytest.raises(ValueError, match="no device"):
        engine_for(replace(PLAN, plan=replace(CONFIG, device="cuda:99")), None, corpora)


def test_threads_are_part_of_the_plan_and_have_a_limit():
    plan = replace(PLAN, threads=3)
    assert plan_from(json.loads(json.dumps(plan.to_dict()))) == plan
    older = {name: value for name, value in PLAN.to_dict().items() if name != "threads"}
    assert plan_from(older) == PLAN
    for threads in (0, -1, 10**9):
        with pytest.raises(ValueError, match="1 to 1,024 threads"):
            replace(PLAN, threads=threads)


def test_a_trial_computes_with_its_threads_and_restores_those_before(data, tmp_path):
    run = PLAN.runs()[0]
    trial = Trial(run.name, tmp_path / "run", run.config, protocol_of(run.config), threads=2, data=data)
    with limited_threads(1):
        for event in run_trial(trial, CorpusCache(data), JobContext()):
            assert torch.get_num_threads() == 2
            if isinstance(event, Step):
                break
        assert torch.get_num_threads() == 1


def test_a_trial_survives_json(tmp_path):
    trial = Trial("λ", tmp_path / "run", CONFIG, EvaluationProtocol(speaker="theo"), 2, complete=True, data=tmp_path)
    assert Trial.from_dict(json.loads(json.dumps(trial.to_dict()))) == trial
