"""Reports as plain numbers: intervals, the paper's rows, and a JSON form that loses nothing."""

import json

import pytest
from exhibits import report
from fresh_python import imported_by

from model.evaluation.paper import PAPER_TABLE, PaperRow
from model.evaluation.protocol import EvaluationProtocol
from model.evaluation.report import Interval, Report, Transfer, parse_report
from model.types import Modality


def test_a_report_survives_json():
    assert Report.from_json_dict(json.loads(json.dumps(report().to_json_dict(), allow_nan=False))) == report()
    assert Report.from_json_dict(report().to_json_dict()) == report()


def test_reports_of_earlier_versions_have_no_interval_of_p_at_1_and_their_errors_are_counted():
    values = report().to_json_dict()
    way = values["image_to_speech"]
    del way["retrieval"]["p_at_1_low"], way["retrieval"]["p_at_1_high"], way["calibration"]["errors"]
    way["confusion"] = [[5 if row == column else 0 for column in range(10)] for row in range(10)]
    way["confusion"][3][8] = 2
    read = Report.from_json_dict(values).image_to_speech
    assert (read.retrieval.p_at_1_low, read.retrieval.p_at_1_high) == (None, None)
    assert read.calibration.errors == 2


def test_reports_of_earlier_versions_lack_what_was_not_measured_then():
    values = report().to_json_dict()
    for name in ("v_measure", "homogeneity", "completeness", "modality_gap", "pair_recall"):
        del values[name]
    for way in (values["image_to_speech"], values["speech_to_image"]):
        del way["p_at_1_samples"]
        way["transfer"] = {"nearest_neighbours": 0.93, "linear": 0.92}
    read = parse_report(values)
    assert read.v_measure is read.homogeneity is read.completeness is read.modality_gap is read.pair_recall is None
    assert read.image_to_speech.p_at_1_samples is None
    assert read.speech_to_image.transfer == Transfer(0.93, 0.92)
    assert Report.from_json_dict(read.to_json_dict()) == read


@pytest.mark.parametrize(
    ("part", "broken"),
    [("modality_gap", {"distance": "far", "share": 0.1}), ("pair_recall", {"pairs": 3}), ("v_measure", 1)],
)
def test_broken_parts_are_refused(part, broken):
    with pytest.raises(ValueError, match=r"report|distance"):
        parse_report({**report().to_json_dict(), part: broken})


def test_directions_are_named_by_the_query():
    both = report(p_at_1=(0.9, 0.8))
    assert both.direction(Modality.IMAGE).retrieval.p_at_1 == 0.9
    assert both.direction(Modality.SPEECH).retrieval.p_at_1 == 0.8


def test_an_interval_by_hand():
    """Mean 3, standard deviation sqrt(2.5), t(0.975, 4) = 2.776: half a width of 1.963."""
    interval = Interval.of([1, 2, 3, 4, 5])
    assert interval.mean == 3
    assert (interval.low, interval.high) == pytest.approx((3 - 1.9632, 3 + 1.9632), abs=1e-4)
    assert interval.values == (1, 2, 3, 4, 5)


def test_one_value_has_no_spread():
    assert Interval.of([0.25]) == Interval(0.25, 0.25, 0.25, (0.25,))


def test_the_table_is_the_papers():
    assert len(PAPER_TABLE) == 8
    assert PAPER_TABLE[2.15e-2] == (0.984, 0.554)


@pytest.mark.parametrize(
    ("wanted", "nearest"), [(0, 0), (1e-9, 1e-5), (1e-2, 2.15e-2), (2.15e-2, 2.15e-2), (0.4, 1.0), (50, 1.0)]
)
def test_the_papers_nearest_row_is_so_by_logarithm(wanted, nearest):
    row = PaperRow.nearest(wanted)
    assert (row.lambda_ig, row.purity, row.modality_svm) == (nearest, *PAPER_TABLE[nearest])


def test_a_protocol_survives_json():
    protocol = EvaluationProtocol(speech="voices", speaker="theo", seed=3, resamplings=7)
    assert EvaluationProtocol.from_dict(json.loads(json.dumps(protocol.to_dict()))) == protocol
    with pytest.raises(TypeError):
        EvaluationProtocol.from_dict({"corpus": "fsdd"})


def test_reports_need_nothing_heavy():
    assert not imported_by("import model.evaluation.report") & {"torch", "sklearn", "scipy", "openTSNE", "PySide6"}
