"""A speaker who is left out, but whom the model to start from has heard: nobody may take them for unheard."""

import json

import pytest
from tiny import write_corpora
from typer.testing import CliRunner

from model import locations
from model.cli.main import app
from model.systems.model_io import load_model

pytestmark = pytest.mark.usefixtures("small_encoders", "brief_judging")

SMALL = ("--steps", "1", "--set", "batch_size=4", "--set", "samples_per_input=2")
TRAIN = ("train", "--data", "mnist,fsdd", "--device", "cpu", *SMALL)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Corpora of a few inputs; jackson says what theo says."""
    folder = write_corpora(tmp_path_factory.mktemp("data"))
    for recording in list((folder / "fsdd").iterdir()):
        recording.with_name(recording.name.replace("theo", "jackson")).write_bytes(recording.read_bytes())
    return folder


@pytest.fixture(scope="module")
def run(data, tmp_path_factory):
    """Runs a command on these corpora."""
    cache = tmp_path_factory.mktemp("cache")

    def run(*arguments):
        result = CliRunner().invoke(app, [*map(str, arguments), "--data-dir", str(data)])
        assert result.exit_code == 0, result.output
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(locations, "cache", lambda: cache)
        yield run


@pytest.fixture(scope="module")
def trained(run, tmp_path_factory):
    """A model that has heard both, and what was said while another one started from it without jackson; both files."""
    heard, without = (tmp_path_factory.mktemp("runs") / name for name in ("heard", "without"))
    first = run(*TRAIN, "--out", heard)
    assert "Warning" not in first.stderr
    start = heard / "model.safetensors"
    second = run(*TRAIN, "--out", without, "--start", start, "--leave-out", "jackson")
    return start, without / "model.safetensors", " ".join(second.stderr.split())


def test_training_warns(trained):
    assert "trained on fsdd without holding out jackson" in trained[2]


def test_the_checkpoint_says_what_came_before(trained):
    start, model, _ = trained
    assert load_model(model)[1].data["started_from"]["data"] == load_model(start)[1].data


def test_the_speaker_counts_as_heard(run, trained):
    """Judged on the test takes alone, which no model has heard, and under a heading that says so."""
    report = json.loads(run("evaluate", trained[1], "--speaker", "jackson", "--json").stdout)
    assert report["setting"]["speakers_heard"] == 1
    assert report["setting"]["n_utterances"] == 20
    table = " ".join(run("evaluate", trained[1], "--speaker", "jackson").stdout.split())
    assert "test inputs (speaker jackson, heard in training)" in table
    assert "mnist and fsdd (train split) without jackson, started from model.safetensors, " in table


def test_a_speaker_whom_no_model_heard_is_judged_on_all_that_they_said(run, tmp_path):
    run(*TRAIN, "--out", tmp_path, "--leave-out", "jackson")
    report = json.loads(run("evaluate", tmp_path / "model.safetensors", "--speaker", "jackson", "--json").stdout)
    assert report["setting"]["speakers_heard"] == 0
    assert report["setting"]["n_utterances"] > 20
