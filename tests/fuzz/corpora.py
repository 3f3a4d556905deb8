"""Damaged corpora: MNIST's files, recordings in a zip or a folder, the voices that ship along."""

from __future__ import annotations

import gzip
import io
import json
import logging
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from unittest import mock

import numpy as np

from ._damage import damaged

SAMPLE = 40

Files = dict[str, bytes | str]
"""By their paths: contents, ``"folder"``, ``"pipe"``, or ``"-> target"`` of a link."""

_VOICES = Path(__file__).parents[2] / "assets" / "voices" / "voices.zip"
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
_SPLITS = ("train", "test")


def _idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.astype(np.uint8).tobytes()


def _mnist() -> Files:
    images = np.zeros((3, 28, 28))
    images[:, 4:24, 12:16] = 200
    return {
        f"mnist/{prefix}-{name}-ubyte.gz": gzip.compress(_idx(array), mtime=0)
        for prefix in ("train", "t10k")
        for name, array in (("images-idx3", images), ("labels-idx1", np.array([1, 7, 1])))
    }


def recordings() -> dict[str, bytes]:
    """Recordings of FSDD's form: two to train with, one to test."""
    import soundfile

    sounds = {}
    with zipfile.ZipFile(_VOICES) as voices:
        for name, word in (("1_theo_0.wav", "one"), ("1_theo_5.wav", "one"), ("7_lucas_6.wav", "seven")):
            samples, rate = soundfile.read(
                io.BytesIO(voices.read(f"kokoro_af_bella/plain/{word}.opus")), dtype="float32"
            )
            file = io.BytesIO()
            soundfile.write(file, samples, rate, format="WAV", subtype="PCM_16")
            sounds[name] = file.getvalue()
    return sounds


def packed(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        for name, file in files.items():
            archive.writestr(zipfile.ZipInfo(name), file, method)  # ZipInfo: without the time of day
    return content.getvalue()


def _voices() -> dict[str, bytes]:
    index = {
        "words": [{"word": "one", "label": 1}, {"word": "seven", "label": 7}],
        "variants": [{"name": "plain", "title": "plain"}],
        "voices": [
            {"id": name, "engine": "kokoro", "voice": name, "split": split, "variants": ["plain"]}
            for name, split in (("kokoro_af_bella", "train"), ("kokoro_af_sky", "test"))
        ],
    }
    keys = [f"{voice['id']}/plain/{word['word']}.opus" for voice in index["voices"] for word in index["words"]]
    with zipfile.ZipFile(_VOICES) as voices:
        content = packed({key: voices.read(key) for key in keys}, zipfile.ZIP_STORED)
    return {"voices/voices.json": json.dumps(index).encode(), "voices/voices.zip": content}


def _one_of_mnist(files: Files, rng: np.random.Generator) -> str:
    """Damage a file as it is packed, or what it unpacks to; or mistake one for another."""
    names = sorted(files)
    name, other = (names[int(rng.integers(len(names)))] for _ in range(2))
    kind = rng.random()
    if kind < 0.1:
        files[name] = files[other]
        return f"{name} is {other}"
    whole = gzip.decompress(files[name])
    if kind < 0.5:
        words, content = damaged(files[name], {"": whole}, rng)
        files[name] = content
        return f"{name}, packed: {words}"
    words, content = damaged(whole, {"": files[other]}, rng)
    files[name] = gzip.compress(content, mtime=0)
    return f"{name}: {words}"


def _recordings_in_zip(sounds: Mapping[str, bytes], files: Files, rng: np.random.Generator) -> str:
    """Damage a zip, or a recording in it."""
    method = _METHODS[int(rng.choice(4, p=[0.4, 0.5, 0.05, 0.05]))]
    inside = ("", "recordings/", "/", "../", "C:\\")[int(rng.integers(5))]
    sounds = dict(sounds)
    words = "whole"
    if rng.random() < 0.3:
        name = sorted(sounds)[int(rng.integers(len(sounds)))]
        words, sounds[name] = damaged(sounds[name], sounds, rng)
        words = f"{name}: {words}"
    content = packed({inside + name: sound for name, sound in sounds.items()}, method)
    if words == "whole":
        if rng.random() < 0.5:  # the directory, or what stands before a recording: most of a zip is its content
            start = content.index((b"PK\1\2", b"PK\5\6", b"PK\3\4")[int(rng.integers(3))])
            words, rest = damaged(content[start : start + 200], sounds, rng)
            content = content[:start] + rest + content[start + 200 :]
        else:
            words, content = damaged(content, sounds, rng)
        words = f"the zip: {words}"
    files["fsdd/recordings.zip"] = content
    return f"recordings in a zip ({method}), {words}"


def _recordings_in_folder(sounds: Mapping[str, bytes], files: Files, rng: np.random.Generator) -> str:
    """Damage a recording, or put something else beside it or in its place."""
    files |= {f"fsdd/recordings/{name}": sound for name, sound in sounds.items()}
    name = sorted(sounds)[int(rng.integers(len(sounds)))]
    if rng.random() < 0.6:
        words, files[f"fsdd/recordings/{name}"] = damaged(sounds[name], sounds, rng)
        return f"recordings in a folder, {name}: {words}"
    strange = ("folder", "pipe", "-> /dev/zero", "-> nowhere", "-> .", b"", b"RIFF")[int(rng.integers(7))]
    others = ("7_theo_7.wav", "٧_theo_7.wav", f"7_theo_{'9' * 100}.wav", "7_theo_7.wav\n.wav", "-1_x_1.wav", "[b].wav")
    place = name if rng.random() < 0.5 else others[int(rng.integers(len(others)))]
    files[f"fsdd/recordings/{place}"] = strange
    return f"recordings in a folder, {place!r} is {strange!r}"


def _shipped_voices(files: Files, rng: np.random.Generator) -> str:
    name = sorted(files)[int(rng.integers(len(files)))]
    words, files[name] = damaged(files[name], files, rng)
    return f"{name}: {words}"


def cases(count: int, seed: int) -> Iterator[tuple[str, tuple[str, Files]]]:
    """Each corpus in turn: how it is damaged, its name and its files."""
    from model.data.speech import SpeechFrontEnd

    SpeechFrontEnd()  # what takes seconds to import
    logging.disable()  # of ten thousand warnings nobody reads one
    rng = np.random.default_rng(seed)
    mnist, sounds, voices = _mnist(), recordings(), _voices()
    makers: tuple[tuple[str, Files, Callable[[Files, np.random.Generator], str]], ...] = (
        ("mnist", mnist, _one_of_mnist),
        ("fsdd", {}, lambda files, rng: _recordings_in_zip(sounds, files, rng)),
        ("fsdd", {}, lambda files, rng: _recordings_in_folder(sounds, files, rng)),
        ("voices", dict(voices), _shipped_voices),
    )
    for number in range(count):
        name, whole, damage = makers[number % len(makers)]
        files = dict(whole)
        words = damage(files, rng)
        yield f"{name}: {words}", (name, files)


def use(content: tuple[str, Files]) -> str:
    """Load both splits of a corpus, and say whether they are there."""
    name, files = content
    with tempfile.TemporaryDirectory() as folder:
        return _used(name, files, Path(folder))


def _used(name: str, files: Files, folder: Path) -> str:
    from model import locations
    from model.data.corpora import MissingData, registry

    for path, content in files.items():
        _make(folder / path, content)
    outcomes, detector = [], locations.voice_activity_detector()
    with (
        mock.patch.object(locations, "cache", return_value=folder / "cache"),
        mock.patch.object(locations, "voice_activity_detector", return_value=detector),
        mock.patch.object(locations, "assets", return_value=folder),
    ):
        for split in _SPLITS:
            try:
                samples = registry()[name](folder).load(split)
            except MissingData as error:
                outcomes.append("refused" if str(error).endswith(".") else f"refused without words: {error}")
                continue
            assert len(samples.labels) == len(samples.features) == len(samples.sources) > 0
            assert np.isfinite(samples.features).all()
            assert set(samples.labels.tolist()) <= set(range(10))
            outcomes.append("loaded")
    return " and ".join(sorted(set(outcomes)))


def _make(path: Path, content: bytes | str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content == "folder":
        path.mkdir()
    elif content == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(content.removeprefix("-> "))
