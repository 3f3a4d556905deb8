"""The remaining time of trials that are carried out side by side."""

from pathlib import Path

import pytest
from tiny import small

from model.evaluation.protocol import EvaluationProtocol
from model.sweeps import course as courses
from model.sweeps.course import Course
from model.sweeps.trials import Done, Evaluating, Failed, Started, Step, Trial
from model.training.config import TrainingConfig

CONFIG = TrainingConfig(small(steps=100), ("mnist", "fsdd"))


@pytest.fixture
def clock(monkeypatch):
    """A function that sets the time."""
    now = [0.0]
    monkeypatch.setattr(courses.time, "monotonic", lambda: now[0])

    def at(seconds):
        now[0] = float(seconds)

    return at


def course(*names, complete=()):
    return Course([Trial(name, Path(name), CONFIG, EvaluationProtocol(), complete=name in complete) for name in names])


def test_each_trial_that_waits_begins_when_another_ends(clock):
    found = course("a", "b", "c", "d", "e")
    for name in ("a", "b"):
        found.follow(Started(name))
    assert found.seconds_left() is None, "no step was seen yet"
    for second in range(1, 11):
        clock(second)
        found.follow(Step("a", second))
        if second % 2 == 0:
            found.follow(Step("b", second // 2))
    # a: 90 steps of 1 s; b: 95 of 2 s; the others as the last that was measured, which is b; 30 s to evaluate each.
    # a ends after 120 s and then c after 350 s, b after 220 s and then d after 450 s, c and then e after 580 s.
    assert found.seconds_left() == pytest.approx(120 + 230 + 230, rel=1e-6)
    assert found.share("a") == pytest.approx(0.95 * 0.1)
    assert found.share_of_all == pytest.approx(0.95 * (0.1 + 0.05) / 5)


def test_evaluations_count_as_they_were_measured_and_ended_trials_no_more(clock):
    found = course("a", "b", "c", complete=("a", "b"))
    assert found.share("a") == 0.95, "it is trained"
    found.follow(Started("a"))
    found.follow(Evaluating("a"))
    clock(8)
    found.follow(Done("a", None))
    found.follow(Started("b"))
    found.follow(Started("c"))
    found.follow(Failed("c", "no data"))
    assert (found.ended, found.runs) == (2, 3)
    assert found.seconds_left() == 8
    found.follow(Evaluating("b"))
    found.follow(Done("b", None))
    assert found.share_of_all == 1


def test_a_trial_that_begins_again_repeats_steps(clock):
    found = course("a")
    found.follow(Started("a"))
    for second in range(1, 51):
        clock(second)
        found.follow(Step("a", second))
    assert found.seconds_left() == pytest.approx(50 + 30)
    clock(80)
    found.follow(Started("a"))
    found.follow(Step("a", 21))
    assert found.seconds_left() == pytest.approx(79 + 30), "by the pace before"
