"""What became of a drawing: the picture that the encoder sees, and the digit that its matches say."""

from __future__ import annotations

from functools import cache

import numpy as np
from PySide6.QtCore import QEvent, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from model.results import FloatArray
from modinv_app.theme import digit_colour, is_dark
from modinv_app.widgets.canvas import paper_and_ink

_SEEN_SIDE = 84  # three for each of the encoder's 28


class SeenPicture(QWidget):
    """The 28 x 28 picture that the encoder sees, each of its pixels a crisp square."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._levels: np.ndarray | None = None
        self.setFixedSize(_SEEN_SIDE + 2, _SEEN_SIDE + 2)
        self.setToolTip("What the encoder sees: 28 × 28 pixels")
        self.setAccessibleName("What the encoder sees")

    def show_picture(self, features: FloatArray) -> None:
        """Show features ``(28, 28)`` in [0, 1]."""
        self._levels = np.ascontiguousarray(np.rint(255 * np.clip(features, 0, 1)).astype(np.uint8))
        self.update()

    def clear(self) -> None:
        """Show nothing."""
        self._levels = None
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        paper, ink = paper_and_ink(self.palette())
        painter = QPainter(self)
        painter.setPen(QPen(self.palette().mid(), 1))
        painter.setBrush(paper)
        painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))
        if self._levels is None:
            return
        height, width = self._levels.shape
        image = QImage(self._levels.data, width, height, width, QImage.Format.Format_Indexed8)
        image.setColorTable(_between(paper.rgb(), ink.rgb()))
        painter.drawImage(self.rect().adjusted(1, 1, -1, -1), image)


class Guess(QWidget):
    """The guessed digit, large and in its colour, and how many matches agree."""

    def __init__(self) -> None:
        super().__init__()
        self._guess: int | None = None
        self._digit = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        self._digit.setAccessibleName("Guess")
        font = self._digit.font()
        font.setPointSizeF(4 * font.pointSizeF())
        font.setBold(True)
        self._digit.setFont(font)
        self._digit.setMinimumWidth(self._digit.fontMetrics().horizontalAdvance("0"))
        self._share = QLabel(alignment=Qt.AlignmentFlag.AlignBottom)
        font = self._share.font()
        font.setPointSizeF(1.4 * font.pointSizeF())
        font.setBold(True)
        self._share.setFont(font)
        self._share.setMinimumWidth(self._share.fontMetrics().horizontalAdvance("100%"))
        self._words = QLabel(alignment=Qt.AlignmentFlag.AlignTop)
        self._words.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setHorizontalSpacing(12)
        layout.setVerticalSpacing(0)
        layout.addWidget(self._digit, 0, 0, 2, 1)
        layout.addWidget(self._share, 0, 1)
        layout.addWidget(self._words, 1, 1)
        layout.setColumnStretch(1, 1)
        layout.setRowStretch(0, 1)
        layout.setRowStretch(1, 1)
        self.show_guess(None, 0)

    def show_guess(self, guess: int | None, agreement: float) -> None:
        """Show a digit and the share of the matches that agree, in [0, 1]; None shows nothing."""
        self._guess = guess
        self._digit.setText("" if guess is None else str(guess))
        self._share.setText("" if guess is None else f"{agreement:.0%}")
        self._words.setText("" if guess is None else "agree")
        self.setToolTip("" if guess is None else f"{agreement:.0%} of the matches say {guess}")
        self._colour()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self._colour()
        super().changeEvent(event)

    def _colour(self) -> None:
        """Colour the digit as everywhere else."""
        if self._guess is not None:
            palette = self._digit.palette()
            palette.setColor(self._digit.foregroundRole(), digit_colour(self._guess, is_dark(self.palette())))
            self._digit.setPalette(palette)


@cache
def _between(paper: int, ink: int) -> list[int]:
    """The colours of pixels that ink covers more and more, 256 of them; both ends as of `QColor.rgb`."""
    a, b = QColor(paper), QColor(ink)
    channels = ((a.red(), b.red()), (a.green(), b.green()), (a.blue(), b.blue()))
    reds, greens, blues = (np.linspace(*ends, 256).round().astype(int).tolist() for ends in channels)
    return [QColor(*colour).rgb() for colour in zip(reds, greens, blues, strict=True)]
