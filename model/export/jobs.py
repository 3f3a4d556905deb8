"""Exports that the window's worker writes: drawing and packing take seconds that no window waits for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model.evaluation.store import Evaluation
from model.export.writers import Exhibits, write
from model.sweep_results import SweepResults

if TYPE_CHECKING:
    from model.evaluation.jobs import Talk


def export(request: Mapping[str, Any], talk: Talk) -> None:
    """Write something about judged models.

    ``{"what": a name in `model.export.writers.WRITERS`, "to": path, "models": [[name, folder of the evaluation], ...],
    "sweep": path}``, where the sweep may be empty. The first model is the one that exports of a single model are about.
    Says ``exported`` (path).
    """
    to = Path(request["to"])
    talk.say({"say": "progress", "share": None, "text": f"Writing {to.name}"})
    models = [(name, Evaluation.load(Path(folder))) for name, folder in request["models"]]
    sweep = SweepResults.load(Path(request["sweep"])).rows if request["sweep"] else ()
    write(request["what"], Exhibits(models, sweep), to)
    talk.say({"say": "exported", "path": str(to)})
