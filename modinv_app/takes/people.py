"""The list of people: add, rename, delete, choose."""

from __future__ import annotations

from collections import Counter
from typing import Any

from PySide6.QtCore import QAbstractListModel, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QPainter, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLineEdit,
    QMenu,
    QPushButton,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from model.types import Modality
from modinv_app.common.card import bold, muted
from modinv_app.common.item_view import ROOT, AnyIndex, EditableView, paint_item_background
from modinv_app.common.layouts import column, row
from modinv_app.common.take_library import Listing, TakeLibrary
from modinv_app.common.theme import muted_text

_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_PAD = 8


class _People(QAbstractListModel):
    """Names, and how much each has said and drawn."""

    renamed = Signal(str, str)

    def __init__(self) -> None:
        super().__init__()
        self.names: tuple[str, ...] = ()
        self._counts: Counter[tuple[str, Modality]] = Counter()

    def show_listing(self, listing: Listing) -> None:
        self._counts = Counter((take.person, take.modality) for take in listing.takes)
        if listing.people == self.names:
            if self.names:
                self.dataChanged.emit(self.index(0), self.index(len(self.names) - 1))
            return
        self.beginResetModel()
        self.names = listing.people
        self.endResetModel()

    def counted(self, place: int) -> str:
        """What somebody has made, in words."""
        said, drawn = (self._counts[self.names[place], modality] for modality in (Modality.SPEECH, Modality.IMAGE))
        return f"{said} said · {drawn} drawn"

    def rowCount(self, parent: AnyIndex = ROOT) -> int:
        return 0 if parent.isValid() else len(self.names)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return self.names[index.row()]
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{self.names[index.row()]}, {self.counted(index.row())}"
        return None

    def setData(self, index: AnyIndex, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.EditRole or not value.strip():
            return False
        self.renamed.emit(self.names[index.row()], value)
        return True

    def flags(self, index: AnyIndex) -> Qt.ItemFlag:
        return super().flags(index) | Qt.ItemFlag.ItemIsEditable


class _Delegate(QStyledItemDelegate):
    """Name and counts, one below the other."""

    def __init__(self, people: _People) -> None:
        super().__init__()
        self._people = people

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        del index
        return QSize(0, 2 * option.fontMetrics.height() + 12)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        rect = option.rect.adjusted(1, 1, -1, -1)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        focused = bool(option.state & QStyle.StateFlag.State_HasFocus)
        paint_item_background(painter, option, QRectF(rect), focused=focused)
        name, counts = self._lines(option)
        font = QFont(option.font)
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(option.palette.color(QPalette.ColorRole.Text))
        elide = Qt.TextElideMode.ElideRight
        painter.drawText(name, _LEFT, painter.fontMetrics().elidedText(index.data(), elide, name.width()))
        painter.setFont(option.font)
        painter.setPen(muted_text(option.palette))
        counted = self._people.counted(index.row())
        painter.drawText(counts, _LEFT, option.fontMetrics.elidedText(counted, elide, counts.width()))
        painter.restore()

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        del index
        editor.setGeometry(self._lines(option)[0].adjusted(-4, -3, 4, 3))

    @staticmethod
    def _lines(option: QStyleOptionViewItem) -> tuple[QRect, QRect]:
        line = option.fontMetrics.height()
        inner = option.rect.adjusted(_PAD, 6, -_PAD, -6)
        return QRect(inner.left(), inner.top(), inner.width(), line), QRect(
            inner.left(), inner.top() + line, inner.width(), line
        )


class PeoplePanel(QWidget):
    """The people, of whom one is chosen.

    Signals
    -------
    chosen(str or None)
        Somebody else is chosen, or nobody.
    """

    chosen = Signal(object)

    def __init__(self, library: TakeLibrary, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._library = library
        self._person: str | None = None
        self._wanted: str | None = None  # to be chosen once it is listed
        self._people = _People()
        self._people.renamed.connect(self._rename)
        self.list = EditableView()
        self.list.setModel(self._people)
        self._delegate = _Delegate(self._people)
        self.list.setItemDelegate(self._delegate)
        self.list.setAccessibleName("People")
        self.list.setEditTriggers(
            QAbstractItemView.EditTrigger.EditKeyPressed | QAbstractItemView.EditTrigger.DoubleClicked
        )
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.customContextMenuRequested.connect(self._show_menu)
        self.list.delete_wanted.connect(self.delete)
        self.list.selectionModel().currentChanged.connect(self._current_changed)
        self.name = QLineEdit(placeholderText="Name or number")
        self.name.setAccessibleName("Name or number of another person")
        self.name.setMaxLength(40)
        self.name.returnPressed.connect(self.add)
        self._add = QPushButton("Add")
        self._add.setToolTip("Add this person; without a name, the next number")
        self._add.clicked.connect(self.add)
        self._nobody = muted("Nobody yet. Press Start, or add a name below.")
        self._nobody.setWordWrap(True)
        column(
            column(bold("People"), self._nobody, spacing=4, margins=(6, 0, 0, 0)),
            (self.list, 1),
            row((self.name, 1), self._add, spacing=4),
            parent=self,
            spacing=6,
        )
        library.listed.connect(self._show_listing)

    @property
    def person(self) -> str | None:
        """Who is chosen."""
        return self._person

    def want(self, person: str) -> None:
        """Choose somebody now, or once they are listed."""
        self._wanted = person
        self._choose_wanted()

    def add(self) -> None:
        """Add the person whose name was typed."""
        name = self.name.text()
        self.name.clear()
        self._library.add_person(name, self.want)

    def delete(self) -> None:
        """Delete the chosen person; this can be undone."""
        if self._person is not None:
            self._library.delete_person(self._person)

    def _rename(self, old: str, new: str) -> None:
        self._library.rename_person(old, new, self.want)

    def _show_listing(self, listing: Listing) -> None:
        place = self._people.names.index(self._person) if self._person in self._people.names else 0
        self._people.show_listing(listing)
        if self._wanted is None and self._person not in listing.people and listing.people:
            self._wanted = listing.people[min(place, len(listing.people) - 1)]
        self._choose_wanted()
        self._nobody.setVisible(not listing.people)
        if not listing.people:
            self._choose(None)

    def _choose_wanted(self) -> None:
        names, wanted = self._people.names, self._wanted
        if wanted is None and self._person in names:
            wanted = self._person  # after the list was read again
        if wanted in names:
            self._wanted = None
            self.list.setCurrentIndex(self._people.index(names.index(wanted)))
            self._choose(wanted)

    def _current_changed(self, index: AnyIndex) -> None:
        if index.isValid():
            self._choose(self._people.names[index.row()])

    def _choose(self, person: str | None) -> None:
        if person != self._person:
            self._person = person
            self.chosen.emit(person)

    def _show_menu(self, at: QPoint) -> None:
        index = self.list.indexAt(at)
        if index.isValid():
            menu = QMenu(self)
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.addAction("Rename (F2)").triggered.connect(lambda: self.list.edit(index))
            menu.addAction("Delete (Del)").triggered.connect(self.delete)
            menu.popup(self.list.viewport().mapToGlobal(at))
