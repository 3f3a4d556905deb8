"""A slider with labelled marks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPalette, QPen, QWheelEvent
from PySide6.QtWidgets import QAbstractSlider, QSizePolicy

from modinv_app.common.theme import accent, antialiased, muted_text, with_alpha

TICKS = 7000
"""Positions of a scale: 1000 from one of the paper's eight values of lambda_IG to the next."""

_FINE = 100
_MAGNET = 6.0  # pixels within which the pointer snaps to a mark
_HANDLE = 8.0  # radius
_KEYS = {
    Qt.Key.Key_Left: -1,
    Qt.Key.Key_Down: -1,
    Qt.Key.Key_PageDown: -1,
    Qt.Key.Key_Right: 1,
    Qt.Key.Key_Up: 1,
    Qt.Key.Key_PageUp: 1,
}


@dataclass(frozen=True, slots=True)
class Mark:
    """A marked position of a scale, from 0 (left) to 1 (right), its value, and its name below the scale."""

    place: float
    value: float
    name: str


class MarkedScale(QAbstractSlider):
    """A slider with labelled marks, which the pointer snaps to; keyboards and screen readers see a slider.

    Parameters
    ----------
    name, help
        What it chooses, for screen readers and as a tool tip.
    value_at
        The value at a place between marks, from 0 to 1.
    dotted_below
        The place below which the groove is dotted.
    """

    def __init__(self, name: str, help: str, value_at: Callable[[float], float], dotted_below: float = 0.0) -> None:
        super().__init__()
        self._value_at = value_at
        self._dotted_below = round(dotted_below * TICKS)
        self._marks: dict[int, Mark] = {}
        self.setOrientation(Qt.Orientation.Horizontal)
        self.setRange(0, TICKS)
        self.setSingleStep(_FINE // 2)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(name)
        self.setToolTip(f"{help}: drag, or use the arrow keys\n(with Shift in small steps, Home and End to the ends)")

    def set_marks(self, marks: Sequence[Mark]) -> None:
        """Set the marks, of which there must be one at least before the user can reach the scale."""
        self._marks = {round(mark.place * TICKS): mark for mark in marks}
        self.update()

    @property
    def chosen(self) -> float:
        """The value at the handle: a mark exactly, between marks to three digits."""
        position = self.value()
        mark = self._marks.get(position)
        return mark.value if mark else self._value_at(position / TICKS)

    def step(self, marks: int) -> None:
        """Move to the next mark (1) or to the previous one (-1)."""
        beyond = [at for at in self._marks if (at > self.value() if marks > 0 else at < self.value())]
        if beyond:
            self.setValue(min(beyond) if marks > 0 else max(beyond))

    def sizeHint(self) -> QSize:
        width = self.fontMetrics().horizontalAdvance("8.88e-8")
        return QSize(9 * width, round(2 * _HANDLE) + 12 + self.fontMetrics().height())

    def minimumSizeHint(self) -> QSize:
        return QSize(self.sizeHint().width() // 3, self.sizeHint().height())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move from mark to mark by arrow keys, with Shift in small steps; the rest as in any slider."""
        direction = _KEYS.get(Qt.Key(event.key()))
        if direction is None:
            super().keyPressEvent(event)
        elif event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.setValue(self.value() + direction * _FINE)
        else:
            self.step(direction)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """React only with the keyboard focus: otherwise the wheel scrolls the page."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            self.setSliderDown(True)
            self.setValue(self._position_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self.isSliderDown():
            self.setValue(self._position_at(event.position().x()))

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        self.setSliderDown(False)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self.updateGeometry()
            self.update()

    def _groove(self) -> tuple[float, float, float]:
        """Left end, right end and height of the groove; half a label fits beyond each end."""
        margin = max(_HANDLE + 3, self.fontMetrics().horizontalAdvance("0") / 2)
        return margin, self.width() - margin, _HANDLE + 3

    def _x(self, position: int) -> float:
        left, right, _ = self._groove()
        return left + (right - left) * position / TICKS

    def _position_at(self, x: float) -> int:
        nearest = min(self._marks, key=lambda at: abs(self._x(at) - x))
        if abs(self._x(nearest) - x) <= _MAGNET:
            return nearest
        left, right, _ = self._groove()
        return round(min(1.0, max(0.0, (x - left) / max(1.0, right - left))) * TICKS)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = antialiased(self)
        palette = self.palette()
        group = QPalette.ColorGroup.Active if self.isEnabled() else QPalette.ColorGroup.Disabled
        text, filled = palette.color(group, QPalette.ColorRole.WindowText), accent(palette)
        if not self.isEnabled():
            filled = text
        self._paint_groove(painter, text, filled)
        self._paint_labels(painter, text)
        _, _, y = self._groove()
        handle = QPointF(self._x(self.value()), y)
        if self.hasFocus():
            painter.setPen(QPen(filled, 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(handle, _HANDLE + 2, _HANDLE + 2)
        painter.setPen(QPen(palette.color(QPalette.ColorRole.Base), 1.5))
        painter.setBrush(filled.lighter(115) if self.underMouse() or self.isSliderDown() else filled)
        painter.drawEllipse(handle, _HANDLE - 1, _HANDLE - 1)

    def _paint_groove(self, painter: QPainter, text: QColor, filled: QColor) -> None:
        left, right, y = self._groove()
        muted, here = with_alpha(text, 0.3), self._x(self.value())
        broken = self._x(self._dotted_below)
        for begin, end, colour in ((left, min(here, right), filled), (here, right, muted)):
            for dotted in (True, False):
                piece = max(begin, left if dotted else broken), min(end, broken if dotted else right)
                if piece[0] < piece[1]:
                    style = Qt.PenStyle.DotLine if dotted else Qt.PenStyle.SolidLine
                    painter.setPen(QPen(colour, 3, style, Qt.PenCapStyle.RoundCap))
                    painter.drawLine(QPointF(piece[0], y), QPointF(piece[1], y))
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Window), 1))
        for at in self._marks:
            beyond = muted_text(self.palette()) if self.isEnabled() else text
            painter.setBrush(filled if at <= self.value() else beyond)
            painter.drawEllipse(QPointF(self._x(at), y), 4, 4)

    def _paint_labels(self, painter: QPainter, text: QColor) -> None:
        """Label the mark at the handle, those at both ends, and as many of the others as there is room for."""
        bottom = self._groove()[2] + _HANDLE + 6
        taken: list[QRectF] = []
        places = sorted(self._marks)
        here = [at for at in places if at == self.value()]
        for at in dict.fromkeys([*here, *places[:1], *places[-1:], *places[1:-1]]):
            name, chosen, font = self._marks[at].name, at == self.value(), self.font()
            font.setBold(chosen)
            painter.setFont(font)
            metrics = painter.fontMetrics()
            width = metrics.horizontalAdvance(name) + 2.0
            x = min(max(0.0, self._x(at) - width / 2), self.width() - width)
            box = QRectF(x, bottom, width, metrics.height())
            if any(box.adjusted(-4, 0, 4, 0).intersects(other) for other in taken):
                continue
            taken.append(box)
            painter.setPen(text if chosen or not self.isEnabled() else muted_text(self.palette()))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, name)
