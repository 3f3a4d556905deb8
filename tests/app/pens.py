"""Mouse, finger and pen tablet on a canvas, for tests."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QInputDevice, QPointingDevice, QTabletEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from modinv_app.common.canvas import Canvas

PEN = QPointingDevice(
    "pen",
    77,
    QInputDevice.DeviceType.Stylus,
    QPointingDevice.PointerType.Pen,
    QInputDevice.Capability.Position | QInputDevice.Capability.Pressure,
    1,
    1,
)


def place(canvas: Canvas, x: float, y: float) -> QPoint:
    return QPoint(round(x * canvas.width()), round(y * canvas.height()))


def drag(canvas: Canvas, *points: tuple[float, float]) -> None:
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=place(canvas, *points[0]))
    for point in points[1:]:
        QTest.mouseMove(canvas, place(canvas, *point))
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=place(canvas, *points[-1]))


def touch(canvas: Canvas, *points: tuple[float, float]) -> None:
    screen = QTest.createTouchDevice()
    QTest.touchEvent(canvas, screen).press(0, place(canvas, *points[0])).commit()
    for point in points[1:]:
        QTest.touchEvent(canvas, screen).move(0, place(canvas, *point)).commit()
    QTest.touchEvent(canvas, screen).release(0, place(canvas, *points[-1])).commit()


def stylus(canvas: Canvas, kind: QEvent.Type, x: float, y: float, pressure: float) -> None:
    left = Qt.MouseButton.LeftButton
    held = Qt.MouseButton.NoButton if kind == QEvent.Type.TabletRelease else left
    at = QPointF(place(canvas, x, y))
    everywhere = QPointF(canvas.mapToGlobal(at))
    event = QTabletEvent(kind, PEN, at, everywhere, pressure, 0, 0, 0, 0, 0, Qt.KeyboardModifier.NoModifier, left, held)
    QApplication.sendEvent(canvas, event)
    assert event.isAccepted()
