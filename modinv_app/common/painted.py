"""The base of charts that paint themselves."""

from __future__ import annotations

from typing import ClassVar

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QSizePolicy, QWidget


class PaintedWidget(QWidget):
    """A widget that uses all the room that it gets, with size hints in lines of text.

    Attributes
    ----------
    preferred, least
        Width and height of the size hint and of the minimum size hint, in heights of a line of text.
    """

    preferred: ClassVar[tuple[int, int]]
    least: ClassVar[tuple[int, int]]

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        return QSize(*self.preferred) * self.fontMetrics().height()

    def minimumSizeHint(self) -> QSize:
        return QSize(*self.least) * self.fontMetrics().height()
