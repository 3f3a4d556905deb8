"""Style and file formats of exported figures, for paper and for pages with a light and a dark theme.

Uses Matplotlib without pyplot, and so without global state.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model.checkpoints import write_bytes_atomically
from model.export.words import suffix_in
from model.palette import DIGITS_ON_DARK, DIGITS_ON_LIGHT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GROUND, INK, MUTED, FAINT = "#ffffff", "#1b1b1b", "#62666b", "#d9dbde"
ON_FILL = "#fdfdfd"
"""Text on a filled area, which is dark in every theme."""

PURITY, MODALITY_SVM = DIGITS_ON_LIGHT[6], DIGITS_ON_LIGHT[5]
"""Colours of the two measures in Figure 3."""

MODALITY_GAP, P_AT_1, INFORMATION = DIGITS_ON_LIGHT[4], DIGITS_ON_LIGHT[1], DIGITS_ON_LIGHT[2]
"""Those of its second panel."""

FORMATS = ("png", "svg", "pdf")

_DARK = {GROUND: "#1c1d20", INK: "#e6e6e6", MUTED: "#a2a6ab", FAINT: "#3d4045"}
_NAMES = {GROUND: "ground", INK: "ink", MUTED: "muted", FAINT: "faint"} | {
    colour: f"digit-{digit}" for digit, colour in enumerate(DIGITS_ON_LIGHT)
}

_FONT = "DejaVu Sans"
_STYLE = {
    "font.family": _FONT,  # comes with matplotlib
    "font.size": 9,
    "figure.facecolor": GROUND,
    "axes.facecolor": "none",
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "grid.color": FAINT,
    "grid.linewidth": 0.8,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.8,
    "svg.fonttype": "none",  # text stays text, for search and editing
    "svg.hashsalt": "modinv",  # reproducible files
    "pdf.fonttype": 42,
}


@contextmanager
def styled() -> Iterator[None]:
    """Apply our style within the context, regardless of the user's matplotlibrc."""
    from matplotlib import style

    with style.context(["default", _STYLE]):
        yield


def blank(width: float, height: float, gap: float = 0.02) -> Figure:
    """An empty figure with constrained layout; size in inches.

    ``gap`` is the minimum space between panels, as a share of their width.
    """
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    return Figure(figsize=(width, height), layout=ConstrainedLayoutEngine(wspace=gap, hspace=gap))


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG (200 dots an inch), SVG or PDF, by the path's suffix.

    Raises ``ValueError`` if the suffix is another one, and ``OSError``.
    """
    write_bytes_atomically(path, _bytes(figure, suffix_in(FORMATS, path, "A figure is")))


def inline_svg(figure: Figure, name: str) -> str:
    """A figure as an ``<svg>`` element with an accessible name, for a page with the :func:`page_colours`."""
    text = _bytes(figure, "svg", transparent=True).decode()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    # A page contains several figures: only referenced elements keep their ids, which are hashes of their content.
    text = re.sub(r' id="([^"]+)"', lambda match: match[0] if f"#{match[1]}" in text else "", text)
    # The page determines the width, the figure its aspect ratio.
    label = f' role="img" aria-label="{escape(name)}"'
    text = re.sub(r' width="[\d.]+pt" height="[\d.]+pt"', lambda _: label, text, count=1)
    for colour, variable in _NAMES.items():
        text = text.replace(f": {colour}", f": var(--{variable})")
    return text.strip()


def page_colours() -> Mapping[str, Mapping[str, str]]:
    """The colours of a page by name, for the themes ``"light"`` and ``"dark"``."""
    dark = {**_DARK, **dict(zip(DIGITS_ON_LIGHT, DIGITS_ON_DARK, strict=True))}
    return {
        "light": {name: colour for colour, name in _NAMES.items()},
        "dark": {name: dark[colour] for colour, name in _NAMES.items()},
    }


def no_ticks(axes: Axes) -> None:
    """Draw a frame without ticks, as coordinates in a map have no unit."""
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(visible=True, color=FAINT)


def _bytes(figure: Figure, kind: str, **options: Any) -> bytes:
    # Without a date, so that files are reproducible.
    metadata: dict[str, Any] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind, {})
    content = io.BytesIO()
    with styled():
        figure.savefig(content, format=kind, dpi=200, metadata=metadata, **options)
    if kind == "svg":  # fall back to Verdana, which has the same widths
        return content.getvalue().replace(f"'{_FONT}'".encode(), f"'{_FONT}', Verdana, sans-serif".encode())
    return content.getvalue()
