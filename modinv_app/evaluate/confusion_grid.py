"""Which digit was answered by which: ten by ten counts, each a door to its items."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from model.types import Modality
from modinv_app.common.card import faint
from modinv_app.common.match_model import WORDS
from modinv_app.common.theme import accent, digit_colour, is_dark, warning_colour

_DIGITS = 10
_CENTRE = Qt.AlignmentFlag.AlignCenter
_GAP = 2
_STEPS = {Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0), Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1)}

Cell = tuple[int, int]


class ConfusionGrid(QWidget):
    """Rows are the digits of the queries, columns those of their nearest matches; wrong ones glow.

    The arrow keys move, Enter opens.

    Parameters
    ----------
    query
        Which modality asks.

    Signals
    -------
    opened(int, int)
        Row and column of a cell whose items someone wants to see.
    """

    opened = Signal(int, int)

    def __init__(self, query: Modality, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._query = query
        self._counts: Sequence[Sequence[int]] = ()
        self._hot: Cell | None = None
        self._current: Cell | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(f"Confusions, {query} to {query.other}")

    @property
    def current(self) -> Cell | None:
        """Row and column of the cell that is marked, if one is."""
        return self._current

    def show_counts(self, counts: Sequence[Sequence[int]]) -> None:
        """Show ten rows of ten counts, or nothing if empty; no cell is marked."""
        self._counts = counts
        self._hot = None
        self.mark(None)

    def mark(self, cell: Cell | None) -> None:
        """Mark the cell whose items are shown, or none."""
        self._current = cell
        self.setAccessibleDescription("" if cell is None else self._words(cell))
        self.update()

    def worst(self) -> Cell | None:
        """The wrong cell with the most items; ``None`` where nothing is wrong."""
        cells = [(row, column) for row in range(len(self._counts)) for column in range(_DIGITS) if row != column]
        found = max(cells, key=lambda cell: self._counts[cell[0]][cell[1]], default=None)
        return found if found is not None and self._counts[found[0]][found[1]] else None

    def cell_at(self, place: QPointF) -> Cell | None:
        """The cell at a place on this widget."""
        if not self._counts:
            return None
        ground, width, height = self._ground()
        column = int((place.x() - ground.left()) // width)
        row = int((place.y() - ground.top()) // height)
        return (row, column) if 0 <= row < _DIGITS and 0 <= column < _DIGITS else None

    def rect_of(self, cell: Cell) -> QRectF:
        """Where a cell lies."""
        ground, width, height = self._ground()
        return QRectF(ground.left() + cell[1] * width, ground.top() + cell[0] * height, width, height)

    def sizeHint(self) -> QSize:
        line = self.fontMetrics().height()
        return QSize(30 * line, 16 * line)

    def minimumSizeHint(self) -> QSize:
        line = self.fontMetrics().height()
        return QSize(22 * line, 12 * line)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_heads(painter)
        if not self._counts:
            return
        for row in range(_DIGITS):
            asked = sum(self._counts[row])
            for column in range(_DIGITS):
                self._paint_cell(painter, (row, column), asked)
            _, width, _ = self._ground()
            share = self.rect_of((row, _DIGITS - 1)).translated(1.35 * width, 0)
            painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
            right = self._counts[row][row] / asked if asked else 0.0
            painter.drawText(share, _CENTRE, f"{100 * right:.1f}" if asked else "–")
        for cell, strength in ((self._hot, 0.5), (self._current, 1.0)):
            if cell is not None:
                painter.setPen(QPen(faint(accent(self.palette()), strength), 2))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRoundedRect(self.rect_of(cell), 4, 4)

    def _paint_heads(self, painter: QPainter) -> None:
        dark = is_dark(self.palette())
        quiet = self.palette().color(QPalette.ColorRole.PlaceholderText)
        ground, width, height = self._ground()
        font = painter.font()
        painter.setPen(quiet)
        line = QFontMetricsF(font).height()
        painter.drawText(QRectF(ground.left(), 0, ground.width(), line), _CENTRE, f"nearest {self._query.other}")
        painter.drawText(QRectF(ground.right(), 0, 1.7 * width, line), _CENTRE, "P@1, %")
        painter.save()
        painter.translate(line / 2, ground.center().y())
        painter.rotate(-90)
        painter.drawText(QRectF(-ground.height() / 2, -line / 2, ground.height(), line), _CENTRE, f"{self._query} asks")
        painter.restore()
        font.setBold(True)
        painter.setFont(font)
        for digit in range(_DIGITS):
            painter.setPen(digit_colour(digit, dark))
            head = QRectF(ground.left() + digit * width, line, width, line)
            painter.drawText(head, _CENTRE, str(digit))
            painter.drawText(QRectF(line, ground.top() + digit * height, line, height), _CENTRE, str(digit))
        font.setBold(False)
        painter.setFont(font)

    def _paint_cell(self, painter: QPainter, cell: Cell, asked: int) -> None:
        row, column = cell
        count = self._counts[row][column]
        share = count / asked if asked else 0.0
        text = self.palette().color(QPalette.ColorRole.WindowText)
        painter.setPen(Qt.PenStyle.NoPen)
        if row == column:
            painter.setBrush(faint(digit_colour(row, is_dark(self.palette())), 0.12 + 0.33 * share))
        elif count:
            # A few in a hundred are what one looks for: the root lets them glow.
            painter.setBrush(faint(warning_colour(is_dark(self.palette())), min(1.0, 0.12 + 1.6 * share**0.5)))
        else:
            painter.setBrush(faint(text, 0.035))
        painter.drawRoundedRect(self.rect_of(cell).adjusted(_GAP / 2, _GAP / 2, -_GAP / 2, -_GAP / 2), 3, 3)
        if count:
            painter.setPen(text)
            painter.drawText(self.rect_of(cell), _CENTRE, str(count))

    def _ground(self) -> tuple[QRectF, float, float]:
        """The square of all cells, and the width and height of one."""
        line = QFontMetricsF(self.font()).height()
        width = (self.width() - 2 * line) / (_DIGITS + 1.7)
        height = (self.height() - 2 * line - 2) / _DIGITS
        return QRectF(2 * line, 2 * line, width * _DIGITS, height * _DIGITS), width, height

    def _words(self, cell: Cell) -> str:
        row, column = cell
        count = self._counts[row][column]
        verbs = {Modality.IMAGE: "Image of", Modality.SPEECH: "Spoken"}
        right = "rightly" if row == column else "wrongly"
        asked = f"{verbs[self._query]} {WORDS[row]}"
        return f"{asked}, {right} answered by {WORDS[column]}: {count} of {sum(self._counts[row])}"

    def _point_at(self, cell: Cell | None) -> None:
        if cell != self._hot:
            self._hot = cell
            door = cell is not None and self._counts[cell[0]][cell[1]] > 0
            self.setCursor(Qt.CursorShape.PointingHandCursor if door else Qt.CursorShape.ArrowCursor)
            self.update()

    def _open(self, cell: Cell | None) -> None:
        if cell is not None and self._counts[cell[0]][cell[1]]:
            self.mark(cell)
            self.opened.emit(*cell)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._point_at(self.cell_at(event.position()))

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
            QToolTip.showText(at, "" if cell is None else self._words(cell), self)
            return True
        return super().event(event)

    def leaveEvent(self, _event: QEvent) -> None:
        self._point_at(None)
