"""How other threads reach the GUI thread: they leave calls, and touch nothing that belongs to Qt."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from queue import Empty, SimpleQueue

from PySide6.QtCore import QCoreApplication, QSocketNotifier
from shiboken6 import isValid

Call = Callable[[], object]


class Mailbox:
    """Calls that any thread asks for and the GUI thread makes, in order.

    A signal that one thread emits while another one destroys its object crashes PySide, and no check before the
    emission can prevent that. So a thread only puts a call into a queue and a byte into a socket; the GUI thread, woken
    by the socket, does everything that has to do with Qt.
    """

    def __init__(self) -> None:
        self._calls: SimpleQueue[Call] = SimpleQueue()
        self._bell, self._rope = socket.socketpair()
        for end in (self._bell, self._rope):
            end.setblocking(False)
        self._notifier = QSocketNotifier(self._bell.fileno(), QSocketNotifier.Type.Read, QCoreApplication.instance())
        self._notifier.activated.connect(self._deliver)

    @property
    def usable(self) -> bool:
        """Whether the application that it was made for is still there."""
        return isValid(self._notifier)

    def post(self, call: Call) -> None:
        """Have ``call()`` made by the GUI thread; any thread may ask, and doesn't wait."""
        self._calls.put(call)
        self._ring()

    def _ring(self) -> None:
        with contextlib.suppress(BlockingIOError):  # as many bytes as fit wait already: it rings
            self._rope.send(b"\0")

    def _deliver(self) -> None:
        """Make one call. The next comes with the next turn of the event loop, be that one which this call runs."""
        with contextlib.suppress(BlockingIOError):  # an event loop within a call has answered this one already
            self._bell.recv(4096)  # before the queue is looked at: what comes later rings again
        try:
            call = self._calls.get_nowait()
        except Empty:
            return
        if not self._calls.empty():
            self._ring()
        call()


_mailbox: Mailbox | None = None


def mailbox() -> Mailbox:
    """The application's mailbox. Call this in the GUI thread, and give its ``post`` to other threads."""
    global _mailbox  # one for the application, like the application itself
    if _mailbox is None or not _mailbox.usable:
        _mailbox = Mailbox()
    return _mailbox
