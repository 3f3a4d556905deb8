"""A sound library without hardware, whose devices do what a test tells them to."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from modinv_app.audio.backend import AudioDevice, AudioUnavailable, Fill, OnBlock, RateRefused, Samples


class FakeStream:
    """An open device; a test moves its samples by hand with `deliver` and `consume`."""

    def __init__(self, device: str, rate: int, latency: float, on_lost: Callable[[], None]) -> None:
        self.device = device
        self.rate = rate
        self.latency = latency
        self.closed = False
        self.lose = on_lost
        self.on_block: OnBlock = lambda _block: None
        self.fill: Fill = lambda n: np.zeros(n, np.float32)

    def close(self) -> None:
        self.closed = True

    def deliver(self, samples: Samples, channels: int = 1) -> None:
        """The microphone hears ``(n,)`` samples, alike in every channel."""
        self.on_block(np.repeat(np.asarray(samples, np.float32)[:, None], channels, axis=1))

    def consume(self, seconds: float) -> Samples:
        """The loudspeaker plays on, in blocks of 10 ms."""
        block = self.rate // 100
        return np.concatenate([self.fill(block) for _ in range(round(seconds * self.rate / block))])


class FakeBackend:
    """Microphones "Desk" (default) and "Headset", loudspeakers "Box" (default) and "Earphones".

    Attributes
    ----------
    broken
        Names of devices that cannot be opened.
    accepted_rates
        Rates that a device takes; None stands for its own.
    streams
        Every stream ever opened, latest last.
    """

    def __init__(self, latency: float = 0.0) -> None:
        self.inputs = [
            AudioDevice("Desk", "Fake", True, 48_000),
            AudioDevice("Headset", "Fake", False, 16_000),
        ]
        self.outputs = [
            AudioDevice("Box", "Fake", True, 48_000),
            AudioDevice("Earphones", "Fake", False, 44_100),
        ]
        self.broken: set[str] = set()
        self.accepted_rates: set[int | None] | None = None
        self.streams: list[FakeStream] = []
        self.refreshes = 0
        self.latency = latency

    def input_devices(self) -> tuple[AudioDevice, ...]:
        return tuple(self.inputs)

    def output_devices(self) -> tuple[AudioDevice, ...]:
        return tuple(self.outputs)

    @property
    def idle(self) -> bool:
        return not self.open_streams

    @property
    def open_streams(self) -> list[FakeStream]:
        return [stream for stream in self.streams if not stream.closed]

    def refresh(self) -> None:
        self.refreshes += 1
        for stream in self.streams:
            stream.close()

    def open_input(
        self, device: str | None, rate: int | None, on_block: OnBlock, on_lost: Callable[[], None]
    ) -> FakeStream:
        stream = self._open(self.inputs, device, rate, on_lost)
        stream.on_block = on_block
        return stream

    def open_output(self, device: str | None, rate: int | None, fill: Fill, on_lost: Callable[[], None]) -> FakeStream:
        stream = self._open(self.outputs, device, rate, on_lost)
        stream.fill = fill
        return stream

    def _open(
        self, devices: Iterable[AudioDevice], name: str | None, rate: int | None, on_lost: Callable[[], None]
    ) -> FakeStream:
        found = [device for device in devices if (device.default if name is None else device.name == name)]
        if not found:
            raise AudioUnavailable(f"{name or 'default device'} not found")
        device = found[0]
        if device.name in self.broken:
            raise AudioUnavailable(f"{device.name} is broken")
        if self.accepted_rates is not None and rate not in self.accepted_rates:
            raise RateRefused(f"{device.name} refuses {rate}")
        stream = FakeStream(device.name, rate or device.rate, self.latency, on_lost)
        self.streams.append(stream)
        return stream
