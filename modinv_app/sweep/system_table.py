"""The table of a comparison: what was measured of each system."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

from model.evaluation.comparison_results import ComparisonResults
from model.evaluation.report import Report

_ROW_GAP = 4  # pixels between two rows
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter

_FIGURES: Sequence[tuple[str, str, Callable[[Report], float | None]]] = (
    ("Purity", "Cluster purity: 1 is best", lambda report: report.purity.mean),
    ("SVM", "Modality SVM: 0.5 is best, by guessing", lambda report: report.modality_svm.mean),
    (
        "P@1",
        "P@1, mean of both directions: 1 is best",
        lambda report: sum(each.retrieval.p_at_1 for each in (report.image_to_speech, report.speech_to_image)) / 2,
    ),
    (
        "Gap",
        "Modality gap, share of the variance: 0 is best",
        lambda report: report.modality_gap.share if report.modality_gap else None,
    ),
)


class SystemTable(QTreeWidget):
    """One row per system; a click on a row chooses it.

    Signals
    -------
    chosen(int)
        A system was clicked, or reached by the arrow keys.
    """

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Measurements of the systems")
        self.setHeaderLabels(["System", *(title for title, *_ in _FIGURES)])
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = self.header()
        header.setSectionsMovable(False)
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(20)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column, (_, meaning, _of) in enumerate(_FIGURES, 1):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
            self.headerItem().setTextAlignment(column, _RIGHT)
            self.headerItem().setToolTip(column, meaning)
        self.currentItemChanged.connect(lambda item, _before: self.chosen.emit(self.indexOfTopLevelItem(item)))

    def show_results(self, results: ComparisonResults) -> None:
        """Show the systems of a comparison: means over their seeds."""
        with QSignalBlocker(self):
            self.clear()
            for name in results.systems:
                item = QTreeWidgetItem(self, [name, *(_mean(results, name, of) for *_, of in _FIGURES)])
                item.setToolTip(0, name)
                item.setSizeHint(0, QSize(0, self.fontMetrics().height() + _ROW_GAP))
                for column in range(1, len(_FIGURES) + 1):
                    item.setTextAlignment(column, _RIGHT)

    def show_place(self, _place: float, nearest: int) -> None:
        """Mark the nearest system, by its index."""
        with QSignalBlocker(self):
            item = self.topLevelItem(nearest)
            assert item is not None
            self.setCurrentItem(item)


def _mean(results: ComparisonResults, system: str, of: Callable[[Report], float | None]) -> str:
    """The mean over the seeds of a system; a dash if a seed lacks it."""
    found = [of(row.report) for row in results.rows if row.system == system]
    known = [value for value in found if value is not None]
    return f"{sum(known) / len(known):.2f}" if len(known) == len(found) else "–"
