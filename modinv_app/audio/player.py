"""The loudspeaker: plays one clip at a time; the latest wins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from modinv_app.audio.backend import Backend, Samples, Stream, open_at_some_rate
from modinv_app.audio.mixer import Mixer, fade_length, load_resampler, prepare_clip
from modinv_app.audio.system import SoundSystem

_LOOK_EVERY_MS = 15
_DEAD_AFTER_LOOKS = 2_000 // _LOOK_EVERY_MS
# Opening takes long on some systems, so that the loudspeaker is kept for a while for the next clip.
_RELEASE_AFTER_MS = 5_000

_STOPPED = "The loudspeaker has stopped: was it unplugged? Connect it again, or choose another one."


class Player(QObject):
    """Plays mono clips at the device's own rate.

    Devices are opened, and clips resampled, in the sound system's thread.

    Signals
    -------
    started
        The sound of a `play` is on its way to the loudspeaker.
    finished
        Exactly once for each `play`: it was heard out, was stopped, gave way to a later one, or failed.
    device_changed(name)
        The device now chosen (None: the system's default): as asked for, or the former if that failed.
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
        self._output: _Output | None = None  # what the present clip plays on
        self._playing = False
        self._turn = 0
        self._position, self._idle_looks = 0, 0
        self._look_timer = QTimer(self, interval=_LOOK_EVERY_MS)
        self._look_timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._look_timer.timeout.connect(self._look)
        self._release_timer = QTimer(self, interval=_RELEASE_AFTER_MS, singleShot=True)
        self._release_timer.timeout.connect(self.release)

    @property
    def playing(self) -> bool:
        """Whether a clip has been asked for and is not over."""
        return self._playing

    @property
    def device(self) -> str | None:
        """The device chosen; None is the system's default."""
        return self._chosen

    @Slot()
    def warm_up(self) -> None:
        """Load what the first clip would have to wait for, when there is nothing better to do."""
        self._system.submit(lambda _backend: load_resampler(), lambda _done: None, lambda _problem: None)

    def play(self, samples: Samples, rate: int) -> None:
        """Play ``(n,)`` float32 samples in [-1, 1] at ``rate`` Hz, and stop at once what plays now."""
        self.stop()
        self._playing = True
        turn, device = self._turn, self._chosen
        samples = np.array(samples, np.float32)  # the caller may go on writing into its own

        def prepare(backend: Backend) -> tuple[_Output, Samples]:
            output = self._loudspeaker.open(backend, device)
            return output, prepare_clip(samples, rate, output.stream.rate, output.stream.latency)

        def begin(ready: tuple[_Output, Samples]) -> None:
            if turn == self._turn:
                self._begin(*ready)

        def fail(problem: str) -> None:
            if turn == self._turn:
                self._fail(problem)

        self._release_timer.stop()
        self._system.submit(prepare, begin, fail)

    @Slot()
    def stop(self) -> None:
        """Fall silent at once."""
        self._turn += 1
        self._silence()
        self._end()

    @Slot(object)
    def set_device(self, name: str | None) -> None:
        """Use another loudspeaker (None: the system's default); if that fails, the former stays in use."""
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
        """Fall silent and give the loudspeaker back to the system; the next `play` opens it again."""
        self.stop()
        self._release_timer.stop()
        self._system.submit(lambda _backend: self._loudspeaker.close(), lambda _done: None, lambda _problem: None)

    def _begin(self, output: _Output, clip: Samples) -> None:
        self._output = output
        output.mixer.play(clip, fade_length(output.stream.rate))
        self._position, self._idle_looks = 0, 0
        self._look_timer.start()
        self.started.emit()

    def _look(self) -> None:
        """See how far the loudspeaker has come: its own thread must not be bothered with signals."""
        output = self._output
        assert output is not None
        self._idle_looks = self._idle_looks + 1 if output.mixer.position == self._position else 0
        self._position = output.mixer.position
        if output.mixer.done or output.stream.closed:  # closed by a refresh of the devices
            self._end()
        elif output.mixer.lost or self._idle_looks >= _DEAD_AFTER_LOOKS:
            self.release()
            self.failed.emit(_STOPPED)

    def _fail(self, problem: str) -> None:
        self._end()
        self.failed.emit(problem)

    def _end(self) -> None:
        self._look_timer.stop()
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
    """The one loudspeaker that is open, if one is."""

    def __init__(self) -> None:
        self._output: _Output | None = None

    def open(self, backend: Backend, device: str | None) -> _Output:
        """The output on ``device``, opened now if it was not."""
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
