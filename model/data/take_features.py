"""Encoder inputs of takes, computed once for each take and cached."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from model import locations
from model.checkpoints import FORMAT, UnusableCheckpoint, checked, read, write_atomically
from model.data.filterbanks import FRONT_END
from model.data.images import read_picture
from model.data.samples import Samples
from model.data.segmentation import normalise_digit
from model.data.speech import FilterbankSettings, SpeechFrontEnd, read_audio, utterance_in
from model.data.takes import MY_DRAWINGS, MY_SPEECH, Take
from model.errors import ModinvError
from model.parsing import parse
from model.progress import ProgressCallback, no_progress
from model.types import FloatArray, Modality

log = logging.getLogger(__name__)

_CORPORA = {Modality.SPEECH: MY_SPEECH, Modality.IMAGE: MY_DRAWINGS}


class TakeFeatures:
    """Computes encoder inputs of takes and remembers them; filterbanks also on disk, because they take longer.

    One instance belongs to one thread.

    Attributes
    ----------
    problems
        Why takes of the last :meth:`samples` could not be read, by their keys.
    """

    def __init__(self) -> None:
        self.problems: dict[str, str] = {}
        self._known: dict[str, FloatArray] = {}
        self._front_end: SpeechFrontEnd | None = None
        self._read = False

    def features(self, take: Take) -> FloatArray:
        """What an encoder sees of a take, ``(28, 28)`` in [0, 1] or ``(100, 80)``.

        Raises
        ------
        ModinvError
            If its file is missing, damaged or empty of a digit; the message says why.
        OSError
            If it can't be read.
        """
        state = state_of(take)
        if state not in self._known:
            if take.modality is Modality.SPEECH and not self._read:
                self._read = True
                self._known |= _read_cache()
            if state not in self._known:
                self._known[state] = self._compute(take)
        return self._known[state]

    def samples(self, takes: Sequence[Take], modality: Modality, progress: ProgressCallback = no_progress) -> Samples:
        """The takes of one modality that can be read and are not left out, as samples; perhaps none."""
        wanted = [take for take in takes if take.modality is modality and not take.excluded]
        before = len(self._known)
        self.problems = {}
        found: list[tuple[Take, FloatArray]] = []
        for done, take in enumerate(wanted):
            progress(done / len(wanted), "Reading takes")
            try:
                found.append((take, self.features(take)))
            except (ModinvError, OSError) as error:
                log.warning("The take %s can't be used: %s", take.key, error)
                self.problems[take.key] = str(error)
        if modality is Modality.SPEECH and len(self._known) > before:
            _write_cache({state: self._known[state] for take, _ in found if (state := state_of(take)) in self._known})
        shape = (100, 80) if modality is Modality.SPEECH else (28, 28)
        spoken = modality is Modality.SPEECH
        return Samples(
            corpus=_CORPORA[modality],
            modality=modality,
            features=np.stack([f for _, f in found]) if found else np.zeros((0, *shape), np.float32),
            labels=np.array([take.label for take, _ in found], np.int64),
            sources=described([take for take, _ in found]),
            speakers=tuple(take.person for take, _ in found) if spoken else (),
            keys=tuple(take.key for take, _ in found) if spoken else (),
        )

    def _compute(self, take: Take) -> FloatArray:
        if take.modality is Modality.IMAGE:
            return normalise_digit(read_picture(take.path))
        if self._front_end is None:
            self._front_end = SpeechFrontEnd()
        return self._front_end.filterbank(utterance_in(self._front_end, *read_audio(take.path)))


def described(takes: Sequence[Take]) -> tuple[str, ...]:
    """Where takes come from, for people: ``"Ann, 30 Nov 14:05"``."""
    return tuple(f"{take.person}, {take.when.astimezone():%d %b %H:%M}" for take in takes)


def state_of(take: Take) -> str:
    """A text that changes with the content of a take, but not with its label or person."""
    status = take.path.stat()
    return f"{take.path.name} {status.st_size} {status.st_mtime_ns}"


def _cache_file() -> Path:
    code = [hashlib.sha256(Path(str(module.__file__)).read_bytes()).hexdigest() for module in FRONT_END]
    settings = json.dumps([FilterbankSettings().to_dict(), *code])
    return locations.cache() / "filterbanks" / f"takes-{hashlib.sha256(settings.encode()).hexdigest()[:16]}.safetensors"


def _read_cache() -> dict[str, FloatArray]:
    file, settings = _cache_file(), FilterbankSettings()
    if not file.is_file():
        return {}
    try:
        arrays, header = read(file)
        states = parse(list[str], header.get("states"), "states")
        known = checked(arrays, "filterbanks", np.float32, (len(states), settings.frames, settings.bins))
    except (OSError, UnusableCheckpoint, ValueError) as error:
        log.warning("The cache %s is damaged and will be computed again: %s", file, error)
        return {}
    return dict(zip(states, known, strict=True))


def _write_cache(known: dict[str, FloatArray]) -> None:
    file = _cache_file()
    try:
        header = {"format": FORMAT, "states": list(known)}
        write_atomically(file, {"filterbanks": np.stack(list(known.values()))}, header)
    except OSError as error:
        log.warning("Filterbanks of takes can't be cached: %s", error)
