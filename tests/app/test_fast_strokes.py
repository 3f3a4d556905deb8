"""A hand may be faster than the window: no corner of what it draws is lost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPointF, Qt
from PySide6.QtGui import QCursor, QEnterEvent
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from x_server import needs_x_server, run

from modinv_app.common.canvas import Canvas

COMPRESSION = Qt.ApplicationAttribute.AA_CompressHighFrequencyEvents


@pytest.fixture
def canvas(qtbot: QtBot) -> Iterator[Canvas]:
    before = QCoreApplication.testAttribute(COMPRESSION)
    QCoreApplication.setAttribute(COMPRESSION)  # as on X11
    canvas = Canvas()
    qtbot.addWidget(canvas)
    QCursor.setPos(0, 0)  # another test may have left it where the canvas will be
    canvas.move(300, 300)
    canvas.show()
    yield canvas
    QCoreApplication.setAttribute(COMPRESSION, before)


def enter(canvas: Canvas) -> None:
    middle = QPointF(canvas.rect().center())
    QCoreApplication.sendEvent(canvas, QEnterEvent(middle, middle, middle))
    canvas.setAttribute(Qt.WidgetAttribute.WA_UnderMouse)  # as Qt does for events of the screen


def leave(canvas: Canvas) -> None:
    canvas.setAttribute(Qt.WidgetAttribute.WA_UnderMouse, False)
    QCoreApplication.sendEvent(canvas, QEvent(QEvent.Type.Leave))


@pytest.mark.parametrize("go", [leave, Canvas.hide])
def test_every_move_is_asked_for_while_the_mouse_is_over_the_canvas(canvas: Canvas, go) -> None:
    enter(canvas)
    assert not QCoreApplication.testAttribute(COMPRESSION)
    go(canvas)
    assert QCoreApplication.testAttribute(COMPRESSION)


@pytest.mark.parametrize("mouse_here", [False, True])
def test_every_move_is_asked_for_while_a_finger_draws(canvas: Canvas, mouse_here: bool) -> None:
    if mouse_here:
        enter(canvas)
    screen, at = QTest.createTouchDevice(), canvas.rect().center()
    QTest.touchEvent(canvas, screen).press(0, at).commit()
    assert not QCoreApplication.testAttribute(COMPRESSION)
    QTest.touchEvent(canvas, screen).release(0, at).commit()
    assert QCoreApplication.testAttribute(COMPRESSION) is not mouse_here


class TestOnAnXServer:
    pytestmark = needs_x_server

    def test_no_corner_is_lost(self) -> None:
        assert run("fast_strokes.py") == {"at leisure": 0, "busy": 0}
