"""Runs on disk: one folder each, written by the process that trains in it and read by any other.

Without torch, so that a window lists and follows runs before torch is loaded. Only the process that trains writes
``run.json``, ``metrics.jsonl`` and ``snapshots/``, and it holds the folder's lock while it does: a run that says it is
running though nobody holds its lock was interrupted. What a person calls a run lies in a file of its own, so that
it can be renamed at any time.
"""

from __future__ import annotations

import itertools
import json
import logging
import os
import re
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from model import locations
from model.checkpoints import Header, UnusableCheckpoint, read_header, write_bytes_atomically
from model.data.corpora import ALL_OF_TRAINING
from model.parsing import parse, read_bytes, read_json
from model.recipes.recipe import Recipe, objective_text
from model.retrieval.gallery import Gallery
from model.runs.values import MetricPoint, RunInfo, RunStatus, Snapshot, State, points_in
from model.training.config import TrainingConfig

__all__ = ["MetricPoint", "RunInfo", "RunRecord", "RunStore", "RunTail", "RunUpdate", "Snapshot", "State"]

log = logging.getLogger(__name__)

_ALIVE = ("running", "paused")
_DELETED = ".deleted"
_LAST_LINES = 4096  # bytes from the end of the metrics that hold at least one whole line
_MOST_METRICS = 2**26  # bytes: a hundred times what the longest run writes
_SNAPSHOT = re.compile(r"\d{8,}", re.ASCII)
_LAST_SECOND = 4e9  # a file may claim any time; what is beyond 2096 came from no clock


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run's folder as it is on disk. Reading it never disturbs whoever trains in it."""

    folder: Path

    @property
    def model_file(self) -> Path:
        """The weights, as the application loads them."""
        return self.folder / "model.safetensors"

    @property
    def resume_file(self) -> Path:
        """What the run resumes from."""
        return self.folder / "resume.safetensors"

    @property
    def probe_file(self) -> Path:
        """The items whose posteriors the snapshots hold."""
        return self.folder / "probe.safetensors"

    @property
    def metrics_file(self) -> Path:
        """The points, one JSON object a line."""
        return self.folder / "metrics.jsonl"

    @property
    def exists(self) -> bool:
        """Whether the folder holds a run."""
        return any(file.exists() for file in (self.folder / "run.json", self.resume_file, self.model_file))

    def lock(self) -> FileLock:
        """The lock that the process holds that trains here."""
        return FileLock(self.folder / ".lock")

    @property
    def held(self) -> bool:
        """Whether a process trains here now."""
        if not (self.folder / ".lock").exists():
            return False
        try:
            # Somebody else who looks holds it for an instant too; whoever trains holds it longer.
            with self.lock().acquire(timeout=0.02, poll_interval=0.005):
                return False
        except Timeout:
            return True
        except OSError:  # a folder that can't be written: nobody trains there
            return False

    def progress(self) -> RunStatus:
        """What ``run.json`` says, or what can be read from a checkpoint where there is none.

        Raises :class:`~model.checkpoints.UnusableCheckpoint`.
        """
        try:
            return RunStatus.from_dict(read_json(self.folder / "run.json"))
        except FileNotFoundError:
            return self._progress_of_checkpoint()
        except (OSError, ValueError) as error:
            if self.resume_file.is_file():
                with suppress(UnusableCheckpoint):
                    return self._progress_of_checkpoint()
            raise UnusableCheckpoint(
                f"The run {self.folder.name} is damaged. Its run.json can't be read: {_why(error)}."
            ) from error

    def _progress_of_checkpoint(self) -> RunStatus:
        """For runs from before there was a ``run.json``."""
        checkpoint = self.resume_file if self.resume_file.is_file() else self.model_file
        header = Header.from_dict(read_header(checkpoint))
        data = header.data
        try:
            plan = TrainingConfig(
                Recipe.from_dict(header.recipe),
                (*data["images"], *data["speech"]),
                header.seed,
                header.device,
                parse(str, data.get("left_out", ""), "left_out"),
                split=data.get("split", ALL_OF_TRAINING),  # which it checks
            )
            return RunStatus(
                plan,
                "complete" if header.step >= plan.recipe.steps else "stopped",
                self.changed.isoformat(timespec="seconds"),
                self.folder.name,
                data,
                header.step,
                device=header.device,
                versions=header.versions,
                resumable=self.resume_file.is_file(),
            )
        except (OSError, ValueError) as error:
            raise UnusableCheckpoint(f"{checkpoint} can't be read as a run: {_why(error)}.") from error

    @property
    def changed(self) -> datetime:
        """When its files changed last, in UTC; the beginning of time where they can't be seen."""
        times = [0.0]
        for file in (self.folder / "run.json", self.resume_file, self.model_file):
            with suppress(OSError):
                times.append(file.stat().st_mtime)
        return datetime.fromtimestamp(min(max(times), _LAST_SECOND), UTC)

    def write_progress(self, progress: RunStatus) -> None:
        """For the process that trains here alone; raises ``OSError``."""
        file = self.folder / "run.json"
        content = json.dumps(progress.to_dict(), indent=1, ensure_ascii=False).encode()
        try:
            write_bytes_atomically(file, content, make_folder=False)
        except OSError:
            if not file.is_file():
                raise
            # On a full disk there is no room beside it, but the file has room in itself.
            with file.open("r+b") as kept:
                kept.write(content)
                kept.truncate()

    def info(self) -> RunInfo:
        """How the run stands; raises :class:`~model.checkpoints.UnusableCheckpoint`."""
        progress = self.progress()
        state, message = progress.state, progress.message
        last = self._last_point()
        steps = progress.plan.recipe.steps
        step = progress.step if last is None else min(max(progress.step, last.step), steps)
        if state in _ALIVE and not self.held:
            progress = self.progress()  # it may have ended properly between the two looks
            state, message = progress.state, progress.message
            if state in _ALIVE:
                state = "interrupted"
                message = "Its process ended before it was done. Resume goes on from the last checkpoint."
        label = self._label()
        return RunInfo(
            name=label.get("name") or progress.name,
            note=label.get("note", ""),
            plan=progress.plan,
            state=state,
            step=step,
            steps=steps,
            seconds=last.seconds if last else 0.0,
            message=message,
            created=progress.created,
            device=progress.device,
            versions=progress.versions,
            resumable=progress.resumable and state not in (*_ALIVE, "complete"),
        )

    def rename(self, name: str) -> None:
        """Call the run otherwise; an empty name gives it its first one back. Raises ``OSError``."""
        self._relabel(name=name.strip())

    def set_note(self, note: str) -> None:
        """Write something about the run; raises ``OSError``."""
        self._relabel(note=note.strip())

    def _label(self) -> dict[str, str]:
        try:
            return parse(dict[str, str], read_json(self.folder / "label.json"))
        except (OSError, ValueError):  # a damaged one is no reason to hide the run
            return {}

    def _relabel(self, **changes: str) -> None:
        content = json.dumps({**self._label(), **changes}, ensure_ascii=False)
        write_bytes_atomically(self.folder / "label.json", content.encode(), make_folder=False)

    def points(self) -> list[MetricPoint]:
        """All points so far, in their order; none where none were kept or none can be read."""
        try:
            return points_in(read_bytes(self.metrics_file, _MOST_METRICS))
        except (OSError, ValueError):
            return []

    def _last_point(self) -> MetricPoint | None:
        if not self.metrics_file.is_file():
            return None
        try:
            with self.metrics_file.open("rb") as file:
                file.seek(max(0, file.seek(0, 2) - _LAST_LINES))
                found = points_in(file.read(_LAST_LINES))
        except OSError:
            return None
        return found[-1] if found else None

    def snapshots(self) -> list[int]:
        """The steps at which there are snapshots, ascending."""
        files = (self.folder / "snapshots").glob("*.safetensors")
        return sorted(int(file.stem) for file in files if _SNAPSHOT.fullmatch(file.stem))

    def snapshot_file(self, step: int) -> Path:
        """Where a step's snapshot lies."""
        return self.folder / "snapshots" / f"{step:08d}.safetensors"

    def snapshot(self, step: int) -> Snapshot:
        """The snapshot of a step; raises :class:`~model.checkpoints.UnusableCheckpoint`."""
        found = Snapshot.load(self.snapshot_file(step))
        if found.step != step:
            raise UnusableCheckpoint(f"{self.snapshot_file(step).name} is damaged: it is of step {found.step}.")
        return found

    def probe(self) -> Gallery:
        """The items of the snapshots; raises :class:`~model.checkpoints.UnusableCheckpoint`."""
        return Gallery.load(self.probe_file)


@dataclass(frozen=True, slots=True, eq=False)
class RunUpdate:
    """What came to a run since it was last looked at.

    Attributes
    ----------
    info
        How it stands now.
    points, snapshots
        What is new, in its order.
    restarted
        The run went back to its last checkpoint: all that came before is void, and what still holds is told again.
    """

    info: RunInfo
    points: list[MetricPoint]
    snapshots: list[Snapshot]
    restarted: bool = False


class RunTail:
    """Follows a run that may be growing, whatever process trains it."""

    def __init__(self, record: RunRecord) -> None:
        self.record = record
        self._offset = 0
        self._file: tuple[int, int] | None = None
        self._snapshots: set[int] = set()

    def poll(self) -> RunUpdate:
        """What is new since the last call; raises :class:`~model.checkpoints.UnusableCheckpoint`."""
        info = self.record.info()  # first: once it says that the run is over, all the rest is there
        points, restarted = self._new_points()
        if restarted:
            self._snapshots.clear()
        snapshots = list(self._load(step for step in self.record.snapshots() if step not in self._snapshots))
        self._snapshots.update(snapshot.step for snapshot in snapshots)
        return RunUpdate(info, points, snapshots, restarted)

    def _new_points(self) -> tuple[list[MetricPoint], bool]:
        if not self.record.metrics_file.is_file():
            return [], False
        try:
            with self.record.metrics_file.open("rb") as file:
                # Points are appended; to take some back, the run replaces the file by another.
                status = os.fstat(file.fileno())
                identity = status.st_dev, status.st_ino
                restarted = self._file not in (None, identity) or status.st_size < self._offset
                self._file = identity
                if restarted:
                    self._offset = 0
                file.seek(self._offset)
                content = file.read(_MOST_METRICS)
        except OSError:
            return [], False
        whole = content[: content.rfind(b"\n") + 1]
        self._offset += len(whole)
        return points_in(whole), restarted

    def _load(self, steps: Iterable[int]) -> Iterator[Snapshot]:
        for step in steps:
            with suppress(UnusableCheckpoint):  # taken back in this very moment
                yield self.record.snapshot(step)


class RunStore:
    """The runs in one folder.

    Parameters
    ----------
    folder
        Where they lie; the user's own place for runs by default.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or locations.runs()

    def list(self) -> list[RunRecord]:
        """All runs, the newest first; damaged ones stand where their files changed last."""
        found = []
        for record in map(RunRecord, self._folders()):
            if record.exists:
                try:
                    created = datetime.fromisoformat(record.progress().created).astimezone(UTC)
                except UnusableCheckpoint:
                    created = record.changed
                found.append((created, record.folder.name, record))
        return [record for *_, record in sorted(found, key=lambda one: one[:2], reverse=True)]

    def readable(self) -> Sequence[tuple[RunRecord, RunInfo]]:
        """All runs that aren't damaged, the newest first, and how they stand."""
        found = []
        for record in self.list():
            try:
                found.append((record, record.info()))
            except UnusableCheckpoint as error:
                log.warning("A run is left out: %s", error)
        return found

    def new_folder(self, plan: TrainingConfig) -> Path:
        """A folder for a run that waits to be trained; raises ``OSError``."""
        now = datetime.now(UTC)
        objective = objective_text(plan.recipe.to_dict(), "").replace(", ", "-")
        stem = f"{now.astimezone():%Y-%m-%d-%H%M%S}-{plan.recipe.name}-{objective}"
        for number in itertools.count(1):
            folder = self.folder / (stem if number == 1 else f"{stem}-{number}")
            try:
                folder.mkdir(parents=True)
                break
            except FileExistsError:
                continue
        waiting = RunStatus(plan, "waiting", now.isoformat(timespec="seconds"), plan.title)
        RunRecord(folder).write_progress(waiting)
        return folder

    def delete(self, record: RunRecord) -> None:
        """Put a run where :meth:`undo_delete` finds it again.

        Raises
        ------
        ValueError
            If a process trains in it.
        OSError
            If it can't be moved.
        """
        if record.held:
            raise ValueError("The run is still training. Stop it first.")
        grave = self.folder / _DELETED / f"{time.time_ns():020d}"
        grave.mkdir(parents=True)
        try:
            # First: a run without it could not come back.
            (grave / "from").write_text(str(record.folder.absolute()), "utf-8")
            shutil.move(record.folder, grave / record.folder.name)
        except OSError:
            shutil.rmtree(grave)
            raise

    def undo_delete(self, record: RunRecord | None = None) -> RunRecord | None:
        """Put a deleted run back, the last one by default; ``None`` where there is none. Raises ``OSError``."""
        for grave in sorted((self.folder / _DELETED).glob("*"), reverse=True):
            try:
                place = Path((grave / "from").read_text("utf-8"))
            except (OSError, ValueError):
                continue  # not ours, or damaged: the others can come back
            if (record is not None and place != record.folder.absolute()) or not (grave / place.name).exists():
                continue
            shutil.move(grave / place.name, place)
            shutil.rmtree(grave)
            return RunRecord(place)
        return None

    def purge(self) -> None:
        """Free the room of all deleted runs; they can't come back. Raises ``OSError``."""
        with suppress(FileNotFoundError):
            shutil.rmtree(self.folder / _DELETED)

    def _folders(self) -> Sequence[Path]:
        try:
            return [entry for entry in self.folder.iterdir() if entry.name != _DELETED and entry.is_dir()]
        except FileNotFoundError:
            return []


def _why(error: Exception) -> str:
    """What an error says, without the path that a sentence has named already."""
    return (error.strerror if isinstance(error, OSError) else "") or str(error).rstrip(".")
