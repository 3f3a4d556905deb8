"""The client of the worker process: what queues, what gets a second process, and what a process's end does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from desk import pause, until

from modinv_app.jobs.client import Job, JobClient

# Does what the details of a job say: dies, hangs, complains, says something large, or waits to be stopped.
_STAND_IN = """
import json, os, sys, time
def say(**message):
    print(json.dumps(message), flush=True)
print("not a message", flush=True)
say(say="ready", devices=[["cpu", "A processor"]])
for line in sys.stdin:
    job = json.loads(line)
    how = job.get("how")
    if how == "die":
        print("the last words", file=sys.stderr)
        sys.exit(3)
    if how == "hang":
        say(id=job["id"], say="hanging")
        while True:
            time.sleep(60)
    if how == "complain":
        print("x" * 1_000_000, file=sys.stderr)
    if how == "wait":
        say(id=job["id"], say="waiting", pid=os.getpid())
        word = json.loads(next(sys.stdin))
        say(id=job["id"], say=word["do"] + " heard by", by=word["id"])
    if how == "fail":
        say(id=job["id"], say="failed", message="It failed. Try again.", details="Traceback")
        continue
    if "do" in job and how != "stale":
        say(id=job["id"], say="heard", what=job, pid=os.getpid())
        say(id=job["id"], say="done")
"""
COMMAND = (sys.executable, "-c", _STAND_IN)


class Ear:
    """What a job said, and how it ended."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.said: list[dict] = []
        self.ends: list[tuple[str, ...]] = []
        job.received.connect(self.said.append)
        job.finished.connect(lambda: self.ends.append(()))
        job.failed.connect(lambda *why: self.ends.append(why))

    def heard(self, word: str) -> bool:
        return any(message["say"] == word for message in self.said)

    @property
    def pid(self) -> int:
        """Of the process that does it."""
        return next(message["pid"] for message in self.said if "pid" in message)


@pytest.fixture
def client(qapp) -> Iterator[JobClient]:  # noqa: ARG001 (Qt first)
    client = JobClient(command=COMMAND)
    yield client
    client.close()


def begun(client: JobClient, kind: str, how: str = "wait") -> Ear:
    """A job that waits until it is stopped, once it does."""
    ear = Ear(client.submit(kind, how=how))
    until(lambda: ear.said, f"a {kind} that has begun")
    return ear


def over(*ears: Ear) -> None:
    until(lambda: all(ear.ends for ear in ears), "the end of the jobs")


def test_there_is_no_process_before_one_is_needed_and_one_for_all_short_jobs(client: JobClient) -> None:
    assert client.pids == []
    client.prepare()
    until(lambda: client.devices == [("cpu", "A processor")], "the devices")
    ears = [Ear(client.submit(kind, text="λ is no ASCII")) for kind in ("estimate", "quick", "evaluate", "export")]
    over(*ears)
    assert [ear.ends for ear in ears] == [[()]] * 4
    assert {ear.pid for ear in ears} == set(client.pids)
    assert ears[0].said[0]["what"]["text"] == "λ is no ASCII"


def test_ids_keep_answers_apart(client: JobClient) -> None:
    jobs = [Ear(client.submit("evaluate", number=number)) for number in range(20)]
    over(*jobs)
    assert [[message["what"]["number"] for message in ear.said] for ear in jobs] == [[number] for number in range(20)]
    training, evaluation = begun(client, "train"), begun(client, "evaluate")
    evaluation.job.stop()
    over(evaluation)
    assert evaluation.heard("stop heard by")
    assert not training.ends
    assert all(message["id"] == ear.job.id for ear in (training, evaluation) for message in ear.said)
    assert evaluation.said[1]["by"] == evaluation.job.id


def test_short_jobs_go_on_beside_a_training_in_a_second_process_that_ends_with_it(client: JobClient) -> None:
    training = begun(client, "train")
    short = [Ear(client.submit("evaluate")) for _ in range(2)]
    over(*short)
    assert short[0].pid == short[1].pid != training.pid
    assert not training.ends
    training.job.stop()
    over(training)
    until(lambda: client.pids == [training.pid], "that one process is left")
    assert not psutil.pid_exists(short[0].pid)


def test_a_training_begins_beside_an_evaluation_and_the_next_training_waits_for_it(client: JobClient) -> None:
    evaluation = begun(client, "evaluate")
    training = begun(client, "train")
    sweep = Ear(client.submit("sweep"))
    evaluation.job.stop()
    over(evaluation)
    pause(0.1)
    assert not sweep.said, "trainings run one at a time"
    training.job.stop()
    over(training, sweep)
    assert sweep.heard("heard")


def test_a_second_process_that_idles_beside_a_training_ends(qapp) -> None:  # noqa: ARG001 (Qt first)
    client = JobClient(command=COMMAND, spare_seconds=0.1)
    training = begun(client, "train")
    evaluation = Ear(client.submit("evaluate"))
    over(evaluation)
    until(lambda: client.pids == [training.pid], "that the training's process alone is left")
    assert not training.ends
    client.close()


def test_a_job_waits_for_a_process_whose_job_is_being_stopped(client: JobClient) -> None:
    estimate = begun(client, "estimate")
    estimate.job.stop()
    training = Ear(client.submit("train"))
    over(estimate, training)
    assert training.pid == estimate.pid


def test_a_job_that_waits_can_be_stopped(client: JobClient) -> None:
    first = begun(client, "evaluate")
    second, third = Ear(client.submit("evaluate")), Ear(client.submit("evaluate"))
    second.job.stop()
    assert not second.ends, "nothing is told before the event loop runs"
    over(second)
    assert second.ends == [()]
    assert not second.said
    first.job.stop()
    over(first, third)
    assert third.heard("heard")


def test_one_training_at_a_time_and_trial_steps_give_way(client: JobClient) -> None:
    changes: list[str | None] = []
    client.training_changed.connect(lambda: changes.append(client.training))
    estimate = begun(client, "estimate")
    assert client.begin_training("sweep")
    over(estimate)
    assert not client.begin_training("train")
    assert "λ dial" in client.obstacle("train")
    assert client.obstacle("sweep") == ""
    client.end_training()
    assert client.obstacle("train") == ""
    assert changes == ["sweep", None]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("train", "The training ended because its process did. Everything that was saved is kept. Resume"),
        ("sweep", "Resume continues from there"),
        ("takes", "Resume continues from there"),
        ("estimate", "Choose a smaller batch"),
        ("quick", "repeated with the next run"),
        ("evaluate", "Evaluate again"),
        ("export", "Export again"),
    ],
)
def test_a_process_that_dies_fails_its_job_in_words_and_the_next_job_works(
    client: JobClient, kind: str, words: str
) -> None:
    ear, after = Ear(client.submit(kind, how="die")), Ear(client.submit(kind))
    over(ear, after)
    ((message, details),) = ear.ends
    assert words in message
    assert "the last words" in details
    assert ear.job.died
    assert after.ends == [()]


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_killed_from_outside(client: JobClient) -> None:
    training, evaluation = begun(client, "train"), begun(client, "evaluate")
    os.kill(training.pid, signal.SIGKILL)
    over(training)
    assert "perhaps because memory ran out" in training.ends[0][0]
    evaluation.job.stop()
    over(evaluation)
    assert evaluation.ends == [()], "what runs in another process goes on"


def test_a_process_that_ends_at_rest_is_replaced_when_it_is_needed(client: JobClient) -> None:
    first = Ear(client.submit("evaluate"))
    over(first)
    psutil.Process(first.pid).kill()
    until(lambda: client.pids == [], "the end of the process")
    second = Ear(client.submit("evaluate"))
    over(second)
    assert second.ends == [()]


def test_a_job_that_fails_keeps_its_process(client: JobClient) -> None:
    failing, next_one = Ear(client.submit("export", how="fail")), Ear(client.submit("evaluate"))
    over(failing, next_one)
    assert failing.ends == [("It failed. Try again.", "Traceback")]
    assert not failing.job.died
    assert client.pids == [next_one.pid]


def test_many_complaints_and_large_messages_don_t_clog_it(client: JobClient) -> None:
    ear = Ear(client.submit("evaluate", how="complain", large="λ" * 1_000_000))
    over(ear)
    assert len(ear.said[0]["what"]["large"]) == 1_000_000


def test_closing_ends_the_processes_and_says_nothing(client: JobClient) -> None:
    training, evaluation = begun(client, "train"), begun(client, "evaluate")
    processes = [psutil.Process(pid) for pid in client.pids]
    client.close()
    assert not any(process.is_running() for process in processes)
    late = Ear(client.submit("evaluate"))  # nobody is there any more, and nobody comes
    pause(0.1)
    assert client.pids == []
    assert [ear.ends for ear in (training, evaluation, late)] == [[], [], []]


def test_a_process_that_hangs_is_killed_once_its_patience_is_over(client: JobClient) -> None:
    ear = begun(client, "train", "hang")
    process = psutil.Process(client.pids[0])
    ear.job.close_timeout = 0.2
    client.close()
    assert not process.is_running()


def test_a_client_that_nobody_holds_any_more_lets_its_process_go(qapp) -> None:  # noqa: ARG001 (Qt first)
    client, devices = JobClient(command=COMMAND), []
    client.devices_found.connect(devices.append)
    client.prepare()
    until(lambda: devices, "a word of the process")
    process = psutil.Process(client.pids[0])
    del client
    until(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE, "the process's end")


def test_a_program_that_is_not_there(qapp) -> None:  # noqa: ARG001 (Qt first)
    client = JobClient(command=("no-such-program",))
    ear = Ear(client.submit("evaluate"))
    over(ear)
    assert "Evaluate again" in ear.ends[0][0]
    assert ear.ends[0][1]
    client.close()


def test_the_process_does_not_outlive_a_window_that_is_killed() -> None:
    script = textwrap.dedent(f"""
    import sys
    from PySide6.QtCore import QCoreApplication
    from modinv_app.jobs.client import JobClient
    app = QCoreApplication([])
    client = JobClient(command=(sys.executable, "-c", {_STAND_IN!r}))
    client.devices_found.connect(lambda _devices: print(client.pids[0], flush=True))
    client.prepare()
    app.exec()
    """)
    parent = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.communicate()
    end = time.monotonic() + 10
    while child.is_running() and time.monotonic() < end:
        time.sleep(0.05)
    assert not child.is_running()
