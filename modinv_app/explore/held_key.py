"""Distinguishes a held key from the system's key repeat."""

from __future__ import annotations

import time

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent

GRACE_MS = 60
"""Milliseconds: a press that soon after a release is key repeat."""


class HeldKey(QObject):
    """Whether one key is held.

    X servers repeat a key by releasing and pressing it at the same time, about 25 times a second. Qt marks both as key
    repeat only if the press is in its queue when it reads the release, which is rare. So a release counts once
    `GRACE_MS` have passed without a press. Times are those of the window system if it provides them, so that a busy
    window gets the same result.

    Signals
    -------
    pressed
        The key was pressed.
    released(float)
        The key was released so many seconds ago.
    """

    pressed = Signal()
    released = Signal(float)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._held = False
        self._released_at = -1.0 - GRACE_MS  # milliseconds of the window system's clock
        self._reported_at = 0.0  # when the release was received, in seconds
        self._grace = QTimer(self, interval=GRACE_MS, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        # After the window was busy, a press may wait in the queue: process events before the release counts.
        self._waiting_events = QTimer(self, interval=0, singleShot=True)
        self._grace.timeout.connect(self._waiting_events.start)
        self._waiting_events.timeout.connect(self._report_release)

    @property
    def held(self) -> bool:
        """Whether the key is down, as far as is known."""
        return self._held

    def press(self, event: QKeyEvent) -> None:
        """Process a key press, perhaps of key repeat."""
        if event.isAutoRepeat() or 0 <= _moment(event) - self._released_at <= GRACE_MS:
            self._stop_waiting()
            return
        if self._waiting:  # released and pressed again while the window was busy
            self._report_release()
        if not self._held:
            self._held = True
            self.pressed.emit()

    def release(self, event: QKeyEvent) -> None:
        """Process a key release, perhaps of key repeat, perhaps without a press."""
        self._released_at = _moment(event)
        if self._held and not event.isAutoRepeat():
            self._reported_at = time.monotonic()
            self._grace.start()

    def let_go(self) -> None:
        """Count the key as released, because its release may not be received. Key repeat is no new press."""
        if self._waiting:
            self._report_release()
        elif self._held:
            self._held = False
            self.released.emit(0.0)

    @property
    def _waiting(self) -> bool:
        return self._grace.isActive() or self._waiting_events.isActive()

    def _stop_waiting(self) -> None:
        self._grace.stop()
        self._waiting_events.stop()

    def _report_release(self) -> None:
        self._stop_waiting()
        self._held = False
        self.released.emit(time.monotonic() - self._reported_at)


def _moment(event: QKeyEvent) -> float:
    """The time of an event in milliseconds; by our clock if it has none."""
    return event.timestamp() or 1000 * time.monotonic()
