"""P@1 by digit and by speaker, in both directions."""

from __future__ import annotations

from PySide6.QtWidgets import QGridLayout, QWidget

from model.evaluation.report import Direction, Report
from model.types import Modality
from modinv_app.common.card import Card
from modinv_app.common.layouts import VerticalScrollArea
from modinv_app.evaluate.score_bars import Score, ScoreBars

_BY_SPEAKER = {
    Modality.IMAGE: "By speaker of the match, image → speech",
    Modality.SPEECH: "By speaker, speech → image",
}
_BY_DIGIT = {Modality.IMAGE: "By digit, image → speech", Modality.SPEECH: "By digit, speech → image"}


class SharesPanel(VerticalScrollArea):
    """Four charts: digits above, speakers below; a line marks the mean over all queries."""

    def __init__(self) -> None:
        content = QWidget()
        super().__init__(content)
        self._digits: dict[Modality, ScoreBars] = {}
        self._speakers: dict[Modality, ScoreBars] = {}
        self._cards: list[tuple[Modality, Card]] = []
        grid = QGridLayout(content)
        grid.setContentsMargins(10, 10, 10, 10)
        grid.setSpacing(10)
        for row, (charts, titles) in enumerate(((self._digits, _BY_DIGIT), (self._speakers, _BY_SPEAKER))):
            for column, query in enumerate(Modality):
                charts[query] = ScoreBars(f"P@1 {titles[query]}")
                card = Card(titles[query])
                card.body.addWidget(charts[query])
                self._cards.append((query, card))
                grid.addWidget(card, row, column)
        grid.setRowStretch(0, 10)
        grid.setRowStretch(1, 7)

    def show_report(self, report: Report | None) -> None:
        """Show P@1 of a model, or nothing."""
        for query in Modality:
            direction = None if report is None else report.direction(query)
            mean = None if direction is None else direction.retrieval.p_at_1
            self._digits[query].show_scores([] if direction is None else _of_digits(direction), mean)
            self._speakers[query].show_scores([] if direction is None else _of_speakers(direction), mean)
        for query, card in self._cards:
            card.aside.setText("" if report is None else f"all | {report.direction(query).retrieval.p_at_1:.3f}")


def _of_digits(direction: Direction) -> list[Score]:
    return [Score(str(digit), share, digit) for digit, share in sorted(direction.per_digit.items())]


def _of_speakers(direction: Direction) -> list[Score]:
    """Speakers, worst first."""
    return [Score(name, share) for name, share in sorted(direction.per_speaker.items(), key=lambda part: part[1])]
