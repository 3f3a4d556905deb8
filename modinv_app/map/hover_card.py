"""The card that shows what lies under the pointer."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from model.types import FloatArray, Item, Modality
from modinv_app.common.card import bold, faint
from modinv_app.common.pictures import features_pixmap
from modinv_app.common.theme import muted_text

_SIZES = {Modality.IMAGE: QSize(112, 112), Modality.SPEECH: QSize(150, 112)}
_GAP = 14  # between pointer and card, so that the point itself stays in sight


class HoverCard(QWidget):
    """A picture or spectrogram with its digit and source, drawn inside its parent and deaf to the mouse."""

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
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(2)
        layout.addWidget(self._picture)
        layout.addSpacing(4)
        layout.addWidget(self._title)
        layout.addWidget(self._source)
        self.hide()

    @property
    def text(self) -> str:
        """What the card says: digit and modality, then the source."""
        return f"{self._title.text()}\n{self._source.text()}"

    def show_item(self, item: Item, features: FloatArray | None, at: QPoint) -> None:
        """Show an item beside a point of the parent, on the side where there is room; without features, in words."""
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
        """Paint the card's ground, a little see-through at its rim."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(faint(self.palette().color(QPalette.ColorRole.WindowText), 0.25))
        painter.setBrush(self.palette().color(QPalette.ColorRole.Window))
        painter.drawRoundedRect(self.rect().adjusted(0, 0, -1, -1), 7, 7)
