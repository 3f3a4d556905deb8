"""Confusions and mistakes: cells open their items, items are looked at and listened to."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import pytest
from evaluated import IMAGES, MISTAKES, an_evaluation, features
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot
from showing import shown

from model.types import Modality
from modinv_app.evaluate.confusion_grid import ConfusionGrid
from modinv_app.evaluate.confusions import ConfusionsPanel
from modinv_app.evaluate.mistakes import MistakesPanel
from modinv_app.evaluate.pair_view import PairView

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")


Panel = TypeVar("Panel", ConfusionsPanel, MistakesPanel)


def judged(panel: Panel) -> Panel:
    panel.show_evaluation(an_evaluation())
    return panel


@pytest.fixture
def panel(qtbot: QtBot) -> ConfusionsPanel:
    return judged(shown(qtbot, ConfusionsPanel(features)))


@pytest.fixture
def mistakes(qtbot: QtBot) -> MistakesPanel:
    return judged(shown(qtbot, MistakesPanel(features)))


def listed(view: PairView) -> list[tuple[int, int]]:
    pairs = [view.pair_at(row) for row in range(view.model().rowCount())]
    return [(pair.query.index, pair.match.index) for pair in pairs]


def click_cell(grid: ConfusionGrid, row: int, column: int) -> None:
    QTest.mouseClick(grid, Qt.MouseButton.LeftButton, pos=grid.rect_of((row, column)).center().toPoint())


def click_pair(view: PairView, row: int) -> None:
    at = view.visualRect(view.model().index(row)).center()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)


def said(panel: QWidget) -> str:
    return "\n".join(label.text() for label in panel.findChildren(QLabel) if label.isVisible())


def test_the_worst_cell_is_open_at_first(panel: ConfusionsPanel) -> None:
    assert panel.grids[Modality.IMAGE].current == (2, 7)
    assert listed(panel.pairs) == [(9, IMAGES + 14)]
    assert "Image of two, wrongly matched with seven: 1" in said(panel)


def test_a_cell_opens_its_items(panel: ConfusionsPanel) -> None:
    click_cell(panel.grids[Modality.SPEECH], 1, 9)
    assert listed(panel.pairs) == [(IMAGES + 3, 36)]
    assert panel.grids[Modality.IMAGE].current is None, "one cell at a time"
    click_cell(panel.grids[Modality.IMAGE], 3, 3)
    assert listed(panel.pairs) == [(n, IMAGES + n // 2) for n in (12, 13, 14, 15)]
    assert "Image of three, correctly matched with three: 4" in said(panel)


def test_an_empty_cell_stays_shut(panel: ConfusionsPanel) -> None:
    click_cell(panel.grids[Modality.IMAGE], 0, 1)
    assert listed(panel.pairs) == [(9, IMAGES + 14)]


def test_the_keyboard_goes_to_a_cell_and_opens_it(panel: ConfusionsPanel) -> None:
    grid = panel.grids[Modality.IMAGE]
    grid.setFocus()
    for key in (*[Qt.Key.Key_Down] * 3, *[Qt.Key.Key_Left] * 4, Qt.Key.Key_Return):  # from the open (2, 7) to (5, 3)
        QTest.keyClick(grid, key)
    assert grid.current == (5, 3)
    assert listed(panel.pairs) == [(22, IMAGES + 6)]


def test_a_click_plays_the_utterance_of_either_side(qtbot: QtBot, panel: ConfusionsPanel) -> None:
    with qtbot.waitSignal(panel.play_wanted) as played:
        click_pair(panel.pairs, 0)
    assert played.args == [IMAGES + 14]  # the match of an image
    click_cell(panel.grids[Modality.SPEECH], 1, 9)
    with qtbot.waitSignal(panel.play_wanted) as played:
        panel.pairs.setCurrentIndex(panel.pairs.model().index(0))
        QTest.keyClick(panel.pairs, Qt.Key.Key_Return)
    assert played.args == [IMAGES + 3]  # a spoken query


def test_the_grid_tells_its_cells_in_words(panel: ConfusionsPanel) -> None:
    assert panel.grids[Modality.IMAGE].accessibleDescription() == "Image of two, wrongly matched with seven: 1 of 4"
    assert panel.grids[Modality.SPEECH].accessibleName() == "Confusions, speech to image"


def test_wrong_cells_glow(panel: ConfusionsPanel) -> None:
    grid = panel.grids[Modality.IMAGE]
    picture = grid.grab().toImage()
    corner = QPoint(6, 6)  # beside the number

    def colour(row: int, column: int) -> tuple[int, ...]:
        return picture.pixelColor(grid.rect_of((row, column)).topLeft().toPoint() + corner).getRgb()

    assert colour(5, 3) != colour(5, 4)
    assert colour(0, 1) == colour(5, 4), "nothing is there"


def test_without_an_evaluation_nothing_shows(panel: ConfusionsPanel) -> None:
    panel.show_evaluation(None)
    assert listed(panel.pairs) == []
    click_cell(panel.grids[Modality.IMAGE], 3, 3)
    assert listed(panel.pairs) == []


def test_mistakes_come_worst_first(mistakes: MistakesPanel) -> None:
    by_margin = sorted(MISTAKES.items(), key=lambda each: -each[1][1])
    assert listed(mistakes.pairs) == [(query, match) for query, (match, _) in by_margin]
    assert mistakes.pairs.pair_at(0).note == "by 8.5"
    assert "3 of 60 nearest matches are wrong" in said(mistakes)


def test_mistakes_of_one_direction(mistakes: MistakesPanel) -> None:
    mistakes.which.setCurrentText("speech → image")
    assert listed(mistakes.pairs) == [(IMAGES + 3, 36)]
    assert "1 of 20 nearest matches are wrong" in said(mistakes)


def test_no_mistakes_at_all(mistakes: MistakesPanel) -> None:
    mistakes.show_evaluation(an_evaluation(mistakes={}))
    assert "All nearest matches are correct." in said(mistakes)
    assert not mistakes.pairs.isVisible()


def test_a_mistake_for_which_there_is_no_right_item(mistakes: MistakesPanel) -> None:
    mistakes.show_evaluation(an_evaluation(mistakes={9: (IMAGES + 14, np.inf)}))
    assert mistakes.pairs.pair_at(0).note == "no correct match"


def test_pictures_appear_when_they_have_been_read(qtbot: QtBot) -> None:
    there: dict[int, np.ndarray] = {}
    panel = MistakesPanel(there.get)
    shown(qtbot, panel)
    panel.show_evaluation(an_evaluation())
    before = panel.pairs.viewport().grab().toImage()
    there.update({index: features(index) for index in (9, IMAGES + 14)})
    panel.pairs.features_changed()
    after = panel.pairs.viewport().grab().toImage()
    assert before != after


def test_tiles_share_the_width(qtbot: QtBot, mistakes: MistakesPanel) -> None:
    def places() -> list[QRect]:
        return [mistakes.pairs.visualRect(mistakes.pairs.model().index(row)) for row in range(3)]

    first, second, _ = places()
    assert first.top() == second.top(), "side by side"
    assert not first.intersects(second)
    mistakes.setFixedSize(380, 600)
    qtbot.waitUntil(lambda: places()[0].left() == places()[1].left())  # below each other
    assert all(place.right() < mistakes.pairs.viewport().width() for place in places())


def test_the_sounding_utterance_is_marked(mistakes: MistakesPanel) -> None:
    silent = mistakes.pairs.viewport().grab().toImage()
    mistakes.pairs.set_playing(IMAGES + 14)
    assert mistakes.pairs.viewport().grab().toImage() != silent
    mistakes.pairs.set_playing(None)
    assert mistakes.pairs.viewport().grab().toImage() == silent
