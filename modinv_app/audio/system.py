"""The sound system of the machine: its devices, and the one thread in which it is talked to."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import QObject, Signal

from modinv_app.audio.backend import AudioDevice, AudioUnavailable, Backend
from modinv_app.audio.portaudio import PortAudio
from modinv_app.jobs.executor import SerialExecutor

_log = logging.getLogger(__name__)

T = TypeVar("T")
Devices = tuple[AudioDevice, ...]


class SoundSystem(QObject):
    """Everything that opens, closes or lists devices goes through here, off the GUI thread and one at a time.

    Signals
    -------
    devices_changed(inputs, outputs)
        Two tuples of `AudioDevice`: the first list, and each that differs from the last. Both are empty
        without a sound library.
    """

    devices_changed = Signal(object, object)

    def __init__(self, make_backend: Callable[[], Backend] = PortAudio, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._make_backend = make_backend
        self._devices: tuple[Devices, Devices] | None = None
        # These two are touched by the lane only.
        self._backend: Backend | None = None
        self._listed = False
        self._lane = SerialExecutor("sound", self)

    def submit(self, job: Callable[[Backend], T], done: Callable[[T], None], failed: Callable[[str], None]) -> None:
        """Run ``job(backend)`` in the sound thread; then ``done(result)`` or ``failed(why)`` in this one."""
        self._lane.submit(lambda: job(self._backend_now()), done, lambda error: failed(_in_words(error)))

    def refresh(self) -> None:
        """Look for devices anew. Open streams end quietly; recorder and player open theirs again."""
        self._look(lambda _backend: True)

    def refresh_when_idle(self) -> None:
        """As `refresh`, but only if that interrupts no stream."""
        self._look(lambda backend: backend.idle)

    def _look(self, anew: Callable[[Backend], bool]) -> None:
        def look(backend: Backend) -> tuple[Devices, Devices]:
            # A backend that was only just made has looked already.
            if self._listed and anew(backend):
                backend.refresh()
            self._listed = True
            return backend.input_devices(), backend.output_devices()

        # Why there are none is told by whoever wants to open one.
        self.submit(look, self._found, lambda _problem: self._found(((), ())))

    def _found(self, devices: tuple[Devices, Devices]) -> None:
        if devices != self._devices:
            self._devices = devices
            self.devices_changed.emit(*devices)

    def close(self) -> None:
        """End the thread once the streams that were asked to close have closed."""
        self._lane.close()

    def _backend_now(self) -> Backend:
        if self._backend is None:
            self._backend = self._make_backend()
        return self._backend


def _in_words(error: Exception) -> str:
    if isinstance(error, AudioUnavailable):
        return str(error)
    _log.error("the sound system failed", exc_info=error)
    return f"The sound system failed: {error}"
