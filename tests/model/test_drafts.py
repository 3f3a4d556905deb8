"""What killed writes leave behind goes; what others are writing stays."""

import os
import subprocess
import sys
import time

import pytest
from tiny import Bars, small

from model.checkpoints import write_bytes_atomically
from model.runs.session import TrainingSession
from model.training.config import TrainingConfig

PLAN = TrainingConfig(small(), ("mnist", "fsdd"), device="cpu")
WRITE = """
import os, sys, time
from pathlib import Path
from model.checkpoints import write_bytes_atomically
def wait(*_):
    print(flush=True)
    time.sleep(100)
os.fsync = wait
write_bytes_atomically(Path(sys.argv[1]), b"half of something")
"""


@pytest.fixture
def writer(tmp_path):
    """A process in the middle of a write."""
    command = [sys.executable, "-c", WRITE, str(tmp_path / "file")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline()
        yield process
        process.kill()


def drafts(folder):
    return [path for path in folder.rglob(".*") if path.name != ".lock"]


def grow_old(path):
    os.utime(path, (time.time() - 3600,) * 2)


def test_the_draft_of_a_killed_write_goes_with_the_next_write(tmp_path, writer):
    (draft,) = drafts(tmp_path)
    writer.kill()
    writer.wait()
    grow_old(draft)
    write_bytes_atomically(tmp_path / "other", b"")
    assert drafts(tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows itself lets nobody delete what is being written")
def test_the_draft_of_a_living_writer_stays(tmp_path, writer):
    (draft,) = drafts(tmp_path)
    grow_old(draft)
    write_bytes_atomically(tmp_path / "other", b"")
    assert drafts(tmp_path) == [draft]
    assert writer.poll() is None


def test_what_only_looks_like_a_draft_stays(tmp_path):
    others = [tmp_path / name for name in (".file.original", ".file.draft", "file.0123abcd.draft", ".file.0123abcd")]
    for path in others:
        path.write_bytes(b"mine")
        grow_old(path)
    write_bytes_atomically(tmp_path / "file", b"")
    assert set(others) < set(tmp_path.iterdir())


def test_a_run_that_goes_on_clears_away_what_its_killed_writes_left(tmp_path):
    (tmp_path / "snapshots").mkdir()
    left = [
        tmp_path / ".resume.safetensors.0123abcd.draft",
        tmp_path / "snapshots" / ".00000001.safetensors.0123abcd.draft",
        tmp_path / ".resume.safetensors.wg4kmslx",  # as earlier versions named them
        tmp_path / "snapshots" / ".00000001.safetensors.a_b_c_d_",
    ]
    kept = [tmp_path / ".resume.safetensors.original.bak", tmp_path / ".holiday.wg4kmslx"]
    for path in (*left, *kept):
        path.write_bytes(b"half")
        grow_old(path)
    with TrainingSession(tmp_path, PLAN) as book:
        next(book.train(Bars()))
        assert set(drafts(tmp_path)) == set(kept)
