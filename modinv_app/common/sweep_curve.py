"""Figure 3 on the screen: purity and modality SVM against lambda_IG, with the paper's curves behind."""

from __future__ import annotations

import math
from collections.abc import Callable

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette, QPen, QPixmap, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from model.evaluation.report import PAPER_TABLE, Report
from model.evaluation.sweep_results import SweepResults
from modinv_app.common.lambda_dial import place_of
from modinv_app.common.theme import accent, antialiased, digit_colour, is_dark, muted_text, with_alpha

PURITY_COLOUR, SVM_COLOUR = 6, 5
"""The digits whose colours the two curves have, on the screen as in exported figures."""

_FIGURES: tuple[Callable[[Report], float], ...] = (
    lambda report: report.purity.mean,
    lambda report: report.modality_svm.mean,
)
_DOT = 3.0  # radius
_NAMED = {0.0: "0", 1e-4: "10⁻⁴", 1e-2: "10⁻²", 1.0: "1"}
_ALSO_NAMED = {1e-5: "10⁻⁵", 1e-3: "10⁻³", 1e-1: "10⁻¹"}
_WIDE = 360.0  # pixels: enough room for every decade, and for quarters


class SweepCurve(QWidget):
    """Lines through the means over seeds and a dot for each model; hollow dots on dashed lines are the paper's.

    The curves are cached as a pixmap; only the cursor of `show_place` is painted each time.

    Parameters
    ----------
    legend
        Whether to show a legend above the curves.
    """

    def __init__(self, *, legend: bool = True) -> None:
        super().__init__()
        self._with_legend = legend
        self._results: SweepResults | None = None
        self._model: tuple[float, Report] | None = None
        self._cursor: tuple[float, int] | None = None
        self._picture: QPixmap | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Purity and modality SVM against lambda IG")

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
        for of_report, colour in zip(_FIGURES, self._colours(), strict=True):
            painter.setBrush(colour)
            mean = self._results.over_seeds(lambda_ig, of_report).mean
            painter.drawEllipse(QPointF(at, self._y(mean)), 4.5, 4.5)

    def _redraw(self) -> None:
        self._picture = None
        self.update()

    def _colours(self) -> tuple[QColor, QColor]:
        dark = is_dark(self.palette())
        return digit_colour(PURITY_COLOUR, dark), digit_colour(SVM_COLOUR, dark)

    def _frame(self) -> QRectF:
        line = self.fontMetrics().height()
        left = self.fontMetrics().horizontalAdvance("0.75" if self.width() >= _WIDE else "0.5") + 6.0
        return QRectF(self.rect()).adjusted(left, line + 8 if self._with_legend else 8, -8, -line - 5)

    def _x(self, place: float) -> float:
        frame = self._frame()
        return frame.left() + 5 + place * (frame.width() - 10)

    def _y(self, share: float) -> float:
        frame = self._frame()
        return frame.bottom() - share * frame.height()

    def _draw(self) -> QPixmap:
        ratio = self.devicePixelRatioF()
        picture = QPixmap(self.size() * ratio)
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        painter = antialiased(picture)
        painter.setFont(self.font())
        self._draw_axes(painter)
        for column, (of_report, colour) in enumerate(zip(_FIGURES, self._colours(), strict=True)):
            self._draw_paper(painter, column, colour)
            if self._results is not None:
                self._draw_measured(painter, self._results, of_report, colour)
        if self._model is not None:
            lambda_ig, report = self._model
            for of_report in _FIGURES:
                self._draw_star(painter, QPointF(self._x(place_of(lambda_ig)), self._y(of_report(report))))
        if self._with_legend:
            self._draw_legend(painter)
        painter.end()
        return picture

    def _draw_axes(self, painter: QPainter) -> None:
        frame, words = self._frame(), muted_text(self.palette())
        line = with_alpha(self.palette().color(QPalette.ColorRole.WindowText), 0.18)
        height = self.fontMetrics().height()
        wide = frame.width() >= _WIDE
        for share in (0.0, 0.25, 0.5, 0.75, 1.0) if wide else (0.0, 0.5, 1.0):
            y = self._y(share)
            painter.setPen(QPen(line, 1))
            painter.drawLine(QPointF(frame.left(), y), QPointF(frame.right(), y))
            painter.setPen(words)
            box = QRectF(0, y - height / 2, frame.left() - 5, height)
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"{share:g}")
        painter.setPen(QPen(words, 1, Qt.PenStyle.DotLine))  # chance level
        painter.drawLine(QPointF(frame.left(), self._y(0.5)), QPointF(frame.right(), self._y(0.5)))
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

    def _draw_measured(
        self, painter: QPainter, results: SweepResults, of_report: Callable[[Report], float], colour: QColor
    ) -> None:
        found = {value: results.over_seeds(value, of_report) for value in results.lambdas}
        means = [QPointF(self._x(place_of(value)), self._y(each.mean)) for value, each in found.items()]
        painter.setPen(QPen(with_alpha(colour, 0.3), 5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        for mean, each in zip(means, found.values(), strict=True):  # from the lowest to the highest seed
            painter.drawLine(QPointF(mean.x(), self._y(min(each.values))), QPointF(mean.x(), self._y(max(each.values))))
        painter.setPen(QPen(colour, 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
        painter.drawPolyline(QPolygonF(means))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        for row in results.rows:
            painter.drawEllipse(QPointF(self._x(place_of(row.lambda_ig)), self._y(of_report(row.report))), _DOT, _DOT)

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
        purity, svm = self._colours()
        for name, colour, style in (
            ("purity", purity, Qt.PenStyle.SolidLine),
            ("modality SVM", svm, Qt.PenStyle.SolidLine),
            ("the paper", muted_text(self.palette()), Qt.PenStyle.DashLine),
        ):
            painter.setPen(QPen(colour, 2 if style is Qt.PenStyle.SolidLine else 1.3, style))
            painter.drawLine(QPointF(x, middle), QPointF(x + 16, middle))
            painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
            width = self.fontMetrics().horizontalAdvance(name)
            painter.drawText(QRectF(x + 20, 0, width + 4, 2 * middle), Qt.AlignmentFlag.AlignVCenter, name)
            x += width + 34
