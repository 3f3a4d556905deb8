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
    more_wanted()
        All takes are there, and the user wants to draw more.
    drawn(object, str)
        A drawing: ``(112, 112)`` uint8 with ink 255 on 0; and the name of the device.
    """

    more_wanted = Signal()
    drawn = Signal(object, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._done = False
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
        self.next = QPushButton()
        self.next.clicked.connect(self._next)
        column((self.canvas, 1), row(self._undo, self._clear, None, self.next), parent=self, spacing=6)
        self.setFocusProxy(self.canvas)
        self.show_done(False)

    def show_done(self, done: bool) -> None:
        """Show whether all takes are there: then nothing is drawn before more are wanted."""
        self._done = done
        self.canvas.setEnabled(not done)
        self.next.setText("Another ten rounds" if done else "Next")
        tip = "Keep this drawing and go on (Return); it happens by itself when the pen rests"
        self.next.setToolTip("" if done else tip)
        self._enable()

    def take(self) -> None:
        """Take the drawing, and clear the canvas for the next one."""
        self._rest.stop()
        if self.canvas.sheet.strokes:
            pixels, device = self.canvas.raster(), self.canvas.device_name
            self.canvas.set_sheet(Sheet())
            self.drawn.emit(pixels, device)

    def _next(self) -> None:
        if self._done:
            self.more_wanted.emit()
        else:
            self.take()

    def _enable(self) -> None:
        drawn = bool(self.canvas.sheet.strokes)
        self._undo.setEnabled(drawn)
        self._clear.setEnabled(drawn)
        self.next.setEnabled(drawn or self._done)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.take()
        else:
            super().keyPressEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._rest.stop()
