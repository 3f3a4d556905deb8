"""Restores the geometry of windows and splitters, robust against damaged settings."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QRect, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QSplitter, QWidget

_WIDTH, _HEIGHT = 200, 100  # pixels of a window that have to be visible on a screen


def restore_geometry(window: QWidget, geometry: QByteArray) -> None:
    """Restore the position and size of a window, unless it would be off the screen."""
    size = window.size()
    if not window.restoreGeometry(geometry):
        return
    seen = [screen.availableGeometry() & window.geometry() for screen in QGuiApplication.screens()]
    if not any(part.width() >= _WIDTH and part.height() >= _HEIGHT for part in seen):
        window.setWindowState(Qt.WindowState.WindowNoState)
        place = QRect(QGuiApplication.primaryScreen().availableGeometry().topLeft(), size)
        place.moveCenter(QGuiApplication.primaryScreen().availableGeometry().center())
        window.setGeometry(place)


def restore_sizes(splitter: QSplitter, state: QByteArray) -> None:
    """Restore the sizes of a splitter's parts, and nothing else that its state contains."""
    orientation, handle, sizes = splitter.orientation(), splitter.handleWidth(), splitter.sizes()
    collapsible, opaque = splitter.childrenCollapsible(), splitter.opaqueResize()
    if not splitter.restoreState(state):
        return
    splitter.setOrientation(orientation)
    splitter.setHandleWidth(handle)
    splitter.setChildrenCollapsible(collapsible)
    splitter.setOpaqueResize(opaque)
    # Valid sizes are kept as they are: before the window is shown, they are those of the former window.
    if min(splitter.sizes(), default=0) <= 0:
        splitter.setSizes(sizes)
