"""A message bar that floats over the lower edge of the window."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt, QTimer
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QColor,
    QEnterEvent,
    QFontDatabase,
    QGuiApplication,
    QKeyEvent,
    QPaintEvent,
    QPalette,
    QPen,
)
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QPlainTextEdit, QSizePolicy, QToolButton, QWidget

from modinv_app.common.theme import antialiased, blend, is_dark

Kind = Literal["info", "warning", "error"]

_COLOURS = {  # on light, on dark
    "info": (QColor("#2f6fb3"), QColor("#6fb1f2")),
    "warning": (QColor("#a86a00"), QColor("#f0b23e")),
    "error": (QColor("#c0322b"), QColor("#ff7b72")),
}
_MARKS = {"info": "i", "warning": "!", "error": "×"}
_TITLES = {"info": "Note", "warning": "Warning", "error": "Error"}


class MessageBar(QFrame):
    """A bar that floats over the lower edge of its parent, so that nothing in the layout moves.

    A new message replaces the former one. The bar never takes the keyboard focus by itself; screen readers announce it.

    Parameters
    ----------
    parent
        The widget over which it floats.
    above
        Returns a widget at the lower edge that must not be covered, or None.
    """

    def __init__(self, parent: QWidget, above: Callable[[], QWidget | None] = lambda: None) -> None:
        super().__init__(parent)
        self._host = parent
        self._above = above
        self._kind: Kind = "info"
        self._timeout_ms: int | None = None
        self._margin = self.fontMetrics().height() // 2
        self._icon_side = round(1.5 * self.fontMetrics().height())

        self._text = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._more = _button("Details", "Show the details of this message")
        self._more.setCheckable(True)
        self._more.toggled.connect(self._show_details)
        self._copy = _button("Copy", "Copy message and details to the clipboard")
        self._copy.clicked.connect(self._copy_details)
        close = _button("✕", "Close this message (Esc)")
        close.setAccessibleName("Close message")
        close.clicked.connect(self.dismiss)

        self._details = QPlainTextEdit(readOnly=True)
        self._details.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self._details.setAccessibleName("Details of the message")
        self._details.setTabChangesFocus(True)
        self._details.setFixedHeight(7 * self.fontMetrics().lineSpacing())

        self._grid = layout = QGridLayout(self)
        left = self._icon_side + 2 * self._margin
        layout.setContentsMargins(left, self._margin, self._margin, self._margin)
        layout.addWidget(self._text, 0, 0)
        layout.addWidget(self._more, 0, 1, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(close, 0, 2, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self._details, 1, 0, 1, 3)
        layout.addWidget(self._copy, 2, 0, 1, 3, Qt.AlignmentFlag.AlignRight)
        layout.setColumnStretch(0, 1)

        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self.dismiss)
        parent.installEventFilter(self)
        self.hide()

    def show_message(self, text: str, kind: Kind = "info", details: str = "", timeout_ms: int | None = None) -> None:
        """Show a message in place of the former one.

        Parameters
        ----------
        text
            What happened and what to do, as plain text.
        kind
            Its severity.
        details
            Text for bug reports, behind a "Details" button; no button if empty.
        timeout_ms
            Milliseconds after which it is hidden, unless the pointer is on it or its details are open; None: it stays
            until it is closed.
        """
        self._kind = kind
        self._timeout_ms = timeout_ms
        self._timer.stop()
        self._text.setText(text)
        self._details.setPlainText(details)
        self._more.setVisible(bool(details))
        self._more.setChecked(False)
        self._show_details(False)
        spoken = f"{_TITLES[kind]}: {text}"
        self.setAccessibleName(spoken)
        self._place()
        self.show()
        self.raise_()
        self.update()
        event = QAccessibleAnnouncementEvent(self, spoken)
        if kind == "error":
            event.setPoliteness(QAccessible.AnnouncementPoliteness.Assertive)
        QAccessible.updateAccessibility(event)

    def text(self) -> str:
        """The message that is shown, or an empty text."""
        return "" if self.isHidden() else self._text.text()

    def dismiss(self) -> None:
        """Hide the message."""
        self._timer.stop()
        self.hide()

    def _show_details(self, shown: bool) -> None:
        self._details.setVisible(shown)
        self._copy.setVisible(shown)
        self._copy.setText("Copy")
        if shown:
            self._timer.stop()
        else:
            self._resume_timer()
        self._place()

    def _copy_details(self) -> None:
        QGuiApplication.clipboard().setText(f"{self._text.text()}\n\n{self._details.toPlainText()}")
        self._copy.setText("Copied")

    def _resume_timer(self) -> None:
        if self._timeout_ms is not None and not self.underMouse() and self._details.isHidden():
            self._timer.start(self._timeout_ms)

    def _place(self) -> None:
        room = self._host.rect().adjusted(self._margin, self._margin, -self._margin, -self._margin)
        # Long lines are hard to read.
        width = min(room.width(), 90 * self.fontMetrics().averageCharWidth())
        self._grid.activate()
        height = min(room.height(), self._grid.totalHeightForWidth(width))
        lowest = room.bottom() + 1
        if (below := self._above()) is not None:
            lowest = min(lowest, below.mapTo(self._host, below.rect().topLeft()).y() - self._margin)
        self.setGeometry(room.center().x() - width // 2, max(room.top(), lowest - height), width, height)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._host and event.type() == QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

    def enterEvent(self, event: QEnterEvent) -> None:
        self._timer.stop()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._resume_timer()
        super().leaveEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.dismiss()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = antialiased(self)
        background = self.palette().color(QPalette.ColorRole.Base)
        colour = _COLOURS[self._kind][is_dark(self.palette())]
        frame = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(QPen(colour, 1))
        painter.setBrush(blend(colour, background, 0.12))
        painter.drawRoundedRect(frame, 6, 6)

        middle = self._text.geometry().top() + min(self._text.height(), self._icon_side) / 2
        radius = 0.36 * self._icon_side
        centre = QPointF(self._margin + self._icon_side / 2, middle)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawEllipse(centre, radius, radius)
        font = self.font()
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(background)
        disc = QRectF(centre.x() - radius, centre.y() - radius, 2 * radius, 2 * radius)
        painter.drawText(disc, Qt.AlignmentFlag.AlignCenter, _MARKS[self._kind])


def _button(text: str, tip: str) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setToolTip(tip)
    button.setAutoRaise(True)
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return button
