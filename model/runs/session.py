"""A training session, which records status, metrics, snapshots and TensorBoard events in the run's folder.

The training loop (:mod:`model.training.loop`) does not depend on it and gives the same weights without it.
"""

from __future__ import annotations

import platform
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from filelock import Timeout

from model.checkpoints import Header, UnusableCheckpoint, read_header, remove_drafts, write_bytes_atomically
from model.data.pairs import PairSampler
from model.errors import describe_failure
from model.networks import data_parallel
from model.progress import Cancelled, ProgressCallback, no_progress
from model.retrieval.gallery import Gallery
from model.runs.corpus_cache import CorpusCache
from model.runs.snapshots import snapshot_steps, take
from model.runs.store import RunRecord
from model.runs.values import MetricPoint, RunStatus, Snapshot
from model.systems.model_io import best_device
from model.training.config import TrainingConfig
from model.training.loop import Ended, Event, Run, Saved, Stepped, TrainingFailed, diverged, train

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

_LOG_EVERY = 10  # steps; each point synchronises with the device
_LOCK_SECONDS = 2.0  # a process that checks whether the run is alive holds its lock for an instant

_OLDER_DRAFT = re.compile(r"\.(run\.json|metrics\.jsonl|(model|resume|probe|[0-9]{8})\.safetensors)\.[a-z0-9_]{8}")
"""Names of the drafts of earlier versions, which left up to 125 MB each time they were killed."""


@dataclass(frozen=True, slots=True, eq=False)
class Snapshotted:
    """A snapshot was taken and saved in the run's folder."""

    snapshot: Snapshot


class TrainingSession:
    """Trains a model in a folder, or resumes its training there, and records the progress.

    A context manager, which locks the folder against other processes. At the end the folder's status is complete,
    stopped, or failed with a message. If the process dies, the lock is released, and the run counts as interrupted.

    Parameters
    ----------
    folder
        Folder of the run, new or of a run of the same configuration.
    config
        What to train.

    Raises
    ------
    TrainingFailed
        If another process is training there.
    UnusableCheckpoint
        If the folder holds another run, or its checkpoint is damaged.
    ValueError
        If the device is not available.
    OSError
        If the folder can't be written.
    """

    def __init__(self, folder: Path, config: TrainingConfig) -> None:
        self.config = config
        self.record = RunRecord(folder)
        self._lock = self.record.lock()
        self._writer: SummaryWriter | None = None
        self._seconds = 0.0
        self._since = time.monotonic()

    def __enter__(self) -> Self:
        self.record.folder.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire(timeout=_LOCK_SECONDS)
        except Timeout as error:
            raise TrainingFailed(f"Another process is training in {self.record.folder}. Stop it first.") from error
        try:
            self._folder = _identity(self.record.folder)
            for folder in (self.record.folder, self.record.folder / "snapshots"):
                remove_drafts(folder)
                _remove_older_drafts(folder)
            self._open()
        except BaseException:
            self._lock.release()
            raise
        return self

    def _open(self) -> None:
        known = self.record.progress() if self.record.exists else None
        if known is not None and not known.plan.trains_as(self.config):
            raise UnusableCheckpoint(
                f"{self.record.folder} holds a run of another recipe, seed or data. Choose another folder, or delete "
                "that one."
            )
        if known is not None:
            self.config = replace(known.plan, device=self.config.device)  # it continues as it began
        data = dict(known.data) if known is not None and known.data else self.config.data()
        device = best_device(self.config.device)
        self.run = Run(self.record.folder, self.config.recipe, self.config.seed, data, device, self.config.start)
        self._resumed_at = 0
        if self.record.resume_file.exists():
            self._resumed_at = Header.from_dict(read_header(self.record.resume_file)).step
        self._discard_after_checkpoint()
        self._progress = RunStatus(
            self.config,
            "running",
            known.created if known is not None else datetime.now(UTC).isoformat(timespec="seconds"),
            known.name if known is not None else self.record.folder.name,
            data,
            self._resumed_at,
            device=str(device),
            versions={
                **self.run.header(0).versions,
                "modinv": version("modinv"),
                "python": platform.python_version(),
            },
        )
        self._update()

    def _discard_after_checkpoint(self) -> None:
        """Discard records of steps after the last checkpoint, which will be repeated."""
        for step in self.record.snapshots():
            if step > self._resumed_at:
                self.record.snapshot_file(step).unlink()
        points = [point for point in self.record.points() if point.step <= self._resumed_at]
        content = "".join(f"{point.to_line()}\n" for point in points).encode()
        file = self.record.metrics_file
        if file.exists() and file.read_bytes() != content:
            write_bytes_atomically(file, content, make_folder=False)
        self._seconds = points[-1].seconds if points else 0.0

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            # If the disk is full, the status can't be written, and the run counts as interrupted.
            with suppress(OSError):
                if isinstance(error, Exception):
                    resumable = error.resumable if isinstance(error, TrainingFailed) else True
                    self._update(state="failed", message=describe_failure(error), resumable=resumable)
                elif error is None and self._progress.state == "running":
                    self._update(state="stopped")
            if self._writer is not None:
                with suppress(OSError):
                    self._writer.close()
        finally:
            self._lock.release()

    def train(
        self,
        corpora: CorpusCache,
        stop: Callable[[], bool] = lambda: False,
        progress: ProgressCallback = no_progress,
    ) -> Iterator[Event | Snapshotted]:
        """Train to the end or until ``stop`` returns true; yields the events of :func:`model.training.loop.train`.

        If it is stopped while the corpora load, there are no events.

        Parameters
        ----------
        corpora
            Loads the corpora.
        stop
            Called before each step, and while corpora load.
        progress
            Called while corpora load.

        Raises
        ------
        TrainingFailed, UnusableCheckpoint, OSError
            As :func:`model.training.loop.train`.
        MissingData, ValueError
            If a corpus is not installed or unknown.

        It is a :class:`TrainingFailed`, too, if the user has changed other items of the corpora since the checkpoint.
        """

        def progress_or_cancel(share: float | None, text: str) -> None:
            if stop():
                raise Cancelled
            progress(share, text)

        try:
            sampler = corpora.sampler(self.config, self.run.device, progress_or_cancel)
        except Cancelled:
            return
        self._note_curation({name: dict(one) for name, one in corpora.curated.items()})
        try:
            yield from self._train(sampler, corpora, stop, progress_or_cancel)
        except OSError as error:
            if self._folder_unchanged:
                raise
            raise TrainingFailed(
                f"The folder of the run was removed or renamed while it trained: {self.record.folder}. What was "
                "trained since the last checkpoint is lost. If the folder was moved, resume it there.",
                resumable=False,
            ) from error

    def _note_curation(self, curated: dict[str, Any]) -> None:
        """Record which items of the training data the user has changed; a run that is resumed needs the same again."""
        before = self.run.data.get("curated", {})
        if curated == before:
            return
        if self._resumed_at:
            names = sorted(name for name in {*curated, *before} if curated.get(name) != before.get(name))
            raise TrainingFailed(
                f"Since this run began, you have left out or relabelled other items of {', '.join(names)}. Take that "
                "back on the page Data to resume it, or begin a new run."
            )
        data = {name: value for name, value in self.run.data.items() if name != "curated"}
        self.run = replace(self.run, data={**data, **({"curated": curated} if curated else {})})
        self._update(data=self.run.data)

    def _train(
        self, sampler: PairSampler, corpora: CorpusCache, stop: Callable[[], bool], progress: ProgressCallback
    ) -> Iterator[Event | Snapshotted]:
        wanted = snapshot_steps(self.run.recipe.steps)
        steps_per_epoch = sampler.steps_per_epoch
        probe: Gallery | None = None
        before = self._last_snapshot()
        self._since = time.monotonic()
        self._check_folder()  # else training would create the folder again
        data_parallel.meet()  # the others read what the run is
        for event in train(self.run, sampler, stop):
            if isinstance(event, Saved):
                self._update(step=event.step)
            elif isinstance(event, Ended):
                self._update(state="complete" if event.complete else "stopped", step=event.step)
            elif event.step % _LOG_EVERY == 0 or event.step in (1, event.steps):
                schedule = {**event.loss.weights, "learning_rate": event.learning_rate}
                self._record(event.step, steps_per_epoch, {"loss": event.loss.values(), "schedule": schedule})
            yield event
            self._check_folder()
            if isinstance(event, Stepped) and event.step in wanted:
                # After the first point was recorded: loading the probe and scikit-learn takes a moment.
                try:
                    probe = probe or self._probe(corpora, progress)
                except Cancelled:
                    continue  # the loop asks `stop` next and ends the run
                before = self._snapshot(event, probe, before)
                self._record(event.step, steps_per_epoch, {"quick": before.values})
                yield Snapshotted(before)

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Within it the run's status is paused, and its clock stands still."""
        self._seconds = self._clock()
        self._update(state="paused")
        try:
            yield
        finally:
            self._since = time.monotonic()
            self._update(state="running")

    @property
    def _folder_unchanged(self) -> bool:
        """Whether the run's folder is still the one that was locked."""
        return _identity(self.record.folder) == self._folder

    def _check_folder(self) -> None:
        """Raise ``FileNotFoundError`` if the run's folder was removed or replaced."""
        if not self._folder_unchanged:
            raise FileNotFoundError(f"{self.record.folder} is gone.")

    def _clock(self) -> float:
        return self._seconds + time.monotonic() - self._since

    def _update(self, **changes: object) -> None:
        """Update ``run.json``."""
        self._check_folder()
        self._progress = replace(self._progress, **changes)  # type: ignore[arg-type]
        self.record.write_progress(self._progress)

    def _record(self, step: int, steps_per_epoch: int, values_by_tag: Mapping[str, Mapping[str, float]]) -> None:
        """Append a point to the metrics and to TensorBoard's events, which group values by tags."""
        self._check_folder()
        values = {name: value for values in values_by_tag.values() for name, value in values.items()}
        point = MetricPoint(step, round(step / steps_per_epoch, 4), round(self._clock(), 3), values)
        with self.record.metrics_file.open("ab") as file:
            file.write(f"{point.to_line()}\n".encode())
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter  # late: its import takes time

            # TensorBoard discards what an interrupted run wrote after its last checkpoint.
            purge = self._resumed_at + 1 if self._resumed_at else None
            self._writer = SummaryWriter(str(self.record.folder / "tensorboard"), purge_step=purge)
        for tag, tagged in values_by_tag.items():
            for name, value in tagged.items():
                self._writer.add_scalar(f"{tag}/{name.removeprefix('quick_')}", value, step)
        self._writer.flush()

    def _last_snapshot(self) -> Snapshot | None:
        steps = self.record.snapshots()
        return self.record.snapshot(steps[-1]) if steps else None

    def _probe(self, corpora: CorpusCache, progress: ProgressCallback) -> Gallery:
        """The run's probe, drawn if there is none; always read from disk, so that rounding is the same."""
        if not self.record.probe_file.exists():
            corpora.probe(self.config, progress).save(self.record.probe_file, make_folder=False)
        return self.record.probe()

    def _snapshot(self, event: Stepped, probe: Gallery, before: Snapshot | None) -> Snapshot:
        try:
            snapshot = take(event.system, probe, event.step, before)
        except FloatingPointError as error:
            raise diverged(event.step) from error
        snapshot.save(self.record.snapshot_file(event.step))
        return snapshot


def train_along(folder: Path, corpora: CorpusCache, device: str, stop: Callable[[], bool]) -> bool:
    """Take part in the training of a session in another process; returns whether the run is complete.

    Parameters
    ----------
    folder
        Folder of the run, which the other process writes.
    corpora, stop
        As of :meth:`TrainingSession.train`; all processes stop if one does.
    device
        Device to train on.

    Raises
    ------
    TrainingFailed, UnusableCheckpoint, MissingData, ValueError
        As :meth:`TrainingSession.train`.
    """
    data_parallel.meet()
    known = RunRecord(folder).progress()
    config = replace(known.plan, device=device)
    run = Run(folder, config.recipe, config.seed, dict(known.data), best_device(device), config.start)
    sampler = corpora.sampler(config, run.device, no_progress)
    ended = [event for event in train(run, sampler, stop) if isinstance(event, Ended)]
    return all(event.complete for event in ended)


def _identity(folder: Path) -> tuple[int, int] | None:
    """An identity of a folder that changes when it is removed or replaced; None if there is none."""
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _remove_older_drafts(folder: Path) -> None:
    with suppress(OSError):
        for file in folder.iterdir():
            if _OLDER_DRAFT.fullmatch(file.name):
                file.unlink()
