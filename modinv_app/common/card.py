"""A piece of a page of results: a heading, a word below it, and what belongs together."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget


def with_subscripts(text: str) -> str:
    """A text for a label in which λ_IG is written as in the paper."""
    return text.replace("λ_IG", "λ<sub>IG</sub>")


def muted(text: str = "", alignment: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft) -> QLabel:
    """A word that matters less: a hint, a unit, the head of a column."""
    label = QLabel(text, alignment=alignment | Qt.AlignmentFlag.AlignVCenter)
    label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
    return label


def bold(text: str = "", alignment: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft) -> QLabel:
    """A heading, or what a reader looks for."""
    label = QLabel(text, alignment=alignment | Qt.AlignmentFlag.AlignVCenter)
    font = label.font()
    font.setBold(True)
    label.setFont(font)
    return label


class Card(QWidget):
    """A rounded ground with a heading; what it holds goes into ``body``, a remark to its right into ``aside``.

    Parameters
    ----------
    title
        The heading.
    hint
        What a reader needs to know, in a sentence or two; none if empty.
    """

    def __init__(self, title: str, hint: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(title)
        self.body = QVBoxLayout()
        self.body.setContentsMargins(0, 6, 0, 0)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(14, 9, 14, 11)
        rows.setSpacing(1)
        self.aside = muted(alignment=Qt.AlignmentFlag.AlignRight)
        heading = QHBoxLayout()
        heading.addWidget(bold(title))
        heading.addWidget(self.aside, 1)
        rows.addLayout(heading)
        if hint:
            said = muted(hint)
            said.setWordWrap(True)
            said.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
            rows.addWidget(said)
        rows.addLayout(self.body, 1)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the ground and its rim."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(faint(self.palette().color(QPalette.ColorRole.WindowText), 0.14))
        painter.setBrush(self.palette().color(QPalette.ColorRole.Base))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)


class RuledTable(QWidget):
    """Rows of words and numbers in ``grid``, with hairlines between them.

    Parameters
    ----------
    heads
        The first so many rows are heads, with no line between.
    """

    def __init__(self, heads: int = 1) -> None:
        super().__init__()
        self._heads = heads
        self.grid = QGridLayout(self)
        self.grid.setContentsMargins(0, 0, 0, 0)
        self.grid.setHorizontalSpacing(18)
        self.grid.setVerticalSpacing(9)
        self.grid.setColumnStretch(0, 1)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the hairlines."""
        painter = QPainter(self)
        painter.setPen(faint(self.palette().color(QPalette.ColorRole.WindowText), 0.12))
        for row in range(self._heads, self.grid.rowCount()):
            above = self.grid.cellRect(row, 0).top() - self.grid.verticalSpacing() // 2
            painter.drawLine(QPoint(0, above), QPoint(self.width(), above))


def faint(colour: QColor, opacity: float) -> QColor:
    """A colour through which the ground shows."""
    made = QColor(colour)
    made.setAlphaF(opacity)
    return made
