"""The list of corpora."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QAbstractListModel, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QPainter, QPalette
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from model.types import Modality
from modinv_app.common.item_view import ROOT, AnyIndex, ItemView, paint_item_background
from modinv_app.common.theme import muted_text
from modinv_app.data.service import ListedCorpus

_NOUNS = {Modality.IMAGE: "images", Modality.SPEECH: "utterances"}
_PAD = 5


class _CorpusModel(QAbstractListModel):
    def __init__(self) -> None:
        super().__init__()
        self.corpora: tuple[ListedCorpus, ...] = ()
        self.counts: dict[str, int] = {}

    def rowCount(self, parent: AnyIndex = ROOT) -> int:
        return 0 if parent.isValid() else len(self.corpora)

    def words(self, corpus: ListedCorpus) -> str:
        """What stands below the title."""
        info = corpus.info
        noun = _NOUNS[info.modality]
        what = f"{self.counts[info.name]:,} {noun}" if info.name in self.counts else noun.capitalize()
        state = "not available" if corpus.missing else "yours" if corpus.added else info.licence
        return f"{what} · {state}"

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        corpus = self.corpora[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return corpus.info.title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{corpus.info.title}, {self.words(corpus)}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{corpus.info.title}\n{corpus.info.citation}\n{corpus.info.origin}\nLicence: {corpus.info.licence}"
        return None


class _Delegate(QStyledItemDelegate):
    def __init__(self, model: _CorpusModel) -> None:
        super().__init__()
        self._model = model

    def sizeHint(self, option: QStyleOptionViewItem, _index: AnyIndex) -> QSize:
        return QSize(0, 2 * option.fontMetrics.height() + 2 * _PAD)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        corpus, palette, metrics = self._model.corpora[index.row()], option.palette, option.fontMetrics
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(option.rect)
        focus = QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_HasFocus
        paint_item_background(painter, option, rect.adjusted(1, 1, -1, -1), focused=option.state & focus == focus)
        inner = rect.adjusted(8, _PAD, -8, -_PAD)
        font = QFont(option.font)
        font.setBold(not corpus.missing)
        for number, text in enumerate((corpus.info.title, self._model.words(corpus))):
            row = QRectF(inner.left(), inner.top() + number * metrics.height(), inner.width(), metrics.height())
            quiet = number or corpus.missing
            painter.setFont(option.font if number else font)
            painter.setPen(muted_text(palette) if quiet else palette.color(QPalette.ColorRole.Text))
            shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(row.width()))
            painter.drawText(row, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)
        painter.restore()


class CorpusList(ItemView):
    """The corpora, one below the other.

    Signals
    -------
    chosen(ListedCorpus)
        Another corpus is chosen, or this one has changed.
    remove_wanted(str)
        The Delete key was pressed on an added corpus of this name.
    """

    chosen = Signal(object)
    remove_wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._model = _CorpusModel()
        self._chosen: ListedCorpus | None = None
        self._wanted = ""
        self.setModel(self._model)
        self.setItemDelegate(_Delegate(self._model))
        self.setAccessibleName("Corpora")

    @property
    def current(self) -> ListedCorpus | None:
        """The chosen corpus."""
        row = self.currentIndex().row()
        return self._model.corpora[row] if 0 <= row < len(self._model.corpora) else None

    def choose(self, name: str) -> None:
        """Choose a corpus, at once or as soon as it is listed."""
        names = [corpus.info.name for corpus in self._model.corpora]
        if name in names:
            self.setCurrentIndex(self._model.index(names.index(name)))
        self._wanted = "" if name in names else name

    def show_corpora(self, corpora: Sequence[ListedCorpus]) -> None:
        """List these corpora, installed ones first; the choice stays if it can."""
        ordered = tuple(sorted(corpora, key=lambda corpus: bool(corpus.missing)))
        if ordered == self._model.corpora:
            return
        before = "" if self.current is None else self.current.info.name
        self._model.beginResetModel()
        self._model.corpora = ordered
        self._model.endResetModel()
        names = [corpus.info.name for corpus in ordered]
        wanted = self._wanted if self._wanted in names else before
        if ordered:
            self.setCurrentIndex(self._model.index(names.index(wanted) if wanted in names else 0))
        if wanted == self._wanted:
            self._wanted = ""

    def show_counts(self, counts: Mapping[str, int]) -> None:
        """Show numbers of items, by the names of corpora."""
        self._model.counts.update(counts)
        self.viewport().update()

    def currentChanged(self, current: AnyIndex, previous: AnyIndex) -> None:
        super().currentChanged(current, previous)
        corpus = self.current
        if corpus is not None and corpus != self._chosen:
            self._chosen = corpus
            self.chosen.emit(corpus)

    def keyPressEvent(self, event: Any) -> None:
        corpus = self.current
        if event.key() == Qt.Key.Key_Delete and corpus is not None and corpus.added:
            self.remove_wanted.emit(corpus.info.name)
        else:
            super().keyPressEvent(event)
