"""The system's wish that the process ends, heard in the GUI thread."""

from __future__ import annotations

import signal
import socket

from PySide6.QtCore import QObject, QSocketNotifier, Signal

_NUMBERS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)]


class SystemSignals(QObject):
    """Listens for SIGTERM and SIGHUP (SIGBREAK on Windows), whose default would be to drop everything.

    While Qt waits, no handler of Python's runs: the signal's number arrives through a socket, which wakes Qt.

    Signals
    -------
    end_wanted()
        The system shuts down, or the terminal has closed.
    """

    end_wanted = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._ours, self._theirs = socket.socketpair()
        self._ours.setblocking(False)
        self._theirs.setblocking(False)
        self._notifier = QSocketNotifier(self._ours.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._read)
        self._wakeup = signal.set_wakeup_fd(self._theirs.fileno(), warn_on_full_buffer=False)
        self._before = {number: signal.getsignal(number) for number in _NUMBERS}
        for number, handler in self._before.items():
            if handler is not signal.SIG_IGN:  # as by nohup
                signal.signal(number, lambda *_: None)

    def close(self) -> None:
        """Listen no longer."""
        self._notifier.setEnabled(False)
        signal.set_wakeup_fd(self._wakeup)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._ours.close()
        self._theirs.close()

    def _read(self) -> None:
        if any(number in _NUMBERS for number in self._ours.recv(4096)):
            self.end_wanted.emit()
