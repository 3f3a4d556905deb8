"""A run's folder while it trains: state, metrics, snapshots and TensorBoard's event files, for whoever follows it.

Training itself (:mod:`model.training.loop`) knows nothing of this and is the same, bit by bit, with and without it.
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
from typing import TYPE_CHECKING, Self

from filelock import Timeout

from model.checkpoints import Header, UnusableCheckpoint, read_header, remove_drafts, write_bytes_atomically
from model.data.pairs import PairSampler
from model.errors import describe_failure
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

_LOG_EVERY = 10  # steps; each point waits for the device
_LOCK_SECONDS = 2.0  # somebody who looks whether the run is alive holds its lock for an instant

_OLDER_DRAFT = re.compile(r"\.(run\.json|metrics\.jsonl|(model|resume|probe|[0-9]{8})\.safetensors)\.[a-z0-9_]{8}")
"""A draft by the name that earlier versions gave it: they left up to 125 MB each time they were killed."""


@dataclass(frozen=True, slots=True, eq=False)
class Snapshotted:
    """A snapshot was taken and lies in the run's folder."""

    snapshot: Snapshot


class TrainingSession:
    """Trains a plan in a folder, from where the folder left off, and writes down how it goes.

    A context manager: within it the folder is locked against other processes. However training ends, the folder says
    so: complete, stopped, or failed with a message. If the process dies, the lock dies with it, and the run counts as
    interrupted.

    Parameters
    ----------
    folder
        Where the run is kept, new or with what the same plan left there.
    plan
        What to train.

    Raises
    ------
    TrainingFailed
        If another process trains there now.
    UnusableCheckpoint
        If the folder holds another run, or its checkpoint is damaged.
    ValueError
        If the device isn't there.
    OSError
        If nothing can be written there.
    """

    def __init__(self, folder: Path, plan: TrainingConfig) -> None:
        self.plan = plan
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
        if known is not None and not known.plan.trains_as(self.plan):
            raise UnusableCheckpoint(
                f"{self.record.folder} holds a run of another recipe, seed or data. Choose another folder, or delete "
                "that one."
            )
        if known is not None:
            self.plan = replace(known.plan, device=self.plan.device)  # it goes on as it began
        data = dict(known.data) if known is not None and known.data else self.plan.data()
        device = best_device(self.plan.device)
        self.run = Run(self.record.folder, self.plan.recipe, self.plan.seed, data, device, self.plan.start)
        self._begun_at = 0
        if self.record.resume_file.exists():
            self._begun_at = Header.from_dict(read_header(self.record.resume_file)).step
        self._take_back()
        self._progress = RunStatus(
            self.plan,
            "running",
            known.created if known is not None else datetime.now(UTC).isoformat(timespec="seconds"),
            known.name if known is not None else self.record.folder.name,
            data,
            self._begun_at,
            device=str(device),
            versions={
                **self.run.header(0).versions,
                "modinv": version("modinv"),
                "python": platform.python_version(),
            },
        )
        self._note()

    def _take_back(self) -> None:
        """Drop what was written after the last checkpoint: the run goes over it again."""
        for step in self.record.snapshots():
            if step > self._begun_at:
                self.record.snapshot_file(step).unlink()
        points = [point for point in self.record.points() if point.step <= self._begun_at]
        content = "".join(f"{point.to_line()}\n" for point in points).encode()
        file = self.record.metrics_file
        if file.exists() and file.read_bytes() != content:
            write_bytes_atomically(file, content, make_folder=False)
        self._seconds = points[-1].seconds if points else 0.0

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            # On a disk that is full nothing may be written any more: then it counts as interrupted.
            with suppress(OSError):
                if isinstance(error, Exception):
                    resumable = error.resumable if isinstance(error, TrainingFailed) else True
                    self._note(state="failed", message=describe_failure(error), resumable=resumable)
                elif error is None and self._progress.state == "running":
                    self._note(state="stopped")
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
        """Train to the end or until ``stop`` says so, as :func:`model.training.loop.train` does and with its events.

        If it is stopped while the corpora of the first step load, nothing has happened, and there are no events.

        Parameters
        ----------
        corpora
            Loads the corpora.
        stop
            Asked before every step, and while corpora load.
        progress
            Hears what is loaded.

        Raises
        ------
        TrainingFailed, UnusableCheckpoint, OSError
            As :func:`model.training.loop.train`.
        MissingData, ValueError
            If a corpus isn't there.
        """

        def tell_or_stop(share: float | None, text: str) -> None:
            if stop():
                raise Cancelled
            progress(share, text)

        try:
            sampler = corpora.sampler(self.plan, self.run.device, tell_or_stop)
        except Cancelled:
            return
        try:
            yield from self._train(sampler, corpora, stop, tell_or_stop)
        except OSError as error:
            if self._here:
                raise
            raise TrainingFailed(
                f"The folder of the run was removed or renamed while it trained: {self.record.folder}. What was "
                "trained since the last checkpoint is lost. If the folder lies elsewhere now, resume it there.",
                resumable=False,
            ) from error

    def _train(
        self, sampler: PairSampler, corpora: CorpusCache, stop: Callable[[], bool], progress: ProgressCallback
    ) -> Iterator[Event | Snapshotted]:
        wanted = snapshot_steps(self.run.recipe.steps)
        steps_per_epoch = sampler.steps_per_epoch
        probe: Gallery | None = None
        before = self._last_snapshot()
        self._since = time.monotonic()
        self._stay()  # else training would make the folder anew
        for event in train(self.run, sampler, stop):
            if isinstance(event, Saved):
                self._note(step=event.step)
            elif isinstance(event, Ended):
                self._note(state="complete" if event.complete else "stopped", step=event.step)
            elif event.step % _LOG_EVERY == 0 or event.step in (1, event.steps):
                schedule = {**event.loss.weights, "learning_rate": event.learning_rate}
                self._add(event.step, steps_per_epoch, {"loss": event.loss.values(), "schedule": schedule})
            yield event
            self._stay()
            if isinstance(event, Stepped) and event.step in wanted:
                # After the first point is there to be seen: test items and scikit-learn take a moment to load.
                try:
                    probe = probe or self._probe(corpora, progress)
                except Cancelled:
                    continue  # to where the run ends as it does between any two steps
                before = self._snapshot(event, probe, before)
                self._add(event.step, steps_per_epoch, {"quick": before.values})
                yield Snapshotted(before)

    @contextmanager
    def pause(self) -> Iterator[None]:
        """The run counts as paused, and its clock stands still."""
        self._seconds = self._clock()
        self._note(state="paused")
        try:
            yield
        finally:
            self._since = time.monotonic()
            self._note(state="running")

    @property
    def _here(self) -> bool:
        """Whether the run's folder is still the one that was locked."""
        return _identity(self.record.folder) == self._folder

    def _stay(self) -> None:
        """Write into no other folder that has taken the place of the run's."""
        if not self._here:
            raise FileNotFoundError(f"{self.record.folder} is gone.")

    def _clock(self) -> float:
        return self._seconds + time.monotonic() - self._since

    def _note(self, **changes: object) -> None:
        """Bring ``run.json`` up to date."""
        self._stay()
        self._progress = replace(self._progress, **changes)  # type: ignore[arg-type]
        self.record.write_progress(self._progress)

    def _add(self, step: int, steps_per_epoch: int, values_by_tag: Mapping[str, Mapping[str, float]]) -> None:
        """A point, in the metrics and for TensorBoard, which groups its values by tags."""
        self._stay()
        values = {name: value for values in values_by_tag.values() for name, value in values.items()}
        point = MetricPoint(step, round(step / steps_per_epoch, 4), round(self._clock(), 3), values)
        with self.record.metrics_file.open("ab") as file:
            file.write(f"{point.to_line()}\n".encode())
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter  # late: nobody waits for it before the first point

            # TensorBoard forgets what an interrupted run had written after its last checkpoint.
            purge = self._begun_at + 1 if self._begun_at else None
            self._writer = SummaryWriter(str(self.record.folder / "tensorboard"), purge_step=purge)
        for tag, tagged in values_by_tag.items():
            for name, value in tagged.items():
                self._writer.add_scalar(f"{tag}/{name.removeprefix('quick_')}", value, step)
        self._writer.flush()

    def _last_snapshot(self) -> Snapshot | None:
        steps = self.record.snapshots()
        return self.record.snapshot(steps[-1]) if steps else None

    def _probe(self, corpora: CorpusCache, progress: ProgressCallback) -> Gallery:
        """The items of the snapshots so far, or new ones; they are read as they lie on disk, rounded as they are."""
        if not self.record.probe_file.exists():
            corpora.probe(self.plan, progress).save(self.record.probe_file, make_folder=False)
        return self.record.probe()

    def _snapshot(self, event: Stepped, probe: Gallery, before: Snapshot | None) -> Snapshot:
        try:
            snapshot = take(event.system, probe, event.step, before)
        except FloatingPointError as error:
            raise diverged(event.step) from error
        snapshot.save(self.record.snapshot_file(event.step))
        return snapshot


def _identity(folder: Path) -> tuple[int, int] | None:
    """What stays the same as long as a folder is neither removed nor renamed; None where there is none."""
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
