"""A section that can be collapsed."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QToolButton, QWidget

from modinv_app.common.layouts import column


class Collapsible(QWidget):
    """A heading that shows and hides the content below it; collapsed at first.

    Signals
    -------
    toggled(bool)
        The content is shown from now on, or hidden.
    """

    toggled = Signal(bool)

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
        column(self._heading, content, parent=self, spacing=4).setAlignment(self._heading, Qt.AlignmentFlag.AlignLeft)
        self._open(False)

    @property
    def open(self) -> bool:
        """Whether the content is shown."""
        return self._heading.isChecked()

    @open.setter
    def open(self, on: bool) -> None:
        self._heading.setChecked(on)

    def _open(self, on: bool) -> None:
        self._heading.setArrowType(Qt.ArrowType.DownArrow if on else Qt.ArrowType.RightArrow)
        self._content.setVisible(on)
        self.toggled.emit(on)
