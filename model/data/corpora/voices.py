"""The synthetic voices of the application: three engines, male and female voices, six variants of each."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from model import locations
from model.data.corpora.base import Corpus, CorpusInfo, MissingData, Split
from model.data.recordings import Reader
from model.progress import ProgressCallback
from model.types import FloatArray, Modality

if TYPE_CHECKING:
    from model.data.samples import Samples

_VALIDATION = frozenset({"kokoro_af_aoede", "kokoro_hf_beta", "kokoro_zm_yunyang", "flite_rms"})

_DAMAGED = "The synthetic voices are damaged: install the application again."


@dataclass(frozen=True)
class Voices(Corpus):
    """Synthetic spoken digits; whole voices, and one whole engine, are held out for testing.

    Of the 45 other voices four are for validation: two female and two male ones, of both training engines, and not part
    of a blend.

    Parameters
    ----------
    folder
        Ignored: the voices are part of the application.
    engine_only
        Restrict the test split to the held-out engine.
    """

    engine_only: bool = False
    info: ClassVar[CorpusInfo] = CorpusInfo(
        name="voices",
        title="Synthetic voices",
        modality=Modality.SPEECH,
        licence="as each engine's, see assets/voices/README.md",
        citation="Kokoro-82M; Flite; Festival: see assets/voices/README.md",
        origin="assets/voices/README.md",
        speakers=57,
        trained_by_default=True,
        ships=True,
    )

    def location(self) -> Path | None:
        """The bundled archive."""
        archive = locations.assets() / "voices" / "voices.zip"
        return archive if archive.is_file() else None

    def check(self) -> str:
        """Read all clips of the archive."""
        archive = locations.assets() / "voices" / "voices.zip"
        try:
            with zipfile.ZipFile(archive) as content:
                damaged, clips = content.testzip(), len(content.namelist())
        except (OSError, zipfile.BadZipFile) as error:
            raise MissingData(f"{archive.name}: {error}") from error
        if damaged:
            raise MissingData(f"{damaged} is damaged")
        return f"{clips:,} clips"

    def read(self, split: Split, progress: ProgressCallback) -> Samples:
        """Filterbanks of a split."""
        from model.data.filterbanks import filterbanks
        from model.data.samples import Samples

        archive = self.require()
        part = "test" if split == "test" else "train"  # cached by published split
        try:
            clips = self._clips(json.loads(archive.with_suffix(".json").read_text("utf-8")), part)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise MissingData(_DAMAGED) from error
        keys = tuple(clip.key for clip in clips)
        state = [archive.stat().st_size]
        with _told(), Reader(archive) as clip:
            found = filterbanks(f"voices-{part}", self.info.title, state, keys, clip, progress)
        samples = Samples(
            corpus=self.info.name,
            modality=self.info.modality,
            features=found.features,
            labels=np.array([clip.label for clip in clips], np.int64),
            sources=tuple(clip.source for clip in clips),
            speakers=tuple(clip.speaker for clip in clips),
            keys=keys,
            waveforms=found.waveforms,
        )
        return samples.part(split, [clip.speaker in _VALIDATION for clip in clips])

    def clip(self, key: str) -> tuple[FloatArray, int]:
        """The clip."""
        (found,) = self.clips([key])
        return found

    def clips(self, keys: Iterable[str]) -> Iterator[tuple[FloatArray, int]]:
        """The clips, from the archive that is opened once."""
        with _told(), Reader(self.require()) as clip:
            yield from map(clip, keys)

    def _clips(self, index: Mapping[str, Any], part: str) -> list[_Clip]:
        """The clips in the index for training or test; an invalid index raises various errors."""
        held_out = {"test-engine"} if self.engine_only else {"test", "test-engine"}
        splits = {"train"} if part == "train" else held_out
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
    """One clip; see :class:`Samples`."""

    key: str
    label: int
    source: str
    speaker: str


@contextmanager
def _told() -> Iterator[None]:
    """Say what to do if the archive is damaged."""
    try:
        yield
    except MissingData as error:
        raise MissingData(_DAMAGED) from error


def _described(voice: Mapping[str, Any]) -> str:
    """A description of a voice for people: ``"Woman (Sky)"``, ``"Man (blend)"``."""
    name = "blend" if voice["parents"] else voice["voice"].rpartition("_")[2].partition("-")[0].capitalize()
    return f"{'Woman' if voice['sex'] == 'female' else 'Man'} ({name})"
