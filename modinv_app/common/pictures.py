"""How an item looks: one way to paint a digit and one way to paint a spectrogram, for every panel.

A panel hands in the features that the encoder sees, and gets what a person looks at. The shape tells which:
``(28, 28)`` is a picture with ink = 1 on 0, ``(100, 80)`` are normalised log mel energies, time x frequency.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QImage, QPixmap

from model.types import FloatArray
from modinv_app.common.theme import spectrogram_colours

_PICTURE_SHAPE = (28, 28)
_SPECTROGRAM_SHAPE = (100, 80)
# Energies have zero mean and unit variance in each utterance; speech fills this range, however loud it was.
_QUIETEST, _LOUDEST = -1.8, 2.0


def picture_image(features: FloatArray) -> QImage:
    """Paint what the encoder sees, one pixel a number; safe in any thread.

    Parameters
    ----------
    features
        ``(28, 28)`` in [0, 1]: dark ink on white paper, in every theme, as it would be on a desk.
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
        scaled = np.clip((features - _QUIETEST) / (_LOUDEST - _QUIETEST), 0, 1)
        # The rows of exact zeros that pad a short utterance would shine at mean energy: they are silence.
        spoken = np.flatnonzero(features.any(axis=1))
        scaled[spoken[-1] + 1 if spoken.size else 0 :] = 0
        colours = spectrogram_colours()[np.rint(255 * scaled).astype(np.uint8)]
        return _image(colours.transpose(1, 0, 2)[::-1], QImage.Format.Format_RGB888)
    raise ValueError(f"neither a picture (28, 28) nor a spectrogram (100, 80): {features.shape}")


def features_pixmap(features: FloatArray, size: QSize, dpr: float) -> QPixmap:
    """Paint features for the screen (GUI thread only).

    Parameters
    ----------
    features
        As for `picture_image`.
    size
        Room in device-independent pixels: a spectrogram fills it, a picture stays square within it.
    dpr
        ``widget.devicePixelRatioF()``; the pixmap is sharp at this ratio.
    """
    aspect = (
        Qt.AspectRatioMode.KeepAspectRatio if features.shape == _PICTURE_SHAPE else Qt.AspectRatioMode.IgnoreAspectRatio
    )
    pixels = QSize(round(size.width() * dpr), round(size.height() * dpr))
    scaled = picture_image(features).scaled(pixels, aspect, Qt.TransformationMode.SmoothTransformation)
    pixmap = QPixmap.fromImage(scaled)
    pixmap.setDevicePixelRatio(dpr)
    return pixmap


def grey_image(picture: npt.NDArray[np.uint8]) -> QImage:
    """A grey picture ``(h, w)`` as it is."""
    return _image(picture, QImage.Format.Format_Grayscale8)


def ink_image(levels: npt.NDArray[np.uint8], paper: QColor, ink: QColor) -> QImage:
    """Ink of levels ``(h, w)``, 255 where it covers the paper, in these colours."""
    image = _image(levels, QImage.Format.Format_Indexed8)
    image.setColorTable(_between(paper.rgb(), ink.rgb()))
    return image


@cache
def _between(paper: int, ink: int) -> list[int]:
    """The colours of pixels that ink covers more and more, 256 of them; both ends as of `QColor.rgb`."""
    a, b = QColor(paper), QColor(ink)
    channels = ((a.red(), b.red()), (a.green(), b.green()), (a.blue(), b.blue()))
    reds, greens, blues = (np.linspace(*ends, 256).round().astype(int).tolist() for ends in channels)
    return [QColor(*colour).rgb() for colour in zip(reds, greens, blues, strict=True)]


def _image(pixels: npt.NDArray[np.uint8], image_format: QImage.Format) -> QImage:
    pixels = np.ascontiguousarray(pixels)
    height, width = pixels.shape[:2]
    # copy(): the image outlives the array, whose memory Qt only borrows.
    return QImage(pixels.data, width, height, pixels.strides[0], image_format).copy()
