"""A check box whose box is visible on dark backgrounds."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPaintEvent, QPen
from PySide6.QtWidgets import QCheckBox, QStyle, QStyleOptionButton

from modinv_app.common.theme import antialiased, muted_text


class CheckBox(QCheckBox):
    """A check box with an outline of its own.

    Qt's Fusion style outlines an empty box in a shade of the window's colour, which is invisible where that is dark.
    """

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.isChecked() or not self.isEnabled():
            return
        option = QStyleOptionButton()
        self.initStyleOption(option)
        box = self.style().subElementRect(QStyle.SubElement.SE_CheckBoxIndicator, option, self)
        painter = antialiased(self)
        painter.setPen(QPen(muted_text(self.palette()), 1))
        painter.drawRoundedRect(QRectF(box).adjusted(0.5, 0.5, -0.5, -0.5), 2, 2)
