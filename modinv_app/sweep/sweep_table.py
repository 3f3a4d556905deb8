"""The table of a sweep's runs, with their numbers and states."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

from model.sweeps.records import SweptRun
from modinv_app.common.run_entry import ACTIVE, STATES

_HEADS = ("Model", "Seed", "Purity", "SVM", "")
_ROW_GAP = 6  # pixels between two rows
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class SweepTable(QTreeWidget):
    """A read-only table with one row per run."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Runs of the sweep")
        self.setHeaderLabels(_HEADS)
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = self.header()
        header.setStretchLastSection(True)
        header.setSectionsMovable(False)
        header.setMinimumSectionSize(20)
        for column in range(len(_HEADS) - 1):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
            if column:
                self.headerItem().setTextAlignment(column, _RIGHT)
        self._shown: tuple[SweptRun, ...] = ()

    def show_runs(self, runs: Sequence[SweptRun]) -> None:
        """Show these runs; existing rows are updated in place."""
        while self.topLevelItemCount() > len(runs):
            self.takeTopLevelItem(self.topLevelItemCount() - 1)
        for place, run in enumerate(runs):
            row = self.topLevelItem(place)
            if row is None:
                row = QTreeWidgetItem(self)
                row.setSizeHint(len(_HEADS) - 1, QSize(0, self.fontMetrics().height() + _ROW_GAP))
            elif run == self._shown[place]:
                continue
            _fill(row, run)
        self._shown = tuple(runs)


def status_text(run: SweptRun) -> str:
    """The state of a run in a word or two; empty once it is evaluated."""
    if run.purity is not None:
        return ""
    if run.state == "complete":
        return "Trained"
    if run.state in ACTIVE:
        return f"{run.share:.0%}"
    return f"{STATES[run.state]} {run.share:.0%}" if run.share and run.state != "failed" else STATES[run.state]


def _fill(row: QTreeWidgetItem, run: SweptRun) -> None:
    numbers = ["" if value is None else f"{value:.3f}" for value in (run.purity, run.modality_svm)]
    for column, text in enumerate((run.label, str(run.seed), *numbers, status_text(run))):
        row.setText(column, text)
        row.setToolTip(column, run.message)
        if 0 < column < len(_HEADS) - 1:
            row.setTextAlignment(column, _RIGHT)
