"""The encoder's input of a drawing, and the guess."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QLabel, QWidget

from model.types import Answer, Certainty, FloatArray
from modinv_app.common.canvas import paper_and_ink
from modinv_app.common.layouts import column, row
from modinv_app.common.pictures import ink_image
from modinv_app.common.theme import digit_colour, is_dark

_SEEN_SIDE = 84  # three screen pixels per pixel
_MEANING = (
    "Confidence: the estimated probability that the guess is right, if this is a digit.\n"
    "Width: the entropy of the posterior. It tells how much the model encodes of the input, and is no sign of doubt: "
    "wrong guesses often have narrower posteriors."
)
_OVERRULED = (
    "Your takes in the gallery decide: most of what is nearest says this digit, and the model alone says another one. "
    "How likely they are right depends on whose takes they are, and is not estimated."
)
_NO_DIGIT = "not a digit"
_SHOWN_CONFIDENCE = 0.99  # nothing above is worth a figure: the calibration rests on few errors


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
    """The guessed digit in its colour, with confidence and a second choice, or that the input is not a digit."""

    def __init__(self) -> None:
        super().__init__()
        self._guess: int | None = None
        self._digit = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        self._digit.setAccessibleName("Guess")
        font = self._digit.font()
        font.setPointSizeF(4 * font.pointSizeF())
        font.setBold(True)
        self._digit.setFont(font)
        widths = map(self._digit.fontMetrics().horizontalAdvance, "0123456789?")
        self._digit.setMinimumWidth(max(widths) + 2)  # a label needs a little more than its text
        self._word = QLabel(alignment=Qt.AlignmentFlag.AlignLeft)
        font = self._word.font()
        font.setPointSizeF(1.3 * font.pointSizeF())
        font.setBold(True)
        self._word.setFont(font)
        self._second = QLabel(alignment=Qt.AlignmentFlag.AlignLeft)
        self._second.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self._numbers = QLabel(alignment=Qt.AlignmentFlag.AlignLeft)
        self._numbers.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        # Room for the longest texts, so that nothing moves.
        longest = max(map(self._word.fontMetrics().horizontalAdvance, (_NO_DIGIT, *Certainty)))
        self._word.setMinimumWidth(longest)
        self._second.setMinimumWidth(self._second.fontMetrics().horizontalAdvance("nearest is 0"))
        self._numbers.setMinimumWidth(self._numbers.fontMetrics().horizontalAdvance("confidence over 0.99"))
        words = column(None, self._word, self._second, self._numbers, None, spacing=0)
        row(self._digit, (words, 1), parent=self, spacing=12)
        self.show_answer(None)

    def show_answer(self, answer: Answer | None) -> None:
        """Show the guess of an answer with confidence and second choice; that it is rejected; nothing for None."""
        self._guess = None if answer is None else answer.guess
        word, second, numbers = "", "", ""
        if answer is not None and answer.rejected:
            word, second = _NO_DIGIT, f"nearest is {answer.nearest}"
        elif answer is not None and answer.overruled is not None:
            word, second = str(answer.certainty), f"the model: {answer.overruled}"
        elif answer is not None:
            word, numbers = str(answer.certainty), _numbers(answer)
            if answer.certainty is not Certainty.SURE and answer.runner_up is not None:
                second = f"perhaps {answer.runner_up}"
        self._digit.setText("" if answer is None else "?" if answer.rejected else str(answer.guess))
        for label, text in ((self._word, word), (self._second, second), (self._numbers, numbers)):
            label.setText(text)
        self._second.setVisible(bool(second))
        self._numbers.setVisible(bool(numbers))
        self.setToolTip("" if answer is None else answer.reason or f"{answer.verdict}.\n{_meaning(answer)}")
        self._digit.setAccessibleDescription("" if answer is None else answer.verdict)
        self._colour()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self._colour()
        super().changeEvent(event)

    def _colour(self) -> None:
        palette = QPalette(self.palette())
        if self._guess is not None:
            palette.setColor(self._digit.foregroundRole(), digit_colour(self._guess, is_dark(self.palette())))
        self._digit.setPalette(palette)


def _meaning(answer: Answer) -> str:
    """What the figures mean; where takes overrule the model, why there are none."""
    return _MEANING if answer.overruled is None else _OVERRULED


def _numbers(answer: Answer) -> str:
    """Confidence, and the width of the posterior if it has a variance."""
    over = answer.confidence > _SHOWN_CONFIDENCE
    confidence = f"over {_SHOWN_CONFIDENCE}" if over else f"{answer.confidence:.2f}"
    width = f"\nwidth {answer.width:.0f} nats" if np.isfinite(answer.width) else ""
    return f"confidence {confidence}{width}"
