"""The process that computes for the window, from outside: as it is spoken to, and as it is killed."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import replace

import psutil
import pytest
import small_worker
from tiny import small, write_corpora

from model.jobs.worker import JOBS, Job, Reader
from model.processes import python
from model.runs.store import RunRecord, RunTail
from model.systems.model_io import load_model
from model.training.config import Estimate, TrainingConfig

pytestmark = [pytest.mark.processes, pytest.mark.usefixtures("small_encoders")]  # they read what the worker writes
COMMAND = python("-m", "model.jobs.worker")
PATIENCE = 90  # seconds; moments on an idle machine
LONG = TrainingConfig(small(steps=3000), ("mnist", "fsdd"), device="cpu")
SHORT = TrainingConfig(small(), ("mnist", "fsdd"), device="cpu")


class Process:
    """The worker as its parent sees it."""

    def __init__(self, environment, command):
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env=environment,
        )
        self.jobs = 0
        self._answers = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self._answers.put(json.loads(line))
        self._answers.put(None)

    def send(self, do, **details):
        """A job, or a word to the one before."""
        self.jobs += do in JOBS
        self.process.stdin.write(json.dumps({"id": self.jobs, "do": do, **details}) + "\n")
        self.process.stdin.flush()

    def train(self, plan, folder):
        self.send("train", plan=plan.to_dict(), folder=str(folder))

    def until(self, *words):
        """The next answer that is one of these words, or ``failed``."""
        while True:
            answer = self._answers.get(timeout=PATIENCE)
            assert answer is not None, self.process.stderr.read()
            if answer["say"] in words:
                return answer
            assert answer["say"] != "failed", answer

    def close(self):
        """The parent is gone; the exit code."""
        self.process.stdin.close()
        return self.process.wait(PATIENCE)


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    folder = tmp_path_factory.mktemp("worker")
    return {
        **os.environ,
        "MODINV_DATA": str(write_corpora(folder / "data")),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "OMP_NUM_THREADS": "1",
    }


@contextmanager
def started(environment, command=small_worker.COMMAND):
    process = Process(environment, command)
    try:
        process.devices = process.until("ready")["devices"]
        yield process
    finally:
        process.process.kill()
        process.process.wait()
        process.process.stdin.close()


@pytest.fixture(scope="module")
def whole_worker(environment):
    """One as the window starts it, with networks of full size."""
    with started(environment, COMMAND) as process:
        yield process
        assert process.close() == 0


@pytest.fixture(scope="module")
def worker(environment):
    """One process for all tests that leave it alive."""
    with started(environment) as process:
        yield process
        assert process.close() == 0


def grown(folder, enough):
    """Follow a run until its growth is enough."""
    tail, end = RunTail(RunRecord(folder)), time.monotonic() + PATIENCE
    while time.monotonic() < end:
        growth = tail.poll()
        if enough(growth):
            return growth
        time.sleep(0.02)
    raise AssertionError(f"The run did not get so far: {growth.info}")


def test_it_says_which_devices_there_are_and_gives_way_to_the_window(whole_worker):
    assert "cpu" in [name for name, _ in whole_worker.devices]
    assert all(title for _, title in whole_worker.devices)
    assert psutil.Process(whole_worker.process.pid).nice() != psutil.Process().nice()


def test_it_estimates_by_trying(whole_worker):
    whole_worker.send("estimate", plan=LONG.to_dict())
    estimate = Estimate.from_dict(whole_worker.until("estimate"))
    assert 0 < estimate.step_seconds < PATIENCE
    assert estimate.seconds > 3000 * estimate.step_seconds
    assert 50e6 < estimate.memory_bytes < estimate.free_bytes
    assert estimate.device
    whole_worker.send("estimate", plan=LONG.to_dict())
    whole_worker.send("stop")
    assert whole_worker.until("stopped", "estimate")["say"] == "stopped"


def test_it_trains_into_the_folder(worker, store):
    folder = store.new_folder(SHORT)
    worker.train(SHORT, folder)
    worker.until("started")
    assert worker.until("ended") == {"id": worker.jobs, "say": "ended", "complete": True, "step": 4}
    assert worker.until("done")["id"] == worker.jobs
    info = RunRecord(folder).info()
    assert (info.state, info.name) == ("complete", "fast, λ 2.15e-2")
    assert RunRecord(folder).snapshots() == [1, 2, 3, 4]
    assert load_model(folder / "model.safetensors")[1].step == 4


def test_a_corpus_that_is_heard_for_the_first_time_tells_its_share_and_can_be_stopped(worker, store):
    plan = replace(SHORT, corpora=("mnist", "voices"))

    def listening():
        while (answer := worker.until("progress"))["share"] is None:
            pass
        assert answer["text"] == "Computing filterbanks of Synthetic voices (only once)"
        return answer["share"]

    worker.send("estimate", plan=plan.to_dict())
    shares = [listening() for _ in range(3)]
    assert 0 == shares[0] < shares[1] < shares[2] < 1
    asked = time.monotonic()
    worker.send("stop")
    assert worker.until("stopped", "estimate")["say"] == "stopped"
    assert time.monotonic() - asked < 5  # a tenth of a second, and what a busy disk takes to keep what was heard

    folder = store.new_folder(plan)
    worker.train(plan, folder)
    assert shares[1] < listening(), "it goes on where it was"
    worker.send("stop")
    assert worker.until("ended") == {"id": worker.jobs, "say": "ended", "complete": False, "step": 0}
    info = RunRecord(folder).info()
    assert (info.state, info.step, info.resumable) == ("stopped", 0, True)


def test_a_run_is_held_goes_on_stops_and_resumes(worker, store):
    folder = store.new_folder(LONG)
    worker.train(LONG, folder)
    worker.until("started")
    assert grown(folder, lambda growth: growth.points).info.state == "running"
    worker.send("pause")
    worker.until("paused")
    held = RunRecord(folder).info()
    assert held.state == "paused"
    size = RunRecord(folder).metrics_file.stat().st_size
    time.sleep(0.5)
    assert RunRecord(folder).metrics_file.stat().st_size == size
    worker.send("go")
    worker.until("going")
    grown(folder, lambda growth: growth.info.state == "running" and growth.info.step > held.step)
    worker.send("stop")
    ended = worker.until("ended")
    assert not ended["complete"]
    info = RunRecord(folder).info()
    assert (info.state, info.resumable) == ("stopped", True)
    assert load_model(folder / "model.safetensors")[1].step == ended["step"]

    worker.train(LONG, folder)
    grown(folder, lambda growth: growth.info.step > ended["step"] + 10)
    worker.send("pause")
    worker.until("paused")
    worker.send("stop")  # reaches a run that is held, too
    assert worker.until("ended")["step"] > ended["step"]
    assert RunRecord(folder).info().state == "stopped"


def test_a_model_is_judged_quickly_by_the_items_of_a_run(worker, store):
    folder = store.new_folder(SHORT)
    worker.train(SHORT, folder)
    worker.until("ended")
    record = RunRecord(folder)
    worker.send("quick", checkpoint=str(record.model_file), probe=str(record.probe_file))
    values = worker.until("quick")["values"]
    assert set(values) == set(record.snapshot(4).values)
    assert values["quick_purity"] == pytest.approx(record.snapshot(4).values["quick_purity"], abs=0.1)


@pytest.mark.parametrize(
    ("plan", "word"),
    [
        (replace(SHORT, corpora=("mnist", "timit")), "timit"),
        (replace(SHORT, held_out_speaker="nobody"), "theo"),
        (replace(SHORT, device="cuda:99"), "no device"),
    ],
)
def test_a_job_that_fails_says_what_to_do_and_the_next_one_works(worker, store, plan, word):
    folder = store.new_folder(plan)
    worker.train(plan, folder)
    failed = worker.until("failed")
    assert word in failed["message"]
    assert "Traceback" in failed["details"]
    worker.send("estimate", plan=SHORT.to_dict())
    worker.until("estimate")


def test_a_killed_process_leaves_a_run_that_resumes_from_its_checkpoint(environment, worker, store):
    folder = store.new_folder(LONG)
    record = RunRecord(folder)
    worker.train(LONG, folder)
    worker.until("started")
    grown(folder, lambda growth: growth.info.step >= 20)
    worker.send("stop")
    saved = worker.until("ended")["step"]
    with started(environment) as victim:
        victim.train(LONG, folder)
        grown(folder, lambda growth: growth.info.step > saved + 20)
        victim.process.kill()
        victim.process.wait()
    info = record.info()
    assert (info.state, info.resumable) == ("interrupted", True)
    assert "can be resumed" in info.message
    assert not record.held
    assert load_model(record.model_file)[1].step == saved
    tail = RunTail(record)
    tail.poll()

    worker.train(LONG, folder)
    worker.until("started")
    growth = grown(folder, lambda growth: growth.info.step > info.step)
    worker.send("stop")
    worker.until("ended")
    assert growth.info.state == "running"
    steps = [point.step for point in record.points() if "total" in point.values]
    assert steps == sorted(set(steps))  # nothing is there twice
    assert tail.poll().restarted


def test_it_does_not_outlive_its_parent(environment, store):
    folder = store.new_folder(LONG)
    with started(environment) as process:
        process.train(LONG, folder)
        grown(folder, lambda growth: growth.points)
        assert process.close() == 0
    info = RunRecord(folder).info()
    assert (info.state, info.resumable) == ("stopped", True)
    assert load_model(folder / "model.safetensors")[1].step == RunRecord(folder).progress().step > 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without asking it.")
@pytest.mark.parametrize("number", [signal.SIGTERM, getattr(signal, "SIGHUP", 0)])
def test_a_system_that_shuts_down_loses_no_step(environment, store, number):
    folder = store.new_folder(LONG)
    with started(environment) as process:
        process.train(LONG, folder)
        grown(folder, lambda growth: growth.points)
        process.process.send_signal(number)
        process.until("ended")
        assert process.process.wait(PATIENCE) == 0
    info = RunRecord(folder).info()
    assert (info.state, info.resumable) == ("stopped", True)
    assert load_model(folder / "model.safetensors")[1].step == RunRecord(folder).progress().step > 0


def test_ctrl_c_in_a_terminal_is_the_windows_business(worker):
    if sys.platform == "win32":
        pytest.skip("Windows sends no such signal to one process.")
    psutil.Process(worker.process.pid).send_signal(2)
    worker.send("estimate", plan=SHORT.to_dict())
    worker.until("estimate")


# Without a process


def test_words_reach_the_job_of_their_id_alone_and_it_answers_with_it():
    lines = [b'{"id": 1, "do": "estimate"}\n', b'{"id": 2, "do": "estimate"}\n', b'{"id": 1, "do": "stop"}\n']
    endless, answers = threading.Event(), []

    def source():
        yield from lines
        endless.wait(PATIENCE)

    reader = Reader(source(), answers.append)
    thread = threading.Thread(target=reader.read, daemon=True)
    thread.start()
    first, second = reader.jobs.get(timeout=PATIENCE), reader.jobs.get(timeout=PATIENCE)
    until = time.monotonic() + PATIENCE
    while not first.cancelled() and time.monotonic() < until:
        time.sleep(0.01)
    assert (first.cancelled(), second.cancelled()) == (True, False)
    second.send({"say": "hello"})
    first.send({"say": "hello"})
    assert answers == [{"id": 2, "say": "hello"}, {"id": 1, "say": "hello"}]


def test_a_held_job_waits_within_what_it_is_given():
    said, order = [], []

    @contextmanager
    def pausing():
        order.append("in")
        yield
        order.append("out")

    context = Job({"id": 1}, said.append)
    context.control("pause")
    waiter = threading.Thread(target=lambda: order.append(context.cancelled(pausing)))
    waiter.start()
    while not said:
        time.sleep(0.01)
    assert said == [{"id": 1, "say": "paused"}]
    context.control("go")
    waiter.join(PATIENCE)
    assert order == ["in", "out", False]
    assert said == [{"id": 1, "say": "paused"}, {"id": 1, "say": "going"}]
