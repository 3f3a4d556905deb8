"""The lasso of the map: what is drawn around is selected, what is hidden is not, and other maps have none."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication
from pytestqt.qtbot import QtBot

from model.types import FloatArray, Item, Modality
from modinv_app.common.theme import digit_colour
from modinv_app.explore.projection import ProjectionPanel
from modinv_app.map.morph_map import MorphMap

SHIFT = Qt.KeyboardModifier.ShiftModifier
NONE = Qt.KeyboardModifier.NoModifier
PER_DIGIT = 20  # alternately images and utterances
COUNT = 10 * PER_DIGIT
ITEMS = [
    Item(index, Modality.SPEECH if index % 2 else Modality.IMAGE, index // PER_DIGIT, f"item {index}")
    for index in range(COUNT)
]
LABELS = np.array([item.label for item in ITEMS])
# Ten small clouds on a circle, so that a lasso around one is far from the others.
CENTRES = np.stack([np.cos(np.arange(10) * 0.2 * np.pi), np.sin(np.arange(10) * 0.2 * np.pi)], axis=1)
PLACES = (10 * CENTRES[LABELS] + np.random.default_rng(0).uniform(-1, 1, (COUNT, 2))).astype(np.float32)


def features_of(index: int) -> FloatArray:
    return np.full((100, 80) if index % 2 else (28, 28), 0.5, np.float32)


class Hand:
    """A panel with a map, and what a hand does there."""

    def __init__(self, panel: ProjectionPanel | MorphMap) -> None:
        self.panel = panel
        self.drawn: list[tuple[list[int], bool]] = []
        if isinstance(panel, ProjectionPanel):
            panel.lassoed.connect(lambda indices, add: self.drawn.append((indices.tolist(), add)))

    def at(self, index: int) -> QPoint:
        place = self.panel.position_of(index)
        assert place is not None
        return place

    def around(self, digit: int) -> list[QPoint]:
        """A way around the cloud of a digit."""
        places = np.array([[self.at(index).x(), self.at(index).y()] for index in np.flatnonzero(digit == LABELS)])
        low, high = places.min(axis=0) - 14, places.max(axis=0) + 14
        corners = np.array([low, [high[0], low[1]], high, [low[0], high[1]], low])
        steps = np.linspace(0, 1, 8, endpoint=False)[:, None]
        way = np.concatenate([a + steps * (b - a) for a, b in pairwise(corners)])  # all but the last step back
        return [QPoint(*map(round, place)) for place in way.tolist()]

    def drag(self, way: Sequence[QPoint], modifier: Qt.KeyboardModifier = NONE, *, release: bool = True) -> None:
        """Drag along a way, no faster than pyqtgraph follows."""
        widget = self.panel.childAt(way[0])
        assert widget is not None
        places = [widget.mapFrom(self.panel, place) for place in way]
        QTest.mouseMove(widget, places[0])
        QTest.mousePress(widget, Qt.MouseButton.LeftButton, modifier, places[0])
        for place in places[1:]:
            QTest.qWait(12)
            at, on_screen = QPointF(place), QPointF(widget.mapToGlobal(place))
            buttons = Qt.MouseButton.NoButton, Qt.MouseButton.LeftButton
            move = QMouseEvent(QEvent.Type.MouseMove, at, on_screen, *buttons, modifier)
            QApplication.sendEvent(widget, move)  # QTest.mouseMove can't hold a key
        if release:
            self.let_go(way[-1], modifier)

    def let_go(self, place: QPoint, modifier: Qt.KeyboardModifier = NONE) -> None:
        widget = self.panel.childAt(place)
        assert widget is not None
        QTest.mouseRelease(widget, Qt.MouseButton.LeftButton, modifier, widget.mapFrom(self.panel, place))

    def click(self, place: QPoint) -> None:
        widget = self.panel.childAt(place)
        assert widget is not None
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton, NONE, widget.mapFrom(self.panel, place))

    def button(self, name: str) -> QAbstractButton:
        buttons = self.panel.findChildren(QAbstractButton)
        return next(each for each in buttons if name in (each.text(), each.accessibleName()))


@pytest.fixture
def hand(qtbot: QtBot) -> Hand:
    panel = ProjectionPanel(features_of)
    qtbot.addWidget(panel)
    panel.resize(600, 600)
    panel.set_items(ITEMS)
    panel.set_coordinates("PCA", PLACES)
    panel.show()
    qtbot.waitExposed(panel)
    return Hand(panel)


def strength(hand: Hand, digit: int) -> float:
    """How strongly the points of a digit are shown, from 0, not at all, to 1: the median of their middles."""
    picture, full, ground = hand.panel.grab().toImage(), digit_colour(digit, dark=False), QColor("white")

    def apart(one: QColor, other: QColor) -> float:
        return float(np.abs(np.subtract(one.getRgbF(), other.getRgbF())).sum())

    middles = [picture.pixelColor(hand.at(index)) for index in of(digit)]
    return 1 - float(np.median([apart(middle, full) for middle in middles])) / apart(ground, full)


def of(digit: int) -> list[int]:
    return np.flatnonzero(digit == LABELS).tolist()


def test_shift_and_drag_around_a_cloud_selects_exactly_its_items(hand: Hand) -> None:
    before = hand.at(0)
    hand.drag(hand.around(3), SHIFT)
    assert hand.drawn == [(of(3), True)]
    assert hand.at(0) == before, "nothing is panned"


def test_with_the_lasso_in_the_hand_no_key_is_needed(hand: Hand) -> None:
    hand.button("Lasso").click()
    hand.drag(hand.around(8))
    hand.drag(hand.around(2), SHIFT)
    assert hand.drawn == [(of(8), False), (of(2), True)]


def test_without_it_dragging_pans(hand: Hand) -> None:
    before = hand.at(0)
    hand.drag(hand.around(3)[:20])
    assert hand.drawn == []
    assert hand.at(0) != before


def test_points_that_the_legend_hides_are_not_selected(hand: Hand) -> None:
    hand.button("Show speech points").click()
    hand.drag(hand.around(3), SHIFT)
    hand.button("Show digit 4").click()
    hand.drag(hand.around(4), SHIFT)
    assert hand.drawn == [([index for index in of(3) if index % 2 == 0], True), ([], True)]
    hand.panel.select_shown()
    shown, add = hand.drawn[-1]
    assert shown == [index for index in range(COUNT) if index % 2 == 0 and LABELS[index] != 4]
    assert not add


def test_an_outline_can_be_dropped_on_the_way(hand: Hand) -> None:
    way, before = hand.around(5), hand.at(0)
    hand.drag(way[:20], SHIFT, release=False)
    assert hand.panel.cancel_outline()
    hand.let_go(way[20], SHIFT)
    assert hand.drawn == []
    assert hand.at(0) == before
    assert not hand.panel.cancel_outline()


def test_the_outline_is_seen_while_it_is_drawn(hand: Hand) -> None:
    way = hand.around(5)
    before = hand.panel.grab().toImage()
    hand.drag(way[:20], SHIFT, release=False)
    during = hand.panel.grab().toImage()
    assert before.pixelColor(way[6]).lightness() > 200
    assert min(during.pixelColor(way[6] + QPoint(0, dy)).lightness() for dy in (-1, 0, 1)) < 100
    hand.let_go(way[20], SHIFT)
    hand.panel.show_selection(())
    assert hand.panel.grab().toImage().pixelColor(way[6]) == before.pixelColor(way[6])


def test_selected_points_stay_bright_and_others_grow_dim_but_never_vanish(hand: Hand) -> None:
    hand.panel.show_selection(of(3))
    assert strength(hand, 3) > 0.97
    assert 0.2 < strength(hand, 6) < 0.7
    hand.panel.show_selection(())
    assert strength(hand, 6) > 0.97


def test_a_click_on_an_empty_place_ends_the_selection_instead_of_imagining(qtbot: QtBot, hand: Hand) -> None:
    imagined: list[object] = []
    hand.panel.place_clicked.connect(imagined.append)
    middle = hand.panel.rect().center()
    hand.panel.show_selection(of(3))
    with qtbot.waitSignal(hand.panel.deselected):
        hand.click(middle)
    assert not imagined
    hand.panel.show_selection(())
    hand.click(middle)
    assert len(imagined) == 1


def test_the_selection_follows_the_points_to_the_other_map(qtbot: QtBot, hand: Hand) -> None:
    hand.panel.show_selection(of(3))
    hand.panel.set_coordinates("t-SNE", -PLACES)
    hand.panel.choose("t-SNE")
    start = hand.at(of(3)[0])
    qtbot.waitUntil(lambda: (hand.at(of(3)[0]) - start).manhattanLength() > 200)
    qtbot.wait(450)
    assert strength(hand, 3) > 0.97
    assert strength(hand, 6) < 0.7
    hand.drag(hand.around(3), SHIFT)
    assert hand.drawn[-1][0] == of(3)


def test_other_items_are_not_selected(hand: Hand) -> None:
    hand.panel.show_selection(of(3))
    hand.panel.set_items(ITEMS[:40])
    hand.panel.set_coordinates("PCA", PLACES[:40])
    assert strength(hand, 0) > 0.97


def test_maps_without_a_list_have_no_lasso(qtbot: QtBot) -> None:
    panel = MorphMap("nothing yet")
    qtbot.addWidget(panel)
    panel.resize(600, 600)
    panel.set_items(ITEMS, features_of)
    panel.place(PLACES / 11)
    panel.show()
    qtbot.waitExposed(panel)
    hand = Hand(panel)
    before = hand.at(0)
    hand.drag(hand.around(3)[:20], SHIFT)
    assert hand.at(0) != before, "it pans, as without Shift"
