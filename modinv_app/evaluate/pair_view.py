"""A list of queries and their nearest matches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPoint,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QPainter, QPalette, QPen, QResizeEvent
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from model.evaluation.store import Evaluation
from model.types import WORDS, FloatArray, Item, Modality
from modinv_app.common.item_view import ROOT, AnyIndex, PlayingView
from modinv_app.common.match_delegates import Thumbnails, paint_chip, paint_play
from modinv_app.common.theme import accent, with_alpha

_PAD = 6
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter

ARROWS = {Modality.IMAGE: "image → speech", Modality.SPEECH: "speech → image"}

FeaturesOf = Callable[[int], "FloatArray | None"]


@dataclass(frozen=True, slots=True)
class Pair:
    """A query and its nearest match.

    Attributes
    ----------
    query, match
        One of them is an image, the other an utterance.
    note
        A remark, such as the margin of a wrong match; none if empty.
    """

    query: Item
    match: Item
    note: str = ""

    @property
    def utterance(self) -> Item:
        """The utterance of the two."""
        return self.query if self.query.modality is Modality.SPEECH else self.match


class PairView(PlayingView):
    """Tiles of pairs in as many columns as fit; a click, or Enter, plays the utterance.

    Parameters
    ----------
    features_of
        Item index to features; ``None`` if they are not loaded. Called while painting, so it has to be fast.

    Signals
    -------
    play_wanted(int)
        Play the utterance with this item index.
    """

    play_wanted = Signal(int)

    def __init__(self, features_of: FeaturesOf) -> None:
        super().__init__()
        self._pairs = _PairModel()
        self._delegate = _PairDelegate(features_of)
        self.setModel(self._pairs)
        self.setItemDelegate(self._delegate)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(True)
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor)
        self.clicked.connect(self._play)

    def show_pairs(self, pairs: Sequence[Pair]) -> None:
        """Show these pairs, scrolled to the first."""
        self._pairs.set_pairs(pairs)
        self.scrollToTop()

    def pair_at(self, row: int) -> Pair:
        """The pair in a row."""
        return self._pairs.pair_at(row)

    def features_changed(self) -> None:
        """Paint again with new features."""
        self._delegate.forget()
        self.viewport().update()

    def set_playing(self, index: int | None) -> None:
        """Mark the utterance that is playing, in all pairs, or none."""
        self._delegate.playing = index
        self._set_animated(index is not None)
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        bar = self.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent)
        width = self.width() - bar - 2  # Qt reserves room for a scroll bar
        line = self.fontMetrics().height()
        columns = max(1, width // (20 * line))
        self._delegate.tile = QSize(width // columns, 4 * line + 2 * _PAD)
        self.setGridSize(self._delegate.tile)
        super().resizeEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self._play(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def _play(self, index: QModelIndex) -> None:
        self.play_wanted.emit(self._pairs.pair_at(index.row()).utterance.index)

    def _animate(self, seconds: float) -> None:
        self._delegate.phase = seconds
        self.viewport().update()


class PairsPanel(QWidget):
    """A panel that shows pairs of an evaluation in ``pairs``.

    Parameters
    ----------
    features_of
        Item index to features; ``None`` if they are not loaded.
    name
        Accessible name of the pairs.

    Signals
    -------
    play_wanted(int)
        Play the utterance with this item index.
    """

    play_wanted = Signal(int)

    def __init__(self, features_of: FeaturesOf, name: str) -> None:
        super().__init__()
        self._evaluation: Evaluation | None = None
        self.pairs = PairView(features_of)
        self.pairs.setAccessibleName(name)
        self.pairs.play_wanted.connect(self.play_wanted)


class _PairModel(QAbstractListModel):
    def __init__(self) -> None:
        super().__init__()
        self._pairs: Sequence[Pair] = ()

    def set_pairs(self, pairs: Sequence[Pair]) -> None:
        self.beginResetModel()
        self._pairs = pairs
        self.endResetModel()

    def pair_at(self, row: int) -> Pair:
        return self._pairs[row]

    def rowCount(self, parent: AnyIndex = ROOT) -> int:
        return 0 if parent.isValid() else len(self._pairs)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            return None
        pair = self._pairs[index.row()]
        words = f"{WORDS[pair.query.label]} matched with {WORDS[pair.match.label]}"
        if role == Qt.ItemDataRole.DisplayRole:
            return words
        note = f"\n{pair.note}" if pair.note else ""
        return f"{words}\nQuery: {pair.query.source}\nNearest: {pair.match.source}{note}"


class _PairDelegate(QStyledItemDelegate):
    """A tile: both pictures, their digits and sources."""

    def __init__(self, features_of: FeaturesOf) -> None:
        super().__init__()
        self._features_of = features_of
        self._thumbnails = Thumbnails(self._features)
        self.tile = QSize()
        self.playing: int | None = None
        self.phase = 0.0

    def forget(self) -> None:
        """Drop the cached pictures."""
        self._thumbnails = Thumbnails(self._features)

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        del option, index
        return self.tile

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        model = index.model()
        assert isinstance(model, _PairModel)
        pair = model.pair_at(index.row())
        tile = option.rect.adjusted(3, 3, -3, -3)
        line, side = option.fontMetrics.height(), tile.height() - 2 * _PAD
        text = option.palette.color(QPalette.ColorRole.WindowText)
        quiet = option.palette.color(QPalette.ColorRole.PlaceholderText)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_background(painter, option, tile)
        query = QRect(tile.left() + _PAD, tile.top() + _PAD, side, side)
        match = query.translated(side + line + 4, 0)
        self._paint_item(painter, option, pair.query, query)
        self._paint_item(painter, option, pair.match, match)
        painter.setPen(quiet)
        painter.drawText(QRect(query.right(), query.top(), line + 5, side), Qt.AlignmentFlag.AlignCenter, "→")

        left = match.right() + 2 * _PAD
        words = QRect(left, tile.top() + _PAD, tile.right() - left - _PAD, line)
        chip = QRect(words.topLeft(), QSize(line, line))
        paint_chip(painter, option, chip, pair.query.label)
        painter.setPen(quiet)
        painter.drawText(chip.translated(line, 0), Qt.AlignmentFlag.AlignCenter, "→")
        paint_chip(painter, option, chip.translated(2 * line, 0), pair.match.label)
        painter.setPen(quiet)
        painter.drawText(words.adjusted(3 * line + _PAD, 0, 0, 0), _RIGHT, pair.note)
        for place, item in enumerate((pair.query, pair.match), start=1):
            below = words.translated(0, place * (line + 2) + 2)
            painter.setPen(text if place == 1 else quiet)
            elided = option.fontMetrics.elidedText(item.source, Qt.TextElideMode.ElideRight, below.width())
            painter.drawText(below, _LEFT, elided)
        painter.restore()

    def _paint_background(self, painter: QPainter, option: QStyleOptionViewItem, tile: QRect) -> None:
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        text, colour = option.palette.color(QPalette.ColorRole.WindowText), accent(option.palette)
        painter.setPen(QPen(with_alpha(colour, 0.9), 1.2) if selected else QPen(with_alpha(text, 0.1), 1))
        painter.setBrush(with_alpha(colour, 0.1) if hovered else option.palette.color(QPalette.ColorRole.Base))
        painter.drawRoundedRect(QRectF(tile).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)

    def _paint_item(self, painter: QPainter, option: QStyleOptionViewItem, item: Item, place: QRect) -> None:
        text = option.palette.color(QPalette.ColorRole.WindowText)
        if self._features_of(item.index) is None:
            painter.fillRect(place, with_alpha(text, 0.06))
        else:
            dpr = painter.device().devicePixelRatioF()
            painter.drawPixmap(place.topLeft(), self._thumbnails.pixmap(item.index, place.width(), place.height(), dpr))
        painter.setPen(with_alpha(text, 0.2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(QRectF(place).adjusted(-0.5, -0.5, 0.5, 0.5))
        if item.modality is Modality.SPEECH:
            playing, hovered = item.index == self.playing, bool(option.state & QStyle.StateFlag.State_MouseOver)
            disc = QRectF(0, 0, 20, 20)
            disc.moveBottomRight(QRectF(place).bottomRight() - QPoint(3, 3))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(option.palette.color(QPalette.ColorRole.Base))  # the disc itself is translucent
            painter.drawEllipse(disc)
            paint_play(painter, option.palette, disc, hovered, self.phase if playing else None)

    def _features(self, index: int) -> FloatArray:
        features = self._features_of(index)
        assert features is not None  # checked before
        return features
