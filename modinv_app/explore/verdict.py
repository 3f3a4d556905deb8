"""The encoder's input of a drawing, and the guess."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QLabel, QWidget

from model.types import Answer, Certainty, FloatArray
from modinv_app.common.layouts import column, row
from modinv_app.common.pictures import ink_image
from modinv_app.common.theme import digit_colour, is_dark
from modinv_app.explore.canvas import paper_and_ink

_SEEN_SIDE = 84  # three screen pixels per pixel
_MEANING = "How much nearer this digit is than the next. The guess may be sure even if the input is not a digit."


class SeenPicture(QWidget):
    """The 28 x 28 picture that the encoder gets, enlarged without smoothing.

    Attributes
    ----------
    features
        ``(28, 28)`` in [0, 1]; ``None`` while there is no picture.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.features: FloatArray | None = None
        self.setFixedSize(_SEEN_SIDE + 2, _SEEN_SIDE + 2)
        self.setToolTip("What the encoder sees: 28 × 28 pixels")
        self.setAccessibleName("What the encoder sees")

    def show_picture(self, features: FloatArray) -> None:
        """Show features ``(28, 28)`` in [0, 1]."""
        self.features = features
        self.update()

    def clear(self) -> None:
        """Show nothing."""
        self.features = None
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        paper, ink = paper_and_ink(self.palette())
        painter = QPainter(self)
        painter.setPen(QPen(self.palette().mid(), 1))
        painter.setBrush(paper)
        painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))
        if self.features is None:
            return
        levels = np.rint(255 * np.clip(self.features, 0, 1)).astype(np.uint8)
        painter.drawImage(self.rect().adjusted(1, 1, -1, -1), ink_image(levels, paper, ink))


class Guess(QWidget):
    """The guessed digit in its colour, its certainty, and a second choice."""

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
        self._word = QLabel(alignment=Qt.AlignmentFlag.AlignLeft)
        font = self._word.font()
        font.setPointSizeF(1.3 * font.pointSizeF())
        font.setBold(True)
        self._word.setFont(font)
        self._second = QLabel(alignment=Qt.AlignmentFlag.AlignLeft)
        self._second.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        # Room for the longest texts, so that nothing moves.
        self._word.setMinimumWidth(self._word.fontMetrics().horizontalAdvance(Certainty.NOT_SURE))
        self._second.setMinimumWidth(self._second.fontMetrics().horizontalAdvance("perhaps 0"))
        words = column(None, self._word, self._second, None, spacing=0)
        row(self._digit, (words, 1), parent=self, spacing=12)
        self.show_answer(None)

    def show_answer(self, answer: Answer | None) -> None:
        """Show the guess of an answer with its certainty, and a second choice unless it is sure; nothing for None."""
        self._guess = None if answer is None else answer.guess
        second = None if answer is None or answer.certainty is Certainty.SURE else answer.runner_up
        self._digit.setText("" if answer is None else str(answer.guess))
        self._word.setText("" if answer is None else str(answer.certainty))
        self._second.setText("" if second is None else f"perhaps {second}")
        self._second.setVisible(second is not None)
        self.setToolTip("" if answer is None else f"{answer.verdict}. {_MEANING}")
        self._digit.setAccessibleDescription("" if answer is None else answer.verdict)
        self._colour()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self._colour()
        super().changeEvent(event)

    def _colour(self) -> None:
        if self._guess is not None:
            palette = self._digit.palette()
            palette.setColor(self._digit.foregroundRole(), digit_colour(self._guess, is_dark(self.palette())))
            self._digit.setPalette(palette)
