"""What the map shows of a query: where its samples lie, and that strays among them enlarge nothing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QMainWindow
from pytestqt.qtbot import QtBot

from model.types import FloatArray, Item, Modality
from modinv_app.map.map_plot import MapPlot
from modinv_app.map.query_layer import Query

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")

CORNERS = np.array([[-1, -1], [1, 1]], np.float32)
MEAN = np.array([0.3, 0.3], np.float32)
RING = np.linspace(0, 2 * np.pi, 14, endpoint=False)
CLOUD = (MEAN + 0.15 * np.stack([np.cos(RING), np.sin(RING)], axis=1)).astype(np.float32)
STRAYS = np.array([[-0.8, -0.7], [-0.85, 0.6]], np.float32)


@pytest.fixture
def plot(qtbot: QtBot) -> Iterator[MapPlot]:
    plot = MapPlot()
    window = QMainWindow()
    window.setCentralWidget(plot)
    qtbot.addWidget(window)
    window.resize(500, 500)
    plot.set_items([Item(index, Modality.IMAGE, 9, "item") for index in range(len(CORNERS))])
    plot.set_points(CORNERS)
    window.show()
    qtbot.waitExposed(window)
    yield plot
    window.close()


def show(plot: MapPlot, samples: FloatArray) -> None:
    plot.show_query(Query(Modality.SPEECH, MEAN, samples, (), 7))


def on_screen(plot: MapPlot, place: FloatArray) -> QPointF:
    """In pixels; the corners of the map are where the two items are."""
    low, high = plot.position_of(0), plot.position_of(1)
    x, y = (place + 1) / 2
    return QPointF(low.x() + x * (high.x() - low.x()), low.y() + y * (high.y() - low.y()))


def colour(plot: MapPlot, place: FloatArray) -> QColor:
    return plot.grab().toImage().pixelColor(on_screen(plot, place).toPoint())


def test_the_samples_are_surrounded(plot: MapPlot) -> None:
    ground = plot.palette().color(QPalette.ColorRole.Base)
    assert colour(plot, MEAN + np.float32([0, 0.1])) == ground
    show(plot, CLOUD)
    assert colour(plot, MEAN + np.float32([0, 0.1])) != ground


def test_a_stray_is_shown_and_enlarges_nothing(plot: MapPlot) -> None:
    ground = plot.palette().color(QPalette.ColorRole.Base)
    show(plot, np.concatenate([CLOUD, STRAYS]))
    for stray in STRAYS:
        assert colour(plot, stray) != ground
        for share in (0.3, 0.5, 0.7):
            assert colour(plot, share * MEAN + (1 - share) * stray) == ground


def test_the_marker_hides_no_sample(plot: MapPlot) -> None:
    def drawn_in_the_middle() -> bool:
        picture, middle = plot.grab().toImage(), on_screen(plot, MEAN).toPoint()
        around = [QPoint(x, y) for x in (-1, 0, 1) for y in (-1, 0, 1)]
        return plot.palette().color(QPalette.ColorRole.Text) in [picture.pixelColor(middle + each) for each in around]

    show(plot, CLOUD)
    assert not drawn_in_the_middle()
    show(plot, np.concatenate([CLOUD, MEAN[None]]))
    assert drawn_in_the_middle()


def test_the_outline_is_around_the_samples_and_not_around_the_marker(plot: MapPlot) -> None:
    ground = plot.palette().color(QPalette.ColorRole.Base)
    aside = np.float32([-0.7, 0.1])
    show(plot, CLOUD + aside)
    for beside in np.float32([[0.1, 0], [-0.1, 0], [0, 0.1], [0, -0.1]]):
        assert colour(plot, MEAN + aside + beside) != ground
        assert colour(plot, MEAN + beside) == ground
