"""Garbage is collected in the GUI thread alone, and never so much of it that the window stops."""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

_EVERY_MS = 1000


class GarbageCollection(QObject):
    """Takes the place of Python's automatic collection.

    That one runs in whichever thread happens to allocate. In the model's thread it would destroy widgets that hang in
    reference cycles, which Qt allows in the GUI thread only. It would also look through all that torch and Qt have
    imported, which stops the window for 0.2 s a time.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self, interval=_EVERY_MS)
        self._timer.timeout.connect(self._collect)

    def start(self) -> None:
        """Collect from now on, but not among what is there already: it is there to stay."""
        gc.freeze()
        self._timer.start()

    def _collect(self) -> None:
        """Collect the oldest generation whose turn has come, which collects the younger ones, too."""
        turns = zip(gc.get_count(), gc.get_threshold(), strict=True)
        due = [generation for generation, (count, threshold) in enumerate(turns) if count > threshold]
        if due:
            gc.collect(due[-1])
