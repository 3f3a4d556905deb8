"""The choice of the model in use, in the window's header."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QComboBox, QLabel, QProgressBar, QSizePolicy, QWidget

from modinv_app.common.layouts import row
from modinv_app.common.model_catalogue import Model

_HEADINGS = {"shipped": "", "run": "Trained here", "file": "Opened from files"}
_OPEN = "Open a file…"


class ModelSwitcher(QWidget):
    """A combo box of models, and a busy indicator while one is loading.

    Signals
    -------
    model_wanted(Model)
        The user has chosen another model.
    file_wanted()
        The user wants to choose a model's file.
    opening()
        The list is about to be shown.
    """

    model_wanted = Signal(object)
    file_wanted = Signal()
    opening = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._loaded: Model | None = None
        self._loading: Model | None = None
        self._models: Sequence[Model] = ()
        self._box = _Box()
        self._box.setAccessibleName("Model in use")
        self._box.opening.connect(self.opening)
        self._box.activated.connect(self._picked)
        self._progress = QProgressBar(textVisible=False, minimum=0, maximum=0)
        self._progress.setFixedSize(QSize(6 * self.fontMetrics().averageCharWidth(), 6))
        self._progress.setAccessibleName("A model is loading")
        policy = self._progress.sizePolicy()
        policy.setRetainSizeWhenHidden(True)  # so that nothing moves when it appears
        self._progress.setSizePolicy(policy)
        label = QLabel("Model")
        label.setBuddy(self._box)
        label.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        row(self._progress, label, self._box, parent=self)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._fill()

    def show_models(self, models: Sequence[Model]) -> None:
        """Offer these models."""
        self._models = models
        self._fill()

    def show_loaded(self, model: Model) -> None:
        """Show which model is in use."""
        self._loaded = model
        self.end_loading(model)

    def show_loading(self, model: Model) -> None:
        """Show which model is being loaded."""
        self._loading = model
        self._show_current()

    def end_loading(self, model: Model) -> None:
        """Note that a model was loaded, or could not be; a later one may still be loading."""
        if self._loading == model:
            self._loading = None
        self._show_current()

    def _fill(self) -> None:
        rows = QStandardItemModel(self._box)
        heading = ""
        for model in self._models:
            if heading != _HEADINGS[model.origin]:
                heading = _HEADINGS[model.origin]
                rows.appendRow(_heading(heading))
            item = QStandardItem(model.title)
            item.setData(model, Qt.ItemDataRole.UserRole)
            item.setToolTip(str(model.file))
            rows.appendRow(item)
        rows.appendRow(QStandardItem(_OPEN))
        with QSignalBlocker(self._box):
            self._box.setModel(rows)
        self._show_current()

    def _show_current(self) -> None:
        self._progress.setVisible(self._loading is not None)
        model = self._loading or self._loaded
        places = (place for place in range(self._box.count()) if model and self._box.itemData(place) == model)
        self._box.setCurrentIndex(next(places, -1))
        self._box.setPlaceholderText("" if model is None else model.title)
        verb = "is loading" if self._loading else "is in use"
        self._box.setToolTip("" if model is None else f"“{model.title}” {verb}\n{model.file}")

    def _picked(self, place: int) -> None:
        model = self._box.itemData(place)
        self._show_current()
        if model is None:
            self.file_wanted.emit()
        elif model != (self._loading or self._loaded):
            self.model_wanted.emit(model)


class _Box(QComboBox):
    """A combo box that emits a signal before its list is shown."""

    opening = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(22)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def showPopup(self) -> None:
        self.opening.emit()
        super().showPopup()


def _heading(text: str) -> QStandardItem:
    item = QStandardItem(text)
    item.setFlags(Qt.ItemFlag.NoItemFlags)
    return item
