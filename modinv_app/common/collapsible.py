"""What few people need, behind one line."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton, QVBoxLayout, QWidget


class Collapsible(QWidget):
    """A heading that opens and closes what lies below it; closed at first."""

    def __init__(self, title: str, content: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._content = content
        self._heading = QToolButton()
        self._heading.setText(title)
        self._heading.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._heading.setAutoRaise(True)
        self._heading.setCheckable(True)
        self._heading.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._heading.toggled.connect(self._open)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self._heading, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(content)
        self._open(False)

    @property
    def open(self) -> bool:
        """Whether the content shows."""
        return self._heading.isChecked()

    @open.setter
    def open(self, on: bool) -> None:
        self._heading.setChecked(on)

    def _open(self, on: bool) -> None:
        self._heading.setArrowType(Qt.ArrowType.DownArrow if on else Qt.ArrowType.RightArrow)
        self._content.setVisible(on)
