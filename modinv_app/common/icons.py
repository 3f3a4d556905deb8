"""Icons as outlines in the palette's text colour, sharp at any resolution."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QToolButton, QWidget

# SVG paths in a 24 x 24 view box, drawn for this project.
_OUTLINES = {
    "undo": "M8.5 5 L4 9.5 L8.5 14 M4.5 9.5 H14.5 A5 5 0 0 1 14.5 19.5 H10",
    "redo": "M15.5 5 L20 9.5 L15.5 14 M19.5 9.5 H9.5 A5 5 0 0 0 9.5 19.5 H14",
    "clear": "M4 6.5 H20 M9 6.5 V4 H15 V6.5 M6 6.5 L7 20.5 H17 L18 6.5 M10 10.5 V16.5 M14 10.5 V16.5",
    "open": "M3.5 19 V5 H9.5 L11.5 7.5 H19.5 V10.5 M3.5 19 L6.5 10.5 H21.5 L18.5 19 Z",
    "devices": "M4 7.5 H11 M17 7.5 H20 M11 7.5 A3 3 0 0 1 17 7.5 A3 3 0 0 1 11 7.5 "
    "M4 16.5 H7 M13 16.5 H20 M7 16.5 A3 3 0 0 1 13 16.5 A3 3 0 0 1 7 16.5",
    "back": "M14.5 5 L7.5 12 L14.5 19",
    "forward": "M9.5 5 L16.5 12 L9.5 19",
    "refresh": "M19.5 12 A7.5 7.5 0 1 1 17 6.4 M17.5 2.8 V6.8 H13.5",
    "microphone": "M9 6 A3 3 0 0 1 15 6 V11 A3 3 0 0 1 9 11 Z M5.5 11 A6.5 6.5 0 0 0 18.5 11 M12 17.5 V21",
    "play": "M8 5 L19 12 L8 19 Z",
    "pause": "M8.5 5.5 V18.5 M15.5 5.5 V18.5",
    "more": "M5.9 12 H6.1 M11.9 12 H12.1 M17.9 12 H18.1",
    "lasso": "M12 4 C17 4 20.5 6.3 20.5 9.3 C20.5 12.3 17 14.6 12 14.6 C7 14.6 3.5 12.3 3.5 9.3 C3.5 6.3 7 4 12 4 Z "
    "M6.6 13.2 C4.6 14.6 4.6 17 6.8 17 C9 17 9.2 19.4 7 20.5",
    "query": "M10.5 4.5 A6 6 0 0 1 10.5 16.5 A6 6 0 0 1 10.5 4.5 M15 15 L20 20",
    "stop": "M7 7 H17 V17 H7 Z",
    "close": "M6.5 6.5 L17.5 17.5 M17.5 6.5 L6.5 17.5",
    "paste": "M9 5 H5.5 V20.5 H18.5 V5 H15 M9 3.5 H15 V7 H9 Z M9 12 H15 M9 16 H13",
}
_SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path d="{path}" fill="none" stroke="{colour}" '
    'stroke-width="1.7" stroke-linecap="round" stroke-linejoin="round"/></svg>'
)
_SIDE = 20


def icon(name: str, palette: QPalette) -> QIcon:
    """One of the outlines in the colours of a palette.

    Raises
    ------
    KeyError
        If there is no outline of this name.
    """
    result = QIcon()
    for mode, group in (
        (QIcon.Mode.Normal, QPalette.ColorGroup.Active),
        (QIcon.Mode.Disabled, QPalette.ColorGroup.Disabled),
    ):
        colour = palette.color(group, QPalette.ColorRole.ButtonText)
        for ratio in (1, 2, 3):
            result.addPixmap(_pixmap(_OUTLINES[name], colour, ratio), mode)
    return result


def _pixmap(path: str, colour: QColor, ratio: int) -> QPixmap:
    pixmap = QPixmap(QSize(_SIDE, _SIDE) * ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    svg = _SVG.format(path=path, colour=colour.name())
    QSvgRenderer(QByteArray(svg.encode())).render(painter, QRectF(pixmap.rect()))
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


class IconButton(QToolButton):
    """A flat button with an outline icon that follows the palette; its name is its tooltip and accessible name."""

    def __init__(self, outline: str, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAutoRaise(True)
        self.setIconSize(QSize(_SIDE, _SIDE))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.set_outline(outline, name)

    def set_outline(self, outline: str, name: str) -> None:
        """Change outline and name, for example from "play" to "pause"."""
        self._outline = outline
        self.setToolTip(name)
        self.setAccessibleName(name)
        self.setIcon(icon(outline, self.palette()))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self.setIcon(icon(self._outline, self.palette()))
        super().changeEvent(event)
