"""The space bar as a microphone button, wherever the focus is."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLineEdit, QMainWindow, QWidget


class PushToTalk(QObject):
    """Calls ``press`` and ``release`` while the space bar is held in a window.

    Buttons, choosers and text fields that were reached by keyboard keep the space bar: there it has a meaning already.
    """

    def __init__(self, window: QMainWindow, press: Callable[[], None], release: Callable[[], None]) -> None:
        super().__init__(window)
        self._window = window
        self._press = press
        self._release = release
        self._held = False
        self.enabled = True
        # Keys go to the widget that has the focus, and to the window while none has it. A filter on the application
        # would be asked about every event of every widget: thousands for each page that is built.
        window.installEventFilter(self)
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        application.focusChanged.connect(self._follow)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take space bar events that nobody else needs; let go when the window loses the keyboard."""
        if event.type() == QEvent.Type.WindowDeactivate and watched is self._window:
            self._let_go()
        if not isinstance(event, QKeyEvent) or event.key() != Qt.Key.Key_Space or event.modifiers():
            return False
        if event.type() == QEvent.Type.KeyRelease and self._held:
            if not event.isAutoRepeat():
                self._let_go()
            return True
        if event.type() != QEvent.Type.KeyPress or not self.enabled or not self._window.isActiveWindow():
            return False
        focus = QApplication.focusWidget()
        if isinstance(focus, (QAbstractButton, QComboBox, QLineEdit)) or QApplication.activeModalWidget():
            return False
        if not self._held and not event.isAutoRepeat():
            self._held = True
            self._press()
        return True

    def _follow(self, _old: QWidget | None, focus: QWidget | None) -> None:
        if focus is not None:
            focus.installEventFilter(self)  # for a second time, it changes nothing

    def _let_go(self) -> None:
        if self._held:
            self._held = False
            self._release()
