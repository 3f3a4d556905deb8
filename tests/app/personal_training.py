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

from worker_stand_in import Failed, command_of, say, serve

from model import locations
from model.evaluation.personal_results import PersonalResults, Setting, Understood
from model.runs.personal_runs import personal_config, read_run, save_results
from model.runs.store import RunRecord, RunStore
from model.runs.values import RunStatus
from model.types import Modality

COMMAND = command_of("personal_training")


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
            raise Failed("There are 3 spoken and 0 drawn takes to train on.")
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
        raise Failed("No space left on the disk. Free some space, then resume.")
    if "Wait" in people and not resumed:
        wait()
        write(folder, results, state="stopped", step=100)
        say(say="ended", complete=False)
        return
    shutil.copy(locations.shipped_model(), folder / "model.safetensors")
    left_out = 21 if results.setting.leave_out else None
    rows = tuple(replace(row, after=24, left_out=left_out) for row in results.rows)
    write(folder, replace(results, rows=rows), state="complete", step=200, resumable=False)
    say(say="ended", complete=True)


if __name__ == "__main__":
    serve({"takes": train}, seconds=540.0, step_seconds=0.3)
