"""The delegate that paints a run in the list."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QPainter, QPalette, QPen
from PySide6.QtWidgets import QLineEdit, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from modinv_app.common.item_view import AnyIndex, paint_item_background
from modinv_app.common.run_entry import RunEntry, date
from modinv_app.common.theme import accent, is_dark, run_colour, warning_colour, with_alpha
from modinv_app.train.run_model import RunModel

_PAD = 5
_BAR = 4  # width in pixels of the bar with the colour of the curve
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class RunDelegate(QStyledItemDelegate):
    """Three lines of text beside a progress ring with a symbol of the state."""

    def __init__(self, model: RunModel) -> None:
        super().__init__()
        self._model = model

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        del index
        return QSize(0, 3 * option.fontMetrics.height() + 3 * _PAD)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        entry, place = self._model.entries[index.row()], self._model.place_of(index.row())
        palette, line = option.palette, option.fontMetrics.height()
        text = palette.color(QPalette.ColorRole.Text)
        muted = with_alpha(text, 0.65)
        rect = option.rect.adjusted(1, 1, -1, -1)

        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        focused = bool(option.state & QStyle.StateFlag.State_HasFocus)
        paint_item_background(painter, option, QRectF(rect), focused=focused)
        if place is not None:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(run_colour(place, is_dark(palette)))
            painter.drawRoundedRect(QRectF(rect.left(), rect.top() + 3, _BAR, rect.height() - 6), 2, 2)
        lines = self._lines(option.rect, line)
        side = 1.35 * line
        ring = QRectF(rect.left() + _BAR + _PAD, lines[0].top() + 2, side, side)
        _paint_state(painter, palette, ring, entry)

        painter.setPen(muted)
        chosen = f"{entry.setting} · {entry.note}" if entry.note else entry.setting
        self._write(painter, lines[1], chosen, date(entry.created))
        self._write(painter, lines[2], entry.brief, entry.figures)
        bold = QFont(option.font)
        bold.setBold(True)
        painter.setFont(bold)
        painter.setPen(text)
        self._write(painter, lines[0], entry.name)
        painter.restore()

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: AnyIndex) -> QWidget:
        del option, index
        editor = QLineEdit(parent)
        editor.setAccessibleName("Name of the run")
        return editor

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        del index
        place = self._lines(option.rect, option.fontMetrics.height())[0]
        height = editor.sizeHint().height()
        editor.setGeometry(QRect(place.left() - 4, place.center().y() - height // 2, place.width() + 4, height))

    def _lines(self, rect: QRect, line: int) -> list[QRect]:
        left = rect.left() + _BAR + 2 * _PAD + round(1.5 * line)
        top = rect.top() + (rect.height() - 3 * line) // 2
        return [QRect(left, top + row * line, rect.right() - _PAD - left, line) for row in range(3)]

    def _write(self, painter: QPainter, room: QRect, words: str, end: str = "") -> None:
        """Write text, elided before another text at the end of the line."""
        painter.drawText(room, _RIGHT, end)
        metrics = painter.fontMetrics()
        room = room.adjusted(0, 0, -metrics.horizontalAdvance(end) - _PAD if end else 0, 0)
        painter.drawText(room, _LEFT, metrics.elidedText(words, Qt.TextElideMode.ElideRight, room.width()))


def _paint_state(painter: QPainter, palette: QPalette, rect: QRectF, entry: RunEntry) -> None:
    """Paint a progress ring around a symbol of the state."""
    state = entry.state
    text = palette.color(QPalette.ColorRole.Text)
    trouble = state in ("failed", "interrupted", "damaged")
    colour = warning_colour(is_dark(palette)) if trouble else accent(palette)
    unit, centre = rect.width() / 20, rect.center()
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(with_alpha(text, 0.18), 2.2 * unit))
    painter.drawEllipse(centre, 8.5 * unit, 8.5 * unit)
    painter.setPen(QPen(colour, 2.2 * unit, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
    ring = QRectF(centre.x() - 8.5 * unit, centre.y() - 8.5 * unit, 17 * unit, 17 * unit)
    painter.drawArc(ring, 90 * 16, -round(360 * 16 * min(1.0, entry.share)))

    def at(x: float, y: float) -> QPointF:
        return centre + QPointF(x, y) * unit

    stroke = QPen(colour if trouble else text, 2 * unit, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap)
    stroke.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    if state in ("running", "stopped"):
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(text)
        corners = ((-2, -3.6), (-2, 3.6), (4, 0)) if state == "running" else ((-3, -3), (3, -3), (3, 3), (-3, 3))
        painter.drawPolygon([at(x, y) for x, y in corners])
        return
    painter.setPen(stroke)
    if state == "complete":
        painter.drawPolyline([at(-3.6, 0.2), at(-1, 3), at(3.8, -2.8)])
    elif state == "paused":
        painter.drawLine(at(-2, -3), at(-2, 3))
        painter.drawLine(at(2, -3), at(2, 3))
    elif state in ("failed", "damaged"):
        painter.drawLine(at(-2.8, -2.8), at(2.8, 2.8))
        painter.drawLine(at(-2.8, 2.8), at(2.8, -2.8))
    elif state == "interrupted":
        painter.drawLine(at(0, -4), at(0, 0.8))
        painter.drawPoint(at(0, 4))
    else:
        for x in (-3.6, 0, 3.6):
            painter.drawPoint(at(x, 0))
