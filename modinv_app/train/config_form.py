"""The form of a training configuration."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from model.data.corpora import find, preferred
from model.recipes.recipe import FAST
from model.training.config import TrainingConfig
from model.types import Modality
from modinv_app.common.card import bold, with_subscripts
from modinv_app.common.collapsible import Collapsible
from modinv_app.common.corpus_choice import CorpusChoice
from modinv_app.common.lambda_dial import LambdaDial
from modinv_app.common.layouts import column, form
from modinv_app.common.recipe_choice import RecipeChoice
from modinv_app.common.wheel import ComboBox, SpinBox


class TrainingConfigForm(QWidget):
    """lambda_IG, recipe, data, start, device and seed; the recipe's values are under "Advanced".

    Signals
    -------
    changed()
        The configuration has changed, perhaps to one that can't be trained.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._build()
        self._lay_out()

    def _build(self) -> None:
        self.dial = LambdaDial()
        self.dial.set_value(FAST.lambda_ig)
        self.dial.value_changed.connect(self.changed)
        self._recipe = RecipeChoice(self)
        self._recipe.changed.connect(self._show_dial)
        self._recipe.changed.connect(self.changed)
        self.corpora = CorpusChoice()
        self.corpora.changed.connect(self.changed)
        self._start = ComboBox()
        self._start.setAccessibleName("Start")
        self._start.addItem("From scratch")
        self._start.activated.connect(self.changed)
        self._device = ComboBox()
        self._device.setAccessibleName("Device")
        self._device.setSizeAdjustPolicy(ComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._device.addItem("Automatic", "auto")
        self._device_wanted = "auto"  # it may be chosen before the devices are known
        self._device.activated.connect(self._choose_device)
        self._seed = SpinBox(maximum=2**31 - 1)
        self._seed.setFixedWidth(12 * self.fontMetrics().averageCharWidth() + 30)
        self._seed.setAccessibleName("Seed")
        self._seed.setToolTip("Fixes every random choice: the same seed, configuration and device give the same model")
        self._seed.valueChanged.connect(self.changed)
        self._held_out_speaker = QLineEdit(placeholderText="nobody")
        self._held_out_speaker.setAccessibleName("Leave out a speaker")
        self._held_out_speaker.setToolTip("A speaker to exclude from training, for evaluation, for example jackson")
        self._held_out_speaker.editingFinished.connect(self.changed)

    def _lay_out(self) -> None:
        self._dial_title = bold(with_subscripts("λ_IG, the weight of the information gain"))
        data = bold(f"Learn from {find(preferred(Modality.IMAGE)).info.title}'s images and")
        rows, speaker, advanced = form(), form(), QWidget()
        rows.addRow("Recipe", self._recipe.box)
        rows.addRow("Start", self._start)
        rows.addRow("Device", self._device)
        rows.addRow("Seed", self._seed)
        speaker.addRow("Leave out a speaker", self._held_out_speaker)
        column(self._recipe.fields, speaker, parent=advanced, margins=(12, 0, 0, 0), spacing=10)
        self.advanced = Collapsible("Advanced", advanced)
        parts = (self._dial_title, self.dial, data, self.corpora, rows, self.advanced)
        column(*parts, None, parent=self, spacing=10)

    def config(self) -> TrainingConfig:
        """The chosen configuration.

        Raises
        ------
        ValueError
            If it can't be trained: why, and what to do.
        """
        speech, start = self.corpora.chosen(), self._start.currentData()
        if not speech:
            raise ValueError("Choose at least one corpus of speech to learn from.")
        return TrainingConfig(
            recipe=self._recipe.recipe(self.dial.value),
            corpora=(preferred(Modality.IMAGE), *speech),
            seed=self._seed.value(),
            device=self._device.currentData(),
            held_out_speaker=self._held_out_speaker.text().strip(),
            start=Path(start) if start else None,
        )

    def set_config(self, config: TrainingConfig) -> None:
        """Choose a configuration, as far as it is available here."""
        with QSignalBlocker(self):
            self.dial.set_value(config.recipe.lambda_ig)
            self._recipe.set_recipe(config.recipe)
            self._show_dial()
            self.corpora.choose(config.speech)
            self._seed.setValue(config.seed)
            self._held_out_speaker.setText(config.held_out_speaker)
            self._device_wanted = config.device
            self._device.setCurrentIndex(max(0, self._device.findData(config.device)))
            self._start.setCurrentIndex(max(0, self._start.findData(str(config.start))) if config.start else 0)
        self.changed.emit()

    def show_devices(self, devices: Sequence[tuple[str, str]]) -> None:
        """Offer devices: names for PyTorch and for the user."""
        self._device.clear()
        for name, title in devices:
            self._device.addItem(title, name)
            self._device.setItemData(self._device.count() - 1, title, Qt.ItemDataRole.ToolTipRole)
        self._device.setCurrentIndex(max(0, self._device.findData(self._device_wanted)))
        self._device.setToolTip(self._device.currentText())

    def show_loaded(self, path: Path, title: str) -> None:
        """Offer to start from the model that is loaded."""
        chosen = self._start.currentIndex()
        while self._start.count() > 1:
            self._start.removeItem(1)
        self._start.addItem(f"From the loaded model: {title}", str(path))
        self._start.setCurrentIndex(chosen)

    def _show_dial(self) -> None:
        for part in (self._dial_title, self.dial):
            part.setVisible(self._recipe.has_lambda_ig)

    def _choose_device(self) -> None:
        self._device_wanted = self._device.currentData()
        self._device.setToolTip(self._device.currentText())
        self.changed.emit()
