"""The microphone: measures the level all the time, and records takes on request."""

from __future__ import annotations

import math
from collections import deque

import numpy as np
from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from modinv_app.audio.backend import Backend, Opened, Samples, Stream, open_at_some_rate, switch_device
from modinv_app.audio.system import SoundSystem
from modinv_app.audio.take import TakeBuffer

SILENCE = -90.0
"""The lowest level that is reported, in dBFS."""
DRAIN_EVERY_MS = 25
_DRAIN_END_EVERY_MS = 5
"""Of a take that ends: somebody waits for its answer."""
RETRY_EVERY_MS = 2_000

_LEVEL_STEP = 0.5  # dB; the meter cannot show less
# Counted in drains, by their intervals, not by the clock, because a busy window collects nothing.
_DEAD_AFTER_MS = 1_000
# Sound servers and Bluetooth devices may take seconds to deliver the first block.
_DEAD_AT_START_AFTER_MS = 5_000
_BLOCKS_KEPT = 2_000  # some seconds at the smallest block size in use; older ones are dropped

_STOPPED = (
    "The microphone has stopped. Was it unplugged? Connect it again, or choose another one. "
    "You can also drop or open a sound file."
)


class Recorder(QObject):
    """Records mono at the device's default rate.

    The sound library's callback only copies; a timer in the GUI thread collects. Devices are opened and closed in the
    sound system's thread. A device that fails or is unplugged is tried again until it is back.

    Signals
    -------
    chunk(samples, rate)
        New samples, ``(n,)`` float32 in [-1, 1], and Hz; about 40 times a second.
    level_changed(rms, peak)
        Levels of the last chunk in dBFS, from `SILENCE` to 0; only when one of them has changed noticeably.
    take_finished(samples, rate)
        A take, from a little before `begin_take` to a little after `end_take`, or to where the microphone was lost.
    running_changed(bool)
        Whether the microphone is open.
    device_changed(name)
        The device now in use (None: the system's default): the requested one, or the former if that failed.
    failed(str)
        What went wrong and what to do; once, not at each attempt.
    """

    chunk = Signal(object, int)
    level_changed = Signal(float, float)
    take_finished = Signal(object, int)
    running_changed = Signal(bool)
    device_changed = Signal(object)
    failed = Signal(str)

    def __init__(
        self, system: SoundSystem, parent: QObject | None = None, *, retry_every_ms: int = RETRY_EVERY_MS
    ) -> None:
        super().__init__(parent)
        self._system = system
        system.devices_changed.connect(self._update_device)
        self._wanted = False
        self._chosen: str | None = None
        self._opened: Opened | None = None
        self._capture = _Capture()
        self._switching = False
        self._newest: Stream | None = None  # used in the sound thread only
        self._take = TakeBuffer(1, 0)
        self._reported = ""
        self._level = (math.nan, math.nan)
        self._empty_ms = 0
        self._dead_after_ms = _DEAD_AT_START_AFTER_MS
        self._drain_timer = QTimer(self, interval=DRAIN_EVERY_MS)
        self._drain_timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._drain_timer.timeout.connect(self._drain)
        self._retry_timer = QTimer(self, interval=retry_every_ms, singleShot=True)
        self._retry_timer.timeout.connect(self._retry)

    @property
    def running(self) -> bool:
        """Whether the microphone is open."""
        return self._opened is not None

    @property
    def problem(self) -> str:
        """Why the microphone is not open, as `failed` has said; empty if it is, or nothing is known yet."""
        return self._reported

    @property
    def device(self) -> str | None:
        """The device that is used or tried; None is the system's default."""
        return self._chosen

    @Slot()
    def start(self) -> None:
        """Open the microphone as soon as there is one, and keep it open."""
        self._wanted = True
        self._update_device()

    @Slot()
    def stop(self) -> None:
        """Release the microphone; a take that has not ended is dropped."""
        self._wanted = False
        self._take.break_off()
        self._retry_timer.stop()
        if self._switching:  # its result will not be delivered if the sound system closes
            self._system.submit(lambda _backend: self._close_newest(), lambda _done: None, lambda _problem: None)
        self._update_device()

    @Slot(object)
    def set_device(self, name: str | None) -> None:
        """Use another microphone (None: the system's default), or the former one if that fails."""
        self._chosen = name
        self._update_device()

    @Slot()
    def begin_take(self) -> None:
        """Start a take, including a little of what came before."""
        if self.running:
            self._drain()
            self._take.begin()

    @Slot(float)
    def end_take(self, ago: float = 0.0) -> None:
        """End the take that was to end ``ago`` seconds ago; it is complete once the samples until then have arrived."""
        if self.running:
            self._drain()
            self._take.end(ago)
            if self._take.open:
                self._drain_timer.setInterval(_DRAIN_END_EVERY_MS)

    @Slot()
    def _update_device(self) -> None:
        """Open, close or switch the device as required, one step at a time."""
        if self._switching:
            return
        opened = self._opened
        if not self._wanted:
            if opened is not None:
                self._release()
        elif opened is None or opened.device != self._chosen:
            self._switching = True
            self._retry_timer.stop()
            device, capture = self._chosen, _Capture()

            def open_device(backend: Backend) -> tuple[Opened, _Capture]:
                result = switch_device(opened, device, lambda name: capture.open(backend, name))
                self._newest = result.stream
                return result, capture

            self._system.submit(
                open_device,
                lambda result: self._switched(device, *result),
                lambda problem: self._not_opened(device, problem),
            )

    def _switched(self, requested: str | None, opened: Opened, capture: _Capture) -> None:
        self._switching = False
        was_running = self.running
        self._break_off_take()
        self._opened, self._capture = opened, capture
        self._take = TakeBuffer(opened.stream.rate, opened.stream.latency)
        self._empty_ms, self._dead_after_ms = 0, _DEAD_AT_START_AFTER_MS
        self._drain_timer.start(DRAIN_EVERY_MS)
        if self._chosen == requested:  # and not another one meanwhile
            self._chosen = opened.device
        self._reported = ""
        if not was_running:
            self.running_changed.emit(True)
        self.device_changed.emit(opened.device)
        if opened.problem:
            self.failed.emit(opened.problem)
        self._update_device()

    def _not_opened(self, requested: str | None, problem: str) -> None:
        self._switching = False
        self._drop_stream()
        if self._chosen != requested:
            self._update_device()
        elif self._wanted:
            self._retry_timer.start()
            self._report(problem)

    def _close_newest(self) -> None:
        if self._newest is not None:
            self._newest.close()

    def _retry(self) -> None:
        self._system.refresh_when_idle()
        self._update_device()

    def _drain(self) -> None:
        """Collect what the callback has copied."""
        opened = self._opened
        if opened is None:
            return
        chunk = self._capture.collect()
        if chunk is not None:
            self._empty_ms, self._dead_after_ms = 0, _DEAD_AFTER_MS
            self._process(chunk, opened.stream.rate)
            return
        self._empty_ms += self._drain_timer.interval()
        if opened.stream.closed:  # by a refresh of the devices
            self._drop_stream()
            self._update_device()
        elif self._capture.lost or self._empty_ms >= self._dead_after_ms:
            self._release()
            self._retry_timer.start()
            self._report(_STOPPED)

    def _process(self, chunk: Samples, rate: int) -> None:
        self.chunk.emit(chunk, rate)
        self._emit_level(*levels(chunk))
        take = self._take.add(chunk)
        if take is not None:
            self._drain_timer.setInterval(DRAIN_EVERY_MS)
            self.take_finished.emit(take, rate)

    def _break_off_take(self) -> None:
        """End a take with what was heard until the stream ended."""
        if self._opened is not None:
            take = self._take.break_off()
            if take is not None:
                self.take_finished.emit(take, self._opened.stream.rate)

    def _emit_level(self, rms: float, peak: float) -> None:
        # not (… < step): the first level, after nan, counts as a change.
        if not (abs(rms - self._level[0]) < _LEVEL_STEP and abs(peak - self._level[1]) < _LEVEL_STEP):
            self._level = (rms, peak)
            self.level_changed.emit(rms, peak)

    def _report(self, problem: str) -> None:
        if problem != self._reported:
            self._reported = problem
            self.failed.emit(problem)

    def _release(self) -> None:
        assert self._opened is not None
        stream = self._opened.stream
        self._system.submit(lambda _backend: stream.close(), lambda _done: None, lambda _problem: None)
        self._drop_stream()

    def _drop_stream(self) -> None:
        self._drain_timer.stop()
        if self._opened is None:
            return
        self._break_off_take()
        self._opened, self._capture = None, _Capture()
        self._emit_level(SILENCE, SILENCE)
        self.running_changed.emit(False)


class _Capture:
    """Samples of one stream that were not collected yet; filled by the sound library's thread."""

    def __init__(self) -> None:
        self._blocks: deque[Samples] = deque(maxlen=_BLOCKS_KEPT)
        self.lost = False

    def open(self, backend: Backend, device: str | None) -> Stream:
        return open_at_some_rate(lambda rate: backend.open_input(device, rate, self._blocks.append, self._lose))

    def collect(self) -> Samples | None:
        """All blocks so far as one mono chunk, ``(n,)``; None if there are none."""
        blocks = [self._blocks.popleft() for _ in range(len(self._blocks))]
        return np.concatenate(blocks).mean(axis=1, dtype=np.float32) if blocks else None

    def _lose(self) -> None:
        self.lost = True


def levels(samples: Samples) -> tuple[float, float]:
    """Root mean square and peak of ``(n,)`` samples, in dBFS (full scale is 0), at least `SILENCE`."""
    return _dbfs(float(np.sqrt(np.mean(np.square(samples))))), _dbfs(float(np.max(np.abs(samples))))


def _dbfs(amplitude: float) -> float:
    return max(SILENCE, 20 * math.log10(amplitude)) if amplitude > 0 else SILENCE
