"""A sheet to draw a digit on, with mouse, pen or finger."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QCoreApplication, QEvent, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QEventPoint,
    QInputDevice,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QTabletEvent,
    QTouchEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from modinv_app.common.pictures import grey_image, ink_image
from modinv_app.common.theme import is_dark, muted_text
from modinv_app.explore.strokes import MetricPoint, Stroke, paint_strokes, rasterise

_PEN = 0.085  # of the canvas' side: a digit drawn over most of it looks as it will to the encoder
_STEP = 0.004  # a pixel or two: a mouse that tells of more a thousand times a second need not be believed
_FRAME_MS = 16
_RADIUS = 10.0
_LONGEST_HISTORY = 300
_RESTING = 0.25  # opacity of what has no answer
_COMPRESSION = Qt.ApplicationAttribute.AA_CompressHighFrequencyEvents
_ARRIVALS = (QEvent.Type.Enter, QEvent.Type.TouchBegin)
_DEPARTURES = (QEvent.Type.Leave, QEvent.Type.Hide, QEvent.Type.TouchEnd, QEvent.Type.TouchCancel)
_numbers = itertools.count(1)
_DAY, _NIGHT = QColor("#fdfdfc"), QColor("#15171c")


def paper_and_ink(palette: QPalette) -> tuple[QColor, QColor]:
    """The two colours of a drawing in a widget with this palette."""
    return (_NIGHT, _DAY) if is_dark(palette) else (_DAY, _NIGHT)


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """What lies on the canvas at one time: strokes, or a picture, or nothing.

    Attributes
    ----------
    strokes
        Of a drawing.
    number
        The same for every state of one drawing, from its first stroke on; 0 without strokes.
    picture
        Grey ``(h, w)`` of uint8.
    source
        Where a picture comes from that is not the user's own; its levels are ink, 255 on 0.
    """

    strokes: tuple[Stroke, ...] = ()
    number: int = 0
    picture: npt.NDArray[np.uint8] | None = None
    source: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing lies on it."""
        return not self.strokes and self.picture is None


class Canvas(QWidget):
    """A square sheet of paper; what is drawn scales with it, and the pen cannot leave it.

    Signals
    -------
    changed()
        Another drawing or picture lies on it, or none; while drawing, at most once a frame.
    pen_lifted()
        A stroke is finished, and its last ``changed`` has been sent.
    history_changed(bool, bool)
        Whether something can be undone, and redone.
    """

    changed = Signal()
    pen_lifted = Signal()
    history_changed = Signal(bool, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._history = [Sheet()]
        self._now = 0
        self._stroke: Stroke | None = None
        self._device: QInputDevice | None = None  # the one that draws; others wait until it is lifted
        self._finger = -1
        self._drop_hint = False
        self._resting = False
        self._number = 0  # of the drawing whose stroke is being drawn
        self._compressed = QCoreApplication.testAttribute(_COMPRESSION)  # as the platform has it
        self._frame = QTimer(self, interval=_FRAME_MS, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._frame.timeout.connect(self._flush)
        self._unsent = False

        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_AcceptTouchEvents)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setAccessibleName("Canvas")
        self._describe()

    # -- what lies on it

    @property
    def sheet(self) -> Sheet:
        """What lies on the canvas now, with the stroke that is being drawn."""
        sheet = self._history[self._now]
        return Sheet((*sheet.strokes, self._stroke), self._number) if self._stroke else sheet

    def raster(self) -> npt.NDArray[np.uint8]:
        """The strokes as the encoder shall get them, see `rasterise`; there must be some."""
        return rasterise(self.sheet.strokes)

    def show_picture(self, picture: npt.NDArray[np.uint8]) -> None:
        """Lay a grey picture ``(h, w)`` on the canvas in place of what is there; it can be undone."""
        self._stroke = None
        self._turn_to(Sheet(picture=picture))

    def lay(self, sheet: Sheet) -> None:
        """Let this lie on the canvas instead, telling nobody; of a drawing the strokes can be undone one by one."""
        self._stroke = None
        self._unsent = False
        self._frame.stop()
        drawn = [Sheet(sheet.strokes[:count], sheet.number) for count in range(1, len(sheet.strokes))]
        self._history = [Sheet(), *drawn, sheet] if sheet.strokes else [sheet]
        self._now = len(self._history) - 1
        self._resting = False
        self._describe()
        self.update()
        self.history_changed.emit(self._now > 0, False)

    @property
    def resting(self) -> bool:
        """Whether what lies here is dimmed."""
        return self._resting

    @resting.setter
    def resting(self, wanted: bool) -> None:
        """Dim what lies here until it is changed, for nothing that shows elsewhere belongs to it; or don't."""
        if not self._stroke:  # who draws is about to ask
            self._resting = wanted and not self.sheet.is_empty
            self.update()

    def clear(self) -> None:
        """Take everything off; it can be undone."""
        self._stroke = None
        if self._history[self._now].is_empty:
            self._go_to(self._now)  # a first stroke may have been begun
        else:
            self._turn_to(Sheet())

    def undo(self) -> None:
        """Go one stroke, picture or clearing back."""
        self._go_to(self._now - 1)

    def redo(self) -> None:
        """Take an undoing back."""
        self._go_to(self._now + 1)

    def replay(self, strokes: Sequence[Sequence[MetricPoint]]) -> None:
        """Draw strokes of points in the unit square as if a pen did."""
        for points in strokes:
            for place, point in enumerate(points):
                (self._move if place else self._down)(QPointF(*point))
            self._up()

    def set_drop_hint(self, shown: bool) -> None:
        """Show, or not, that what is being dragged can be dropped here."""
        self._drop_hint = shown
        self.update()

    def _turn_to(self, sheet: Sheet) -> None:
        self._history = [*self._history[: self._now + 1], sheet][-_LONGEST_HISTORY:]
        self._go_to(len(self._history) - 1)

    def _go_to(self, place: int) -> None:
        if self._stroke or not 0 <= place < len(self._history):
            return
        self._now = place
        self._unsent = True
        self._flush()
        self.history_changed.emit(place > 0, place + 1 < len(self._history))

    # -- the pen: every device ends up in these three, in unit coordinates

    def _down(self, at: QPointF, pressure: float = 1.0) -> None:
        drawn = self._history[self._now]
        self._number = drawn.number if drawn.strokes else next(_numbers)
        self._stroke = Stroke()
        self._move(at, pressure)

    def _move(self, at: QPointF, pressure: float = 1.0) -> None:
        if self._stroke is None:
            return
        edge = 0.6 * _PEN  # there the stroke stays whole
        point = (min(max(at.x(), edge), 1 - edge), min(max(at.y(), edge), 1 - edge))
        if self._stroke.points and math.dist(self._stroke.points[-1], point) < _STEP:
            return
        self._stroke.points.append(point)
        self._stroke.widths.append(pressure)
        self._unsent = True
        if not self._frame.isActive():
            self._flush()
            self._frame.start()

    def _up(self) -> None:
        if self._stroke is None:
            return
        drawn = self.sheet
        self._stroke = None
        self._frame.stop()
        self._turn_to(drawn)
        self.pen_lifted.emit()

    def _flush(self) -> None:
        """Tell of what has changed since the last frame."""
        if self._unsent:
            self._unsent = False
            self._resting = False
            self._describe()
            self.update()
            self.changed.emit()

    def _describe(self) -> None:
        """Say to whoever listens to the screen what lies here."""
        sheet = self.sheet
        words = "Draw a digit here with a mouse, a pen or a finger"
        if sheet.source:
            words = f"Shows {sheet.source}. {words}"
        if words != self.accessibleDescription():
            self.setAccessibleDescription(words)

    # -- devices

    def _pen_event(self, kind: str, device: QInputDevice, at: QPointF, pressure: float = 1.0) -> None:
        """Take an event of whatever device draws; the others wait until it is lifted."""
        paper = self._paper()
        unit = QPointF((at.x() - paper.x()) / paper.width(), (at.y() - paper.y()) / paper.height())
        if kind == "down":
            if self._stroke and device.type() == QInputDevice.DeviceType.TouchScreen:
                return  # the palm beside the pen
            self._up()  # of a device that was unplugged while it drew
            self._device = device
            self._down(unit, pressure)
        elif device == self._device:
            self._move(unit, pressure)
            if kind == "up":
                self._up()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._pen_event("down", event.device(), event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._pen_event("move", event.device(), event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._pen_event("up", event.device(), event.position())

    def tabletEvent(self, event: QTabletEvent) -> None:
        kinds = {QEvent.Type.TabletPress: "down", QEvent.Type.TabletRelease: "up"}
        kind = kinds.get(event.type(), "move")
        pressure = 1.0
        if kind == "up" and self._stroke:
            pressure = self._stroke.widths[-1]  # lifting must not end the line in a hair
        elif event.pointingDevice().capabilities() & QInputDevice.Capability.Pressure:
            pressure = 0.6 + 0.7 * event.pressure()  # a light hand still draws a line that can be seen
        self._pen_event(kind, event.device(), event.position(), pressure)
        event.accept()

    def event(self, event: QEvent) -> bool:
        taken = self._touch_event(event) if isinstance(event, QTouchEvent) else super().event(event)
        # Moves that a busy window has not read yet would be one move to the last of them, and corners would be lost.
        # Elsewhere they had better be, and the pen comes here before it draws.
        if event.type() in _ARRIVALS:
            QCoreApplication.setAttribute(_COMPRESSION, False)
        elif event.type() in _DEPARTURES:
            QCoreApplication.setAttribute(
                _COMPRESSION, self._compressed and not (self.isVisible() and self.underMouse())
            )
        return taken

    def _touch_event(self, event: QTouchEvent) -> bool:
        if event.device().type() != QInputDevice.DeviceType.TouchScreen:
            return super().event(event)  # a touch pad already moves the mouse
        kinds = {
            QEventPoint.State.Pressed: "down",
            QEventPoint.State.Updated: "move",
            QEventPoint.State.Released: "up",
        }
        for point in event.points():
            kind = kinds.get(point.state())
            if kind == "down" and not self._stroke:
                self._finger = point.id()
            if kind and point.id() == self._finger:
                self._pen_event(kind, event.device(), point.position())
        if event.type() == QEvent.Type.TouchCancel and event.device() == self._device:
            self._up()
        event.accept()
        return True

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Undo):
            self.undo()
        elif event.matches(QKeySequence.StandardKey.Redo):
            self.redo()
        elif event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.clear()
        else:
            super().keyPressEvent(event)

    # -- looks

    def sizeHint(self) -> QSize:
        return QSize(280, 280)

    def minimumSizeHint(self) -> QSize:
        return QSize(140, 140)

    def _paper(self) -> QRectF:
        side = min(self.width(), self.height())
        return QRectF((self.width() - side) / 2, (self.height() - side) / 2, side, side)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        palette = self.palette()
        paper_colour, ink_colour = paper_and_ink(palette)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        lit = self.hasFocus() or self._drop_hint
        painter.setPen(QPen(palette.highlight() if lit else palette.mid(), 2 if lit else 1))
        painter.setBrush(paper_colour)
        paper = self._paper().adjusted(1, 1, -1, -1)
        painter.drawRoundedRect(paper, _RADIUS, _RADIUS)
        sheet = self.sheet
        painter.setOpacity(_RESTING if self._resting and not self._drop_hint else 1)
        if self._drop_hint:
            self._write(painter, paper, "Drop a picture of a digit")
        elif sheet.is_empty:
            self._write(painter, paper, "Draw a digit")
        elif sheet.picture is not None:
            if sheet.source:
                self._paint_ink(painter, paper, sheet.picture, sheet.source)
            else:
                self._paint_picture(painter, paper, sheet.picture)
        else:
            painter.setPen(ink_colour)
            paint_strokes(painter, sheet.strokes, _PEN, self._paper().width(), self._paper().topLeft())

    def _write(self, painter: QPainter, paper: QRectF, words: str) -> None:
        colour = self.palette().text().color()
        colour.setAlphaF(0.35)
        font = self.font()
        font.setPointSizeF(1.5 * font.pointSizeF())
        painter.setFont(font)
        painter.setPen(colour)
        painter.drawText(paper, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, words)

    def _paint_picture(self, painter: QPainter, paper: QRectF, picture: npt.NDArray[np.uint8]) -> None:
        image = grey_image(picture)
        room = paper.adjusted(8, 8, -8, -8)
        size = QRectF(image.rect()).size().scaled(room.size(), Qt.AspectRatioMode.KeepAspectRatio)
        place = QRectF(room.center() - QPointF(size.width() / 2, size.height() / 2), size)
        painter.drawImage(place, image)

    def _paint_ink(self, painter: QPainter, paper: QRectF, levels: npt.NDArray[np.uint8], source: str) -> None:
        """A picture that is not the user's own, and below it where it comes from."""
        line = painter.fontMetrics().height()
        side = paper.height() - line - 12
        room = QRectF(paper.center().x() - side / 2, paper.top() + 4, side, side)
        painter.drawImage(room, ink_image(levels, *paper_and_ink(self.palette())))
        painter.setPen(muted_text(self.palette()))
        below = paper.adjusted(10, 8, -10, -8)
        words = painter.fontMetrics().elidedText(source, Qt.TextElideMode.ElideRight, round(below.width()))
        painter.drawText(below, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom, words)
