"""A level meter in dBFS, readable by position and lightness as well as by colour."""

from __future__ import annotations

import time

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, QTimer, Slot
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QSizePolicy, QWidget

from modinv_app.common.theme import antialiased, is_dark, with_alpha

QUIETEST, GOOD, LOUD = -60.0, -36.0, -6.0
"""Lower ends of the zones, in dBFS: too quiet, good, loud."""
CLIPPED = -0.1
"""Peak in dBFS that counts as clipped."""

_FRAME_MS = 33
_FALL = 30.0  # dB per second: fast enough to show syllables, slow enough to see
_HOLD = 1.2  # seconds for which a peak is shown
_CLIP_HOLD = 2.0

# Blue, yellow and vermilion are distinct for all kinds of colour vision, and in lightness.
_COLOURS = {  # on light, on dark
    "quiet": (QColor("#9db4c8"), QColor("#5f7891")),
    "good": (QColor("#0072b2"), QColor("#56b4e9")),
    "loud": (QColor("#e69f00"), QColor("#f0c04a")),
    "clip": (QColor("#d55e00"), QColor("#ff7f3f")),
}
_MARKS = (-48, -36, -24, -12, -6)


class LevelMeter(QWidget):
    """Shows root mean square as a bar, the recent peak as a line, and clipping as a light.

    It rises at once and falls smoothly, and is repainted only while it changes.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._target = self._shown = self._peak = QUIETEST
        self._peak_until = self._clip_until = self._last_frame = 0.0
        self._zone = ""
        self._timer = QTimer(self, interval=_FRAME_MS)
        self._timer.timeout.connect(self._step)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Microphone level")
        self.setToolTip("The level of the microphone: speak so that the bar is blue and reaches beyond the middle")
        self._describe()

    @property
    def level(self) -> float:
        """The level of the bar, in dBFS."""
        return self._shown

    @property
    def peak(self) -> float:
        """The peak of the line, in dBFS."""
        return self._peak

    @property
    def clipped(self) -> bool:
        """Whether the clip light is on."""
        return time.monotonic() < self._clip_until

    @Slot(float, float)
    def set_level(self, rms: float, peak: float) -> None:
        """Show root mean square and peak, in dBFS."""
        now = time.monotonic()
        self._target = min(max(rms, QUIETEST), 0.0)
        self._shown = max(self._shown, self._target)
        if peak >= self._peak:
            self._peak = min(max(peak, QUIETEST), 0.0)
            self._peak_until = now + _HOLD
        if peak >= CLIPPED:
            self._clip_until = now + _CLIP_HOLD
        if not self._timer.isActive():
            self._last_frame = now
            self._timer.start()
        self._describe()
        self.update()

    @Slot()
    def reset(self) -> None:
        """Show silence at once."""
        self._target = self._shown = self._peak = QUIETEST
        self._clip_until = 0.0
        self._timer.stop()
        self._describe()
        self.update()

    def sizeHint(self) -> QSize:
        height = round(1.5 * self.fontMetrics().height())
        return QSize(12 * height, height)

    def minimumSizeHint(self) -> QSize:
        return QSize(6 * self.sizeHint().height(), self.sizeHint().height())

    def changeEvent(self, event: QEvent) -> None:
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self.updateGeometry()
            self.update()
        super().changeEvent(event)

    def _step(self) -> None:
        """Let bar and peak fall according to the time since the last frame."""
        now = time.monotonic()
        fall = _FALL * (now - self._last_frame)
        self._last_frame = now
        self._shown = max(self._target, self._shown - fall)
        if now > self._peak_until:
            self._peak = max(self._shown, self._peak - fall)
        self._describe()
        self.update()
        if self._shown == self._target and self._peak == self._shown and not self.clipped:
            self._timer.stop()

    def _describe(self) -> None:
        """Describe the level for screen readers, only when the zone changes."""
        if self.clipped:
            zone = "too loud, clipped"
        elif self._shown >= LOUD:
            zone = "loud"
        elif self._shown >= GOOD:
            zone = "good"
        elif self._shown > QUIETEST:
            zone = "quiet"
        else:
            zone = "silent"
        if zone != self._zone:
            self._zone = zone
            self.setAccessibleDescription(zone)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = antialiased(self)
        dark = is_dark(self.palette())
        font = self.font()
        font.setPointSizeF(0.8 * font.pointSizeF())
        font.setBold(True)
        painter.setFont(font)
        light_width = QFontMetricsF(font).horizontalAdvance("CLIP") + 0.6 * self.height()
        area = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        bar = area.adjusted(0, 0, -light_width - 0.3 * self.height(), 0)
        light = QRectF(area.right() - light_width, area.top(), light_width, area.height())
        self._paint_bar(painter, bar, dark)
        self._paint_clip_light(painter, light, dark)

    def _paint_bar(self, painter: QPainter, bar: QRectF, dark: bool) -> None:
        text = self.palette().color(QPalette.ColorRole.Text)
        frame = with_alpha(text, 0.25)
        radius = bar.height() / 4
        painter.setPen(frame)
        painter.setBrush(self.palette().color(QPalette.ColorRole.Base))
        painter.drawRoundedRect(bar, radius, radius)
        inner = bar.adjusted(2, 2, -2, -2)

        def x(level: float) -> float:
            return inner.left() + inner.width() * (level - QUIETEST) / -QUIETEST

        painter.setPen(Qt.PenStyle.NoPen)
        for zone, begin, end in (("quiet", QUIETEST, GOOD), ("good", GOOD, LOUD), ("loud", LOUD, 0.0)):
            if self._shown > begin:
                piece = QRectF(inner.left(), inner.top(), 0, inner.height())
                piece.setLeft(x(begin))
                piece.setRight(x(min(end, self._shown)))
                painter.setBrush(_COLOURS[zone][dark])
                painter.drawRect(piece)
        for mark in _MARKS:
            boundary = mark in (GOOD, LOUD)
            frame.setAlphaF(0.6 if boundary else 0.25)
            height = inner.height() * (1 if boundary else 0.35)
            painter.fillRect(QRectF(x(mark) - 0.5, inner.bottom() - height, 1, height), frame)
        if self._peak > QUIETEST:
            painter.fillRect(QRectF(min(x(self._peak), inner.right() - 2), inner.top(), 2, inner.height()), text)

    def _paint_clip_light(self, painter: QPainter, light: QRectF, dark: bool) -> None:
        text = self.palette().color(QPalette.ColorRole.Text)
        lit = self.clipped
        frame = with_alpha(text, 0.25)
        painter.setPen(frame)
        painter.setBrush(_COLOURS["clip"][dark] if lit else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(light, light.height() / 4, light.height() / 4)
        words = with_alpha(QColor("black") if lit else text, 1.0 if lit else 0.35)
        painter.setPen(words)
        painter.drawText(light, Qt.AlignmentFlag.AlignCenter, "CLIP")
