"""Cuts one take, with a little of what came before it, out of the microphone's stream."""

from __future__ import annotations

from collections import deque

import numpy as np

from modinv_app.audio.backend import Samples

PRE_ROLL = 0.15
"""Seconds from before the press, so that the start of a word is not cut."""
POST_ROLL = 0.10
"""Seconds from after the release."""
LONGEST = 10.0
"""Seconds after which a take ends by itself."""


class TakeBuffer:
    """Collects a take from chunks of one rate.

    Parameters
    ----------
    rate
        Sampling rate in Hz.
    latency
        Seconds by which samples arrive late.
    """

    def __init__(self, rate: int, latency: float) -> None:
        self._rate = rate
        self._pre_roll = round(PRE_ROLL * rate)
        self._tail = round((POST_ROLL + latency) * rate)
        self._longest = round(LONGEST * rate)
        self._before: deque[Samples] = deque()
        self._before_length = 0
        self._take: list[Samples] | None = None
        self._length = 0
        self._end: int | None = None

    @property
    def open(self) -> bool:
        """Whether a take is being collected."""
        return self._take is not None

    def begin(self) -> None:
        """Start a take with the pre-roll; an unfinished one is dropped."""
        before = np.concatenate([*self._before]) if self._before else np.zeros(0, np.float32)
        pre_roll = before[-self._pre_roll :]
        self._take, self._length, self._end = [pre_roll], len(pre_roll), None

    def end(self, ago: float = 0.0) -> None:
        """Note that the button was released ``ago`` seconds ago: the take ends a little after that."""
        if self._end is None:
            self._end = max(0, self._length - round(ago * self._rate)) + self._tail

    def add(self, chunk: Samples) -> Samples | None:
        """Add a chunk ``(n,)``; the take, once it is complete."""
        self._remember(chunk)
        if self._take is None:
            return None
        self._take.append(chunk)
        self._length += len(chunk)
        end = self._longest if self._end is None else min(self._end, self._longest)
        if self._length < end:
            return None
        take = np.concatenate(self._take)[:end]
        self._take = None
        return take

    def break_off(self) -> Samples | None:
        """End a take at once, because no more chunks come: what there is of it; None if there is nothing."""
        take, self._take = self._take, None
        return np.concatenate(take) if take is not None and len(take) > 1 else None  # the first is the pre-roll

    def _remember(self, chunk: Samples) -> None:
        self._before.append(chunk)
        self._before_length += len(chunk)
        while self._before_length - len(self._before[0]) >= self._pre_roll:
            self._before_length -= len(self._before.popleft())
