"""The table of what people gain by training with their takes."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

from model.evaluation.personal_results import COLUMNS, Condition, PersonalResults

_ROW_GAP, _COLUMN_GAP = 6, 12  # pixels between two rows, and two columns
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_MEANINGS: dict[Condition, str] = {
    "before": "Test takes that the model understood from which the training started",
    "gallery": "The same model, with the person's takes of the other modality in the gallery; a dash if there are none",
    "after": "Understood by the model that has trained with everybody's other takes",
    "left_out": "Understood by a model that has trained with the others' takes only, as if this person were new to it",
}


class TakesTable(QTreeWidget):
    """A row for each person and modality: how many takes trained, and how many test takes were understood."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: PersonalResults | None = None
        self.setAccessibleName("Takes understood")
        self.setHeaderLabels(["Person", "Trained on", *COLUMNS.values()])
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)  # the end says whether it was said or drawn
        header = self.header()
        header.setSectionsMovable(False)
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(20)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        head = self.headerItem()
        head.setToolTip(1, "Takes that the model has trained on; the others, one in four, test it")
        for place, meaning in enumerate(_MEANINGS.values(), 2):
            head.setToolTip(place, meaning)
        for place in range(1, self.columnCount()):
            header.setSectionResizeMode(place, QHeaderView.ResizeMode.ResizeToContents)
            head.setTextAlignment(place, _RIGHT)

    def show_results(self, results: PersonalResults | None) -> None:
        """Show results; a dash stands for what was not, or can't be, counted."""
        if results is self._shown:
            return  # each step of a training asks for it
        self._shown = results
        rows = results.rows if results is not None else ()
        while self.topLevelItemCount() > len(rows):
            self.takeTopLevelItem(self.topLevelItemCount() - 1)
        for place, row in enumerate(rows):
            item = self.topLevelItem(place)
            if item is None:
                item = QTreeWidgetItem(self)
            person = f"{row.person}, {row.verb}"
            cells = (person, f"{row.trained}", *(row.counted(condition) for condition in COLUMNS))
            for column, text in enumerate(cells):
                item.setText(column, text)
                width = self.fontMetrics().horizontalAdvance(text) + _COLUMN_GAP if column else 0
                item.setSizeHint(column, QSize(width, self.fontMetrics().height() + _ROW_GAP))
                item.setTextAlignment(column, _RIGHT if column else Qt.AlignmentFlag.AlignVCenter)
            item.setToolTip(0, person)
