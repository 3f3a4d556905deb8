"""The synthetic voices that ship with the application: three engines, men and women, six ways of speaking."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch

from model import locations
from model.datasets.base import Clip, MissingData, Samples, Split, Tell, filterbanks, keep_quiet
from model.results import FloatArray, Modality
from model.speech import read_audio


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

    def load(self, split: Split, tell: Tell = keep_quiet) -> Samples:
        """Filterbanks of a split."""
        archive = self._require()
        index: dict[str, Any] = json.loads(archive.with_suffix(".json").read_text("utf-8"))
        held_out = {"test-engine"} if self.engine_only else {"test", "test-engine"}
        splits = {"train"} if split == "train" else held_out
        titles = {variant["name"]: variant["title"] for variant in index["variants"]}
        clips = [
            (voice, variant, word)
            for voice in index["voices"]
            if voice["split"] in splits
            for variant in voice["variants"]
            for word in index["words"]
        ]
        keys = tuple(f"{voice['id']}/{variant}/{word['word']}.opus" for voice, variant, word in clips)
        with self._opened() as clip:
            features = filterbanks(f"{self.name}-{split}", self.title, [archive.stat().st_size], keys, clip, tell)
        return Samples(
            corpus=self.name,
            modality=self.modality,
            features=features,
            labels=torch.tensor([word["label"] for _, _, word in clips]),
            sources=tuple(
                f"{voice['engine'].capitalize()} {voice['voice']}, {titles[variant]}" for voice, variant, _ in clips
            ),
            speakers=tuple(voice["id"] for voice, _, _ in clips),
            keys=keys,
        )

    def clip(self, key: str) -> tuple[FloatArray, int]:
        """The clip as it ships."""
        with self._opened() as clip:
            return clip(key)

    @contextmanager
    def _opened(self) -> Iterator[Clip]:
        """What reads clips, of an archive opened once: to find thousands of entries takes longer than to read one."""
        try:
            with zipfile.ZipFile(self._require()) as archive:
                yield lambda key: read_audio(io.BytesIO(archive.read(key)))
        except (zipfile.BadZipFile, zlib.error) as error:
            raise MissingData("The synthetic voices are damaged: install the application again.") from error
