"""Tables, read again: CSV by a program, Markdown and LaTeX cell by cell."""

import csv
import re
from dataclasses import replace

import pytest
from exhibits import report, sweep

from model.export import tables, words


def table():
    return tables.comparison([("fast_1 & $2|", report()), ("no gain", report(0.0, 0.5, 1.0, seed=3))])


def read_csv(made, tmp_path):
    tables.save(made, tmp_path / "table.csv")
    with (tmp_path / "table.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def cells(line):
    """Of a line of Markdown, where an escaped bar is no border."""
    return [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def test_csv_has_a_line_for_every_model_in_full_precision(tmp_path):
    first, second = read_csv(table(), tmp_path)
    assert first["model"] == "fast_1 & $2|"
    interval = report().purity
    assert [float(first[name]) for name in ("purity", "purity_low", "purity_high")] == [
        interval.mean,
        interval.low,
        interval.high,
    ]
    interval = [float(first[f"p_at_1_image_to_speech{part}"]) for part in ("_low", "", "_high")]
    assert interval == [0.875, 0.975, 0.995]
    assert [float(first[f"v_measure{part}"]) for part in ("", "_low")] == [
        report().v_measure.mean,
        report().v_measure.low,
    ]
    assert (float(first["modality_gap"]), float(first["modality_gap_share"])) == (4.25, 0.125)
    assert float(first["transfer_linear_5_image_to_speech"]) == pytest.approx(0.85)
    assert first["transfer_linear_20_image_to_speech"] == "", "not so many labels"
    assert [float(first[f"recall_at_5_{part}"]) for part in ("ceiling", "chance")] == [1.0, 0.25]
    assert float(second["modality_svm"]) == report(0.0, 0.5, 1.0).modality_svm.mean
    assert float(first["mean_kl_image"]) == 40.56
    assert first["active_dimensions_speech"] == "18"
    assert float(first["calibration_auroc_image_to_speech"]) == 0.7
    assert first["calibration_auroc_speech_to_image"] == "", "nobody could tell"


def test_csv_says_what_the_caption_says(tmp_path):
    first, second = read_csv(table(), tmp_path)
    assert (second["recipe"], float(second["lambda_ig"]), second["trained_with_seed"]) == ("fast", 0.0, "3")
    assert (first["trained_on"], first["images"], first["n_utterances"]) == ("mnist, fsdd and voices", "mnist", "20")
    assert (float(first["paper_purity"]), float(first["paper_modality_svm"])) == (0.984, 0.554)


def test_markdown_puts_the_paper_beside_the_models(tmp_path):
    tables.save(table(), tmp_path / "table.md")
    lines = (tmp_path / "table.md").read_text("utf-8").splitlines()
    rows = [cells(line) for line in lines if line.startswith("|")]
    assert rows[0] == ["", r"fast_1 & \$2|", "no gain", "the paper, λ_IG = 2.15e-2", "the paper, λ_IG = 0"]
    assert {len(row) for row in rows} == {5}
    by_name = {row[0]: row[1:] for row in rows[2:]}
    assert len(by_name) == len(tables.MEASURES)
    assert by_name["Cluster purity"] == ["0.980 ± 0.025", "0.500 ± 0.025", "0.984", "0.525"]
    assert by_name["P@1, image → speech"] == ["0.975 (0.875–0.995)", "0.975 (0.875–0.995)", "", ""]
    assert by_name["Wrong nearest matches, image → speech"][0] == "1"
    assert by_name["V-measure of the clusters (= NMI)"][0] == "0.950 ± 0.127"
    assert by_name["Modality gap, share of variance"][0] == "0.125"
    assert by_name["P@1 by single samples, speech → image"][0] == "0.800 ± 0.635"
    assert by_name["Label transfer, 1 label a digit, image → speech"][0] == "0.750 ± 0.635"
    assert by_name["Label transfer, 20 labels a digit, image → speech"][0] == "–"
    assert [by_name[f"R@1 of one partner, {of}"][0] for of in ("ceiling", "chance")] == ["0.500", "0.050"]
    assert by_name["Mean KL from the prior (nats), images"][0] == "40.6"
    assert by_name["Wider when wrong, AUROC, speech → image"][0] == "–"
    assert "recipe fast, λ_IG = 0, 1,600 steps on mnist, fsdd and voices, seed 3" in lines[-1]
    assert lines[-1].startswith(
        "Test inputs: 40 images (mnist), 20 utterances (fsdd, 2 speakers, all heard in training); purity on 20 + 20 "
        "inputs, 16 samples an input; 3 resamplings that share these utterances, seed 0."
    )


def test_a_report_of_an_earlier_version_has_dashes_for_what_was_not_measured_then(tmp_path):
    old = replace(report(), v_measure=None, homogeneity=None, completeness=None, modality_gap=None, pair_recall=None)
    made = tables.comparison([("old", old), ("new", report())])
    by_name = {row[0]: row[1] for row in made.rows}
    for name in ("V-measure of the clusters (= NMI)", "Modality gap, distance of centroids", "Pairs for R@k"):
        assert by_name[name] == "–"
    assert by_name["R@10 of one partner, image → speech"] == "–"
    first, second = read_csv(made, tmp_path)
    assert first["modality_gap"] == first["recall_at_1_chance"] == first["v_measure_low"] == ""
    assert float(second["modality_gap"]) == 4.25


def test_latex_escapes_names_and_has_as_many_cells_in_every_row(tmp_path):
    tables.save(table(), tmp_path / "table.tex")
    text = (tmp_path / "table.tex").read_text("utf-8")
    assert r"fast\_1 \& \$2\textbar{}" in text
    body = text[text.index(r"\toprule") : text.index(r"\bottomrule")]
    rows = [line for line in body.splitlines() if line.endswith(r"\\")]
    assert len(rows) == 1 + len(tables.MEASURES)
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {4}
    assert r"\begin{tabular}{lrrrr}" in text
    assert r"Cluster purity & 0.980 $\pm$ 0.025 & 0.500 $\pm$ 0.025 & 0.984 & 0.525 \\" in text
    assert text.isascii(), "every LaTeX sets it"
    assert re.findall(r"\\(begin|end)\{(\w+)\}", text) == [
        ("begin", "table"),
        ("begin", "tabular"),
        ("end", "tabular"),
        ("end", "table"),
    ]


def test_a_table_of_one_model_has_one_column_of_the_paper():
    made = tables.comparison([("a", report()), ("b", report(2e-2))])
    assert made.head == ("", "a", "b", "the paper, λ_IG = 2.15e-2")


def test_the_sweep_tells_mean_and_range_of_seeds_beside_the_paper():
    made = tables.sweep(sweep())
    ranked = ("0.975 (0.975–0.975)", "0.950 (0.950–0.950)")
    assert made.rows == (
        ("0", "2", "0.510 (0.500–0.520)", "0.960 (0.940–0.980)", *ranked, "0.525", "1.000"),
        ("2.15e-2", "2", "0.980 (0.970–0.990)", "0.540 (0.520–0.560)", *ranked, "0.984", "0.554"),
        ("5e-1", "1", "0.600", "0.500", "0.975", "0.950", "", ""),
    )
    assert "seeds 0 and 1. Mean of the seeds" in made.caption
    assert [(record["lambda_ig"], record["trained_with_seed"]) for record in made.records] == [
        (0.0, 0),
        (0.0, 1),
        (0.0215, 0),
        (0.0215, 1),
        (0.5, 0),
    ]


def test_what_is_said_of_data_knows_who_was_left_out_and_what_came_before():
    judged = report(lambda_ig=6.81e-5)
    before = {"images": ["mnist"], "speech": ["voices"], "started_from": {"name": "older.safetensors", "sha256": "0"}}
    started_from = {"name": "old.safetensors", "data": before}
    data = {"images": "mnist", "speech": ["fsdd"], "left_out": "theo", "started_from": started_from}
    who = {"speaker": "theo", "speakers": 1, "speakers_heard": None}
    changed = {**judged.setting, "trained_on": data, **who}
    object.__setattr__(judged, "setting", changed)
    caption = tables.comparison([("x", judged)]).caption
    assert "20 utterances (fsdd, speaker theo, perhaps heard in training: " in caption
    assert (
        "λ_IG = 6.81e-5, 1,600 steps on mnist and fsdd without theo, started from old.safetensors, trained on mnist "
        "and voices, started from older.safetensors, whose training data are not recorded, seed 0"
    ) in caption


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({}, ""),
        ({"speaker": "theo"}, "speaker theo"),
        ({"speakers": 6, "speakers_heard": 6}, "6 speakers, all heard in training"),
        ({"speakers": 12, "speakers_heard": 0}, "12 speakers, none heard in training"),
        ({"speakers": 6, "speakers_heard": 5}, "6 speakers, 5 heard in training"),
        ({"speaker": "theo", "speakers": 1, "speakers_heard": 1}, "speaker theo, heard in training"),
        ({"speaker": "theo", "speakers": 1, "speakers_heard": 0}, "speaker theo, not heard in training"),
    ],
)
def test_it_is_said_whether_training_heard_who_speaks(setting, said):
    assert words.speakers(setting) == said


def test_nothing_to_tell_and_other_formats_are_refused(tmp_path):
    with pytest.raises(ValueError, match="at least one model"):
        tables.comparison([])
    with pytest.raises(ValueError, match="at least one model"):
        tables.sweep([])
    with pytest.raises(ValueError, match=r"csv, md, tex, not as 'table\.xlsx'"):
        tables.save(table(), tmp_path / "table.xlsx")
