"""The log of the window's process, and what is told of windows that crashed: with processes that really do."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from modinv_app.shell.process_log import ProcessLog

ROOT = Path(__file__).parents[2]

_LIVE = """
import faulthandler, logging, sys
from pathlib import Path
from modinv_app.shell.process_log import ProcessLog

log = ProcessLog(Path(sys.argv[1]))
log.begin()
print(log.file.name, flush=True)
for line in sys.stdin:
    exec(line)
    print("done", flush=True)
"""


class Life:
    """A process with an open window, which does what it is told."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _LIVE, str(folder)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        self.file = self._process.stdout.readline().strip()

    def do(self, code: str) -> None:
        """Do this."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{code}\n")
        self._process.stdin.flush()
        self._process.stdout.readline()  # nothing, if that was its end

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Callable[[], Life]]:
    """Opens windows, all with their logs in one folder."""
    lives = []

    def make() -> Life:
        lives.append(Life(tmp_path))
        return lives[-1]

    yield make
    for life in lives:
        life.kill()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], ProcessLog]]:
    """Makes logs of this process in that folder."""
    before = logging.getLogger().handlers[:]
    yield lambda: ProcessLog(tmp_path)
    for handler in set(logging.getLogger().handlers) - set(before):
        logging.getLogger().removeHandler(handler)
        handler.close()


def test_nothing_is_told_after_a_window_that_was_closed(live, start):
    first = live()
    first.do("log.note_training('run', 'Train, Runs')")
    first.do("log.note_training('', '')")
    first.do("log.end()")
    first.kill()
    assert start().begin() == []


def test_a_window_that_is_still_open_has_not_crashed_and_writes_another_file(live, start):
    first, second = live(), live()
    assert [first.file, second.file] == ["modinv.log", "modinv-2.log"]
    third = start()
    assert third.file.name == "modinv-3.log"
    assert third.begin() == []


def test_a_killed_window_is_told_once_with_what_it_trained(live, start):
    first = live()
    first.do("log.note_training('sweep', 'λ dial, Sweeps…')")
    first.kill()
    second = start()
    (crash,) = second.begin()
    assert not crash.died
    assert "killed" in crash.words
    assert "“Resume” continues it, under λ dial, Sweeps…" in crash.words
    assert "modinv.log" in crash.words
    assert start().begin() == []


def test_the_trace_of_a_crash_is_among_its_details(live, start):
    first, second = live(), live()  # what the other one logs is no part of it
    second.do("logging.getLogger('modinv').error('of the other')")
    first.do("faulthandler._sigsegv()")
    first.kill()
    (crash,) = start().begin()
    assert crash.died
    assert "The window crashed" in crash.words
    assert "training" not in crash.words
    assert "Segmentation fault" in crash.details
    assert "of the other" not in crash.details


def test_details_of_a_killed_window_begin_with_its_own_start(live, start):
    first = live()
    first.do("faulthandler._sigsegv()")
    first.kill()
    second = live()  # it has told of the first
    second.do("logging.getLogger('modinv').error('of the second')")
    second.kill()
    (crash,) = start().begin()
    assert not crash.died
    assert "of the second" in crash.details
    assert "Segmentation fault" not in crash.details


def test_what_was_noted_is_told_even_if_it_cannot_be_read(live, start, tmp_path):
    live().kill()
    (tmp_path / "modinv.log.open").write_bytes(b"\xff{")
    (crash,) = start().begin()
    assert "killed" in crash.words


def test_files_are_rotated_each_by_its_own_process(live, tmp_path):
    first, second = live(), live()
    for number in range(3):
        for life in (first, second):
            life.do(f"[logging.getLogger('modinv').error('{life.file} ' + 'x' * 1000) for _ in range(450 + {number})]")
    for life, other in ((first, second), (second, first)):
        files = sorted(tmp_path.glob(f"{life.file}*"))
        texts = [file.read_text() for file in files if file.suffix not in (".lock", ".open")]
        assert len(texts) == 3
        assert all(f" {life.file} x" in text and f" {other.file} x" not in text for text in texts)
        assert all(len(text) < 510_000 for text in texts)


def test_names_of_people_and_of_the_home_folder_are_not_logged(start, tmp_path, monkeypatch):
    takes = tmp_path / "home" / "my-digits"
    (takes / "Zoë (left hand)" / "7").mkdir(parents=True)
    monkeypatch.setenv("MODINV_TAKES", str(takes))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    log = start()
    try:
        (takes / "Zoë (left hand)" / "7" / "a.flac").read_bytes()
    except OSError as error:
        logging.getLogger("modinv_app.takes").error("Takes of Zoë (left hand) could not be read", exc_info=error)
    text = log.file.read_text("utf-8")
    assert "Takes of (name) could not be read" in text
    assert "FileNotFoundError" in text
    assert "Zoë" not in text
    assert str(tmp_path / "home") not in text


def test_a_folder_that_cannot_be_made_is_an_error_of_the_system(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match="file"):
        ProcessLog(tmp_path / "file" / "log")


_OPEN_AND_DIE = """
import os, signal, sys
from PySide6.QtCore import QTimer
from modinv_app import __main__ as start, app

begin = app.Application.start

def begin_and_die(root):
    begin(root)
    root.window.pages.turn_to("train")
    root.client.begin_training("train")
    root.window.commands["dark"].trigger()
    root.window.explore.draw.play_on_lift = False
    root.window._remember()
    QTimer.singleShot(300, lambda: os.kill(os.getpid(), signal.SIGKILL))

def begin_and_read(root):
    begin(root)
    print(root.window.messages.text())
    print(root.window.explore.draw.play_on_lift, root.window.commands["dark"].isChecked(), flush=True)
    QTimer.singleShot(0, root.window.close)

app.Application.start = begin_and_die if sys.argv.pop(1) == "die" else begin_and_read
sys.exit(start.main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="platform folders are named by XDG variables")
@pytest.mark.timeout(600)  # moments on an idle machine
def test_a_window_that_was_killed_is_told_in_the_next_one_with_its_settings_and_then_no_more(tmp_path):
    own = {f"XDG_{kind}_HOME": str(tmp_path / kind.lower()) for kind in ("CONFIG", "CACHE", "STATE", "DATA")}
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path), **own}

    def window(what: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", textwrap.dedent(_OPEN_AND_DIE), what]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=190)

    assert window("die").returncode == -signal.SIGKILL
    told = window("read")
    assert told.returncode == 0, told.stderr
    words, settings = told.stdout.splitlines()
    assert "The window was not closed last time" in words
    assert "“Resume” continues it, under Train, Runs" in words
    assert "~" in words
    assert settings == "False True"
    assert window("read").stdout.splitlines() == ["", "False True"]
