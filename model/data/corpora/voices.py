"""The synthetic voices that ship with the application: three engines, men and women, six ways of speaking."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from model import locations
from model.data.corpora.base import Corpus, CorpusInfo, MissingData, Split
from model.data.recordings import opened
from model.progress import ProgressCallback
from model.types import FloatArray, Modality

if TYPE_CHECKING:
    from model.data.filterbanks import Clip
    from model.data.samples import Samples

_VALIDATION = frozenset({"kokoro_af_aoede", "kokoro_hf_beta", "kokoro_zm_yunyang", "flite_rms"})

_DAMAGED = "The synthetic voices are damaged: install the application again."


@dataclass(frozen=True)
class Voices(Corpus):
    """Synthetic spoken digits; whole voices, and one whole engine, are held out for testing.

    Four other voices of 45 are for validation: two women and two men, of both engines of training. None of them is part
    of a blend.

    Parameters
    ----------
    folder
        Taken for symmetry with the other corpora: the voices always ship along.
    engine_only
        Load, of the test split, only the engine that training never heard.
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
        import torch

        from model.data.filterbanks import filterbanks
        from model.data.samples import Samples

        archive = self.require()
        part = "test" if split == "test" else "train"  # heard, and kept, in one piece
        try:
            clips = self._clips(json.loads(archive.with_suffix(".json").read_text("utf-8")), part)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise MissingData(_DAMAGED) from error
        keys = tuple(clip.key for clip in clips)
        state = [archive.stat().st_size]
        with _opened(archive) as sound:
            features = filterbanks(f"voices-{part}", self.info.title, state, keys, sound, progress)
        samples = Samples(
            corpus=self.info.name,
            modality=self.info.modality,
            features=features,
            labels=torch.tensor([clip.label for clip in clips]),
            sources=tuple(clip.source for clip in clips),
            speakers=tuple(clip.speaker for clip in clips),
            keys=keys,
        )
        return samples.part(split, [clip.speaker in _VALIDATION for clip in clips])

    def clip(self, key: str) -> tuple[FloatArray, int]:
        """The clip as it ships."""
        with _opened(self.require()) as sound:
            return sound(key)

    def _clips(self, index: Mapping[str, Any], part: str) -> list[_Clip]:
        """What the index lists for training or test; one that isn't ours raises whatever its reading meets."""
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
    """As of :class:`Samples`, which has these of all."""

    key: str
    label: int
    source: str
    speaker: str


@contextmanager
def _opened(archive: Path) -> Iterator[Clip]:
    """What reads clips, of an archive opened once."""
    from model.data.speech import read_audio

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
