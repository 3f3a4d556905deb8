"""The numbers of one evaluation beside the paper's: its measures, retrieval, transfer, posteriors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from model.evaluation.confidence import ConfidenceMeasures
from model.evaluation.paper import PaperRow
from model.evaluation.report import Calibration, Interval
from model.export.words import PAIR_RECALL, curated, resampled, speakers, wrong_matches
from model.recipes.recipe import lambda_text
from modinv_app.common.card import Card, RuledTable, bold, muted, with_subscripts
from modinv_app.common.layouts import VerticalScrollArea, column, row
from modinv_app.evaluate.calibration_bars import CalibrationBars
from modinv_app.evaluate.confidence_charts import ConfidenceCharts
from modinv_app.evaluate.interval_strip import IntervalStrip

_RIGHT = Qt.AlignmentFlag.AlignRight
_ARROWS = {"image_to_speech": "image → speech", "speech_to_image": "speech → image"}
_PENDING, _MISSING = "…", "–"
_INVITATION = (
    "Not evaluated yet. Press “Evaluate”: the first numbers appear after a few seconds, the rest within a minute."
)

Path = tuple[str, ...]


class NumbersTable(VerticalScrollArea):
    """All numbers of a report, which may be incomplete."""

    def __init__(self) -> None:
        content = QWidget()
        super().__init__(content)
        self._cells: list[tuple[QLabel, Path, Callable[[Any], str]]] = []
        self._measures: dict[str, _Measure] = {}
        self._calibrations: dict[str, tuple[CalibrationBars, QLabel]] = {}
        self._confidences: dict[str, tuple[ConfidenceCharts, QLabel]] = {}
        self._paper = bold("the paper", _RIGHT)
        self._setting = muted()
        self._setting.setWordWrap(True)
        grid = QGridLayout(content)
        grid.setContentsMargins(10, 10, 10, 10)
        grid.setSpacing(10)
        grid.addWidget(self._paper_card(), 0, 0, 1, 2)
        grid.addWidget(self._retrieval_card(), 1, 0)
        grid.addWidget(self._posterior_card(), 2, 0)
        grid.addWidget(self._calibration_card(), 1, 1, 2, 1)
        grid.addWidget(self._clusters_card(), 3, 0)
        grid.addWidget(self._partner_card(), 3, 1)
        grid.addWidget(self._confidence_card(), 4, 0, 1, 2)
        grid.addWidget(self._setting, 5, 0, 1, 2)
        grid.setColumnStretch(0, 5)
        grid.setColumnStretch(1, 6)
        grid.setRowStretch(1, 1)
        self.show_numbers({})

    def show_numbers(self, values: Mapping[str, Any]) -> None:
        """Show a report, as far as it is complete.

        Parameters
        ----------
        values
            As of :meth:`~model.evaluation.report.Report.to_json_dict`. Missing parts are shown as dots while they are
            being measured, else as dashes.
        """
        found = _look_up(values, ("paper",))
        paper = None if found is None else PaperRow(**found)
        missing = _PENDING if values and "setting" not in values else _MISSING
        for label, path, form in self._cells:
            value = _look_up(values, path)
            label.setText(missing if value is None else form(value))
        for name, measure in self._measures.items():
            found = _look_up(values, (name,))
            interval = None if found is None else Interval.from_json_dict(found)
            theirs = None if paper is None else _of_paper(paper, name)
            measure.show_measure(interval, theirs, missing)
        self._paper.setText(
            "the paper" if paper is None else with_subscripts(f"the paper, λ_IG {lambda_text(paper.lambda_ig)}")
        )
        for name, (bars, word) in self._calibrations.items():
            found = _look_up(values, (name, "calibration"))
            calibration = None if found is None else Calibration.from_json_dict(found)
            bars.show_calibration(calibration)
            word.setText(missing if calibration is None else _in_words(calibration))
        for name, (charts, word) in self._confidences.items():
            found = _look_up(values, (name, "confidence"))
            measures = None if found is None else ConfidenceMeasures.from_json_dict(found)
            charts.show_measures(measures)
            word.setText(missing if measures is None else _worth(measures))
        self._setting.setText(_describe(values))

    def _paper_card(self) -> Card:
        card = Card(
            "What the paper measures",
            "An SVM accuracy of 0.5 means that the modalities can't be told apart.",
        )
        table = RuledTable()
        for place, head in enumerate((bold("this model", _RIGHT), muted("± 95 %"), QLabel(), self._paper)):
            table.grid.addWidget(head, 0, place + 1)
        rows = {
            "purity": ("Cluster purity", "K-means with ten clusters on samples of both modalities, scored by digit"),
            "modality_svm": (
                "Modality SVM, by embedding",
                "How often an SVM names the modality of an embedding that it has not seen; it may have seen other "
                "samples of the same image or recording",
            ),
            "modality_svm_unseen_inputs": (
                "Modality SVM, unseen inputs",
                "The same by the stricter split, where the SVM has seen no other sample of the same image or "
                "recording; the paper does not say which split it used, so its value is shown beside both",
            ),
        }
        for line, (name, (title, tip)) in enumerate(rows.items(), start=1):
            self._measures[name] = measure = _Measure(title)
            head = QLabel(title)
            head.setToolTip(tip)
            for place, widget in enumerate((head, measure.mean, measure.spread, measure.strip, measure.paper)):
                table.grid.addWidget(widget, line, place)
        table.grid.setColumnStretch(3, 1)
        card.body.addWidget(table, 1)
        return card

    def _retrieval_card(self) -> Card:
        card = Card("Across the modalities", "Each test input is a query to the other modality's test set.")
        few = "The same with {} of that modality, drawn several times: mean and half of the 95 % interval"
        rows: dict[str, tuple[Path, str]] = {
            "P@1": (("retrieval", "p_at_1"), "How often the nearest item is of the same digit"),
            "P@1, 95 % interval": (("retrieval",), "By Clopper and Pearson, as if all queries were independent"),
            "P@1, single samples": (
                ("p_at_1_samples",),
                "By one sample of each posterior instead of its mean, drawn several times: mean and half of the "
                "95 % interval",
            ),
            "P@5": (("retrieval", "p_at_5"), "Share of the same digit among the five nearest items"),
            "P@10": (("retrieval", "p_at_10"), "Share of the same digit among the ten nearest items"),
            "mAP": (("retrieval", "mean_average_precision"), "Mean average precision of the ranking of all items"),
            "Transfer, neighbours": (
                ("transfer", "nearest_neighbours"),
                "With labels of the modality left of the arrow only, nearest neighbours classify the other modality",
            ),
            "Transfer, linear": (
                ("transfer", "linear"),
                "With labels of the modality left of the arrow only, a linear classifier classifies the other modality",
            ),
            "Transfer, 20 labels": (("transfer", "linear_20"), few.format("20 labels per digit")),
            "Transfer, 5 labels": (("transfer", "linear_5"), few.format("5 labels per digit")),
            "Transfer, 1 label": (("transfer", "linear_1"), few.format("one label per digit")),
        }
        table = RuledTable()
        for place, arrow in enumerate(_ARROWS.values(), start=1):
            table.grid.addWidget(bold(arrow, _RIGHT), 0, place)
        for line, (title, (path, tip)) in enumerate(rows.items(), start=1):
            places = {arrow: (way, *path) for way, arrow in _ARROWS.items()}
            self._add_row(table.grid, line, title, tip, places, _interval if path == ("retrieval",) else _measured)
        card.body.addWidget(table, 1)
        return card

    def _posterior_card(self) -> Card:
        card = Card("Posteriors")
        table = RuledTable()
        for place, title in enumerate(("images", "speech"), start=1):
            table.grid.addWidget(bold(title, _RIGHT), 0, place)
        rows: dict[str, tuple[str, Callable[[Any], str], str]] = {
            "Mean KL from the prior, nats": ("mean_kl", "{:.1f}".format, "Information that a posterior carries"),
            "Active dimensions, of 128": (
                "active_dimensions",
                str,
                "Dimensions whose posterior mean varies between inputs with a variance above 0.01",
            ),
        }
        for line, (title, (name, form, tip)) in enumerate(rows.items(), start=1):
            places = {"images": ("image", name), "speech": ("speech", name)}
            self._add_row(table.grid, line, title, tip, places, form)
        card.body.addWidget(table, 1)
        return card

    def _clusters_card(self) -> Card:
        card = Card("Clusters and modality gap")
        rows: dict[str, tuple[Path, str]] = {
            "V-measure (= NMI)": (
                ("v_measure",),
                "Of the clusters that purity scores: harmonic mean of homogeneity and completeness, which is the "
                "normalised mutual information of cluster and digit",
            ),
            "Homogeneity": (("homogeneity",), "1 if every cluster is of one digit"),
            "Completeness": (("completeness",), "1 if every digit is in one cluster"),
            "Modality gap, share of variance": (
                ("modality_gap", "share"),
                "Fraction of the variance of posterior means, both modalities weighted equally, that is between the "
                "two centroids",
            ),
            "Modality gap, distance": (
                ("modality_gap", "distance"),
                "Between the centroids of the two modalities' posterior means",
            ),
        }
        table = RuledTable(heads=0)
        for line, (title, (path, tip)) in enumerate(rows.items()):
            self._add_row(table.grid, line, title, tip, {"both modalities": path}, _measured)
        card.body.addWidget(table, 1)
        return card

    def _partner_card(self) -> Card:
        card = Card("One partner per query", PAIR_RECALL)
        self._cells.append((card.aside, ("pair_recall", "pairs"), "{:,} pairs".format))
        heads = {**_ARROWS, "ceiling": "ceiling", "chance": "chance"}
        table = RuledTable()
        for place, head in enumerate(heads.values(), start=1):
            table.grid.addWidget(bold(head, _RIGHT), 0, place)
        for line, depth in enumerate((1, 5, 10), start=1):
            places = {head: ("pair_recall", f"at_{depth}", name) for name, head in heads.items()}
            tip = (
                f"How often the partner is among the {depth} nearest items" if depth > 1 else "How often it is nearest"
            )
            self._add_row(table.grid, line, f"R@{depth}", tip, places, _measured)
        card.body.addWidget(table, 1)
        return card

    def _calibration_card(self) -> Card:
        card = Card(
            "Does a wide posterior indicate a wrong match?",
            "Wrong nearest matches in percent, by the width of the query's posterior.",
        )
        charts = row(spacing=24)
        for way, arrow in _ARROWS.items():
            bars, word = CalibrationBars(), muted(alignment=_RIGHT)
            word.setToolTip(
                "AUROC: how often a query with a wrong match has a wider posterior than one with a right match"
            )
            charts.addLayout(column(row(bold(arrow), (word, 1)), (bars, 1)))
            self._calibrations[way] = bars, word
        card.body.addLayout(charts, 1)
        return card

    def _confidence_card(self) -> Card:
        card = Card(
            "Is the confidence low where the match is wrong?",
            "On the dotted line a confidence is as high as the share of right matches. A curve of wrong matches that "
            "rises only at the end means that the least confident answers are the wrong ones.",
        )
        both = row(spacing=28)
        for way, arrow in _ARROWS.items():
            charts, word = ConfidenceCharts(), muted()
            word.setWordWrap(True)
            word.setToolTip("AUROC: how often a query with a wrong match has the lower confidence; 0.5 is chance")
            both.addLayout(column(bold(arrow), word, (charts, 1)), 1)
            self._confidences[way] = charts, word
        card.body.addLayout(both, 1)
        return card

    def _add_row(
        self,
        grid: QGridLayout,
        line: int,
        title: str,
        tip: str,
        places: Mapping[str, Path],
        form: Callable[[Any], str],
    ) -> None:
        head = QLabel(title)
        head.setToolTip(tip)
        grid.addWidget(head, line, 0)
        grid.setRowStretch(line, 1)
        for place, (heading, path) in enumerate(places.items(), start=1):
            cell = QLabel(alignment=_RIGHT | Qt.AlignmentFlag.AlignVCenter)
            cell.setAccessibleName(f"{title}, {heading}")
            cell.setToolTip(tip)
            cell.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            grid.addWidget(cell, line, place)
            self._cells.append((cell, path, form))


class _Measure:
    """The widgets of a measure of the paper."""

    def __init__(self, title: str) -> None:
        self.mean, self.spread = bold(alignment=_RIGHT), muted()
        self.mean.setAccessibleName(title)
        self.mean.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.strip = IntervalStrip()
        self.paper = QLabel(alignment=_RIGHT | Qt.AlignmentFlag.AlignVCenter)
        self.paper.setAccessibleName(f"{title}, paper")

    def show_measure(self, interval: Interval | None, paper: float | None, missing: str) -> None:
        self.mean.setText(missing if interval is None else _share(interval.mean))
        one = interval is None or len(interval.values) < 2
        self.spread.setText("" if interval is None or one else f"± {interval.high - interval.mean:.3f}")
        self.paper.setText(_MISSING if paper is None else _share(paper))
        self.strip.show_interval(interval, paper)


def _look_up(values: Mapping[str, Any], path: Path) -> Any:
    found: Any = values
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _of_paper(paper: PaperRow, name: str) -> float:
    return paper.purity if name == "purity" else paper.modality_svm


def _worth(found: ConfidenceMeasures) -> str:
    """``"AUROC 0.99, 85 wrong matches, calibration error 0.002, 31 of 10,000 digits rejected"``."""
    parts = [] if found.auroc is None else [f"AUROC {found.auroc:.2f}"]
    parts.append(wrong_matches(found.errors))
    if found.ece is not None:
        parts.append(f"calibration error {found.ece:.3f}")
    if found.rejected is not None:
        parts.append(f"{found.rejected:,} of {found.queries:,} digits rejected")
    return ", ".join(parts)


def _in_words(calibration: Calibration) -> str:
    wrong = wrong_matches(calibration.errors)
    return wrong if calibration.auroc is None else f"AUROC {calibration.auroc:.2f}, {wrong}"


def _interval(retrieval: Mapping[str, Any]) -> str:
    low, high = retrieval["p_at_1_low"], retrieval["p_at_1_high"]
    return _MISSING if low is None else f"{low:.3f}–{high:.3f}"


def _measured(value: float | Mapping[str, Any]) -> str:
    """A number, or the mean of an interval with half of its width."""
    if isinstance(value, Mapping):
        return f"{_share(value['mean'])} ± {value['high'] - value['mean']:.3f}"
    return _share(value)


def _share(value: float) -> str:
    return f"{value:.3f}"


def _describe(values: Mapping[str, Any]) -> str:
    """What the numbers were measured on, in one line."""
    if "preliminary_images" in values:
        return f"First numbers, of {values['preliminary_images']:,} images alone; those of all images follow."
    if not values:
        return _INVITATION
    if "setting" not in values:
        return ""
    setting = values["setting"]
    facts = (
        f"{setting['n_images']:,} images and {setting['n_utterances']:,} utterances that training never saw",
        speakers(setting),
        curated(setting).strip(" ."),
        resampled(setting),
        f"seed {setting['seed']}",
    )
    return " · ".join(filter(None, facts))
