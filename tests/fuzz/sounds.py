"""Damaged sounds."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile

from ._damage import each_in_turn

if TYPE_CHECKING:
    from model.retrieval.retriever import Retriever

_RATE = 8000
_SOUNDFILE = {
    "wav": ("WAV", "PCM_16", 1),
    "float wav": ("WAV", "FLOAT", 1),
    "stereo wav": ("WAV", "PCM_24", 2),
    "adpcm wav": ("WAV", "MS_ADPCM", 1),
    "flac": ("FLAC", "PCM_16", 1),
    "ogg": ("OGG", "VORBIS", 1),
    "opus": ("OGG", "OPUS", 1),
    "mp3": ("MP3", "MPEG_LAYER_III", 1),
    "aiff": ("AIFF", "PCM_16", 1),
    "caf": ("CAF", "ALAC_16", 1),
    "voc": ("VOC", "PCM_U8", 1),
}
_AV = {"m4a": ("ipod", "aac", 16000), "webm": ("webm", "libopus", 48000), "aac": ("adts", "aac", 16000)}

_retriever: Retriever | None = None


def _word(rate: int) -> np.ndarray:
    """Three quarters of a second of something like a vowel."""
    time = np.arange(rate * 3 // 4) / rate
    voice = sum(np.sin(2 * np.pi * 120 * k * time) / k for k in range(1, 12))
    return (0.2 * voice * np.sin(np.pi * time / 0.75) ** 2).astype(np.float32)


def _encoded(container: str, codec: str, rate: int) -> bytes:
    import av

    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate, layout="mono")
        resampler = av.AudioResampler(format=stream.format, layout="mono", rate=rate, frame_size=1024)
        frame = av.AudioFrame.from_ndarray(_word(rate)[None], format="fltp", layout="mono")
        frame.sample_rate = rate
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            output.mux(stream.encode(part))
        output.mux(stream.encode(None))
    return file.getvalue()


def valid() -> dict[str, bytes]:
    """One small sound in each format."""
    sounds = {}
    for name, (form, subtype, channels) in _SOUNDFILE.items():
        file = io.BytesIO()
        samples = np.repeat(_word(_RATE)[:, None], channels, axis=1)
        soundfile.write(file, samples, _RATE, format=form, subtype=subtype)
        sounds[name] = file.getvalue()
    return sounds | {name: _encoded(*how) for name, how in _AV.items()}


def cases(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Each format in turn, damaged."""
    load()
    yield from each_in_turn(valid(), count, seed)


def use(content: bytes | Path) -> str:
    """Read a sound and find what matches it."""
    from model.data.speech import UnusableAudio, read_audio

    assert _retriever is not None
    try:
        answer = _retriever.ask_sound(*read_audio(io.BytesIO(content) if isinstance(content, bytes) else content))
    except UnusableAudio:
        return "refused"
    assert all(np.isfinite(match.score) for match in answer.matches)
    return "answer"


def load() -> None:
    """Load the model that answers."""
    global _retriever
    import torch

    from model import locations
    from model.retrieval.gallery import Gallery
    from model.retrieval.retriever import Retriever
    from model.systems.model_io import load_model

    torch.set_num_threads(1)  # as in the window
    _retriever = Retriever(*load_model(locations.shipped_model()), Gallery.load(locations.shipped_gallery()))
    _retriever.warm_up()
