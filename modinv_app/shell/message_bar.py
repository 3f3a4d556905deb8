"""A message bar that floats over the lower half of the window, where no control is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QRect, QRectF, Qt, QTimer
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
from PySide6.QtWidgets import (
    QAbstractScrollArea,
    QFrame,
    QGridLayout,
    QLabel,
    QPlainTextEdit,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from modinv_app.common.theme import antialiased, blend, is_dark

Kind = Literal["info", "warning", "error"]

_COLOURS = {  # on light, on dark
    "info": (QColor("#2f6fb3"), QColor("#6fb1f2")),
    "warning": (QColor("#a86a00"), QColor("#f0b23e")),
    "error": (QColor("#c0322b"), QColor("#ff7b72")),
}
_LARGE = 0.2  # share of the window from which something is to be looked at rather than a control
_MARKS = {"info": "i", "warning": "!", "error": "×"}
_TITLES = {"info": "Note", "warning": "Warning", "error": "Error"}


class MessageBar(QFrame):
    """A bar that floats over the lower half of its parent, so that nothing in the layout moves.

    It lies as low as it can without covering a control, in the middle, at the right or at the left. A new message
    replaces the former one. The bar never takes the keyboard focus by itself; screen readers announce it.

    Parameters
    ----------
    parent
        The widget over which it floats.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._host = parent
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
        # What a message is about often changes the controls, whose layout follows later.
        self._settled = QTimer(self, singleShot=True, interval=0)
        self._settled.timeout.connect(self._place)
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
        self._settled.start()
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

    def keep_clear(self) -> None:
        """Move away from the controls, which are other ones now."""
        if self.isVisible():
            self._place()
            self._settled.start()

    def _show_details(self, shown: bool) -> None:
        self._details.setVisible(shown)
        self._copy.setVisible(shown)
        self._copy.setText("Copy")
        if shown:
            self._timer.stop()
        else:
            self._resume_timer()
        self.keep_clear()

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
        gap = self._margin // 2
        controls = [one.adjusted(-gap, -gap, gap, gap) for one in self._controls(self._host, self._host.rect())]
        edges = {rect.top() for rect in controls if rect.top() - height >= room.center().y()}
        lefts = (room.center().x() - width // 2, room.right() + 1 - width, room.left())
        places = [
            QRect(left, max(room.top(), bottom - height), width, height)
            for bottom in (room.bottom() + 1, *sorted(edges, reverse=True))
            for left in lefts
        ]

        def covered(place: QRect) -> int:
            common = (place & rect for rect in controls)
            return sum(rect.width() * rect.height() for rect in common if not rect.isEmpty())

        self.setGeometry(min(places, key=covered))  # of several the first: the lowest

    def _controls(self, parent: QWidget, seen: QRect) -> Iterator[QRect]:
        """Where there are controls in what is seen of a widget: what the Tab key reaches, but for lists and charts."""
        for widget in parent.children():
            if not isinstance(widget, QWidget) or widget is self or not widget.isVisible():
                continue
            place = QRect(widget.mapTo(self._host, QPoint()), widget.size()) & seen
            large = place.width() * place.height() > _LARGE * self._host.width() * self._host.height()
            view = large or isinstance(widget, QAbstractScrollArea)
            if place.isEmpty():
                continue
            if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and not view:
                yield place
            else:
                yield from self._controls(widget, place)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # Nothing but Qt's own state is looked at first: as garbage, this gets events after its attributes are gone.
        if watched is self.parent() and event.type() in (QEvent.Type.Resize, QEvent.Type.Show):
            self.keep_clear()
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
