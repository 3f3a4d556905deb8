"""The dial of lambda_IG: where its values lie, and what hand, wheel, keys and typing do."""

from __future__ import annotations

import math

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractSlider, QApplication, QLineEdit
from pytestqt.qtbot import QtBot
from showing import shown

from model.recipes.recipe import PAPER_LAMBDAS, lambda_text
from modinv_app.common.lambda_dial import LambdaDial, place_of, value_at


@pytest.fixture
def dial(qtbot: QtBot) -> LambdaDial:
    return shown(qtbot, LambdaDial(), 700, 60)


def scale(dial: LambdaDial) -> QAbstractSlider:
    return dial.findChild(QAbstractSlider)


def field(dial: LambdaDial) -> QLineEdit:
    return dial.findChild(QLineEdit)


def type_in(dial: LambdaDial, text: str) -> None:
    field(dial).selectAll()
    QTest.keyClicks(field(dial), text)
    QTest.keyClick(field(dial), Qt.Key.Key_Return)


def at(dial: LambdaDial, place: float) -> QPoint:
    """A place of the scale, 0 to 1, on its widget."""
    return QPoint(round(11 + place * (scale(dial).width() - 22)), 11)


def test_the_papers_values_lie_evenly_from_end_to_end() -> None:
    places = [place_of(value) for value in PAPER_LAMBDAS]
    assert places == pytest.approx([index / 7 for index in range(8)], abs=1e-3)


@pytest.mark.parametrize("value", [0.0, 3e-6, 1e-5, 2e-4, 0.0215, 0.5, 1.0])
def test_the_value_at_the_place_of_a_value_is_that_value(value: float) -> None:
    assert value_at(place_of(value)) == pytest.approx(value, rel=1e-3)


def test_arrows_go_from_mark_to_mark_and_hit_them_exactly(dial: LambdaDial) -> None:
    heard: list[float] = []
    dial.value_changed.connect(heard.append)
    for _ in range(9):
        QTest.keyClick(scale(dial), Qt.Key.Key_Right)
    assert heard == list(PAPER_LAMBDAS[1:])
    QTest.keyClick(scale(dial), Qt.Key.Key_Left)
    assert dial.value == PAPER_LAMBDAS[-2]
    QTest.keyClick(scale(dial), Qt.Key.Key_Home)
    assert dial.value == 0
    QTest.keyClick(scale(dial), Qt.Key.Key_End)
    assert dial.value == 1


def test_with_shift_arrows_reach_values_between(dial: LambdaDial) -> None:
    dial.set_value(2.15e-2)
    QTest.keyClick(scale(dial), Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert 2.15e-2 < dial.value < 4e-2
    QTest.keyClick(scale(dial), Qt.Key.Key_Left)
    assert dial.value == 2.15e-2


def test_dragging_snaps_to_marks_and_passes_between_them(dial: LambdaDial) -> None:
    left = Qt.MouseButton.LeftButton
    QTest.mousePress(scale(dial), left, pos=at(dial, 0.5))
    between = dial.value
    assert 4.64e-4 < between < 3.16e-3
    QTest.mouseMove(scale(dial), at(dial, 5 / 7) + QPoint(4, 0))
    assert dial.value == 2.15e-2
    QTest.mouseMove(scale(dial), QPoint(5000, 11))
    assert dial.value == 1
    QTest.mouseRelease(scale(dial), left, pos=QPoint(5000, 11))
    QTest.mouseMove(scale(dial), at(dial, 0.2))
    assert dial.value == 1, "nobody holds the handle any more"


def test_the_wheel_turns_only_the_dial_that_has_the_focus(dial: LambdaDial) -> None:
    def turn() -> None:
        place = QPointF(at(dial, 0.3))
        nothing, up = Qt.MouseButton.NoButton, QPoint(0, 120)
        modifier, phase = Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase
        QApplication.sendEvent(scale(dial), QWheelEvent(place, place, QPoint(), up, nothing, modifier, phase, False))

    field(dial).setFocus()
    turn()
    assert dial.value == 0
    scale(dial).setFocus()
    turn()
    assert dial.value > 0


@pytest.mark.parametrize(("text", "value"), [("0.02", 0.02), ("2e-2", 0.02), ("0,02", 0.02), ("0", 0.0), ("3", 3.0)])
def test_any_value_can_be_typed(dial: LambdaDial, text: str, value: float) -> None:
    dial.set_value(0.5)
    type_in(dial, text)
    assert dial.value == value
    assert scale(dial).accessibleDescription() == lambda_text(value)


@pytest.mark.parametrize("text", ["seven", "-1", "", "inf", "nan"])
def test_what_is_no_such_value_leaves_everything_as_it_was(dial: LambdaDial, qtbot: QtBot, text: str) -> None:
    dial.set_value(0.5)
    with qtbot.assertNotEmitted(dial.value_changed):
        type_in(dial, text) if text else field(dial).clear()
        field(dial).editingFinished.emit()
    assert dial.value == 0.5
    assert field(dial).text() == "5e-1"


def test_only_another_value_is_told(dial: LambdaDial, qtbot: QtBot) -> None:
    with qtbot.waitSignal(dial.value_changed) as heard:
        dial.set_value(0.07)
    assert heard.args == [0.07]
    with qtbot.assertNotEmitted(dial.value_changed):
        dial.set_value(0.07)
    with pytest.raises(ValueError, match="at least 0"):
        dial.set_value(math.nan)


def test_both_ways_in_have_names_and_take_the_focus(dial: LambdaDial) -> None:
    for control in (scale(dial), field(dial)):
        assert control.accessibleName()
        assert control.focusPolicy() & Qt.FocusPolicy.TabFocus
