"""The page that evaluates models: the paper's numbers and figures, mistakes, exports."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QMenu, QPushButton, QStackedWidget, QTabWidget, QWidget

from model import locations
from model.evaluation.robustness import Robustness
from model.evaluation.store import Evaluation
from model.evaluation.sweep_results import SweepResults
from model.types import FloatArray
from modinv_app.common.card import muted
from modinv_app.common.dialogs import ask_for_file
from modinv_app.common.layouts import column
from modinv_app.common.model_catalogue import Model, ModelCatalogue
from modinv_app.common.page import Page, Services
from modinv_app.evaluate.confusions import ConfusionsPanel
from modinv_app.evaluate.evaluation_bar import EvaluationBar
from modinv_app.evaluate.export_menu import ExportMenu, Needs
from modinv_app.evaluate.figure2 import Figure2Panel
from modinv_app.evaluate.figure3 import Figure3Panel
from modinv_app.evaluate.mistakes import MistakesPanel
from modinv_app.evaluate.noise import NoisePanel
from modinv_app.evaluate.numbers_table import NumbersTable
from modinv_app.evaluate.service import EvaluationService, Request
from modinv_app.evaluate.shares import SharesPanel

_NOT_EVALUATED = "Not evaluated yet"
_FILES = "Files of modinv (*.safetensors)"
_EMPTY = "This is shown once the model has been evaluated."


class EvaluatePage(Page):
    """Evaluates the loaded model, that of any run, or any file, and shows the results.

    Parameters
    ----------
    service
        Evaluates and exports.
    catalogue
        The models that can be evaluated.
    """

    def __init__(self, service: EvaluationService, catalogue: ModelCatalogue) -> None:
        super().__init__()
        self._catalogue = catalogue
        self.service = service
        self._evaluation: Evaluation | None = None  # the one that is shown
        self._title = ""
        self._robustness: Robustness | None = None  # complete
        self._sweep: Path | None = None
        self._asked: Request | None = None  # to be evaluated unless it was before
        self._row: Request | None = None  # to be added to Figure 2
        self._shown_before = False
        self._requested: tuple[str, int] | None = None  # key and item index of the utterance to play
        self.exports = ExportMenu(self)
        self.bar = EvaluationBar(self.exports)
        self.numbers = NumbersTable()
        self.figure2 = Figure2Panel(self.service.features_of)
        self.figure3 = Figure3Panel()
        self.confusions = ConfusionsPanel(self._features)
        self.mistakes = MistakesPanel(self._features)
        self.shares = SharesPanel()
        self.noise = NoisePanel()
        self.tabs = QTabWidget(documentMode=True)
        self._stacks: dict[QWidget, _PanelStack] = {}
        self._unfilled: set[QWidget] = set()  # panels that don't show the evaluation yet
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
            (self.noise, "Noise"),
        ):
            if panel in (self.figure3, self.noise):  # these don't show an evaluation
                self.tabs.addTab(panel, title)
            else:
                self._stacks[panel] = _PanelStack(panel)
                self.tabs.addTab(self._stacks[panel], title)
        column(self.bar, (self.tabs, 1), parent=self, spacing=0)

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
        self.noise.measure_wanted.connect(lambda: service.measure_in_noise(bar.request) if bar.request else None)
        service.robustness_known.connect(self._show_robustness)
        self._catalogue.changed.connect(bar.show_models)
        bar.show_models(self._catalogue.models)
        service.corpora_found.connect(bar.show_corpora)
        service.looked_up.connect(self._looked_up)
        service.busy_changed.connect(self._show_busy)
        service.progressed.connect(bar.show_progress)
        service.partial_report.connect(self._show_partial)
        service.evaluated.connect(self._evaluated)
        service.stopped.connect(self._stopped)
        service.features_loaded.connect(self._repaint_items)
        service.sweep_loaded.connect(self._show_sweep)
        service.exported.connect(lambda path: self.informed.emit(f"Written: {path}"))
        service.failed.connect(self._failed)

    # The interface to the window

    @property
    def busy(self) -> bool:
        """Whether an evaluation or an export is running."""
        return self.service.busy

    def show_loaded(self, model: Model) -> None:
        self.bar.show_loaded(model)

    def open(self, path: str) -> None:
        """Evaluate the model of a file, or show its former evaluation."""
        if self.service.busy:
            self.failed.emit("Another model is being evaluated. Cancel that, or wait until it is done.", "")
            return
        self._catalogue.refresh()
        self.bar.choose(self._catalogue.of(Path(path)))
        self._asked = self.bar.request
        if self._asked is not None:
            self.service.look_up(self._asked)

    def show_playing(self, key: str | None) -> None:
        key_played, index = self._requested or (None, None)
        for panel in (self.confusions, self.mistakes):
            panel.pairs.set_playing(index if key == key_played else None)

    def release(self) -> None:
        self.service.close()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.service.prepare()
        self.service.find_corpora()
        self._catalogue.refresh()
        if not self._shown_before:
            self._shown_before = True
            self.service.load_sweep()
        elif self.bar.request is not None and not self.service.busy:
            # Items may have been left out or relabelled meanwhile: then there is another evaluation, or none.
            self.service.look_up(self.bar.request)
            self.service.look_up_in_noise(self.bar.request)

    # Evaluating

    def _request_changed(self, request: Request) -> None:
        self._forget()
        self._show_robustness(request, None, None)
        self.noise.set_ready(not self.service.busy)
        self.service.look_up(request)
        self.service.look_up_in_noise(request)

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
            if self._evaluation is None or self._evaluation.folder != evaluation.folder:
                self._show(request, evaluation)
        elif wanted:
            self.service.evaluate(request)
        else:
            if self._evaluation is not None:
                self._forget()
            self.bar.say(_NOT_EVALUATED)

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
            self.service.look_up(request)  # there may be a former evaluation

    def _show_busy(self, busy: bool) -> None:
        self.bar.set_busy(busy, self.service.stoppable)
        self.noise.set_ready(not busy and self.bar.request is not None)
        if not busy:
            self.bar.say(self._about())

    def _failed(self, text: str, details: str) -> None:
        self._row = self._asked = None
        self.failed.emit(text, details)

    def _show_robustness(self, request: Request, found: Robustness | None, made: Robustness | None) -> None:
        if request == self.bar.request:
            self._robustness = found if found is not None and found.complete else None
            self.noise.show_robustness(found, made)
            self._count_exports()

    # Results

    def _forget(self) -> None:
        """Clear all panels: another model or other data were chosen."""
        self._evaluation = None
        self.numbers.show_numbers({})
        self.figure3.show_model(0.0, None)
        for stack in self._stacks.values():
            stack.show_panel(False)
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
        for stack in self._stacks.values():
            stack.show_panel(True)
        self.bar.say(self._about())
        self._count_exports()
        self._fill()

    def _about(self) -> str:
        if self._evaluation is None:
            return _NOT_EVALUATED if self.bar.request else ""
        return f"Evaluated in {self._evaluation.report.seconds:.0f} s"

    def _fill(self) -> None:
        """Fill the visible panel; the others are filled when they are shown."""
        current = self.tabs.currentWidget()
        panel = current.panel if isinstance(current, _PanelStack) else None
        if self._evaluation is None or panel not in self._unfilled:
            return
        self._unfilled.discard(panel)
        if panel is self.figure2:
            self.figure2.show_model(self._title, self._evaluation)
        elif panel is self.confusions:
            self.confusions.show_evaluation(self._evaluation)
        else:
            self.mistakes.show_evaluation(self._evaluation)
        self.service.load_features(self._evaluation)  # last: reading would delay the widgets that are built here

    def _features(self, index: int) -> FloatArray | None:
        return None if self._evaluation is None else self.service.features_of(self._evaluation, index)

    def _repaint_items(self) -> None:
        for panel in (self.confusions, self.mistakes):
            panel.pairs.features_changed()

    def _play(self, index: int) -> None:
        if self._evaluation is not None:
            key = self._evaluation.key(index)
            self._requested = key, index
            self.play_wanted.emit(key)

    def _ask_for_model(self) -> None:
        ask_for_file(self, "Choose a model", _FILES, lambda path: self.bar.choose(self._catalogue.of(Path(path))))

    # Figures of several models

    def _offer_rows(self, button: QPushButton) -> None:
        """Offer all models that are not in the figure."""
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
        """Add a model, which is evaluated by the same protocol unless it was before."""
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
        ask_for_file(self, "Open a sweep", _FILES, lambda path: self.service.load_sweep(Path(path)))

    def _show_sweep(self, results: SweepResults, file: Path) -> None:
        self._sweep = file
        shipped = file == locations.shipped_sweep()
        self.figure3.show_sweep(results, "The sweep that ships with modinv" if shipped else str(file))
        self._count_exports()

    def _count_exports(self) -> None:
        there: dict[Needs, bool] = {
            "model": self._evaluation is not None,
            "sweep": self._sweep is not None,
            "noise": self._robustness is not None,
        }
        self.exports.set_available(frozenset(needed for needed, is_there in there.items() if is_there))

    def _export(self, what: str, to: str) -> None:
        rows = self.figure2.rows if self._evaluation is not None and self.figure2 not in self._unfilled else []
        if not rows and self._evaluation is not None:
            rows = [(self._title, self._evaluation)]
        title = self.bar.request.model.title if self.bar.request else ""
        noisy = [(title, self._robustness)] if self._robustness else []
        self.service.export(what, Path(to), rows, self._sweep, noisy)


def build(services: Services) -> EvaluatePage:
    return EvaluatePage(EvaluationService(services.client), services.catalogue)


class _PanelStack(QStackedWidget):
    """A panel, or a text while it is empty."""

    def __init__(self, panel: QWidget) -> None:
        super().__init__()
        self.panel = panel
        self._word = muted(_EMPTY, Qt.AlignmentFlag.AlignHCenter)
        self.addWidget(self._word)
        self.addWidget(panel)

    def show_panel(self, shown: bool) -> None:
        self.setCurrentWidget(self.panel if shown else self._word)
