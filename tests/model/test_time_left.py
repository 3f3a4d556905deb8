"""Remaining times: from what was done, smoothed, and never standing still."""

from __future__ import annotations

import pytest

from model.training.time_left import Countdown, Pace


def watched(*moments: tuple[float, float]) -> Pace:
    pace = Pace(window=60)
    for now, done in moments:
        pace.update(now, done)
    return pace


def test_the_rest_takes_as_long_as_what_was_seen() -> None:
    pace = watched((0, 1), (5, 11), (10, 21))
    assert pace.unit_seconds == pytest.approx(0.5)
    assert pace.remaining(10, 100) == pytest.approx(79 * 0.5)


def test_the_first_seconds_tell_nothing() -> None:
    assert watched((0, 1)).remaining(100, 10) is None
    assert watched((0, 1), (1, 2)).remaining(1, 10) is None


def test_a_slow_start_is_forgotten() -> None:
    pace = watched((0, 0), (100, 1), *((100 + second, 1 + 2 * second) for second in range(1, 121)))
    assert pace.remaining(220, 341) == pytest.approx(100 * 0.5)


def test_work_that_hangs_takes_longer_and_longer() -> None:
    pace = watched((0, 0), (10, 10))
    later = [pace.remaining(now, 20) for now in (10, 20, 40, 85)]
    assert later == sorted(later)
    assert later[-1] > 5 * later[0]


def test_work_that_is_taken_back_starts_anew() -> None:
    pace = watched((0, 0), (10, 50), (20, 10))
    assert pace.remaining(20, 100) is None
    pace.update(30, 20)
    assert pace.remaining(30, 100) == pytest.approx(80)


def test_a_countdown_never_stands_still_nor_jumps() -> None:
    countdown = Countdown(inertia=5)
    # The same estimate for a minute: what is shown runs down at first, and then stays near to it.
    assert countdown.at(0, 60) == 60
    shown = [countdown.at(second, 60 - second) for second in range(1, 31)]
    assert shown == pytest.approx([60 - second for second in range(1, 31)])
    jumped = countdown.at(31, 300)
    assert 29 < jumped < 120, "a new estimate is followed step by step"
    for second in range(32, 70):
        jumped = countdown.at(second, 300 - second)
    assert jumped == pytest.approx(300 - 69, rel=0.1)


def test_a_countdown_shows_nothing_before_there_is_an_estimate() -> None:
    countdown = Countdown()
    assert countdown.at(0, None) is None
    assert countdown.at(1, 10) == 10
    assert countdown.at(2, None) is None
