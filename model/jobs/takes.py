"""The worker's job that trains with people's takes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from model.data.takes import TakeStore
from model.evaluation.personal import counts_of, own_takes
from model.progress import Cancelled, JobContext
from model.runs.corpus_cache import CorpusCache
from model.runs.personal import PersonalTraining
from model.runs.personal_runs import personal_config, read_run
from model.runs.store import RunRecord, RunStore


def train_with_takes(request: Mapping[str, Any], context: JobContext, corpora: CorpusCache) -> None:
    """Train ``{"start": path, "people": [...], "leave_out": bool}``, or go on with ``{"folder": path}``.

    Sends ``progress``, ``run`` and ``results`` as :class:`~model.runs.personal.PersonalTraining`, and at the end
    ``ended``, with ``complete``, unless it was stopped before the run began. No people are everybody.
    """
    try:
        if "folder" in request:
            training, folder = _begun(Path(request["folder"]), context, corpora), Path(request["folder"])
            complete = training.run(lambda: folder)
        else:
            takes = own_takes(TakeStore().takes(), request["people"], context.progress)
            config = personal_config(Path(request["start"]), counts_of(takes))
            training = PersonalTraining(config, takes, corpora, context, request["leave_out"])
            complete = training.run(lambda: RunStore().new_folder(config))
    except Cancelled:
        return
    context.send({"say": "ended", "complete": complete})


def _begun(folder: Path, context: JobContext, corpora: CorpusCache) -> PersonalTraining:
    """The training of a run that has begun, with the takes that there are now."""
    record = RunRecord(folder)
    config, run = record.progress().plan, read_run(record)
    known = run.results if run is not None else None
    takes = own_takes(TakeStore().takes(), config.people, context.progress)
    leave_out = known is not None and known.setting.leave_out
    return PersonalTraining(config, takes, corpora, context, leave_out, known)
