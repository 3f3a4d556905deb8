"""The card that shows the item under the pointer."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QPaintEvent, QPalette
from PySide6.QtWidgets import QLabel, QWidget

from model.types import FloatArray, Item, Modality
from modinv_app.common.card import bold
from modinv_app.common.layouts import column
from modinv_app.common.pictures import features_pixmap
from modinv_app.common.theme import antialiased, muted_text, with_alpha

_SIZES = {Modality.IMAGE: QSize(112, 112), Modality.SPEECH: QSize(150, 112)}
_GAP = 14  # pixels between pointer and card


class HoverCard(QWidget):
    """A picture or spectrogram with its digit and source, inside its parent, without mouse events."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._room = parent
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._picture = QLabel(self)
        self._title = bold()
        self._source = QLabel(self)
        self._source.setWordWrap(True)
        for label in (self._title, self._source):
            label.setTextFormat(Qt.TextFormat.PlainText)
        column(self._picture, 4, self._title, self._source, parent=self, margins=(8, 8, 8, 8), spacing=2)
        self.hide()

    @property
    def text(self) -> str:
        """The text of the card: digit and modality, then the source."""
        return f"{self._title.text()}\n{self._source.text()}"

    def show_item(self, item: Item, features: FloatArray | None, at: QPoint) -> None:
        """Show an item beside a point of the parent; without features, only its text."""
        size = _SIZES[item.modality]
        self._picture.setVisible(features is not None)
        if features is not None:
            self._picture.setPixmap(features_pixmap(features, size, self.devicePixelRatioF()))
        self._title.setText(f"{item.label} · {item.modality}")
        self._source.setText(item.source)
        muted = self.palette()
        muted.setColor(QPalette.ColorRole.WindowText, muted_text(self.palette()))
        self._source.setPalette(muted)
        self._source.setFixedWidth(size.width())
        self.adjustSize()
        self.move(self._beside(at))
        self.raise_()
        self.show()

    def _beside(self, at: QPoint) -> QPoint:
        room = self._room.rect().adjusted(4, 4, -4, -4)
        card = QRect(at + QPoint(_GAP, _GAP), self.size())
        if card.right() > room.right():
            card.moveRight(at.x() - _GAP)
        if card.bottom() > room.bottom():
            card.moveBottom(at.y() - _GAP)
        return QPoint(max(card.left(), room.left()), max(card.top(), room.top()))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = antialiased(self)
        painter.setPen(with_alpha(self.palette().color(QPalette.ColorRole.WindowText), 0.25))
        painter.setBrush(self.palette().color(QPalette.ColorRole.Window))
        painter.drawRoundedRect(self.rect().adjusted(0, 0, -1, -1), 7, 7)
