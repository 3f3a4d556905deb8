"""Cards, tables and labels of the pages that show results."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from modinv_app.common.theme import antialiased, with_alpha


def with_subscripts(text: str) -> str:
    """A text for a label in which λ_IG is written as in the paper."""
    return text.replace("λ_IG", "λ<sub>IG</sub>")


def muted(text: str = "", alignment: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft) -> QLabel:
    """A label in the muted colour: a hint, a unit, a column heading."""
    label = QLabel(text, alignment=alignment | Qt.AlignmentFlag.AlignVCenter)
    label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
    return label


def bold(text: str = "", alignment: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft) -> QLabel:
    """A label in bold type."""
    label = QLabel(text, alignment=alignment | Qt.AlignmentFlag.AlignVCenter)
    font = label.font()
    font.setBold(True)
    label.setFont(font)
    return label


class Card(QWidget):
    """A rounded panel with a heading; its content goes into ``body``, a remark beside the heading into ``aside``.

    Parameters
    ----------
    title
        The heading.
    hint
        A sentence or two below the heading; none if empty.
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
            label = muted(hint)
            label.setWordWrap(True)
            label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
            rows.addWidget(label)
        rows.addLayout(self.body, 1)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = antialiased(self)
        painter.setPen(with_alpha(self.palette().color(QPalette.ColorRole.WindowText), 0.14))
        painter.setBrush(self.palette().color(QPalette.ColorRole.Base))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)


class RuledTable(QWidget):
    """A grid of labels, in ``grid``, with thin lines between its rows.

    Parameters
    ----------
    heads
        Number of heading rows, which have no line between them.
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
        painter = QPainter(self)
        painter.setPen(with_alpha(self.palette().color(QPalette.ColorRole.WindowText), 0.12))
        for row in range(self._heads, self.grid.rowCount()):
            above = self.grid.cellRect(row, 0).top() - self.grid.verticalSpacing() // 2
            painter.drawLine(QPoint(0, above), QPoint(self.width(), above))
