"""``modinv train``, killed (SIGKILL) at random moments and resumed until it is done: does it end bit by bit the same?

The command runs on a few inputs and saves after every step instead of every minute, so that most kills meet a save.
Each process is forked from one that has imported all libraries: the command is killed, not seconds of importing.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np

from model.checkpoints import UnusableCheckpoint, read
from model.runs.store import RunRecord

# `pythonpath` of the tests has tests/ in front, the root of the repository is the folder to run it from.
sys.path.insert(0, str(Path(__file__).parents[1]))
from tiny import write_corpora

STEPS = 10
_LIBRARIES = [
    "model.cli.train",
    "model.runs.session",
    "model.runs.corpus_cache",
    "model.data.corpora.mnist",
    "model.data.corpora.fsdd",
]
_LIBRARIES += ["sklearn.svm", "sklearn.model_selection", "sklearn.cluster", "openTSNE", "torch.utils.tensorboard"]
_AT_THE_START = 0.2  # share of kills before training has begun
_PATIENCE = 300.0  # seconds


@dataclass
class Outcome:
    """What came of it.

    Attributes
    ----------
    kills
        Processes killed; each was followed by another that resumed.
    during_saves
        Kills that left the draft of a file.
    runs, same
        Runs that were brought to their end, and those of them that ended with the very bytes of a run that was never
        killed: weights, optimiser, points and snapshots.
    drafts
        Drafts that lay in the folders of these runs at their ends.
    """

    kills: int = 0
    during_saves: int = 0
    runs: int = 0
    same: int = 0
    drafts: int = 0


def kill_and_resume(kills: int, seed: int, folder: Path) -> Outcome:
    """Kill so many processes, and bring every run to its end; needs an empty folder."""
    rng = np.random.default_rng(seed)
    data = write_corpora(folder / "data")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_LIBRARIES)

    def start(record: RunRecord) -> BaseProcess:
        process = context.Process(target=_train, args=(record.folder, data, folder / "cache"))
        process.start()
        return process

    _finish(start(RunRecord(folder / "warm-up")))
    straight = RunRecord(folder / "straight")
    began = time.monotonic()
    process = start(straight)
    _until_it_trains(straight, process)
    starting = time.monotonic() - began
    _finish(process)
    training = time.monotonic() - began - starting
    outcome, number = Outcome(), 0
    while outcome.kills < kills:
        record = RunRecord(folder / f"killed-{number}")
        number += 1
        over = False
        while not over:
            process = start(record)
            if outcome.kills < kills:
                if rng.random() < _AT_THE_START:
                    over = _ended_within(process, rng.uniform(0, starting))
                else:
                    _until_it_trains(record, process)
                    over = _ended_within(process, rng.uniform(0, 1.5 * training))
            else:
                over = _ended_within(process, _PATIENCE)
            if not over:
                process.kill()
                process.join()
                outcome.kills += 1
                outcome.during_saves += any(_drafts(record))
                print(json.dumps({**asdict(outcome), "step": _step(record)}), file=sys.stderr, flush=True)
        _finish(process)
        outcome.runs += 1
        outcome.same += _same(record, straight)
        outcome.drafts += len(list(_drafts(record)))
        shutil.rmtree(record.folder)
    return outcome


def _train(folder: Path, data: Path, cache: Path) -> None:
    """The command, in a process of its own."""
    import torch

    from model import locations
    from model.cli import main as cli
    from model.recipes import recipe as recipes
    from model.runs import session as logbook
    from model.training import loop as training

    torch.set_num_threads(1)
    locations.cache = lambda: cache
    training.SAVE_SECONDS = 0.0
    logbook.snapshot_steps = lambda steps: frozenset({1, steps // 2, steps})  # few: they take longer than the saves
    recipes.RECIPES["fast"] = dataclasses.replace(recipes.FAST, batch_size=4, samples_per_input=2)
    options = ["--data", "mnist,fsdd", "--device", "cpu", "--steps", str(STEPS)]
    sys.argv = ["modinv", "train", *options, "--data-dir", str(data), "--out", str(folder)]
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115 (for the life of the process)
    cli.main()


def _finish(process: BaseProcess) -> None:
    process.join(_PATIENCE)
    assert process.exitcode == 0, process.exitcode


def _until_it_trains(record: RunRecord, process: BaseProcess) -> None:
    end = time.monotonic() + _PATIENCE
    while not record.held and process.is_alive():
        assert time.monotonic() < end, "it never began"
        time.sleep(0.02)


def _ended_within(process: BaseProcess, seconds: float) -> bool:
    process.join(seconds)
    return process.exitcode is not None


def _drafts(record: RunRecord) -> Iterator[Path]:
    return record.folder.rglob(".*.draft")


def _step(record: RunRecord) -> int | None:
    """The step that the run would resume from; None while there is nothing to resume."""
    if not record.exists:
        return None
    with suppress(UnusableCheckpoint):
        return int(read(record.resume_file)[1]["step"])
    assert not record.resume_file.exists(), "a kill has damaged the checkpoint"
    return 0


def _same(one: RunRecord, other: RunRecord) -> bool:
    """Whether both hold the same, but for the time that it took and the name of the folder."""
    (ours, our_header), (theirs, their_header) = read(one.resume_file), read(other.resume_file)
    arrays = set(ours) == set(theirs) and all(ours[name].tobytes() == theirs[name].tobytes() for name in ours)
    files = all(
        mine.read_bytes() == other.snapshot_file(step).read_bytes()
        for step in other.snapshots()
        if (mine := one.snapshot_file(step)).exists()
    )
    points = [[(point.step, point.epoch, point.values) for point in record.points()] for record in (one, other)]
    return (
        arrays
        and our_header == their_header
        and one.model_file.read_bytes() == other.model_file.read_bytes()
        and one.snapshots() == other.snapshots()
        and files
        and points[0] == points[1]
        and one.info().state == other.info().state == "complete"
    )


def main() -> int:
    """Print JSON; 1 if a run ended differently or left a draft."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.killed_training", description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcome = kill_and_resume(wanted.kills, wanted.seed, Path(folder))
    print(json.dumps(asdict(outcome)))
    return int(outcome.same < outcome.runs or outcome.drafts > 0)


if __name__ == "__main__":
    sys.exit(main())
