"""Two processes that train together, started by torch's launcher: the same loss as in one, and one folder."""

import json
import socket
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from small_worker import SMALL_UNITS
from tiny import IMAGES, SPEECH, small, write_corpora

from model.checkpoints import read
from model.data.pairs import PairSampler
from model.networks import data_parallel
from model.processes import environment, python
from model.runs.store import RunRecord
from model.systems import BUILT_IN
from model.training.loop import Run, Stepped, TrainingFailed, train

pytestmark = [pytest.mark.usefixtures("small_encoders"), pytest.mark.timeout(600)]

ROOT = Path(__file__).resolve().parents[2]
STEPS = 6
BATCH = 7  # 20 images make two such batches, which two processes can't halve, and one of six
RECIPES = {
    **{name: {"system": name} for name in BUILT_IN if name != "generative"},
    "one impostor": {"impostors": "one"},
}

PROGRAM = f"""
import json, sys
from pathlib import Path
sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "tests")!r}, {str(ROOT / "tests" / "model")!r}]
from model.networks import architecture
architecture.HIDDEN_UNITS = {SMALL_UNITS}
import test_data_parallel as ours
from model.networks.data_parallel import joined
with joined("cpu") as device:
    assert device == "cpu"
    for name in ours.RECIPES:
        ours.curve(name, Path(sys.argv[1]) / name)
    print(json.dumps(ours.refusals(Path(sys.argv[1]))), flush=True)
"""


def run_of(folder, recipe):
    data = {"images": ["bars"], "speech": ["bars"]}
    sampler = PairSampler(IMAGES, [SPEECH], recipe.batch_size, 0, torch.device("cpu"))
    return Run(folder, recipe, 0, data, torch.device("cpu")), sampler


def curve(name, folder):
    """Values of the loss at each step of a run, which also trains there. In bfloat16 halves of a batch would differ."""
    recipe = small(steps=STEPS, batch_size=BATCH, bfloat16=False, **RECIPES[name])
    values = [event.loss.values() for event in train(*run_of(folder, recipe)) if isinstance(event, Stepped)]
    if data_parallel.is_first():
        (folder / "curve.json").write_text(json.dumps(values))
    return values


def refusals(folder):
    """What is said of systems that can't be trained by several processes."""
    said = []
    for changes in ({"system": "generative"}, {"batch_norm": True}):
        try:
            list(train(*run_of(folder / "refused", small(**changes))))
        except TrainingFailed as error:
            said.append(str(error))
    return said


_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}


def both(program, *arguments):
    """Exit status, output and errors of two processes that are started as torch's launcher starts them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    rendezvous = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2", "TORCHELASTIC_RUN_ID": "0"}
    processes = [
        subprocess.Popen(
            python("-c", program, *map(str, arguments)),
            env={**environment(), **_ENVIRONMENT, **rendezvous, "RANK": rank, "LOCAL_RANK": rank},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in ("0", "1")
    ]
    try:
        said = [process.communicate(timeout=500) for process in processes]
    finally:
        for process in processes:
            process.kill()
    return [(process.returncode, *each) for process, each in zip(processes, said, strict=True)]


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    """What two processes left behind, and what each said."""
    folder = tmp_path_factory.mktemp("together")
    ended = both(PROGRAM, folder)
    assert [status for status, *_ in ended] == [0, 0], ended
    return folder, [json.loads(output) for _, output, _ in ended]


@pytest.mark.parametrize("name", RECIPES)
def test_two_processes_have_the_loss_of_one(together, tmp_path, name):
    alone, shared = curve(name, tmp_path), json.loads((together[0] / name / "curve.json").read_text())
    assert len(shared) == len(alone) == STEPS
    for ours, theirs in zip(shared, alone, strict=True):
        assert ours == pytest.approx(theirs, rel=1e-4, abs=1e-5)
    ours, theirs = (read(place / "resume.safetensors")[0] for place in (together[0] / name, tmp_path))
    assert set(ours) == set(theirs)
    for name in ours:
        if name.endswith("/exp_avg"):  # the mean gradient; where one rounds to either sign, Adam's steps differ
            assert np.linalg.norm(ours[name] - theirs[name]) < 0.05 * np.linalg.norm(theirs[name]), name


def test_what_several_processes_cannot_divide_is_refused(together):
    for generative, batch_norm in together[1]:
        assert "the system generative needs more than" in generative
        assert "--set batch_norm=false" in batch_norm
        assert "without torchrun" in generative


def test_alone_nothing_changes(monkeypatch):
    monkeypatch.delenv("TORCHELASTIC_RUN_ID", raising=False)
    batch = torch.rand(3, 2)
    with data_parallel.joined("mps") as device:
        assert device == "mps"
        assert data_parallel.own_part(batch) is batch
        assert data_parallel.gathered(batch, 3) is batch
        assert (data_parallel.any_of(True), data_parallel.any_of(False)) == (True, False)
        assert (data_parallel.size(), data_parallel.is_first()) == (1, True)


COMMAND = f"""
import sys
sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "tests")!r}]
from model.networks import architecture
architecture.HIDDEN_UNITS = {SMALL_UNITS}
from brief_judging import shorten
shorten()
from model.cli.main import app
app()
"""


def test_the_command_trains_in_two_processes_and_resumes_in_one(tmp_path):
    data, out = write_corpora(tmp_path / "data"), tmp_path / "run"
    arguments = ["--data", "mnist,fsdd", "--data-dir", data, "--device", "cpu", "--steps", 12]
    arguments += ["--set", "batch_size=4", "--set", "samples_per_input=2"]
    first, second = both(COMMAND, "train", "--out", out, *arguments)
    assert (first[0], second[0]) == (0, 0), (first, second)
    assert "Done:" in first[2]
    assert second[1:] == ("", ""), "one of them talks"
    record = RunRecord(out)
    assert (record.info().state, record.info().step) == ("complete", 12)
    assert [point.step for point in record.points() if "total" in point.values] == [1, 10, 12]

    command = python("-c", COMMAND, "train", "--out", str(out), *map(str, arguments))
    again = subprocess.run(command, env=environment(), capture_output=True, check=True)
    assert b"Done:" in again.stderr

    first, second = both(COMMAND, "train", *arguments)
    assert (first[0], second[0]) == (2, 2)
    assert "need the run's folder" in " ".join(first[2].replace("│", "").split())
