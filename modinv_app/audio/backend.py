"""The interface to the sound library, so that tests can replace it.

Everything is called from one thread (see `modinv_app.audio.system`), except the callbacks, which the library calls from
its own thread and which only copy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]

OnBlock = Callable[[Samples], None]
"""Receives what was just recorded, ``(n, channels)`` in [-1, 1]; the callee owns the array."""
Fill = Callable[[int], Samples]
"""Returns the next ``(n,)`` samples in [-1, 1] to play."""

# Sampling rates to try in turn: a device may refuse even its own default (None).
_RATES = (None, 48_000, 44_100, 16_000)


class AudioUnavailable(RuntimeError):
    """There is no sound; the message tells the user what is wrong and what to do."""


class RateRefused(AudioUnavailable):
    """The device does not support this rate."""


@dataclass(frozen=True, slots=True)
class AudioDevice:
    """A microphone or a loudspeaker.

    Attributes
    ----------
    name
        The system's name of it; also its identity, because indices change when devices come and go.
    host
        The system's sound interface, such as ``"ALSA"``.
    default
        Whether it is the system's default.
    rate
        Its default sampling rate in Hz.
    """

    name: str
    host: str
    default: bool
    rate: int


class Stream(Protocol):
    """An open, running device."""

    @property
    def rate(self) -> int:
        """Sampling rate in Hz."""

    @property
    def latency(self) -> float:
        """Seconds between the sound and the callback."""

    @property
    def closed(self) -> bool:
        """Whether it was closed on purpose: by `close`, or by `Backend.refresh`."""

    def close(self) -> None:
        """Stop and release the device; closing twice is allowed."""


class Backend(Protocol):
    """A sound library. ``device`` is a name, or None for the system's default."""

    def input_devices(self) -> tuple[AudioDevice, ...]:
        """The microphones, as of the last refresh."""

    def output_devices(self) -> tuple[AudioDevice, ...]:
        """The loudspeakers, as of the last refresh."""

    @property
    def idle(self) -> bool:
        """Whether no stream is open."""

    def refresh(self) -> None:
        """Look for devices again; this closes all open streams."""

    def open_input(
        self, device: str | None, rate: int | None, on_block: OnBlock, on_lost: Callable[[], None]
    ) -> Stream:
        """Open and start a microphone at ``rate`` (None: its default).

        Raises `RateRefused` or another `AudioUnavailable`. ``on_lost`` is called if the stream ends by itself.
        """

    def open_output(self, device: str | None, rate: int | None, fill: Fill, on_lost: Callable[[], None]) -> Stream:
        """Open and start a loudspeaker; otherwise as `open_input`."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The result of choosing a device: ``device`` runs as ``stream``; ``problem`` tells why it is another one."""

    stream: Stream
    device: str | None
    problem: str = ""


def open_at_some_rate(open_at: Callable[[int | None], Stream]) -> Stream:
    """Open a device at its default rate, or at the first common one that it accepts."""
    refused: RateRefused | None = None
    for rate in _RATES:
        try:
            return open_at(rate)
        except RateRefused as error:
            refused = error
    assert refused is not None
    raise refused


def switch_device(old: Opened | None, device: str | None, open_device: Callable[[str | None], Stream]) -> Opened:
    """Close ``old`` and open ``device``; if that fails, return to the old one and report the problem.

    Two streams are never open at once: some systems allow only one per device.

    Raises
    ------
    AudioUnavailable
        If there was no old one, or it can't be opened again.
    """
    if old is not None:
        old.stream.close()
    try:
        return Opened(open_device(device), device)
    except AudioUnavailable as error:
        if old is None or old.device == device:
            raise
        return Opened(open_device(old.device), old.device, problem=str(error))
