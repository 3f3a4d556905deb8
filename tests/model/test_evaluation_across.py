"""Retrieval, label transfer and the widths of posteriors, against hand calculations and other libraries."""

import numpy as np
import pytest
import torch
from clouds import Z, posteriors
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score

from model.evaluation import EvaluationError, Posteriors, clopper_pearson, precision_at_1
from model.evaluation.pair_recall import draw_pairs, pair_recall
from model.evaluation.report import CalibrationBin, Interval, Retrieval
from model.evaluation.retrieval import confusion, find_matches, retrieval, shares
from model.evaluation.transfer import transfer
from model.evaluation.uncertainty import calibration, entropies, one_modality
from model.networks.posterior import DiagonalGaussian
from model.similarity import DIVERGENCES


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def on_a_line(positions, labels) -> Posteriors:
    """Means in one dimension: the query 1 ranks a gallery by its positions, greatest first."""
    means = np.array(positions, np.float32)[:, None]
    return Posteriors(means, np.zeros_like(means), np.array(labels))


def test_precision_at_1_by_hand():
    """Three queries, the second's nearest is of another digit; a long item wins by its dot product."""
    queries, gallery = by_hand([[1, 0], [0, 1], [2, 1]]), by_hand([[1, 0], [0, 1], [0, 9]])
    assert precision_at_1(queries, gallery) == pytest.approx(2 / 3)


def by_hand(means, similarity="dot"):
    means = np.array(means, np.float32)
    return Posteriors(means, np.zeros_like(means), np.array([4, 5, 6]), similarity=similarity)


@pytest.mark.parametrize("similarity", ["cosine", *DIVERGENCES])
def test_items_are_ranked_by_the_similarity_of_the_model(similarity):
    """By none of these does length win, as it does by the dot product."""
    queries = by_hand([[1, 0], [0, 1], [2, 1]], similarity)
    gallery = by_hand([[1.1, 0], [0, 0.9], [9, 5]] if similarity == "cosine" else [[1.1, 0], [0, 0.9], [2, 2]])
    assert precision_at_1(queries, gallery) == 1
    assert retrieval(queries, gallery).p_at_1 == 1
    assert find_matches(queries, gallery).nearest.tolist() == [0, 1, 2]


def test_points_of_posteriors_are_compared_by_their_distance_where_posteriors_are_by_a_divergence():
    side = by_hand([[1, 0], [0, 1], [2, 1]], "jeffreys")
    points = side.points(side.means + 1)
    assert precision_at_1(points, points) == 1
    assert points.similarity == "wasserstein"
    assert by_hand(np.eye(3), "cosine").points(np.eye(3)).similarity == "cosine"


def test_a_ranking_by_hand():
    """Right at ranks 1, 3 and 4 of 12: P@5 is 3/5, P@10 3/10, AP (1 + 2/3 + 3/4) / 3."""
    gallery = on_a_line(range(12, 0, -1), [7, 1, 7, 7, *[2] * 8])
    found = retrieval(on_a_line([1], [7]), gallery)
    expected = Retrieval(1.0, 0.6, 0.3, (1 + 2 / 3 + 3 / 4) / 3)
    assert [found.p_at_1, found.p_at_5, found.p_at_10] == pytest.approx([1.0, 0.6, 0.3])
    assert found.mean_average_precision == pytest.approx(expected.mean_average_precision)


def test_a_digit_that_is_not_there_is_never_found():
    queries, gallery = on_a_line([1, 1], [3, 7]), on_a_line([2, 1], [7, 7])
    assert retrieval(queries, gallery) == Retrieval(0.5, 0.5, 0.5, 0.5, *clopper_pearson(1, 2))
    assert find_matches(queries, gallery).margins.tolist() == [np.inf, 0]


def test_average_precision_is_scikit_learns(rng):
    queries, gallery = posteriors(rng, 40, own=3.0), posteriors(rng, 60, own=3.0)
    scores = queries.means @ gallery.means.T
    expected = np.mean(
        [
            average_precision_score(gallery.labels == label, row)
            for label, row in zip(queries.labels, scores, strict=True)
        ]
    )
    assert 0.15 < expected < 0.95
    assert retrieval(queries, gallery).mean_average_precision == pytest.approx(expected)


def whole(cloud: Posteriors) -> Posteriors:
    """Means of whole numbers: float32 holds their dot products exactly, in whatever order a processor adds them up."""
    return Posteriors(np.round(4 * cloud.means), cloud.log_variances, cloud.labels)


def test_nothing_depends_on_the_chunk(rng):
    queries, gallery = whole(posteriors(rng, 97, own=3.0)), whole(posteriors(rng, 53, own=3.0))
    assert (np.abs(queries.means) @ np.abs(gallery.means).T).max() < 2**24
    arguments = (queries, gallery)
    p_at_1 = precision_at_1(*arguments)
    assert 0 < p_at_1 < 1
    assert precision_at_1(*arguments, chunk=10) == p_at_1
    assert retrieval(queries, gallery).p_at_1 == pytest.approx(p_at_1)
    at_once, in_chunks = retrieval(queries, gallery), retrieval(queries, gallery, chunk=10)
    assert at_once.mean_average_precision == pytest.approx(in_chunks.mean_average_precision)
    for one, other in zip(find_matches(queries, gallery), find_matches(queries, gallery, chunk=10), strict=True):
        np.testing.assert_array_equal(one, other)


def test_margins_tell_how_far_off_a_mistake_is():
    gallery = on_a_line([5, 3, 2], [1, 2, 3])
    found = find_matches(on_a_line([1, 1, 2], [1, 2, 3]), gallery)
    assert found.nearest.tolist() == [0, 0, 0]
    assert found.margins.tolist() == [0, 2, 6]


def test_confusions_and_shares_by_hand():
    counts = np.array(confusion(np.array([0, 0, 9]), np.array([0, 3, 9])))
    assert counts.shape == (10, 10)
    assert (counts[0, 0], counts[0, 3], counts[9, 9], counts.sum()) == (1, 1, 1, 3)
    assert shares(["theo", "jackson", "theo"], [True, True, False]) == {"jackson": 1.0, "theo": 0.5}


def test_labels_go_from_one_modality_to_the_other_where_both_lie_together(rng):
    found = transfer(posteriors(rng, 100, own=0.5), posteriors(rng, 70, own=0.5))
    assert (found.nearest_neighbours, found.linear) == (1.0, 1.0)


def test_labels_do_not_cross_a_gap_though_retrieval_does(rng):
    """All utterances share an offset: it moves every score of a query alike, but it throws classifiers off."""
    images = posteriors(rng, 200, own=0.5)
    offset = np.zeros(Z, np.float32)
    offset[:10] = 40 * rng.standard_normal(10)
    speech = posteriors(rng, 100, own=0.5)
    speech = Posteriors(speech.means + offset, speech.log_variances, speech.labels)
    assert retrieval(images, speech).p_at_1 > 0.95
    found = transfer(images, speech)
    assert found.nearest_neighbours < 0.3
    assert found.linear < 0.3


def test_transfer_learns_the_first_and_is_tested_on_the_second(rng):
    """The first modality knows five digits only: of the second, five are never guessed."""
    all_digits, few = posteriors(rng, 100), posteriors(rng, 100)
    few = few.take(np.flatnonzero(few.labels < 5))
    assert transfer(few, all_digits).linear == 0.5
    assert transfer(all_digits, few).linear == 1.0


def test_transfer_needs_two_digits(rng):
    one = posteriors(rng, 50).take(np.arange(0, 50, 10))
    with pytest.raises(EvaluationError, match="two digits"):
        transfer(one, posteriors(rng, 50))


def draws(count: int, seed: int = 0) -> list[np.random.Generator]:
    return [np.random.default_rng(source) for source in np.random.SeedSequence(seed).spawn(count)]


def test_few_labels_suffice_where_clouds_are_clear_and_more_help_where_they_are_not(rng):
    clear = transfer(posteriors(rng, 300, own=0.5), posteriors(rng, 100, own=0.5), draws(3))
    assert clear.linear_1 == clear.linear_5 == clear.linear_20 == Interval(1.0, 1.0, 1.0, (1.0,) * 3)
    blurred = transfer(posteriors(rng, 1000, own=2.5), posteriors(rng, 500, own=2.5), draws(4))
    means = [blurred.linear_1.mean, blurred.linear_5.mean, blurred.linear_20.mean, blurred.linear]
    assert means == sorted(means)
    assert means[0] + 0.1 < means[-1]
    assert len(set(blurred.linear_1.values)) == 4, "each draw has other labels"


def test_few_labels_are_scikit_learns_on_the_first_inputs_of_each_digit(rng):
    learned, tested = posteriors(rng, 200, own=2.5), posteriors(rng, 100, own=2.5)
    order = draws(1)[0].permutation(200)
    few = np.concatenate([[at for at in order if learned.labels[at] == digit][:5] for digit in range(10)])
    classifier = LogisticRegression(max_iter=1000).fit(learned.means[few], learned.labels[few])
    assert transfer(learned, tested, draws(1)).linear_5.values == (classifier.score(tested.means, tested.labels),)


def test_as_many_labels_as_there_are_inputs_are_all_labels_and_more_are_not_tried(rng):
    found = transfer(posteriors(rng, 50, own=2.5), posteriors(rng, 100, own=2.5), draws(3))
    assert found.linear_5.values == pytest.approx((found.linear,) * 3, abs=0.011)  # the order moves the last digits
    assert found.linear_20 is None
    assert transfer(posteriors(rng, 50), posteriors(rng, 100)).linear_1 is None, "no draws, no few labels"


def test_pairs_show_one_digit_and_no_input_is_in_two(rng):
    images, speech = rng.integers(0, 9, 300), rng.integers(1, 10, 90)
    pairs = draw_pairs(images, speech, rng)
    assert np.array_equal(images[pairs[0]], speech[pairs[1]])
    assert all(len(set(places)) == len(places) for places in pairs)
    count = sum(min((images == digit).sum(), (speech == digit).sum()) for digit in range(10))
    assert len(pairs[0]) == count
    assert len(draw_pairs(images, speech, rng, most=20)[0]) == 20
    assert [part.size for part in draw_pairs(np.array([1]), np.array([2]), rng)] == [0, 0]


def test_recall_of_partners_by_hand():
    """Two pairs. Image 0 ranks its partner second, image 1 first; both utterances find their partners first."""
    labels, log_variances = np.array([3, 7]), np.zeros((2, 2), np.float32)
    images = Posteriors(np.array([[1, 2], [0, 3]], np.float32), log_variances, labels)
    speech = Posteriors(np.array([[1, 0], [0, 1]], np.float32), log_variances, labels)
    found = pair_recall(images, speech, draws(2))
    assert found.pairs == 2
    assert found.at_1.image_to_speech.values == (0.5, 0.5)
    assert found.at_1.speech_to_image.values == (1.0, 1.0)
    assert (found.at_1.chance, found.at_1.ceiling) == (0.5, 1.0), "one item a digit: the digit tells the partner"
    assert found.at_5.image_to_speech.mean == found.at_5.chance == found.at_5.ceiling == 1.0


def test_an_embedding_of_digits_alone_finds_partners_as_often_as_the_ceiling_says(rng):
    images, speech = posteriors(rng, 400, own=0.3), posteriors(rng, 200, own=0.3)
    assert retrieval(images, speech).p_at_10 == 1.0
    found = pair_recall(images, speech, draws(40))
    assert found.pairs == 200
    for depth, at in ((1, found.at_1), (5, found.at_5), (10, found.at_10)):
        assert (at.chance, at.ceiling) == (depth / 200, depth / 20)
        assert at.image_to_speech.mean == pytest.approx(at.ceiling, rel=0.1)
        assert at.speech_to_image.mean == pytest.approx(at.ceiling, rel=0.1)


def test_the_ceiling_counts_digits_as_often_as_they_are_there():
    """Of 8 pairs 6 show one digit, 2 another: R@5 is at most (6 * 5/6 + 2) / 8."""
    labels = np.array([0] * 6 + [1] * 2)
    side = Posteriors(np.ones((8, 2), np.float32), np.zeros((8, 2), np.float32), labels)
    found = pair_recall(side, side, draws(1))
    assert (found.at_1.ceiling, found.at_5.ceiling, found.at_10.ceiling) == pytest.approx((2 / 8, 7 / 8, 1))


def test_where_all_is_alike_partners_are_found_by_chance():
    """Of equals the first counts: the partner of the i-th query ranks i-th."""
    labels = np.arange(100) % 10
    side = Posteriors(np.ones((100, Z), np.float32), np.zeros((100, Z), np.float32), labels)
    found = pair_recall(side, side, draws(2))
    for at in (found.at_1, found.at_5, found.at_10):
        assert at.image_to_speech.mean == at.speech_to_image.mean == at.chance


def test_modalities_without_a_common_digit_have_no_pairs():
    assert pair_recall(on_a_line([1], [3]), on_a_line([1], [4]), draws(1)) is None


def test_kl_is_that_of_the_objective(rng):
    means, log_variances = (rng.standard_normal((20, Z)).astype(np.float32) for _ in range(2))
    found = one_modality(Posteriors(means, log_variances, np.arange(20) % 10))
    gaussian = DiagonalGaussian(torch.from_numpy(means), torch.from_numpy(log_variances))
    assert found.mean_kl == pytest.approx(gaussian.kl_to_prior().mean().item(), rel=1e-5)


def test_dimensions_that_never_move_are_not_active(rng):
    means = np.ones((500, Z), np.float32)
    means[:, :7] += 0.2 * rng.standard_normal((500, 7)).astype(np.float32)
    means[:, 7:] += 0.01 * rng.standard_normal((500, Z - 7)).astype(np.float32)
    assert one_modality(Posteriors(means, np.zeros((500, Z)), np.arange(500) % 10)).active_dimensions == 7


def test_width_is_the_entropy_of_the_gaussian():
    log_variances = np.array([[0.0, 1.0], [-3.0, 2.0]], np.float32)
    widths = entropies(Posteriors(np.zeros((2, 2)), log_variances, np.array([0, 1])))
    for width, logs in zip(widths, log_variances, strict=True):
        gaussian = torch.distributions.MultivariateNormal(torch.zeros(2), torch.diag(torch.from_numpy(logs).exp()))
        assert width == pytest.approx(gaussian.entropy().item(), rel=1e-5)


def test_calibration_by_hand():
    """Wrong are widths 4 and 2; of the 2 * 3 pairs with a right one, 3 + 1 have the wrong one wider."""
    found = calibration(np.array([3.0, 4.0, 0.0, 2.0, 1.0]), np.array([True, False, True, False, True]), bins=2)
    assert found.auroc == pytest.approx(5 / 6)
    assert found.errors == 2
    assert found.bins == (CalibrationBin(0.0, 2.0, 3, pytest.approx(2 / 3)), CalibrationBin(3.0, 4.0, 2, 0.5))


@pytest.mark.parametrize("right", [True, False])
def test_where_all_are_alike_there_is_nothing_to_warn_of(right):
    found = calibration(np.array([1.0, 2.0]), np.array([right, right]))
    assert found.auroc is None
    assert [part.p_at_1 for part in found.bins] == [float(right)] * 2
