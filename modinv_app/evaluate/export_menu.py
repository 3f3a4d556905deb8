"""The exports of the evaluation page: a table, from which the menu and its file dialogs are made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

Needs = Literal["model", "sweep", "noise"]
_FIGURE = ("PNG picture (*.png)", "SVG drawing (*.svg)", "PDF (*.pdf)")
_TABLE = ("CSV (*.csv)", "Markdown (*.md)", "LaTeX (*.tex)")


@dataclass(frozen=True, slots=True)
class Export:
    """One export: its name for the worker, title, section, file stem, name filters and required input.

    Without name filters it is a folder.
    """

    what: str
    title: str
    section: str
    stem: str
    kinds: tuple[str, ...] = ()
    needs: Needs = "model"


EXPORTS = (
    Export("figure2", "Figure 2, all rows…", "Figures", "figure2", _FIGURE),
    Export("figure3", "Figure 3…", "Figures", "figure3", _FIGURE, "sweep"),
    Export("confusions", "Confusions…", "Figures", "confusions", _FIGURE),
    Export("noise", "Recognition in noise…", "Figures", "noise", _FIGURE, "noise"),
    Export("numbers", "Numbers of all models in Figure 2…", "Tables", "numbers", _TABLE),
    Export("sweep", "The sweep over λ_IG…", "Tables", "sweep", _TABLE, "sweep"),
    Export("conditions", "Recognition in all conditions…", "Tables", "conditions", _TABLE, "noise"),
    Export("embeddings", "NumPy or Parquet…", "Embeddings", "embeddings", ("NumPy (*.npz)", "Parquet (*.parquet)")),
    Export("projector", "TensorBoard projector, a folder…", "Embeddings", "projector"),
    Export("report", "A report, one HTML file…", "All together", "report", ("HTML (*.html)",)),
    Export("everything", "Everything, a folder…", "All together", "modinv-evaluation"),
)


class ExportMenu(QMenu):
    """A menu of exports, each of which asks where to write.

    Signals
    -------
    chosen(str, str)
        The name of the export, and the file or folder to write.
    """

    chosen = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entries: list[tuple[Export, QAction]] = []
        section = ""
        for export in EXPORTS:
            if export.section != section:
                section = export.section
                self.addSection(section)
            action = self.addAction(export.title)
            action.triggered.connect(lambda _checked=False, export=export: self._ask(export))
            self._entries.append((export, action))
        self.set_available(frozenset())

    def set_available(self, there: frozenset[Needs]) -> None:
        """Enable the exports whose input is available."""
        for export, action in self._entries:
            action.setEnabled(export.needs in there)

    def _ask(self, export: Export) -> None:
        dialog = QFileDialog(self.window(), f"Export: {export.title.rstrip('…')}")
        if not export.kinds:
            dialog.setFileMode(QFileDialog.FileMode.Directory)  # a new or an existing folder
            dialog.setLabelText(QFileDialog.DialogLabel.Accept, "Export here")
            dialog.fileSelected.connect(lambda path: self.chosen.emit(export.what, str(Path(path) / export.stem)))
        else:
            dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
            dialog.setNameFilters(export.kinds)
            dialog.setDefaultSuffix(_suffix(export.kinds[0]))
            # The suffix follows the chosen filter.
            dialog.filterSelected.connect(lambda kind: dialog.setDefaultSuffix(_suffix(kind)))
            dialog.selectFile(export.stem)
            dialog.fileSelected.connect(lambda path: self.chosen.emit(export.what, path))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()


def _suffix(kind: str) -> str:
    """``"png"`` of ``"PNG picture (*.png)"``."""
    return kind.rpartition(".")[2].rstrip(")")
