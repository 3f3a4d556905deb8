"""The header of the model that ships: what it says was measured by today's protocol, and README says the same."""

from pathlib import Path

import pytest

from model import locations
from model.checkpoints import Header, read_header
from model.data.conditions import CONDITIONS
from model.evaluation import EvaluationProtocol, clopper_pearson
from model.evaluation.report import Report
from model.recipes.recipe import Recipe

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")


@pytest.fixture(scope="module")
def header():
    return Header.from_dict(read_header(locations.shipped_model()))


@pytest.fixture(scope="module")
def reports(header):
    return {name: Report.from_json_dict(values) for name, values in header.metrics.items() if name != "conditions"}


def test_metrics_are_reports_with_data_protocol_and_seeds(header, reports):
    assert list(reports) == ["mnist+fsdd", "mnist+voices", "mnist+voices, unheard engine"]
    for name, report in reports.items():
        setting = report.setting
        assert f"{setting['images']}+{setting['speech']}" == name
        assert setting["trained_on"] == header.data
        # The model may be older than some fields of recipes, which the report has.
        assert Recipe.from_dict(setting["recipe_values"]) == Recipe.from_dict(header.recipe)
        assert setting["trained_with_seed"] == header.seed
        assert (setting["seed"], setting["resamplings"]) == (EvaluationProtocol().seed, len(report.purity.values))
        assert setting["speakers_heard"] == (setting["speakers"] if setting["speech"] == "fsdd" else 0)
        for way, count in ((report.image_to_speech, "n_images"), (report.speech_to_image, "n_utterances")):
            found = way.retrieval
            right = setting[count] - way.calibration.errors
            assert found.p_at_1 == pytest.approx(right / setting[count])
            assert (found.p_at_1_low, found.p_at_1_high) == pytest.approx(clopper_pearson(right, setting[count]))


def test_readme_says_what_the_header_says(reports):
    def interval(measure):
        return f"{measure.mean:.3f} ({measure.low:.3f}–{measure.high:.3f})"

    def p_at_1(way):
        found = way.retrieval
        return f"{found.p_at_1:.3f} ({found.p_at_1_low:.3f}–{found.p_at_1_high:.3f})"

    for report in reports.values():
        for figure in (report.purity, report.modality_svm, report.modality_svm_unseen_inputs):
            assert interval(figure) in README
        for way in (report.image_to_speech, report.speech_to_image):
            assert p_at_1(way) in README


def test_readme_says_how_many_are_understood_in_noise(header):
    measured = header.metrics["conditions"]
    assert measured["speech"] == "81 utterances by 41 strangers"
    found = {one["name"]: one for one in measured["recognition"]}
    assert set(found) == set(CONDITIONS)
    row = next(line for line in README.splitlines() if line.startswith("| now |"))
    names = ("clean", "white-10", "pink-10", "babble-10", "room-0.5", "clipped-18", "quiet", "hiss")
    for cell, name in zip(row.split("|")[2:], names, strict=False):
        assert cell.split()[0] == f"{found[name]['right'] / found[name]['count']:.2f}"
