"""What all lists of matches, pairs and runs have in common."""

from __future__ import annotations

from PySide6.QtCore import QElapsedTimer, QEvent, QModelIndex, QPersistentModelIndex, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPalette, QPen
from PySide6.QtWidgets import QFrame, QListView, QStyle, QStyleOptionViewItem

from modinv_app.common.theme import with_alpha

AnyIndex = QModelIndex | QPersistentModelIndex
ROOT = QModelIndex()

_FRAME_MS = 50


class ItemView(QListView):
    """A list without a frame, whose items are all of one size and painted by a delegate."""

    def __init__(self) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.viewport().setAutoFillBackground(False)
        self.setMouseTracking(True)
        self.setUniformItemSizes(True)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)


class EditableView(ItemView):
    """An `ItemView` whose items can be renamed and deleted by key.

    Signals
    -------
    delete_wanted()
        Delete or Backspace was pressed.
    """

    delete_wanted = Signal()

    def event(self, event: QEvent) -> bool:
        """Accept Delete and F2 before shortcuts of the window do."""
        wanted = (Qt.Key.Key_Delete, Qt.Key.Key_Backspace, Qt.Key.Key_F2)
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() in wanted:
            event.accept()
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.delete_wanted.emit()
        else:
            super().keyPressEvent(event)


class PlayingView(ItemView):
    """An `ItemView` in which the item that plays is animated; a subclass paints each frame in ``_animate``."""

    def __init__(self) -> None:
        super().__init__()
        self._clock = QElapsedTimer()
        self._frames = QTimer(self, interval=_FRAME_MS)
        self._frames.timeout.connect(lambda: self._animate(self._clock.elapsed() / 1000))

    def _set_animated(self, animated: bool) -> None:
        if animated:
            self._clock.start()
            self._frames.start()
        else:
            self._frames.stop()

    def _animate(self, seconds: float) -> None:
        """Paint the playing item, ``seconds`` after it has begun to play."""
        raise NotImplementedError


def paint_item_background(painter: QPainter, option: QStyleOptionViewItem, rect: QRectF, *, focused: bool) -> None:
    """Paint whether an item is selected, under the pointer, or has the keyboard focus."""
    highlight = option.palette.color(QPalette.ColorRole.Highlight)
    painter.setPen(QPen(highlight, 1.5) if focused else Qt.PenStyle.NoPen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if option.state & QStyle.StateFlag.State_Selected:
        painter.setBrush(with_alpha(highlight, 0.28))
    elif option.state & QStyle.StateFlag.State_MouseOver:
        painter.setBrush(with_alpha(option.palette.color(QPalette.ColorRole.Text), 0.07))
    painter.drawRoundedRect(rect, 5, 5)
