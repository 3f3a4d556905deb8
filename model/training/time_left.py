"""Estimates of the remaining time of work in progress. All times are passed in, in seconds."""

from __future__ import annotations

import math
from collections import deque

_MIN_SECONDS = 4.0
"""Time of observation before the first estimate: the first steps load libraries and allocate memory."""


class Pace:
    """The present speed of work that is counted in units, over a moving window.

    Parameters
    ----------
    window
        Length of the window in seconds.
    """

    def __init__(self, window: float = 60.0) -> None:
        self._window = window
        self._seen: deque[tuple[float, float]] = deque()

    def update(self, now: float, done: float) -> None:
        """Record that ``done`` units are done by ``now``; fewer than before mean that work is being repeated."""
        if self._seen and done < self._seen[-1][1]:
            self._seen.clear()
        if not self._seen or done > self._seen[-1][1]:
            self._seen.append((now, done))
        while len(self._seen) > 2 and now - self._seen[1][0] > self._window:
            self._seen.popleft()

    @property
    def unit_seconds(self) -> float | None:
        """Seconds per unit; ``None`` while too little was observed."""
        if len(self._seen) < 2:
            return None
        (began, first), (latest, last) = self._seen[0], self._seen[-1]
        return (latest - began) / (last - first) if latest - began >= _MIN_SECONDS else None

    def remaining(self, now: float, total: float) -> float | None:
        """Seconds until ``total`` units are done; ``None`` while too little was observed.

        If nothing was done for longer than usual, the excess is added, so that the estimate grows while work hangs.
        """
        each = self.unit_seconds
        if each is None:
            return None
        latest, last = self._seen[-1]
        usual = (latest - self._seen[0][0]) / (len(self._seen) - 1)
        return max(0.0, total - last) * each + max(0.0, now - latest - usual)


class Countdown:
    """A displayed remaining time, which counts down and follows new estimates smoothly.

    Parameters
    ----------
    inertia
        Time constant of the smoothing in seconds.
    """

    def __init__(self, inertia: float = 5.0) -> None:
        self._inertia = inertia
        self._shown: float | None = None
        self._at = 0.0

    def at(self, now: float, estimate: float | None) -> float | None:
        """The time to display ``now``, in seconds, given the latest estimate; ``None`` before there is one."""
        if estimate is None:
            self._shown = None
        elif self._shown is None:
            self._shown = estimate
        else:
            elapsed = max(0.0, now - self._at)
            run_down = max(0.0, self._shown - elapsed)
            self._shown = estimate + (run_down - estimate) * math.exp(-elapsed / self._inertia)
        self._at = now
        return self._shown
