"""The loudspeaker: plays one clip at a time, the latest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from modinv_app.audio.backend import Backend, Samples, Stream, open_at_some_rate
from modinv_app.audio.mixer import Mixer, fade_length, prepare_clip
from modinv_app.audio.system import SoundSystem

_CHECK_EVERY_MS = 15
_DEAD_AFTER_CHECKS = 2_000 // _CHECK_EVERY_MS
# Opening takes long on some systems, so the loudspeaker stays open for the next clip for a while.
_RELEASE_AFTER_MS = 5_000

_STOPPED = "The loudspeaker has stopped. Was it unplugged? Connect it again, or choose another one."


class Player(QObject):
    """Plays mono clips at the device's default rate.

    Devices are opened, and clips resampled, in the sound system's thread.

    Signals
    -------
    started
        A clip has begun to play.
    finished
        Exactly once for each `play`: the clip has ended, was stopped or replaced, or failed.
    device_changed(name)
        The device now chosen (None: the system's default): the requested one, or the former if that failed.
    failed(str)
        What went wrong and what to do.
    """

    started = Signal()
    finished = Signal()
    device_changed = Signal(object)
    failed = Signal(str)

    def __init__(self, system: SoundSystem, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._system = system
        self._chosen: str | None = None
        self._loudspeaker = _Loudspeaker()  # for jobs in the sound thread only
        self._output: _Output | None = None  # of the current clip
        self._playing = False
        self._request = 0  # number of the latest `play` or `stop`
        self._position, self._idle_checks = 0, 0
        self._check_timer = QTimer(self, interval=_CHECK_EVERY_MS)
        self._check_timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._check_timer.timeout.connect(self._check)
        self._release_timer = QTimer(self, interval=_RELEASE_AFTER_MS, singleShot=True)
        self._release_timer.timeout.connect(self.release)

    @property
    def playing(self) -> bool:
        """Whether a clip was requested and has not ended."""
        return self._playing

    @property
    def device(self) -> str | None:
        """The device chosen; None is the system's default."""
        return self._chosen

    def play(self, samples: Samples, rate: int) -> None:
        """Play ``(n,)`` float32 samples in [-1, 1] at ``rate`` Hz instead of the current clip."""
        self.stop()
        self._playing = True
        request, device = self._request, self._chosen
        samples = np.array(samples, np.float32)  # the caller may change its own

        def prepare(backend: Backend) -> tuple[_Output, Samples]:
            output = self._loudspeaker.open(backend, device)
            return output, prepare_clip(samples, rate, output.stream.rate, output.stream.latency)

        def begin(ready: tuple[_Output, Samples]) -> None:
            if request == self._request:
                self._begin(*ready)

        def fail(problem: str) -> None:
            if request == self._request:
                self._fail(problem)

        self._release_timer.stop()
        self._system.submit(prepare, begin, fail)

    @Slot()
    def stop(self) -> None:
        """Stop playing at once."""
        self._request += 1
        self._silence()
        self._end()

    @Slot(object)
    def set_device(self, name: str | None) -> None:
        """Use another loudspeaker (None: the system's default), or the former one if that fails."""
        if name == self._chosen:
            return
        self.stop()
        former, self._chosen = self._chosen, name

        def opened(_output: _Output) -> None:
            self.device_changed.emit(name)
            self._release_timer.start()

        def roll_back(problem: str) -> None:
            if self._chosen == name:
                self._chosen = former
                self.device_changed.emit(former)
            self.failed.emit(problem)

        self._system.submit(lambda backend: self._loudspeaker.open(backend, name), opened, roll_back)

    @Slot()
    def release(self) -> None:
        """Stop playing and close the loudspeaker; the next `play` opens it again."""
        self.stop()
        self._release_timer.stop()
        self._system.submit(lambda _backend: self._loudspeaker.close(), lambda _done: None, lambda _problem: None)

    def _begin(self, output: _Output, clip: Samples) -> None:
        self._output = output
        output.mixer.play(clip, fade_length(output.stream.rate))
        self._position, self._idle_checks = 0, 0
        self._check_timer.start()
        self.started.emit()

    def _check(self) -> None:
        """Check progress: the sound library's thread must not emit signals."""
        output = self._output
        assert output is not None
        self._idle_checks = self._idle_checks + 1 if output.mixer.position == self._position else 0
        self._position = output.mixer.position
        if output.mixer.done or output.stream.closed:  # closed by a refresh of the devices
            self._end()
        elif output.mixer.lost or self._idle_checks >= _DEAD_AFTER_CHECKS:
            self.release()
            self.failed.emit(_STOPPED)

    def _fail(self, problem: str) -> None:
        self._end()
        self.failed.emit(problem)

    def _end(self) -> None:
        self._check_timer.stop()
        if self._playing:
            self._playing = False
            self._release_timer.start()
            self.finished.emit()

    def _silence(self) -> None:
        if self._output is not None:
            self._output.mixer.play(np.zeros(0, np.float32), fade_length(self._output.stream.rate))
            self._output = None


@dataclass(frozen=True, slots=True)
class _Output:
    """An open loudspeaker and what it plays."""

    device: str | None
    stream: Stream
    mixer: Mixer

    @property
    def usable(self) -> bool:
        return not (self.stream.closed or self.mixer.lost)


class _Loudspeaker:
    """The loudspeaker, if it is open."""

    def __init__(self) -> None:
        self._output: _Output | None = None

    def open(self, backend: Backend, device: str | None) -> _Output:
        """The output on ``device``, opened if necessary."""
        output = self._output
        if output is None or output.device != device or not output.usable:
            self.close()
            mixer = Mixer()
            stream = open_at_some_rate(lambda rate: backend.open_output(device, rate, mixer.fill, mixer.lose))
            self._output = output = _Output(device, stream, mixer)
        return output

    def close(self) -> None:
        if self._output is not None:
            self._output.stream.close()
            self._output = None
