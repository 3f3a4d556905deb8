"""Margins between digits, the confidence that follows from them, and the rejection of what is not a digit."""

import dataclasses
import json

import numpy as np
import pytest

from model.retrieval.confidence import Calibration, Confidence, Margins, Rejection, from_header, to_header
from model.retrieval.gallery import Gallery
from model.similarity import Gaussians
from model.types import LEAST_CONFIDENCE, Answer, Certainty, Item, Modality

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


def of(margins, query, modality, guess):
    """Margin and runner-up of one query."""
    queries = Gaussians(*(side[None] for side in at(query)))
    margin, other = margins.of(queries, modality, np.array([guess]))
    return float(margin[0]), int(other[0])


def answer(confidence, reason="", overruled=None):
    nothing = np.zeros(128, np.float32)
    return Answer(IMAGE, nothing, nothing, nothing, nothing, (), 7, 1, 0.0, confidence, 1.0, reason, overruled)


def test_the_margin_is_the_difference_of_mean_scores():
    speech = [(3, axis(0, 2)), (3, axis(0, 4)), (5, axis(1, 2)), (8, axis(2, 9))]
    margins = Margins.in_gallery(gallery([(3, axis(0))], speech))
    query = [2.0, 1.0, 0.1, 0.0]
    assert of(margins, query, IMAGE, 3) == (pytest.approx(2 * 3 - 1 * 2), 5)
    assert of(margins, query, IMAGE, 5) == (pytest.approx(2 - 6), 3), "the items on average say another digit"


def test_the_confidence_does_not_depend_on_the_scale_of_a_model():
    for length in (3, 30):
        margins = Margins.in_gallery(three_digits(length))
        for modality in (IMAGE, SPEECH):
            assert margins.typical[modality] == pytest.approx(length**2)
            queries = Gaussians(*(side[None] for side in at(axis(0, length / 2))))
            assert margins.shares(queries, modality, np.array([3])) == pytest.approx(0.5)


def test_a_fine_tuned_model_rejects_as_many_digits_as_the_one_before():
    rejection = Rejection((1.0, 2.0), 0.5)
    before = np.array([-1.0, 1.0, 2.0, 3.0, 4.0])
    moved = 3 * before - 10
    again = rejection.losing_as_before(before, moved)
    assert again.weights == rejection.weights
    scores = moved + again.bias - rejection.bias  # of the same features, with the other threshold
    assert ((scores < 0) == (before < 0)).all()
    assert rejection.losing_as_before(before[1:], moved[1:]).bias == pytest.approx(0.5 - moved[1])


def test_the_words_are_those_of_the_confidence():
    for confidence, word in (
        (1.0001 * LEAST_CONFIDENCE[Certainty.SURE], Certainty.SURE),
        (0.9999 * LEAST_CONFIDENCE[Certainty.SURE], Certainty.LIKELY),
        (1.0001 * LEAST_CONFIDENCE[Certainty.LIKELY], Certainty.LIKELY),
        (0.9999 * LEAST_CONFIDENCE[Certainty.LIKELY], Certainty.NOT_SURE),
        (0.0, Certainty.NOT_SURE),
    ):
        assert answer(confidence).certainty is word


def test_what_is_rejected_has_no_guess_and_still_a_nearest_digit():
    rejected = answer(0.999, "This does not look like a digit.")
    assert (rejected.guess, rejected.nearest, rejected.rejected, rejected.certainty) == (
        None,
        7,
        True,
        Certainty.NOT_SURE,
    )
    assert rejected.verdict == "not a digit that I know; nearest is 7"
    assert (answer(0.999).guess, answer(0.999).verdict) == (7, "sure: 7")


def test_a_guess_of_the_takes_against_the_model_is_not_said_in_words_of_the_models_confidence():
    for confidence in (0.01, 0.999):
        by_takes = answer(confidence, overruled=2)
        assert (by_takes.guess, by_takes.certainty) == (7, Certainty.BY_TAKES)
        assert by_takes.verdict == "by your takes: 7; the model alone: 2"


def test_a_model_that_tells_no_digits_apart_is_never_sure():
    margins = Margins.in_gallery(three_digits(0.1))
    best, _ = of(margins, axis(0, 0.1), IMAGE, 3)
    assert best == pytest.approx(0.01)
    queries = Gaussians(*(side[None] for side in at(axis(0, 0.1))))
    shares = margins.shares(queries, IMAGE, np.array([3]))
    assert answer(float(Calibration(8.0, 0.0).probabilities(shares)[0])).certainty is Certainty.NOT_SURE


def test_where_there_is_one_digit_there_is_no_margin():
    margins = Margins.in_gallery(gallery([(3, axis(0))], [(3, axis(0))]))
    assert of(margins, np.ones(4), IMAGE, 3) == (0.0, -1)


@pytest.mark.parametrize("similarity", ["dot", "cosine", "jeffreys", "wasserstein"])
def test_many_queries_are_judged_as_one_by_one(similarity):
    rng = np.random.default_rng(0)
    side = [(digit, rng.normal(size=4)) for digit in (3, 5, 8) for _ in range(4)]
    margins = Margins.in_gallery(dataclasses.replace(gallery(side, side), similarity=similarity))
    queries = Gaussians(rng.normal(size=(150, 4)), rng.normal(size=(150, 4)))
    guesses = rng.choice([3, 5, 8], 150)
    features = margins.features(queries, IMAGE, guesses)
    for place in (0, 63, 64, 149):
        one = Gaussians(*(side[place : place + 1] for side in queries))
        assert margins.features(one, IMAGE, guesses[place : place + 1])[0] == pytest.approx(features[place])


def test_the_calibration_is_that_which_made_the_data():
    rng = np.random.default_rng(0)
    shares = rng.uniform(0, 1, 40_000)
    made = Calibration(6.0, -2.0)
    fitted = Calibration.fit(shares, rng.uniform(size=len(shares)) < made.probabilities(shares))
    assert (fitted.slope, fitted.intercept) == (pytest.approx(6, abs=0.2), pytest.approx(-2, abs=0.1))


def test_a_calibration_without_errors_is_not_certain():
    fitted = Calibration.fit(np.linspace(0.5, 1, 50), np.ones(50, bool))
    assert fitted.probabilities(np.array([1.0]))[0] == pytest.approx(51 / 52, abs=0.02)


GROUPS = [str(number // 2) for number in range(2000)]


def test_a_rejection_loses_the_share_of_digits_that_it_may():
    rng = np.random.default_rng(0)
    digit = np.arange(2000) < 1000
    features = rng.normal(size=(2000, 3)) + 4 * digit[:, None]
    hard = np.arange(2000) < 100
    features[hard] -= 1
    fitted = Rejection.fit(features, digit, np.ones(2000), GROUPS, [hard, digit & ~hard], lost=0.05)
    rejected = fitted.scores(features) < 0
    assert rejected[hard].mean() == pytest.approx(0.05, abs=0.03)
    assert rejected[digit & ~hard].mean() < 0.05
    assert rejected[~digit].mean() > 0.99


def test_one_digit_of_thirty_does_not_decide_what_is_rejected():
    rng = np.random.default_rng(0)
    digit = np.arange(2000) < 1000
    features = rng.normal(size=(2000, 3)) + 4 * digit[:, None]
    few = np.arange(2000) < 30
    features[0] = -3
    fitted = Rejection.fit(features, digit, np.ones(2000), GROUPS, [few])
    assert (fitted.scores(features) < 0)[~digit].mean() > 0.95


def test_what_was_fitted_survives_a_header():
    fitted = {
        IMAGE: Confidence(Calibration(8.0, -0.1), Rejection((1.0, -2.0), 0.5)),
        SPEECH: Confidence(Calibration(5.0, 0.2)),
    }
    assert from_header(json.loads(json.dumps(to_header(fitted)))) == fitted
    assert from_header({}) == {}
    for damaged in ({"smell": {}}, {"image": 3}, {"image": {"calibration": {"slope": "steep", "intercept": 0}}}):
        with pytest.raises(ValueError, match=r"image|smell|slope|both"):
            from_header(damaged)


def test_a_model_without_parameters_is_calibrated_on_its_gallery_and_rejects_nothing():
    fitted = Margins.in_gallery(three_digits(3)).calibrated()
    for modality in (IMAGE, SPEECH):
        assert fitted[modality].rejection is None
        low, high = fitted[modality].calibration.probabilities(np.array([-1.0, 1.0]))
        assert low < high
