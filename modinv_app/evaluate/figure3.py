"""The paper's Figure 3 and Table 1: the effect of lambda_IG, measured here and in the paper."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QPushButton, QSizePolicy, QWidget

from model.evaluation.paper import PAPER_TABLE
from model.evaluation.report import Interval, Report
from model.evaluation.sweep_results import SweepResults
from model.recipes.recipe import lambda_text
from model.types import Modality
from modinv_app.common.card import Card, RuledTable, bold, muted, with_subscripts
from modinv_app.common.chart_choice import ChartChoice
from modinv_app.common.layouts import column, row
from modinv_app.evaluate.chart_legend import ChartLegend, Entry

_RIGHT = Qt.AlignmentFlag.AlignRight
_ENTRIES = (
    Entry("the paper, on TIDIGITS", "dashed"),
    Entry("chance", "dotted"),
    Entry("chosen model", "star"),
)
_NO_SWEEP = "There is no sweep yet, only the paper's curves. “modinv sweep” trains one; open its sweep.safetensors."
_COLUMNS: tuple[tuple[str, str, Callable[[Report], float]], ...] = (
    ("purity", "Cluster purity", lambda report: report.purity.mean),
    ("SVM", "Modality SVM", lambda report: report.modality_svm.mean),
    ("img→sp", "P@1, image to speech", lambda report: report.direction(Modality.IMAGE).retrieval.p_at_1),
    ("sp→img", "P@1, speech to image", lambda report: report.direction(Modality.SPEECH).retrieval.p_at_1),
)
_OF_PAPER = (("purity", "Cluster purity"), ("SVM", "Modality SVM"))


class Figure3Panel(QWidget):
    """A sweep over lambda_IG as curves and as a table, beside the paper's values.

    Signals
    -------
    open_wanted()
        The user wants to open another sweep.
    """

    open_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._results: SweepResults | None = None
        self._curve = ChartChoice()
        self._card = Card(with_subscripts("Measured against λ_IG"))
        self._card.body.setSpacing(6)
        self._card.body.addWidget(self._curve, 1)
        self._card.body.addWidget(muted(with_subscripts("λ_IG"), Qt.AlignmentFlag.AlignHCenter))
        self._card.body.addWidget(ChartLegend(_ENTRIES))
        self._table_card = Card("Mean over seeds, and the paper's")
        self._table: RuledTable | None = None
        self._source = muted(_NO_SWEEP)
        self._source.setWordWrap(True)
        self._source.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._open = QPushButton("Open a sweep…")
        self._open.setToolTip("Another result of “modinv sweep”")
        self._open.clicked.connect(self.open_wanted)
        cards = row((self._card, 11), (self._table_card, 9), spacing=10)
        column((cards, 1), row((self._source, 1), self._open), parent=self, margins=(10, 10, 10, 8))
        self._fill_table()

    @property
    def results(self) -> SweepResults | None:
        """The sweep that is shown, if there is one."""
        return self._results

    def show_sweep(self, results: SweepResults, source: str) -> None:
        """Show a sweep; ``source`` names it."""
        self._results = results
        self._source.setText(f"{source} · {_describe(results)}")
        self._curve.show_results(results)
        self._fill_table()

    def show_model(self, lambda_ig: float, report: Report | None) -> None:
        """Mark the evaluated model, or none."""
        self._curve.show_model(None if report is None else (lambda_ig, report))

    def _fill_table(self) -> None:
        if self._table is not None:
            self._table_card.body.removeWidget(self._table)
            self._table.hide()
            self._table.deleteLater()
        self._table = table = RuledTable(heads=2)
        table.grid.setHorizontalSpacing(9)
        table.grid.addWidget(muted("measured here", _RIGHT), 0, 1, 1, len(_COLUMNS))
        table.grid.addWidget(muted("the paper", _RIGHT), 0, len(_COLUMNS) + 1, 1, len(_OF_PAPER))
        table.grid.addWidget(bold(with_subscripts("λ_IG")), 1, 0)
        heads = [*((bold(short, _RIGHT), tip) for short, tip, _ in _COLUMNS)]
        heads += [(muted(short, _RIGHT), f"{tip}, paper") for short, tip in _OF_PAPER]
        for place, (head, tip) in enumerate(heads, start=1):
            head.setToolTip(tip)
            table.grid.addWidget(head, 1, place)
            table.grid.setColumnStretch(place, 1)
        swept = {run.lambda_ig for run in self._results.rows} if self._results else set()
        for line, lambda_ig in enumerate(sorted(swept | set(PAPER_TABLE)), start=2):
            table.grid.addWidget(QLabel(lambda_text(lambda_ig)), line, 0)
            table.grid.setRowStretch(line, 1)
            for place, (_, tip, of_report) in enumerate(_COLUMNS, start=1):
                found = self._results.over_seeds(lambda_ig, of_report) if lambda_ig in swept and self._results else None
                table.grid.addWidget(_cell(found, f"{tip}, λ_IG {lambda_text(lambda_ig)}"), line, place)
            theirs = PAPER_TABLE.get(lambda_ig)
            for place in range(len(_OF_PAPER)):
                label = muted("–" if theirs is None else f"{theirs[place]:.3f}", _RIGHT)
                table.grid.addWidget(label, line, len(_COLUMNS) + 1 + place)
        self._table_card.body.addWidget(table, 1)


def _cell(found: Interval | None, name: str) -> QLabel:
    label = QLabel("–" if found is None else f"{found.mean:.3f}", alignment=_RIGHT | Qt.AlignmentFlag.AlignVCenter)
    label.setAccessibleName(name)
    if found is not None:
        label.setToolTip(f"{name}\n" + ", ".join(f"{value:.3f}" for value in found.values))
    return label


def _describe(results: SweepResults) -> str:
    """Seeds and failures, in one line."""
    seeds = sorted({run.seed for run in results.rows})
    parts = [f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}"]
    if results.failures:
        parts.append(f"{len(results.failures)} failed")
    return " · ".join(parts)
