"""A table of runs side by side: their results, and how their configurations differ."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QBrush, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from model.export.words import changed
from model.recipes.fields import fields_of
from model.runs.values import ESTIMATES
from modinv_app.common.check_box import CheckBox
from modinv_app.common.layouts import column, row
from modinv_app.common.run_entry import RunEntry, duration
from modinv_app.common.theme import accent, is_dark, run_colour, with_alpha

_TINT = 0.22  # opacity of the background of differences
_COLUMN = 76  # minimum width of a column in pixels


class RunComparison(QWidget):
    """A column per run: results, then, highlighted, what was chosen differently; the rest on request."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entries: tuple[RunEntry, ...] = ()
        self._title = QLabel()
        self._all = CheckBox("All")
        self._all.setToolTip("Show what they have in common, too")
        self._all.setAccessibleName("Show what the runs have in common, too")
        self._all.toggled.connect(self._fill)
        self._table = QTableWidget()
        self._table.setAccessibleName("Comparison of runs")
        self._table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self._table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self._table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self._table.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self._table.setTabKeyNavigation(False)
        self._table.setWordWrap(False)
        self._table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self._table.horizontalHeader().setMinimumSectionSize(_COLUMN)
        self._table.horizontalHeader().setTextElideMode(Qt.TextElideMode.ElideRight)
        self._table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self._table.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 6)
        column(row((self._title, 1), self._all), self._table, parent=self, spacing=4)

    def show_runs(self, entries: Sequence[RunEntry]) -> None:
        """Compare runs, in the order of their colours."""
        if tuple(entries) != self._entries:
            self._entries = tuple(entries)
            self._fill()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._fill()

    def _fill(self) -> None:
        entries, table = self._entries, self._table
        chosen = [choices(entry) for entry in entries]
        names = list(dict.fromkeys(name for each in chosen for name in each))
        values = {name: [each.get(name, "–") for each in chosen] for name in names}
        readable = [each for each in chosen if each]  # without damaged ones
        differing = [name for name in names if len({each.get(name) for each in readable}) > 1]
        shared = [name for name in names if name not in differing] if self._all.isChecked() else []
        measured = [outcome(entry) for entry in entries]
        results = list(dict.fromkeys(name for each in measured for name in each))
        values |= {name: [each.get(name, "–") for each in measured] for name in results}

        count = len(differing)
        self._title.setText(f"{count} difference{'' if count == 1 else 's'}" if count else "No differences")
        table.setColumnCount(len(entries))
        rows = [*results, *differing, *shared]
        table.setRowCount(len(rows))
        table.setVerticalHeaderLabels(rows)
        for place, entry in enumerate(entries):
            header = QTableWidgetItem(_swatch(place, is_dark(self.palette())), entry.name)
            header.setToolTip(entry.name)
            table.setHorizontalHeaderItem(place, header)
        tint = with_alpha(accent(self.palette()), _TINT)
        for line, name in enumerate(rows):
            for place, value in enumerate(values[name]):
                cell = QTableWidgetItem(value)
                cell.setToolTip(value)
                if name in differing:
                    cell.setBackground(QBrush(tint))
                table.setItem(line, place, cell)


def choices(entry: RunEntry) -> dict[str, str]:
    """The configuration of a run and where it ran, by titles for the user; empty if damaged."""
    if entry.info is None:
        return {}
    plan, info = entry.info.plan, entry.info
    recipe = plan.recipe
    versions = {f"{name} version": str(version) for name, version in info.versions.items()}
    return {
        "Recipe": recipe.name,
        **{field.title: field.text(getattr(recipe, field.name)) for field in fields_of(type(recipe))},
        "Data": ", ".join(plan.corpora),
        "Changed by you": changed(info.data) or "nothing",
        "Left out": plan.held_out_speaker or "nobody",
        "Start": plan.start.name if plan.start else "scratch",
        "Seed": str(plan.seed),
        "Device": info.device,
        **versions,
    }


def outcome(entry: RunEntry) -> dict[str, str]:
    """The results of a run so far; empty if damaged."""
    if entry.info is None:
        return {}
    quick = entry.estimates
    estimates = {f"{term.title}, quick": f"{quick[term.name]:.3f}" for term in ESTIMATES if term.name in quick}
    time = {"Time": duration(entry.info.seconds)} if entry.info.seconds else {}
    return {**estimates, "Steps done": f"{entry.info.step:,}", **time}


def _swatch(place: int, dark: bool) -> QPixmap:
    pixmap = QPixmap(10, 10)
    pixmap.fill(run_colour(place, dark))
    return pixmap
