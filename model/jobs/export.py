"""The worker's job that writes exports."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model.evaluation.robustness import Robustness
from model.evaluation.store import Evaluation
from model.evaluation.sweep_results import SweepResults
from model.export.writers import Exhibits, everything, write

if TYPE_CHECKING:
    from model.progress import JobContext


def export(request: Mapping[str, Any], context: JobContext) -> None:
    """Write one export of evaluated models, or all exports.

    ``{"what": a name in `WRITERS` or "everything", "to": path, "models": [[name, folder of the evaluation], ...],
    "sweep": path, "noisy": [[name, robustness], ...]}``, where the sweep may be empty, and the robustness is that of
    :meth:`~model.evaluation.robustness.Robustness.to_dict`. Sends ``exported`` (path), or ``stopped`` if cancelled
    between two files of everything.
    """
    to = Path(request["to"])
    models = [(name, Evaluation.load(Path(folder))) for name, folder in request["models"]]
    rows = SweepResults.load(Path(request["sweep"])).rows if request["sweep"] else ()
    noisy = [(name, Robustness.from_dict(values)) for name, values in request.get("noisy", ())]
    of = Exhibits(models, rows, noisy=noisy)
    if request["what"] == "everything":
        for path in everything(of, to):
            context.send({"say": "progress", "share": None, "text": f"Wrote {path.name}"})
            if context.cancelled():
                context.send({"say": "stopped"})
                return
    else:
        write(request["what"], of, to)
    context.send({"say": "exported", "path": str(to)})
