"""A button that acts for as long as it is held."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QIcon, QMouseEvent, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QPushButton, QSizePolicy, QWidget

from modinv_app.theme import muted_text
from modinv_app.widgets.icons import icon

_ICON, _GAP = 24, 4


class HoldButton(QPushButton):
    """A large button for talking: it stays down although the pointer slips off it, until it is let go.

    It is lit while the microphone is listened to, whether that is the work of its own press or not. It paints itself,
    for a style sheet would not follow the palette from light to dark.
    """

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        font = self.font()
        font.setBold(True)
        self.setFont(font)
        self.setIconSize(QSize(_ICON, _ICON))
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._colour_icon()

    def set_lit(self, lit: bool) -> None:
        """Show whether the microphone is listened to."""
        if lit != self.property("lit"):
            self.setProperty("lit", lit)
            self._colour_icon()

    def _colour_icon(self) -> None:
        palette = QPalette(self.palette())
        if self.property("lit"):
            palette.setBrush(QPalette.ColorRole.ButtonText, palette.highlightedText())
        self.setIcon(icon("microphone", palette))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._colour_icon()

    def sizeHint(self) -> QSize:
        return super().sizeHint().expandedTo(QSize(0, round(3.2 * self.fontMetrics().height())))

    def paintEvent(self, _event: QPaintEvent) -> None:
        palette, lit, usable = self.palette(), bool(self.property("lit")), self.isEnabled()
        ground = (
            palette.highlight() if lit else palette.midlight() if self.underMouse() and usable else palette.button()
        )
        text = palette.highlightedText().color() if lit else palette.buttonText().color()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width = 3 if self.hasFocus() else 2
        painter.setPen(QPen(palette.highlight() if usable else palette.mid(), width))
        painter.setBrush(ground)
        inset = width / 2
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(inset, inset, -inset, -inset), 7, 7)
        metrics = QFontMetrics(self.font())
        words = metrics.horizontalAdvance(self.text())
        place = QRect(0, 0, _ICON, self.height())
        place.moveLeft((self.width() - _ICON - _GAP - words) // 2)
        mode = QIcon.Mode.Normal if usable else QIcon.Mode.Disabled
        self.icon().paint(painter, place, Qt.AlignmentFlag.AlignCenter, mode)
        painter.setPen(text if usable else muted_text(palette))
        place.setRect(place.right() + 1 + _GAP, 0, words + 1, self.height())
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, self.text())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        # Qt would release the button here when the pointer leaves it, and cut the word.
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        slipped_off = self.isDown() and not self.hitButton(event.position().toPoint())
        super().mouseReleaseEvent(event)
        if slipped_off and not self.isDown():
            self.released.emit()  # Qt keeps quiet about a release outside
