"""Layouts in one expression: rows, columns, forms, scroll areas and splitters."""

from __future__ import annotations

from typing import TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QBoxLayout,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLayout,
    QScrollArea,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

L = TypeVar("L", bound=QBoxLayout)
Part = QWidget | QLayout | tuple[QWidget | QLayout, int] | int | None
"""A widget or layout, alone or with its stretch; so many pixels of space; None for space that stretches."""
Margins = tuple[int, int, int, int]
"""Left, top, right, bottom, in pixels."""

_NO_MARGINS = (0, 0, 0, 0)


def row(*parts: Part, parent: QWidget | None = None, margins: Margins = _NO_MARGINS, spacing: int = -1) -> QHBoxLayout:
    """Parts from left to right, in ``parent`` if there is one; a negative spacing is the style's own."""
    return _fill(QHBoxLayout(parent) if parent else QHBoxLayout(), parts, margins, spacing)


def column(
    *parts: Part, parent: QWidget | None = None, margins: Margins = _NO_MARGINS, spacing: int = -1
) -> QVBoxLayout:
    """Parts from top to bottom; otherwise as `row`."""
    return _fill(QVBoxLayout(parent) if parent else QVBoxLayout(), parts, margins, spacing)


def _fill(layout: L, parts: tuple[Part, ...], margins: Margins, spacing: int) -> L:
    layout.setContentsMargins(*margins)
    layout.setSpacing(spacing)
    for part in parts:
        item, stretch = part if isinstance(part, tuple) else (part, 0)
        if item is None:
            layout.addStretch()
        elif isinstance(item, int):
            layout.addSpacing(item)
        elif isinstance(item, QWidget):
            layout.addWidget(item, stretch)
        else:
            layout.addLayout(item, stretch)
    return layout


def form(parent: QWidget | None = None, spacing: int = 6) -> QFormLayout:
    """An empty form whose fields take the whole width."""
    layout = QFormLayout(parent)
    layout.setContentsMargins(*_NO_MARGINS)
    layout.setVerticalSpacing(spacing)
    layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    layout.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
    return layout


class VerticalScrollArea(QScrollArea):
    """Content that scrolls vertically if it is too high."""

    def __init__(self, content: QWidget) -> None:
        super().__init__(widgetResizable=True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidget(content)


def side_by_side(*parts: tuple[QWidget, int, int]) -> QSplitter:
    """Widgets with their initial widths and stretch factors in a splitter, in which none can be collapsed."""
    splitter = QSplitter(Qt.Orientation.Horizontal, childrenCollapsible=False)
    for place, (widget, _, stretch) in enumerate(parts):
        splitter.addWidget(widget)
        splitter.setStretchFactor(place, stretch)
    splitter.setSizes([width for _, width, _ in parts])
    return splitter
