"""Known killers: inputs that took minutes or gigabytes, stopped the application, or started another program."""

from __future__ import annotations

import io
import itertools
import os
import struct
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image

from . import pictures, sounds

SAMPLE = 27
MEGABYTE = 2**20


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _deflated_zeros(count: int) -> bytes:
    """What zlib may make of so many zeros; to have it compress hundreds of megabytes takes seconds."""
    packer = zlib.compressobj(wbits=-15)
    million = packer.compress(bytes(MEGABYTE)) + packer.flush(zlib.Z_FULL_FLUSH)
    rest = zlib.compressobj(wbits=-15)
    end = rest.compress(bytes(count % MEGABYTE)) + rest.flush()
    return b"\x78\x9c" + million * (count // MEGABYTE) + end + struct.pack(">HH", count % 65521, 1)


def _png(width: int, height: int, extra: bytes = b"", colour: int = 0, bits: int = 8, before: bytes = b"") -> bytes:
    channels = {0: 1, 2: 3, 6: 4}[colour]
    packed = _deflated_zeros(height * (1 + width * channels * bits // 8))
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + extra + before + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")


def _tiff(entries: list[tuple[int, int, int, int]], rest: bytes) -> bytes:
    """A TIFF whose ``rest`` begins at `_after` its entries ``(tag, type, count, value)``."""
    table = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + table + bytes(4) + rest


def _after(entries: int) -> int:
    return 14 + 12 * entries


def _many_strips(count: int) -> bytes:
    at = _after(9)
    entries = [(256, 3, 1, 10), (257, 4, 1, count), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (277, 3, 1, 1)]
    entries += [(278, 3, 1, 1), (273, 4, count, at), (279, 4, count, at)]
    return _tiff(entries, struct.pack("<I", at) * count)


def _huge_tile(side: int) -> bytes:
    packed = _deflated_zeros(side * side)
    entries = [(256, 3, 1, 100), (257, 3, 1, 100), (258, 3, 1, 8), (259, 3, 1, 8), (262, 3, 1, 1), (277, 3, 1, 1)]
    entries += [(322, 4, 1, side), (323, 4, 1, side), (324, 4, 1, _after(10)), (325, 4, 1, len(packed))]
    return _tiff(entries, packed)


def _many_tags(count: int, size: int) -> bytes:
    """Each tag claims the same bytes."""
    return _tiff([(30000 + number, 7, size, _after(count)) for number in range(count)], bytes(size))


def _many_scans(count: int) -> bytes:
    file = io.BytesIO()
    Image.new("L", (9000, 9000)).save(file, "JPEG", progressive=True)
    content = file.getvalue()
    start = content.rfind(b"\xff\xda")
    return content[:start] + content[start:-2] * count + content[-2:]


def _gif(extra: bytes, screen: tuple[int, int] = (60, 80)) -> bytes:
    content = pictures.valid()["gif"]
    table = 13 + (3 * 2 ** ((content[10] & 7) + 1) if content[10] & 128 else 0)
    return content[:6] + struct.pack("<HH", *screen) + content[10:table] + extra + content[table:]


def _run_length_bmp(width: int, height: int, packed: bytes) -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(packed), 0, 0, 256, 0)
    start = 14 + len(header) + 1024
    return b"BM" + struct.pack("<IHHI", start + len(packed), 0, 0, start) + header + bytes(1024) + packed


def _webp(side: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (side, side)).save(file, "WEBP", lossless=True, method=0, quality=0)
    return file.getvalue()


def _thin_cross() -> bytes:
    pixels = np.full((1600, 1600), 255, np.uint8)
    steps = np.arange(5, 1595)
    pixels[steps, steps] = pixels[steps, 1600 - steps] = 0
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def _pictures() -> Iterator[tuple[str, bytes]]:
    yield "png of 100 megapixels", _png(10_000, 10_000, colour=6)
    yield "png of 25 megapixels in 16 bits and four channels", _png(5000, 5000, colour=6, bits=16)
    yield "webp of 100 megapixels", _webp(10_000)
    yield "webp of 12 megapixels", _webp(3460)
    text = _deflated_zeros(MEGABYTE - 10)
    texts = (_chunk(b"zTXt", b"a%d\0\0" % n + text) for n in range(500))
    yield "png that unpacks to 500 MB of text", _png(60, 60, b"".join(texts))
    profile = _deflated_zeros(512 * MEGABYTE)
    yield "png that unpacks to 512 MB of colour profile", _png(60, 60, _chunk(b"iCCP", b"a\0\0" + profile))
    yield "png of five million empty chunks", _png(60, 60, _chunk(b"abCd", b"") * 5 * MEGABYTE)
    yield "png of five million empty pieces", _png(60, 60, before=_chunk(b"IDAT", b"") * 5 * MEGABYTE)
    yield "tiff of a million strips", _many_strips(1_000_000)
    yield "tiff of 16 million strips", _many_strips(15_990_000)
    yield "tiff of a huge tile", _huge_tile(32_752)
    yield "tiff of tags that all claim the same megabyte", _many_tags(30_000, 1_000_000)
    yield "jpeg of 5,000 scans", _many_scans(5000)
    jpeg = pictures.valid()["jpeg"]
    yield "jpeg of 15 million empty segments", jpeg[:2] + b"\xff\xe5\0\2" * 15 * MEGABYTE + jpeg[2:]
    yield "gif of 20 million comments", _gif(b"!\xfe\0" * 20 * MEGABYTE)
    yield "gif with a comment of 30 million pieces", _gif(b"!\xfe" + b"\1a" * 30 * MEGABYTE + b"\0")
    yield "gif on a screen of 4 gigapixels", _gif(b"", (65535, 65535))
    yield "bmp of 31 million runs", _run_length_bmp(6000, 6000, b"\1\0" * 31 * MEGABYTE)
    yield "bmp of 16 million steps to nowhere", _run_length_bmp(6000, 6000, b"\0\2\0\0" * 15 * MEGABYTE)
    yield "a thin cross that fills the sheet", _thin_cross()


def _wav(rate: int, channels: int) -> bytes:
    """The header of a WAV of 4 GB."""
    layout = struct.pack("<HHIIHH", 1, channels, rate, min(2**32 - 1, rate * channels * 2), channels * 2, 16)
    return b"RIFF\xf7\xff\xff\xffWAVEfmt " + struct.pack("<I", 16) + layout + b"data\xd3\xff\xff\xff"


def _sounds(folder: Path) -> Iterator[tuple[str, bytes | Path]]:
    for rate, channels in ((8000, 1), (768_000, 1024)):
        sparse = folder / f"{rate}.wav"
        with sparse.open("wb") as file:
            file.write(_wav(rate, channels))
            file.truncate(2**32 - 1)
        yield f"sparse wav of 4 GB at {rate} Hz", sparse
    nothing = folder / "zeros.mp3"
    with nothing.open("wb") as file:
        file.truncate(2**32)
    yield "4 GB of nothing", nothing
    wav = bytearray(sounds.valid()["wav"])
    struct.pack_into("<I", wav, 24, 268_443_456)
    yield "wav at 268 MHz", bytes(wav)
    flac = io.BytesIO()
    with soundfile.SoundFile(flac, "w", 655_350, 8, "PCM_24", format="FLAC") as output:
        for _ in range(30):
            output.write(np.zeros((655_350, 8), np.int32))
    yield "flac of eight channels at 655 kHz", flac.getvalue()
    yield "voc that ends in its header", bytes.fromhex("437265617469766520566f6963652046696c651a1a0014011f")
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "pipe.wav")
    yield "a pipe that nobody writes to", folder / "pipe.wav"


def cases(count: int, _seed: int) -> Iterator[tuple[str, tuple[str, bytes | Path]]]:
    """All killers, again and again."""
    sounds.load()
    with tempfile.TemporaryDirectory() as name:
        while True:
            number = 0
            folder = Path(tempfile.mkdtemp(dir=name))
            of_all = itertools.chain(
                ((words, ("picture", content)) for words, content in _pictures()),
                ((words, ("sound", content)) for words, content in _sounds(folder)),
            )
            for case in of_all:
                if number == count:
                    return
                number += 1
                yield case
            count -= number


def use(content: tuple[str, bytes | Path]) -> str:
    """As a picture or as a sound."""
    what, data = content
    return pictures.use(data) if what == "picture" else sounds.use(data)
