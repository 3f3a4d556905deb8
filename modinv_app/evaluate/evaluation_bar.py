"""The bar above the results: model, data, progress and export."""

from __future__ import annotations

from collections.abc import Sequence, Set

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import QComboBox, QLabel, QMenu, QProgressBar, QPushButton, QSizePolicy, QWidget

from model.data.corpora import CorpusInfo, find, infos, preferred, registry
from model.evaluation.protocol import EvaluationProtocol, HeldOut
from model.types import Modality
from modinv_app.common.card import muted
from modinv_app.common.layouts import row
from modinv_app.common.model_catalogue import Model
from modinv_app.evaluate.service import Request

_OPEN = "Open a file…"
_SPLITS: tuple[HeldOut, ...] = ("test", "validation")


class EvaluationBar(QWidget):
    """Chooses a model and test data, and shows the progress of an evaluation.

    Signals
    -------
    request_changed(Request)
        The model or the data have changed.
    evaluate_wanted(Request), cancel_wanted()
        Start, or cancel, an evaluation.
    file_wanted()
        The user wants to choose a model's file.
    """

    request_changed = Signal(object)
    evaluate_wanted = Signal(object)
    cancel_wanted = Signal()
    file_wanted = Signal()

    def __init__(self, exports: QMenu) -> None:
        super().__init__()
        self._models: list[Model] = []
        self._loaded: Model | None = None
        self._chosen: Model | None = None
        # Until the installed ones are known:
        self._installed: Set[str] = {info.name for info in infos(Modality.SPEECH) if info.ships}
        self._picked = False  # whether the user has chosen the speech: then it is not changed
        self._request: Request | None = None

        self.models = QComboBox()
        self.models.setAccessibleName("Model")
        self.models.setToolTip("The model to evaluate: the loaded one, that of a run, or any file")
        self.models.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.models.setMinimumContentsLength(18)
        self.models.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.models.setMaximumWidth(60 * self.fontMetrics().averageCharWidth())
        self.models.activated.connect(self._model_picked)
        images = find(preferred(Modality.IMAGE)).info
        self.speech = QComboBox()
        self.speech.setAccessibleName("Speech")
        self.speech.setToolTip(f"The utterances that it is evaluated on; the images are those of {images.title}")
        self._offer_speech()
        self.speech.activated.connect(self._speech_picked)
        self.split = QComboBox()
        self.split.setAccessibleName("Split")
        self.split.setToolTip("Compare and choose on validation data; look at test data once")
        for split in _SPLITS:
            self.split.addItem(f"{split} data", split)
        self.split.activated.connect(self._show_available)
        self.button = QPushButton("Evaluate")
        self.button.clicked.connect(self._pressed)
        self._text = muted()
        self._text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._progress = QProgressBar(textVisible=False, maximum=1000)
        self._progress.setFixedHeight(6)
        self._progress.setFixedWidth(12 * self.fontMetrics().averageCharWidth())
        self._progress.setAccessibleName("Progress of the evaluation")
        policy = self._progress.sizePolicy()
        policy.setRetainSizeWhenHidden(True)  # so that nothing moves when it appears
        self._progress.setSizePolicy(policy)
        self.export = QPushButton("Export")
        self.export.setMenu(exports)

        row(
            *((self.models, 1), QLabel("on"), self.speech, self.split, self.button),
            *((self._text, 1), self._progress, self.export),
            parent=self,
            margins=(10, 6, 10, 6),
            spacing=8,
        )
        self.set_busy(False, False)
        self._fill()

    @property
    def request(self) -> Request | None:
        """The chosen model and data; None while there is no model."""
        return self._request

    @property
    def all_models(self) -> list[Model]:
        """All models that can be chosen."""
        return list(self._models)

    def show_loaded(self, model: Model) -> None:
        """Offer the model that is in use; it is chosen unless another one is."""
        was_chosen = self._chosen == self._loaded
        self._loaded = model
        self._fill()
        if was_chosen:
            self.choose(model)

    def show_models(self, models: Sequence[Model]) -> None:
        """Offer these models."""
        self._models = list(models)
        self._chosen = next((model for model in models if model == self._chosen), self._chosen)  # it may be renamed
        self._fill()
        self._take_request()

    def show_corpora(self, installed: Set[str]) -> None:
        """Offer only installed corpora, and choose human speech by default."""
        self._installed = installed
        self._offer_speech()
        self._show_available()

    def _offer_speech(self) -> None:
        """List the corpora that are installed or obtainable."""
        chosen = self.speech.currentData()
        self.speech.clear()
        for info in infos(Modality.SPEECH):
            if info.obtainable or info.name in self._installed:
                self.speech.addItem(_title(info), info.name)
        self.speech.setCurrentIndex(max(0, self.speech.findData(chosen)))

    def _show_available(self) -> None:
        split = self.split.currentData()
        rows = self.speech.model()
        assert isinstance(rows, QStandardItemModel)
        ready: list[str] = []
        for place in range(self.speech.count()):
            name = self.speech.itemData(place)
            obstacle = self._obstacle(name, split)
            rows.item(place).setEnabled(not obstacle)
            rows.item(place).setToolTip(obstacle)
            if not obstacle:
                ready.append(name)
        if ready and (self.speech.currentData() not in ready or not self._picked):
            self.speech.setCurrentIndex(self.speech.findData(preferred(Modality.SPEECH, ready)))
        self._take_request()

    def choose(self, model: Model) -> None:
        """Choose one of the models."""
        self._chosen = model
        self._show_chosen()
        self._take_request()

    def set_busy(self, busy: bool, stoppable: bool) -> None:
        """Allow no other choice while an evaluation or export is running."""
        for chooser in (self.models, self.speech, self.split):
            chooser.setEnabled(not busy)
        self.export.setEnabled(not busy)
        self._progress.setVisible(busy)
        self.button.setText("Cancel" if busy else "Evaluate")
        self.button.setEnabled(stoppable if busy else self._request is not None)

    def show_progress(self, share: float | None, text: str) -> None:
        """Show progress in [0, 1], None if unknown, and what is being done."""
        self._progress.setRange(0, 0 if share is None else 1000)
        self._progress.setValue(round(1000 * (share or 0.0)))
        self.say(text)

    def say(self, text: str) -> None:
        """Show a text beside the button."""
        self._text.setText(text)
        self._text.setToolTip(text)

    def show_stopping(self) -> None:
        """Show that a cancelled evaluation is still stopping."""
        self.button.setText("Stopping…")
        self.button.setEnabled(False)

    def _fill(self) -> None:
        self.models.clear()
        for model in self._models:
            self.models.addItem(f"{model.title} (loaded)" if model == self._loaded else model.title)
            self.models.setItemData(self.models.count() - 1, str(model.file), Qt.ItemDataRole.ToolTipRole)
        self.models.insertSeparator(self.models.count())
        self.models.addItem(_OPEN)
        self._show_chosen()

    def _show_chosen(self) -> None:
        self.models.setCurrentIndex(self._models.index(self._chosen) if self._chosen in self._models else -1)

    def _model_picked(self, place: int) -> None:
        if place < len(self._models):
            self._chosen = self._models[place]
            self._take_request()
        else:
            self._show_chosen()
            self.file_wanted.emit()

    def _speech_picked(self) -> None:
        self._picked = True
        self._take_request()

    def _obstacle(self, speech: str, split: HeldOut) -> str:
        """Why a split of a speech corpus can't be used; empty if it can."""
        if speech not in registry():  # it was on the list a moment ago
            return "was removed from the list of corpora"
        info = registry()[speech].info
        if speech not in self._installed:
            return f"not installed: {'download it on the Train page' if info.source else f'get it from {info.origin}'}"
        return "" if split in info.splits else f"has no {split} data"

    def _take_request(self) -> None:
        speech, split = self.speech.currentData(), self.split.currentData()
        wanted = None
        if self._chosen is not None and not self._obstacle(speech, split):
            wanted = Request(self._chosen, EvaluationProtocol(speech=speech, split=split))
        is_another = wanted != self._request
        self._request = wanted
        if is_another:
            self.button.setEnabled(wanted is not None)
            if wanted is not None:
                self.request_changed.emit(wanted)

    def _pressed(self) -> None:
        if self.button.text() == "Cancel":
            self.show_stopping()
            self.cancel_wanted.emit()
        elif self._request is not None:
            self.evaluate_wanted.emit(self._request)


def _title(info: CorpusInfo) -> str:
    return f"{info.voices} ({info.label})" if info.voices else info.title
