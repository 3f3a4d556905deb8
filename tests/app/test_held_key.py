"""What holds the button to speak, and until when; events are those that the xcb platform has delivered."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QMainWindow, QVBoxLayout, QWidget

from modinv_app.explore.held_key import GRACE_MS, HeldKey
from modinv_app.explore.hold_button import HoldButton
from modinv_app.explore.push_to_talk import PushToTalk

PRESS, RELEASE = QEvent.Type.KeyPress, QEvent.Type.KeyRelease
NONE, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier


def space(kind: QEvent.Type, at: int, repeated: bool = False, modifiers: Qt.KeyboardModifier = NONE) -> QKeyEvent:
    """An event of the space bar at a millisecond."""
    event = QKeyEvent(kind, Qt.Key.Key_Space, modifiers, " ", repeated)
    event.setTimestamp(at)
    return event


class Log(list):
    """What a key has told."""

    def __init__(self, key: HeldKey) -> None:
        super().__init__()
        key.pressed.connect(lambda: self.append("pressed"))
        key.released.connect(lambda ago: self.append(ago))


@pytest.fixture
def key(qapp) -> HeldKey:  # noqa: ARG001 (Qt first)
    return HeldKey()


@pytest.fixture
def log(key: HeldKey) -> Log:
    return Log(key)


def test_repetitions_are_no_releases_whether_they_are_marked_or_not(qtbot, key, log):
    key.press(space(PRESS, 1000))
    for beat, marked in enumerate([False, False, True, False, True, True, False]):
        key.release(space(RELEASE, 1660 + 40 * beat, marked))
        qtbot.wait(GRACE_MS // 3)
        key.press(space(PRESS, 1660 + 40 * beat, marked))
        qtbot.wait(GRACE_MS // 3)
    assert log == ["pressed"]
    key.release(space(RELEASE, 2000))
    qtbot.waitUntil(lambda: len(log) == 2)
    assert log[1] >= GRACE_MS / 1000, "it tells when the key really went up"
    assert not key.held


def test_a_press_after_the_grace_is_a_new_one_although_a_busy_window_sees_both_at_once(qtbot, key, log):
    key.press(space(PRESS, 1000))
    key.release(space(RELEASE, 2000))
    key.press(space(PRESS, 2000 + GRACE_MS + 1))
    assert log == ["pressed", pytest.approx(0, abs=0.05), "pressed"]
    qtbot.wait(2 * GRACE_MS)
    assert key.held


def test_events_without_a_time_are_told_apart_by_their_arrival(qtbot, key, log):
    for _ in range(2):
        key.press(space(PRESS, 0))
        key.release(space(RELEASE, 0))
        key.press(space(PRESS, 0))
        key.release(space(RELEASE, 0))
        qtbot.wait(3 * GRACE_MS)
    assert log[::2] == ["pressed", "pressed"]


def test_a_key_that_is_let_go_elsewhere_does_not_begin_anew_by_repeating_here(qtbot, key, log):
    key.press(space(PRESS, 1000))
    key.let_go()
    assert log == ["pressed", 0.0]
    for beat in range(3):
        key.release(space(RELEASE, 1700 + 40 * beat))
        key.press(space(PRESS, 1700 + 40 * beat))
    key.release(space(RELEASE, 2000))
    qtbot.wait(2 * GRACE_MS)
    assert log == ["pressed", 0.0]
    key.press(space(PRESS, 3000))
    assert log == ["pressed", 0.0, "pressed"]


class Desk:
    """A window with a button to hold, somewhere to draw, and somewhere to write."""

    def __init__(self, qtbot) -> None:
        self.window = QMainWindow()
        qtbot.addWidget(self.window)
        ground = QWidget()
        self.window.setCentralWidget(ground)
        self.button, self.canvas, self.text = HoldButton("Hold"), QWidget(), QLineEdit()
        self.canvas.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        layout = QVBoxLayout(ground)
        for widget in (self.button, self.canvas, self.text):
            layout.addWidget(widget)
        self.talk = PushToTalk(self.window, self.button)
        self.log: list[str] = []
        self.button.held.connect(lambda: self.log.append("held"))
        self.button.let_go.connect(lambda _ago: self.log.append("let go"))
        self.window.show()
        self.window.activateWindow()
        qtbot.waitUntil(self.window.isActiveWindow)
        self.canvas.setFocus()

    def send(self, *events: QKeyEvent) -> None:
        for event in events:
            QCoreApplication.sendEvent(self.window.focusWidget(), event)


@pytest.fixture
def desk(qtbot) -> Desk:
    return Desk(qtbot)


@pytest.mark.parametrize("focus", ["canvas", "button"])
def test_the_space_bar_holds_the_button_wherever_the_focus_is(qtbot, desk, focus):
    getattr(desk, focus).setFocus()
    desk.send(space(PRESS, 1000), space(RELEASE, 1660), space(PRESS, 1660), space(RELEASE, 1700))
    assert desk.log == ["held"]
    qtbot.waitUntil(lambda: desk.log == ["held", "let go"])


def test_a_modifier_begins_nothing_and_ends_nothing(qtbot, desk):
    desk.send(space(PRESS, 1000, modifiers=SHIFT), space(RELEASE, 1100, modifiers=SHIFT))
    assert not desk.log
    desk.send(space(PRESS, 2000), space(RELEASE, 2660, modifiers=SHIFT), space(PRESS, 2660, modifiers=SHIFT))
    qtbot.wait(2 * GRACE_MS)
    assert desk.log == ["held"]
    desk.send(space(RELEASE, 3000, modifiers=SHIFT))
    qtbot.waitUntil(lambda: desk.log == ["held", "let go"])


def test_a_text_field_has_its_own_use_of_the_space_bar(desk):
    desk.text.setFocus()
    desk.send(space(PRESS, 1000), space(RELEASE, 1100))
    assert desk.text.text() == " "
    assert not desk.log


@pytest.mark.parametrize("leave", ["into a text field", "to another window", "to another page"])
def test_a_hold_ends_at_once_when_its_end_would_not_be_seen(qtbot, desk, leave):
    desk.send(space(PRESS, 1000))
    if leave == "into a text field":
        desk.text.setFocus()
    elif leave == "to another page":
        desk.button.hide()
    else:
        other = QWidget()
        qtbot.addWidget(other)
        other.show()
        other.activateWindow()
        qtbot.waitUntil(other.isActiveWindow)
    assert desk.log == ["held", "let go"]


@pytest.mark.parametrize("first", ["pointer", "key"])
def test_pointer_and_key_hold_until_both_have_let_go(qtbot, desk, first):
    QTest.mousePress(desk.button, Qt.MouseButton.LeftButton)
    desk.send(space(PRESS, 1000))
    if first == "key":
        desk.send(space(RELEASE, 1500))
        qtbot.waitUntil(lambda: not desk.button.space_bar.held)
    else:
        QTest.mouseRelease(desk.button, Qt.MouseButton.LeftButton)
    assert desk.log == ["held"]
    if first == "key":
        QTest.mouseRelease(desk.button, Qt.MouseButton.LeftButton)
    else:
        desk.send(space(RELEASE, 1500))
    qtbot.waitUntil(lambda: desk.log == ["held", "let go"])
