"""The message strip says what it is told, stays in its window and goes when it should."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPlainTextEdit, QToolButton, QWidget
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


def test_a_message_keeps_off_what_lies_at_the_lower_edge(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(600, 400)
    legend = QWidget(window)
    legend.setGeometry(50, 340, 500, 30)
    bar = MessageBar(window, lambda: legend)
    window.show()
    bar.show_message("A message.")
    assert bar.geometry().bottom() < legend.geometry().top()
    window.resize(600, 500)
    legend.setGeometry(50, 440, 500, 30)
    bar.show_message("Another one.")
    assert 300 < bar.geometry().top() < bar.geometry().bottom() < 440
