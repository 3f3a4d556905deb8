"""Runs that train with people's takes: their configuration, and the results in their folders; without torch."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from model.checkpoints import Header, UnusableCheckpoint, read_header, write_bytes_atomically
from model.data.corpora import find
from model.data.takes import MY_DRAWINGS, MY_SPEECH
from model.errors import ModinvError
from model.evaluation.personal_results import (
    Counts,
    PersonalResults,
    refusal,
    trained_modalities,
    trained_people,
)
from model.parsing import read_json
from model.recipes.recipe import fine_tuning
from model.runs.store import RunInfo, RunRecord, RunStore
from model.training.config import TrainingConfig
from model.types import Modality

log = logging.getLogger(__name__)

RESULTS = "takes.json"
"""Name of the file of the results in a run's folder."""

_OLD_PAIRS = ("mnist", "voices", "fsdd")
_CORPUS = {Modality.SPEECH: MY_SPEECH, Modality.IMAGE: MY_DRAWINGS}


class TooFewTakes(ModinvError, ValueError):
    """There are too few takes to train on; the message says how many there are, and what to do."""


@dataclass(frozen=True, slots=True)
class PersonalRun:
    """A run that trained, trains or may go on training with takes.

    Attributes
    ----------
    record, info
        Its folder and state.
    results
        What has been counted so far.
    has_model
        Whether there are weights to use.
    """

    record: RunRecord
    info: RunInfo
    results: PersonalResults
    has_model: bool


def personal_config(
    start: Path,
    counts: Counts,
    seed: int = 0,
    device: str = "auto",
    settings: Sequence[str] = (),
    data_dir: Path | None = None,
) -> TrainingConfig:
    """What to train: the model ``start`` on MNIST, the shipped voices, FSDD if it is installed, and takes.

    Parameters
    ----------
    start
        File of the model.
    counts
        How many takes of the chosen people there are to train on.
    seed, device
        As of a :class:`~model.training.config.TrainingConfig`.
    settings
        Changes of the recipe :func:`~model.recipes.recipe.fine_tuning`, such as ``"steps=100"``.
    data_dir
        Folder of the corpora; by default the user's.

    Raises
    ------
    TooFewTakes
        If they are fewer than ten in each modality.
    UnusableCheckpoint
        If the model can't be read, or its system is not installed.
    ValueError
        If a setting is wrong.
    """
    if why := refusal(counts):
        raise TooFewTakes(why)
    header = Header.from_dict(read_header(start))
    try:
        recipe = fine_tuning(header.recipe)
    except ValueError as error:
        raise UnusableCheckpoint(f"{start.name} can't be trained any further. {error}") from error
    old = [name for name in _OLD_PAIRS if find(name)(data_dir).location() or find(name).info.ships]
    corpora = (*old, *(_CORPUS[modality] for modality in trained_modalities(counts)))
    return TrainingConfig(
        recipe.with_settings(settings), corpora, seed, device, start=start, people=trained_people(counts)
    )


def save_results(folder: Path, results: PersonalResults) -> None:
    """Keep the results in the folder of their run; raises ``OSError``."""
    write_bytes_atomically(folder / RESULTS, json.dumps(results.to_dict(), indent=1).encode(), make_folder=False)


def read_run(record: RunRecord) -> PersonalRun | None:
    """A run that trained with takes; ``None`` for any other run, and for one that can't be read."""
    try:
        results = PersonalResults.from_dict(read_json(record.folder / RESULTS))
        return PersonalRun(record, record.info(), results, record.model_file.is_file())
    except FileNotFoundError:
        return None
    except (OSError, ValueError, UnusableCheckpoint) as error:
        log.warning("The results in %s can't be read: %s", record.folder, error)
        return None


def latest_run(store: RunStore) -> PersonalRun | None:
    """The run that began last of those that trained with takes; ``None`` if there is none."""
    runs = (read_run(record) for record in store.list() if (record.folder / RESULTS).is_file())
    return next((run for run in runs if run is not None), None)
