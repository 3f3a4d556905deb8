"""Asks whether a take that the model doubts is to be kept, without holding anything up."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QPushButton, QSizePolicy, QWidget

from model.types import WORDS, Modality
from modinv_app.common.layouts import column, row
from modinv_app.takes.maker import Made


class DoubtStrip(QWidget):
    """A question with its answers; while there is none, its place stays empty, so that nothing moves.

    A take stays as it is if nobody answers.

    Signals
    -------
    again_wanted(Made)
        Delete the take, and ask for its digit again.
    guess_right(Made)
        The model is right: relabel the take.
    """

    again_wanted = Signal(object)
    guess_right = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._made: Made | None = None
        self._question = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self._question.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom)
        self._question.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self._question.setAccessibleName("Question about the last take")
        self.keep = QPushButton("Keep")
        self.again = QPushButton("Say again")
        self.believe = QPushButton("It is a nine")
        self.keep.clicked.connect(self.clear)
        self.again.clicked.connect(lambda: self._answer(self.again_wanted.emit))
        self.believe.clicked.connect(lambda: self._answer(self.guess_right.emit))
        column(self._question, row(None, self.keep, self.again, self.believe, None, spacing=6), parent=self, spacing=4)
        policy = self.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.setSizePolicy(policy)
        self.setVisible(False)

    @property
    def question(self) -> str:
        """What is asked; empty if nothing is."""
        return "" if self._made is None else self._made.question

    def ask(self, made: Made) -> None:
        """Ask about a take; a former question counts as answered by Keep."""
        self._made = made
        self._question.setText(made.question)
        self.again.setText("Say again" if made.modality is Modality.SPEECH else "Draw again")
        self.believe.setVisible(made.guess is not None)
        if made.guess is not None:
            self.believe.setText(f"It is {'an' if made.guess == 8 else 'a'} {WORDS[made.guess]}")
        self.setVisible(True)

    def clear(self) -> None:
        """Ask nothing any more."""
        self._made = None
        self.setVisible(False)

    def _answer(self, send: Callable[[Made | None], None]) -> None:
        made = self._made
        self.clear()
        send(made)
