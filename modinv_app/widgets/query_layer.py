"""The query in the map: a bright marker, how sure the model is of it, and what was found for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QBrush, QColor, QPalette, QPen

from model.results import FloatArray, Modality
from modinv_app.theme import accent, digit_colour, is_dark

SYMBOLS = {Modality.IMAGE: "o", Modality.SPEECH: "t1"}
_DEVIATIONS = 2.0  # standard deviations at which the ellipse is drawn
_ANGLES = np.linspace(0, 2 * np.pi, 65)
_CIRCLE = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)])


@dataclass(frozen=True, eq=False)
class Query:
    """What the map shows of a query, in the units of the map.

    Attributes
    ----------
    modality
        Its own modality, which gives the marker its shape.
    mean, samples
        The posterior's mean ``(2,)`` and samples ``(m, 2)``.
    matches
        Indices of the items that were found.
    guess
        The digit that it is taken for.
    """

    modality: Modality
    mean: FloatArray
    samples: FloatArray
    matches: tuple[int, ...]
    guess: int | None


class QueryLayer:
    """The graphics items that draw a query above the gallery's points."""

    def __init__(self, box: pg.ViewBox) -> None:
        self._lines = pg.PlotCurveItem(antialias=True, connect="pairs")
        self._matches = pg.ScatterPlotItem(size=14)
        self._ellipse = pg.PlotCurveItem(antialias=True)
        self._samples = pg.ScatterPlotItem(size=6, brush=None)
        self._halo = pg.ScatterPlotItem(size=44, symbol="o", pen=None)
        self._marker = pg.ScatterPlotItem(size=24)
        self._parts = [self._lines, self._matches, self._ellipse, self._samples, self._halo, self._marker]
        for height, part in enumerate(self._parts, start=20):
            part.setZValue(height)
            part.hide()
            box.addItem(part, ignoreBounds=True)

    def set_palette(self, palette: QPalette) -> None:
        """Take the colours of a theme."""
        dark, text, light = is_dark(palette), palette.color(QPalette.ColorRole.Text), accent(palette)
        # One brush a digit: pyqtgraph keeps a drawn symbol for each brush *object* that it meets.
        self._brushes = [QBrush(digit_colour(digit, dark)) for digit in range(10)]
        self._unsure = QBrush(text)
        self._lines.setPen(_pen(text, 1.0, 0.4))
        self._matches.setPen(_pen(text, 1.6))
        self._ellipse.setPen(_pen(text, 1.5, 0.7))
        self._samples.setPen(_pen(text, 1.1, 0.75))
        self._halo.setBrush(QBrush(_faint(light, 0.3)))
        self._marker.setPen(_pen(text, 2.6))

    def hide(self) -> None:
        """Show nothing."""
        for part in self._parts:
            part.hide()

    def show(
        self, query: Query, points: FloatArray, labels: npt.NDArray[np.intp], speech: npt.NDArray[np.bool_]
    ) -> None:
        """Draw a query among the gallery's points ``(n, 2)``, whose labels and modalities are ``(n,)`` each."""
        mean, found = query.mean[None], list(query.matches)
        self._marker.setSymbol(SYMBOLS[query.modality])
        self._marker.setBrush(self._unsure if query.guess is None else self._brushes[query.guess])
        for part in (self._halo, self._marker):
            part.setData(x=mean[:, 0], y=mean[:, 1])
        self._samples.setData(x=query.samples[:, 0], y=query.samples[:, 1])
        self._ellipse.setData(*_ellipse(query.samples))
        self._matches.setData(
            x=points[found, 0],
            y=points[found, 1],
            symbol=[SYMBOLS[Modality.SPEECH if speech[index] else Modality.IMAGE] for index in found],
            brush=[self._brushes[labels[index]] for index in found],
        )
        ends = np.stack([np.repeat(mean, len(found), axis=0), points[found]], axis=1).reshape(-1, 2)
        self._lines.setData(ends[:, 0], ends[:, 1], connect="pairs")
        for part in self._parts:
            part.show()


def _ellipse(samples: FloatArray) -> FloatArray:
    """Outline of the samples' spread, ``(2, points)``."""
    variances, axes = np.linalg.eigh(np.cov(samples.T))
    lengths = _DEVIATIONS * np.sqrt(np.maximum(variances, 0))
    return np.asarray(samples.mean(axis=0)[:, None] + axes @ (lengths[:, None] * _CIRCLE), np.float32)


def _pen(colour: QColor, width: float, opacity: float = 1.0) -> QPen:
    pen = QPen(_faint(colour, opacity), width)
    pen.setCosmetic(True)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    return pen


def _faint(colour: QColor, opacity: float) -> QColor:
    faint = QColor(colour)
    faint.setAlphaF(opacity)
    return faint
