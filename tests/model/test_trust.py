"""What a program does where it should not: in a network that counts who asks, and a folder whose files run code.

Each command and the worker run once, as their users start them, in both at once.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import sealed_network
from hostile_folder import HostileFolder
from PIL import Image
from tiny import small, write_corpora

from model import locations
from model.processes import environment, python
from model.training.config import TrainingConfig

MODINV = Path(sys.executable).with_name("modinv")
pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]  # moments on an idle machine
linux = pytest.mark.skipif(sys.platform != "linux", reason="Linux's loader and network namespaces tell what happens")

_WORK = """
import json, subprocess, sys
from model.processes import environment, python
process = subprocess.Popen(
    python("-m", "model.jobs.worker"), env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
)
for job in json.loads(sys.argv[1]):
    print(json.dumps(job), file=process.stdin, flush=True)
    while (answer := json.loads(process.stdout.readline()))["say"] not in ("ended", "exported"):
        assert answer["say"] != "failed", answer
process.stdin.close()
sys.exit(process.wait())
"""
"""Starts the worker as the window does, gives it one job after the other, and lets it go."""


def _jobs(home: Path) -> str:
    plan = TrainingConfig(small(), ("mnist", "fsdd"), device="cpu").to_dict()
    train = {"id": 1, "do": "train", "plan": plan, "folder": str(home / "run")}
    sweep, to = str(locations.shipped_sweep()), str(home / "figure3.svg")
    draw = {"id": 2, "do": "export", "what": "figure3", "models": [], "sweep": sweep, "to": to}
    return json.dumps([train, draw])


_SMALL = ("--steps=1", "--set=batch_size=4", "--set=samples_per_input=2")
COMMANDS = {
    "doctor": lambda _home: [MODINV, "doctor", "--json"],
    "query": lambda home: [MODINV, "query", home / "one.png", home / "seven.opus"],
    "train": lambda home: [MODINV, "train", *_SMALL, "--data=mnist,fsdd", "--device=cpu", "--out", home / "run"],
    "worker": lambda home: [*python("-c", _WORK), _jobs(home)],
}


class Outcome:
    """What became of a program that ran in a hostile folder and, where there can be one, in a sealed network."""

    def __init__(self, name: str, place: Path) -> None:
        home = place / "home"
        write_corpora(home / "data")
        Image.fromarray(np.eye(28, dtype=np.uint8) * 255).save(home / "one.png")
        with zipfile.ZipFile(locations.assets() / "voices" / "voices.zip") as voices:
            (home / "seven.opus").write_bytes(voices.read("kokoro_af_sarah/plain/seven.opus"))
        (place / "hostile").mkdir()
        self.hostile = HostileFolder(place / "hostile")
        # Only what it needs: ONNX Runtime keeps silent where it sees that tests or CI run.
        environment = {"PATH": os.environ["PATH"], "HOME": str(home), "MODINV_DATA": str(home / "data")}
        environment |= self.hostile.environment
        command = COMMANDS[name](home)
        self.obstacle = sealed_network.obstacle()
        if self.obstacle:
            self.done = subprocess.run(
                command, cwd=self.hostile.folder, env=environment, capture_output=True, text=True, check=False
            )
        else:
            self.done, self.attempts = sealed_network.watch(command, self.hostile.folder, environment)
        self.device_ids = [path for path in home.rglob("*") if "deviceid" in path.name.lower()]


@pytest.fixture(scope="module", params=list(COMMANDS))
def outcome(request, tmp_path_factory):
    return Outcome(request.param, tmp_path_factory.mktemp(request.param))


@linux
def test_it_works_in_a_hostile_folder_and_runs_nothing_of_it(outcome):
    assert outcome.done.returncode == 0, outcome.done.stderr
    assert outcome.hostile.told() == []
    assert "matplotlibrc" not in outcome.done.stderr


@linux
def test_it_asks_nobody_and_identifies_nobody(outcome):
    assert outcome.device_ids == []
    if outcome.obstacle:
        pytest.skip(outcome.obstacle)
    assert outcome.attempts == sealed_network.Attempts(names=(), connections=0, datagrams=0)


# What watches them


_CALL = """
import contextlib, socket
with contextlib.suppress(OSError): socket.create_connection(("example.org", 443), 5)
with contextlib.suppress(OSError): socket.create_connection(("198.51.100.7", 80), 5)
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"", ("203.0.113.9", 5000))
"""


@linux
def test_the_sealed_network_counts_names_connections_and_datagrams(tmp_path):
    if missing := sealed_network.obstacle():
        pytest.skip(missing)
    done, attempts = sealed_network.watch(python("-c", _CALL), tmp_path, environment())
    assert done.returncode == 0, done.stderr
    assert set(attempts.names) == {"example.org"}
    assert (attempts.connections, attempts.datagrams) == (2, 1)


@linux
def test_the_hostile_folder_tells_what_ran(tmp_path):
    hostile = HostileFolder(tmp_path)
    code = "import json, ctypes; ctypes.CDLL('./libcuda.so.1')"
    environment = {**os.environ, **hostile.environment}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True, timeout=60)
    assert "json" in hostile.told()
    assert "./libcuda.so.1" in hostile.told()


def test_children_inherit_that_telemetry_is_off_and_the_current_folder_no_source():
    code = "import os, subprocess, sys; print(os.environ['ORT_DISABLE_TELEMETRY'], sys.flags.safe_path)"
    grandchild = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}], check=True)"
    done = subprocess.run(
        python("-c", grandchild), env=environment(), capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == ["1", "True"]
