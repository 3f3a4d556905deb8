"""A corpus of another package: listed, trained on and evaluated on, though nothing here names it."""

import json
import os
import subprocess
import sys

import pytest
import toy_corpus
from tiny import write_corpora

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A folder for everything, and the environment that finds the toy packages."""
    folder = tmp_path_factory.mktemp("toys")
    toy_corpus.install(folder / "packages")
    write_corpora(folder / "data")
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(folder / "packages"), *sys.path]),
        "MODINV_DATA": str(folder / "data"),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "HOME": str(folder),
        "OMP_NUM_THREADS": "1",
    }
    return folder, environment


PROGRAM = """
from model.cli.main import main
from model.evaluation import invariance
invariance.SVM_PENALTIES, invariance.PAPER_UTTERANCES = [1.0], 60
main()
"""
"""``modinv``, which takes a moment to judge."""


def modinv(world, *arguments):
    command = [sys.executable, "-c", PROGRAM, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=world[1], timeout=110, check=False)


def test_it_is_listed_and_the_broken_one_is_told_in_words(world):
    rows = {row["name"]: row for row in json.loads(modinv(world, "data", "list", "--json").stdout)}
    assert rows["beeps"]["title"] == "Beeps"
    assert rows["beeps"]["splits"] == ["train", "validation", "test"]
    assert {"mnist", "fsdd", "voices"} < set(rows)
    told = modinv(world, "data", "list")
    assert told.returncode == 0
    assert "The corpus broken of another package can't be used: No module named 'no_such_module'" in told.stdout


def test_it_is_trained_on_and_evaluated_on(world):
    folder, _ = world
    small = ("--device", "cpu", "--steps", "2", "--set", "batch_size=4", "--set", "samples_per_input=2")
    trained = modinv(world, "train", "--out", folder / "run", "--data", "mnist,beeps", *small)
    assert trained.returncode == 0, trained.stderr
    judged = modinv(
        world, "evaluate", folder / "run" / "model.safetensors", "--data", "mnist,beeps", "--split", "validation",
        "--json",
    )  # fmt: skip
    assert judged.returncode == 0, judged.stderr
    setting = json.loads(judged.stdout)["setting"]
    assert (setting["speech"], setting["split"], setting["n_utterances"]) == ("beeps", "validation", 40)
    assert setting["trained_on"] == {"images": ["mnist"], "speech": ["beeps"], "split": "train"}
    assert setting["seen_in_training"] == {}
