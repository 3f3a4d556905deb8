"""What a model is worth: the paper's numbers and figures for any model, its mistakes, and all of it to take away."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFileDialog, QMenu, QPushButton, QStackedWidget, QTabWidget, QVBoxLayout, QWidget

from model import locations
from model.evaluation.store import Evaluation
from model.evaluation.sweep_results import SweepResults
from model.types import FloatArray
from modinv_app.common.card import muted
from modinv_app.common.model_catalogue import Model, ModelCatalogue
from modinv_app.common.page import Page, Services
from modinv_app.evaluate.confusions import ConfusionsPanel
from modinv_app.evaluate.evaluation_bar import EvaluationBar
from modinv_app.evaluate.export_menu import ExportMenu, Needs
from modinv_app.evaluate.figure2 import Figure2Panel
from modinv_app.evaluate.figure3 import Figure3Panel
from modinv_app.evaluate.mistakes import MistakesPanel
from modinv_app.evaluate.numbers_table import NumbersTable
from modinv_app.evaluate.service import EvaluationService, Request
from modinv_app.evaluate.shares import SharesPanel

_UNKNOWN = "Not judged yet"
_NOTHING = "There is something to see once the model has been evaluated."


class EvaluatePage(Page):
    """Judges the loaded model, that of any run, or any file, and shows what was found.

    Parameters
    ----------
    service
        Judges and exports.
    catalogue
        The models that can be judged.
    """

    def __init__(self, service: EvaluationService, catalogue: ModelCatalogue) -> None:
        super().__init__()
        self._catalogue = catalogue
        self.service = service
        self._evaluation: Evaluation | None = None  # what shows
        self._title = ""
        self._sweep: Path | None = None
        self._asked: Request | None = None  # to be judged at once if it was not before
        self._row: Request | None = None  # to become a further row of Figure 2
        self._shown_before = False
        self._asked_to_sound: tuple[str, int] | None = None  # an utterance: its key, and its index among the items
        self.exports = ExportMenu(self)
        self.bar = EvaluationBar(self.exports)
        self.numbers = NumbersTable()
        self.figure2 = Figure2Panel(self.service.features_of)
        self.figure3 = Figure3Panel()
        self.confusions = ConfusionsPanel(self._features)
        self.mistakes = MistakesPanel(self._features)
        self.shares = SharesPanel()
        self.tabs = QTabWidget(documentMode=True)
        self._stages: dict[QWidget, _Stage] = {}
        self._unfilled: set[QWidget] = set()  # panels that do not show the evaluation yet
        self._lay_out()
        self._wire()

    def _lay_out(self) -> None:
        self.tabs.addTab(self.numbers, "Numbers")
        for panel, title in (
            (self.figure2, "Figure 2"),
            (self.figure3, "Figure 3"),
            (self.confusions, "Confusions"),
            (self.mistakes, "Mistakes"),
            (self.shares, "Speakers and digits"),
        ):
            if panel is self.figure3:
                self.tabs.addTab(panel, title)
            else:
                self._stages[panel] = _Stage(panel)
                self.tabs.addTab(self._stages[panel], title)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.bar)
        layout.addWidget(self.tabs, 1)

    def _wire(self) -> None:
        bar, service = self.bar, self.service
        bar.request_changed.connect(self._request_changed)
        bar.evaluate_wanted.connect(self._evaluate)
        bar.cancel_wanted.connect(service.cancel)
        bar.file_wanted.connect(self._ask_for_model)
        self.tabs.currentChanged.connect(self._fill)
        self.exports.chosen.connect(self._export)
        self.figure2.row_wanted.connect(self._offer_rows)
        self.figure2.play_wanted.connect(lambda shown, index: self.play_wanted.emit(shown.key(index)))
        for panel in (self.confusions, self.mistakes):
            panel.play_wanted.connect(self._play)
        self.figure3.open_wanted.connect(self._ask_for_sweep)
        self._catalogue.changed.connect(bar.show_models)
        bar.show_models(self._catalogue.models)
        service.corpora_found.connect(bar.show_corpora)
        service.looked_up.connect(self._looked_up)
        service.busy_changed.connect(self._show_busy)
        service.progressed.connect(bar.show_progress)
        service.partial.connect(self._show_partial)
        service.evaluated.connect(self._evaluated)
        service.stopped.connect(self._stopped)
        service.features_loaded.connect(self._repaint_items)
        service.sweep_loaded.connect(self._show_sweep)
        service.exported.connect(lambda path: self.informed.emit(f"Written: {path}"))
        service.failed.connect(self._failed)

    # What the window asks and tells

    @property
    def busy(self) -> bool:
        """Whether an evaluation or an export is on its way."""
        return self.service.busy

    def show_loaded(self, model: Model) -> None:
        """Say which model draws and speaks; it is chosen while no other one is."""
        self.bar.show_loaded(model)

    def open(self, path: str) -> None:
        """Judge the model of a file, or show what was found before."""
        if self.service.busy:
            self.failed.emit("Another model is being judged. Cancel that, or wait until it is done.", "")
            return
        self._catalogue.refresh()
        self.bar.choose(self._catalogue.of(Path(path)))
        self._asked = self.bar.request
        if self._asked is not None:
            self.service.look_up(self._asked)

    def show_playing(self, key: str | None) -> None:
        """Mark the utterance that sounds, by its key, or none."""
        asked, index = self._asked_to_sound or (None, None)
        for panel in (self.confusions, self.mistakes):
            panel.pairs.set_playing(index if key == asked else None)

    def release(self) -> None:
        """Let go of the thread."""
        self.service.close()

    def showEvent(self, event: QShowEvent) -> None:
        """Get ready for a click on Evaluate, and see what has changed meanwhile."""
        super().showEvent(event)
        self.service.prepare()
        self.service.look_around()
        self._catalogue.refresh()
        if not self._shown_before:
            self._shown_before = True
            self.service.load_sweep()

    # Judging

    def _request_changed(self, request: Request) -> None:
        self._forget()
        self.service.look_up(request)

    def _looked_up(self, request: Request, evaluation: Evaluation | None) -> None:
        if request == self._row:
            self._row_known(request, evaluation)
            return
        wanted = request == self._asked
        if wanted:
            self._asked = None
        if request != self.bar.request or self.service.busy:
            return
        if evaluation is not None:
            self._show(request, evaluation)
        elif wanted:
            self.service.evaluate(request)
        else:
            self.bar.say(_UNKNOWN)

    def _evaluate(self, request: Request) -> None:
        self._forget()
        self.service.evaluate(request)

    def _evaluated(self, request: Request, evaluation: Evaluation) -> None:
        if request == self._row:
            self._row_known(request, evaluation)
        elif request == self.bar.request:  # another model may have been loaded meanwhile
            self._show(request, evaluation)
        self.informed.emit(f"“{request.model.title}” is evaluated.")

    def _show_partial(self, request: Request, values: Mapping[str, Any]) -> None:
        if request == self.bar.request:
            self.numbers.show_numbers(values)

    def _stopped(self, request: Request) -> None:
        if request == self._row:
            self._row = None
        elif request == self.bar.request:
            self.numbers.show_numbers({})
            self.service.look_up(request)  # what was known before is still true

    def _show_busy(self, busy: bool) -> None:
        self.bar.set_busy(busy, self.service.evaluating)
        if not busy:
            self.bar.say(self._about())

    def _failed(self, text: str, details: str) -> None:
        self._row = self._asked = None
        self.failed.emit(text, details)

    # Showing

    def _forget(self) -> None:
        """What shows is of another model, or of other speech."""
        self._evaluation = None
        self.numbers.show_numbers({})
        self.figure3.show_model(0.0, None)
        for stage in self._stages.values():
            stage.show_panel(False)
        self._unfilled.clear()
        self._count_exports()
        self.bar.say("")

    def _show(self, request: Request, evaluation: Evaluation) -> None:
        self._evaluation, self._title = evaluation, request.model.title
        report = evaluation.report
        self.numbers.show_numbers(report.to_json_dict())
        self.figure3.show_model(report.setting["lambda_ig"], report)
        self.shares.show_report(report)
        self._unfilled = {self.figure2, self.confusions, self.mistakes}
        for stage in self._stages.values():
            stage.show_panel(True)
        self.bar.say(self._about())
        self._count_exports()
        self._fill()

    def _about(self) -> str:
        if self._evaluation is None:
            return _UNKNOWN if self.bar.request else ""
        return f"Judged in {self._evaluation.report.seconds:.0f} s"

    def _fill(self) -> None:
        """Let the panel that shows show the evaluation: those that nobody looks at can wait."""
        current = self.tabs.currentWidget()
        panel = current.panel if isinstance(current, _Stage) else None
        if self._evaluation is None or panel not in self._unfilled:
            return
        self._unfilled.discard(panel)
        if panel is self.figure2:
            self.figure2.show_model(self._title, self._evaluation)
        elif panel is self.confusions:
            self.confusions.show_evaluation(self._evaluation)
        else:
            self.mistakes.show_evaluation(self._evaluation)
        self.service.load_features(self._evaluation)  # last: reading them at once would hold up what is built here

    def _features(self, index: int) -> FloatArray | None:
        return None if self._evaluation is None else self.service.features_of(self._evaluation, index)

    def _repaint_items(self) -> None:
        for panel in (self.confusions, self.mistakes):
            panel.pairs.features_changed()

    def _play(self, index: int) -> None:
        if self._evaluation is not None:
            key = self._evaluation.key(index)
            self._asked_to_sound = key, index
            self.play_wanted.emit(key)

    def _ask_for_model(self) -> None:
        self._ask_for_file("Choose a model", lambda path: self.bar.choose(self._catalogue.of(Path(path))))

    # Figures of several models

    def _offer_rows(self, button: QPushButton) -> None:
        """Every model but those that are rows already."""
        menu = QMenu(button)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        shown = {title for title, _ in self.figure2.rows}
        for model in self.bar.all_models:
            if model.title not in shown:
                menu.addAction(model.title).triggered.connect(partial(self._add_row, model))
        if menu.isEmpty():
            menu.addAction("No other model: train one, or open a file").setEnabled(False)
        menu.popup(button.mapToGlobal(QPoint(0, -menu.sizeHint().height())))

    def _add_row(self, model: Model) -> None:
        """Judge it like the model that shows, if that was not done before."""
        if self._evaluation is not None and not self.service.busy:
            self._row = Request(model, self._evaluation.protocol)
            self.service.look_up(self._row)

    def _row_known(self, request: Request, evaluation: Evaluation | None) -> None:
        if evaluation is None:
            self.service.evaluate(request)
            return
        self._row = None
        self.figure2.add_row(request.model.title, evaluation)
        self.service.load_features(evaluation)

    def _ask_for_sweep(self) -> None:
        self._ask_for_file("Open a sweep", lambda path: self.service.load_sweep(Path(path)))

    def _show_sweep(self, results: SweepResults, file: Path) -> None:
        self._sweep = file
        shipped = file == locations.shipped_sweep()
        self.figure3.show_sweep(results, "The sweep that ships with modinv" if shipped else str(file))
        self._count_exports()

    def _count_exports(self) -> None:
        there: dict[Needs, bool] = {"model": self._evaluation is not None, "sweep": self._sweep is not None}
        self.exports.set_available(frozenset(needed for needed, is_there in there.items() if is_there))

    def _export(self, what: str, to: str) -> None:
        rows = self.figure2.rows if self._evaluation is not None and self.figure2 not in self._unfilled else []
        if not rows and self._evaluation is not None:
            rows = [(self._title, self._evaluation)]
        self.service.export(what, Path(to), rows, self._sweep)

    def _ask_for_file(self, title: str, chosen: Callable[[str], None]) -> None:
        dialog = QFileDialog(self, title)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters(["Files of modinv (*.safetensors)", "All files (*)"])
        dialog.fileSelected.connect(chosen)
        dialog.open()


def build(services: Services) -> EvaluatePage:
    """The page."""
    return EvaluatePage(EvaluationService(services.client), services.catalogue)


class _Stage(QStackedWidget):
    """A panel, or a word while it has nothing to show."""

    def __init__(self, panel: QWidget) -> None:
        super().__init__()
        self.panel = panel
        self._word = muted(_NOTHING, Qt.AlignmentFlag.AlignHCenter)
        self.addWidget(self._word)
        self.addWidget(panel)

    def show_panel(self, shown: bool) -> None:
        self.setCurrentWidget(self.panel if shown else self._word)
