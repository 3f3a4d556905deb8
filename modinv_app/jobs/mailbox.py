"""Lets any thread have functions called in the GUI thread, without using Qt there."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from queue import Empty, SimpleQueue

from PySide6.QtCore import QCoreApplication, QSocketNotifier
from shiboken6 import isValid

Call = Callable[[], object]


class Mailbox:
    """A queue of calls, from any thread, that the GUI thread makes in order.

    PySide crashes if a thread emits a signal while another destroys its object, which no check can prevent. So threads
    only put a call into a queue and a byte into a socket, which wakes the GUI thread.
    """

    def __init__(self) -> None:
        self._calls: SimpleQueue[Call] = SimpleQueue()
        self._receiver, self._sender = socket.socketpair()
        for end in (self._receiver, self._sender):
            end.setblocking(False)
        self._notifier = QSocketNotifier(
            self._receiver.fileno(), QSocketNotifier.Type.Read, QCoreApplication.instance()
        )
        self._notifier.activated.connect(self._make_call)

    @property
    def usable(self) -> bool:
        """Whether its application still exists."""
        return isValid(self._notifier)

    def post(self, call: Call) -> None:
        """Have the GUI thread make a call; returns at once, in any thread."""
        self._calls.put(call)
        self._wake()

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError):  # the socket is full: the GUI thread will wake anyway
            self._sender.send(b"\0")

    def _make_call(self) -> None:
        """Make one call; the next is made in the next iteration of the event loop, perhaps a nested one."""
        with contextlib.suppress(BlockingIOError):  # a nested event loop has read it already
            self._receiver.recv(4096)  # before the queue is read: later calls wake again
        try:
            call = self._calls.get_nowait()
        except Empty:
            return
        if not self._calls.empty():
            self._wake()
        call()


_mailbox: Mailbox | None = None


def mailbox() -> Mailbox:
    """The application's mailbox. Call this in the GUI thread, and pass ``post`` to other threads."""
    global _mailbox  # one per application
    if _mailbox is None or not _mailbox.usable:
        _mailbox = Mailbox()
    return _mailbox
