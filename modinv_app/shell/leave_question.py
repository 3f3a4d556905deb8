"""What shall become of a training when its window closes?"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QAbstractButton, QMessageBox, QWidget


class LeaveQuestion(QMessageBox):
    """Asks once, and is gone after the answer; to go on training needs no answer.

    Parameters
    ----------
    parent
        The window that would close.
    what
        What trains: a run, a sweep.
    where
        Where it can be resumed.
    discardable
        Whether it may be discarded, too.

    Signals
    -------
    keep_wanted(), discard_wanted()
        Stop and keep it; discard it.
    """

    keep_wanted = Signal()
    discard_wanted = Signal()

    def __init__(self, parent: QWidget, what: str, where: str, discardable: bool) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setIcon(QMessageBox.Icon.Question)
        self.setWindowTitle(f"A {what} is training")
        self.setText("Stop the training and close the window?")
        self.setInformativeText(f"A {what} that is kept goes on where it was with “Resume”, under {where}.")
        self._keep = self.addButton("Stop and keep", QMessageBox.ButtonRole.AcceptRole)
        self._discard: QAbstractButton | None = None
        if discardable:
            self._discard = self.addButton("Discard the run", QMessageBox.ButtonRole.DestructiveRole)
        self.setDefaultButton(self._keep)
        self.setEscapeButton(self.addButton("Go on training", QMessageBox.ButtonRole.RejectRole))
        self.buttonClicked.connect(self._answered)

    def _answered(self, button: QAbstractButton) -> None:
        if button is self._keep:
            self.keep_wanted.emit()
        elif button is self._discard:
            self.discard_wanted.emit()
