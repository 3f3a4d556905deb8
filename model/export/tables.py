"""Tables of reports: CSV in full precision for programs, Markdown and LaTeX rounded and captioned for people."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from model.checkpoints import write_bytes_atomically
from model.evaluation.comparison_results import ComparisonResults, ComparisonRow
from model.evaluation.confidence import ConfidenceMeasures
from model.evaluation.paper import PAPER_TABLE
from model.evaluation.report import (
    Direction,
    Interval,
    ModalityGap,
    OneModality,
    RecallAt,
    Report,
    Retrieval,
)
from model.evaluation.sweep_results import SweepResults, SweepRow
from model.export import words
from model.recipes.recipe import lambda_text
from model.types import Modality

FORMATS = ("csv", "md", "tex")


class Share(NamedTuple):
    """A proportion with its asymmetric interval, which may be unknown."""

    value: float
    low: float | None
    high: float | None


Value = Interval | Share | float | int | None


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure in a report: key, title, and a function that reads it from a report, ``None`` if it is undefined."""

    key: str
    title: str
    of: Callable[[Report], Value]


def _both_ways(key: str, title: str, of: Callable[[Direction], Value]) -> tuple[Measure, Measure]:
    return (
        Measure(f"{key}_image_to_speech", f"{title}, image → speech", lambda report: of(report.image_to_speech)),
        Measure(f"{key}_speech_to_image", f"{title}, speech → image", lambda report: of(report.speech_to_image)),
    )


def _each(key: str, title: str, of: Callable[[OneModality], Value]) -> tuple[Measure, Measure]:
    return (
        Measure(f"{key}_image", f"{title}, images", lambda report: of(report.image)),
        Measure(f"{key}_speech", f"{title}, speech", lambda report: of(report.speech)),
    )


def _recall_at(depth: int) -> tuple[Measure, ...]:
    def measure(key: str, title: str, of: Callable[[RecallAt], Value]) -> Measure:
        def read(report: Report) -> Value:
            return of(report.pair_recall.by_depth()[depth]) if report.pair_recall else None

        return Measure(f"recall_at_{depth}_{key}", f"R@{depth} of one partner, {title}", read)

    return (
        measure("image_to_speech", "image → speech", lambda at: at.image_to_speech),
        measure("speech_to_image", "speech → image", lambda at: at.speech_to_image),
        measure("ceiling", "ceiling", lambda at: at.ceiling),
        measure("chance", "chance", lambda at: at.chance),
    )


def _of_gap(of: Callable[[ModalityGap], float | None]) -> Callable[[Report], Value]:
    return lambda report: of(report.modality_gap) if report.modality_gap else None


def p_at_1(found: Retrieval) -> Share:
    """P@1 with its interval."""
    return Share(found.p_at_1, found.p_at_1_low, found.p_at_1_high)


CONFIDENCE: Mapping[str, tuple[str, Callable[[ConfidenceMeasures], Value]]] = {
    "confidence_auroc": ("Less confident when wrong, AUROC", lambda found: found.auroc),
    "confidence_aurc": ("Area under risk and coverage (0 is best)", lambda found: found.aurc),
    "confidence_ece": ("Calibration error of the confidence", lambda found: found.ece),
    "rejected": (
        "Digits rejected as not a digit",
        lambda found: None if found.rejected is None else Share(found.rejected / found.queries, None, None),
    ),
}
"""What the confidence is worth: key to title and reader."""


def _of_confidence(of: Callable[[ConfidenceMeasures], Value]) -> Callable[[Direction], Value]:
    return lambda direction: of(direction.confidence) if direction.confidence else None


MEASURES: tuple[Measure, ...] = (
    Measure("purity", "Cluster purity", lambda report: report.purity),
    Measure("v_measure", "V-measure of the clusters (= NMI)", lambda report: report.v_measure),
    Measure("homogeneity", "Homogeneity of the clusters", lambda report: report.homogeneity),
    Measure("completeness", "Completeness of the clusters", lambda report: report.completeness),
    Measure("modality_svm", "Modality SVM, split by embedding (0.5 is best)", lambda report: report.modality_svm),
    Measure(
        "modality_svm_unseen_inputs", "Modality SVM, unseen inputs (stricter)", lambda r: r.modality_svm_unseen_inputs
    ),
    Measure("modality_gap", "Modality gap, distance of centroids", _of_gap(lambda gap: gap.distance)),
    Measure("modality_gap_share", "Modality gap, share of variance", _of_gap(lambda gap: gap.share)),
    *_both_ways("p_at_1", "P@1", lambda direction: p_at_1(direction.retrieval)),
    *_both_ways("p_at_1_samples", "P@1 by single samples", lambda direction: direction.p_at_1_samples),
    *_both_ways("p_at_5", "P@5", lambda direction: direction.retrieval.p_at_5),
    *_both_ways("p_at_10", "P@10", lambda direction: direction.retrieval.p_at_10),
    *_both_ways("map", "mAP", lambda direction: direction.retrieval.mean_average_precision),
    *_both_ways("transfer_knn", "Label transfer, k-NN", lambda direction: direction.transfer.nearest_neighbours),
    *_both_ways("transfer_linear", "Label transfer, linear", lambda direction: direction.transfer.linear),
    *_both_ways(
        "transfer_linear_20", "Label transfer, 20 labels a digit", lambda direction: direction.transfer.linear_20
    ),
    *_both_ways("transfer_linear_5", "Label transfer, 5 labels a digit", lambda direction: direction.transfer.linear_5),
    *_both_ways("transfer_linear_1", "Label transfer, 1 label a digit", lambda direction: direction.transfer.linear_1),
    Measure("recall_pairs", "Pairs for R@k", lambda report: report.pair_recall.pairs if report.pair_recall else None),
    *(measure for depth in (1, 5, 10) for measure in _recall_at(depth)),
    *_both_ways("wrong_matches", "Wrong nearest matches", lambda direction: direction.calibration.errors),
    *_both_ways("calibration_auroc", "Wider when wrong, AUROC", lambda direction: direction.calibration.auroc),
    *(measure for key, (title, of) in CONFIDENCE.items() for measure in _both_ways(key, title, _of_confidence(of))),
    *_each("mean_kl", "Mean KL from the prior (nats)", lambda modality: modality.mean_kl),
    *_each("active_dimensions", "Active dimensions", lambda modality: modality.active_dimensions),
)
"""The measures in a report that are a number or an interval, in display order."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table, as text for people and as values for programs.

    Attributes
    ----------
    caption
        Data, recipe and seeds.
    head, rows
        Cells; the first column contains titles.
    records
        Rows of the CSV: one per model, in full precision, with its setting.
    """

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    records: tuple[Mapping[str, Any], ...]

    def csv(self) -> str:
        """CSV with a line per model; the setting is in columns, and no cell is a formula."""
        text = io.StringIO()
        names = list(dict.fromkeys(name for record in self.records for name in record))
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(map(words.cell, names))
        writer.writerows([words.cell(record.get(name)) for name in names] for record in self.records)
        return text.getvalue()

    def markdown(self) -> str:
        """Markdown for GitHub and Pandoc, with the caption below."""

        def line(cells: Iterable[str]) -> str:
            return "".join(f"| {cell} " for cell in cells) + "|\n"

        def plain(cells: Iterable[str]) -> str:
            return line(map(_markdown, cells))

        rule = line(["---", *["--:"] * (len(self.head) - 1)])
        return f"{plain(self.head)}{rule}{''.join(map(plain, self.rows))}\n{_markdown(self.caption)}\n"

    def latex(self) -> str:
        """A LaTeX ``table`` with the package booktabs."""

        def line(cells: Iterable[str]) -> str:
            return " & ".join(_latex(cell) for cell in cells) + r" \\"

        return "\n".join(
            [
                r"% \usepackage{booktabs}",
                r"\begin{table}",
                r"  \centering",
                rf"  \caption{{{_latex(self.caption)}}}",
                rf"  \begin{{tabular}}{{l{'r' * (len(self.head) - 1)}}}",
                r"    \toprule",
                f"    {line(self.head)}",
                r"    \midrule",
                *(f"    {line(row)}" for row in self.rows),
                r"    \bottomrule",
                r"  \end{tabular}",
                r"\end{table}",
                "",
            ]
        )


def comparison(rows: Sequence[tuple[str, Report]]) -> Table:
    """Compare models with each other and with the paper's row of the nearest lambda_IG: one line per measure.

    ``rows`` are reports with names; raises ``ValueError`` if there is none.
    """
    if not rows:
        raise ValueError("A table needs at least one model.")
    papers = list(dict.fromkeys(report.paper for _, report in rows))
    printed = {"purity": lambda paper: paper.purity, "modality_svm": lambda paper: paper.modality_svm}
    lines = []
    for measure in MEASURES:
        known = [f"{printed[measure.key](paper):.3f}" if measure.key in printed else "" for paper in papers]
        lines.append((measure.title, *(in_words(measure.of(report)) for _, report in rows), *known))
    head = (
        "",
        *(name for name, _ in rows),
        *(f"the paper, λ_IG = {lambda_text(paper.lambda_ig)}" for paper in papers),
    )
    note = (
        " After ±: half of the 95 % interval of the resamplings. P@1: its 95 % interval is Clopper and Pearson's, as "
        f"if all queries were independent. {words.PAIR_RECALL} AUROC rests on the wrong matches. The paper: MNIST and "
        "TIDIGITS."
    )
    return Table(words.caption(rows) + note, head, tuple(lines), tuple(_record(*row) for row in rows))


def sweep(rows: Sequence[SweepRow]) -> Table:
    """Table 1 of the paper for a sweep, with the paper's values: one line per lambda_IG, over all seeds.

    Raises ``ValueError`` if there is no row.
    """
    if not rows:
        raise ValueError("A table needs at least one model.")
    rows = sorted(rows, key=lambda row: (row.lambda_ig, row.seed))
    lines = []
    for lambda_ig in dict.fromkeys(row.lambda_ig for row in rows):
        reports = [row.report for row in rows if row.lambda_ig == lambda_ig]
        paper = [f"{value:.3f}" for value in PAPER_TABLE.get(lambda_ig, ())] or ["", ""]
        measured = (
            [report.purity.mean for report in reports],
            [report.modality_svm.mean for report in reports],
            *([report.direction(query).retrieval.p_at_1 for report in reports] for query in Modality),
        )
        lines.append((lambda_text(lambda_ig), f"{len(reports)}", *map(_spread, measured), *paper))
    head = ("λ_IG", "Seeds", "Purity", "Modality SVM", "P@1 image → speech", "P@1 speech → image")
    several = any(line[1] != "1" for line in lines)
    note = " Mean of the seeds, with minimum and maximum." if several else ""
    caption = words.sweep_caption([row.report for row in rows], (row.seed for row in rows))
    return Table(
        f"{caption}{note} The paper: MNIST and TIDIGITS.",
        (*head, "the paper: purity", "the paper: SVM"),
        tuple(lines),
        tuple(_record(f"λ_IG = {lambda_text(row.lambda_ig)}, seed {row.seed}", row.report) for row in rows),
    )


def systems(rows: Sequence[ComparisonRow]) -> Table:
    """The systems of a comparison: one line per system, over all seeds; raises ``ValueError`` if there is no row."""
    if not rows:
        raise ValueError("A table needs at least one model.")
    columns: Mapping[str, Callable[[ComparisonRow], float | None]] = {
        "Purity": lambda row: row.report.purity.mean,
        "Modality SVM": lambda row: row.report.modality_svm.mean,
        "Modality gap": lambda row: row.report.modality_gap.share if row.report.modality_gap else None,
        "P@1 image → speech": lambda row: row.report.image_to_speech.retrieval.p_at_1,
        "P@1 speech → image": lambda row: row.report.speech_to_image.retrieval.p_at_1,
        "1 label image → speech": lambda row: _mean_of(row.report.image_to_speech.transfer.linear_1),
        "1 label speech → image": lambda row: _mean_of(row.report.speech_to_image.transfer.linear_1),
    }
    lines = []
    for system in dict.fromkeys(row.system for row in rows):
        same = [row for row in rows if row.system == system]
        figures = [[value for row in same if (value := of(row)) is not None] for of in columns.values()]
        minutes = sum(row.seconds for row in same) / len(same) / 60
        cost = (f"{minutes:.1f}", f"{same[0].parameters / 1e6:.1f}")
        lines.append((system, f"{len(same)}", *(_spread(each) if each else "–" for each in figures), *cost))
    note = " Mean of the seeds, with minimum and maximum." if any(line[1] != "1" for line in lines) else ""
    caption = words.sweep_caption([row.report for row in rows], (row.seed for row in rows))
    return Table(
        f"{caption}{note} Modality gap: share of the variance between the centroids. 1 label: a linear classifier with "
        "one label a digit in one modality, tested in the other. Minutes: of training, on this machine.",
        ("System", "Seeds", *columns, "Minutes", "Million weights"),
        tuple(lines),
        tuple(
            _record(f"{row.system}, seed {row.seed}", row.report)
            | {"seconds": row.seconds, "parameters": row.parameters}
            for row in rows
        ),
    )


def of_results(results: SweepResults | ComparisonResults) -> Table:
    """The table of a sweep or of a comparison."""
    return sweep(results.rows) if isinstance(results, SweepResults) else systems(results.rows)


def save(table: Table, path: Path) -> None:
    """Write a table as CSV, Markdown or LaTeX, by the path's suffix.

    Raises ``ValueError`` if the suffix is another one, and ``OSError``.
    """
    text = {"csv": table.csv, "md": table.markdown, "tex": table.latex}[words.suffix_in(FORMATS, path, "A table is")]
    write_bytes_atomically(path, text().encode(errors="replace"))


def in_words(value: Value) -> str:
    """A value for people; a dash if it is unknown.

    ``"0.989 ± 0.002"`` (mean and half of the 95 % interval), ``"0.997 (0.982–1.000)"``, ``"0.984"`` or ``"17"``.
    """
    if value is None:
        return "–"
    if isinstance(value, Interval):
        half = f" ± {(value.high - value.low) / 2:.3f}" if len(value.values) > 1 else ""
        return f"{value.mean:.3f}{half}"
    if isinstance(value, Share):
        interval = "" if value.low is None else f" ({value.low:.3f}–{value.high:.3f})"
        return f"{value.value:.3f}{interval}"
    if isinstance(value, int):
        return str(value)
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def _mean_of(interval: Interval | None) -> float | None:
    return interval.mean if interval else None


def _spread(values: Sequence[float]) -> str:
    """``"0.989 (0.987–0.991)"``."""
    mean = f"{sum(values) / len(values):.3f}"
    return mean if len(values) == 1 else f"{mean} ({min(values):.3f}–{max(values):.3f})"


def _record(name: str, report: Report) -> dict[str, Any]:
    setting = {key: value for key, value in report.setting.items() if isinstance(value, str | int | float)}
    setting["trained_on"] = words.trained_on(report.setting)
    record: dict[str, Any] = {"model": name, **setting}
    for measure in MEASURES:
        value = measure.of(report)
        if isinstance(value, Interval):
            record |= {measure.key: value.mean, f"{measure.key}_low": value.low, f"{measure.key}_high": value.high}
        elif isinstance(value, Share):
            record |= {measure.key: value.value, f"{measure.key}_low": value.low, f"{measure.key}_high": value.high}
        else:
            record[measure.key] = value
    paper = report.paper
    return record | {
        "paper_lambda_ig": paper.lambda_ig,
        "paper_purity": paper.purity,
        "paper_modality_svm": paper.modality_svm,
    }


# Markup of GitHub's and Pandoc's Markdown. Within a word, as in λ_IG, an underscore is not markup.
_MARKUP = re.compile(r"[\\`*\[\]<>|~$]|&(?=#?\w+;)|(?<!\w)_|_(?!\w)")


def _markdown(text: str) -> str:
    """Escape text for Markdown, in one line."""
    return _MARKUP.sub(r"\\\g<0>", words.one_line(text))


_LATEX = {
    "λ_IG": r"$\lambda_\mathrm{IG}$",
    "→": r"$\rightarrow$",
    "±": r"$\pm$",
    "–": "--",
    "λ": r"$\lambda$",
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}
_SPECIAL = re.compile("|".join(map(re.escape, _LATEX)))  # longer ones first, as in the dictionary


def _latex(text: str) -> str:
    """Escape text for LaTeX, in one line."""
    return _SPECIAL.sub(lambda match: _LATEX[match[0]], words.one_line(text))
