"""Delegates that paint matches: an utterance as a row, an image as a tile."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from functools import lru_cache
from typing import Literal

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPainterPath, QPalette, QPen, QPixmap
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from model.types import WORDS, FloatArray
from modinv_app.common.item_view import AnyIndex, paint_item_background
from modinv_app.common.match_model import MatchModel, format_score
from modinv_app.common.pictures import features_pixmap
from modinv_app.common.theme import digit_colour, is_dark, with_alpha

Action = Literal["play", "query"]
_PAD = 4
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class Thumbnails:
    """Small pictures of gallery items; the last few hundred are cached, because matches recur while one draws."""

    def __init__(self, features_of: Callable[[int], FloatArray]) -> None:
        def render(gallery_index: int, width: int, height: int, dpr: float) -> QPixmap:
            return features_pixmap(features_of(gallery_index), QSize(width, height), dpr)

        self.pixmap = lru_cache(maxsize=512)(render)


class MatchDelegate(QStyledItemDelegate):
    """The common part of rows and tiles.

    Attributes
    ----------
    hovered
        Row and button under the pointer.
    phase
        Seconds since the playing item began to play; animates its bars.
    """

    def __init__(self, thumbnails: Thumbnails, model: MatchModel) -> None:
        super().__init__()
        self._thumbnails = thumbnails
        self._model = model
        self.hovered: tuple[int, Action] | None = None
        self.phase = 0.0

    @abstractmethod
    def action_at(self, rect: QRect, metrics: QFontMetrics, place: QPoint) -> Action | None:
        """The action of a click at a place on an item that is painted in ``rect``."""

    def _paint_background(self, painter: QPainter, option: QStyleOptionViewItem, rect: QRectF) -> None:
        # The current item need not be selected.
        focus = QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_HasFocus
        paint_item_background(painter, option, rect, focused=option.state & focus == focus)

    def _paint_thumbnail(self, painter: QPainter, gallery_index: int, rect: QRect) -> None:
        dpr = painter.device().devicePixelRatioF()
        pixmap = self._thumbnails.pixmap(gallery_index, rect.width(), rect.height(), dpr)
        painter.drawPixmap(rect.topLeft(), pixmap)

    def _paint_similarity(self, painter: QPainter, option: QStyleOptionViewItem, row: int, rect: QRectF) -> None:
        radius = rect.height() / 2
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(with_alpha(option.palette.color(QPalette.ColorRole.Text), 0.12))
        painter.drawRoundedRect(rect, radius, radius)
        label = self._model.match_at(row).item.label
        painter.setBrush(digit_colour(label, is_dark(option.palette)))
        filled = QRectF(rect)
        filled.setWidth(max(rect.height(), rect.width() * self._model.similarity(row)))
        painter.drawRoundedRect(filled, radius, radius)


class UtteranceDelegate(MatchDelegate):
    """A row: rank, play button, spectrogram, word, speaker and score.

    The button "use as query" is shown on hover and selection, at the end of the second line, so that nothing moves.
    """

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        del index
        return QSize(0, 2 * option.fontMetrics.height() + 5 * _PAD)

    def action_at(self, rect: QRect, metrics: QFontMetrics, place: QPoint) -> Action | None:
        row = _row_layout(rect, metrics)
        place = place - rect.topLeft()
        if row.play.adjusted(-_PAD, -_PAD, _PAD, _PAD).contains(place):
            return "play"
        return "query" if row.query.adjusted(-_PAD, -1, _PAD, _PAD).contains(place) else None

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        number = index.row()
        item = self._model.match_at(number).item
        row = _row_layout(option.rect, option.fontMetrics)
        text = option.palette.color(QPalette.ColorRole.Text)
        quiet = with_alpha(text, 0.65)

        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_background(painter, option, QRectF(option.rect).adjusted(1, 1, -1, -1))
        painter.translate(option.rect.topLeft())
        painter.setPen(quiet)
        painter.drawText(row.rank, _RIGHT, str(number + 1))
        hovered = self.hovered[1] if self.hovered and self.hovered[0] == number else None
        playing = item.index == self._model.playing
        paint_play(painter, option.palette, QRectF(row.play), hovered == "play", self.phase if playing else None)
        self._paint_thumbnail(painter, item.index, row.thumbnail)
        paint_chip(painter, option, row.chip, item.label)

        bold = QFont(option.font)
        bold.setBold(True)
        painter.setFont(bold)
        painter.setPen(text)
        painter.drawText(row.word, _LEFT, WORDS[item.label])
        painter.setFont(option.font)
        painter.setPen(quiet)
        painter.drawText(row.score, _RIGHT, format_score(self._model.match_at(number)))
        source = row.source
        if option.state & (QStyle.StateFlag.State_MouseOver | QStyle.StateFlag.State_Selected):
            source = source.adjusted(0, 0, -row.query.width() - _PAD, 0)
            _paint_query(painter, option.palette, QRectF(row.query), hovered == "query")
            painter.setPen(quiet)
        described = self._model.match_at(number).item.source
        elided = option.fontMetrics.elidedText(described, Qt.TextElideMode.ElideRight, source.width())
        painter.drawText(source, _LEFT, elided)
        self._paint_similarity(painter, option, number, QRectF(row.bar))
        painter.restore()


class ImageDelegate(MatchDelegate):
    """A tile: picture, digit and relative score."""

    @staticmethod
    def caption_height(metrics: QFontMetrics) -> int:
        """Height below a picture, in device-independent pixels."""
        return metrics.height() + _PAD

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        del index
        return option.rect.size()

    def action_at(self, rect: QRect, metrics: QFontMetrics, place: QPoint) -> Action | None:
        del metrics
        return "query" if rect.contains(place) else None

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        item = self._model.match_at(index.row()).item
        tile = option.rect.adjusted(_PAD // 2, _PAD // 2, -_PAD // 2, -_PAD // 2)
        line = option.fontMetrics.height()
        side = min(tile.width() - 2 * _PAD, tile.height() - line - 3 * _PAD)
        tile = QRect(tile.center().x() - side // 2 - _PAD, tile.top(), side + 2 * _PAD, tile.height())
        picture = QRect(tile.left() + _PAD, tile.top() + _PAD, side, side)
        chip = QRect(picture.left(), picture.bottom() + 1 + _PAD, line, line)
        bar = QRectF(chip.right() + 2 * _PAD, chip.center().y() - 1.5, 0, 4)
        bar.setRight(picture.right() + 1)

        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_background(painter, option, QRectF(tile))
        self._paint_thumbnail(painter, item.index, picture)
        painter.setPen(with_alpha(option.palette.color(QPalette.ColorRole.Text), 0.2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(
            QRectF(picture).adjusted(-0.5, -0.5, 0.5, 0.5)
        )  # or white paper would have no edge on a light background
        paint_chip(painter, option, chip, item.label)
        self._paint_similarity(painter, option, index.row(), bar)
        painter.restore()


class _RowLayout:
    """The rectangles of a row's parts, relative to its upper left corner."""

    def __init__(self, width: int, height: int, line: int, rank: int) -> None:
        inner = QRect(0, 0, width, height).adjusted(_PAD, _PAD + _PAD // 2, -2 * _PAD, -_PAD - _PAD // 2)
        self.rank = QRect(inner.left(), inner.top(), rank, inner.height())
        side = round(1.5 * line)
        middle = inner.center().y()
        self.play = QRect(self.rank.right() + 2 * _PAD, middle - side // 2, side, side)
        wide = round(1.3 * inner.height())
        self.thumbnail = QRect(self.play.right() + 2 * _PAD, inner.top(), wide, inner.height())
        left = self.thumbnail.right() + 2 * _PAD
        self.chip = QRect(left, inner.top(), line, line)
        self.score = QRect(left, inner.top(), inner.right() - left, line)
        self.word = self.score.adjusted(line + _PAD + 2, 0, 0, 0)
        self.source = self.score.translated(0, line)
        self.query = QRect(self.score.right() - line, self.source.top(), line, line)
        self.bar = QRect(left, inner.bottom() - 2, self.score.width(), 3)


_layout_of_size = lru_cache(maxsize=4)(_RowLayout)  # all rows have one size


def _row_layout(rect: QRect, metrics: QFontMetrics) -> _RowLayout:
    return _layout_of_size(rect.width(), rect.height(), metrics.height(), metrics.horizontalAdvance("00"))


def paint_chip(painter: QPainter, option: QStyleOptionViewItem, rect: QRect, digit: int) -> None:
    """Paint a digit on a square of its colour."""
    colour = digit_colour(digit, is_dark(option.palette))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawRoundedRect(rect, 3, 3)
    luminance = 0.299 * colour.redF() + 0.587 * colour.greenF() + 0.114 * colour.blueF()
    painter.setPen(QColor("black" if luminance > 0.55 else "white"))
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, str(digit))


def paint_play(painter: QPainter, palette: QPalette, rect: QRectF, hovered: bool, phase: float | None) -> None:
    """Paint a play button; while playing, animated bars, of which ``phase`` is the seconds since the start."""
    highlight = palette.color(QPalette.ColorRole.Highlight)
    text = palette.color(QPalette.ColorRole.Text)
    filled = hovered or phase is not None
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(highlight if filled else with_alpha(text, 0.12))
    painter.drawEllipse(rect)
    painter.setBrush(palette.color(QPalette.ColorRole.HighlightedText) if filled else text)
    unit, centre = rect.width() / 20, rect.center()
    if phase is None:
        corners = ((-2.8, -4.6), (-2.8, 4.6), (5.0, 0.0))
        painter.drawPolygon([QPointF(centre.x() + x * unit, centre.y() + y * unit) for x, y in corners])
        return
    for bar in range(3):
        height = (4.5 + 3.5 * math.sin(9 * phase + 2.1 * bar)) * unit
        left = centre.x() + (3.4 * bar - 4.5) * unit
        painter.drawRect(QRectF(left, centre.y() - height / 2, 2.2 * unit, height))


def _paint_query(painter: QPainter, palette: QPalette, rect: QRectF, hovered: bool) -> None:
    """Paint a magnifying glass."""
    colour = palette.color(QPalette.ColorRole.Highlight if hovered else QPalette.ColorRole.Text)
    unit = rect.width() / 16
    glass = QPainterPath()
    glass.addEllipse(rect.topLeft() + QPointF(6.5, 6.5) * unit, 4.2 * unit, 4.2 * unit)
    glass.moveTo(rect.topLeft() + QPointF(9.6, 9.6) * unit)
    glass.lineTo(rect.topLeft() + QPointF(13.8, 13.8) * unit)
    painter.setPen(QPen(colour, 1.7 * unit, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(glass)
