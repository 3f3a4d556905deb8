"""Stands in for the process that trains with takes, as ``COMMAND``: the same words and folders, without any training.

Named after what they make it do: with takes of ``Wait`` it trains until it is stopped, and to the end the next time;
``Die`` ends the process in the middle of the training, ``Full`` fails there, and ``Few`` fails before it begins. The
model that comes out is a copy of the shipped one.
"""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from model import locations
from model.evaluation.personal_results import PersonalResults, Setting, Understood
from model.runs.personal_runs import personal_config, read_run, save_results
from model.runs.store import RunRecord, RunStore
from model.runs.values import RunStatus
from model.types import Modality

# The window's processes don't look for modules beside their script.
_FOLDERS = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
_PROGRAM = f"import runpy, sys; sys.path[:0] = {_FOLDERS}; runpy.run_module('personal_training', run_name='__main__')"
COMMAND = (sys.executable, "-c", _PROGRAM)

job: int | None = None  # the one that is done


def say(**message: Any) -> None:
    print(json.dumps({"id": job, **message}), flush=True)


def results_of(people: list[str], leave_out: bool) -> PersonalResults:
    """Results before anything has trained."""
    recipe = {"name": "personal", "steps": 200}
    rows = tuple(Understood(person, Modality.SPEECH, 75, 25, before=20) for person in people)
    return PersonalResults(rows, Setting("robust", (), ("mnist", "voices", "my-speech"), recipe, 0, leave_out))


def write(folder: Path, results: PersonalResults, **status: Any) -> None:
    """A run and its results so far."""
    record = RunRecord(folder)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    known = record.progress() if record.exists else None
    assert known is not None
    record.write_progress(replace(RunStatus(known.plan, "running", now, known.plan.title), **status))
    save_results(folder, results)
    say(say="results", results=results.to_dict())


def wait() -> None:
    """Until the window stops the training."""
    for line in sys.stdin:
        word = json.loads(line)["do"]
        if word == "stop":
            return
        say(say={"pause": "paused", "go": "going"}[word])


def train(message: dict[str, Any]) -> None:
    resumed = "folder" in message
    if resumed:
        folder = Path(message["folder"])
        run = read_run(RunRecord(folder))
        assert run is not None
        results = run.results
        people = [row.person for row in results.rows]
    else:
        people = message["people"]
        if "Few" in people:
            say(say="failed", message="There are 3 spoken and 0 drawn takes to train on.", details="")
            return
        results = results_of(people, message["leave_out"])
        say(say="progress", share=0, text="Testing the model as it is")
        say(say="results", results=results.to_dict())
        counts = {(person, Modality.SPEECH): 75 for person in people}
        folder = RunStore().new_folder(personal_config(Path(message["start"]), counts))
    say(say="run", folder=str(folder))
    write(folder, results)
    say(say="progress", share=0.5, text="Training: step 100 of 200")
    if "Die" in people:
        print("the last words", file=sys.stderr)
        sys.exit(9)
    if "Full" in people:
        write(folder, results, state="failed", step=100, message="No space left on the disk.")
        say(say="failed", message="No space left on the disk. Free some space, then resume.", details="")
        return
    if "Wait" in people and not resumed:
        wait()
        write(folder, results, state="stopped", step=100)
        say(say="ended", complete=False)
        say(say="done")
        return
    shutil.copy(locations.shipped_model(), folder / "model.safetensors")
    left_out = 21 if results.setting.leave_out else None
    rows = tuple(replace(row, after=24, left_out=left_out) for row in results.rows)
    write(folder, replace(results, rows=rows), state="complete", step=200, resumable=False)
    say(say="ended", complete=True)
    say(say="done")


def main() -> None:
    global job
    say(say="ready", devices=[["cpu", "A processor"]])
    for line in sys.stdin:
        message = json.loads(line)
        if message["do"] == "stop":
            continue  # of a job that is done
        job = message["id"]
        if message["do"] == "takes":
            train(message)
            continue
        if message["do"] == "estimate":
            estimate = {"step_seconds": 0.3, "seconds": 540.0, "memory_bytes": 1.2e9, "free_bytes": 8e9}
            say(say="estimate", **estimate, device="A processor")
        say(say="done")


if __name__ == "__main__":
    main()
