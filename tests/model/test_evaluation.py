"""The evaluation on embeddings whose figures are known beforehand."""

import json

import numpy as np
import pytest

from model import evaluation
from model.evaluation import (
    EvaluationError,
    Posteriors,
    cluster_purity,
    evaluate,
    modality_svm,
    precision_at_1,
    purity_of_assignment,
)

Z = 128


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def posteriors(rng, n: int, shift: float = 0.0, own: float = 0.0, log_variance: float = -4.0) -> Posteriors:
    """Ten digits at ten corners; ``shift`` moves the whole modality, ``own`` scatters its inputs."""
    labels = np.arange(n) % 10
    means = 6 * np.eye(10, Z, dtype=np.float32)[labels] + own * rng.standard_normal((n, Z), dtype=np.float32)
    means[:, 20] += shift
    return Posteriors(means, np.full((n, Z), log_variance, dtype=np.float32), labels)


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

    monkeypatch.setattr(evaluation, "SVM_PENALTIES", [1.0])
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


def test_precision_at_1_by_hand():
    """Three queries, the second's nearest is of another digit; a long item wins by its dot product."""
    queries = np.array([[1, 0], [0, 1], [2, 1]], dtype=np.float32)
    gallery = np.array([[1, 0], [0, 1], [0, 9]], dtype=np.float32)
    found = precision_at_1(queries, gallery, np.array([4, 5, 6]), np.array([4, 5, 6]))
    assert found == pytest.approx(2 / 3)


def test_precision_at_1_does_not_depend_on_the_chunk(rng):
    queries, gallery = posteriors(rng, 97, own=3.0), posteriors(rng, 53, own=3.0)
    arguments = (queries.means, gallery.means, queries.labels, gallery.labels)
    assert 0 < precision_at_1(*arguments) < 1
    assert precision_at_1(*arguments, chunk=10) == precision_at_1(*arguments)


def test_samples_follow_the_posterior(rng):
    side = Posteriors(np.full((1, Z), 3, np.float32), np.full((1, Z), np.log(4.0), np.float32), np.array([1]))
    samples = side.sample(2000, rng)
    assert samples.shape == (1, 2000, Z)
    assert samples.dtype == np.float32
    assert samples.mean() == pytest.approx(3, abs=0.02)
    assert samples.std() == pytest.approx(2, abs=0.02)


def test_a_perfect_model_gets_a_perfect_report(rng):
    report = evaluate(posteriors(rng, 90), posteriors(rng, 60), seed=1, setting={"images": "mnist"})
    assert report.purity == 1.0
    assert report.modality_svm == pytest.approx(0.5, abs=0.1)
    assert (report.p_at_1.image_to_speech, report.p_at_1.speech_to_image) == (1.0, 1.0)
    assert report.setting == {
        "images": "mnist",
        "n_images": 90,
        "n_utterances": 60,
        "inputs_per_modality": 60,
        "samples_per_input": 16,
        "seed": 1,
    }


def test_a_model_that_tears_the_modalities_apart_is_impure_even_among_many_images(rng):
    """Ten digits in two far clouds share ten clusters, however many images outnumber the utterances."""
    report = evaluate(posteriors(rng, 2000), posteriors(rng, 60, shift=100.0), seed=0)
    assert report.purity < 0.7
    assert report.modality_svm == 1.0


def test_the_same_seed_gives_the_same_figures(rng):
    images, speech = posteriors(rng, 40, own=0.5), posteriors(rng, 30, own=0.5)
    first, second = (evaluate(images, speech, seed=5).to_json_dict() for _ in range(2))
    assert {**first, "seconds": 0} == {**second, "seconds": 0}


def test_report_is_json_with_the_promised_keys(rng):
    report = evaluate(posteriors(rng, 30), posteriors(rng, 30), seed=0, setting={"speech": "fsdd"})
    values = json.loads(json.dumps(report.to_json_dict()))
    assert {"purity", "modality_svm", "p_at_1", "seconds", "setting"} <= set(values)
    assert set(values["p_at_1"]) == {"image_to_speech", "speech_to_image"}
    assert values["setting"]["speech"] == "fsdd"


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


def test_the_table_is_the_papers():
    assert len(evaluation.PAPER_TABLE) == 8
    assert evaluation.PAPER_TABLE[2.15e-2] == (0.984, 0.554)
