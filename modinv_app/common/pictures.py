"""Pictures of encoder inputs.

The shape of the features tells the modality: ``(28, 28)`` is a picture with ink = 1 on 0, ``(100, 80)`` are normalised
log mel energies, time x frequency.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QImage, QPixmap

from model.types import FloatArray
from modinv_app.common.theme import blend, heat_colour, spectrogram_colours

_PICTURE_SHAPE = (28, 28)
_SPECTROGRAM_SHAPE = (100, 80)
# Energies have zero mean and unit variance in each utterance; speech fills this range at any loudness.
_QUIETEST, _LOUDEST = -1.8, 2.0
# Of pictures of heat.
_COLD_INK = 0.45  # share of ink in the colour of ink that does not matter
_SILENCE, _SOUND = QColor("#101114"), QColor("#8d929b")
_TINT = 0.3  # level of silence in the hottest frame


def picture_image(features: FloatArray) -> QImage:
    """Paint features, one pixel a number; safe in any thread.

    Parameters
    ----------
    features
        ``(28, 28)`` in [0, 1]: dark ink on white paper, in every theme.
        ``(100, 80)``: a spectrogram, time to the right, low frequencies at the bottom.

    Raises
    ------
    ValueError
        For any other shape.
    """
    if features.shape == _PICTURE_SHAPE:
        paper = np.rint(255 * (1 - np.clip(features, 0, 1))).astype(np.uint8)
        return _image(paper, QImage.Format.Format_Grayscale8)
    if features.shape == _SPECTROGRAM_SHAPE:
        levels = np.rint(255 * _loudness(features)).astype(np.uint8).T[::-1]
        # Turned before it is coloured, and taken rather than indexed, which takes less than half the time.
        return _image(spectrogram_colours().take(levels, axis=0), QImage.Format.Format_RGB888)
    raise ValueError(f"neither a picture (28, 28) nor a spectrogram (100, 80): {features.shape}")


def picture_of_heat(features: FloatArray, shares: FloatArray, paper: QColor, ink: QColor) -> QImage:
    """Paint a picture in grey, and what a match is based on in the colour of heat.

    Parameters
    ----------
    features
        ``(28, 28)`` in [0, 1].
    shares
        Heat in [0, 1], ``(28, 28)``.
    paper, ink
        Colours of the picture.
    """
    cold, hot = blend(ink, paper, _COLD_INK), heat_colour(paper.lightness() < 128)
    return _mixed(np.clip(features, 0, 1), shares, paper, cold, hot)


def spectrogram_of_heat(features: FloatArray, shares: FloatArray) -> QImage:
    """Paint a spectrogram ``(100, 80)`` in grey, and hot frames, by shares ``(100,)`` in [0, 1], in the colour of heat.

    It is dark in every theme, as other spectrograms.
    """
    heat = np.broadcast_to(shares, features.T.shape)
    levels = np.maximum(_loudness(features).T, _TINT * heat)[::-1]  # a hot frame is tinted where it is quiet, too
    return _mixed(levels, heat, _SILENCE, _SOUND, heat_colour(dark=True))


def _mixed(levels: FloatArray, heat: FloatArray, ground: QColor, cold: QColor, hot: QColor) -> QImage:
    """From the ground, where the level is 0, to cold or hot; levels and heat ``(h, w)`` in [0, 1]."""
    ground_rgb, cold_rgb, hot_rgb = (np.array([c.red(), c.green(), c.blue()]) for c in (ground, cold, hot))
    marked = cold_rgb + heat[..., None] * (hot_rgb - cold_rgb)
    colours = ground_rgb + levels[..., None] * (marked - ground_rgb)
    return _image(np.rint(colours).astype(np.uint8), QImage.Format.Format_RGB888)


def _loudness(features: FloatArray) -> FloatArray:
    """Energies of a spectrogram in [0, 1], ``(100, 80)``."""
    scaled = np.clip((features - _QUIETEST) / (_LOUDEST - _QUIETEST), 0, 1)
    # Rows of exact zeros pad a short utterance: they are silence, not mean energy.
    spoken = np.flatnonzero(features.any(axis=1))
    scaled[spoken[-1] + 1 if spoken.size else 0 :] = 0
    return np.asarray(scaled, np.float32)


def features_pixmap(features: FloatArray, size: QSize, dpr: float) -> QPixmap:
    """Paint features for the screen (GUI thread only).

    Parameters
    ----------
    features
        As for `picture_image`.
    size
        In device-independent pixels: a spectrogram fills it, a picture stays square within it.
    dpr
        ``widget.devicePixelRatioF()``; the pixmap is sharp at this ratio.
    """
    aspect = (
        Qt.AspectRatioMode.KeepAspectRatio if features.shape == _PICTURE_SHAPE else Qt.AspectRatioMode.IgnoreAspectRatio
    )
    return scaled_pixmap(picture_image(features), size, dpr, aspect)


def scaled_pixmap(
    image: QImage, size: QSize, dpr: float, aspect: Qt.AspectRatioMode = Qt.AspectRatioMode.IgnoreAspectRatio
) -> QPixmap:
    """An image smoothly scaled for the screen; size and ratio as of `features_pixmap` (GUI thread only)."""
    pixels = QSize(round(size.width() * dpr), round(size.height() * dpr))
    pixmap = QPixmap.fromImage(image.scaled(pixels, aspect, Qt.TransformationMode.SmoothTransformation))
    pixmap.setDevicePixelRatio(dpr)
    return pixmap


def grey_image(picture: npt.NDArray[np.uint8]) -> QImage:
    """The image of a grey picture ``(h, w)``."""
    return _image(picture, QImage.Format.Format_Grayscale8)


def ink_image(levels: npt.NDArray[np.uint8], paper: QColor, ink: QColor) -> QImage:
    """The image of ink levels ``(h, w)``, from 0 (paper) to 255 (ink), in these colours."""
    image = _image(levels, QImage.Format.Format_Indexed8)
    image.setColorTable(_colour_table(paper.rgb(), ink.rgb()))
    return image


@cache
def _colour_table(paper: int, ink: int) -> list[int]:
    """256 colours from paper to ink; all as of `QColor.rgb`."""
    return [blend(QColor(ink), QColor(paper), level / 255).rgb() for level in range(256)]


def _image(pixels: npt.NDArray[np.uint8], image_format: QImage.Format) -> QImage:
    pixels = np.ascontiguousarray(pixels)
    height, width = pixels.shape[:2]
    # copy(): the image outlives the array, whose memory Qt only borrows.
    return QImage(pixels.data, width, height, pixels.strides[0], image_format).copy()
