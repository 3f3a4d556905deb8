"""A confusion matrix whose cells can be opened."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QToolTip, QWidget

from model.types import WORDS, Modality
from modinv_app.common.painted import PaintedWidget
from modinv_app.common.theme import accent, antialiased, digit_colour, is_dark, warning_colour, with_alpha

_DIGITS = 10
_CENTRE = Qt.AlignmentFlag.AlignCenter
_GAP = 2
_STEPS = {Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0), Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1)}

Cell = tuple[int, int]


def confusion_text(query: Modality, row: int, column: int) -> str:
    """``"Spoken seven, wrongly matched with nine"``."""
    kind = {Modality.IMAGE: "Image of", Modality.SPEECH: "Spoken"}[query]
    return f"{kind} {WORDS[row]}, {'correctly' if row == column else 'wrongly'} matched with {WORDS[column]}"


class ConfusionGrid(PaintedWidget):
    """Rows are the digits of queries, columns those of their nearest matches; wrong matches are highlighted.

    The arrow keys move the selection, Enter opens a cell.

    Parameters
    ----------
    query
        Modality of the queries.

    Signals
    -------
    opened(int, int)
        Row and column of the cell whose items are to be shown.
    """

    preferred, least = (30, 16), (22, 12)

    opened = Signal(int, int)

    def __init__(self, query: Modality, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._query = query
        self._counts: Sequence[Sequence[int]] = ()
        self._hovered: Cell | None = None
        self._current: Cell | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(f"Confusions, {query} to {query.other}")

    @property
    def current(self) -> Cell | None:
        """Row and column of the selected cell, if there is one."""
        return self._current

    def show_counts(self, counts: Sequence[Sequence[int]]) -> None:
        """Show ten rows of ten counts, or nothing if empty; no cell is selected."""
        self._counts = counts
        self._hovered = None
        self.mark(None)

    def mark(self, cell: Cell | None) -> None:
        """Select the cell whose items are shown, or none."""
        self._current = cell
        self.setAccessibleDescription("" if cell is None else self._cell_text(cell))
        self.update()

    def worst(self) -> Cell | None:
        """The cell with the most wrong matches; ``None`` if there are none."""
        cells = [(row, column) for row in range(len(self._counts)) for column in range(_DIGITS) if row != column]
        found = max(cells, key=lambda cell: self._counts[cell[0]][cell[1]], default=None)
        return found if found is not None and self._counts[found[0]][found[1]] else None

    def cell_at(self, place: QPointF) -> Cell | None:
        """The cell at a position on this widget."""
        if not self._counts:
            return None
        area, width, height = self._area()
        column = int((place.x() - area.left()) // width)
        row = int((place.y() - area.top()) // height)
        return (row, column) if 0 <= row < _DIGITS and 0 <= column < _DIGITS else None

    def rect_of(self, cell: Cell) -> QRectF:
        """The rectangle of a cell."""
        area, width, height = self._area()
        return QRectF(area.left() + cell[1] * width, area.top() + cell[0] * height, width, height)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = antialiased(self)
        self._paint_heads(painter)
        if not self._counts:
            return
        for row in range(_DIGITS):
            total = sum(self._counts[row])
            for column in range(_DIGITS):
                self._paint_cell(painter, (row, column), total)
            _, width, _ = self._area()
            share = self.rect_of((row, _DIGITS - 1)).translated(1.35 * width, 0)
            painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
            right = self._counts[row][row] / total if total else 0.0
            painter.drawText(share, _CENTRE, f"{100 * right:.1f}" if total else "–")
        for cell, strength in ((self._hovered, 0.5), (self._current, 1.0)):
            if cell is not None:
                painter.setPen(QPen(with_alpha(accent(self.palette()), strength), 2))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRoundedRect(self.rect_of(cell), 4, 4)

    def _paint_heads(self, painter: QPainter) -> None:
        dark = is_dark(self.palette())
        muted = self.palette().color(QPalette.ColorRole.PlaceholderText)
        area, width, height = self._area()
        font = painter.font()
        painter.setPen(muted)
        line = QFontMetricsF(font).height()
        painter.drawText(QRectF(area.left(), 0, area.width(), line), _CENTRE, f"nearest {self._query.other}")
        painter.drawText(QRectF(area.right(), 0, 1.7 * width, line), _CENTRE, "P@1, %")
        painter.save()
        painter.translate(line / 2, area.center().y())
        painter.rotate(-90)
        painter.drawText(QRectF(-area.height() / 2, -line / 2, area.height(), line), _CENTRE, f"query: {self._query}")
        painter.restore()
        font.setBold(True)
        painter.setFont(font)
        for digit in range(_DIGITS):
            painter.setPen(digit_colour(digit, dark))
            head = QRectF(area.left() + digit * width, line, width, line)
            painter.drawText(head, _CENTRE, str(digit))
            painter.drawText(QRectF(line, area.top() + digit * height, line, height), _CENTRE, str(digit))
        font.setBold(False)
        painter.setFont(font)

    def _paint_cell(self, painter: QPainter, cell: Cell, total: int) -> None:
        row, column = cell
        count = self._counts[row][column]
        share = count / total if total else 0.0
        text = self.palette().color(QPalette.ColorRole.WindowText)
        painter.setPen(Qt.PenStyle.NoPen)
        if row == column:
            painter.setBrush(with_alpha(digit_colour(row, is_dark(self.palette())), 0.12 + 0.33 * share))
        elif count:
            # The square root makes a few percent visible.
            painter.setBrush(with_alpha(warning_colour(is_dark(self.palette())), min(1.0, 0.12 + 1.6 * share**0.5)))
        else:
            painter.setBrush(with_alpha(text, 0.035))
        painter.drawRoundedRect(self.rect_of(cell).adjusted(_GAP / 2, _GAP / 2, -_GAP / 2, -_GAP / 2), 3, 3)
        if count:
            painter.setPen(text)
            painter.drawText(self.rect_of(cell), _CENTRE, str(count))

    def _area(self) -> tuple[QRectF, float, float]:
        """The rectangle of all cells, and the width and height of one."""
        line = QFontMetricsF(self.font()).height()
        width = (self.width() - 2 * line) / (_DIGITS + 1.7)
        height = (self.height() - 2 * line - 2) / _DIGITS
        return QRectF(2 * line, 2 * line, width * _DIGITS, height * _DIGITS), width, height

    def _cell_text(self, cell: Cell) -> str:
        row, column = cell
        count = self._counts[row][column]
        return f"{confusion_text(self._query, row, column)}: {count} of {sum(self._counts[row])}"

    def _hover(self, cell: Cell | None) -> None:
        if cell != self._hovered:
            self._hovered = cell
            clickable = cell is not None and self._counts[cell[0]][cell[1]] > 0
            self.setCursor(Qt.CursorShape.PointingHandCursor if clickable else Qt.CursorShape.ArrowCursor)
            self.update()

    def _open(self, cell: Cell | None) -> None:
        if cell is not None and self._counts[cell[0]][cell[1]]:
            self.mark(cell)
            self.opened.emit(*cell)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover(self.cell_at(event.position()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            self._open(self.cell_at(event.position()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if self._counts and key in _STEPS:
            down, right = _STEPS[key]
            row, column = self._current or (0, 0)
            cell = (min(max(row + down, 0), _DIGITS - 1), min(max(column + right, 0), _DIGITS - 1))
            self.mark(cell if self._current is not None else (0, 0))
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._open(self._current)
        else:
            event.ignore()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            cell = self.cell_at(QPointF(event.pos()))
            at: QPoint = event.globalPos()
            QToolTip.showText(at, "" if cell is None else self._cell_text(cell), self)
            return True
        return super().event(event)

    def leaveEvent(self, _event: QEvent) -> None:
        self._hover(None)
