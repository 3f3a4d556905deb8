"""Handles signals of the system to terminate the process."""

from __future__ import annotations

import signal
import socket

from PySide6.QtCore import QObject, QSocketNotifier, Signal

_NUMBERS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)]


class SystemSignals(QObject):
    """Handles SIGTERM and SIGHUP (SIGBREAK on Windows), which would end the process at once by default.

    Python runs no handlers while Qt waits, so signal numbers are sent through a socket, which wakes Qt.

    Signals
    -------
    end_wanted()
        The system shuts down, or the terminal has closed.
    """

    end_wanted = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._receiver, self._sender = socket.socketpair()
        self._receiver.setblocking(False)
        self._sender.setblocking(False)
        self._notifier = QSocketNotifier(self._receiver.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._read)
        self._wakeup = signal.set_wakeup_fd(self._sender.fileno(), warn_on_full_buffer=False)
        self._before = {number: signal.getsignal(number) for number in _NUMBERS}
        for number, handler in self._before.items():
            if handler is not signal.SIG_IGN:  # as by nohup
                signal.signal(number, lambda *_: None)

    def close(self) -> None:
        """Restore the former handlers."""
        self._notifier.setEnabled(False)
        signal.set_wakeup_fd(self._wakeup)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._receiver.close()
        self._sender.close()

    def _read(self) -> None:
        if any(number in _NUMBERS for number in self._receiver.recv(4096)):
            self.end_wanted.emit()
