"""Recognition in noise as a figure, and in all conditions as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from model.data.conditions import NOISE_LEVELS, NOISES
from model.evaluation.robustness import Recognition, Robustness
from model.export.drawing import MUTED, blank, styled
from model.export.tables import Table
from model.palette import DIGITS_ON_LIGHT, NOISE_COLOURS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CLEAN = NOISE_LEVELS[0] + 5  # place of what has no noise on the axis of decibels
_CHANCE = 0.1
_INTERVALS = "95 % intervals by Clopper and Pearson"

Rows = Sequence[tuple[str, Robustness]]
"""Models with their names; at least one."""


def noise(rows: Rows) -> Figure:
    """Share of recognised utterances against the signal-to-noise ratio, with intervals: a panel for each model."""
    with styled():
        figure = blank(6.0, 3.7 * len(rows))
        for axes, (name, found) in zip(figure.subplots(len(rows), 1, squeeze=False)[:, 0], rows, strict=True):
            axes.set_title(name.replace("$", r"\$"))
            axes.axhline(_CHANCE, color=MUTED, linestyle=":", linewidth=1, label="chance")
            for kind, title in NOISES.items():
                results = (*found.of_kind("clean"), *found.of_kind(kind))
                places = [_CLEAN if one.level is None else one.level for one in results]
                colour = DIGITS_ON_LIGHT[NOISE_COLOURS[kind]]
                axes.fill_between(
                    places, [one.low for one in results], [one.high for one in results],
                    color=colour, alpha=0.15, linewidth=0,
                )  # fmt: skip
                axes.plot(places, [one.share for one in results], color=colour, label=title, marker="o", markersize=3.5)
            axes.set_xticks([_CLEAN, *NOISE_LEVELS], ["none", *(f"{level:g}" for level in NOISE_LEVELS)])
            axes.invert_xaxis()
            axes.set_ylim(0, 1.02)
            axes.set_xlabel(f"signal-to-noise ratio in dB\n{found.setting};\n{_INTERVALS}")
            axes.set_ylabel("recognised")
            axes.legend(loc="lower left", bbox_to_anchor=(0, 0.12))
    return figure


def conditions(rows: Rows) -> Table:
    """A line for each condition, a column for each model."""
    names = tuple(name for name, _ in rows)
    lines = tuple(
        (results[0].title, *map(_in_words, results))
        for results in zip(*(found.results for _, found in rows), strict=True)
    )
    caption = f"Share of recognised utterances with {_INTERVALS}. " + " ".join(
        f"{name}: {found.setting}." for name, found in rows
    )
    records = tuple(
        {
            "model": name, "corpus": found.corpus, "split": found.split, "utterances": found.utterances,
            "condition": one.name, "kind": one.kind, "level": one.level, "right": one.right, "count": one.count,
            "undetected": one.undetected, "share": one.share, "low": one.low, "high": one.high,
        }
        for name, found in rows
        for one in found.results
    )  # fmt: skip
    return Table(caption, ("", *names), lines, records)


def _in_words(one: Recognition) -> str:
    return f"{one.share:.3f} ({one.low:.3f} to {one.high:.3f})"
