"""A canvas to draw a digit on, with mouse, pen or finger."""

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
from modinv_app.common.strokes import MetricPoint, Stroke, paint_strokes, rasterise
from modinv_app.common.theme import antialiased, is_dark, muted_text, with_alpha

PEN = 0.085  # of the canvas' side: a digit over most of it looks like the encoder's input
_STEP = 0.004  # of the canvas' side, a pixel or two: closer points are dropped
_FRAME_MS = 16
_RADIUS = 10.0
_LONGEST_HISTORY = 300
_DIMMED = 0.25  # opacity of a sheet without an answer
_COMPRESSION = Qt.ApplicationAttribute.AA_CompressHighFrequencyEvents
_ENTER_EVENTS = (QEvent.Type.Enter, QEvent.Type.TouchBegin)
_LEAVE_EVENTS = (QEvent.Type.Leave, QEvent.Type.Hide, QEvent.Type.TouchEnd, QEvent.Type.TouchCancel)
_numbers = itertools.count(1)
_WHITE, _BLACK = QColor("#fdfdfc"), QColor("#15171c")


def paper_and_ink(palette: QPalette) -> tuple[QColor, QColor]:
    """The two colours of a drawing in a widget with this palette."""
    return (_BLACK, _WHITE) if is_dark(palette) else (_WHITE, _BLACK)


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """The content of the canvas: strokes, or a picture, or nothing.

    Attributes
    ----------
    strokes
        The strokes of a drawing.
    number
        Identifies the drawing, from its first stroke on; 0 without strokes.
    picture
        Grey ``(h, w)`` of uint8.
    source
        Origin of a picture that is not the user's own; its levels are ink, 255 on 0.
    """

    strokes: tuple[Stroke, ...] = ()
    number: int = 0
    picture: npt.NDArray[np.uint8] | None = None
    source: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether there is neither a drawing nor a picture."""
        return not self.strokes and self.picture is None


class Canvas(QWidget):
    """A square canvas; drawings scale with it, and strokes are clipped to it.

    Signals
    -------
    changed()
        The content has changed; while drawing, at most once per frame.
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
        self._device: QInputDevice | None = None  # that draws; others are ignored meanwhile
        self._finger = -1
        self._drop_hint = False
        self._dimmed = False
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

    # Content

    @property
    def sheet(self) -> Sheet:
        """The content, with the stroke that is being drawn."""
        sheet = self._history[self._now]
        return Sheet((*sheet.strokes, self._stroke), self._number) if self._stroke else sheet

    @property
    def device_name(self) -> str:
        """The name of the device that drew last."""
        return self._device.name() if self._device is not None else ""

    def raster(self) -> npt.NDArray[np.uint8]:
        """The strokes as a picture for the encoder, see `rasterise`; there must be some."""
        return rasterise(self.sheet.strokes)

    def show_picture(self, picture: npt.NDArray[np.uint8]) -> None:
        """Show a grey picture ``(h, w)`` in place of the content; this can be undone."""
        self._stroke = None
        self._turn_to(Sheet(picture=picture))

    def set_sheet(self, sheet: Sheet) -> None:
        """Replace the content without ``changed``; strokes of a drawing can be undone one by one.

        A stroke that is being drawn goes on there.
        """
        if self._stroke:
            self._number = sheet.number if sheet.strokes else next(_numbers)
        self._unsent = False
        self._frame.stop()
        drawn = [Sheet(sheet.strokes[:count], sheet.number) for count in range(1, len(sheet.strokes))]
        self._history = [Sheet(), *drawn, sheet] if sheet.strokes else [sheet]
        self._now = len(self._history) - 1
        self._dimmed = False
        self._describe()
        self.update()
        self.history_changed.emit(self._now > 0, False)

    @property
    def dimmed(self) -> bool:
        """Whether the content is dimmed, because nothing else that is shown belongs to it, until it changes."""
        return self._dimmed

    @dimmed.setter
    def dimmed(self, wanted: bool) -> None:
        if not self._stroke:  # a stroke is about to become a query
            self._dimmed = wanted and not self.sheet.is_empty
            self.update()

    def clear(self) -> None:
        """Clear the canvas; this can be undone."""
        self._stroke = None
        if self._history[self._now].is_empty:
            self._go_to(self._now)  # emit, as a first stroke may have been started
        else:
            self._turn_to(Sheet())

    def undo(self) -> None:
        """Undo one stroke, picture or clearing."""
        self._go_to(self._now - 1)

    def redo(self) -> None:
        """Redo what was undone."""
        self._go_to(self._now + 1)

    def replay(self, strokes: Sequence[Sequence[MetricPoint]]) -> None:
        """Draw strokes of points in the unit square as if by pen events."""
        for points in strokes:
            for place, point in enumerate(points):
                (self._move if place else self._down)(QPointF(*point))
            self._up()

    def set_drop_hint(self, shown: bool) -> None:
        """Show whether a dragged object can be dropped here."""
        self._drop_hint = shown
        self.update()

    def _turn_to(self, sheet: Sheet, *, new: bool = True) -> None:
        self._history = [*self._history[: self._now + 1], sheet][-_LONGEST_HISTORY:]
        self._go_to(len(self._history) - 1, new=new)

    def _go_to(self, place: int, *, new: bool = True) -> None:
        """Show a sheet of the history; ``new`` unless it is already shown, with all changes but the latest sent."""
        if self._stroke or not 0 <= place < len(self._history):
            return
        self._now = place
        self._unsent |= new
        self._flush()
        self.history_changed.emit(place > 0, place + 1 < len(self._history))

    # The pen, in unit coordinates: all devices call these

    def _down(self, at: QPointF, pressure: float = 1.0) -> None:
        drawn = self._history[self._now]
        self._number = drawn.number if drawn.strokes else next(_numbers)
        self._stroke = Stroke()
        self._move(at, pressure)

    def _move(self, at: QPointF, pressure: float = 1.0) -> None:
        if self._stroke is None:
            return
        edge = 0.6 * PEN  # so that the whole width of the stroke is visible
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
        self._turn_to(drawn, new=False)  # or the drawing would be asked twice
        self.pen_lifted.emit()

    def _flush(self) -> None:
        """Emit the changes since the last frame."""
        if self._unsent:
            self._unsent = False
            self._dimmed = False
            self._describe()
            self.update()
            self.changed.emit()

    def _describe(self) -> None:
        """Describe the content for screen readers."""
        sheet = self.sheet
        words = "Draw a digit here with a mouse, a pen or a finger"
        if sheet.source:
            words = f"Shows {sheet.source}. {words}"
        if words != self.accessibleDescription():
            self.setAccessibleDescription(words)

    # Devices

    def _pen_event(self, kind: str, device: QInputDevice, at: QPointF, pressure: float = 1.0) -> None:
        """Handle an event of the device that draws; those of others are ignored."""
        paper = self.paper
        unit = QPointF((at.x() - paper.x()) / paper.width(), (at.y() - paper.y()) / paper.height())
        if kind == "down":
            if self._stroke and device.type() == QInputDevice.DeviceType.TouchScreen:
                return  # of a palm beside the pen
            self._up()  # of a device that was unplugged while drawing
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
            pressure = self._stroke.widths[-1]  # or the line would end thin
        elif event.pointingDevice().capabilities() & QInputDevice.Capability.Pressure:
            pressure = 0.6 + 0.7 * event.pressure()  # even light pressure draws a visible line
        self._pen_event(kind, event.device(), event.position(), pressure)
        event.accept()

    def event(self, event: QEvent) -> bool:
        taken = self._touch_event(event) if isinstance(event, QTouchEvent) else super().event(event)
        # Qt merges moves that a busy window has not read yet, which would cut corners: not while over the canvas.
        if event.type() in _ENTER_EVENTS:
            QCoreApplication.setAttribute(_COMPRESSION, False)
        elif event.type() in _LEAVE_EVENTS:
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

    # Painting

    def sizeHint(self) -> QSize:
        return QSize(280, 280)

    def minimumSizeHint(self) -> QSize:
        return QSize(140, 140)

    @property
    def paper(self) -> QRectF:
        """The square on which one draws, in pixels."""
        side = min(self.width(), self.height())
        return QRectF((self.width() - side) / 2, (self.height() - side) / 2, side, side)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        palette = self.palette()
        paper_colour, ink_colour = paper_and_ink(palette)
        painter = antialiased(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        lit = self.hasFocus() or self._drop_hint
        painter.setPen(QPen(palette.highlight() if lit else palette.mid(), 2 if lit else 1))
        painter.setBrush(paper_colour)
        paper = self.paper.adjusted(1, 1, -1, -1)
        painter.drawRoundedRect(paper, _RADIUS, _RADIUS)
        sheet = self.sheet
        painter.setOpacity(_DIMMED if self._dimmed and not self._drop_hint else 1)
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
            paint_strokes(painter, sheet.strokes, PEN, self.paper.width(), self.paper.topLeft())

    def _write(self, painter: QPainter, paper: QRectF, words: str) -> None:
        font = self.font()
        font.setPointSizeF(1.5 * font.pointSizeF())
        painter.setFont(font)
        painter.setPen(with_alpha(self.palette().text().color(), 0.35))
        painter.drawText(paper, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, words)

    def _paint_picture(self, painter: QPainter, paper: QRectF, picture: npt.NDArray[np.uint8]) -> None:
        image = grey_image(picture)
        room = paper.adjusted(8, 8, -8, -8)
        size = QRectF(image.rect()).size().scaled(room.size(), Qt.AspectRatioMode.KeepAspectRatio)
        place = QRectF(room.center() - QPointF(size.width() / 2, size.height() / 2), size)
        painter.drawImage(place, image)

    def _paint_ink(self, painter: QPainter, paper: QRectF, levels: npt.NDArray[np.uint8], source: str) -> None:
        """Paint a picture that is not the user's own, and its source below."""
        line = painter.fontMetrics().height()
        side = paper.height() - line - 12
        room = QRectF(paper.center().x() - side / 2, paper.top() + 4, side, side)
        painter.drawImage(room, ink_image(levels, *paper_and_ink(self.palette())))
        painter.setPen(muted_text(self.palette()))
        below = paper.adjusted(10, 8, -10, -8)
        words = painter.fontMetrics().elidedText(source, Qt.TextElideMode.ElideRight, round(below.width()))
        painter.drawText(below, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom, words)
