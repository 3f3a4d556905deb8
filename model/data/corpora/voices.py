"""The synthetic voices that ship with the application: three engines, men and women, six ways of speaking."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import torch

from model import locations
from model.data.corpora.base import Clip, MissingData, Samples, Split, filterbanks
from model.data.recordings import opened
from model.data.speech import read_audio
from model.progress import ProgressCallback, no_progress
from model.types import FloatArray, Modality

_DAMAGED = "The synthetic voices are damaged: install the application again."


@dataclass(frozen=True)
class Voices:
    """Synthetic spoken digits; whole voices, and one whole engine, are held out for testing.

    Parameters
    ----------
    folder
        Taken for symmetry with the other corpora: the voices always ship along.
    engine_only
        Load, of the test split, only the engine that training never heard.
    """

    folder: Path | None = None
    engine_only: bool = False
    name: ClassVar[str] = "voices"
    title: ClassVar[str] = "Synthetic voices"
    modality: ClassVar[Modality] = Modality.SPEECH
    licence: ClassVar[str] = "as each engine's, see assets/voices/README.md"
    shares_speakers: ClassVar[bool] = False

    def location(self) -> Path | None:
        """The bundled archive."""
        archive = locations.assets() / "voices" / "voices.zip"
        return archive if archive.is_file() else None

    def _require(self) -> Path:
        archive = self.location()
        if archive is None:
            raise MissingData(
                "The synthetic voices are missing, though they ship along: install the application again."
            )
        return archive

    def load(self, split: Split, progress: ProgressCallback = no_progress) -> Samples:
        """Filterbanks of a split."""
        archive = self._require()
        try:
            clips = self._clips(json.loads(archive.with_suffix(".json").read_text("utf-8")), split)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise MissingData(_DAMAGED) from error
        keys = tuple(clip.key for clip in clips)
        state = [archive.stat().st_size]
        with _opened(archive) as sound:
            features = filterbanks(f"{self.name}-{split}", self.title, state, keys, sound, progress)
        return Samples(
            corpus=self.name,
            modality=self.modality,
            features=features,
            labels=torch.tensor([clip.label for clip in clips]),
            sources=tuple(clip.source for clip in clips),
            speakers=tuple(clip.speaker for clip in clips),
            keys=keys,
        )

    def clip(self, key: str) -> tuple[FloatArray, int]:
        """The clip as it ships."""
        with _opened(self._require()) as sound:
            return sound(key)

    def _clips(self, index: Mapping[str, Any], split: Split) -> list[_Clip]:
        """What the index lists of a split; one that isn't ours raises whatever its reading meets."""
        held_out = {"test-engine"} if self.engine_only else {"test", "test-engine"}
        splits = {"train"} if split == "train" else held_out
        titles = {variant["name"]: variant["title"] for variant in index["variants"]}
        clips = [
            _Clip(
                f"{voice['id']}/{variant}/{word['word']}.opus",
                range(10).index(word["label"]),
                f"{_described(voice)}, {titles[variant]}",
                voice["id"],
            )
            for voice in index["voices"]
            if voice["split"] in splits
            for variant in voice["variants"]
            for word in index["words"]
        ]
        if not clips:
            raise ValueError("The index lists no clips.")
        return clips


class _Clip(NamedTuple):
    """As of :class:`Samples`, which has these of all."""

    key: str
    label: int
    source: str
    speaker: str


@contextmanager
def _opened(archive: Path) -> Iterator[Clip]:
    """What reads clips, of an archive opened once."""
    try:
        with opened(archive) as files:

            def sound(key: str) -> tuple[FloatArray, int]:
                if key not in files:
                    raise MissingData(_DAMAGED)
                return read_audio(io.BytesIO(files[key].read()))

            yield sound
    except MissingData as error:
        raise MissingData(_DAMAGED) from error


def _described(voice: Mapping[str, Any]) -> str:
    """A voice for people who don't know speech engines: ``"Woman (Sky)"``, ``"Man (blend)"``."""
    name = "blend" if voice["parents"] else voice["voice"].rpartition("_")[2].partition("-")[0].capitalize()
    return f"{'Woman' if voice['sex'] == 'female' else 'Man'} ({name})"
