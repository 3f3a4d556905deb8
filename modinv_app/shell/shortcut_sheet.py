"""The dialog that lists all keyboard shortcuts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QAction, QKeySequence, QPaintEvent, QPalette, QResizeEvent
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from modinv_app.common.theme import antialiased, with_alpha

_MAC_MODIFIERS = "⌃⌥⇧⌘"
_GAP = 6
_Row = tuple[str, list[str]]


class ShortcutSheet(QDialog):
    """Lists all actions with shortcuts, and keys without an action, by group.

    Parameters
    ----------
    actions
        Actions; those without a shortcut are left out. ``action.property("group")`` is the group, by default "General".
    extra
        Group, keys (``"Space"``, ``"Ctrl+Wheel"``; alternatives as in ``"Left / Right"``) and text of keys without an
        action. They follow the actions of their group.
    """

    def __init__(
        self,
        actions: Iterable[QAction],
        extra: Sequence[tuple[str, str, str]] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keyboard shortcuts")
        groups: dict[str, list[_Row]] = {}
        for action in actions:
            keys = [key.toString(QKeySequence.SequenceFormat.NativeText) for key in action.shortcuts()]
            if keys:
                groups.setdefault(action.property("group") or "General", []).append((_plain(action), keys))
        for group, alternatives, text in extra:
            groups.setdefault(group, []).append((text, alternatives.split(" / ")))
        self._boxes = [_Group(title, rows) for title, rows in groups.items()]

        content = QWidget()
        self._sides = QHBoxLayout(content)
        self._sides.setContentsMargins(3 * _GAP, 2 * _GAP, 3 * _GAP, 3 * _GAP)
        self._sides.setSpacing(6 * _GAP)
        self._columns = [QVBoxLayout(), QVBoxLayout()]
        for column in self._columns:
            column.setSpacing(3 * _GAP)
            self._sides.addLayout(column)
            self._sides.setAlignment(column, Qt.AlignmentFlag.AlignTop)
        self._scroll = QScrollArea()
        self._scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        self._scroll.setWidgetResizable(True)
        self._scroll.setWidget(content)
        self._scroll.setAccessibleName("Keyboard shortcuts")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._scroll)
        self.setMinimumWidth(self._width(columns=1))
        self._flow(two=True)
        self.resize(self.sizeHint())

    def sizeHint(self) -> QSize:
        """The size of two columns, limited by the screen."""
        height = self._sides.sizeHint().height()
        return QSize(self._width(columns=2), height).boundedTo(self.screen().availableSize() * 0.9)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._flow(two=self.width() >= self._width(columns=2))

    def _width(self, columns: int) -> int:
        widest = max((box.minimumSizeHint().width() for box in self._boxes), default=0)
        bar = self._scroll.verticalScrollBar().sizeHint().width()
        return columns * (widest + 6 * _GAP) + bar

    def _flow(self, two: bool) -> None:
        heights = [box.sizeHint().height() for box in self._boxes]
        # Groups keep their order, and are split so that the higher of the two columns is as low as possible.
        splits = range(len(heights) + 1)
        first = min(splits, key=lambda k: max(sum(heights[:k]), sum(heights[k:]))) if two else len(heights)
        if first == self._columns[0].count() and len(heights) - first == self._columns[1].count():
            return
        for position, box in enumerate(self._boxes):
            self._columns[position >= first].addWidget(box)
        self._sides.setStretch(0, 1)
        self._sides.setStretch(1, int(two))


class _Group(QWidget):
    """A heading and its rows: text to the left, keys to the right."""

    def __init__(self, title: str, rows: Sequence[_Row]) -> None:
        super().__init__()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(4 * _GAP)
        grid.setVerticalSpacing(_GAP)
        grid.setColumnStretch(0, 1)
        heading = QLabel(title)
        font = heading.font()
        font.setBold(True)
        heading.setFont(font)
        grid.addWidget(heading, 0, 0, 1, 2)
        for line, (text, alternatives) in enumerate(rows, start=1):
            grid.addWidget(QLabel(text), line, 0)
            keys = QHBoxLayout()
            keys.setSpacing(_GAP // 2)
            keys.addStretch(1)
            for position, key in enumerate(alternatives):
                if position:
                    keys.addWidget(QLabel("or"))
                for cap in _caps(key):
                    keys.addWidget(_KeyCap(cap))
            grid.addLayout(keys, line, 1)


class _KeyCap(QLabel):
    """A key that looks like on a keyboard."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setContentsMargins(_GAP, 2, _GAP, 4)
        size = self.sizeHint()
        self.setFixedSize(max(size.width(), size.height()), size.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = antialiased(self)
        edge = with_alpha(self.palette().color(QPalette.ColorRole.Text), 0.3)
        cap = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(edge)
        painter.setBrush(edge)  # the side of the key, below its top
        painter.drawRoundedRect(cap, 4, 4)
        painter.setBrush(self.palette().color(QPalette.ColorRole.Base))
        painter.drawRoundedRect(cap.adjusted(0, 0, 0, -2), 4, 4)
        painter.end()
        super().paintEvent(event)


def _plain(action: QAction) -> str:
    """An action's text without access key and dots."""
    return re.sub(r"&(.)", r"\1", action.text()).removesuffix("…").removesuffix("...")


def _caps(keys: str) -> list[str]:
    """The keys of ``"Ctrl+Shift+Z"`` or, on a Mac, ``"⇧⌘Z"``; the last may be a plus sign."""
    rest = keys.lstrip(_MAC_MODIFIERS)
    return [*keys[: len(keys) - len(rest)], *re.split(r"\+(?!$)", rest)]
