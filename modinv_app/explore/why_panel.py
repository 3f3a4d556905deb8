"""Why a query and a match are similar: heat over both, and a sound of what mattered."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QRectF, Qt, Signal
from PySide6.QtGui import QPainterPath, QPaintEvent, QPalette
from PySide6.QtWidgets import QLabel, QPushButton, QSizePolicy, QWidget

from model.types import FloatArray
from modinv_app.common.canvas import paper_and_ink
from modinv_app.common.collapsible import Collapsible
from modinv_app.common.icons import icon
from modinv_app.common.layouts import column, row
from modinv_app.common.painted import PaintedWidget
from modinv_app.common.pictures import picture_of_heat, scaled_pixmap, spectrogram_of_heat
from modinv_app.common.theme import antialiased, with_alpha
from modinv_app.explore.explanations import Pair

_EXPLAINED = "Orange: without it, the two would be less similar."
_NO_PAIR = "Draw or speak first: this shows what the match is based on."


class HeatView(PaintedWidget):
    """A picture or spectrogram in grey, in orange what carries the match, and a name below; empty at first."""

    preferred, least = (9, 8), (6, 8)

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._features: FloatArray | None = None
        self._shares: FloatArray | None = None

    @property
    def hot(self) -> bool:
        """Whether there is heat."""
        return self._shares is not None

    def show_heat(self, name: str, features: FloatArray | None, shares: FloatArray | None) -> None:
        """Show features, ``(28, 28)`` or ``(100, 80)``, with heat in [0, 1] if it is known; nothing for None."""
        self._features, self._shares = features, shares
        self.setAccessibleName(name)
        self.setToolTip(name)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._features is None:
            return
        painter = antialiased(self)
        line = self.fontMetrics().height() + 2
        room = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5 - line)
        name = self.fontMetrics().elidedText(self.accessibleName(), Qt.TextElideMode.ElideRight, self.width())
        painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom, name)
        picture = self._features.shape[0] == self._features.shape[1]
        shares = self._shares
        if shares is None:
            shares = np.zeros(self._features.shape if picture else len(self._features), np.float32)
        if picture:
            side = min(room.width(), room.height())
            room = QRectF(room.center().x() - side / 2, room.top(), side, side)
            image = picture_of_heat(self._features, shares, *paper_and_ink(self.palette()))
        else:
            image = spectrogram_of_heat(self._features, shares)
        outline = QPainterPath()
        outline.addRoundedRect(room, 4, 4)
        painter.save()
        painter.setClipPath(outline)
        painter.drawPixmap(room.topLeft(), scaled_pixmap(image, room.size().toSize(), self.devicePixelRatioF()))
        painter.restore()
        painter.setPen(with_alpha(self.palette().color(QPalette.ColorRole.WindowText), 0.25))
        painter.drawPath(outline)


class WhyPanel(Collapsible):
    """A section below the matches, collapsed at first.

    Signals
    -------
    hear_clicked()
        The user wants to hear what mattered.
    """

    hear_clicked = Signal()

    def __init__(self) -> None:
        content = QWidget()
        super().__init__("Why this match?", content)
        self._heading.setToolTip("Show which strokes and which moments the match is based on (W)")
        self.query, self.match = HeatView(), HeatView()
        self._hint = QLabel(_NO_PAIR, wordWrap=True)
        self._hint.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self._hear = QPushButton("Hear what mattered")
        self._hear.setToolTip("Play the utterance with what mattered as loud as it is, and the rest 20 dB softer (M)")
        self._hear.clicked.connect(self.hear_clicked)
        sides = row((self.query, 1), (self.match, 1), spacing=8)
        column(self._hint, sides, row(self._hear, None), parent=content, margins=(2, 0, 2, 4), spacing=4)
        self.setContentsMargins(6, 2, 6, 2)
        self._set_icon()
        self.show_pair(None)

    def show_pair(self, pair: Pair | None) -> None:
        """Show query and match, with their heat once it is known; nothing for None."""
        if pair is None:
            self.query.show_heat("", None, None)
            self.match.show_heat("", None, None)
        else:
            found = pair.explanation
            self.query.show_heat(pair.name, pair.answer.features, None if found is None else found.query.shares)
            self.match.show_heat(pair.match.source, pair.features, None if found is None else found.match.shares)
        self._hint.setText(_NO_PAIR if pair is None else _EXPLAINED)
        self._hear.setEnabled(pair is not None)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self._set_icon()
        super().changeEvent(event)

    def _set_icon(self) -> None:
        self._hear.setIcon(icon("play", self.palette()))
