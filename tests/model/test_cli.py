"""``modinv`` from the outside: names, JSON, exit codes, and what is said of bad input."""

import hashlib
import json
import signal
import subprocess
import sys

import numpy as np
import pytest
import soundfile
import torch
from fresh_python import imported_by
from PIL import Image
from tiny import write_corpora
from typer.testing import CliRunner

from model import locations
from model.cli.main import app
from model.data import curation
from model.data.corpora import registry
from model.data.curation import Decision
from model.retrieval.curated import leave_out
from model.retrieval.gallery import Gallery
from model.retrieval.retriever import Retriever, build_gallery
from model.runs.store import RunRecord, RunStore
from model.systems.encoder_io import load_encoder
from model.systems.model_io import load_model
from model.training import loop as training

pytestmark = pytest.mark.usefixtures("small_encoders", "brief_judging")
SMALL = ["--steps", "3", "--set", "batch_size=4", "--set", "samples_per_input=2"]
TRAIN = ["train", "--data", "mnist,fsdd", "--device", "cpu", *SMALL, "--set", "noise=0.25"]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Corpora of a few inputs."""
    return write_corpora(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """Where all tests keep what they have heard and judged."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def trained(data, cache, small_encoders, tmp_path_factory):  # noqa: ARG001
    """The folder of a finished run of three steps."""
    folder = tmp_path_factory.mktemp("runs") / "first"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(locations, "cache", lambda: cache)
        result = CliRunner().invoke(app, [*TRAIN, "--data-dir", str(data), "--out", str(folder)])
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture(autouse=True)
def own_folders(cache, tmp_path, monkeypatch):
    monkeypatch.setattr(locations, "cache", lambda: cache)
    monkeypatch.setenv("MODINV_DATA", str(tmp_path / "no data"))


@pytest.fixture
def shipped(data, trained, tmp_path, monkeypatch):
    """The trained model and a gallery of the test inputs stand in for what ships along."""
    encoders, header = load_model(trained / "model.safetensors")
    images, speech = registry()["mnist"](data).load("test"), registry()["fsdd"](data).load("test")
    build_gallery(encoders, header, images, speech).save(tmp_path / "gallery.safetensors")
    monkeypatch.setattr(locations, "shipped_model", lambda: trained / "model.safetensors")
    monkeypatch.setattr(locations, "shipped_gallery", lambda: tmp_path / "gallery.safetensors")


@pytest.fixture
def picture(tmp_path):
    drawing = np.full((100, 100), 255, np.uint8)
    drawing[15:85, 45:55] = 0
    Image.fromarray(drawing).save(tmp_path / "one.png")
    return tmp_path / "one.png"


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def told(result, code):
    """The one line on standard error of a command that failed as it should."""
    assert result.exit_code == code, result.output
    assert isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.output
    assert result.stdout == ""
    return result.stderr


# Help


def test_help_lists_the_commands():
    command = [sys.executable, "-c", "from model.cli.main import main; main()", "--help"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    for name in ("train", "evaluate", "query", "generate", "data", "doctor"):
        assert name in answer.stdout


def test_help_imports_nothing_heavy():
    found = imported_by("import model.cli.main, typer.main; typer.main.get_command(model.cli.main.app)")
    assert not found & {"torch", "sklearn", "numpy", "PySide6"}


def test_version(monkeypatch):
    monkeypatch.setattr("importlib.metadata.version", lambda _name: "1.2.3")
    assert run("--version").stdout == "modinv 1.2.3\n"


# Training


def test_training_leaves_a_model_that_says_how_it_came_to_be(trained):
    _, header = load_model(trained / "model.safetensors")
    assert header.step == header.recipe["steps"] == 3
    assert header.recipe["name"] == "fast"
    assert (header.recipe["lambda_ig"], header.recipe["noise"]) == (2.15e-2, 0.25)
    assert header.data == {"images": ["mnist"], "speech": ["fsdd"], "split": "train"}


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"])
def test_ctrl_c_and_the_systems_signals_keep_the_work_and_the_same_command_resumes(
    data, trained, tmp_path, monkeypatch, name
):
    number = getattr(signal, name, None)
    if number is None:
        pytest.skip(f"This system has no {name}.")
    step, before = training.take_step, signal.getsignal(number)

    def step_and_press_ctrl_c(step_number, *arguments):
        if step_number == 1:
            signal.raise_signal(number)
        return step(step_number, *arguments)

    command = [*TRAIN, "--data-dir", data, "--out", tmp_path / "run"]
    with monkeypatch.context() as patch:
        patch.setattr(training, "take_step", step_and_press_ctrl_c)
        stopped = run(*command)
    assert stopped.exit_code == 128 + number, stopped.output
    assert "Stopped after 2 of 3 steps" in stopped.stderr
    assert "same command resumes" in stopped.stderr
    assert load_model(tmp_path / "run" / "model.safetensors")[1].step == 2
    assert signal.getsignal(number) is before

    assert run(*command).exit_code == 0
    resumed, _ = load_model(tmp_path / "run" / "model.safetensors")
    straight, _ = load_model(trained / "model.safetensors")
    for name, weight in straight.modules.state_dict().items():
        assert torch.equal(weight, resumed.modules.state_dict()[name]), name


@pytest.mark.parametrize("change", [["--seed", "1"], ["--lambda-ig", "0"], ["--steps", "4"]])
def test_a_folder_with_another_run_is_refused(data, trained, change):
    before = (trained / "model.safetensors").read_bytes()
    message = told(run(*TRAIN, "--data-dir", data, "--out", trained, *change), 1)
    assert "another" in message
    assert "Choose another folder" in message
    assert (trained / "model.safetensors").read_bytes() == before


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--recipe", "quick"], "There are: paper, fast"),
        (["--device", "cuda:99"], "no device"),
        (["--data", "mnist,timit"], "timit"),
        (["--data", "mnist"], "at least one of speech"),
        (["--data", "fsdd"], "one corpus of images"),
        (["--lambda-ig", "-1"], "greater than or equal to 0"),
        (["--lambda-ig", "nan"], "greater than or equal to 0"),
        (["--steps", "0"], "greater than or equal to 1"),
        (["--start", "nothing.safetensors"], "does not exist"),
        (["--set", "stepz=5"], "No field of a recipe is called 'stepz'. Did you mean steps?"),
        (["--set", "steps"], "write FIELD=VALUE"),
        (["--set", "noise=loud"], "Noise must be a number from 0 to 5."),
        (["--set", "system=other"], "No system is called 'other' here. There are: variational, "),
        (["--system", "other"], "No system is called 'other' here. There are: variational, "),
        (["--system", "deterministic", "--lambda-ig", "1"], "The system deterministic has no lambda_ig."),
        (["--set", "system=deterministic", "--set", "kl_warmup=1"], "The system deterministic has no kl_warmup."),
    ],
)
def test_wrong_options_of_training_are_told(tmp_path, options, words):
    message = told(run("train", "--out", tmp_path / "run", *options), 2)
    assert words in " ".join(message.replace("│", " ").split())
    assert not (tmp_path / "run").exists()


def test_a_run_without_a_folder_of_its_own_is_kept_among_the_users(data, tmp_path, monkeypatch):
    monkeypatch.setenv("MODINV_RUNS", str(tmp_path / "my runs"))
    result = run(*TRAIN, "--data-dir", data)
    assert result.exit_code == 0, result.output
    (record,) = RunStore().list()
    info = record.info()
    assert (info.state, info.step) == ("complete", 3)
    assert info.plan.corpora == ("mnist", "fsdd")
    assert str(record.model_file) in result.stderr
    assert record.snapshots() == [1, 2, 3]


def test_a_stopped_run_among_the_users_says_how_to_resume_it(data, tmp_path, monkeypatch):
    monkeypatch.setenv("MODINV_RUNS", str(tmp_path / "my runs"))
    step = training.take_step

    def step_and_press_ctrl_c(*arguments):
        signal.raise_signal(signal.SIGINT)
        return step(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(training, "take_step", step_and_press_ctrl_c)
        stopped = run(*TRAIN, "--data-dir", data)
    assert stopped.exit_code == 130, stopped.output
    (record,) = RunStore().list()
    assert record.info().state == "stopped"
    assert f"--out '{record.folder}'" in stopped.stderr
    assert run(*TRAIN, "--data-dir", data, "--out", record.folder).exit_code == 0
    assert record.info().state == "complete"


def test_training_starts_from_another_model(data, trained, tmp_path):
    start = trained / "model.safetensors"
    result = run(*TRAIN, "--data-dir", data, "--out", tmp_path / "run", "--start", start)
    assert result.exit_code == 0, result.output
    _, header = load_model(tmp_path / "run" / "model.safetensors")
    assert header.data["started_from"] == {
        "name": "model.safetensors",
        "sha256": hashlib.sha256(start.read_bytes()).hexdigest(),
        "data": load_model(start)[1].data,
    }
    assert RunRecord(tmp_path / "run").info().plan.start == start


def test_training_without_its_data_says_where_to_put_it(tmp_path):
    message = told(run(*TRAIN, "--out", tmp_path / "run", "--data-dir", tmp_path), 1)
    assert "Free Spoken Digit Dataset" in message
    assert str(tmp_path / "fsdd") in message
    assert not (tmp_path / "run").exists()


def test_a_speaker_that_nobody_knows_is_told(data, tmp_path):
    message = told(run(*TRAIN, "--data-dir", data, "--out", tmp_path / "run", "--leave-out", "nobody"), 2)
    assert "There are: theo" in " ".join(message.replace("│", " ").split())
    assert not (tmp_path / "run").exists()


def test_a_full_disk_is_told(data, tmp_path, monkeypatch):
    def no_space(*_arguments, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(training, "write_atomically", no_space)
    assert "No space left" in told(run(*TRAIN, "--data-dir", data, "--out", tmp_path / "run"), 1)
    assert RunRecord(tmp_path / "run").info().state == "failed"


# Evaluation


def test_evaluation_prints_the_promised_json(data, trained):
    result = run("evaluate", trained / "model.safetensors", "--data-dir", data, "--json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert {"purity", "modality_svm", "image_to_speech", "speech_to_image", "seconds", "setting"} <= set(report)
    assert set(report["purity"]) == {"mean", "low", "high", "values"}
    assert 0 <= report["image_to_speech"]["retrieval"]["p_at_1"] <= 1
    assert report["setting"]["images"] == "mnist"
    assert report["setting"]["speech"] == "fsdd"
    assert (report["setting"]["n_images"], report["setting"]["n_utterances"]) == (30, 20)
    assert (report["setting"]["recipe"], report["setting"]["steps"]) == ("fast", 3)
    assert {"v_measure", "homogeneity", "completeness"} <= set(report)
    assert set(report["modality_gap"]) == {"distance", "share"}
    assert report["pair_recall"]["pairs"] == 20
    assert set(report["pair_recall"]["at_5"]) == {"image_to_speech", "speech_to_image", "chance", "ceiling"}
    assert report["speech_to_image"]["transfer"]["linear_1"]["low"] <= 1
    assert len(report["image_to_speech"]["p_at_1_samples"]["values"]) == 5


@pytest.mark.usefixtures("shipped")
def test_the_table_shows_the_shipped_model_beside_the_papers(data):
    result = run("evaluate", "--data-dir", data)
    assert result.exit_code == 0, result.output
    for words in ("model.safetensors", "0.984", "0.554", "fsdd", "fast", "seed 0", "P@10", "Label transfer, linear"):
        assert words in result.stdout
    for words in ("V-measure", "Modality gap", "by single samples", "with 1 label a digit", "R@10", "ceiling"):
        assert words in result.stdout


@pytest.mark.parametrize("content", [b"", b"not a model", b"\xff" * 64])
def test_a_foreign_checkpoint_is_told(tmp_path, content):
    (tmp_path / "foreign.safetensors").write_bytes(content)
    assert "foreign.safetensors" in told(run("evaluate", tmp_path / "foreign.safetensors"), 1)


def test_a_missing_checkpoint_is_told(tmp_path):
    assert "does not exist" in told(run("evaluate", tmp_path / "nothing.safetensors"), 1)


@pytest.mark.usefixtures("shipped")
def test_a_gallery_is_no_checkpoint(data, tmp_path):
    told(run("evaluate", tmp_path / "gallery.safetensors", "--data-dir", data), 1)


@pytest.mark.usefixtures("shipped")
def test_evaluation_without_its_data_says_where_to_put_it(tmp_path):
    assert str(tmp_path / "fsdd") in told(run("evaluate", "--data-dir", tmp_path), 1)


@pytest.mark.usefixtures("shipped")
def test_a_second_evaluation_is_the_first(data):
    first, second = (run("evaluate", "--data-dir", data, "--json").stdout for _ in range(2))
    assert json.loads(first) == json.loads(second)  # the time that it took, too
    assert json.loads(run("evaluate", "--data-dir", data, "--seed", "1", "--json").stdout) != json.loads(first)


@pytest.mark.usefixtures("shipped")
def test_an_unknown_speaker_is_told(data):
    message = told(run("evaluate", "--data-dir", data, "--speaker", "nobody"), 2)
    assert "There are: theo" in " ".join(message.replace("│", " ").split())


@pytest.mark.usefixtures("shipped")
def test_images_are_no_speech(data):
    assert "speech" in told(run("evaluate", "--speech", "mnist", "--data-dir", data), 2)


# Queries


@pytest.mark.usefixtures("shipped")
def test_a_picture_and_a_sound_are_answered(data, picture):
    sound = data / "fsdd" / "7_theo_3.wav"
    result = run("query", picture, "-k", "4", "--json")
    assert result.exit_code == 0, result.output
    (answer,) = json.loads(result.stdout)
    assert set(answer) >= {"file", "modality", "guess", "matches", "milliseconds"}
    assert (answer["file"], answer["modality"], len(answer["matches"])) == (str(picture), "image", 4)
    labels = [match["label"] for match in answer["matches"]]
    assert answer["guess"] == max(labels, key=labels.count)
    assert answer["certainty"] in ("sure", "likely", "not sure")
    assert 0 <= answer["confidence"] <= 1
    assert (answer["rejected"], answer["reason"], answer["nearest"]) == (False, None, answer["guess"])
    assert answer["runner_up"] != answer["guess"]
    assert "agreement" not in answer
    assert all(match["source"].startswith("FSDD") for match in answer["matches"])
    scores = [match["score"] for match in answer["matches"]]
    assert scores == sorted(scores, reverse=True)
    table = " ".join(run("query", picture).stdout.split())  # long lines are wrapped
    assert "one.png" in table.replace(" ", "")
    assert answer["certainty"].replace(" ", "") in table.replace(" ", "")
    assert "%" not in table
    assert "FSDD theo" in table
    assert sound.exists()


@pytest.mark.usefixtures("shipped")
def test_what_the_user_has_left_out_or_relabelled_is_so_in_answers(picture):
    def matches():
        (answer,) = json.loads(run("query", picture, "-k", "4", "--json").stdout)
        return [(match["label"], match["score"]) for match in answer["matches"]]

    gallery = Gallery.load(locations.shipped_gallery())
    before, images = matches(), len(gallery.image_features)
    retriever = Retriever(*load_encoder(locations.shipped_model()), gallery)
    first, second = (match.item.index for match in retriever.ask_file(picture, 2).matches)
    leave_out(gallery, [first])
    corpus, key = gallery.keys[second - images].split(":", 1)
    other = (gallery.items[second].label + 1) % 10
    curation.decide(corpus, {key: Decision(gallery.items[second].label).with_label(other)})
    assert matches()[:3] == [(other, before[1][1]), *before[2:]]


@pytest.mark.usefixtures("shipped")
def test_bad_files_get_an_error_and_the_others_their_answer(picture, tmp_path):
    bad = {
        "missing.png": None,
        "missing.wav": None,
        "empty.png": b"",
        "empty.wav": b"",
        "torn.png": picture.read_bytes()[:60],
        "words.txt": b"seven",
        "words.wav": b"seven" * 100,
    }
    files = []
    for name, content in bad.items():
        files.append(tmp_path / name)
        if content is not None:
            files[-1].write_bytes(content)
    soundfile.write(tmp_path / "silence.wav", np.zeros(8000), 8000)
    Image.new("L", (50, 50), 255).save(tmp_path / "blank.png")
    (tmp_path / "folder.png").mkdir()
    files += [tmp_path / "silence.wav", tmp_path / "blank.png", tmp_path / "folder.png", tmp_path]

    result = run("query", *files, picture, "--json")
    assert result.exit_code == 1
    answers = json.loads(result.stdout)
    assert [answer["file"] for answer in answers] == [str(file) for file in (*files, picture)]
    assert [bool(answer.get("error")) for answer in answers] == [True] * len(files) + [False]

    result = run("query", tmp_path / "blank.png", picture)
    assert result.exit_code == 1
    assert "blank.png" in result.stderr
    assert "one.png" in "".join(result.stdout.split())  # a long path is wrapped


def test_a_query_without_the_shipped_model_is_told(picture, tmp_path, monkeypatch):
    monkeypatch.setattr(locations, "shipped_model", lambda: tmp_path / "nothing.safetensors")
    assert "does not exist" in told(run("query", picture), 1)


def test_a_query_needs_a_file():
    assert run("query").exit_code == 2


# Data


def test_corpora_are_listed_with_their_places(data, tmp_path):
    rows = {row["name"]: row for row in json.loads(run("data", "list", "--data-dir", data, "--json").stdout)}
    assert set(rows) == set(registry())
    assert rows["mnist"]["location"] == str(data / "mnist")
    assert rows["fsdd"]["location"] == str(data / "fsdd")
    missing = run("data", "list", "--data-dir", tmp_path)
    assert missing.exit_code == 0
    assert str(tmp_path / "fsdd") in missing.stdout


def test_the_environment_says_where_data_lie_too(data, monkeypatch):
    monkeypatch.setenv("MODINV_DATA", str(data))
    rows = json.loads(run("data", "list", "--json").stdout)
    assert str(data / "fsdd") in [row["location"] for row in rows]
