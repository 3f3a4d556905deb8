"""The legend of the curves."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from modinv_app.common.theme import antialiased, is_dark, muted_text, run_colour, with_alpha

_SWATCH = 18
_GAP = 6
_COLOURS = 10
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class RunLegend(QWidget):
    """A line per run with its pen and its name, and the step of the values that are shown."""

    def __init__(self) -> None:
        super().__init__()
        self._names: tuple[str, ...] = ()
        self._pointed: int | None = None
        self._word = ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def set_names(self, names: Sequence[str]) -> None:
        """Name the runs, in the order of their colours."""
        if tuple(names) != self._names:
            self._names = tuple(names)
            self.setAccessibleName(f"Curves of {', '.join(names)}" if names else "No curves")
            self.setToolTip("\n".join(names))
            self.updateGeometry()
            self.update()

    def point_out(self, place: int | None, word: str) -> None:
        """Highlight a run, or none, and show a text about the step of the values."""
        if (place, word) != (self._pointed, self._word):
            self._pointed, self._word = place, word
            self.update()

    @property
    def word(self) -> str:
        """The text about the step of the values."""
        return self._word

    def sizeHint(self) -> QSize:
        return QSize(10 * _SWATCH, max(1, len(self._names)) * self._line())

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = antialiased(self)
        muted, text = muted_text(self.palette()), self.palette().color(self.foregroundRole())
        line, width = self._line(), self.width()
        taken = self.fontMetrics().horizontalAdvance(self._word) + 2 * _GAP if self._word else 0
        painter.setPen(muted)
        painter.drawText(QRect(0, 0, width, line), _RIGHT, self._word)
        for place, name in enumerate(self._names):
            top = place * line
            painter.setPen(run_pen(place, is_dark(self.palette()), 2.5))
            painter.drawLine(0, top + line // 2, _SWATCH, top + line // 2)
            painter.setPen(text if self._pointed in (None, place) else muted)
            room = QRect(_SWATCH + _GAP, top, width - _SWATCH - _GAP - (0 if place else taken), line)
            cut = self.fontMetrics().elidedText(name, Qt.TextElideMode.ElideMiddle, room.width())
            painter.drawText(room, _LEFT, cut)

    def _line(self) -> int:
        return self.fontMetrics().height() + 4


def run_pen(place: int, dark: bool, width: float, opacity: float = 1.0) -> QPen:
    """The pen of a run's curve by its index: ten colours, then the same ten dashed."""
    colour = with_alpha(run_colour(place, dark), opacity)
    pen = QPen(colour, width)
    pen.setCosmetic(True)
    if (place // _COLOURS) % 2:
        pen.setStyle(Qt.PenStyle.DashLine)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    return pen
