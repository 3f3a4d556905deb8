"""How long work in progress will still take. Clocks are passed in, in seconds, so that nothing here waits."""

from __future__ import annotations

import math
from collections import deque

_ENOUGH_SECONDS = 4.0
"""Of work that was watched before anything is said: the first steps load libraries and take memory."""


class Pace:
    """Speed of work that is counted in units, by its latest part: another load or a pause ago say little.

    Parameters
    ----------
    window
        How many seconds count.
    """

    def __init__(self, window: float = 60.0) -> None:
        self._window = window
        self._seen: deque[tuple[float, float]] = deque()

    def see(self, now: float, done: float) -> None:
        """By ``now`` so many units are done; fewer than before mean that work was taken back."""
        if self._seen and done < self._seen[-1][1]:
            self._seen.clear()
        if not self._seen or done > self._seen[-1][1]:
            self._seen.append((now, done))
        while len(self._seen) > 2 and now - self._seen[1][0] > self._window:
            self._seen.popleft()

    @property
    def unit_seconds(self) -> float | None:
        """Seconds that a unit takes; ``None`` while too little is known."""
        if len(self._seen) < 2:
            return None
        (began, first), (latest, last) = self._seen[0], self._seen[-1]
        return (latest - began) / (last - first) if latest - began >= _ENOUGH_SECONDS else None

    def remaining(self, now: float, total: float) -> float | None:
        """Seconds until ``total`` units are done; ``None`` while too little is known.

        Where nothing was done for longer than usual, as much time again is expected to pass: what hangs must not look
        as if it went on.
        """
        each = self.unit_seconds
        if each is None:
            return None
        latest, last = self._seen[-1]
        usual = (latest - self._seen[0][0]) / (len(self._seen) - 1)
        return max(0.0, total - last) * each + max(0.0, now - latest - usual)


class Countdown:
    """A remaining time to show: it runs down by itself and follows new estimates without jumps.

    Parameters
    ----------
    inertia
        Seconds after which it has followed a new estimate by 63 %.
    """

    def __init__(self, inertia: float = 5.0) -> None:
        self._inertia = inertia
        self._shown: float | None = None
        self._at = 0.0

    def at(self, now: float, estimate: float | None) -> float | None:
        """What to show ``now``, in seconds, given the latest estimate; ``None`` before there is one."""
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
