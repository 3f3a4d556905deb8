"""Colours, in light and dark: which scheme is in force, the ten colours of the digits, and those of sound."""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication, QPalette

Scheme = Literal["system", "light", "dark"]

_SCHEMES = {
    "system": Qt.ColorScheme.Unknown,
    "light": Qt.ColorScheme.Light,
    "dark": Qt.ColorScheme.Dark,
}


def apply_scheme(scheme: Scheme) -> None:
    """Follow the system's light or dark mode, or force one of the two for the whole application."""
    QGuiApplication.styleHints().setColorScheme(_SCHEMES[scheme])


def is_dark(palette: QPalette) -> bool:
    """Whether a widget with this palette lies on a dark ground."""
    return palette.color(QPalette.ColorRole.Window).lightness() < 128


# Ten colours that stay apart under the common colour-vision deficiencies as far as ten can.
_DIGITS_ON_LIGHT = (
    "#4477aa", "#ee6677", "#228833", "#b8960c", "#66ccee",
    "#aa3377", "#777777", "#e07b00", "#332288", "#44aa99",
)  # fmt: skip
_DIGITS_ON_DARK = _DIGITS_ON_LIGHT


def digit_colour(digit: int, dark: bool) -> QColor:
    """The colour of a digit, 0 to 9, on a light or a dark ground."""
    return QColor((_DIGITS_ON_DARK if dark else _DIGITS_ON_LIGHT)[digit])


# Ten steps of Matplotlib's "magma" (CC0): dark to bright in even steps of lightness: it reads in grey.
_MAGMA = (
    "#000004", "#180f3e", "#451077", "#721f81", "#9f2f7f",
    "#cd4071", "#f1605d", "#fd9567", "#fec98d", "#fcfdbf",
)  # fmt: skip


@cache
def spectrogram_colours() -> npt.NDArray[np.uint8]:
    """The colours of energy in a spectrogram, silence first, ``(256, 3)`` RGB; the same in every theme."""
    steps = np.array([[colour.red(), colour.green(), colour.blue()] for colour in map(QColor, _MAGMA)])
    at, places = np.linspace(0, 1, 256), np.linspace(0, 1, len(steps))
    colours = np.rint([np.interp(at, places, channel) for channel in steps.T]).astype(np.uint8).T
    colours.flags.writeable = False  # one table is shared by all
    return colours
