"""Garbage collection in the GUI thread only, without long pauses."""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

_EVERY_MS = 1000


class GarbageCollection(QObject):
    """Replaces Python's automatic garbage collection.

    Automatic collection runs in any thread that allocates, where it may destroy widgets in reference cycles, which Qt
    allows in the GUI thread only. It also traverses everything that torch and Qt have imported, which blocks the window
    for 0.2 s.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self, interval=_EVERY_MS)
        self._timer.timeout.connect(self._collect)

    def start(self) -> None:
        """Collect from now on, except the objects that exist already, which are permanent.

        Once: each model that is loaded calls this, and what belonged to the former one is not permanent.
        """
        if not self._timer.isActive():
            gc.freeze()
            self._timer.start()

    def _collect(self) -> None:
        """Collect the oldest generation that is due, which includes the younger ones."""
        turns = zip(gc.get_count(), gc.get_threshold(), strict=True)
        due = [generation for generation, (count, threshold) in enumerate(turns) if count > threshold]
        if due:
            gc.collect(due[-1])
