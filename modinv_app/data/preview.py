"""One item, large."""

from __future__ import annotations

from typing import ClassVar

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFont, QPaintEvent, QPalette

from model.types import Modality
from modinv_app.common.painted import PaintedWidget
from modinv_app.common.pictures import features_pixmap
from modinv_app.common.theme import antialiased, muted_text
from modinv_app.data.items import Items

_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_HINT = "Choose an item to see it large; a click plays speech."


class Preview(PaintedWidget):
    """What an encoder sees of an item, with its digit, speaker and description."""

    preferred: ClassVar[tuple[int, int]] = (14, 16)
    least: ClassVar[tuple[int, int]] = (10, 9)

    def __init__(self) -> None:
        super().__init__()
        self._items: Items | None = None
        self._place: int | None = None
        self.show_item(None, None)

    def show_item(self, items: Items | None, place: int | None) -> None:
        """Show one of these items, or a hint."""
        self._items, self._place = items, place
        described = _HINT if items is None or place is None else items.described(place)
        self.setAccessibleName(described)
        self.setToolTip("" if described is _HINT else described)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter, palette, metrics = antialiased(self), self.palette(), self.fontMetrics()
        items, place = self._items, self._place
        if items is None or place is None:
            painter.setPen(muted_text(palette))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, _HINT)
            return
        line, width = metrics.height(), self.width()
        room = QSize(width, max(1, self.height() - 3 * line - 4))
        if items.modality is Modality.SPEECH:
            room.setHeight(min(room.height(), width))
        picture = features_pixmap(items.features[place], room, self.devicePixelRatioF())
        size = picture.deviceIndependentSize()
        painter.drawPixmap(round((width - size.width()) / 2), 0, picture)
        texts = (items.labelled(place), items.speaker_of(place), items.sources[place])
        font = QFont(self.font())
        for number, text in enumerate(filter(None, texts)):
            font.setBold(number == 0)
            painter.setFont(font)
            painter.setPen(muted_text(palette) if number else palette.color(QPalette.ColorRole.WindowText))
            row = QRectF(0, size.height() + 4 + number * line, width, line)
            painter.drawText(row, _LEFT, metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, width))
