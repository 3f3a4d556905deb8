"""The window, as its user starts it, in a network that counts who asks and a folder whose files run code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import sealed_network
from hostile_folder import HostileFolder

from model.processes import python

pytestmark = [
    pytest.mark.timeout(300),  # moments on an idle machine
    pytest.mark.skipif(sys.platform != "linux", reason="Linux's loader and network namespaces tell what happens"),
]

_TURN_PAGES = """
import sys
from modinv_app import __main__ as start, app

begin = app.Application.start

def begin_and_turn(root):
    begin(root)
    for page in ("train", "evaluate"):
        root.window.pages.turn_to(page)
    print(len(root.client.pids), flush=True)
    root.client.devices_found.connect(lambda _devices: root.window.close())

app.Application.start = begin_and_turn
sys.exit(start.main())
"""
"""Opens the window, turns to the pages that have the worker process started, waits until that is ready, and closes."""

COMMANDS = {
    "self-check": [Path(sys.executable).with_name("modinv-app"), "--self-check", "--json"],
    "pages": python("-c", _TURN_PAGES),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_it_runs_nothing_of_a_hostile_folder_and_asks_nobody(name, tmp_path):
    home, folder = tmp_path / "home", tmp_path / "hostile"
    home.mkdir()
    folder.mkdir()
    hostile = HostileFolder(folder)
    # Only what it needs: ONNX Runtime keeps silent where it sees that tests or CI run.
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "QT_QPA_PLATFORM": "offscreen", **hostile.environment}
    obstacle = sealed_network.obstacle()
    if obstacle:
        done = subprocess.run(COMMANDS[name], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    else:
        done, attempts = sealed_network.watch(COMMANDS[name], folder, environment)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["heard"] == 7 if name == "self-check" else said == 1
    assert hostile.told() == []
    assert [path for path in home.rglob("*") if "deviceid" in path.name.lower()] == []
    if obstacle:
        pytest.skip(f"All but the network was looked at. {obstacle}")
    assert attempts == sealed_network.Attempts(names=(), connections=0, datagrams=0)
