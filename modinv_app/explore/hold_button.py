"""A button that acts for as long as it is held."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QFontMetrics,
    QHideEvent,
    QIcon,
    QKeyEvent,
    QMouseEvent,
    QPaintEvent,
    QPalette,
    QPen,
)
from PySide6.QtWidgets import QPushButton, QSizePolicy, QWidget

from modinv_app.common.icons import icon
from modinv_app.common.theme import antialiased, muted_text
from modinv_app.explore.held_key import HeldKey

_ICON, _GAP = 24, 4


class HoldButton(QPushButton):
    """A large push-to-talk button, which stays down until it is released, even if the pointer leaves it.

    The space bar holds it, too, while it has the focus; other objects may send events to `space_bar`. It is held until
    pointer and key are both released. It is lit while the microphone is in use, whether pressed or not. It paints
    itself, because a style sheet would not follow the palette.

    Attributes
    ----------
    space_bar
        The key that holds it.

    Signals
    -------
    held
        It was pressed. (``pressed`` and ``released`` are about the pointer only.)
    let_go(float)
        It was released so many seconds ago.
    """

    held = Signal()
    let_go = Signal(float)

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self._holders: set[str] = set()
        self.space_bar = HeldKey(self)
        self.space_bar.pressed.connect(lambda: self._hold("space bar"))
        self.space_bar.released.connect(lambda ago: self._unhold("space bar", ago))
        self.pressed.connect(lambda: self._hold("pointer"))
        self.released.connect(lambda: self._unhold("pointer", 0.0))
        font = self.font()
        font.setBold(True)
        self.setFont(font)
        self.setIconSize(QSize(_ICON, _ICON))
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._colour_icon()

    def set_lit(self, lit: bool) -> None:
        """Show whether the microphone is in use."""
        if lit != self.property("lit"):
            self.setProperty("lit", lit)
            self._colour_icon()

    def _colour_icon(self) -> None:
        palette = QPalette(self.palette())
        if self.property("lit"):
            palette.setBrush(QPalette.ColorRole.ButtonText, palette.highlightedText())
        self.setIcon(icon("microphone", palette))

    def _hold(self, holder: str) -> None:
        self._holders.add(holder)
        if len(self._holders) == 1:
            self.held.emit()

    def _unhold(self, holder: str, ago: float) -> None:
        if holder in self._holders:
            self._holders.remove(holder)
            if not self._holders:
                self.let_go.emit(ago)

    def drop(self) -> None:
        """Count pointer and key as released, because their releases may not be received."""
        self.space_bar.let_go()
        self._unhold("pointer", 0.0)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._colour_icon()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.drop()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.drop()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space:
            self.space_bar.press(event)
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space:
            self.space_bar.release(event)
        else:
            super().keyReleaseEvent(event)

    def sizeHint(self) -> QSize:
        return super().sizeHint().expandedTo(QSize(0, round(3.2 * self.fontMetrics().height())))

    def paintEvent(self, _event: QPaintEvent) -> None:
        palette, lit, usable = self.palette(), bool(self.property("lit")), self.isEnabled()
        background = (
            palette.highlight() if lit else palette.midlight() if self.underMouse() and usable else palette.button()
        )
        text = palette.highlightedText().color() if lit else palette.buttonText().color()
        painter = antialiased(self)
        width = 3 if self.hasFocus() else 2
        painter.setPen(QPen(palette.highlight() if usable else palette.mid(), width))
        painter.setBrush(background)
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
        # QPushButton would release the button when the pointer leaves it, and cut the recording.
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        slipped_off = self.isDown() and not self.hitButton(event.position().toPoint())
        super().mouseReleaseEvent(event)
        if slipped_off and not self.isDown():
            self.released.emit()  # Qt does not emit it outside of the button
