"""Ten colours that colour-blind people can tell apart as well as ten can be, on light and dark grounds."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import pytest
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from modinv_app.common.theme import (
    Scheme,
    accent,
    apply_scheme,
    digit_colour,
    is_dark,
    muted_text,
    spectrogram_colours,
    warning_colour,
)

# Machado, Oliveira & Fernandes 2009, severity 1.0, on linear RGB.
VISION = {
    "common": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
# CIE Lab distance (CIE76) of the two most similar of ten; about 2.3 is the least that anybody sees side by side.
# Reached, in this order: 32.7, 20.1, 20.1, 21.0 on light and 33.2, 18.8, 18.9, 18.6 on dark grounds.
# Matplotlib's ten ("tab10") reach 27.7, 4.6, 7.2, 15.2.
LEAST = {"common": 30.0, "protanopia": 18.0, "deuteranopia": 18.0, "tritanopia": 18.0}
GROUNDS = {False: ["#ffffff"], True: ["#1c1d20", "#1e1e1e"]}
XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def linear(colour: QColor) -> np.ndarray:
    coded = np.array([colour.redF(), colour.greenF(), colour.blueF()])
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)


def lab(colour: QColor, vision: str) -> np.ndarray:
    seen = np.clip(VISION[vision] @ linear(colour), 0, 1)
    ratio = XYZ @ seen / XYZ.sum(axis=1)
    x, y, z = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def contrast(one: QColor, other: QColor) -> float:
    dim, bright = sorted(float(XYZ[1] @ linear(colour)) for colour in (one, other))
    return (bright + 0.05) / (dim + 0.05)


@pytest.fixture
def application(qapp: QApplication) -> Iterator[QApplication]:
    yield qapp
    apply_scheme("system")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("vision", VISION)
def test_no_two_digits_look_alike(dark: bool, vision: str) -> None:
    seen = [lab(digit_colour(digit, dark), vision) for digit in range(10)]
    assert min(np.linalg.norm(one - other) for one, other in combinations(seen, 2)) >= LEAST[vision]


@pytest.mark.parametrize("dark", [False, True])
def test_every_digit_stands_out_from_its_ground(dark: bool) -> None:
    least = min(contrast(digit_colour(digit, dark), QColor(ground)) for digit in range(10) for ground in GROUNDS[dark])
    assert least >= 3.0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_forced_scheme_is_in_force_even_where_the_platform_has_none(
    application: QApplication, scheme: Scheme
) -> None:
    apply_scheme(scheme)

    palette = application.palette()
    assert is_dark(palette) == (scheme == "dark")
    text, window = palette.color(QPalette.ColorRole.WindowText), palette.color(QPalette.ColorRole.Window)
    assert contrast(text, window) >= 7.0
    assert contrast(text, window) > contrast(muted_text(palette), window) >= 4.5
    assert contrast(warning_colour(is_dark(palette)), window) >= 4.5
    assert contrast(accent(palette), palette.color(QPalette.ColorRole.Base)) >= 3.0


def test_forcing_a_scheme_can_be_undone(application: QApplication) -> None:
    before = is_dark(QGuiApplication.palette())
    apply_scheme("light" if before else "dark")
    assert is_dark(application.palette()) != before
    apply_scheme("system")
    assert is_dark(application.palette()) == before


def test_a_louder_sound_is_a_brighter_colour() -> None:
    lightness = np.array([lab(QColor(*map(int, colour)), "common")[0] for colour in spectrogram_colours()])
    assert len(lightness) == 256
    assert lightness[0] < 2
    assert lightness[-1] > 95
    assert (np.diff(lightness) > -0.2).all()


@pytest.mark.parametrize("scheme", ["light", "dark", "system"])
def test_what_matters_less_can_still_be_read(qapp: QApplication, scheme: Scheme) -> None:  # noqa: ARG001
    """WCAG 2.1, 1.4.3: a contrast of at least 4.5 to 1, on the window and on a list."""
    apply_scheme(scheme)
    palette = QGuiApplication.palette()
    quiet = palette.color(QPalette.ColorRole.PlaceholderText)
    assert quiet.alpha() == 255
    for ground in (QPalette.ColorRole.Window, QPalette.ColorRole.Base, QPalette.ColorRole.Button):
        lightnesses = sorted(float(XYZ[1] @ linear(colour)) for colour in (quiet, palette.color(ground)))
        assert (lightnesses[1] + 0.05) / (lightnesses[0] + 0.05) >= 4.5, ground
