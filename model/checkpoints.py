"""Checkpoints: arrays as safetensors, everything else as JSON in the header. Never pickle.

A file is written under a temporary name and then renamed, so that a full disk or a killed process leaves the former
file intact. The temporary file of a killed process is removed by the next write in that folder.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import safetensors
from safetensors import SafetensorError
from safetensors.numpy import save

from model import parsing
from model.errors import ModinvError

if sys.platform != "win32":
    import fcntl

FORMAT = "modinv-1"
_HEADER = "modinv"
_RENAME_ATTEMPTS = 50  # in one second
_DRAFT = re.compile(r"\..+\.[0-9a-f]{8}\.draft")
_MIN_AGE = 60.0  # seconds: a newer draft may be empty because it has just been created

T = TypeVar("T")
Arrays = Mapping[str, npt.NDArray[Any]]


class UnusableCheckpoint(ModinvError, ValueError):
    """A file that is damaged or not of modinv; the message says which and what to do."""


def write_atomically(
    path: Path, arrays: Arrays, header: Mapping[str, Any] | None = None, *, make_folder: bool = True
) -> None:
    """Write arrays and a JSON header as safetensors, atomically.

    Parameters
    ----------
    path
        The file, new or to be replaced.
    arrays, header
        Content of the file; the header is JSON-ready.
    make_folder
        Whether to create a missing folder; otherwise it is an error.

    Raises
    ------
    OSError
        If the disk is full or the folder can't be written; an existing file is untouched.
    """
    metadata = {_HEADER: json.dumps(dict(header))} if header is not None else None
    content = save({name: np.ascontiguousarray(a) for name, a in arrays.items()}, metadata)
    write_bytes_atomically(path, content, make_folder=make_folder)


def write_bytes_atomically(path: Path, content: bytes, *, make_folder: bool = True) -> None:
    """Write bytes to a file, atomically; parameters and errors as of :func:`write_atomically`."""
    if make_folder:
        path.parent.mkdir(parents=True, exist_ok=True)
    remove_drafts(path.parent)
    # Not by tempfile, which makes private files: the user's umask shall apply.
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.draft")
    try:
        with draft.open("xb") as file:
            if sys.platform != "win32":
                with suppress(OSError):  # a file system without locks
                    fcntl.flock(file, fcntl.LOCK_EX)  # marks the draft as being written
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            if sys.platform != "win32":
                _rename(draft, path)  # while it is locked, so that no other process takes it for abandoned
        if sys.platform == "win32":
            _rename(draft, path)
        else:
            _sync_folder(path.parent)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise


def remove_drafts(folder: Path) -> None:
    """Remove the drafts of killed processes from a folder."""
    with suppress(OSError):
        drafts = [entry for entry in os.scandir(folder) if _DRAFT.fullmatch(entry.name)]
        for draft in drafts:
            with suppress(OSError):  # removed by another process, or being written (on Windows)
                if _abandoned(draft):
                    Path(draft.path).unlink()


def _abandoned(draft: os.DirEntry[str]) -> bool:
    status = draft.stat(follow_symlinks=False)
    young = time.time() - status.st_mtime < _MIN_AGE
    if sys.platform == "win32":
        return not young
    if young and not status.st_size:
        return False
    with Path(draft.path).open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # raises OSError while it is being written
    return True


def _rename(draft: Path, path: Path) -> None:
    # Windows refuses while another process reads the former file, as a window that follows a run often does.
    for _ in range(_RENAME_ATTEMPTS):
        try:
            draft.replace(path)
            return
        except PermissionError:
            time.sleep(0.02)
    draft.replace(path)


def _sync_folder(folder: Path) -> None:
    """Flush the entries of a folder to the disk."""
    with suppress(OSError):  # some network file systems refuse
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def read(path: Path) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
    """Read the arrays and the JSON header of a file that :func:`write_atomically` wrote.

    Raises
    ------
    UnusableCheckpoint
        If the file is missing, damaged or not of modinv.
    """
    return _read(path, with_arrays=True)


def read_header(path: Path) -> dict[str, Any]:
    """Read the JSON header only, which is faster; raises as :func:`read`."""
    return _read(path, with_arrays=False)[1]


def _read(path: Path, with_arrays: bool) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
    if not path.is_file():
        raise UnusableCheckpoint(f"{path} does not exist.")
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            header = parsing.parse(dict[str, Any], parsing.loads((file.metadata() or {})[_HEADER].encode()))
            names = file.keys() if with_arrays else ()
            arrays = {name: file.get_tensor(name) for name in names}
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise UnusableCheckpoint(
            f"{path.name} is not a checkpoint of modinv, or is damaged. Choose a .safetensors file that "
            "'modinv train' wrote."
        ) from error
    if header.get("format") != FORMAT:
        raise UnusableCheckpoint(f"{path.name} was written by another version of modinv.")
    return arrays, header


def read_as(kind: str, path: Path, build: Callable[[Arrays, Mapping[str, Any]], T]) -> T:
    """The object that a file of some kind holds.

    Parameters
    ----------
    kind
        Value of ``kind`` in the header, such as ``"gallery"``.
    path
        The file.
    build
        Makes the object from arrays and header; raises ``ValueError`` if they are damaged.

    Raises
    ------
    UnusableCheckpoint
        If the file is missing, damaged or of another kind.
    """
    arrays, header = read(path)
    if header.get("kind") != kind:
        raise UnusableCheckpoint(f"{path.name} is no {kind}.")
    try:
        return build(arrays, header)
    except ValueError as error:
        raise UnusableCheckpoint(f"{path.name} is damaged, or of another version of modinv: {error}.") from error


def checked(
    arrays: Arrays, name: str, kind: type[np.generic], shape: tuple[int | None, ...], *, logarithms: bool = False
) -> npt.NDArray[Any]:
    """Validate an array that was read from a file.

    Parameters
    ----------
    arrays
        Arrays returned by :func:`read`.
    name
        Name of the array.
    kind
        Required data type, such as ``np.floating`` or ``np.uint8``. Floating values have to be finite, too.
    shape
        Required shape; ``None`` allows any size.
    logarithms
        Whether minus infinity, the logarithm of zero, is allowed.

    Raises
    ------
    ValueError
        If the array is missing or does not meet the requirements.
    """
    if name not in arrays:
        raise ValueError(f"it holds no {name}")
    array = arrays[name]
    if not np.issubdtype(array.dtype, kind):
        raise ValueError(f"{name} holds {array.dtype} rather than {kind.__name__}")
    fits = [wanted in (None, size) for size, wanted in zip(array.shape, shape, strict=False)]
    if len(array.shape) != len(shape) or not all(fits):
        sizes = ", ".join("any" if size is None else str(size) for size in shape)
        raise ValueError(f"{name} has the shape {array.shape} rather than ({sizes})")
    fine = not np.issubdtype(array.dtype, np.floating) or np.isfinite(array)
    if logarithms:
        fine |= np.isneginf(array)
    if not np.all(fine):
        raise ValueError(f"{name} holds numbers that are not finite")
    return array


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a model's file: how the model was trained.

    Attributes
    ----------
    recipe
        :meth:`model.recipes.recipe.Recipe.to_dict`.
    filterbank
        :meth:`model.data.speech.FilterbankSettings.to_dict`: the features that the model takes.
    data
        Names of the training corpora, and the held-out speaker.
    seed, step
        The random seed and the number of batches trained so far.
    device, versions
        Device of the training, and versions of the libraries.
    metrics
        Evaluation reports.
    confidence
        Calibration and rejection of queries (:func:`model.retrieval.confidence.to_header`); empty if none were fitted.
    confidence_from
        ``name`` and ``sha256`` of the model for which these were fitted, if this one was fine-tuned from it; empty if
        they were fitted for this one.
    """

    recipe: dict[str, Any]
    filterbank: dict[str, Any]
    data: dict[str, Any]
    seed: int
    step: int
    device: str
    versions: dict[str, str]
    metrics: dict[str, Any] = field(default_factory=dict)
    confidence: dict[str, Any] = field(default_factory=dict)
    confidence_from: dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, with the format's name."""
        return {"format": FORMAT, **{name: getattr(self, name) for name in self.__slots__}}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Header:
        """The inverse of :meth:`to_dict`; raises :class:`UnusableCheckpoint` for invalid values."""
        try:
            header = parsing.parse(cls, {name: values[name] for name in cls.__slots__ if name in values}, "the header")
            for corpora in ("images", "speech"):
                parsing.parse(list[str], header.data.get(corpora), corpora)
        except ValueError as error:
            raise UnusableCheckpoint(f"The checkpoint's header can't be read: {error}.") from error
        return header
