"""The input of the speech encoder."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, Qt, Slot
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPalette, QPixmap, QResizeEvent
from PySide6.QtWidgets import QWidget

from model.types import FloatArray
from modinv_app.common.painted import PaintedWidget
from modinv_app.common.pictures import picture_image, scaled_pixmap, spectrogram_of_heat
from modinv_app.common.theme import antialiased, with_alpha


class SpectrogramView(PaintedWidget):
    """A spectrogram with time to the right and low frequencies at the bottom.

    Parameters
    ----------
    hint
        Shown while there is none.
    """

    preferred, least = (12, 8), (7, 5)

    def __init__(self, hint: str = "The encoder's input appears here", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._hint = hint
        self._features: FloatArray | None = None
        self._heat: FloatArray | None = None
        self._note = ""
        self._pixmap: QPixmap | None = None  # cached for the current size
        self.setAccessibleName("Spectrogram of the last utterance")
        self.setToolTip(
            "The last utterance as the encoder sees it: time to the right, low frequencies at the bottom, "
            "bright where there is energy"
        )
        self.show_features(None)

    @property
    def empty(self) -> bool:
        """Whether there is no spectrogram."""
        return self._features is None

    @Slot(object)
    def show_features(self, features: FloatArray | None) -> None:
        """Show normalised log mel energies, ``(100, 80)``, time x frequency; nothing for None."""
        self._features, self._heat, self._pixmap = features, None, None
        self.setAccessibleDescription("empty" if features is None else "one utterance")
        self.update()

    def show_heat(self, shares: FloatArray | None) -> None:
        """Show, until there are other features, what a match is based on: shares of frames, ``(100,)`` in [0, 1]."""
        self._heat, self._pixmap = shares, None
        self.update()

    def set_note(self, words: str) -> None:
        """Show the source of the utterance below it; nothing if empty."""
        self._note = words
        self.setAccessibleName(f"Spectrogram: {words}" if words else "Spectrogram of the last utterance")
        self.update()

    def resizeEvent(self, _event: QResizeEvent) -> None:
        self._pixmap = None

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self.update()
        super().changeEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = antialiased(self)
        area = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        outline = QPainterPath()
        outline.addRoundedRect(area, 6, 6)
        text = self.palette().color(QPalette.ColorRole.Text)
        painter.fillPath(outline, self.palette().color(QPalette.ColorRole.Base))
        if self._features is None:
            painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
            words = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(area.adjusted(8, 4, -8, -4), words, self._hint)
        else:
            if self._pixmap is None or self._pixmap.devicePixelRatio() != self.devicePixelRatioF():
                heat = self._heat
                image = picture_image(self._features) if heat is None else spectrogram_of_heat(self._features, heat)
                self._pixmap = scaled_pixmap(image, self.size(), self.devicePixelRatioF())
            painter.save()
            painter.setClipPath(outline)
            painter.drawPixmap(0, 0, self._pixmap)
            if self._note:
                self._write_note(painter, area)
            painter.restore()
        frame = with_alpha(text, 0.25)
        painter.setPen(frame)
        painter.drawPath(outline)

    def _write_note(self, painter: QPainter, area: QRectF) -> None:
        line = painter.fontMetrics().height() + 6
        band = QRectF(area.left(), area.bottom() - line, area.width(), line)
        words = painter.fontMetrics().elidedText(self._note, Qt.TextElideMode.ElideRight, round(band.width() - 16))
        painter.fillRect(band, QColor(0, 0, 0, 150))
        painter.setPen(Qt.GlobalColor.white)  # the spectrogram is dark in every theme
        painter.drawText(band, Qt.AlignmentFlag.AlignCenter, words)
