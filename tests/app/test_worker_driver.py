"""A process that computes for the window: heard, restarted after its death, and gone with the window."""

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
from desk import until

from modinv_app.jobs.worker_process import Worker

# Answers each message with its own, until it is told to die, hang or chatter.
_ECHO = """
import json, sys, time
print("not a message", flush=True)
for line in sys.stdin:
    message = json.loads(line)
    if message.get("do") == "die":
        print("the last words", file=sys.stderr)
        sys.exit(3)
    if message.get("do") == "hang":
        while True:
            time.sleep(60)
    if message.get("do") == "complain":
        print("x" * 1_000_000, file=sys.stderr)
    print(json.dumps({"say": "heard", "what": message}), flush=True)
"""


class Ear:
    """What a worker said, and how its processes ended."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.said: list[dict] = []
        self.ends: list[tuple[int, str]] = []
        worker.said.connect(self.said.append)
        worker.ended.connect(lambda *end: self.ends.append(end))


@pytest.fixture
def ear(qapp) -> Iterator[Ear]:  # noqa: ARG001 (Qt first)
    worker = Worker(command=(sys.executable, "-c", _ECHO))
    yield Ear(worker)
    worker.close(1)


def test_messages_go_there_and_back_in_order(ear: Ear) -> None:
    assert not ear.worker.running
    for number in range(20):
        ear.worker.send({"do": "say", "number": number, "text": "λ is no ASCII"})
    until(lambda: len(ear.said) == 20, "answers")
    assert [message["what"]["number"] for message in ear.said] == list(range(20))
    assert ear.said[0]["what"]["text"] == "λ is no ASCII"


def test_a_death_is_told_with_the_last_words_and_the_next_message_starts_another(ear: Ear) -> None:
    ear.worker.send({"do": "die"})
    until(lambda: ear.ends, "the end")
    assert ear.ends[0][0] == 3
    assert "the last words" in ear.ends[0][1]
    assert not ear.worker.running
    ear.worker.send({"do": "say"})
    until(lambda: ear.said, "an answer of the next")


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_killed_from_outside(ear: Ear) -> None:
    ear.worker.send({"do": "say"})
    until(lambda: ear.said, "an answer")
    os.kill(ear.worker.pid, signal.SIGKILL)
    until(lambda: ear.ends, "the end")
    assert ear.ends[0][0] == -signal.SIGKILL


def test_many_complaints_don_t_clog_it(ear: Ear) -> None:
    ear.worker.send({"do": "complain"})
    until(lambda: ear.said, "an answer")


def test_closing_ends_the_process_and_says_nothing(ear: Ear) -> None:
    ear.worker.send({"do": "say"})
    until(lambda: ear.said, "an answer")
    process = psutil.Process(ear.worker.pid)
    ear.worker.close()
    assert not process.is_running()
    assert not ear.ends
    ear.worker.send({"do": "say"})  # nobody is there any more, and nobody comes
    assert not ear.worker.running


def test_a_process_that_hangs_is_killed(ear: Ear) -> None:
    ear.worker.send({"do": "say"})
    ear.worker.send({"do": "hang"})
    until(lambda: ear.said, "an answer")
    process = psutil.Process(ear.worker.pid)
    ear.worker.close(0.2)
    assert not process.is_running()


def test_a_worker_that_nobody_holds_any_more_lets_its_process_go(qapp) -> None:  # noqa: ARG001 (Qt first)
    ear = Ear(Worker(command=(sys.executable, "-c", _ECHO)))
    ear.worker.send({"do": "say"})
    until(lambda: ear.said, "an answer")
    process = psutil.Process(ear.worker.pid)
    del ear.worker
    until(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE, "the process's end")
    assert not ear.ends


def test_a_program_that_is_not_there(qapp) -> None:  # noqa: ARG001 (Qt first)
    ear = Ear(Worker(command=("no-such-program",)))
    ear.worker.send({"do": "say"})
    until(lambda: ear.ends, "the end")
    assert "no-such-program" in ear.ends[0][1]


def test_the_process_does_not_outlive_a_window_that_is_killed() -> None:
    script = textwrap.dedent(f"""
    import sys, time
    from PySide6.QtCore import QCoreApplication
    from modinv_app.jobs.worker_process import Worker
    app = QCoreApplication([])
    worker = Worker(command=(sys.executable, "-c", {_ECHO!r}))
    worker.said.connect(lambda _message: print(worker.pid, flush=True))
    worker.send({{"do": "say"}})
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
