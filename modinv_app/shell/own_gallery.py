"""Lets the user's takes join the gallery that queries retrieve from."""

from __future__ import annotations

from PySide6.QtCore import QObject

from model.data.takes import Take
from model.retrieval.gallery import Gallery
from modinv_app.common import settings as chosen
from modinv_app.common.settings import Answers, Settings
from modinv_app.common.take_library import TakeLibrary
from modinv_app.explore.model_service import ModelService
from modinv_app.shell.page_bar import Pages


class OwnGallery(QObject):
    """Keeps the gallery as the user has chosen.

    It changes while Explore is shown, or when it is shown next, not with each take that is made.
    """

    def __init__(
        self, settings: Settings, library: TakeLibrary, model: ModelService, pages: Pages, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._settings, self._library, self._model, self._pages = settings, library, model, pages
        self._used: tuple[Answers, tuple[Take, ...]] = ("shipped", ())
        library.set_answers(settings.get(chosen.ANSWERS))
        library.answers_changed.connect(self._choose)
        library.listed.connect(self._update)
        pages.turned.connect(self._update)

    def start(self) -> None:
        """Look for takes, once the model is loaded."""
        self._library.refresh()

    def _choose(self, answers: Answers) -> None:
        self._settings.set(chosen.ANSWERS, answers)
        self._update()

    def _update(self, _changed: object = None) -> None:
        """Have the gallery made, unless it is as chosen or not seen."""
        if self._pages.current != "explore" or self._model.retriever is None:
            return
        takes = tuple(take for take in self._library.listing.takes if not take.excluded)
        answers: Answers = self._library.answers if takes else "shipped"
        wanted = (answers, takes if answers != "shipped" else ())
        if wanted == self._used:
            return
        self._used = wanted
        if answers == "shipped":
            self._model.use_takes(None, False)
        else:
            self._library.make_gallery(lambda gallery: self._join(gallery, wanted))

    def _join(self, gallery: Gallery, wanted: tuple[Answers, tuple[Take, ...]]) -> None:
        if wanted == self._used:  # and not another one meanwhile
            self._model.use_takes(gallery, wanted[0] == "mine")
