"""Checks of the sound files of corpora that decoders leave out: cut-off files, and NIST SPHERE."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Mapping

from model.data.speech import UnusableAudio, read_audio
from model.types import FloatArray

_UNKNOWN_SIZES = (0, 0x7FFFFFFF)  # and above: of a WAV that was written as a stream
_SPHERE = b"NIST_1A\n"
_FIELD = re.compile(rb"^(\w+) -(?:i|r|s\d+) (.+)$", re.MULTILINE)


def read_whole(content: bytes) -> tuple[FloatArray, int]:
    """As :func:`~model.data.speech.read_audio`; also raises ``UnusableAudio`` if the file is cut off."""
    if content.startswith(_SPHERE):
        return _read_sphere(content)
    if content[:4] == b"RIFF":
        _check_riff(content)
    return read_audio(io.BytesIO(content))


def _check_riff(content: bytes) -> None:
    """Compare the size of the sound in a WAV with what its header says."""
    place = 12
    while place + 8 <= len(content):
        name, size = struct.unpack_from("<4sI", content, place)
        place += 8
        if name == b"data":
            if _UNKNOWN_SIZES[0] < size < _UNKNOWN_SIZES[1] and place + size > len(content):
                raise _cut_off(len(content) - place, size, "bytes")
            return
        place += size + size % 2


def _read_sphere(content: bytes) -> tuple[FloatArray, int]:
    fields = _sphere_fields(content)
    coding = fields.get("sample_coding", "pcm")
    try:
        samples, rate = read_audio(io.BytesIO(content))
    except UnusableAudio as error:
        raise UnusableAudio(
            f"It is a NIST SPHERE file with the coding {coding}, which can't be decoded. Convert it with "
            "'sph2pipe -f wav'."
        ) from error
    announced = int(fields.get("sample_count", "0")) if fields.get("sample_count", "0").isdigit() else 0
    if len(samples) < announced:
        raise _cut_off(len(samples), announced, "samples")
    return samples, rate


def _sphere_fields(content: bytes) -> Mapping[str, str]:
    """The header of a NIST SPHERE file: 1,024 bytes, or more as the second line says."""
    size = content[8:16].strip()
    header = content[: min(int(size), 1 << 16) if size.isdigit() else 1024]
    return {name.decode(): value.decode("latin-1").strip() for name, value in _FIELD.findall(header)}


def _cut_off(there: int, announced: int, what: str) -> UnusableAudio:
    return UnusableAudio(f"It is cut off: {there:,} of {announced:,} {what} are there.")
