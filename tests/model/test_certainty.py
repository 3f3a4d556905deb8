"""Margins between digits, and the words for them."""

import numpy as np
import pytest

from model.retrieval.certainty import LEAST, Margins
from model.retrieval.gallery import Gallery
from model.similarity import Gaussians
from model.types import Certainty, Item, Modality

IMAGE, SPEECH = Modality.IMAGE, Modality.SPEECH


def gallery(images, speech):
    """Items of two modalities by label and mean, ``(label, mean)`` each."""
    items, means = [], []
    for modality, side in ((IMAGE, images), (SPEECH, speech)):
        for label, mean in side:
            items.append(Item(len(items), modality, label, ""))
            means.append(mean)
    means = np.array(means, np.float32)
    pictures, sounds = np.zeros((len(images), 28, 28), np.uint8), np.zeros((len(speech), 100, 80), np.float16)
    return Gallery(tuple(items), pictures, sounds, means, means, ("",) * len(speech), {}, {})


def at(mean):
    """A query of unit variance."""
    return Gaussians(np.array(mean, np.float32), np.zeros(len(mean), np.float32))


def axis(place, length=1.0):
    return length * np.eye(4)[place]


def three_digits(length):
    """Three digits on axes of their own, two items each."""
    side = [(digit, axis(place, length)) for place, digit in enumerate((3, 5, 8)) for _ in range(2)]
    return gallery(side, side)


def test_the_margin_is_the_difference_of_mean_scores():
    speech = [(3, axis(0, 2)), (3, axis(0, 4)), (5, axis(1, 2)), (8, axis(2, 9))]
    margins = Margins(gallery([(3, axis(0))], speech))
    query = [2.0, 1.0, 0.1, 0.0]
    assert margins.of(at(query), IMAGE, 3) == (pytest.approx(2 * 3 - 1 * 2), 5)
    assert margins.of(at(query), IMAGE, 5) == (pytest.approx(2 - 6), 3), "the items on average say another digit"


def test_the_words_do_not_depend_on_the_scale_of_a_model():
    for length in (3, 30):
        margins = Margins(three_digits(length))
        for modality in (IMAGE, SPEECH):
            assert margins.typical[modality] == pytest.approx(length**2)
            for share, word in (
                (1.0001 * LEAST[modality][Certainty.SURE], Certainty.SURE),
                (0.9999 * LEAST[modality][Certainty.SURE], Certainty.LIKELY),
                (1.0001 * LEAST[modality][Certainty.LIKELY], Certainty.LIKELY),
                (0.9999 * LEAST[modality][Certainty.LIKELY], Certainty.NOT_SURE),
                (-1.0, Certainty.NOT_SURE),
            ):
                assert margins.word(share * length**2, modality) is word


def test_a_model_that_tells_no_digits_apart_is_never_sure():
    margins = Margins(three_digits(0.1))
    best, _ = margins.of(at(axis(0, 0.1)), IMAGE, 3)
    assert best == pytest.approx(0.01)
    assert margins.word(best, IMAGE) is Certainty.NOT_SURE


def test_where_there_is_one_digit_there_is_no_margin():
    margins = Margins(gallery([(3, axis(0))], [(3, axis(0))]))
    assert margins.of(at(np.ones(4)), IMAGE, 3) == (0.0, None)
    assert margins.word(0.0, IMAGE) is Certainty.NOT_SURE
