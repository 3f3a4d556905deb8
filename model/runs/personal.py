"""Training with takes: fine-tunes a model on old pairs and people's takes, and counts what they gain by it."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from model import locations
from model.checkpoints import Header, read, read_header, write_atomically
from model.data.takes import MY_DRAWINGS, MY_SPEECH
from model.evaluation.personal import Examiner, OwnTakes
from model.evaluation.personal_results import PersonalResults, Setting, Understood
from model.progress import Cancelled, JobContext
from model.recipes.recipe import fine_tuning
from model.retrieval.confidence import fitted_for, to_header
from model.retrieval.gallery import Gallery
from model.runs.corpus_cache import CorpusCache
from model.runs.personal_runs import save_results
from model.runs.session import TrainingSession
from model.systems.base import System
from model.systems.model_io import best_device, load_model
from model.training.ancestry import trained_on_speaker
from model.training.config import TrainingConfig
from model.training.loop import Ended, Run, Stepped, train
from model.types import Modality

_DIGITS_JUDGED = 200  # images of each digit by which the threshold of a rejection is set
_CORPUS = {Modality.SPEECH: MY_SPEECH, Modality.IMAGE: MY_DRAWINGS}


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
    known
        What an earlier session of the same run has counted: what was left out then is not trained again.

    Attributes
    ----------
    results
        What has been counted so far.
    data
        What the run trains on, as in its header; empty until it trains.
    """

    def __init__(
        self,
        config: TrainingConfig,
        takes: Sequence[OwnTakes],
        corpora: CorpusCache,
        context: JobContext,
        leave_out: bool = False,
        known: PersonalResults | None = None,
    ) -> None:
        assert config.start is not None
        self._config, self._start, self._corpora, self._context = config, config.start, corpora, context
        self._takes = [own for own in takes if own.person in config.people]
        self._strangers = config.people if leave_out and len(config.people) > 1 else ()
        self._gallery = Gallery.load(locations.shipped_gallery())
        self._folder: Path | None = None
        self._trainings_done = 0
        self.data: Mapping[str, Any] = {}
        header = Header.from_dict(read_header(self._start))
        counted = {(row.person, row.modality, row.trained, row.tested): row for row in (known.rows if known else ())}
        keys = [(own.person, own.modality, len(own.train), len(own.test)) for own in self._takes]
        rows = [counted.get(key) or Understood(*key) for key in keys]
        trained_before = [own for own in self._takes if trained_on_speaker(header.data, own.train.corpus, own.person)]
        setting = Setting(
            start=str(header.recipe.get("name")),
            known_before=tuple(sorted({own.person for own in trained_before})),
            corpora=config.corpora,
            recipe=config.recipe.to_dict(),
            seed=config.seed,
            leave_out=leave_out,
        )
        self.results = PersonalResults(tuple(rows), setting)

    def run(self, make_folder: Callable[[], Path]) -> bool:
        """Do everything; all that has been counted goes into the run's folder at once.

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
        complete = False
        try:
            with self._corpora.keeping_takes(self._config, lambda _share, text: self._check(text)):
                self._examine_start()
                folder = self._folder = make_folder()
                self._context.send({"say": "run", "folder": str(folder)})
                complete = self._train(folder)
                if complete:
                    self._pass_on_confidence(folder / "model.safetensors")
                    self._examine_end(folder / "model.safetensors")
                    self._leave_out(folder)
        except Cancelled:
            pass  # what has been counted is kept
        return complete

    def _examine_start(self) -> None:
        self._tell(0, "Testing the model as it is")
        shipped = self._examiner(*load_model(self._start, best_device(self._config.device)))
        with_takes = shipped.with_takes(self._takes)
        rows = []
        for own, row in zip(self._takes, self.results.rows, strict=True):
            rows.append(replace(row, before=shipped.understood(own), gallery=with_takes.understood(own)))
            self._context.check()
        self._show(rows)

    def _train(self, folder: Path) -> bool:
        context, complete = self._context, False
        with TrainingSession(folder, self._config) as session:
            save_results(folder, self.results)
            for event in session.train(
                self._corpora, lambda: context.cancelled(session.pause), lambda _share, text: self._tell(0, text)
            ):
                if isinstance(event, Stepped):
                    self._tell_step(event, "Training")
                elif isinstance(event, Ended):
                    complete, self.data = event.complete, event.header.data
        self._trainings_done += 1
        return complete

    def _pass_on_confidence(self, model: Path) -> None:
        """Let the new model have the calibration and rejection that were fitted for the one it started from.

        Only where decision 50 has tested it: they were fitted for that very model, and the recipe is the usual one. Of
        drawn digits as large a share is rejected as before.
        """
        start = Header.from_dict(read_header(self._start))
        if not start.confidence or start.confidence_from or self._config.recipe != fine_tuning(start.recipe):
            return
        arrays, values = read(model)
        origin = {key: values["data"]["started_from"][key] for key in ("name", "sha256")}
        if origin["sha256"] != hashlib.sha256(self._start.read_bytes()).hexdigest():
            return  # it is another one since
        fitted = fitted_for(start)
        images = fitted[Modality.IMAGE]
        if images.rejection is not None:
            self._check("Setting what is rejected as no digit")
            device, digits = best_device(self._config.device), self._corpora.load("mnist", "validation")
            some = digits.balanced(_DIGITS_JUDGED, self._config.seed)
            before, after = (
                self._examiner(*load_model(path, device)).scores(images.rejection, some)
                for path in (self._start, model)
            )
            if len(before) and len(after):
                fitted[Modality.IMAGE] = replace(images, rejection=images.rejection.losing_as_before(before, after))
        header = {**values, "confidence": to_header(fitted), "confidence_from": origin}
        write_atomically(model, arrays, header, make_folder=False)

    def _examine_end(self, model: Path) -> None:
        self._tell(0, "Testing the new model")
        examiner = self._examiner(*load_model(model, best_device(self._config.device)))
        pairs = zip(self._takes, self.results.rows, strict=True)
        self._show([replace(row, after=examiner.understood(own)) for own, row in pairs])

    def _leave_out(self, folder: Path) -> None:
        """Train without each person, and test with their takes: nothing of them was heard, or seen."""
        for person in self._strangers:
            if all(row.left_out is not None for row in self.results.rows if row.person == person):
                self._trainings_done += 1
                continue
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
        if self._folder is not None:
            save_results(self._folder, self.results)

    def _tell_step(self, event: Stepped, what: str) -> None:
        self._tell(event.step / event.steps, f"{what}: step {event.step} of {event.steps}")

    def _check(self, text: str) -> None:
        """Tell what is done; raises `Cancelled` if the job should end."""
        self._tell(0, text)
        self._context.check()

    def _tell(self, share: float, text: str) -> None:
        """Tell how far it is, given the share of the present training."""
        trainings = 1 + len(self._strangers)
        self._context.send(
            {"say": "progress", "share": min(1.0, (self._trainings_done + share) / trainings), "text": text}
        )
