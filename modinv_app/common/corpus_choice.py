"""The choice of speech corpora to train on, and the download of a missing one."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QProgressBar, QPushButton, QVBoxLayout, QWidget

from modinv_app.common.card import muted
from modinv_app.common.check_box import CheckBox
from modinv_app.common.data_service import AvailableCorpus, DataService
from modinv_app.common.layouts import column, row
from modinv_app.common.note import Note

_NO_HUMAN = "A model that is not trained on human speech recognises people badly."


class CorpusChoice(QWidget):
    """A check box for each corpus of speech, and a download button where one is missing.

    Signals
    -------
    changed()
        Other corpora are chosen.
    download_wanted(str), download_unwanted()
        Download the corpus of this name; stop the download.
    """

    changed = Signal()
    download_wanted = Signal(str)
    download_unwanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._corpora: tuple[AvailableCorpus, ...] = ()
        self._boxes: dict[str, CheckBox] = {}
        self._unwanted: set[str] = set()  # unchecked by the user, installed or not
        self._wanted: set[str] | None = None  # chosen before the corpora were known
        self._problem = ""
        self._rows = QVBoxLayout()
        self._rows.setSpacing(2)
        self._advice = muted(_NO_HUMAN)  # always shown, or the form would move under the mouse
        self._advice.setWordWrap(True)
        self._note = Note()
        self._get = QPushButton()
        self._get.clicked.connect(self._ask_for_download)
        self._bar = QProgressBar(textVisible=False)
        self._bar.setFixedHeight(6)
        self._bar.setAccessibleName("Download")
        self._cancel = QPushButton("Cancel")
        self._cancel.setToolTip("The downloaded part is kept, and the download can be resumed later")
        self._cancel.clicked.connect(self.download_unwanted)
        download = row((self._bar, 1), self._cancel)
        column(self._rows, self._advice, self._note, self._get, download, parent=self, spacing=4)
        self._show_download(False)
        self._show()

    def connect_to(self, data: DataService) -> None:
        """Show the corpora that a service finds, and have it download."""
        self.download_wanted.connect(data.download)
        self.download_unwanted.connect(data.stop)
        data.found.connect(self.show_corpora)
        data.progressed.connect(self.show_progress)
        data.ended.connect(self.show_problem)

    def show_corpora(self, corpora: Sequence[AvailableCorpus]) -> None:
        """Offer these corpora; those that are trained on by default are checked unless the user has chosen others."""
        before = self.chosen()
        self._corpora = tuple(corpora)
        for name in self._boxes.keys() - {corpus.info.name for corpus in corpora}:
            self._boxes.pop(name).deleteLater()  # a folder that was removed
        for corpus in corpora:
            name = corpus.info.name
            if name not in self._boxes:
                box = CheckBox(corpus.title)
                box.clicked.connect(lambda on, name=name: self._choose(name, on))
                self._boxes[name] = box
                wanted = corpus.info.trained_by_default if self._wanted is None else name in self._wanted
                if not wanted:
                    self._unwanted.add(name)
                self._rows.addWidget(box)
        self._show_download(False)
        self._show()
        if self.chosen() != before:
            self.changed.emit()

    def chosen(self) -> tuple[str, ...]:
        """The names of the corpora to train on."""
        return tuple(c.info.name for c in self._corpora if c.installed and c.info.name not in self._unwanted)

    def choose(self, names: Sequence[str]) -> None:
        """Choose these corpora, as far as they are installed."""
        self._wanted = set(names)
        self._unwanted = {corpus.info.name for corpus in self._corpora} - self._wanted
        self._show()
        self.changed.emit()

    def show_progress(self, share: float | None) -> None:
        """Show the progress of a download in [0, 1]; None while it is unknown."""
        self._problem = ""
        self._show_download(True)
        self._bar.setRange(0, 0 if share is None else 1000)
        self._bar.setValue(round(1000 * (share or 0)))
        self._show()

    def show_problem(self, why: str) -> None:
        """Say why a download has failed and what to do; an empty text if the user stopped it."""
        self._problem = why
        self._show_download(False)
        self._show()

    def _choose(self, name: str, on: bool) -> None:
        (self._unwanted.discard if on else self._unwanted.add)(name)
        self._show()
        self.changed.emit()

    def _ask_for_download(self) -> None:
        corpus = self._missing()
        if corpus is not None:
            self.show_progress(None)
            self.download_wanted.emit(corpus.info.name)

    def _missing(self) -> AvailableCorpus | None:
        """The corpus that could be downloaded."""
        return next((corpus for corpus in self._corpora if corpus.info.offer and not corpus.installed), None)

    def _show_download(self, on: bool) -> None:
        self._bar.setVisible(on)
        self._cancel.setVisible(on)

    def _show(self) -> None:
        """Update boxes, note and button."""
        chosen = self.chosen()
        for name, box in self._boxes.items():  # the user's own corpus may be gone again
            box.setVisible(any(corpus.info.name == name for corpus in self._corpora))
        for corpus in self._corpora:
            box = self._boxes[corpus.info.name]
            box.setEnabled(corpus.installed)
            box.setChecked(corpus.info.name in chosen)
            box.setToolTip("" if corpus.installed else f"{corpus.info.title} is not installed")
        advise = bool(self._corpora) and not any(c.info.human and c.info.name in chosen for c in self._corpora)
        self._advice.setForegroundRole(QPalette.ColorRole.WindowText if advise else QPalette.ColorRole.PlaceholderText)
        self._note.show_text(self._problem)
        missing = self._missing()
        self._get.setVisible(missing is not None and self._cancel.isHidden())
        if missing is not None:
            self._get.setText(f"Get human voices ({missing.info.offer})")
            self._get.setToolTip(f"Download the {missing.info.title} from where it is published")
