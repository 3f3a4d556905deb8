"""Folders of runs: each is written by the process that trains, and can be read by any other process.

Without torch, so that the window lists runs before torch is loaded. The training process writes ``run.json``,
``metrics.jsonl`` and ``snapshots/`` and meanwhile holds the folder's lock: a run whose status is running but whose lock
is free was interrupted. Name and note are in ``label.json``, which can be written at any time.
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
_LAST_LINES = 4096  # bytes at the end of the metrics that contain at least one whole line
_MAX_METRICS = 2**26  # bytes: a hundred times what the longest run writes
_SNAPSHOT = re.compile(r"\d{8,}", re.ASCII)
_MAX_TIME = 4e9  # seconds since 1970; a file may have any time stamp


@dataclass(frozen=True, slots=True)
class RunRecord:
    """The folder of one run. Reading it never disturbs a training process."""

    folder: Path

    @property
    def model_file(self) -> Path:
        """The model."""
        return self.folder / "model.safetensors"

    @property
    def resume_file(self) -> Path:
        """The state to resume from."""
        return self.folder / "resume.safetensors"

    @property
    def probe_file(self) -> Path:
        """The items of the snapshots."""
        return self.folder / "probe.safetensors"

    @property
    def metrics_file(self) -> Path:
        """The metrics, one JSON object a line."""
        return self.folder / "metrics.jsonl"

    @property
    def exists(self) -> bool:
        """Whether the folder holds a run."""
        return any(file.exists() for file in (self.folder / "run.json", self.resume_file, self.model_file))

    def lock(self) -> FileLock:
        """The lock that a training process holds."""
        return FileLock(self.folder / ".lock")

    @property
    def held(self) -> bool:
        """Whether a process is training here."""
        if not (self.folder / ".lock").exists():
            return False
        try:
            # Another process that checks holds it for an instant only.
            with self.lock().acquire(timeout=0.02, poll_interval=0.005):
                return False
        except Timeout:
            return True
        except OSError:  # the folder can't be written, so no process trains there
            return False

    def progress(self) -> RunStatus:
        """The content of ``run.json``, or what a checkpoint tells if there is none.

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
        """For runs of versions without ``run.json``."""
        checkpoint = self.resume_file if self.resume_file.is_file() else self.model_file
        header = Header.from_dict(read_header(checkpoint))
        data = header.data
        try:
            config = TrainingConfig(
                Recipe.from_dict(header.recipe),
                (*data["images"], *data["speech"]),
                header.seed,
                header.device,
                parse(str, data.get("left_out", ""), "left_out"),
                split=data.get("split", ALL_OF_TRAINING),
            )
            return RunStatus(
                config,
                "complete" if header.step >= config.recipe.steps else "stopped",
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
        """Time of the last change of its files, in UTC; 1970 if they can't be read."""
        times = [0.0]
        for file in (self.folder / "run.json", self.resume_file, self.model_file):
            with suppress(OSError):
                times.append(file.stat().st_mtime)
        return datetime.fromtimestamp(min(max(times), _MAX_TIME), UTC)

    def write_progress(self, progress: RunStatus) -> None:
        """Write ``run.json``, in the training process only; raises ``OSError``."""
        file = self.folder / "run.json"
        content = json.dumps(progress.to_dict(), indent=1, ensure_ascii=False).encode()
        try:
            write_bytes_atomically(file, content, make_folder=False)
        except OSError:
            if not file.is_file():
                raise
            # On a full disk there is no room for a draft, but the file itself can be overwritten.
            with file.open("r+b") as existing:
                existing.write(content)
                existing.truncate()

    def info(self) -> RunInfo:
        """The state of the run; raises :class:`~model.checkpoints.UnusableCheckpoint`."""
        progress = self.progress()
        state, message = progress.state, progress.message
        last = self._last_point()
        steps = progress.plan.recipe.steps
        step = progress.step if last is None else min(max(progress.step, last.step), steps)
        if state in _ALIVE and not self.held:
            progress = self.progress()  # it may have ended between the two reads
            state, message = progress.state, progress.message
            if state in _ALIVE:
                state = "interrupted"
                message = "Its process ended early. It can be resumed from the last checkpoint."
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
            data=progress.data,
        )

    def rename(self, name: str) -> None:
        """Change the name; an empty one restores the original name. Raises ``OSError``."""
        self._relabel(name=name.strip())

    def set_note(self, note: str) -> None:
        """Change the note; raises ``OSError``."""
        self._relabel(note=note.strip())

    def _label(self) -> dict[str, str]:
        try:
            return parse(dict[str, str], read_json(self.folder / "label.json"))
        except (OSError, ValueError):  # a damaged label does not hide the run
            return {}

    def _relabel(self, **changes: str) -> None:
        content = json.dumps({**self._label(), **changes}, ensure_ascii=False)
        write_bytes_atomically(self.folder / "label.json", content.encode(), make_folder=False)

    def points(self) -> list[MetricPoint]:
        """All points so far, in order; none if the file is missing or can't be read."""
        try:
            return points_in(read_bytes(self.metrics_file, _MAX_METRICS))
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
        """The steps of the snapshots, ascending."""
        files = (self.folder / "snapshots").glob("*.safetensors")
        return sorted(int(file.stem) for file in files if _SNAPSHOT.fullmatch(file.stem))

    def snapshot_file(self, step: int) -> Path:
        """The file of the snapshot at a step."""
        return self.folder / "snapshots" / f"{step:08d}.safetensors"

    def snapshot(self, step: int) -> Snapshot:
        """The snapshot at a step; raises :class:`~model.checkpoints.UnusableCheckpoint`."""
        found = Snapshot.load(self.snapshot_file(step))
        if found.step != step:
            raise UnusableCheckpoint(f"{self.snapshot_file(step).name} is damaged: it is of step {found.step}.")
        return found

    def probe(self) -> Gallery:
        """The items of the snapshots; raises :class:`~model.checkpoints.UnusableCheckpoint`."""
        return Gallery.load(self.probe_file)


@dataclass(frozen=True, slots=True, eq=False)
class RunUpdate:
    """The state of a run, and its new points and snapshots since the last update.

    If ``restarted``, the run went back to its last checkpoint: points and snapshots of earlier updates are void, and
    those that are still valid are in this one.
    """

    info: RunInfo
    points: list[MetricPoint]
    snapshots: list[Snapshot]
    restarted: bool = False


class RunTail:
    """Follows a run that may be training in any process."""

    def __init__(self, record: RunRecord) -> None:
        self.record = record
        self._offset = 0
        self._file: tuple[int, int] | None = None
        self._snapshots: set[int] = set()

    def poll(self) -> RunUpdate:
        """The update since the last call; raises :class:`~model.checkpoints.UnusableCheckpoint`."""
        info = self.record.info()  # first: if it says that the run is over, the other files are complete
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
                # Points are appended; a run that goes back to a checkpoint replaces the file.
                status = os.fstat(file.fileno())
                identity = status.st_dev, status.st_ino
                restarted = self._file not in (None, identity) or status.st_size < self._offset
                self._file = identity
                if restarted:
                    self._offset = 0
                file.seek(self._offset)
                content = file.read(_MAX_METRICS)
        except OSError:
            return [], False
        whole = content[: content.rfind(b"\n") + 1]
        self._offset += len(whole)
        return points_in(whole), restarted

    def _load(self, steps: Iterable[int]) -> Iterator[Snapshot]:
        for step in steps:
            with suppress(UnusableCheckpoint):  # removed just now
                yield self.record.snapshot(step)


class RunStore:
    """The runs in a folder, by default the user's."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or locations.runs()

    def list(self) -> list[RunRecord]:
        """All runs, newest first; damaged ones by the time of their last change."""
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
        """All runs that are not damaged, newest first, with their states."""
        found = []
        for record in self.list():
            try:
                found.append((record, record.info()))
            except UnusableCheckpoint as error:
                log.warning("Skipping a run: %s", error)
        return found

    def new_folder(self, config: TrainingConfig) -> Path:
        """Create a folder for a run that waits to be trained; raises ``OSError``."""
        objective = objective_text(config.recipe.to_dict(), "").replace(", ", "-")
        folder = make_dated_folder(self.folder, f"{config.recipe.name}-{objective}")
        now = datetime.now(UTC).isoformat(timespec="seconds")
        RunRecord(folder).write_progress(RunStatus(config, "waiting", now, config.title))
        return folder

    def delete(self, record: RunRecord) -> None:
        """Move a run to where :meth:`undo_delete` finds it; raises ``OSError``, and ``ValueError`` while it trains."""
        if record.held:
            raise ValueError("The run is still training. Stop it first.")
        trash = self.folder / _DELETED / f"{time.time_ns():020d}"
        trash.mkdir(parents=True)
        try:
            (trash / "from").write_text(str(record.folder.absolute()), "utf-8")  # first: needed to restore the run
            shutil.move(record.folder, trash / record.folder.name)
        except OSError:
            shutil.rmtree(trash)
            raise

    def undo_delete(self, record: RunRecord | None = None) -> RunRecord | None:
        """Restore a deleted run, by default the last one; ``None`` if there is none. Raises ``OSError``."""
        for trash in sorted((self.folder / _DELETED).glob("*"), reverse=True):
            try:
                place = Path((trash / "from").read_text("utf-8"))
            except (OSError, ValueError):
                continue  # damaged: try the others
            if (record is not None and place != record.folder.absolute()) or not (trash / place.name).exists():
                continue
            shutil.move(trash / place.name, place)
            shutil.rmtree(trash)
            return RunRecord(place)
        return None

    def purge(self) -> None:
        """Remove all deleted runs from the disk; raises ``OSError``."""
        with suppress(FileNotFoundError):
            shutil.rmtree(self.folder / _DELETED)

    def _folders(self) -> Sequence[Path]:
        try:
            return [entry for entry in self.folder.iterdir() if entry.name != _DELETED and entry.is_dir()]
        except FileNotFoundError:
            return []


def make_dated_folder(parent: Path, name: str) -> Path:
    """Create a folder whose name begins with the date, and ends with a number if necessary; raises ``OSError``."""
    stem = f"{datetime.now(UTC).astimezone():%Y-%m-%d-%H%M%S}-{name}"
    for number in itertools.count(1):
        folder = parent / (stem if number == 1 else f"{stem}-{number}")
        with suppress(FileExistsError):
            folder.mkdir(parents=True)
            return folder
    raise AssertionError("there is always another number")


def _why(error: Exception) -> str:
    """The message of an error without the path."""
    return (error.strerror if isinstance(error, OSError) else "") or str(error).rstrip(".")
