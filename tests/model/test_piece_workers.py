"""Filterbanks computed by several processes: the same as by one, whatever becomes of the others."""

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hostile_folder import HostileFolder

from model import locations
from model.data import piece_workers as workers
from model.data import prepared
from model.data.filterbanks import Computer, usable_filterbanks
from model.data.piece_workers import compute_pieces, processes_for
from model.data.recordings import Reader
from model.data.speech import FilterbankSettings
from model.processes import environment, python

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder of 24 recordings, one of which is no sound."""
    folder = tmp_path_factory.mktemp("recordings")
    rng = np.random.default_rng(0)
    for number in range(24):
        soundfile.write(folder / f"{number:02}.wav", rng.normal(0, 0.1, 4000 + 100 * number), 8000)
    (folder / "07.wav").write_bytes(b"no sound")
    return folder


KEYS = [f"{number:02}.wav" for number in range(24)]
PIECES = [KEYS[start : start + 2] for start in range(0, 24, 2)]


def computer(place):
    return Computer(FilterbankSettings(), Reader(place))


def computed(place, processes):
    return list(compute_pieces(computer(place), PIECES, processes))


def check(pieces, place):
    expected = computed(place, 0)
    assert len(pieces) == len(PIECES)
    for piece, wanted in zip(pieces, expected, strict=True):
        np.testing.assert_array_equal(piece.arrays, wanted.arrays)
        assert (piece.unusable, piece.rates, piece.count) == (wanted.unusable, wanted.rates, wanted.count)
    assert list(pieces[3].unusable) == ["07.wav"]


class Slow:
    """Is slow in this process only, so that others get pieces, too; can be sent to another process."""

    def __init__(self, computer):
        self._computer = computer

    def __reduce__(self):
        return pickle.loads, (pickle.dumps(self._computer),)

    def __call__(self, keys):
        time.sleep(1)
        return self._computer(keys)


def test_several_processes_compute_what_one_does(place, monkeypatch):
    puts = []
    put = workers._Crew.put
    monkeypatch.setattr(
        workers._Crew, "put", lambda *args: (puts.append(threading.current_thread().name), put(*args))[1]
    )
    check(list(compute_pieces(Slow(computer(place)), PIECES, 1)), place)
    assert "pieces" in puts, "the other process computed none"


def test_what_cannot_be_sent_is_computed_here(place, monkeypatch):
    monkeypatch.setattr(workers, "_start", lambda: pytest.fail("there is nothing to send"))
    reader = Reader(place)
    here = Computer(FilterbankSettings(), lambda key: reader(key))
    check(list(compute_pieces(here, PIECES, 3)), place)


@pytest.mark.parametrize("command", [["-c", "raise SystemExit(3)"], ["-c", "print('hello')"], ["-c", "input()"]])
def test_a_process_that_fails_costs_only_time(place, monkeypatch, command):
    monkeypatch.setattr(workers, "_COMMAND", python(*command))
    check(computed(place, 2), place)


def test_a_process_that_is_killed_at_work_costs_only_time(place, monkeypatch):
    program = (
        "import pickle, sys, os\n"
        "sys.path[:0] = sys.argv[1:]\n"
        "pickle.load(sys.stdin.buffer); pickle.dump(None, sys.stdout.buffer); sys.stdout.flush()\n"
        "pickle.load(sys.stdin.buffer); os._exit(9)"
    )
    monkeypatch.setattr(workers, "_COMMAND", python("-c", program, *sys.path))
    check(list(compute_pieces(Slow(computer(place)), PIECES, 2)), place)


def test_processes_end_when_the_work_is_ended(place, monkeypatch):
    children = []
    start = workers._start
    monkeypatch.setattr(workers, "_start", lambda: children.append(start()) or children[-1])
    pieces = compute_pieces(computer(place), PIECES, 2)
    next(pieces)
    pieces.close()
    assert len(children) == 2
    assert all(child.poll() is not None for child in children)
    assert not [thread for thread in threading.enumerate() if thread.name == "pieces"]


def test_few_recordings_are_not_worth_a_process(monkeypatch):
    monkeypatch.setattr(workers.os, "sched_getaffinity", lambda _: range(4), raising=False)
    assert [processes_for(count) for count in (0, 500, 1_999, 2_000, 3_000, 30_000)] == [0, 0, 0, 1, 2, 3]
    monkeypatch.setattr(workers.os, "sched_getaffinity", lambda _: range(64), raising=False)
    assert processes_for(1_000_000) == 7


PROGRAM = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
from pathlib import Path
from model.processes import avoid_current_folder

avoid_current_folder()
from model import locations
from model.data import prepared
from model.data.filterbanks import usable_filterbanks
from model.data.recordings import Reader

prepared._PIECE = 2
prepared.processes_for = lambda _: 1
locations.cache = lambda: Path(sys.argv[2])
place = Path(sys.argv[1])
keys = sorted(path.name for path in place.glob("*.wav"))

def tell(share, text):
    print(text, flush=True)
    if len(sys.argv) > 3:
        time.sleep(float(sys.argv[3]))
prepared._PROGRESS_SECONDS = -1
found = usable_filterbanks("test", "Noise", (), keys, Reader(place), tell)
print(len(found.features), list(found.unusable))
"""


def run(place, cache, *arguments, more=None, **options):
    command = python("-c", PROGRAM, str(place), str(cache), *arguments)
    env = {**environment(), "PYTHONPATH": str(ROOT), **(more or {})}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env, **options)


def test_no_code_of_the_current_folder_is_run(place, tmp_path):
    (tmp_path / "hostile").mkdir()
    hostile = HostileFolder(tmp_path / "hostile")
    out, _ = run(place, tmp_path / "cache", cwd=hostile.folder, more=hostile.environment).communicate(timeout=100)
    assert out.splitlines()[-1] == "23 ['07.wav']"
    assert not hostile.told()


def test_two_programs_at_once_compute_each_recording_once(place, tmp_path):
    programs = [run(place, tmp_path / "cache", "0.5") for _ in range(2)]
    outputs = [program.communicate(timeout=100) for program in programs]
    assert [out.splitlines()[-1] for out, _ in outputs] == ["23 ['07.wav']"] * 2, outputs
    told = [out.count("Computing") for out, _ in outputs]
    assert sum(told) == 12 or "Waiting" in outputs[0][0] + outputs[1][0], outputs
    assert sum(told) <= 12


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is sent as a signal")
def test_ctrl_c_ends_all_processes_and_keeps_the_work(place, tmp_path):
    program = run(place, tmp_path / "cache", "0.5", start_new_session=True)
    for _ in range(4):
        assert program.stdout.readline()
    os.killpg(program.pid, signal.SIGINT)
    _, errors = program.communicate(timeout=100)
    assert program.returncode == -signal.SIGINT, errors
    assert errors.count("KeyboardInterrupt") == 1, errors
    with pytest.raises(ProcessLookupError):
        os.killpg(program.pid, 0)
    (journal,) = (tmp_path / "cache" / "filterbanks").glob("*.jsonl")
    assert 3 <= journal.read_bytes().count(b"\n") < 12
    out, _ = run(place, tmp_path / "cache").communicate(timeout=100)
    assert 1 <= out.count("Computing") <= 9
    assert out.splitlines()[-1] == "23 ['07.wav']"


def test_the_corpora_hand_out_readers_that_can_be_sent(place, tmp_path, monkeypatch):
    monkeypatch.setattr(locations, "cache", lambda: tmp_path)
    monkeypatch.setattr(prepared, "processes_for", lambda _: 1)
    monkeypatch.setattr(prepared, "_PIECE", 2)
    found = usable_filterbanks("test", "Noise", (), KEYS, Reader(place))
    assert found.features.shape == (23, 100, 80)
    assert found.rates == {8000: 23}
