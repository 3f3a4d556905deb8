"""Queries and their nearest matches, side by side, to look at and listen to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QElapsedTimer,
    QModelIndex,
    QPoint,
    QRect,
    QRectF,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QPainter, QPalette, QPen, QResizeEvent
from PySide6.QtWidgets import QFrame, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from model.evaluation.store import Evaluation
from model.types import FloatArray, Item, Modality
from modinv_app.common.card import faint
from modinv_app.common.match_delegates import Thumbnails, paint_chip, paint_play
from modinv_app.common.match_model import WORDS, AnyIndex
from modinv_app.common.theme import accent

_PAD = 6
_FRAME_MS = 50
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_ROOT = QModelIndex()

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
        A word about it, such as by how much it is wrong; none if empty.
    """

    query: Item
    match: Item
    note: str = ""

    @property
    def utterance(self) -> Item:
        """The one that can be heard."""
        return self.query if self.query.modality is Modality.SPEECH else self.match


class PairView(QListView):
    """Tiles of pairs in as many columns as there is room for; a click, or Enter, plays the utterance.

    Parameters
    ----------
    features_of
        Item index to features; ``None`` where they are not there (yet). Called while painting: a look-up.

    Signals
    -------
    play_wanted(int)
        Index of the utterance that shall sound.
    """

    play_wanted = Signal(int)

    def __init__(self, features_of: FeaturesOf) -> None:
        super().__init__()
        self._pairs = _PairModel()
        self._delegate = _PairDelegate(features_of)
        self._clock = QElapsedTimer()
        self._frames = QTimer(self, interval=_FRAME_MS)
        self._frames.timeout.connect(self._animate)
        self.setModel(self._pairs)
        self.setItemDelegate(self._delegate)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.viewport().setAutoFillBackground(False)
        self.setMouseTracking(True)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(True)
        self.setUniformItemSizes(True)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor)
        self.clicked.connect(self._play)

    def show_pairs(self, pairs: Sequence[Pair]) -> None:
        """Show these, in their order, from the first on."""
        self._pairs.set_pairs(pairs)
        self.scrollToTop()

    def pair_at(self, row: int) -> Pair:
        """The pair in a row of the model."""
        return self._pairs.pair_at(row)

    def features_changed(self) -> None:
        """Paint anew: features have come, or others."""
        self._delegate.forget()
        self.viewport().update()

    def set_playing(self, index: int | None) -> None:
        """Mark the utterance that sounds wherever it stands, or none."""
        self._delegate.playing = index
        if index is None:
            self._frames.stop()
        else:
            self._clock.start()
            self._frames.start()
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Let the columns share the width."""
        bar = self.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent)
        width = self.width() - bar - 2  # Qt keeps it free wherever a bar might appear
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

    def _animate(self) -> None:
        self._delegate.phase = self._clock.elapsed() / 1000
        self.viewport().update()


class PairsPanel(QWidget):
    """What shows pairs of an evaluation in ``pairs``.

    Parameters
    ----------
    features_of
        Item index to features; ``None`` where they are not there (yet).
    name
        What the pairs are, for screen readers.

    Signals
    -------
    play_wanted(int)
        Item index of an utterance that shall sound.
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

    def rowCount(self, parent: AnyIndex = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._pairs)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            return None
        pair = self._pairs[index.row()]
        words = f"{WORDS[pair.query.label]} answered by {WORDS[pair.match.label]}"
        if role == Qt.ItemDataRole.DisplayRole:
            return words
        note = f"\n{pair.note}" if pair.note else ""
        return f"{words}\nQuery: {pair.query.source}\nNearest: {pair.match.source}{note}"


class _PairDelegate(QStyledItemDelegate):
    """A tile: both pictures with an arrow between, the digits, where they come from."""

    def __init__(self, features_of: FeaturesOf) -> None:
        super().__init__()
        self._features_of = features_of
        self._thumbnails = Thumbnails(self._features)
        self.tile = QSize()
        self.playing: int | None = None
        self.phase = 0.0

    def forget(self) -> None:
        """Paint pictures anew."""
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
        self._paint_ground(painter, option, tile)
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

    def _paint_ground(self, painter: QPainter, option: QStyleOptionViewItem, tile: QRect) -> None:
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        text, colour = option.palette.color(QPalette.ColorRole.WindowText), accent(option.palette)
        painter.setPen(QPen(faint(colour, 0.9), 1.2) if selected else QPen(faint(text, 0.1), 1))
        painter.setBrush(faint(colour, 0.1) if hovered else option.palette.color(QPalette.ColorRole.Base))
        painter.drawRoundedRect(QRectF(tile).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)

    def _paint_item(self, painter: QPainter, option: QStyleOptionViewItem, item: Item, place: QRect) -> None:
        text = option.palette.color(QPalette.ColorRole.WindowText)
        if self._features_of(item.index) is None:
            painter.fillRect(place, faint(text, 0.06))
        else:
            dpr = painter.device().devicePixelRatioF()
            painter.drawPixmap(place.topLeft(), self._thumbnails.pixmap(item.index, place.width(), place.height(), dpr))
        painter.setPen(faint(text, 0.2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(QRectF(place).adjusted(-0.5, -0.5, 0.5, 0.5))
        if item.modality is Modality.SPEECH:
            playing, hovered = item.index == self.playing, bool(option.state & QStyle.StateFlag.State_MouseOver)
            disc = QRectF(0, 0, 20, 20)
            disc.moveBottomRight(QRectF(place).bottomRight() - QPoint(3, 3))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(option.palette.color(QPalette.ColorRole.Base))  # the disc itself lets the ground shine
            painter.drawEllipse(disc)
            paint_play(painter, option.palette, disc, hovered, self.phase if playing else None)

    def _features(self, index: int) -> FloatArray:
        features = self._features_of(index)
        assert features is not None  # looked at just before
        return features
