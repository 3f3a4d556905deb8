"""A slider for lambda_IG on a logarithmic scale from 1e-5 to 1, extended to 0."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPalette, QPen, QWheelEvent
from PySide6.QtWidgets import QAbstractSlider, QHBoxLayout, QLineEdit, QSizePolicy, QWidget

from model.recipes.recipe import PAPER_LAMBDAS, lambda_text
from modinv_app.common.theme import accent, antialiased, muted_text, with_alpha

_LOWEST = 1e-5  # the smallest value of the logarithmic part
_DECADES = 5.0
_STEP = _DECADES / 6  # decades between two of the paper's values, and between 0 and the smallest
_TICKS = 7000  # positions of the slider: 1000 from one of the paper's values to the next
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


def place_of(value: float) -> float:
    """The position of a lambda_IG of at least 0 on the scale, from 0 (left) to 1 (right).

    Logarithmic from 1e-5 to 1, linear below 1e-5, and clipped above 1.
    """
    if value < _LOWEST:
        return value / _LOWEST * _STEP / (_DECADES + _STEP)
    return min(1.0, (math.log10(value) + _DECADES + _STEP) / (_DECADES + _STEP))


def value_at(place: float) -> float:
    """The lambda_IG at a place of the scale, to three digits; the inverse of `place_of`."""
    decades = place * (_DECADES + _STEP) - _STEP
    value = _LOWEST * (1 + decades / _STEP) if decades < 0 else _LOWEST * 10**decades
    return float(f"{value:.3g}")


class LambdaDial(QWidget):
    """A slider that snaps to marked values, and a field for any other value.

    Parameters
    ----------
    marks
        Ascending values of lambda_IG that are labelled below the scale.

    Signals
    -------
    value_changed(float)
        The value has changed, by the user or by `set_value`.
    """

    value_changed = Signal(float)

    def __init__(self, marks: Sequence[float] = PAPER_LAMBDAS, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._value = 0.0
        self._scale = _Scale(marks)
        self._scale.valueChanged.connect(self._slide)
        self._field = QLineEdit()
        self._field.setAccessibleName("Value of lambda IG")
        self._field.setToolTip("Type any value of at least 0, for example 0.02 or 2e-2")
        self._field.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._field.setFixedWidth(self._field.fontMetrics().horizontalAdvance("8.888e-88") + 16)
        self._field.editingFinished.connect(self._take_typed)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self._scale, 1)
        layout.addWidget(self._field, 0, Qt.AlignmentFlag.AlignTop)
        self.setFocusProxy(self._scale)
        self._show()

    @property
    def value(self) -> float:
        """The chosen lambda_IG."""
        return self._value

    def set_value(self, value: float) -> None:
        """Choose a lambda_IG; a value above 1 is kept, with the handle at the end of the scale.

        Raises
        ------
        ValueError
            If it is negative or not finite.
        """
        if not 0 <= value < math.inf:
            raise ValueError(f"lambda_IG must be a number of at least 0, not {value}.")
        changed, self._value = value != self._value, value
        self._show()
        if changed:
            self.value_changed.emit(value)

    def set_marks(self, marks: Sequence[float]) -> None:
        """Label other values, ascending, below the scale."""
        self._scale.set_marks(marks)

    def step(self, marks: int) -> None:
        """Move to the next mark (1) or to the previous one (-1)."""
        self._scale.step(marks)

    def _slide(self) -> None:
        self.set_value(self._scale.chosen)

    def _take_typed(self) -> None:
        try:
            self.set_value(float(self._field.text().replace(",", ".")))
        except ValueError:
            self._show()  # restore the text

    def _show(self) -> None:
        text = lambda_text(self._value)
        with QSignalBlocker(self._scale):
            self._scale.setValue(round(place_of(self._value) * _TICKS))
        self._scale.setAccessibleDescription(text)
        self._field.setText(text)


class _Scale(QAbstractSlider):
    """Groove, marks and handle; keyboards and screen readers see a slider."""

    def __init__(self, marks: Sequence[float]) -> None:
        super().__init__()
        self.setOrientation(Qt.Orientation.Horizontal)
        self.setRange(0, _TICKS)
        self.setSingleStep(_FINE // 2)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName("Lambda IG")
        self.setToolTip(
            "λ_IG, the weight of the information gain: drag, or use the arrow keys\n"
            "(with Shift in small steps, Home and End to the ends)"
        )
        self.set_marks(marks)

    def set_marks(self, marks: Sequence[float]) -> None:
        self._marks = {round(place_of(mark) * _TICKS): mark for mark in marks}
        self.update()

    @property
    def chosen(self) -> float:
        """The value at the handle: a mark exactly, between marks to three digits."""
        position = self.value()
        return self._marks.get(position, value_at(position / _TICKS))

    def step(self, marks: int) -> None:
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
        return left + (right - left) * position / _TICKS

    def _position_at(self, x: float) -> int:
        nearest = min(self._marks, key=lambda at: abs(self._x(at) - x))
        if abs(self._x(nearest) - x) <= _MAGNET:
            return nearest
        left, right, _ = self._groove()
        return round(min(1.0, max(0.0, (x - left) / max(1.0, right - left))) * _TICKS)

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
        broken = self._x(round(place_of(_LOWEST) * _TICKS))  # dotted below: the logarithm never reaches 0
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
        """Label the marks at both ends, and as many of the others as there is room for."""
        metrics, bottom = self.fontMetrics(), self._groove()[2] + _HANDLE + 6
        taken: list[QRectF] = []
        places = sorted(self._marks)
        for at in [*places[:1], *places[-1:], *places[1:-1]]:
            name = lambda_text(self._marks[at])
            width = metrics.horizontalAdvance(name) + 2.0
            x = min(max(0.0, self._x(at) - width / 2), self.width() - width)
            box = QRectF(x, bottom, width, metrics.height())
            if any(box.adjusted(-4, 0, 4, 0).intersects(other) for other in taken):
                continue
            taken.append(box)
            chosen = at == self.value()
            font = self.font()
            font.setBold(chosen)
            painter.setFont(font)
            painter.setPen(text if chosen or not self.isEnabled() else muted_text(self.palette()))
            painter.drawText(box.adjusted(-6, 0, 6, 0), Qt.AlignmentFlag.AlignCenter, name)
