"""A check box whose box can be seen on a dark ground, too."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QCheckBox, QStyle, QStyleOptionButton

from modinv_app.common.theme import muted_text


class CheckBox(QCheckBox):
    """A check box with an outline of its own.

    Qt's Fusion style outlines an empty box in a shade of the window's own colour, which vanishes where that is dark.
    """

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the check box, and the outline of an empty box."""
        super().paintEvent(event)
        if self.isChecked() or not self.isEnabled():
            return
        option = QStyleOptionButton()
        self.initStyleOption(option)
        box = self.style().subElementRect(QStyle.SubElement.SE_CheckBoxIndicator, option, self)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(muted_text(self.palette()), 1))
        painter.drawRoundedRect(QRectF(box).adjusted(0.5, 0.5, -0.5, -0.5), 2, 2)
