"""The sound devices of the machine, used in one thread."""

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
    """Opens, closes and lists devices, outside the GUI thread and one at a time.

    Signals
    -------
    devices_changed(inputs, outputs)
        Two tuples of `AudioDevice`, at first and whenever they change; both are empty without a sound library.
    """

    devices_changed = Signal(object, object)

    def __init__(self, make_backend: Callable[[], Backend] = PortAudio, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._make_backend = make_backend
        self._devices: tuple[Devices, Devices] | None = None
        # These two are used by the thread only.
        self._backend: Backend | None = None
        self._listed = False
        self._executor = SerialExecutor("sound", self)

    def submit(self, job: Callable[[Backend], T], done: Callable[[T], None], failed: Callable[[str], None]) -> None:
        """Run ``job(backend)`` in the sound thread; then ``done(result)`` or ``failed(why)`` in the GUI thread."""
        self._executor.submit(lambda: job(self._get_backend()), done, lambda error: failed(_message(error)))

    def refresh(self) -> None:
        """Look for devices again. Open streams are closed; recorder and player open theirs again."""
        self._list(lambda _backend: True)

    def refresh_when_idle(self) -> None:
        """As `refresh`, but only if no stream is open."""
        self._list(lambda backend: backend.idle)

    def _list(self, again: Callable[[Backend], bool]) -> None:
        def list_devices(backend: Backend) -> tuple[Devices, Devices]:
            # A new backend has just looked.
            if self._listed and again(backend):
                backend.refresh()
            self._listed = True
            return backend.input_devices(), backend.output_devices()

        # Why there are none is reported when one is opened.
        self.submit(list_devices, self._found, lambda _problem: self._found(((), ())))

    def _found(self, devices: tuple[Devices, Devices]) -> None:
        if devices != self._devices:
            self._devices = devices
            self.devices_changed.emit(*devices)

    def close(self) -> None:
        """End the thread once all streams have closed."""
        self._executor.close()

    def _get_backend(self) -> Backend:
        if self._backend is None:
            self._backend = self._make_backend()
        return self._backend


def _message(error: Exception) -> str:
    if isinstance(error, AudioUnavailable):
        return str(error)
    _log.error("the sound system failed", exc_info=error)
    return f"The sound system failed: {error}"
