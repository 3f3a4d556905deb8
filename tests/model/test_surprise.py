"""The items whose labels a model contradicts come first."""

import numpy as np
import pytest

from model import locations
from model.progress import Cancelled
from model.retrieval.confidence import Margins
from model.retrieval.gallery import Gallery
from model.retrieval.surprise import scores_of, surprise
from model.similarity import Gaussians
from model.systems.model_io import load_model
from model.types import Item, Modality

IMAGE, SPEECH = Modality.IMAGE, Modality.SPEECH


def margins_of(labels, means):
    """Those in a gallery of utterances with these labels and means."""
    items = tuple(Item(index, SPEECH, label, "") for index, label in enumerate(labels))
    means, count = np.array(means, np.float32), len(labels)
    pictures, sounds = np.zeros((0, 28, 28), np.uint8), np.zeros((count, 100, 80), np.float16)
    return Margins.in_gallery(Gallery(items, pictures, sounds, means, means, ("",) * count, {}, {}))


def test_it_is_the_margin_of_the_label_and_the_lowest_comes_first():
    margins = margins_of([3, 3, 8], [[1, 0], [3, 0], [0, 2]])
    means = np.array([[1, 0], [0, 1], [1, 1], [0, 5]], np.float32)
    scores = margins.scores(Gaussians(means, means), IMAGE)
    found = surprise(margins, IMAGE, scores, np.array([3, 3, 8, 3]))
    assert found.margins.tolist() == [2, -2, 0, -10]
    assert found.order.tolist() == [3, 1, 2, 0]
    assert found.guesses.tolist() == [3, 8, 3, 8]


def test_equal_margins_keep_the_order_of_the_corpus():
    margins = margins_of([3, 8], [[1, 0], [0, 1]])
    scores = margins.scores(Gaussians(np.ones((50, 2), np.float32), np.ones((50, 2), np.float32)), IMAGE)
    assert surprise(margins, IMAGE, scores, np.array([3, 8] * 25)).order.tolist() == list(range(50))


@pytest.fixture(scope="module")
def shipped():
    gallery = Gallery.load(locations.shipped_gallery())
    return load_model(locations.shipped_model())[0], gallery, Margins.in_gallery(gallery)


@pytest.mark.parametrize("modality", Modality)
def test_wrong_labels_are_found_by_the_shipped_model(shipped, modality):
    system, gallery, margins = shipped
    places = range(gallery.places(modality).start, gallery.places(modality).stop)[:300:2]
    features = np.stack([gallery.features(place) for place in places])
    labels = np.array([gallery.items[place].label for place in places])
    scores = scores_of(system, margins, modality, features)
    right = surprise(margins, modality, scores, labels)
    wrong = np.random.default_rng(0).choice(np.flatnonzero(right.guesses == labels), 10, replace=False)
    mistaken = labels.copy()
    mistaken[wrong] = (labels[wrong] + 3) % 10
    found = surprise(margins, modality, scores, mistaken)
    missed = (right.guesses != labels).sum()
    assert set(wrong) <= set(found.order[: 10 + missed].tolist())
    assert found.guesses.tolist() == right.guesses.tolist()
    assert (np.diff(found.margins[found.order]) >= 0).all()


def test_ranking_can_be_broken_off_and_tells_how_far_it_is(shipped):
    system, gallery, margins = shipped
    features, told = np.stack([gallery.features(place) for place in range(300)]), []

    def tell(share, _text):
        told.append(share)
        if share > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        scores_of(system, margins, IMAGE, features, tell)
    assert told == sorted(told)
    assert 0 <= told[0] < told[-1] < 1


def test_nothing_is_ranked_as_nothing(shipped):
    system, _, margins = shipped
    scores = scores_of(system, margins, IMAGE, np.zeros((0, 28, 28), np.float32))
    assert surprise(margins, IMAGE, scores, np.zeros(0, np.int64)).order.tolist() == []
