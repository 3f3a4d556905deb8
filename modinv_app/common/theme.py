"""Colours for light and dark themes: of the window, of digits and runs, of spectrograms."""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication, QPaintDevice, QPainter, QPalette

from model.palette import DIGITS_ON_DARK, DIGITS_ON_LIGHT, RUNS

Scheme = Literal["system", "light", "dark"]

_SCHEMES = {
    "system": Qt.ColorScheme.Unknown,
    "light": Qt.ColorScheme.Light,
    "dark": Qt.ColorScheme.Dark,
}


def apply_scheme(scheme: Scheme) -> None:
    """Follow the system's light or dark mode, or force one of the two for the whole application."""
    QGuiApplication.setPalette(QPalette())  # the platform's own
    QGuiApplication.styleHints().setColorScheme(_SCHEMES[scheme])
    palette = QPalette()
    # Where the platform has no theme (bare X11), setColorScheme changes nothing: use our own colours.
    if scheme != "system" and is_dark(QGuiApplication.palette()) != (scheme == "dark"):
        palette = _palette(scheme)
        QGuiApplication.setPalette(palette)
    # Qt's own colour for this role is half transparent and hard to read. Roles that are not set stay the platform's.
    palette.setColor(QPalette.ColorRole.PlaceholderText, muted_text(QGuiApplication.palette()))
    QGuiApplication.setPalette(palette)


def _palette(scheme: Literal["light", "dark"]) -> QPalette:
    dark = scheme == "dark"
    palette = QPalette(QColor("#34363a" if dark else "#efefef"), QColor("#26282b" if dark else "#f4f4f5"))
    palette.setColor(QPalette.ColorRole.Base, QColor("#1c1d20" if dark else "#ffffff"))
    palette.setColor(QPalette.ColorRole.AlternateBase, QColor("#222427" if dark else "#f7f7f8"))
    palette.setColor(QPalette.ColorRole.Highlight, QColor("#3d8fd1" if dark else "#2f7fc1"))
    palette.setColor(QPalette.ColorRole.Accent, QColor("#3d8fd1" if dark else "#2f7fc1"))
    palette.setColor(QPalette.ColorRole.HighlightedText, QColor("#ffffff"))
    palette.setColor(QPalette.ColorRole.ToolTipBase, QColor("#34363a" if dark else "#ffffff"))
    palette.setColor(QPalette.ColorRole.ToolTipText, QColor("#e6e6e6" if dark else "#1b1b1b"))
    return palette


def is_dark(palette: QPalette) -> bool:
    """Whether a widget with this palette has a dark background."""
    return palette.color(QPalette.ColorRole.Window).lightness() < 128


def digit_colour(digit: int, dark: bool) -> QColor:
    """The colour of a digit, 0 to 9, on a light or dark background."""
    return QColor((DIGITS_ON_DARK if dark else DIGITS_ON_LIGHT)[digit])


def run_colour(place: int, dark: bool) -> QColor:
    """The colour of a compared run by its position; the eleventh has the colour of the first."""
    return digit_colour(RUNS[place % len(RUNS)], dark)


def muted_text(palette: QPalette) -> QColor:
    """The colour of secondary text, still readable on the window's background."""
    return blend(palette.color(QPalette.ColorRole.WindowText), palette.color(QPalette.ColorRole.Window), 0.62)


def accent(palette: QPalette) -> QColor:
    """The colour of what is selected or active."""
    return palette.color(QPalette.ColorRole.Accent)


def warning_colour(dark: bool) -> QColor:
    """The colour of warnings, on a light or dark background."""
    return QColor("#ffb454" if dark else "#a34700")


def with_alpha(colour: QColor, opacity: float) -> QColor:
    """The colour with another opacity, 0 to 1."""
    changed = QColor(colour)
    changed.setAlphaF(opacity)
    return changed


def heat_colour(dark: bool) -> QColor:
    """The colour of what a match is based on, on a light or dark background."""
    return QColor("#ff922b" if dark else "#e8590c")


def antialiased(device: QPaintDevice) -> QPainter:
    """A painter that smooths edges."""
    painter = QPainter(device)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    return painter


def blend(over: QColor, under: QColor, share: float) -> QColor:
    """A mixture of two colours: ``share`` of the first, the rest of the second."""
    return QColor.fromRgbF(
        share * over.redF() + (1 - share) * under.redF(),
        share * over.greenF() + (1 - share) * under.greenF(),
        share * over.blueF() + (1 - share) * under.blueF(),
    )


# Ten steps of Matplotlib's "magma" (CC0), in even steps of lightness, so that it is readable in grey.
_MAGMA = (
    "#000004", "#180f3e", "#451077", "#721f81", "#9f2f7f",
    "#cd4071", "#f1605d", "#fd9567", "#fec98d", "#fcfdbf",
)  # fmt: skip


@cache
def spectrogram_colours() -> npt.NDArray[np.uint8]:
    """The colour map of spectrograms from low to high energy, ``(256, 3)`` RGB; the same in every theme."""
    steps = np.array([[colour.red(), colour.green(), colour.blue()] for colour in map(QColor, _MAGMA)])
    at, places = np.linspace(0, 1, 256), np.linspace(0, 1, len(steps))
    colours = np.rint([np.interp(at, places, channel) for channel in steps.T]).astype(np.uint8).T
    colours.flags.writeable = False  # one table is shared by all
    return colours
