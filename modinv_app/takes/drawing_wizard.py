"""A canvas on which one digit after the other is drawn."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent
from PySide6.QtWidgets import QPushButton, QWidget

from modinv_app.common.canvas import Canvas, Sheet
from modinv_app.common.icons import IconButton
from modinv_app.common.layouts import column, row

_REST_MS = 1000  # a pen that rests so long has finished its digit


class DrawingWizard(QWidget):
    """The canvas; a drawing is taken when the pen rests for a second, or by Next or Return.

    Signals
    -------
    drawn(object, str)
        A drawing: ``(112, 112)`` uint8 with ink 255 on 0; and the name of the device.
    """

    drawn = Signal(object, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.canvas = Canvas()
        self._rest = QTimer(self, interval=_REST_MS, singleShot=True)
        self._rest.timeout.connect(self.take)
        self.canvas.changed.connect(self._rest.stop)
        self.canvas.pen_lifted.connect(self._rest.start)
        self.canvas.history_changed.connect(self._enable)
        self._undo = IconButton("undo", "Undo a stroke")
        self._undo.clicked.connect(self.canvas.undo)
        self._clear = IconButton("clear", "Clear the canvas")
        self._clear.clicked.connect(self.canvas.clear)
        self.next = QPushButton("Next")
        self.next.setToolTip("Keep this drawing and go on (Return); it happens by itself when the pen rests")
        self.next.clicked.connect(self.take)
        column((self.canvas, 1), row(self._undo, self._clear, None, self.next), parent=self, spacing=6)
        self.setFocusProxy(self.canvas)
        self._enable()

    def take(self) -> None:
        """Take the drawing, and clear the canvas for the next one."""
        self._rest.stop()
        if self.canvas.sheet.strokes:
            pixels, device = self.canvas.raster(), self.canvas.device_name
            self.canvas.set_sheet(Sheet())
            self.drawn.emit(pixels, device)

    def _enable(self) -> None:
        drawn = bool(self.canvas.sheet.strokes)
        for button in (self._undo, self._clear, self.next):
            button.setEnabled(drawn)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.take()
        else:
            super().keyPressEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._rest.stop()
