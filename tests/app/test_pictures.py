"""The one way in which digits and spectrograms are painted."""

import numpy as np
import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QImage

from modinv_app.common.pictures import features_pixmap, picture_image


def brightness(image: QImage, x: int, y: int) -> int:
    return image.pixelColor(x, y).lightness()


def test_ink_is_dark_on_white_paper() -> None:
    features = np.zeros((28, 28), np.float32)
    features[5, 9] = 1.0

    image = picture_image(features)

    assert (image.width(), image.height()) == (28, 28)
    assert brightness(image, 9, 5) == 0
    assert brightness(image, 5, 9) == 255


def test_a_spectrogram_has_time_to_the_right_and_low_frequencies_at_the_bottom() -> None:
    features = np.full((100, 80), -2.0, np.float32)
    features[90, 3] = 2.5

    image = picture_image(features)

    assert (image.width(), image.height()) == (100, 80)
    assert brightness(image, 90, 79 - 3) > 200
    assert brightness(image, 3, 90 - 79) < 10


def test_the_padding_of_a_short_utterance_looks_like_silence_but_a_zero_inside_it_does_not() -> None:
    features = np.random.default_rng(0).normal(size=(100, 80)).astype(np.float32)
    features[20] = 0.0
    features[40:] = 0.0

    image = picture_image(features)

    assert brightness(image, 20, 30) > 50
    assert all(brightness(image, x, y) < 5 for x in (40, 70, 99) for y in (0, 40, 79))


def test_nothing_but_zeros_is_silence() -> None:
    image = picture_image(np.zeros((100, 80), np.float32))
    assert brightness(image, 0, 0) < 5


def test_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(80, 100\)"):
        picture_image(np.zeros((80, 100), np.float32))


@pytest.mark.usefixtures("qapp")
def test_on_the_screen_a_spectrogram_fills_its_room_and_a_picture_stays_square() -> None:
    sound = features_pixmap(np.ones((100, 80), np.float32), QSize(60, 30), dpr=2.0)
    picture = features_pixmap(np.ones((28, 28), np.float32), QSize(60, 30), dpr=2.0)

    assert sound.size() == QSize(120, 60)
    assert sound.deviceIndependentSize().toSize() == QSize(60, 30)
    assert picture.deviceIndependentSize().toSize() == QSize(30, 30)
