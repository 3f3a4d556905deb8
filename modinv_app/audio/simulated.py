"""A simulated sound library for self-check and tests, whose microphone records given samples."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np

from modinv_app.audio.backend import AudioDevice, Fill, OnBlock, Samples

RATE = 48_000
_BLOCK = RATE // 100
_NOISE = 1e-4
"""Amplitude of the noise between words: no real microphone delivers zeros."""


class _SimulatedStream:
    """A stream that processes a block every 10 ms in a thread of its own."""

    rate = RATE
    latency = 0.0

    def __init__(self, block: Callable[[], object]) -> None:
        self._block = block
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="simulated sound", daemon=True)
        self._thread.start()

    @property
    def closed(self) -> bool:
        return self._ended.is_set()

    def close(self) -> None:
        self._ended.set()
        self._thread.join(1.0)

    def _run(self) -> None:
        due = time.monotonic()
        while not self._ended.is_set():
            self._block()
            due += _BLOCK / RATE
            time.sleep(max(0.0, due - time.monotonic()))


class SimulatedSound:
    """A `Backend` that runs in real time at 48 kHz."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: Samples = np.zeros(0, np.float32)
        self._noise = np.random.default_rng(0)

    def say(self, samples: Samples) -> None:
        """Let the microphone record ``(n,)`` samples at 48 kHz, from now on."""
        with self._lock:
            self._pending = np.concatenate([self._pending, samples])

    def input_devices(self) -> tuple[AudioDevice, ...]:
        return (AudioDevice("Simulated microphone", "modinv", True, RATE),)

    def output_devices(self) -> tuple[AudioDevice, ...]:
        return (AudioDevice("Simulated loudspeaker", "modinv", True, RATE),)

    @property
    def idle(self) -> bool:
        return True

    def refresh(self) -> None:
        """Do nothing: the devices never change."""

    def open_input(
        self, _device: str | None, _rate: int | None, on_block: OnBlock, _on_lost: Callable[[], None]
    ) -> _SimulatedStream:
        return _SimulatedStream(lambda: on_block(self._next_block()[:, None]))

    def open_output(
        self, _device: str | None, _rate: int | None, fill: Fill, _on_lost: Callable[[], None]
    ) -> _SimulatedStream:
        return _SimulatedStream(lambda: fill(_BLOCK))

    def _next_block(self) -> Samples:
        with self._lock:
            spoken, self._pending = self._pending[:_BLOCK], self._pending[_BLOCK:]
        block = self._noise.normal(0, _NOISE, _BLOCK).astype(np.float32)
        block[: len(spoken)] += spoken
        return block
