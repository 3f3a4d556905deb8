"""Training with takes: fine-tunes a model on old pairs and people's takes, and counts what they gain by it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from model import locations
from model.checkpoints import Header, read_header, write_bytes_atomically
from model.data.corpora import find
from model.data.takes import MY_DRAWINGS, MY_SPEECH
from model.errors import ModinvError
from model.evaluation.personal import Examiner, OwnTakes
from model.evaluation.personal_results import PersonalResults, Understood
from model.progress import Cancelled, JobContext
from model.recipes.recipe import fine_tuning
from model.retrieval.gallery import Gallery
from model.runs.corpus_cache import CorpusCache
from model.runs.session import TrainingSession
from model.systems.base import System
from model.systems.model_io import best_device, load_model
from model.training.ancestry import trained_on_speaker
from model.training.config import TrainingConfig
from model.training.loop import Ended, Run, Stepped, train
from model.types import Modality

RESULTS = "takes.json"
"""Name of the file of the results in a run's folder."""

_OLD_PAIRS = ("mnist", "voices", "fsdd")
_LEAST_TAKES = 10
_CORPUS = {Modality.SPEECH: MY_SPEECH, Modality.IMAGE: MY_DRAWINGS}


class TooFewTakes(ModinvError, ValueError):
    """There are too few takes to train on; the message says how many there are, and what to do."""


def personal_config(
    start: Path,
    takes: Sequence[OwnTakes],
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
    takes
        Those of the chosen people.
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
    UnusableCheckpoint, OSError
        If the model can't be read.
    ValueError
        If a setting is wrong.
    """
    counts = {modality: sum(len(own.train) for own in takes if own.modality is modality) for modality in Modality}
    enough = [modality for modality, count in counts.items() if count >= _LEAST_TAKES]
    if not enough:
        raise TooFewTakes(
            f"There are {counts[Modality.SPEECH]} spoken and {counts[Modality.IMAGE]} drawn takes to train on, and one "
            f"needs at least {_LEAST_TAKES} of either. One take in four is kept for testing. Make some more on the "
            "page My digits."
        )
    recipe = fine_tuning(Header.from_dict(read_header(start)).recipe).with_settings(settings)
    old = [name for name in _OLD_PAIRS if find(name)(data_dir).location() or find(name).info.ships]
    people = dict.fromkeys(own.person for own in takes if own.modality in enough and len(own.train))
    corpora = (*old, *(_CORPUS[modality] for modality in enough))
    return TrainingConfig(recipe, corpora, seed, device, start=start, people=tuple(people))


class PersonalTraining:
    """Trains one run, and counts what is understood before, with takes in the gallery, after, and of strangers.

    Parameters
    ----------
    config
        The run; see :func:`personal_config`.
    takes
        All takes of the people who train.
    corpora
        Loads the corpora.
    context
        Receives the progress; ``{"say": "results", "results": {...}}``, :class:`PersonalResults` in JSON, whenever
        there are more; and ``{"say": "run", "folder": path}`` once the run begins.
    leave_out
        Whether to train once more without each of several people. These models are not kept.

    Attributes
    ----------
    results
        What has been counted so far.
    """

    def __init__(
        self,
        config: TrainingConfig,
        takes: Sequence[OwnTakes],
        corpora: CorpusCache,
        context: JobContext,
        leave_out: bool = False,
    ) -> None:
        assert config.start is not None
        self._config, self._start, self._corpora, self._context = config, config.start, corpora, context
        self._takes = [own for own in takes if own.person in config.people]
        self._strangers = config.people if leave_out and len(config.people) > 1 else ()
        self._gallery = Gallery.load(locations.shipped_gallery())
        self._trainings_done = 0
        header = Header.from_dict(read_header(self._start))
        rows = [Understood(own.person, own.modality, len(own.train), len(own.test)) for own in self._takes]
        known = [own for own in self._takes if trained_on_speaker(header.data, own.train.corpus, own.person)]
        setting = {
            "start": header.recipe["name"],
            "known_before": sorted({own.person for own in known}),
            "corpora": list(config.corpora),
            "recipe": config.recipe.to_dict(),
            "seed": config.seed,
        }
        self.results = PersonalResults(tuple(rows), setting)

    def run(self, make_folder: Callable[[], Path]) -> bool:
        """Do everything; the results go into the run's folder, too.

        Parameters
        ----------
        make_folder
            Makes the folder of the run, or names that of one to resume.

        Returns
        -------
        bool
            Whether the run is complete; if not, it was stopped, and what there is of it can be resumed.

        Raises
        ------
        TrainingFailed, UnusableCheckpoint, MissingData, OSError
            As :meth:`TrainingSession.train <model.runs.session.TrainingSession.train>`.
        """
        try:
            self._examine_start()
            folder = make_folder()
            if not self._train(folder):
                return False
        except Cancelled:
            return False
        try:
            self._examine_end(folder / "model.safetensors")
            self._leave_out(folder)
        except Cancelled:
            pass  # what has been counted is kept
        content = json.dumps(self.results.to_dict(), indent=1).encode()
        write_bytes_atomically(folder / RESULTS, content, make_folder=False)
        return True

    def _examine_start(self) -> None:
        self._tell(0, "Testing the model as it is")
        examiner = self._examiner(*load_model(self._start, best_device(self._config.device)))
        other = {(own.person, own.modality.other): own.train for own in self._takes}
        rows = []
        for own, row in zip(self._takes, self.results.rows, strict=True):
            takes = other.get((own.person, own.modality))
            gallery = examiner.with_takes(own, takes) if takes is not None and len(takes) else None
            rows.append(replace(row, before=examiner.understood(own), gallery=gallery))
            self._context.check()
        self._show(rows)

    def _train(self, folder: Path) -> bool:
        self._context.send({"say": "run", "folder": str(folder)})
        context, complete = self._context, False
        with TrainingSession(folder, self._config) as session:
            for event in session.train(
                self._corpora, lambda: context.cancelled(session.pause), lambda _share, text: self._tell(0, text)
            ):
                if isinstance(event, Stepped):
                    self._tell_step(event, "Training")
                elif isinstance(event, Ended):
                    complete = event.complete
        self._trainings_done += 1
        return complete

    def _examine_end(self, model: Path) -> None:
        self._tell(0, "Testing the new model")
        examiner = self._examiner(*load_model(model, best_device(self._config.device)))
        pairs = zip(self._takes, self.results.rows, strict=True)
        self._show([replace(row, after=examiner.understood(own)) for own, row in pairs])

    def _leave_out(self, folder: Path) -> None:
        """Train without each person, and test with their takes: nothing of them was heard, or seen."""
        for person in self._strangers:
            others = tuple(one for one in self._config.people if one != person)
            corpora = tuple(
                name for name in self._config.corpora if name not in _CORPUS.values() or self._has(name, others)
            )
            config = replace(self._config, people=others, corpora=corpora)
            device = best_device(config.device)
            sampler = self._corpora.sampler(config, device)
            with tempfile.TemporaryDirectory(dir=folder, prefix="left-out-") as scratch:
                run = Run(Path(scratch), config.recipe, config.seed, config.data(), device, config.start)
                for event in train(run, sampler, self._context.cancelled):
                    if isinstance(event, Stepped):
                        self._tell_step(event, f"Training without {person}")
                    elif isinstance(event, Ended):
                        self._context.check()
                        examiner = self._examiner(event.system, event.header)
            self._trainings_done += 1
            pairs = zip(self._takes, self.results.rows, strict=True)
            self._show(
                [replace(row, left_out=examiner.understood(own)) if own.person == person else row for own, row in pairs]
            )

    def _has(self, corpus: str, people: Sequence[str]) -> bool:
        """Whether there are takes of any of these people in a corpus."""
        return any(len(own.train) for own in self._takes if own.train.corpus == corpus and own.person in people)

    def _examiner(self, system: System, header: Header) -> Examiner:
        return Examiner(system, header, self._gallery)

    def _show(self, rows: Sequence[Understood]) -> None:
        self.results = replace(self.results, rows=tuple(rows))
        self._context.send({"say": "results", "results": self.results.to_dict()})

    def _tell_step(self, event: Stepped, what: str) -> None:
        self._tell(event.step / event.steps, f"{what}: step {event.step} of {event.steps}")

    def _tell(self, share: float, text: str) -> None:
        """Tell how far it is, given the share of the present training."""
        trainings = 1 + len(self._strangers)
        self._context.send(
            {"say": "progress", "share": min(1.0, (self._trainings_done + share) / trainings), "text": text}
        )
