"""The question what to do with a training when the window closes."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QAbstractButton, QMessageBox, QWidget

from modinv_app.common.page import Trainer


class LeaveQuestion(QMessageBox):
    """Asks whether to keep or discard what trains, or to go on.

    Parameters
    ----------
    parent
        The window that would close.
    trainer
        What trains, and how to stop it.

    Signals
    -------
    end_wanted(object)
        The function of the trainer that stops it as chosen.
    """

    end_wanted = Signal(object)

    def __init__(self, parent: QWidget, trainer: Trainer) -> None:
        super().__init__(parent)
        self._trainer, what = trainer, trainer.what
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setIcon(QMessageBox.Icon.Question)
        self.setWindowTitle(f"A {what} is training")
        self.setText("Stop the training and close the window?")
        self.setInformativeText(f"A {what} that is kept can be continued by “Resume”, under {trainer.where}.")
        self._keep = self.addButton("Stop and keep", QMessageBox.ButtonRole.AcceptRole)
        self._discard: QAbstractButton | None = None
        if trainer.discard is not None:
            self._discard = self.addButton(f"Discard the {what}", QMessageBox.ButtonRole.DestructiveRole)
        self.setDefaultButton(self._keep)
        self.setEscapeButton(self.addButton("Go on training", QMessageBox.ButtonRole.RejectRole))
        self.buttonClicked.connect(self._answered)

    def _answered(self, button: QAbstractButton) -> None:
        if button is self._keep:
            self.end_wanted.emit(self._trainer.stop)
        elif button is self._discard:
            self.end_wanted.emit(self._trainer.discard)
