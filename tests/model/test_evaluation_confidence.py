"""What the confidence is worth, against values computed by hand."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from model.evaluation import Posteriors, evaluate
from model.evaluation.confidence import (
    ConfidenceMeasures,
    ReliabilityBin,
    confidence_measures,
    expected_calibration_error,
    reliability,
    selective_risks,
)
from model.evaluation.report import Report, parse_report
from model.retrieval.confidence import Calibration, Confidence, Rejection
from model.types import Modality

SHARES = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
RIGHT = np.array([True, True, False, True, False])


def test_risks_area_and_auroc_by_hand():
    assert selective_risks(SHARES, RIGHT) == pytest.approx([0, 0, 1 / 3, 1 / 4, 2 / 5])
    found = confidence_measures(SHARES, RIGHT)
    assert found.aurc == pytest.approx((1 / 3 + 1 / 4 + 2 / 5) / 5)
    # Of the six pairs of a right and a wrong guess, one is in the wrong order: 0.6 is right and 0.7 wrong.
    assert found.auroc == pytest.approx(5 / 6)
    assert (found.errors, found.queries) == (2, 5)
    assert np.array(found.curve) == pytest.approx(
        np.array([[0.2, 0], [0.4, 0], [0.6, 1 / 3], [0.8, 1 / 4], [1, 2 / 5]])
    )
    assert (found.bins, found.ece, found.rejected) == ((), None, None)


def test_the_calibration_error_by_hand():
    bins = reliability(np.array([0.9, 0.2, 0.8, 0.3]), np.array([True, False, False, True]), bins=2)
    assert bins == (
        ReliabilityBin(2, pytest.approx(0.25), 0.5),
        ReliabilityBin(2, pytest.approx(0.85), 0.5),
    )
    assert expected_calibration_error(bins) == pytest.approx(0.5 * 0.25 + 0.5 * 0.35)


def test_the_curve_has_at_most_twenty_points_and_ends_with_all_queries():
    found = confidence_measures(np.arange(1000.0), np.arange(1000) > 30)
    assert len(found.curve) == 20
    assert found.curve[-1] == (1, pytest.approx(0.031))


def test_without_errors_there_is_no_auroc():
    found = confidence_measures(SHARES, np.ones(5, bool), np.full(5, 0.9), np.array([True, False, False, False, False]))
    assert (found.auroc, found.aurc, found.rejected) == (None, 0, 1)
    assert found.ece == pytest.approx(0.1)


def test_measures_survive_json():
    found = confidence_measures(SHARES, RIGHT, np.linspace(0.9, 0.5, 5), RIGHT)
    assert ConfidenceMeasures.from_json_dict(json.loads(json.dumps(asdict(found)))) == found


def side(rng, wrong=0):
    labels = np.arange(60) % 10
    means = 3 * np.eye(16, dtype=np.float32)[labels] + rng.normal(0, 0.1, (60, 16)).astype(np.float32)
    means[:wrong] = 0.5 * np.eye(16, dtype=np.float32)[(labels[:wrong] + 1) % 10]
    return Posteriors(means, np.zeros_like(means), labels)


@pytest.fixture(scope="module")
def report():
    rng = np.random.default_rng(0)
    fitted = {
        Modality.IMAGE: Confidence(Calibration(8.0, 0.0), Rejection((0.0,) * 32 + (1.0, 0.0, 0.0, 0.0), -0.5)),
        Modality.SPEECH: Confidence(Calibration(8.0, 0.0)),
    }
    return evaluate(side(rng, wrong=3), side(rng), 0, {"lambda_ig": 0.0}, 1, fitted)


def test_an_evaluation_judges_confidence_and_rejection(report):
    images, speech = report.image_to_speech.confidence, report.speech_to_image.confidence
    assert (images.errors, images.auroc, images.rejected, images.queries) == (3, 1.0, 3, 60)
    assert speech.rejected is None
    assert 0 <= images.ece <= 1


def test_reports_with_and_without_a_confidence_can_be_read(report):
    values = json.loads(json.dumps(report.to_json_dict()))
    assert parse_report(values).image_to_speech.confidence == report.image_to_speech.confidence
    for way in ("image_to_speech", "speech_to_image"):
        del values[way]["confidence"]
    assert Report.from_json_dict(values).image_to_speech.confidence is None
