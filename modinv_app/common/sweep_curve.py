"""Figure 3 in small: purity and modality SVM against lambda_IG, the paper's behind, and where the dial stands."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette, QPen, QPixmap, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from model.evaluation.report import PAPER_TABLE, Interval
from model.evaluation.sweep_results import SweepResults
from modinv_app.common.lambda_dial import place_of
from modinv_app.common.theme import accent, digit_colour, is_dark, muted_text

PURITY_COLOUR, SVM_COLOUR = 6, 5
"""The digits whose colours the two curves have, on the screen as in exported figures."""

_NAMED = {0.0: "0", 1e-4: "10⁻⁴", 1e-2: "10⁻²", 1.0: "1"}


class SweepCurve(QWidget):
    """Both curves; only the cursor is painted anew while it moves."""

    def __init__(self) -> None:
        super().__init__()
        self._results: SweepResults | None = None
        self._place = 0.0
        self._nearest = 0
        self._picture: QPixmap | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Purity and modality SVM against lambda IG")

    def show_results(self, results: SweepResults) -> None:
        """Draw the curves of a sweep."""
        self._results = results
        self._redraw()

    def show_place(self, place: float, nearest: int) -> None:
        """Move the cursor to a place of the scale, 0 to 1, and mark the model that is nearest to it."""
        self._place, self._nearest = place, nearest
        self.update()

    def sizeHint(self) -> QSize:
        """Half as high as wide."""
        return QSize(300, 170)

    def minimumSizeHint(self) -> QSize:
        """As small as it can be read."""
        return QSize(180, 110)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Draw for the new size."""
        super().resizeEvent(event)
        self._redraw()

    def changeEvent(self, event: QEvent) -> None:
        """Follow theme and font."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self._redraw()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the curves as they were drawn, and the cursor."""
        painter = QPainter(self)
        if self._results is None:
            return
        if self._picture is None or self._picture.devicePixelRatio() != self.devicePixelRatioF():
            self._picture = self._draw(self._results)
        painter.drawPixmap(0, 0, self._picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = self._frame()
        x = self._x(self._place)
        painter.setPen(QPen(accent(self.palette()), 2))
        painter.drawLine(QPointF(x, frame.top() - 3), QPointF(x, frame.bottom()))
        lambda_ig = self._results.lambdas[self._nearest]
        at = self._x(place_of(lambda_ig))
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.WindowText), 1.5))
        for interval, colour in zip(self._measured(lambda_ig), self._colours(), strict=True):
            painter.setBrush(colour)
            painter.drawEllipse(QPointF(at, self._y(interval.mean)), 4.5, 4.5)

    def _redraw(self) -> None:
        self._picture = None
        self.update()

    def _measured(self, lambda_ig: float) -> tuple[Interval, Interval]:
        assert self._results is not None
        return self._results.purity(lambda_ig), self._results.modality_svm(lambda_ig)

    def _colours(self) -> tuple[QColor, QColor]:
        dark = is_dark(self.palette())
        return digit_colour(PURITY_COLOUR, dark), digit_colour(SVM_COLOUR, dark)

    def _frame(self) -> QRectF:
        line = self.fontMetrics().height()
        left = self.fontMetrics().horizontalAdvance("0.5") + 6.0
        return QRectF(self.rect()).adjusted(left, line + 8, -8, -line - 5)

    def _x(self, place: float) -> float:
        frame = self._frame()
        return frame.left() + 5 + place * (frame.width() - 10)

    def _y(self, share: float) -> float:
        frame = self._frame()
        return frame.bottom() - share * frame.height()

    def _draw(self, results: SweepResults) -> QPixmap:
        ratio = self.devicePixelRatioF()
        picture = QPixmap(self.size() * ratio)
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self.font())
        self._draw_axes(painter)
        figures: tuple[Callable[[float], Interval], ...] = (results.purity, results.modality_svm)
        for column, (figure, colour) in enumerate(zip(figures, self._colours(), strict=True)):
            self._draw_paper(painter, column, colour)
            self._draw_measured(painter, {each: figure(each) for each in results.lambdas}, colour)
        self._draw_legend(painter)
        painter.end()
        return picture

    def _draw_axes(self, painter: QPainter) -> None:
        frame, words = self._frame(), muted_text(self.palette())
        line = QColor(self.palette().color(QPalette.ColorRole.WindowText))
        line.setAlphaF(0.18)
        height = self.fontMetrics().height()
        for share in (0.0, 0.5, 1.0):
            y = self._y(share)
            painter.setPen(QPen(line, 1))
            painter.drawLine(QPointF(frame.left(), y), QPointF(frame.right(), y))
            painter.setPen(words)
            box = QRectF(0, y - height / 2, frame.left() - 5, height)
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"{share:g}")
        for value, name in _NAMED.items():
            x = self._x(place_of(value))
            painter.setPen(QPen(line, 1))
            painter.drawLine(QPointF(x, frame.bottom()), QPointF(x, frame.bottom() + 4))
            painter.setPen(words)
            box = QRectF(x - 30, frame.bottom() + 4, 60, height)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, name)

    def _draw_paper(self, painter: QPainter, column: int, colour: QColor) -> None:
        behind = QColor(colour)
        behind.setAlphaF(0.55)
        painter.setPen(QPen(behind, 1.3, Qt.PenStyle.DashLine))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(
            QPolygonF(
                [QPointF(self._x(place_of(value)), self._y(row[column])) for value, row in sorted(PAPER_TABLE.items())]
            )
        )

    def _draw_measured(self, painter: QPainter, measured: dict[float, Interval], colour: QColor) -> None:
        dots = [QPointF(self._x(place_of(value)), self._y(each.mean)) for value, each in measured.items()]
        painter.setPen(QPen(colour, 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
        painter.drawPolyline(QPolygonF(dots))
        for dot, each in zip(dots, measured.values(), strict=True):  # from the least to the greatest seed
            painter.drawLine(QPointF(dot.x(), self._y(min(each.values))), QPointF(dot.x(), self._y(max(each.values))))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        for dot in dots:
            painter.drawEllipse(dot, 3, 3)

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
