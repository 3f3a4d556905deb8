"""What the window needs later is imported behind it, a piece at a time: together it would be felt."""

from __future__ import annotations

import importlib
import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import QObject, QTimer

from model import systems
from modinv_app.common.page import PageInfo
from modinv_app.jobs.executor import SerialExecutor

log = logging.getLogger(__name__)

_PAUSE_MS = 10  # between two pieces, for what a person does meanwhile

_MAP = ("pyqtgraph", "modinv_app.map.map_plot")
_WITHOUT_QT = "scipy.special"
"""The largest part of the pages: the intervals of a sweep need it."""


class Imports(QObject):
    """Imports in the GUI thread whatever has to do with Qt.

    PySide makes its classes when they are first asked for, and isn't made for two threads that ask: while one imported
    pyqtgraph and the other painted, one start in ten crashed. Only modules that don't know Qt are imported elsewhere.
    """

    def __init__(self, parent: QObject, pages: Sequence[PageInfo]) -> None:
        super().__init__(parent)
        self._pages = pages
        self._pieces: deque[Callable[[], object]] = deque()
        self._lane = SerialExecutor("imports", self)
        self._timer = QTimer(self, interval=_PAUSE_MS)
        self._timer.timeout.connect(self._go_on)

    def prepare_map(self) -> None:
        """Import the map, and pyqtgraph for it; that one asks PySide for all its classes, a third of the time."""
        self._add(partial(_make_classes, module) for module in (QtCore, QtGui, QtWidgets))
        self._add(partial(importlib.import_module, name) for name in _MAP)

    def prepare_pages(self) -> None:
        """Import the modules of the pages."""

        def prepared(_module: object) -> None:
            self._add(partial(importlib.import_module, page.module) for page in self._pages)

        self._lane.submit(_import_without_qt, prepared, _failed)

    def _add(self, pieces: Iterable[Callable[[], object]]) -> None:
        self._pieces.extend(pieces)
        self._timer.start()

    def _go_on(self) -> None:
        if self._pieces:
            self._pieces.popleft()()
        else:
            self._timer.stop()


def _import_without_qt() -> None:
    importlib.import_module(_WITHOUT_QT)
    systems.entry_points()  # the forms list them; to look for them takes a moment


def _make_classes(module: object) -> None:
    for name in dir(module):
        getattr(module, name)


def _failed(error: Exception) -> None:
    log.error("A module can't be imported", exc_info=error)
