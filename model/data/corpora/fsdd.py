"""The Free Spoken Digit Dataset: 3,000 recordings of six human speakers, to be downloaded by users."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from model.data.corpora.base import Corpus, CorpusInfo, MissingData, Source, Split
from model.data.recordings import decode, matching
from model.progress import ProgressCallback
from model.types import FloatArray, Modality

if TYPE_CHECKING:
    from model.data.samples import Samples

_NAME = re.compile(r"(?:^|/)(?P<name>(?P<digit>[0-9])_(?P<speaker>[a-z]+)_(?P<take>[0-9]{1,9})\.wav)\Z")
_TEST = range(5)
_VALIDATION = range(45, 50)
_PAGE = "https://github.com/Jakobovski/free-spoken-digit-dataset"


@dataclass(frozen=True)
class Fsdd(Corpus):
    """Human spoken digits at 8 kHz, as a folder or a zip of ``{digit}_{speaker}_{take}.wav``.

    Of each speaker and digit, takes 0 to 4 are the official test set. Of the others, the last five (45 to 49) are for
    validation: 300 of 2,700 recordings, by the speakers of training.
    """

    info: ClassVar[CorpusInfo] = CorpusInfo(
        name="fsdd",
        title="Free Spoken Digit Dataset",
        short_title="FSDD",
        modality=Modality.SPEECH,
        licence="CC BY-SA 4.0",
        citation="Z. Jackson et al.: Free Spoken Digit Dataset, v1.0.10, 2020. doi:10.5281/zenodo.1342401",
        origin=_PAGE,
        human=True,
        speakers=6,
        shares_speakers=True,
        preferred=True,
        trained_by_default=True,
        source=Source(
            url=f"{_PAGE}/archive/refs/tags/v1.0.10.zip",
            size=16_419_872,
            names=_NAME,
            recordings=3000,
            unpacked=21_128_848,
            digest="dbd573d7cafe79c4b49f65718115e1304e24e067fa39eff18a660dc6cb9c360f",
        ),
        layout="its folder 'recordings', or a zip of it named recordings.zip,",
    )

    def location(self) -> Path | None:
        """The folder of recordings, or the zip that holds them."""
        for place in (self.home / "recordings", self.home / "recordings.zip", self.home):
            if place.is_file() or (place.is_dir() and next(place.glob("*.wav"), None)):
                return place
        return None

    def read(self, split: Split, progress: ProgressCallback) -> Samples:
        """Filterbanks of a split, sorted by name."""
        import torch

        from model.data.filterbanks import filterbanks
        from model.data.samples import Samples

        place = self.require()
        part = "test" if split == "test" else "train"  # cached by published split
        with matching(place, _NAME) as files:
            found = {name: match for name in files if (match := _NAME.search(name))}
            names = [name for name, match in found.items() if (int(match["take"]) in _TEST) == (part == "test")]
            if not names:
                raise MissingData(f"{place} holds no recordings named like 7_jackson_12.wav.")
            keys = tuple(files[name].key for name in names)
            state = [files[name].state for name in names]
            title = self.info.title
            features = filterbanks(f"fsdd-{part}", title, state, keys, partial(decode, files), progress)
        samples = Samples(
            corpus=self.info.name,
            modality=self.info.modality,
            features=features,
            labels=torch.tensor([int(found[name]["digit"]) for name in names]),
            sources=tuple(f"FSDD {found[name]['speaker']}, take {found[name]['take']}" for name in names),
            speakers=tuple(found[name]["speaker"] for name in names),
            keys=keys,
        )
        return samples.part(split, [int(found[name]["take"]) in _VALIDATION for name in names])

    def clip(self, key: str) -> tuple[FloatArray, int]:
        """The recording, identified by its file name, whatever the folders in its key."""
        with matching(self.require(), _NAME) as files:
            return decode(files, key)
