"""A system that shuts down asks the window to end, and does not find it deaf."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from modinv_app.shell.signals import SystemSignals

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without asking it.")
PATIENCE = 90  # seconds; moments on an idle machine

PROGRAM = """
import sys
from PySide6.QtCore import QTimer
from modinv_app import __main__, app
start = app.Application.start
def start_and_tell(self):
    start(self)
    QTimer.singleShot(0, lambda: print("open", flush=True))
app.Application.start = start_and_tell
sys.exit(__main__.main())
"""


@pytest.fixture
def signals(qtbot: QtBot) -> Iterator[SystemSignals]:  # noqa: ARG001 (Qt first)
    signals = SystemSignals()
    yield signals
    signals.close()


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_is_heard_while_qt_waits(qtbot: QtBot, signals: SystemSignals, name: str) -> None:
    with qtbot.waitSignal(signals.end_wanted, timeout=5000):
        os.kill(os.getpid(), getattr(signal, name))


def test_closing_gives_the_signals_back(qtbot: QtBot) -> None:  # noqa: ARG001
    before = signal.getsignal(signal.SIGTERM)
    SystemSignals().close()
    assert signal.getsignal(signal.SIGTERM) == before


def test_the_window_closes_as_if_a_person_had_closed_it(tmp_path: Path) -> None:
    places = {f"XDG_{kind}_HOME": str(tmp_path / kind) for kind in ("DATA", "CACHE", "CONFIG", "STATE")}
    environment = {
        **os.environ,
        **places,
        "HOME": str(tmp_path),
        "QT_QPA_PLATFORM": "offscreen",
        "MODINV_RUNS": str(tmp_path / "runs"),
    }
    command = [sys.executable, "-c", PROGRAM]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as window:
        try:
            assert window.stdout is not None
            assert window.stdout.readline().strip() == b"open"
            window.send_signal(signal.SIGTERM)
            assert window.wait(PATIENCE) == 0
        finally:
            window.kill()
    assert list((tmp_path / "CONFIG").rglob("*.conf")), "how the window was left was not kept"
