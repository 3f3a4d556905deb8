"""Purity, the modality SVM and sampling, on embeddings whose figures are known beforehand."""

import numpy as np
import pytest
from clouds import Z, posteriors
from sklearn.metrics import homogeneity_score, normalized_mutual_info_score

from model.evaluation import EvaluationError, Posteriors, cluster_purity, invariance, modality_svm, purity_of_assignment
from model.evaluation.clusters import agreement
from model.evaluation.invariance import modality_gap
from model.evaluation.report import ModalityGap


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def test_purity_by_hand():
    """Clusters {3, 3, 7}, {7, 7, 1, 1}, {5}: Eq. 6 gives (2 + 2 + 1) / 8."""
    clusters = np.array([4, 4, 4, 0, 0, 0, 0, 9])
    digits = np.array([3, 3, 7, 7, 7, 1, 1, 5])
    assert purity_of_assignment(clusters, digits) == 5 / 8


def test_purity_of_ten_clear_clouds_is_one(rng):
    side = posteriors(rng, 200)
    assert cluster_purity(side.means, side.labels, seed=0) == 1.0


def test_purity_of_labels_without_clusters_is_near_chance(rng):
    embeddings = rng.standard_normal((500, Z)).astype(np.float32)
    assert cluster_purity(embeddings, np.arange(500) % 10, seed=0) < 0.3


def test_purity_halves_when_each_digit_falls_into_two_clouds_and_clusters_hold_two(rng):
    """How the paper explains 0.525 at lambda_IG = 0, with two clusters for two digits in two modalities."""
    labels = np.repeat([0, 1, 0, 1], 50)
    centres = np.array([[0, 0], [1, 0], [20, 0], [21, 0]], dtype=np.float32)  # near: digits; far: modalities
    embeddings = np.repeat(centres, 50, axis=0) + 0.01 * rng.standard_normal((200, 2)).astype(np.float32)
    assert cluster_purity(embeddings, labels, seed=0, clusters=2) == 0.5


def test_agreement_by_hand():
    """Two digits, each in two clusters of its own: I = H(digit) = 1 bit, H(cluster) = 2 bits."""
    found = agreement(np.array([0, 0, 1, 1, 2, 2, 3, 3]), np.array([5, 5, 5, 5, 8, 8, 8, 8]))
    assert found == pytest.approx((2 / 3, 1.0, 0.5))


def test_the_v_measure_is_normalised_mutual_information(rng):
    for noise in (0.1, 0.5, 1.0):
        digits = rng.integers(0, 10, 400)
        clusters = np.where(rng.random(400) < noise, rng.integers(0, 12, 400), digits)
        found = agreement(clusters, digits)
        assert found.v_measure == pytest.approx(
            normalized_mutual_info_score(digits, clusters, average_method="arithmetic")
        )
        assert found.homogeneity == pytest.approx(homogeneity_score(digits, clusters))
        assert found.completeness == pytest.approx(homogeneity_score(clusters, digits))


def test_what_clusters_are_called_is_of_no_account(rng):
    digits, clusters = rng.integers(0, 10, 300), rng.integers(0, 10, 300)
    renamed, shuffled = rng.permutation(10)[clusters], rng.permutation(300)
    assert agreement(renamed, digits) == pytest.approx(agreement(clusters, digits))
    assert agreement(clusters[shuffled], digits[shuffled]) == pytest.approx(agreement(clusters, digits))
    assert purity_of_assignment(renamed, digits) == purity_of_assignment(clusters, digits)


def points(*means) -> Posteriors:
    return Posteriors(np.array(means, np.float32), np.full((len(means), 2), -np.inf, np.float32), np.arange(len(means)))


def test_the_modality_gap_by_hand():
    """Centroids (0, 1) and (6, 1), total variances 1 and (3 + 2 + 3) / 4 = 2: 9 of 9 + 1.5 lie between."""
    images = points([0, 0], [0, 2])
    speech = points([6, 3], [6, -1], [6, 1], [6, 1])
    assert modality_gap(images, speech) == ModalityGap(6.0, pytest.approx(9 / 10.5))


def test_the_share_of_the_gap_is_that_of_sums_of_squares_where_both_modalities_have_as_many_inputs(rng):
    images, speech = posteriors(rng, 80, own=0.5), posteriors(rng, 80, shift=3.0, own=1.5)
    both = np.concatenate([images.means, speech.means]).astype(float)
    centroids = np.repeat([both[:80].mean(axis=0), both[80:].mean(axis=0)], 80, axis=0)
    middle = both.mean(axis=0)
    assert modality_gap(images, speech).share == pytest.approx(
        ((centroids - middle) ** 2).sum() / ((both - middle) ** 2).sum()
    )


def test_the_share_of_the_gap_knows_neither_order_nor_scale_nor_place(rng):
    images, speech = posteriors(rng, 90, own=0.5), posteriors(rng, 40, shift=2.0, own=0.5)
    gap = modality_gap(images, speech)
    moved = [Posteriors(3 * side.means + 1, side.log_variances, side.labels) for side in (images, speech)]
    assert modality_gap(*moved).share == pytest.approx(gap.share, rel=1e-4)
    assert modality_gap(*moved).distance == pytest.approx(3 * gap.distance, rel=1e-4)
    assert modality_gap(speech, images) == ModalityGap(pytest.approx(gap.distance), pytest.approx(gap.share))
    twice = images.take(np.repeat(np.arange(90), 2))
    assert modality_gap(twice, speech).share == pytest.approx(gap.share), "modalities weigh alike"


def test_without_a_gap_the_share_is_what_chance_leaves(rng):
    shares = [modality_gap(posteriors(rng, 200, own=0.5), posteriors(rng, 50, own=0.5)).share for _ in range(20)]
    # Digits are equally frequent on both sides, so that only what is each input's own moves the centroids.
    own, all_of_it = 0.25 * Z, 0.25 * Z + 36 * 0.9
    assert np.mean(shares) == pytest.approx((1 / 200 + 1 / 50) / 4 * own / all_of_it, rel=0.15)


def test_where_all_is_one_point_nothing_lies_between():
    assert modality_gap(points([1, 2], [1, 2]), points([1, 2])) == ModalityGap(0.0, None)
    assert modality_gap(points([0, 0]), points([0, 2])) == ModalityGap(2.0, 1.0)


def test_svm_tells_two_clouds_apart(rng):
    images, speech = (posteriors(rng, 120, shift).sample(4, rng) for shift in (0.0, 5.0))
    assert modality_svm(images, speech, seed=0) == 1.0
    assert modality_svm(images, speech, seed=0, unseen_inputs=True) == 1.0


def test_svm_is_at_a_loss_where_both_modalities_are_alike(rng):
    images, speech = (posteriors(rng, 1076).sample(1, rng) for _ in range(2))
    assert modality_svm(images, speech, seed=0) == pytest.approx(0.5, abs=0.07)


def test_svm_uses_1600_of_2152_embeddings_to_train(rng, monkeypatch):
    from sklearn.model_selection import GridSearchCV

    sizes = {}
    fit, score = GridSearchCV.fit, GridSearchCV.score

    def spy_on_fit(self, x, y, **params):
        sizes["train"], sizes["folds"] = (len(x), y.mean()), self.cv.get_n_splits(x, y, **params)
        return fit(self, x, y, **params)

    def spy_on_score(self, x, y):
        sizes["test"] = (len(x), y.mean())
        return score(self, x, y)

    monkeypatch.setattr(invariance, "SVM_PENALTIES", [1.0])
    monkeypatch.setattr(GridSearchCV, "fit", spy_on_fit)
    monkeypatch.setattr(GridSearchCV, "score", spy_on_score)
    modality_svm(posteriors(rng, 1200).sample(1, rng), posteriors(rng, 300).sample(16, rng), seed=0)
    assert sizes == {"train": (1600, 0.5), "folds": 3, "test": (552, 0.5)}


def test_knowing_an_utterance_helps_only_where_it_is_seen_in_training(rng):
    """Few utterances, each a narrow cloud of its own, both modalities from one distribution."""
    images = posteriors(rng, 400, own=1.0).sample(1, rng)
    speech = posteriors(rng, 40, own=1.0).sample(10, rng)
    assert modality_svm(images, speech, seed=0) > 0.8
    assert modality_svm(images, speech, seed=0, unseen_inputs=True) < 0.65


def test_both_svms_agree_where_every_embedding_has_its_own_input(rng):
    images, speech = (posteriors(rng, 200, shift, own=0.5).sample(1, rng) for shift in (0.0, 0.7))
    assert modality_svm(images, speech, seed=3) == modality_svm(images, speech, seed=3, unseen_inputs=True)


def test_svm_refuses_a_handful_of_inputs(rng):
    few, many = posteriors(rng, 5).sample(1, rng), posteriors(rng, 50).sample(1, rng)
    with pytest.raises(EvaluationError, match="at least 12"):
        modality_svm(few, many, seed=0)


def test_samples_follow_the_posterior(rng):
    side = Posteriors(np.full((1, Z), 3, np.float32), np.full((1, Z), np.log(4.0), np.float32), np.array([1]))
    samples = side.sample(2000, rng)
    assert samples.shape == (1, 2000, Z)
    assert samples.dtype == np.float32
    assert samples.mean() == pytest.approx(3, abs=0.02)
    assert samples.std() == pytest.approx(2, abs=0.02)


@pytest.mark.parametrize(
    ("means", "log_variances", "labels", "complaint"),
    [
        (np.zeros((0, Z)), np.zeros((0, Z)), np.zeros(0, int), "nothing to evaluate"),
        (np.zeros((3, Z)), np.zeros((3, 2)), np.zeros(3, int), "do not match"),
        (np.zeros((3, Z)), np.zeros((3, Z)), np.zeros(4, int), "do not match"),
        (np.full((3, Z), np.nan), np.zeros((3, Z)), np.zeros(3, int), "diverged"),
    ],
)
def test_unusable_posteriors_are_refused(means, log_variances, labels, complaint):
    with pytest.raises(EvaluationError, match=complaint):
        Posteriors(means, log_variances, labels)


def test_speakers_must_fit_too():
    with pytest.raises(EvaluationError, match="2 speakers"):
        Posteriors(np.zeros((3, Z)), np.zeros((3, Z)), np.zeros(3, int), ("theo", "jackson"))


def test_speakers_go_with_their_inputs(rng):
    side = posteriors(rng, 3, speakers=("theo", "jackson", "lucas"))
    assert side.take(np.array([2, 0])).speakers == ("lucas", "theo")
