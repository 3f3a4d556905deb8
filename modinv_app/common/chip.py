"""A legend entry that can be switched off."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from model.types import Modality
from modinv_app.common.theme import antialiased, muted_text, with_alpha


class Chip(QAbstractButton):
    """A checkable button with a coloured shape: filled while checked, else an outline with muted text.

    Parameters
    ----------
    text
        The label.
    shape
        The modality whose point shape is drawn; None draws a square, for a digit of either modality.
    """

    def __init__(self, text: str, shape: Modality | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setText(text)
        self.setCheckable(True)
        self.setChecked(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self._shape = shape
        self._colour: QColor | None = None

    def set_colour(self, colour: QColor) -> None:
        """Set the colour of the shape; by default it is that of the text."""
        self._colour = colour
        self.update()

    def sizeHint(self) -> QSize:
        text, height = self.fontMetrics().horizontalAdvance(self.text()), self.fontMetrics().height()
        return QSize(round(height * 0.75) + 5 + text + 12, height + 10)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint() - QSize(10, 4)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = antialiased(self)
        palette, text_colour = self.palette(), self.palette().color(QPalette.ColorRole.WindowText)
        painter.setBrush(with_alpha(text_colour, 0.14 if self.isDown() else 0.09 if self.underMouse() else 0.045))
        painter.setPen(QPen(palette.color(QPalette.ColorRole.Highlight), 1.5) if self.hasFocus() else Qt.PenStyle.NoPen)
        frame = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        painter.drawRoundedRect(frame, 6, 6)

        on = self.isChecked()
        side = self.fontMetrics().height() * 0.75
        width = side + 5 + self.fontMetrics().horizontalAdvance(self.text())
        left = (self.width() - width) / 2
        colour = self._colour or text_colour
        painter.setPen(QPen(colour, 1.5))
        painter.setBrush(colour if on else Qt.BrushStyle.NoBrush)
        self._paint_shape(painter, QRectF(left, (self.height() - side) / 2, side, side).adjusted(1, 1, -1, -1))
        painter.setPen(text_colour if on else muted_text(palette))
        painter.drawText(
            QRectF(left + side + 5, 0, self.width(), self.height()),
            Qt.AlignmentFlag.AlignVCenter,
            self.text(),
        )

    def _paint_shape(self, painter: QPainter, box: QRectF) -> None:
        if self._shape is Modality.IMAGE:
            painter.drawEllipse(box)
        elif self._shape is Modality.SPEECH:
            points = [box.bottomLeft(), QPointF(box.center().x(), box.top()), box.bottomRight()]
            painter.drawPolygon(QPolygonF(points))
        else:
            painter.drawRoundedRect(box, 3, 3)
