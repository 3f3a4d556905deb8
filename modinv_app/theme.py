"""Colours, in light and dark: which scheme is in force, and the ten colours of the digits."""

from __future__ import annotations

from typing import Literal

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
