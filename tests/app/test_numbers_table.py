"""The numbers of a model as a reader finds them: beside the paper's, and part by part while they come."""

from __future__ import annotations

from dataclasses import replace

import pytest
from evaluated import a_report
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot
from showing import shown
from test_screenshots import hidden_parts

from model.evaluation.report import Calibration, OneModality
from modinv_app.evaluate.calibration_bars import CalibrationBars
from modinv_app.evaluate.interval_strip import IntervalStrip
from modinv_app.evaluate.numbers_table import NumbersTable

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")


@pytest.fixture
def table(qtbot: QtBot) -> NumbersTable:
    return shown(qtbot, NumbersTable())


def cell(table: NumbersTable, name: str) -> str:
    (label,) = (label for label in table.findChildren(QLabel) if label.accessibleName() == name)
    return label.text()


def words(table: NumbersTable) -> str:
    return "\n".join(label.text() for label in table.findChildren(QLabel))


def test_a_report_stands_beside_the_papers_nearest_row(table: NumbersTable) -> None:
    table.show_numbers(a_report(lambda_ig=0.03).to_json_dict())
    assert cell(table, "Cluster purity") == "0.987"
    assert cell(table, "Modality SVM, by embedding") == "0.550"
    assert cell(table, "Modality SVM, unseen inputs") == "0.500"
    assert cell(table, "Cluster purity, paper") == "0.984"
    assert cell(table, "Modality SVM, by embedding, paper") == "0.554"
    assert "the paper, λ<sub>IG</sub> 2.15e-2" in words(table)
    assert "± 0.050" in words(table)


def test_every_measure_has_its_cell(table: NumbersTable) -> None:
    table.show_numbers(a_report().to_json_dict())
    expected = {
        "P@1, image → speech": "0.950",
        "P@1, speech → image": "0.950",
        "P@1, 95 % interval, image → speech": "0.850–0.970",
        "P@5, image → speech": "0.960",
        "P@10, speech → image": "0.950",
        "mAP, image → speech": "0.940",
        "Transfer, neighbours, image → speech": "0.930",
        "Transfer, linear, speech → image": "0.920",
        "Transfer, 5 labels, image → speech": "0.850 ± 0.127",
        "Transfer, 1 label, speech → image": "0.750 ± 0.635",
        "P@1, single samples, image → speech": "0.800 ± 0.635",
        "V-measure (= NMI), both modalities": "0.957 ± 0.127",
        "Homogeneity, both modalities": "0.967 ± 0.127",
        "Completeness, both modalities": "0.947 ± 0.127",
        "Modality gap, share of variance, both modalities": "0.125",
        "Modality gap, distance, both modalities": "4.250",
        "R@1, image → speech": "0.400 ± 0.635",
        "R@5, speech → image": "0.720 ± 0.508",
        "R@1, ceiling": "0.500",
        "R@10, chance": "0.500",
        "Mean KL from the prior, nats, images": "40.6",
        "Active dimensions, of 128, speech": "18",
    }
    assert {name: cell(table, name) for name in expected} == expected
    assert "AUROC 0.75, 2 wrong matches" in words(table)
    assert "20 pairs" in words(table)
    assert cell(table, "Transfer, 20 labels, image → speech") == "–", "not so many inputs a digit"


def test_posteriors_without_variance_have_no_divergence_and_no_width(table: NumbersTable) -> None:
    report = a_report()
    way = replace(report.image_to_speech, calibration=Calibration(None, (), 2))
    table.show_numbers(replace(report, image=OneModality(None, 9), image_to_speech=way).to_json_dict())
    assert cell(table, "Mean KL from the prior, nats, images") == "–", "nor will one come"
    assert "2 wrong matches" in words(table)
    table.grab()


def test_it_is_said_on_what_the_numbers_rest(table: NumbersTable) -> None:
    table.show_numbers(a_report().to_json_dict())
    assert (
        "40 images and 20 utterances that training never saw · 2 speakers, none heard in training · purity on 20 + 20 "
        "inputs, 16 samples an input; 3 resamplings that share these utterances · seed 0"
    ) in words(table)


def test_no_wrong_match_has_no_auroc(table: NumbersTable) -> None:
    report = a_report(mistakes={}).to_json_dict()
    report["image_to_speech"]["calibration"]["auroc"] = None
    table.show_numbers(report)
    assert "no wrong match" in words(table)


def test_a_report_of_an_earlier_version_has_no_interval(table: NumbersTable) -> None:
    report = a_report().to_json_dict()
    report["speech_to_image"]["retrieval"] |= {"p_at_1_low": None, "p_at_1_high": None}
    table.show_numbers(report)
    assert cell(table, "P@1, 95 % interval, speech → image") == "–"


def test_a_report_of_an_earlier_version_has_dashes_for_what_was_not_measured_then(table: NumbersTable) -> None:
    old = replace(a_report(), v_measure=None, homogeneity=None, completeness=None, modality_gap=None, pair_recall=None)
    table.show_numbers(old.to_json_dict())
    for name in (
        "V-measure (= NMI), both modalities",
        "Modality gap, distance, both modalities",
        "R@5, ceiling",
        "R@1, image → speech",
    ):
        assert cell(table, name) == "–"
    assert cell(table, "Cluster purity") == "0.987"


def test_nothing_is_cut_off(table: NumbersTable) -> None:
    table.show_numbers(a_report().to_json_dict())
    table.resize(1180, 600)
    assert table.widget().width() <= table.viewport().width()
    assert not hidden_parts(table.widget())


def test_numbers_come_part_by_part(table: NumbersTable) -> None:
    assert cell(table, "P@1, image → speech") == "–"
    whole = a_report().to_json_dict()
    first = {way: {"retrieval": whole[way]["retrieval"]} for way in ("image_to_speech", "speech_to_image")}
    table.show_numbers({"preliminary_images": 1000, **first})
    assert cell(table, "P@1, image → speech") == "0.950"
    assert cell(table, "Modality SVM, by embedding") == "…"
    assert "1,000 images alone" in words(table)
    table.show_numbers({**first, "paper": whole["paper"], "purity": whole["purity"]})
    assert cell(table, "Cluster purity") == "0.987"
    assert cell(table, "Transfer, linear, image → speech") == "…"
    assert "images alone" not in words(table)
    table.show_numbers({})
    assert cell(table, "Cluster purity") == cell(table, "Cluster purity, paper") == "–"


def test_intervals_and_bars_tell_their_numbers_to_pointer_and_ear(table: NumbersTable) -> None:
    table.show_numbers(a_report().to_json_dict())
    strip = table.findChildren(IntervalStrip)[0]
    assert strip.toolTip() == "0.962 to 1.012 (95 %)\nmeasured: 0.977, 0.987, 0.997\npaper: 0.984"
    assert "paper: 0.984" in strip.accessibleName()
    bars = table.findChildren(CalibrationBars)[0]
    assert "width -300.0 to -200.0 nats: 50.0% of 1234 wrong" in bars.toolTip()
