"""Push-to-talk by the space bar, wherever the focus is."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLineEdit, QMainWindow, QWidget

from modinv_app.explore.hold_button import HoldButton


class PushToTalk(QObject):
    """Lets the space bar hold a button of a window, wherever the focus is.

    Buttons, combo boxes and text fields with the focus keep the space bar, which has another meaning there.
    """

    def __init__(self, window: QMainWindow, button: HoldButton) -> None:
        super().__init__(window)
        self._window = window
        self._button = button
        self.enabled = True
        # Keys go to the widget with the focus, else to the window. An event filter on the application would get the
        # events of all widgets, thousands for each page.
        window.installEventFilter(self)
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        application.focusChanged.connect(self._follow)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Handle space bar events; release the button when the window loses the focus."""
        if event.type() == QEvent.Type.WindowDeactivate and watched is self._window:
            self._button.drop()
        if not isinstance(event, QKeyEvent) or event.key() != Qt.Key.Key_Space:
            return False
        key = self._button.space_bar
        held = key.held
        if event.type() == QEvent.Type.KeyRelease:
            key.release(event)  # always: a press right after it is key repeat
            return held
        if event.type() != QEvent.Type.KeyPress or not (held or self._may_begin(event)):
            return False
        key.press(event)
        return True

    def _may_begin(self, event: QKeyEvent) -> bool:
        return (
            self.enabled
            and not event.modifiers()
            and self._window.isActiveWindow()
            and not self._is_taken(QApplication.focusWidget())
            and QApplication.activeModalWidget() is None
        )

    def _is_taken(self, focus: QWidget | None) -> bool:
        """Whether the space bar has another meaning where the focus is."""
        return focus is not self._button and isinstance(focus, (QAbstractButton, QComboBox, QLineEdit))

    def _follow(self, _old: QWidget | None, focus: QWidget | None) -> None:
        if focus is not None:
            focus.installEventFilter(self)  # installing it again changes nothing
        if self._is_taken(focus):
            self._button.space_bar.let_go()
