"""Checkpoints: tensors in safetensors, everything else as JSON in its header. Never pickle.

A file is first written beside its final place, then renamed: a full disk or a killed process leaves the former one
whole.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors
from safetensors import SafetensorError
from safetensors.numpy import save

FORMAT = "modinv-1"
_HEADER = "modinv"
_PATIENCE = 50  # tries to put a file in its place, a second in all

Arrays = Mapping[str, npt.NDArray[Any]]


class UnusableCheckpoint(ValueError):
    """A file that is not one of ours, or is damaged; the message says which and what to do."""


def write_atomically(path: Path, arrays: Arrays, header: Mapping[str, Any] | None = None) -> None:
    """Write arrays and a JSON header as safetensors, all or nothing.

    Raises
    ------
    OSError
        If the disk is full or the folder can't be written; a file that was there before is untouched.
    """
    metadata = {_HEADER: json.dumps(dict(header))} if header is not None else None
    write_bytes_atomically(path, save({name: np.ascontiguousarray(a) for name, a in arrays.items()}, metadata))


def write_bytes_atomically(path: Path, content: bytes) -> None:
    """Write a file of any kind, all or nothing; raises as :func:`write_atomically`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not by tempfile, whose files are private: who may read a file is for the user's umask to say, as of any other.
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with draft.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _take_place(draft, path)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise


def _take_place(draft: Path, path: Path) -> None:
    # Windows refuses while somebody reads the former file, as a window that follows a run does four times a second.
    for _ in range(_PATIENCE):
        try:
            draft.replace(path)
            return
        except PermissionError:
            time.sleep(0.02)
    draft.replace(path)


def read(path: Path) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
    """All arrays and the JSON header of a file that :func:`write_atomically` wrote.

    Raises
    ------
    UnusableCheckpoint
        If the file is missing, damaged or not ours.
    """
    return _read(path, with_arrays=True)


def read_header(path: Path) -> dict[str, Any]:
    """The JSON header alone, without the time that the arrays take; raises as :func:`read`."""
    return _read(path, with_arrays=False)[1]


def _read(path: Path, with_arrays: bool) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
    if not path.is_file():
        raise UnusableCheckpoint(f"{path} does not exist.")
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            header = dict(json.loads((file.metadata() or {})[_HEADER]))
            names = file.keys() if with_arrays else ()
            arrays = {name: file.get_tensor(name) for name in names}
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise UnusableCheckpoint(
            f"{path.name} is not a checkpoint of modinv, or is damaged. Choose a .safetensors file that "
            "'modinv train' wrote."
        ) from error
    if header.get("format") != FORMAT:
        raise UnusableCheckpoint(f"{path.name} was written by another version of modinv ({header.get('format')}).")
    return arrays, header


@dataclass(frozen=True, slots=True)
class Header:
    """What a model's file says of how it came to be.

    Attributes
    ----------
    recipe
        :meth:`model.recipes.Recipe.to_dict`.
    filterbank
        :meth:`model.speech.FilterbankSettings.to_dict`: the sound that the model understands.
    data
        Names of the corpora trained on, and what was left out.
    seed, step
        The random seed and the batches trained so far.
    device, versions
        What it was trained on and with.
    metrics
        Scores on unseen test data, with their setting.
    """

    recipe: dict[str, Any]
    filterbank: dict[str, Any]
    data: dict[str, Any]
    seed: int
    step: int
    device: str
    versions: dict[str, str]
    metrics: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, with the format's name."""
        return {"format": FORMAT, **{name: getattr(self, name) for name in self.__slots__}}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Header:
        """The inverse of :meth:`to_dict`; raises :class:`UnusableCheckpoint` where something is missing."""
        try:
            return cls(**{name: values[name] for name in cls.__slots__})
        except KeyError as error:
            raise UnusableCheckpoint(f"The checkpoint's header lacks {error}.") from error
