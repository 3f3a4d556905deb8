"""The whole evaluation: what a report holds, in which order it comes, and what it must not be fooled by."""

import json
from dataclasses import replace

import numpy as np
import pytest
from clouds import posteriors

from model.evaluation import Interval, Partial, Report, evaluate, evaluating, invariance, judge
from model.evaluation.paper import PaperRow
from model.evaluation.report import Calibration

SETTING = {"lambda_ig": 2e-2, "images": "mnist"}


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture(autouse=True)
def _quick_svm(monkeypatch):
    """Choosing C takes most of the time, and SVMs of a thousand embeddings most of the rest."""
    monkeypatch.setattr(invariance, "SVM_PENALTIES", [1.0])
    monkeypatch.setattr(invariance, "PAPER_UTTERANCES", 300)


def test_a_perfect_model_gets_a_perfect_report(rng):
    report = evaluate(posteriors(rng, 90), posteriors(rng, 60), 1, SETTING, resamplings=3)
    assert report.purity == Interval(1.0, 1.0, 1.0, (1.0, 1.0, 1.0))
    assert report.modality_svm.mean == pytest.approx(0.5, abs=0.1)
    assert report.modality_svm.low <= report.modality_svm.mean <= report.modality_svm.high
    for direction, queries in ((report.image_to_speech, 90), (report.speech_to_image, 60)):
        assert direction.retrieval.p_at_1 == direction.retrieval.mean_average_precision == 1.0
        assert direction.transfer.linear == direction.transfer.nearest_neighbours == 1.0
        assert direction.calibration.auroc is None
        assert np.array_equal(direction.confusion, np.eye(10) * queries // 10)
        assert direction.per_digit == dict.fromkeys(range(10), 1.0)
        assert direction.p_at_1_samples == direction.transfer.linear_1 == Interval(1.0, 1.0, 1.0, (1.0, 1.0, 1.0))
    assert report.v_measure.mean == report.homogeneity.mean == report.completeness.mean == pytest.approx(1.0)
    assert report.modality_gap.share == pytest.approx(0.0, abs=0.001)
    assert (report.pair_recall.pairs, report.pair_recall.at_5.ceiling) == (60, 5 / 6)
    assert report.image.active_dimensions == report.speech.active_dimensions == 10
    assert report.paper == PaperRow(2.15e-2, 0.984, 0.554)
    assert report.setting == {
        "lambda_ig": 2e-2,
        "images": "mnist",
        "n_images": 90,
        "n_utterances": 60,
        "inputs_per_modality": 60,
        "samples_per_input": 16,
        "resamplings": 3,
        "neighbours": 10,
        "seed": 1,
    }


def test_posteriors_without_variance_are_judged_by_all_that_needs_none(rng):
    points = [posteriors(rng, count, own=0.5, log_variance=-np.inf) for count in (90, 60)]
    with np.errstate(all="raise"):
        report = evaluate(*points, 1, SETTING, resamplings=1)
    assert report.image.mean_kl is report.speech.mean_kl is None
    assert report.image_to_speech.calibration == Calibration(None, (), 0)
    assert report.purity.mean > 0.9
    assert report.v_measure.mean > 0.8
    assert report.modality_gap.distance > 0
    for direction in (report.image_to_speech, report.speech_to_image):
        assert direction.p_at_1_samples.mean == direction.retrieval.p_at_1, "a sample is the mean"
        assert direction.transfer.linear_5.mean > 0.9
    again = Report.from_json_dict(json.loads(json.dumps(report.to_json_dict(), allow_nan=False)))
    assert again == report


def test_a_model_that_tears_the_modalities_apart_is_impure_even_among_many_images(rng):
    """Ten digits in two far clouds share ten clusters, however many images outnumber the utterances."""
    report = evaluate(posteriors(rng, 2000), posteriors(rng, 60, shift=100.0), 0, SETTING, resamplings=2)
    assert report.purity.high < 0.8
    assert report.v_measure.mean < 0.75
    assert report.modality_gap.share > 0.9
    assert report.modality_svm.values == report.modality_svm_unseen_inputs.values == (1.0, 1.0)


def test_the_first_numbers_are_retrieval_and_each_part_adds_to_what_was_known(rng):
    images, speech = posteriors(rng, 40, own=2.0), posteriors(rng, 30, own=2.0)
    *partials, report = evaluating(images, speech, 0, SETTING, resamplings=2)
    assert isinstance(report, Report)
    assert all(isinstance(partial, Partial) for partial in partials)
    shares = [partial.share for partial in partials]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    final = report.to_json_dict()

    first = partials[0].values
    assert first["image_to_speech"]["retrieval"] == final["image_to_speech"]["retrieval"]
    assert first["paper"] == final["paper"]
    assert first["modality_gap"] == final["modality_gap"]
    assert first["pair_recall"] == final["pair_recall"]
    assert "transfer" not in first["image_to_speech"]
    assert "purity" not in first
    assert partials[1].values["speech_to_image"]["transfer"] == final["speech_to_image"]["transfer"]
    known = [len(partial.values.get("purity", {"values": ()})["values"]) for partial in partials]
    assert known == [0, 0, 1, 1, 1, 2, 2, 2]
    assert partials[2].values["purity"]["values"] == report.purity.values[:1]
    assert partials[2].values["v_measure"]["values"] == report.v_measure.values[:1]
    assert {**partials[-1].values, "seconds": report.seconds, "setting": report.setting} == final
    json.dumps([partial.values for partial in partials])


def test_resamplings_differ_and_are_fixed_by_the_seed(rng):
    images, speech = posteriors(rng, 60, log_variance=0.0), posteriors(rng, 40, log_variance=0.0)
    first, again, other = (evaluate(images, speech, seed, SETTING, resamplings=3).to_json_dict() for seed in (5, 5, 6))
    assert {**first, "seconds": 0} == {**again, "seconds": 0}
    assert first["modality_svm"] != other["modality_svm"]
    by_chance = ("p_at_1_samples", "transfer")
    first_way, other_way = first["image_to_speech"], other["image_to_speech"]
    for name in set(first_way) - set(by_chance):
        assert first_way[name] == other_way[name], "no chance in it"
    for name in ("nearest_neighbours", "linear"):
        assert first_way["transfer"][name] == other_way["transfer"][name]
    assert first_way["p_at_1_samples"] != other_way["p_at_1_samples"]
    assert len(set(first["modality_svm"]["values"])) > 1


def test_an_interval_holds_where_only_chance_speaks(rng, monkeypatch):
    """Both modalities from one distribution, other inputs each time, and one for every embedding: 0.5 lies within."""
    for module in (invariance, judge):
        monkeypatch.setattr(module, "PAPER_UTTERANCES", 200)
    images, speech = posteriors(rng, 2000, own=0.3), posteriors(rng, 2000, own=0.3)
    report = evaluate(images, speech, 0, SETTING, resamplings=4)
    assert report.modality_svm == report.modality_svm_unseen_inputs  # computed once: every embedding has its input
    assert report.modality_svm.low < 0.5 < report.modality_svm.high


def test_speakers_are_those_of_the_utterances_in_both_directions(rng):
    """Jackson's utterances are all taken for the next digit."""
    images, speech = posteriors(rng, 30), posteriors(rng, 40, speakers=("theo",) * 20 + ("jackson",) * 20)
    speech.means[20:] = np.roll(speech.means[20:], 1, axis=0) * 2
    report = evaluate(images, speech, 0, SETTING, resamplings=1)
    assert report.speech_to_image.per_speaker == {"jackson": 0.0, "theo": 1.0}
    assert report.image_to_speech.per_speaker == {"jackson": 0.0}  # the longer vectors win every query


def test_wide_posteriors_cost_samples_what_they_do_not_cost_means(rng):
    images, speech = posteriors(rng, 60, log_variance=2.0), posteriors(rng, 40, log_variance=2.0)
    found = evaluate(images, speech, 0, SETTING, resamplings=2).image_to_speech
    assert found.retrieval.p_at_1 == 1.0
    assert found.p_at_1_samples.high < 0.9


def test_wide_posteriors_that_are_wrong_are_found(rng):
    images, speech = posteriors(rng, 30), posteriors(rng, 40)
    speech.means[30:] = np.roll(speech.means[30:], 1, axis=0)
    speech.log_variances[30:] = 0.0
    report = evaluate(images, speech, 0, SETTING, resamplings=1)
    assert report.speech_to_image.calibration.auroc == 1.0
    assert report.speech_to_image.calibration.bins[0].p_at_1 == 1.0
    assert report.speech_to_image.calibration.bins[-1].p_at_1 == 0.0


def test_many_resamplings_narrow_the_interval(rng, monkeypatch):
    """The figures of eight resamplings are those of four, and four more."""
    monkeypatch.setattr(judge, "modality_svm", lambda *_arguments, **_options: 0.5)
    images, speech = posteriors(rng, 60, own=1.5), posteriors(rng, 40, own=1.5)
    few, many = (evaluate(images, speech, 0, SETTING, resamplings=count).purity for count in (4, 8))
    assert many.values[:4] == few.values
    assert many.high - many.low < few.high - few.low


def test_the_confidence_is_measured_by_the_similarity_of_the_model(rng):
    """By the cosine, longer queries are no more certain than others; by the dot product they are."""
    images, speech = (posteriors(rng, 60, own=3.0) for _ in range(2))
    lengths = np.where(np.arange(60) % 2, 7, 1)[:, None].astype(np.float32)
    for similarity, same in (("cosine", True), ("dot", False)):
        one, other = (
            evaluate(
                replace(images, means=means, similarity=similarity),
                replace(speech, similarity=similarity),
                0,
                SETTING,
                resamplings=1,
            ).image_to_speech.confidence
            for means in (images.means, images.means * lengths)
        )
        assert one.errors == other.errors > 0
        assert (one.risk == pytest.approx(other.risk)) is same
