"""How many utterances a model recognises in noise, in rooms and by bad microphones."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QPushButton, QSizePolicy, QWidget

from model.data.conditions import CONDITIONS, NOISES
from model.data.corpora import registry
from model.evaluation.robustness import Recognition, Robustness
from model.palette import NOISE_COLOURS
from modinv_app.common.card import Card, RuledTable, bold, muted
from modinv_app.common.layouts import VerticalScrollArea, column, row
from modinv_app.evaluate.chart_legend import ChartLegend, Entry
from modinv_app.evaluate.noise_chart import NoiseChart, in_words

_RIGHT = Qt.AlignmentFlag.AlignRight
_ENTRIES = (*(Entry(title, "line", NOISE_COLOURS[kind]) for kind, title in NOISES.items()), Entry("chance", "dotted"))
_OTHERS = [condition for condition in CONDITIONS.values() if condition.kind not in NOISES]
_METHOD = (
    "Right is the digit of most of the ten nearest images of the shipped gallery. Bands and ranges are\n"
    "95 % intervals by Clopper and Pearson, for other utterances of these speakers"
)
_NOT_YET = "Not measured yet on this data. It takes some minutes; other pages can be used meanwhile."


class NoisePanel(QWidget):
    """A chart of noise, and a table of the other conditions.

    Signals
    -------
    measure_wanted()
        The user wants the chosen model to be measured.
    """

    measure_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.chart = NoiseChart()
        card = Card("Recognised in noise")
        card.aside.setText("by signal-to-noise ratio")
        card.setToolTip(_METHOD)
        card.body.setSpacing(6)
        card.body.addWidget(self.chart, 1)
        card.body.addWidget(ChartLegend(_ENTRIES))
        others = Card("Rooms and bad microphones")
        others.setToolTip(_METHOD)
        table = RuledTable(heads=0)
        table.grid.setHorizontalSpacing(10)
        self._cells: dict[str, tuple[QLabel, QLabel]] = {}
        for line, condition in enumerate(_OTHERS):
            title = QLabel(condition.title, wordWrap=True)
            self._cells[condition.name] = share, interval = bold("", _RIGHT), muted("", _RIGHT)
            share.setAccessibleName(f"Recognised: {condition.title}")
            for place, label in enumerate((title, share, interval)):
                table.grid.addWidget(label, line, place)
        content = QWidget()
        column(table, None, parent=content)
        scrolled = VerticalScrollArea(content)
        for ground in (content, scrolled.viewport()):
            ground.setAutoFillBackground(False)  # that of the card shows through
        others.body.addWidget(scrolled, 1)
        self.about = muted()
        self.about.setWordWrap(True)
        self.about.setTextFormat(Qt.TextFormat.PlainText)
        self.about.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.button = QPushButton("Measure")
        self.button.setToolTip(f"Recognise the chosen data in {len(CONDITIONS)} conditions")
        self.button.clicked.connect(self.measure_wanted)
        cards = row((card, 11), (others, 8), spacing=10)
        column((cards, 1), row((self.about, 1), self.button), parent=self, margins=(10, 10, 10, 8))
        self.show_robustness(None, None)

    def set_ready(self, ready: bool) -> None:
        """Allow to measure: a model and data are chosen, and nothing else is running."""
        self.button.setEnabled(ready)

    def show_robustness(self, found: Robustness | None, elsewhere: Robustness | None) -> None:
        """Show what is known.

        Parameters
        ----------
        found
            Measured on the chosen data, perhaps in some conditions only; None if nothing is.
        elsewhere
            What the maker of the model has measured, perhaps on other data.
        """
        self.chart.show_robustness(found)
        results = {one.name: one for one in found.results} if found else {}
        for name, cells in self._cells.items():
            _fill(cells, results.get(name))
        self.about.setText(_NOT_YET if found is None else _described(found))
        if found is None and elsewhere is not None:
            self.about.setText(f"{_NOT_YET} The model's file knows it of {_named(elsewhere)}; {_how_to_see(elsewhere)}")
        self.button.setVisible(found is None or not found.complete)


def _fill(cells: tuple[QLabel, QLabel], one: Recognition | None) -> None:
    share, interval = cells
    share.setText("–" if one is None else f"{100 * one.share:.1f} %")
    interval.setText("" if one is None else f"{100 * one.low:.1f} to {100 * one.high:.1f}")
    share.setToolTip("" if one is None else in_words(one))


def _described(found: Robustness) -> str:
    by = "" if found.inputs else ", measured by the maker of the model"
    return f"{_named(found)}: {found.utterances}{by}."


def _named(found: Robustness) -> str:
    kind = registry().get(found.corpus)
    return f"{kind.info.title if kind else found.corpus}, {found.split} data"


def _how_to_see(elsewhere: Robustness) -> str:
    """What to choose, or to install before."""
    kind = registry().get(elsewhere.corpus)
    if kind is not None and kind().location() is None:
        how = f"“modinv data get {elsewhere.corpus}”" if kind.info.source else f"from {kind.info.origin}"
        return f"to see it, get that corpus ({how}) and choose it above."
    return "choose them above to see it."
