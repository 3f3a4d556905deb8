"""A folder of corpora that loads in a moment: some of MNIST, and synthetic voices in the place of humans."""

from __future__ import annotations

import gzip
import io
import json
import struct
import zipfile
from pathlib import Path

import numpy as np
import soundfile

from model import locations
from model.data.corpora.mnist import Mnist
from model.data.speech import read_audio

_SPEAKERS = 2
_TAKES = 7  # of each digit and speaker: to listen to one for the first time takes a moment
_IMAGES = {"train": 1600, "test": 300}  # of the former, the last half is for validation


def make(folder: Path) -> Path:
    """Fill a folder, for ``MODINV_DATA``."""
    _make_images(folder / "mnist")
    _make_recordings(folder / "fsdd" / "recordings.zip")
    return folder


def _make_images(folder: Path) -> None:
    folder.mkdir(parents=True)
    for split, prefix in (("train", "train"), ("test", "t10k")):
        samples = Mnist(Path("no such folder")).load(split)
        count = _IMAGES[split]
        images = np.rint(255 * samples.features[:count]).astype(np.uint8)
        labels = samples.labels[:count].astype(np.uint8)
        for name, array in (("images-idx3", images), ("labels-idx1", labels)):
            head = struct.pack(">4B", 0, 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
            (folder / f"{prefix}-{name}-ubyte.gz").write_bytes(gzip.compress(head + array.tobytes(), 1))


def _make_recordings(archive: Path) -> None:
    """Takes 0 to 4 of each speaker and digit are the test set, and once more, as 45 to 49, for validation."""
    archive.parent.mkdir(parents=True)
    index = json.loads((locations.assets() / "voices" / "voices.json").read_text("utf-8"))
    voices = [voice for voice in index["voices"] if voice["split"] == "train"]
    words = [word for word in index["words"] if word["word"] != "oh"]
    with (
        zipfile.ZipFile(locations.assets() / "voices" / "voices.zip") as spoken,
        zipfile.ZipFile(archive, "w") as packed,
    ):
        for speaker, voice in enumerate(voices[:_SPEAKERS]):
            for take, variant in enumerate(list(voice["variants"])[:_TAKES]):
                for word in words:
                    clip = io.BytesIO(spoken.read(f"{voice['id']}/{variant}/{word['word']}.opus"))
                    sound = io.BytesIO()
                    soundfile.write(sound, *read_audio(clip), format="WAV")
                    for number in (take, 45 + take) if take < 5 else (take,):
                        packed.writestr(f"{word['label']}_speaker{'abcd'[speaker]}_{number}.wav", sound.getvalue())
