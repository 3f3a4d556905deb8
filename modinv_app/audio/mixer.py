"""Plays clips without clicks at start, end or change."""

from __future__ import annotations

import threading

import numpy as np
import soxr

from modinv_app.audio.backend import Samples

_FADE = 0.005  # seconds: inaudible as a fade, long enough not to click


class Mixer:
    """Plays the latest clip; `fill` is called from the sound library's thread, the rest from any thread."""

    def __init__(self) -> None:
        # Held for microseconds only.
        self._lock = threading.Lock()
        self._clip: Samples = np.zeros(0, np.float32)
        self._position = 0
        self.lost = False

    def play(self, clip: Samples, fade: int) -> None:
        """Play ``clip`` ``(n,)`` from now on; what played before fades out within ``fade`` samples."""
        with self._lock:
            tail = self._clip[self._position : self._position + fade]
            tail = tail * np.linspace(1, 0, len(tail), dtype=np.float32)
            mixed = np.zeros(max(len(clip), len(tail)), np.float32)
            mixed[: len(clip)] = clip
            mixed[: len(tail)] += tail
            self._clip, self._position = mixed, 0

    @property
    def position(self) -> int:
        """Number of samples that `fill` has returned of the clip."""
        return self._position

    @property
    def done(self) -> bool:
        """Whether `fill` has returned the whole clip."""
        return self._position >= len(self._clip)

    def fill(self, n: int) -> Samples:
        """The next ``(n,)`` samples; silence after the end."""
        out = np.zeros(n, np.float32)
        with self._lock:
            part = self._clip[self._position : self._position + n]
            self._position += len(part)
        out[: len(part)] = part
        return out

    def lose(self) -> None:
        """Note that the loudspeaker was lost."""
        self.lost = True


def fade_length(rate: int) -> int:
    """Number of samples of a fade at ``rate``."""
    return round(_FADE * rate)


def prepare_clip(samples: Samples, rate: int, device_rate: int, latency: float) -> Samples:
    """Prepare a clip for a loudspeaker: resampled, faded at both ends, within [-1, 1].

    It is followed by silence as long as the device's latency, so that it is done when it has been heard.
    """
    clip = np.asarray(samples, np.float32)
    if rate != device_rate and len(clip):
        clip = soxr.resample(clip, rate, device_rate)
    clip = np.clip(clip, -1, 1)
    fade = min(fade_length(device_rate), len(clip) // 2)
    if fade:
        ramp = np.linspace(0, 1, fade, dtype=np.float32)
        clip[:fade] *= ramp
        clip[-fade:] *= ramp[::-1]
    return np.concatenate([clip, np.zeros(round(latency * device_rate), np.float32)])
