"""Stands in for the process that sweeps, as ``COMMAND``: the same words and folders, without any training.

With seed 7 the first run waits until it is stopped, and goes on the next time; with seed 5 the first two are in
progress until they are stopped; seed 9 kills the process; a lambda_IG of 0.5 fails. The results are made of numbers.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sweeps import make_results
from worker_stand_in import command_of, say, serve

from model.evaluation.paper import PAPER_TABLE
from model.runs.store import RunRecord
from model.runs.values import RunStatus, State
from model.sweeps.plans import SweepPlan
from model.training.config import TrainingConfig

COMMAND = command_of("sweeping")


def write(folder: Path, plan: TrainingConfig, state: State) -> None:
    """A run so far."""
    folder.mkdir(exist_ok=True)
    step = plan.recipe.steps if state == "complete" else 2 * plan.recipe.steps // 5
    RunRecord(folder).write_progress(RunStatus(plan, state, "2026-11-01T12:00:00+00:00", plan.title, step=step))


def train(folder: Path, plan: TrainingConfig, begun: bool) -> bool:
    """Whether a run came to its end."""
    if plan.seed == 9:
        print("Killed", file=sys.stderr)
        sys.exit(9)
    if plan.seed == 7 and not begun:
        write(folder, plan, "stopped")
        assert json.loads(next(sys.stdin))["do"] == "stop"
        return False
    write(folder, plan, "complete")
    return True


def sweep(message: dict[str, Any]) -> None:
    plan, folder = SweepPlan.from_dict(message["plan"]), Path(message["folder"])
    runs = plan.runs()
    if runs[0].config.seed == 5:
        for share, text in ((0.1, "step 160 of 1,600"), (0.4, "step 640 of 1,600")):
            for planned in runs[:2]:
                run = {"name": planned.name, "share": share, "text": text}
                say(say="progress", share=2 * share / len(runs), text=planned.name, left=90.0, run=run)
        assert json.loads(next(sys.stdin))["do"] == "stop"
        for planned in runs[:2]:
            write(folder / planned.name, planned.config, "stopped")
        say(say="stopped")
        return
    for place, planned in enumerate(runs):
        name, one, lambda_ig = planned.name, planned.config, planned.config.recipe.lambda_ig
        run = {"name": name, "share": 0.4, "text": "step 640 of 1,600"}
        say(say="progress", share=(place + 0.4) / len(runs), text=f"{name}, {run['text']}", left=90.0, run=run)
        if lambda_ig == 0.5:
            say(say="run_failed", name=name, message="The loss is not finite.")
            continue
        if not train(folder / name, one, lambda_ig > min(plan.lambdas) or (folder / name).exists()):
            say(say="stopped")
            return
        purity, svm = PAPER_TABLE.get(lambda_ig, (0.9, 0.6))
        say(say="judged", name=name, purity=purity, modality_svm=svm)
    results = make_results(seeds=plan.seeds)
    kept = [place for place, value in enumerate(results.lambdas) if value in plan.lambdas]
    results = replace(
        results,
        lambdas=tuple(results.lambdas[place] for place in kept),
        embeddings=results.embeddings[kept],
        coordinates=np.ascontiguousarray(results.coordinates[kept]),
        rows=tuple(row for row in results.rows if row.lambda_ig in plan.lambdas),
    )
    results.save(folder / "sweep.safetensors")
    say(say="swept", file=str(folder / "sweep.safetensors"))


if __name__ == "__main__":
    serve({"sweep": sweep}, seconds=900.0, step_seconds=0.5)
