"""A sound library that plays a part: a microphone that says what it is given, a loudspeaker that nobody hears."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np

from modinv_app.audio.backend import AudioDevice, Fill, OnBlock, Samples

RATE = 48_000
_BLOCK = RATE // 100
_HISS = 1e-4
"""Amplitude of the silence between words: no real microphone gives zeros."""


class _Ticking:
    """A stream whose device asks for, or delivers, a block every 10 ms in a thread of its own."""

    rate = RATE
    latency = 0.0

    def __init__(self, block: Callable[[], None]) -> None:
        self._block = block
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rehearsed sound", daemon=True)
        self._thread.start()

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._ended.is_set()

    def close(self) -> None:
        """Stop."""
        self._ended.set()
        self._thread.join(1.0)

    def _run(self) -> None:
        due = time.monotonic()
        while not self._ended.is_set():
            self._block()
            due += _BLOCK / RATE
            time.sleep(max(0.0, due - time.monotonic()))


class RehearsedSound:
    """Stands where PortAudio stands, in real time, at 48 kHz."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines: Samples = np.zeros(0, np.float32)
        self._noise = np.random.default_rng(0)

    def say(self, samples: Samples) -> None:
        """Let the microphone hear ``(n,)`` samples at 48 kHz, from now on."""
        with self._lock:
            self._lines = np.concatenate([self._lines, samples])

    def input_devices(self) -> tuple[AudioDevice, ...]:
        """The one microphone."""
        return (AudioDevice("Rehearsed microphone", "modinv", True, RATE),)

    def output_devices(self) -> tuple[AudioDevice, ...]:
        """The one loudspeaker."""
        return (AudioDevice("Rehearsed loudspeaker", "modinv", True, RATE),)

    @property
    def idle(self) -> bool:
        """Its streams need no protection: looking for devices anew interrupts nothing."""
        return True

    def refresh(self) -> None:
        """Devices never change."""

    def open_input(
        self, _device: str | None, _rate: int | None, on_block: OnBlock, _on_lost: Callable[[], None]
    ) -> _Ticking:
        """The microphone, at its own rate."""
        return _Ticking(lambda: on_block(self._next_block()[:, None]))

    def open_output(self, _device: str | None, _rate: int | None, fill: Fill, _on_lost: Callable[[], None]) -> _Ticking:
        """The loudspeaker, at its own rate."""
        return _Ticking(lambda: _drop(fill(_BLOCK)))

    def _next_block(self) -> Samples:
        with self._lock:
            said, self._lines = self._lines[:_BLOCK], self._lines[_BLOCK:]
        block = self._noise.normal(0, _HISS, _BLOCK).astype(np.float32)
        block[: len(said)] += said
        return block


def _drop(_samples: Samples) -> None:
    """What a loudspeaker without a membrane does."""
