"""A key that is held, told from a key that the system repeats."""

from __future__ import annotations

import time

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent

GRACE_MS = 60
"""A press that comes so soon after a release is the system's key repeat: no finger is as fast."""


class HeldKey(QObject):
    """Whether one key is held.

    An X server repeats a key by letting it go and pressing it again in the same moment, about 25 times a second. Qt
    marks both as repetition only if it finds the press waiting when it reads the release, which mostly it does not.
    So a release counts once `GRACE_MS` have passed without a press. Moments are the window system's, as far as it
    tells them: a window that was busy meanwhile sees the same.

    Signals
    -------
    pressed
        The key has gone down.
    released(float)
        The key is up, and went up so many seconds ago.
    """

    pressed = Signal()
    released = Signal(float)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._held = False
        self._released_at = -1.0 - GRACE_MS  # when the window system saw it go up, in its milliseconds
        self._told_at = 0.0  # when we were told of it, in seconds
        self._grace = QTimer(self, interval=GRACE_MS, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        # After a window was busy the timer may come before a press that has long been waiting: read the events first.
        self._waiting_events = QTimer(self, interval=0, singleShot=True)
        self._grace.timeout.connect(self._waiting_events.start)
        self._waiting_events.timeout.connect(self._tell_release)

    @property
    def held(self) -> bool:
        """Whether the key is down, as far as is known."""
        return self._held

    def press(self, event: QKeyEvent) -> None:
        """Take in that the key went down, perhaps as a repetition."""
        if event.isAutoRepeat() or 0 <= _moment(event) - self._released_at <= GRACE_MS:
            self._stop_waiting()
            return
        if self._waiting:  # let go and pressed anew, and the window was too busy to see that in time
            self._tell_release()
        if not self._held:
            self._held = True
            self.pressed.emit()

    def release(self, event: QKeyEvent) -> None:
        """Take in that the key went up, perhaps as a repetition, and perhaps one that never went down here."""
        self._released_at = _moment(event)
        if self._held and not event.isAutoRepeat():
            self._told_at = time.monotonic()
            self._grace.start()

    def let_go(self) -> None:
        """Count the key as up from now on: it goes up where we are not told. What it repeats is no new press."""
        if self._waiting:
            self._tell_release()
        elif self._held:
            self._held = False
            self.released.emit(0.0)

    @property
    def _waiting(self) -> bool:
        return self._grace.isActive() or self._waiting_events.isActive()

    def _stop_waiting(self) -> None:
        self._grace.stop()
        self._waiting_events.stop()

    def _tell_release(self) -> None:
        self._stop_waiting()
        self._held = False
        self.released.emit(time.monotonic() - self._told_at)


def _moment(event: QKeyEvent) -> float:
    """Milliseconds by the window system's clock, or by ours for an event that has no time."""
    return event.timestamp() or 1000 * time.monotonic()
