"""The vote of a query's digit, with and without the user's takes."""

import numpy as np
import pytest

from model.retrieval.gallery import Gallery, make_items
from model.retrieval.vote import Vote, majority
from model.similarity import Gaussians
from model.types import Item, Match, Modality

IMAGES = 6  # three of a one, three of a seven
ONE, SEVEN = np.eye(4, dtype=np.float32)[:2]
STRANGE = np.array([0.6, 0.2, 0.75, 0], np.float32)  # how somebody says seven: nearer to a one, to the model


def matches(*labels):
    return [Match(Item(i, Modality.SPEECH, label, ""), -i) for i, label in enumerate(labels)]


@pytest.mark.parametrize(
    ("labels", "guess"),
    [
        ((3,), 3),
        ((5, 3, 3, 3, 5), 3),
        ((8, 1, 1, 8), 8),  # of equals the best placed
        ((1, 8, 8, 1), 1),
        ((9, 2, 4), 9),
    ],
)
def test_the_guess_is_the_digit_of_most_matches(labels, guess):
    assert majority(matches(*labels)) == guess


def gallery(utterances, similarity="dot"):
    """Images of ones and sevens, and utterances with these means and labels."""
    means = np.stack([ONE, ONE, ONE, SEVEN, SEVEN, SEVEN, *(mean for mean, _ in utterances)]).astype(np.float32)
    labels = [1, 1, 1, 7, 7, 7, *(label for _, label in utterances)]
    return Gallery(
        make_items(IMAGES, labels, [""] * len(labels), [""] * len(labels)),
        np.zeros((IMAGES, 28, 28), np.uint8),
        np.zeros((len(utterances), 100, 80), np.float16),
        means,
        np.full_like(means, -4),
        ("",) * len(utterances),
        {},
        {},
        similarity,
    )


def digit(mean, items, takes):
    """The digit of an utterance, with some of the gallery's items as the user's takes."""
    query = Gaussians(np.asarray(mean, np.float32), np.full(4, -4, np.float32))
    chosen = np.isin(np.arange(len(items.items)), takes)
    return Vote(items, chosen).digit(query, Modality.SPEECH, items.nearest(query, Modality.IMAGE, 3))


@pytest.mark.parametrize("similarity", ["dot", "cosine", "wasserstein", "jeffreys"])
def test_takes_decide_where_the_model_does_not_understand_somebody(similarity):
    items = gallery([(STRANGE, 7), (STRANGE + 0.02, 7)], similarity)
    said = STRANGE + np.float32(0.01)
    assert digit(said, items, []) == 1
    assert digit(said, items, [6, 7]) == 7


def test_utterances_that_are_nobodys_takes_do_not_vote():
    items = gallery([(STRANGE, 7), (STRANGE, 7), (STRANGE, 7)])
    assert digit(STRANGE, items, []) == 1
    assert digit(STRANGE, items, [0, 1, 2]) == 1, "the user's takes are images here"


def test_takes_of_somebody_else_change_nothing():
    items = gallery([(STRANGE, 7), (STRANGE, 7), (STRANGE, 7)])
    assert digit([1, 0.1, -0.1, 0], items, [6, 7, 8]) == 1


def test_how_long_the_embeddings_of_takes_are_does_not_matter():
    """Only similarities across modalities are trained: those of one modality may be much longer."""
    far = np.array([0, 0, 0, 1], np.float32)
    items = gallery([(20 * (far + 0.3 * ONE), 4), (20 * far, 4), (0.01 * STRANGE, 7), (0.01 * STRANGE, 7)])
    assert digit(ONE + 0.1 * far, items, [6, 7]) == 1
    assert digit(STRANGE, items, [6, 7, 8, 9]) == 7


def test_who_votes_is_settled_once_for_a_gallery():
    items = gallery([(STRANGE, 7), (STRANGE + 0.02, 7)])
    takes = np.isin(np.arange(len(items.items)), [6, 7])
    vote = Vote(items, takes)
    takes[:] = False
    said = Gaussians(STRANGE + np.float32(0.01), np.full(4, -4, np.float32))
    assert vote.digit(said, Modality.SPEECH, items.nearest(said, Modality.IMAGE, 3)) == 7
    drawn = Gaussians(ONE, np.full(4, -4, np.float32))
    assert vote.digit(drawn, Modality.IMAGE, items.nearest(drawn, Modality.SPEECH, 3)) == 7, "no drawing is a take"
