"""Charts of a sweep on the screen, as in Figure 3: measured values against lambda_IG."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette, QPen, QPixmap, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from model.evaluation.paper import PAPER_TABLE
from model.evaluation.report import Report
from model.evaluation.sweep_results import SweepResults, SweepRow
from modinv_app.common.lambda_dial import place_of
from modinv_app.common.sweep_charts import INVARIANCE, Series, SweepChart
from modinv_app.common.theme import accent, antialiased, digit_colour, is_dark, muted_text, with_alpha

_DOT = 3.0  # radius
_NAMED = {0.0: "0", 1e-4: "10⁻⁴", 1e-2: "10⁻²", 1.0: "1"}
_ALSO_NAMED = {1e-5: "10⁻⁵", 1e-3: "10⁻³", 1e-1: "10⁻¹"}
_WIDE = 360.0  # pixels: enough room for every decade, and for quarters


class SweepCurve(QWidget):
    """Lines through the means over seeds and a dot for each model; hollow dots on dashed lines are the paper's.

    The curves are cached as a pixmap; only the cursor of `show_place` is painted each time.
    """

    def __init__(self) -> None:
        super().__init__()
        self._chart = INVARIANCE
        self._optimum: Sequence[tuple[float, float]] = ()
        self._results: SweepResults | None = None
        self._model: tuple[float, Report] | None = None
        self._cursor: tuple[float, int] | None = None
        self._picture: QPixmap | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.show_chart(INVARIANCE)

    def show_chart(self, chart: SweepChart) -> None:
        """Draw another chart."""
        self._chart = chart
        self.setAccessibleName(f"{' and '.join(series.name for series in chart.series)} against lambda IG")
        self._redraw()

    def show_optimum(self, points: Sequence[tuple[float, float]]) -> None:
        """Draw the theoretical optimum, ``(lambda_IG, value)`` each, in the charts that have one."""
        self._optimum = points
        self._redraw()

    def show_results(self, results: SweepResults) -> None:
        """Draw the curves of a sweep over those of the paper."""
        self._results, self._cursor = results, None
        self._redraw()

    def show_model(self, model: tuple[float, Report] | None) -> None:
        """Mark a model of some lambda_IG with stars, or none."""
        self._model = model
        self._redraw()

    def show_place(self, place: float, nearest: int) -> None:
        """Move the cursor to a position on the scale, 0 to 1, and mark the nearest model, by its index."""
        self._cursor = place, nearest
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(300, 170)

    def minimumSizeHint(self) -> QSize:
        return QSize(180, 110)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._redraw()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self._redraw()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._picture is None or self._picture.devicePixelRatio() != self.devicePixelRatioF():
            self._picture = self._draw()
        painter.drawPixmap(0, 0, self._picture)
        if self._results is None or self._cursor is None:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        place, nearest = self._cursor
        frame, x = self._frame(), self._x(place)
        painter.setPen(QPen(accent(self.palette()), 2))
        painter.drawLine(QPointF(x, frame.top() - 3), QPointF(x, frame.bottom()))
        lambda_ig = self._results.lambdas[nearest]
        at = self._x(place_of(lambda_ig))
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.WindowText), 1.5))
        for series in self._chart.series:
            if found := self._values(series, lambda_ig):
                painter.setBrush(self._colour(series))
                painter.drawEllipse(QPointF(at, self._y(sum(found) / len(found))), 4.5, 4.5)

    def _redraw(self) -> None:
        self._picture = None
        self.update()

    def _colour(self, series: Series) -> QColor:
        return digit_colour(series.colour, is_dark(self.palette()))

    def _values(self, series: Series, lambda_ig: float) -> list[float]:
        """The values at one lambda_IG, of the seeds for which they are known."""
        rows = self._results.rows if self._results else ()
        return [value for row in rows if row.lambda_ig == lambda_ig and (value := series.of(row)) is not None]

    def _frame(self) -> QRectF:
        line = self.fontMetrics().height()
        ticks = self._chart.wide_ticks if self.width() >= _WIDE else self._chart.ticks
        left = max(self.fontMetrics().horizontalAdvance(f"{tick:g}") for tick in ticks) + 6.0
        return QRectF(self.rect()).adjusted(left, line + 8, -8, -line - 5)

    def _x(self, place: float) -> float:
        frame = self._frame()
        return frame.left() + 5 + place * (frame.width() - 10)

    def _y(self, value: float) -> float:
        frame = self._frame()
        return frame.bottom() - self._chart.height_of(value) * frame.height()

    def _draw(self) -> QPixmap:
        ratio = self.devicePixelRatioF()
        picture = QPixmap(self.size() * ratio)
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        painter = antialiased(picture)
        painter.setFont(self.font())
        self._draw_axes(painter)
        if self._chart.optimum:
            self._draw_optimum(painter)
        for series in self._chart.series:
            if series.paper is not None:
                self._draw_paper(painter, series.paper, self._colour(series))
            if self._results is not None:
                self._draw_measured(painter, self._results, series)
        if self._model is not None:
            row = SweepRow(self._model[0], 0, self._model[1])
            for series in self._chart.series:
                if (value := series.of(row)) is not None:
                    self._draw_star(painter, QPointF(self._x(place_of(row.lambda_ig)), self._y(value)))
        self._draw_legend(painter)
        painter.end()
        return picture

    def _draw_axes(self, painter: QPainter) -> None:
        frame, words = self._frame(), muted_text(self.palette())
        line = with_alpha(self.palette().color(QPalette.ColorRole.WindowText), 0.18)
        height = self.fontMetrics().height()
        wide = frame.width() >= _WIDE
        for tick in self._chart.wide_ticks if wide else self._chart.ticks:
            y = self._y(tick)
            painter.setPen(QPen(line, 1))
            painter.drawLine(QPointF(frame.left(), y), QPointF(frame.right(), y))
            painter.setPen(words)
            box = QRectF(0, y - height / 2, frame.left() - 5, height)
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"{tick:g}")
        if self._chart.level is not None:
            y = self._y(self._chart.level)
            painter.setPen(QPen(words, 1, Qt.PenStyle.DotLine))
            painter.drawLine(QPointF(frame.left(), y), QPointF(frame.right(), y))
        for value, name in (_NAMED | _ALSO_NAMED if wide else _NAMED).items():
            x = self._x(place_of(value))
            painter.setPen(QPen(line, 1))
            painter.drawLine(QPointF(x, frame.bottom()), QPointF(x, frame.bottom() + 4))
            painter.setPen(words)
            box = QRectF(x - 30, frame.bottom() + 4, 60, height)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, name)

    def _draw_paper(self, painter: QPainter, column: int, colour: QColor) -> None:
        behind = with_alpha(colour, 0.55)
        dots = [QPointF(self._x(place_of(value)), self._y(row[column])) for value, row in sorted(PAPER_TABLE.items())]
        painter.setPen(QPen(behind, 1.3, Qt.PenStyle.DashLine))
        painter.drawPolyline(QPolygonF(dots))
        painter.setPen(QPen(behind, 1.3))
        painter.setBrush(self.palette().color(QPalette.ColorRole.Base))
        for dot in dots:
            painter.drawEllipse(dot, _DOT, _DOT)

    def _draw_optimum(self, painter: QPainter) -> None:
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.WindowText), 1.3, Qt.PenStyle.DashLine))
        points = [QPointF(self._x(place_of(lambda_ig)), self._y(value)) for lambda_ig, value in self._optimum]
        painter.drawPolyline(QPolygonF(points))

    def _draw_measured(self, painter: QPainter, results: SweepResults, series: Series) -> None:
        colour = self._colour(series)
        found = {value: known for value in results.lambdas if (known := self._values(series, value))}
        x = {value: self._x(place_of(value)) for value in found}
        painter.setPen(QPen(with_alpha(colour, 0.3), 5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        for value, known in found.items():  # from the lowest to the highest seed
            painter.drawLine(QPointF(x[value], self._y(min(known))), QPointF(x[value], self._y(max(known))))
        style = Qt.PenStyle.DashLine if series.dashed else Qt.PenStyle.SolidLine
        painter.setPen(QPen(colour, 2, style, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
        means = [QPointF(x[value], self._y(sum(known) / len(known))) for value, known in found.items()]
        painter.drawPolyline(QPolygonF(means))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        for value, known in found.items():
            for each in known:
                painter.drawEllipse(QPointF(x[value], self._y(each)), _DOT, _DOT)

    def _draw_star(self, painter: QPainter, at: QPointF) -> None:
        angles = [math.pi * (corner / 5 - 0.5) for corner in range(10)]
        radii = [9.0 if corner % 2 == 0 else 3.6 for corner in range(10)]
        corners = [
            QPointF(at.x() + r * math.cos(a), at.y() + r * math.sin(a)) for a, r in zip(angles, radii, strict=True)
        ]
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Base), 1.5))
        painter.setBrush(self.palette().color(QPalette.ColorRole.Text))
        painter.drawPolygon(QPolygonF(corners))

    def _draw_legend(self, painter: QPainter) -> None:
        x, middle = self._frame().left(), self.fontMetrics().height() / 2
        entries = [
            (series.name, self._colour(series), 2.0, Qt.PenStyle.DashLine if series.dashed else Qt.PenStyle.SolidLine)
            for series in self._chart.series
        ]
        if any(series.paper is not None for series in self._chart.series):
            entries.append(("the paper", muted_text(self.palette()), 1.3, Qt.PenStyle.DashLine))
        if self._chart.optimum:
            text = self.palette().color(QPalette.ColorRole.WindowText)
            entries.append((self._chart.optimum, text, 1.3, Qt.PenStyle.DashLine))
        for name, colour, width, style in entries:
            painter.setPen(QPen(colour, width, style))
            painter.drawLine(QPointF(x, middle), QPointF(x + 16, middle))
            painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
            advance = self.fontMetrics().horizontalAdvance(name)
            painter.drawText(QRectF(x + 20, 0, advance + 4, 2 * middle), Qt.AlignmentFlag.AlignVCenter, name)
            x += advance + 34
