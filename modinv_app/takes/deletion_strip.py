"""Offers to bring back what was deleted last."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from model.data.takes import Deletion
from modinv_app.common.take_library import TakeLibrary
from modinv_app.common.undo_strip import UndoStrip


class DeletionStrip(UndoStrip):
    """The last deletion of takes or people, with its undo."""

    def __init__(self, library: TakeLibrary, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._library = library
        self._deletion: Deletion | None = None
        library.deleted.connect(self._offer)
        self.undo_wanted.connect(self._restore)

    def _offer(self, deletion: Deletion, words: str) -> None:
        self._deletion = deletion
        self.offer(words)

    def _restore(self) -> None:
        if self._deletion is not None:
            self._library.restore(self._deletion)
            self._deletion = None
