"""A measured value as a number and a bar, with its seeds and the paper's value."""

from __future__ import annotations

from PySide6.QtCore import QEasingCurve, QPointF, QRectF, QSize, Qt, QVariantAnimation
from PySide6.QtGui import QPaintEvent, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from model.evaluation.report import Interval
from modinv_app.common.card import bold, muted
from modinv_app.common.layouts import column, row
from modinv_app.common.theme import antialiased, digit_colour, is_dark, with_alpha

_GLIDE_MS = 180
_BAR = 10.0


class Gauge(QWidget):
    """One measured value.

    Parameters
    ----------
    title
        Name of the measure.
    question
        The question that it answers.
    ends
        Meaning of the lowest and the highest value.
    span
        The lowest and the highest value.
    colour
        The digit, 0 to 9, whose colour the bar has, as in Figure 3.
    """

    def __init__(
        self, title: str, question: str, ends: tuple[str, str], span: tuple[float, float], colour: int
    ) -> None:
        super().__init__()
        self._title = title
        self._number = QLabel("–", alignment=Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom)
        large = self._number.font()
        large.setPointSizeF(1.7 * large.pointSizeF())
        large.setBold(True)
        self._number.setFont(large)
        self._bar = _Bar(span, colour)
        low, high = (muted(end) for end in ends)
        words = column(bold(title), muted(question), spacing=0)
        column(row((words, 1), self._number), self._bar, row(low, None, high), parent=self, spacing=2)

    @property
    def text(self) -> str:
        """The number that is shown."""
        return self._number.text()

    def show_value(self, measured: Interval, paper: float | None) -> None:
        """Show the mean over seeds, each seed, and the paper's value if it has one."""
        self._number.setText(f"{measured.mean:.3f}")
        lines = [f"{self._title} {measured.mean:.3f}"]
        if len(measured.values) > 1:
            lines.append(
                f"mean of {len(measured.values)} seeds: {', '.join(f'{each:.3f}' for each in measured.values)}"
            )
        if paper is not None:
            lines.append(f"the paper: {paper:.3f}")
        self.setToolTip("\n".join(lines))
        self.setAccessibleName("; ".join(lines))
        self._bar.show_value(measured, paper)


class _Bar(QWidget):
    """The bar, which moves to another value in an animation."""

    def __init__(self, span: tuple[float, float], colour: int) -> None:
        super().__init__()
        self._span = span
        self._digit = colour
        self._shown = span[0]
        self._seeds: tuple[float, ...] = ()
        self._paper: float | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._glide = QVariantAnimation(self, duration=_GLIDE_MS)
        self._glide.setEasingCurve(QEasingCurve.Type.OutCubic)
        self._glide.valueChanged.connect(self._move)

    def show_value(self, measured: Interval, paper: float | None) -> None:
        self._seeds, self._paper = measured.values, paper
        self._glide.stop()
        self._glide.setStartValue(self._shown)
        self._glide.setEndValue(measured.mean)
        self._glide.start()

    def sizeHint(self) -> QSize:
        return QSize(160, round(_BAR) + 10)

    def minimumSizeHint(self) -> QSize:
        return QSize(80, self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = antialiased(self)
        text = self.palette().color(QPalette.ColorRole.WindowText)
        groove = QRectF(1, (self.height() - _BAR) / 2, self.width() - 2, _BAR)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(with_alpha(text, 0.12))
        painter.drawRoundedRect(groove, _BAR / 2, _BAR / 2)
        if not self._seeds:
            return
        filled = QRectF(groove)
        filled.setRight(max(groove.left() + _BAR, self._x(self._shown)))
        painter.setBrush(digit_colour(self._digit, is_dark(self.palette())))
        painter.drawRoundedRect(filled, _BAR / 2, _BAR / 2)
        if len(self._seeds) > 1:
            painter.setPen(QPen(text, 1.5))
            for seed in self._seeds:
                painter.drawLine(QPointF(self._x(seed), groove.top()), QPointF(self._x(seed), groove.bottom()))
        if self._paper is None:
            return
        at = self._x(self._paper)
        painter.setPen(QPen(text, 1.4))
        painter.setBrush(self.palette().color(QPalette.ColorRole.Window))
        middle = groove.center().y()
        painter.drawPolygon(QPolygonF([QPointF(at + x, middle + y) for x, y in ((0, -7), (5, 0), (0, 7), (-5, 0))]))

    def _move(self, value: float) -> None:
        self._shown = value
        self.update()

    def _x(self, value: float) -> float:
        low, high = self._span
        share = min(1.0, max(0.0, (value - low) / (high - low)))
        return 6 + share * (self.width() - 12)
