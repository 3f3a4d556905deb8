"""A button that acts for as long as it is held."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize
from PySide6.QtGui import QMouseEvent, QPalette
from PySide6.QtWidgets import QPushButton, QSizePolicy, QWidget

from modinv_app.widgets.icons import icon

# Roles of the palette, not colours: so it follows light and dark by itself.
_STYLE = """
QPushButton { border: 2px solid palette(highlight); border-radius: 0.5em; padding: 0.6em; font-weight: 600;
              background: palette(button); color: palette(button-text); }
QPushButton:hover { background: palette(midlight); }
QPushButton:focus { border-width: 3px; }
QPushButton:disabled { border-color: palette(mid); color: palette(placeholder-text); }
QPushButton[lit="true"] { background: palette(highlight); color: palette(highlighted-text); }
"""


class HoldButton(QPushButton):
    """A large button for talking: it stays down although the pointer slips off it, until it is let go.

    It is lit while the microphone is listened to, whether that is the work of its own press or not.
    """

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setStyleSheet(_STYLE)
        self.setIconSize(QSize(24, 24))
        self._paint_icon()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_lit(self, lit: bool) -> None:
        """Show whether the microphone is listened to."""
        if lit != self.property("lit"):
            self.setProperty("lit", lit)
            self.style().polish(self)  # a style sheet does not follow properties by itself
            self._paint_icon()

    def _paint_icon(self) -> None:
        palette = QPalette(self.palette())
        if self.property("lit"):
            palette.setBrush(QPalette.ColorRole.ButtonText, palette.highlightedText())
        self.setIcon(icon("microphone", palette))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.ApplicationPaletteChange:
            self._paint_icon()

    def sizeHint(self) -> QSize:
        return super().sizeHint().expandedTo(QSize(0, round(3.2 * self.fontMetrics().height())))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        # Qt would release the button here when the pointer leaves it, and cut the word.
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        slipped_off = self.isDown() and not self.hitButton(event.position().toPoint())
        super().mouseReleaseEvent(event)
        if slipped_off and not self.isDown():
            self.released.emit()  # Qt keeps quiet about a release outside
