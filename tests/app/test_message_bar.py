"""The message strip says what it is told, stays in its window and goes when it should."""

from __future__ import annotations

import gc

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QListWidget, QPlainTextEdit, QPushButton, QScrollArea, QToolButton, QWidget
from showing import shown

from modinv_app.shell.message_bar import MessageBar


@pytest.fixture
def window(qtbot):
    return shown(qtbot, QWidget(), 400, 300)


@pytest.fixture
def bar(window):
    return MessageBar(window)


def _button(bar, name):
    return next(b for b in bar.findChildren(QToolButton) if name in (b.text(), b.accessibleName()))


def test_says_what_happened_to_eyes_and_to_screen_readers(bar):
    assert bar.text() == ""
    bar.show_message("The microphone gives only zeros.", "error")
    assert bar.isVisible()
    assert bar.text() == "The microphone gives only zeros."
    assert bar.accessibleName() == "Error: The microphone gives only zeros."


def test_lies_within_the_lower_edge_of_its_window_and_follows_its_size(bar):
    bar.show_message("A sentence that is long enough to need several lines in a narrow window. " * 2)
    wide = bar.geometry()
    assert bar.parentWidget().rect().contains(wide)
    bar.parentWidget().resize(260, 500)
    narrow = bar.geometry()
    assert bar.parentWidget().rect().contains(narrow)
    assert narrow.bottom() > wide.bottom()
    assert narrow.height() > wide.height()


def test_a_new_message_takes_the_place_of_the_last_and_hides_its_details(bar):
    bar.show_message("First", "error", details="secret")
    _button(bar, "Details").click()
    bar.show_message("Second")
    assert bar.text() == "Second"
    assert not bar.findChild(QPlainTextEdit).isVisible()
    assert not _button(bar, "Details").isVisible()


def test_details_open_and_copy(bar):
    bar.show_message("It failed.", "error", details="Traceback: boom")
    closed = bar.height()
    _button(bar, "Details").click()
    assert bar.findChild(QPlainTextEdit).isVisible()
    assert bar.height() > closed
    _button(bar, "Copy").click()
    assert QGuiApplication.clipboard().text() == "It failed.\n\nTraceback: boom"


def test_closes_by_button_and_by_escape(bar, qtbot):
    bar.show_message("Once")
    _button(bar, "Close message").click()
    assert not bar.isVisible()
    bar.show_message("Twice", details="x")
    qtbot.keyClick(_button(bar, "Details"), Qt.Key.Key_Escape)
    assert not bar.isVisible()
    assert bar.text() == ""


def test_goes_by_itself_only_when_asked_and_not_while_its_details_are_read(bar, qtbot):
    bar.show_message("Saved.", timeout_ms=20)
    qtbot.waitUntil(lambda: not bar.isVisible())

    bar.show_message("Look.", details="x", timeout_ms=20)
    _button(bar, "Details").click()
    qtbot.wait(60)
    assert bar.isVisible()
    _button(bar, "Details").click()
    qtbot.waitUntil(lambda: not bar.isVisible())

    bar.show_message("Saved.", timeout_ms=20)
    bar.show_message("Stays.")
    qtbot.wait(60)
    assert bar.text() == "Stays."


def test_leaves_the_keyboard_where_it_was(bar):
    bar.show_message("Hello", details="x")
    assert not bar.isAncestorOf(bar.window().focusWidget() or bar.window())


@pytest.fixture
def controls(window):
    """Buttons at the lower edge: one at the left, one in the middle, one at the right."""
    found = [QPushButton(str(place), window) for place in range(3)]
    for place, button in enumerate(found):
        button.setGeometry(10 + 130 * place, 265, 110, 30)
    return found


def _covered(bar, control):
    return control.isVisible() and bar.geometry().intersects(control.geometry())


def test_a_message_covers_no_control_and_lies_as_low_as_it_can(bar, controls):
    for visible in ((), (0,), (1,), (2,), (0, 1, 2)):
        for place, button in enumerate(controls):
            button.setVisible(place in visible)
        bar.show_message("A message.")
        assert not any(_covered(bar, button) for button in controls), visible
        assert bar.geometry().bottom() > (260 if not visible else 200)
        bar.dismiss()


def test_a_message_at_one_side_leaves_the_controls_at_the_other_alone(qtbot):
    window = shown(qtbot, QWidget(), 1200, 300)
    button = QPushButton("Back", window)
    button.setGeometry(600, 250, 150, 40)
    button.show()
    bar = MessageBar(window)
    bar.show_message("A message.")
    assert not _covered(bar, button)
    assert window.rect().bottom() - bar.geometry().bottom() < 20, "it need not rise"


def test_it_moves_off_what_appears_with_it(bar, controls, qtbot):
    for button in controls:
        button.hide()
    bar.show_message("Another model answers now.")
    controls[1].show()
    controls[0].show()
    controls[2].show()
    qtbot.waitUntil(lambda: not any(_covered(bar, button) for button in controls))


def test_lists_are_covered_rather_than_controls_and_what_is_scrolled_away_does_not_count(qtbot):
    window = shown(qtbot, QWidget(), 400, 300)
    listed = QListWidget(window)
    listed.setGeometry(0, 0, 400, 300)
    listed.show()
    area = QScrollArea(window)
    area.setGeometry(0, 0, 400, 100)
    tall = QWidget()
    tall.resize(380, 600)
    away = QPushButton("far below", tall)
    away.setGeometry(0, 260, 380, 30)
    area.setWidget(tall)
    area.show()
    bar = MessageBar(window)
    bar.show_message("A message.")
    assert window.rect().bottom() - bar.geometry().bottom() < 20


def test_where_controls_are_everywhere_it_covers_the_least(qtbot):
    window = shown(qtbot, QWidget(), 400, 300)
    for line in range(10):
        QPushButton(str(line), window).setGeometry(0, 30 * line, 400, 29)
    for button in window.findChildren(QPushButton):
        button.show()
    bar = MessageBar(window)
    bar.show_message("A message.")
    assert window.rect().contains(bar.geometry())


def test_as_garbage_it_is_silent_about_the_events_of_its_window(qtbot):  # noqa: ARG001 (it reports what fails in events)
    for _ in range(20):
        window = QWidget()
        window.show()
        bar = MessageBar(window)
        window.owner, bar.owner = bar, window  # so that the collector finds both, in an order of its own
        del window, bar
        gc.collect()
