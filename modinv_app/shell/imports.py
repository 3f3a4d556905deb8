"""Imports what is needed later in the background, in small steps that don't block the window."""

from __future__ import annotations

import importlib
import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication

from model import systems
from modinv_app.common.page import PageInfo
from modinv_app.jobs.executor import SerialExecutor

log = logging.getLogger(__name__)

_PAUSE_MS = 10  # between two steps, so that events are processed

_MAP = ("pyqtgraph", "modinv_app.map.map_plot")
_WITHOUT_QT = ("model.data.segmentation", "scipy.special")
"""The slowest imports of a photo and of the pages, for finding the digit and for the intervals of a sweep."""


class Imports(QObject):
    """Imports modules that use Qt in the GUI thread, others in a thread.

    PySide creates its classes on first access, which is not thread-safe: with pyqtgraph imported in a thread, one start
    in ten crashed.

    Signals
    -------
    map_imported()
        The map can be shown at once.
    """

    map_imported = Signal()

    def __init__(self, parent: QObject, pages: Sequence[PageInfo]) -> None:
        super().__init__(parent)
        self._pages = pages
        self._steps: deque[Callable[[], object]] = deque()
        self._executor = SerialExecutor("imports", self)
        self._timer = QTimer(self, interval=_PAUSE_MS)
        self._timer.timeout.connect(self._run_step)

    def prepare_map(self) -> None:
        """Import the map and pyqtgraph, which accesses all classes of PySide."""
        self._add(partial(_make_classes, module) for module in (QtCore, QtGui, QtWidgets))
        self._add(partial(importlib.import_module, name) for name in _MAP)
        self._add([self.map_imported.emit])

    def prepare_pages(self) -> None:
        """Import the modules of the pages."""

        def prepared(_module: object) -> None:
            self._add(partial(importlib.import_module, page.module) for page in self._pages)

        self._executor.submit(_import_without_qt, prepared, _failed)

    def _add(self, steps: Iterable[Callable[[], object]]) -> None:
        self._steps.extend(steps)
        self._timer.start()

    def _run_step(self) -> None:
        if QGuiApplication.mouseButtons() != Qt.MouseButton.NoButton:
            return  # a stroke would stop for a tenth of a second
        if self._steps:
            self._steps.popleft()()
        else:
            self._timer.stop()


def _import_without_qt() -> None:
    for name in _WITHOUT_QT:
        importlib.import_module(name)
    systems.entry_points()  # listed by the forms, and slow to find


def _make_classes(module: object) -> None:
    for name in dir(module):
        getattr(module, name)


def _failed(error: Exception) -> None:
    log.error("A module can't be imported", exc_info=error)
