"""The paper's figures for any models, confusion matrices, and training curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from model.evaluation.paper import PAPER_TABLE
from model.evaluation.report import Report
from model.evaluation.sweep_results import SweepRow
from model.export.drawing import (
    FAINT,
    GROUND,
    INFORMATION,
    INK,
    MODALITY_GAP,
    MODALITY_SVM,
    MUTED,
    ON_FILL,
    P_AT_1,
    PURITY,
    blank,
    no_ticks,
    styled,
)
from model.export.words import one_line
from model.objectives.optimum import optimal_information
from model.palette import DIGITS_ON_LIGHT, RUNS
from model.runs.values import ESTIMATES
from model.systems import charted_terms
from model.types import Modality

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.lines import Line2D

    from model.evaluation.store import Evaluation
    from model.runs.store import RunRecord

LAMBDA = r"$\lambda_\mathrm{IG}$"

_ZERO = 1e-6  # position of lambda_IG = 0 on a logarithmic axis
_MARKERS = {Modality.IMAGE: "o", Modality.SPEECH: "^"}
_HEADROOM = 0.03  # above the upper limit of a value

_Style = Literal["-", "--", ":"]  # of lines


def figure2(rows: Sequence[tuple[str, Evaluation]]) -> Figure:
    """Figure 2: maps of embeddings of both modalities, coloured by digit: images, speech, and both in one.

    All three panels of a row show one t-SNE of both modalities; ``rows`` are models with names. Raises ``ValueError``
    if there is none.
    """
    if not rows:
        raise ValueError("Figure 2 needs at least one model.")
    with styled():
        figure = blank(7.8, 2.85 * len(rows) + 0.35)
        strips = figure.subfigures(len(rows), 1, squeeze=False)[:, 0]
        for strip, (name, evaluation) in zip(strips, rows, strict=True):
            _map_row(strip, name, evaluation)
        figure.legend(
            handles=[*_digit_handles(), *_modality_handles()], loc="outside lower center", ncols=12,
            handletextpad=0.1, columnspacing=1.1, borderpad=0.1,
        )  # fmt: skip
    return figure


def _typeset(name: str) -> str:
    """A name for Matplotlib: lambda_IG becomes a formula, dollar signs are escaped."""
    return one_line(name).replace("$", r"\$").replace("λ_IG", LAMBDA)


def _map_row(strip: SubFigure, name: str, evaluation: Evaluation) -> None:
    coordinates, places = evaluation.figure2()
    labels = np.array([item.label for item in evaluation.items()])[places]
    speech = places >= evaluation.image_count
    report = evaluation.report
    strip.suptitle(
        f"{_typeset(name)}:  purity {report.purity.mean:.3f}, modality SVM {report.modality_svm.mean:.3f}",
        x=0.008, ha="left", fontsize=9.5,
    )  # fmt: skip
    low, high = coordinates.min(axis=0), coordinates.max(axis=0)
    centre, reach = (low + high) / 2, 0.54 * float((high - low).max())
    shown = {"Images": ~speech, "Speech": speech, "Both": np.ones(len(places), bool)}
    for axes, (title, chosen) in zip(strip.subplots(1, 3), shown.items(), strict=True):
        no_ticks(axes)
        axes.set(aspect="equal", xlim=centre[0] + [-reach, reach], ylim=centre[1] + [-reach, reach])
        axes.set_title(title, fontsize=8.5, color=MUTED, pad=3)
        for modality, of_modality in ((Modality.IMAGE, ~speech), (Modality.SPEECH, speech)):
            _points(axes, coordinates[chosen & of_modality], labels[chosen & of_modality], modality)


def _points(axes: Axes, at: npt.NDArray[np.floating], labels: npt.NDArray[np.integer], modality: Modality) -> None:
    axes.scatter(
        at[:, 0], at[:, 1], s=11, marker=_MARKERS[modality], c=[DIGITS_ON_LIGHT[label] for label in labels],
        linewidth=0, alpha=0.85,
    )  # fmt: skip


def _digit_handles() -> list[Line2D]:
    from matplotlib.lines import Line2D

    return [
        Line2D([], [], linestyle="", marker="s", markersize=6, markeredgewidth=0, color=colour, label=str(digit))
        for digit, colour in enumerate(DIGITS_ON_LIGHT)
    ]


def _modality_handles() -> list[Line2D]:
    from matplotlib.lines import Line2D

    return [
        Line2D([], [], linestyle="", marker=marker, markersize=4.5, markeredgewidth=0, color=MUTED, label=f"{modality}")
        for modality, marker in _MARKERS.items()
    ]


def figure3(rows: Sequence[SweepRow]) -> Figure:
    """Figure 3: purity and modality SVM against lambda_IG, with the paper's curves behind; below, gap, P@1 and KL.

    Dots are models, in any order; lines and bands are mean, minimum and maximum over the seeds of one lambda_IG. The
    panels below are not the paper's. The modality gap is that of the means of all test inputs, as in reports; for
    sweeps of earlier versions, whose reports lack it, that of the sweep's sampled embeddings
    (`SweepRow.sampled`), where there are any, as the legend says. At the bottom is the information gain, with
    the theoretical optimum of :func:`model.objectives.optimum.optimum`. Raises ``ValueError`` if there are no models.
    """
    from matplotlib.lines import Line2D

    if not rows:
        raise ValueError("Figure 3 needs at least one model.")
    with styled():
        figure = blank(6.4, 9.6)
        axes, below, lowest = figure.subplots(3, 1, height_ratios=(1, 0.8, 0.7))
        for panel in (axes, below, lowest):
            panel.set(xscale="log", ylim=(0, 1.04), xlabel=LAMBDA)
            panel.grid(axis="y")
            _lambda_ticks(panel, [row.lambda_ig for row in rows])
        axes.axhline(0.5, color=MUTED, linewidth=0.8, linestyle=(0, (1, 2)), zorder=1)
        paper = sorted(PAPER_TABLE)
        for colour, place, values_of in ((PURITY, 0, _purity), (MODALITY_SVM, 1, _modality_svm)):
            axes.plot(
                [_place(lambda_ig) for lambda_ig in paper],
                [PAPER_TABLE[lambda_ig][place] for lambda_ig in paper],
                color=colour, alpha=0.55, linewidth=1.3, linestyle=(0, (4, 2)), marker="o", markersize=3.5,
                markerfacecolor=GROUND, zorder=2,
            )  # fmt: skip
            _measured(axes, [(row.lambda_ig, values_of(row)) for row in rows], colour)
        _gap_and_p_at_1(below, rows)
        _information(lowest, rows)
        counts = {sum(row.lambda_ig == lambda_ig for row in rows) for lambda_ig in {row.lambda_ig for row in rows}}
        seeds = f"{'' if len(counts) == 1 else 'up to '}{max(counts)} seeds"
        axes.legend(
            handles=[
                Line2D([], [], color=PURITY, label="Cluster purity"),
                Line2D([], [], color=MODALITY_SVM, label="Modality SVM accuracy"),
                Line2D([], [], color=INK, marker="o", markersize=3.8,
                       label="measured here" + (f", mean and range of {seeds}" if max(counts) > 1 else "")),
                Line2D([], [], color=INK, alpha=0.55, linewidth=1.3, linestyle=(0, (4, 2)), marker="o", markersize=3.5,
                       markerfacecolor=GROUND, label="the paper, MNIST and TIDIGITS"),
                Line2D([], [], color=MUTED, linewidth=0.8, linestyle=(0, (1, 2)), label="SVM by chance"),
            ],
            loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, borderaxespad=0.2, columnspacing=1,
        )  # fmt: skip
    return figure


def _gap_and_p_at_1(axes: Axes, rows: Sequence[SweepRow]) -> None:
    """The second panel: closing the modality gap, and what becomes of retrieval."""
    from matplotlib.lines import Line2D

    gaps = [(row.lambda_ig, row.report.modality_gap.share) for row in rows if row.report.modality_gap]
    of_what = "means"
    if len(gaps) < len(rows):  # of earlier versions: all by one definition, or none
        gaps = [(row.lambda_ig, row.sampled.gap) for row in rows if row.sampled]
        of_what = "single samples, one model each"
    known = [(lambda_ig, share) for lambda_ig, share in gaps if share is not None]
    if known:
        _measured(axes, known, MODALITY_GAP)
    sampled = [(row.lambda_ig, share) for row in rows if (share := row.p_at_1_samples) is not None]
    styles: dict[Modality, _Style] = {Modality.IMAGE: "-", Modality.SPEECH: "--"}
    for query, style in styles.items():
        found = [(row.lambda_ig, row.report.direction(query).retrieval.p_at_1) for row in rows]
        _measured(axes, found, P_AT_1, style)
    by_samples = []
    if sampled:
        _measured(axes, sampled, P_AT_1, ":")
        by_samples.append(Line2D([], [], color=P_AT_1, linestyle=":", label="P@1 by single samples, both directions"))
    title = f"Modality gap, share of the variance of {of_what}" if known else "Modality gap: not measured in this sweep"
    axes.legend(
        handles=[
            Line2D([], [], color=MODALITY_GAP, linestyle="-" if known else "", label=title),
            Line2D([], [], color=P_AT_1, label="P@1 by means, image to speech"),
            Line2D([], [], color=P_AT_1, linestyle=styles[Modality.SPEECH], label="P@1 by means, speech to image"),
            *by_samples,
        ],
        loc="lower left", bbox_to_anchor=(0, 1.0), borderaxespad=0.2,
    )  # fmt: skip


def _information(axes: Axes, rows: Sequence[SweepRow]) -> None:
    """The third panel: the information that posteriors keep, and how much the objective wants them to keep."""
    from matplotlib.lines import Line2D

    wanted = optimal_information(max(1.0, *(row.lambda_ig for row in rows)))
    axes.plot(*zip(*wanted, strict=True), color=INK, linestyle=(0, (4, 2)), zorder=2)
    both = ((row.lambda_ig, row.report.image.mean_kl, row.report.speech.mean_kl) for row in rows)
    found = [(lambda_ig, (image + speech) / 2) for lambda_ig, image, speech in both if image and speech]
    if found:
        _measured(axes, found, INFORMATION)
    axes.set(yscale="log", ylim=(0.1, 500), yticks=[0.1, 1, 10, 100], yticklabels=["0.1", "1", "10", "100"])
    axes.minorticks_off()
    axes.legend(
        handles=[
            Line2D([], [], color=INFORMATION, label="Information gain: nats from the prior, mean of both modalities"),
            Line2D([], [], color=INK, linestyle=(0, (4, 2)),
                   label="what the objective wants: the optimum for ten equal clusters"),
        ],
        loc="lower left", bbox_to_anchor=(0, 1.0), borderaxespad=0.2,
    )  # fmt: skip


def _measured(axes: Axes, found: Sequence[tuple[float, float]], colour: str, style: _Style = "-") -> None:
    """A dot for every model, ``(lambda_IG, value)``; a line through the means of seeds and a band of their range."""
    lambdas = sorted({lambda_ig for lambda_ig, _ in found})
    by_lambda = [[value for at, value in found if at == lambda_ig] for lambda_ig in lambdas]
    x = [_place(lambda_ig) for lambda_ig in lambdas]
    axes.fill_between(
        x, [min(values) for values in by_lambda], [max(values) for values in by_lambda],
        color=colour, alpha=0.16, linewidth=0, zorder=3,
    )  # fmt: skip
    axes.plot(x, [float(np.mean(values)) for values in by_lambda], color=colour, linestyle=style, zorder=4)
    axes.scatter(
        np.repeat(x, [len(values) for values in by_lambda]), np.concatenate(by_lambda), s=15, color=colour, linewidth=0,
        zorder=5,
    )  # fmt: skip


def _purity(row: SweepRow) -> float:
    return row.report.purity.mean


def _modality_svm(row: SweepRow) -> float:
    return row.report.modality_svm.mean


def _place(lambda_ig: float) -> float:
    """Position on a logarithmic axis of a value that may be 0."""
    return max(lambda_ig, _ZERO)


def _lambda_ticks(axes: Axes, swept: Sequence[float]) -> None:
    """Label the decades and 0, with a break of the axis between them."""
    highest = max([1.0, *swept])
    powers = range(-5, int(np.ceil(np.log10(highest))) + 1)
    axes.set_xlim(_ZERO / 1.8, highest * 1.8)
    axes.set_xticks([_ZERO, *(10.0**power for power in powers)])
    axes.set_xticklabels(["0", *(f"$10^{{{power}}}$" if power else "1" for power in powers)])
    axes.minorticks_off()
    for at in (2.6e-6, 3.2e-6):
        axes.plot(
            [at / 1.12, at * 1.12], [-0.018, 0.018], color=MUTED, linewidth=0.8, clip_on=False,
            transform=axes.get_xaxis_transform(),
        )  # fmt: skip


def confusions(report: Report) -> Figure:
    """Confusion matrices of both directions: counts of queries by their digit and that of the nearest match."""
    with styled():
        figure = blank(8.6, 4.5, gap=0.08)
        for axes, query in zip(figure.subplots(1, 2), Modality, strict=True):
            _confusion(axes, report, query)
    return figure


def _confusion(axes: Axes, report: Report, query: Modality) -> None:
    from matplotlib.patches import Rectangle

    direction = report.direction(query)
    counts = np.array(direction.confusion)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    for (row, column), share in np.ndenumerate(shares):
        if not counts[row, column]:
            continue
        wrong = row != column
        # The square root makes rare mistakes visible.
        axes.add_patch(
            Rectangle(
                (column - 0.5, row - 0.5), 1, 1, linewidth=0, facecolor=MODALITY_SVM if wrong else PURITY,
                alpha=float(0.12 + 0.88 * np.sqrt(share)),
            )
        )  # fmt: skip
        axes.text(
            column, row, f"{counts[row, column]}", ha="center", va="center", fontsize=7.5,
            color=ON_FILL if share > 0.25 else INK,
        )  # fmt: skip
    words = {Modality.IMAGE: "image", Modality.SPEECH: "utterance"}
    axes.set(
        xlim=(-0.5, 9.5), ylim=(9.5, -0.5), aspect="equal", xticks=range(10), yticks=range(10),
        xlabel=f"Digit of the nearest {words[query.other]}", ylabel=f"Digit of the query {words[query]}",
    )  # fmt: skip
    name = "Image to speech" if query is Modality.IMAGE else "Speech to image"
    axes.set_title(f"{name}: {direction.retrieval.p_at_1:.1%} right")
    axes.tick_params(length=0)
    for line in np.arange(0.5, 9):
        axes.axhline(line, color=FAINT, linewidth=0.5, zorder=0)
        axes.axvline(line, color=FAINT, linewidth=0.5, zorder=0)
    for spine in axes.spines.values():
        spine.set(visible=True, color=FAINT)


def curves(records: Sequence[RunRecord]) -> Figure:
    """Loss terms and quick estimates of runs, finished or not, against their steps.

    A run without points is in the legend only. Raises ``ValueError`` if there is no run.
    """
    from matplotlib.lines import Line2D
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

    if not records:
        raise ValueError("Curves need at least one run.")
    with styled():
        figure = blank(9.2, 4.6 + 0.2 * len(records))
        colours = [DIGITS_ON_LIGHT[RUNS[place % len(RUNS)]] for place in range(len(records))]
        infos = [record.info() for record in records]
        runs = [(info.name, record.points()) for info, record in zip(infos, records, strict=True)]
        losses = charted_terms(info.plan.recipe.system for info in infos)
        terms = [(term, "") for term in losses] + [(term, ", quick estimate") for term in ESTIMATES]
        columns = len(ESTIMATES)
        panels = figure.subplots(-(-len(terms) // columns), columns, sharex=True)
        for axes in panels.flat[len(terms) :]:
            axes.set_visible(False)
        for axes, (term, kind) in zip(panels.flat, terms, strict=False):
            name = term.name
            axes.set_title(f"{term.label}{kind}", fontsize=9)
            axes.grid(axis="y")
            if term.span:
                axes.set_ylim(term.span[0], term.span[1] + _HEADROOM)
            else:
                axes.set_yscale("log")
                axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
                axes.yaxis.set_minor_locator(NullLocator())
                axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
            axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
            for colour, (_, points) in zip(colours, runs, strict=True):
                known = [(point.step, point.values[name]) for point in points if name in point.values]
                axes.plot(*np.array(known, float).reshape(-1, 2).T, color=colour, linewidth=1.4)
        for axes in panels[-1]:
            axes.set_xlabel("Step")
        figure.legend(
            handles=[
                Line2D([], [], color=colour, label=_typeset(name))
                for colour, (name, _) in zip(colours, runs, strict=True)
            ],
            loc="outside lower left", ncols=1 if len(records) < 4 else 2,
        )  # fmt: skip
    return figure
