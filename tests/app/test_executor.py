"""What other threads do for the window, and how their results reach it."""

from __future__ import annotations

import sys
import threading
import weakref
from functools import partial

import pytest
from desk import until
from PySide6.QtCore import QObject

from modinv_app.jobs.executor import SerialExecutor
from tests.benchmarks.thread_stress import WAYS, one_way

pytestmark = pytest.mark.usefixtures("qapp")


@pytest.fixture
def owner() -> QObject:
    return QObject()


def raise_error(error: Exception) -> None:
    raise error


def test_results_and_errors_come_in_order_in_the_gui_thread(owner: QObject) -> None:
    lane, told = SerialExecutor("test", owner), []

    def tell(what: object) -> None:
        told.append((threading.current_thread(), what))

    for number in range(100):
        lane.submit(partial(int, number), tell, tell)
    error = ValueError("no number")
    lane.submit(partial(raise_error, error), tell, tell)
    until(lambda: len(told) == 101, "all results")
    assert told == [(threading.main_thread(), what) for what in (*range(100), error)]


def test_what_a_job_tells_meanwhile_comes_before_its_result(owner: QObject) -> None:
    lane, told = SerialExecutor("test", owner), []
    tell = lane.relay(lambda *what: told.append((threading.current_thread(), *what)))
    lane.submit(lambda: [tell(number, "of 3") for number in range(3)], lambda _done: told.append("done"), raise_error)
    until(lambda: "done" in told, "the result")
    assert told == [*((threading.main_thread(), number, "of 3") for number in range(3)), "done"]


@pytest.mark.parametrize("end", ["the lane is closed", "its owner is destroyed"])
def test_nobody_is_told_after_the_end(end: str) -> None:
    owner, told = QObject(), []
    lane = SerialExecutor("test", owner)
    go, following = threading.Event(), QObject()
    lane.relay(told.append)("before")
    until(lambda: told, "what was told before")
    lane.submit(go.wait, told.append, told.append)
    lane.submit(partial(lane.relay(told.append), "from within"), told.append, told.append)
    if end == "the lane is closed":
        lane.close(0)
    else:
        del owner
    go.set()
    another = SerialExecutor("test", following)
    another.submit(lane.close, told.append, raise_error)  # and with it, everything has been told
    until(lambda: len(told) > 1, "the end")
    assert told == ["before", None]


def test_what_a_callback_gets_wrong_keeps_nobody_else_waiting(owner: QObject, monkeypatch: pytest.MonkeyPatch) -> None:
    errors, told = [], []
    monkeypatch.setattr(sys, "excepthook", lambda _kind, error, _trace: errors.append(error))
    lane, error = SerialExecutor("test", owner), ValueError("a callback fails")
    lane.submit(int, lambda _result: raise_error(error), raise_error)
    lane.submit(int, told.append, raise_error)
    until(lambda: told, "the second result")
    assert errors == [error]


def test_a_callback_with_an_event_loop_of_its_own_keeps_nobody_waiting(owner: QObject) -> None:
    lane, told = SerialExecutor("test", owner), []

    def wait_for_the_next(_result: object) -> None:
        until(lambda: told, "the next result, within this callback")
        told.append("first")

    lane.submit(int, wait_for_the_next, raise_error)
    lane.submit(lambda: "second", told.append, raise_error)
    until(lambda: len(told) == 2, "both results")
    assert told == ["second", "first"]


def test_a_thread_ends_with_its_lane(owner: QObject) -> None:
    lane = SerialExecutor("a lane that is dropped", owner)
    del lane
    until(lambda: "a lane that is dropped" not in {thread.name for thread in threading.enumerate()}, "the thread's end")


class Held:
    """Something that must only die in the GUI thread, like a widget."""

    def __init__(self, ends: list[threading.Thread]) -> None:
        weakref.finalize(self, lambda: ends.append(threading.current_thread()))

    def job(self, fails: bool) -> Held:
        """What a lane does with it."""
        if fails:
            raise ValueError(self)
        return self

    def take(self, _result: object) -> None:
        """What becomes of it."""


def test_what_a_job_holds_is_let_go_of_in_the_gui_thread(owner: QObject) -> None:
    ends: list[threading.Thread] = []
    lane = SerialExecutor("test", owner)

    def submit(fails: bool) -> None:
        held = Held(ends)
        lane.submit(partial(held.job, fails), held.take, held.take)

    for number in range(200):
        submit(fails=bool(number % 2))
    until(lambda: len(ends) == 200, "the end of everything")
    assert set(ends) == {threading.main_thread()}


@pytest.mark.parametrize("way", WAYS)
def test_lanes_and_workers_that_report_while_they_are_destroyed_don_t_crash(way: str) -> None:
    """Longer: ``python -m tests.benchmarks.thread_stress``."""
    found = one_way(way, 3)
    assert found["status"] == 0, found["errors"]
    assert not found["errors"]
