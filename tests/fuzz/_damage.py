"""Ways to damage a file, whatever its format."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping

import numpy as np


def each_in_turn(files: Mapping[str, bytes], count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Cases of files of several kinds, by their names: what was done, and what is left."""
    rng = np.random.default_rng(seed)
    for _, name in zip(range(count), itertools.cycle(files), strict=False):
        words, content = damaged(files[name], files, rng)
        yield f"{name}: {words}", content


def damaged(content: bytes, others: Mapping[str, bytes], rng: np.random.Generator) -> tuple[str, bytes]:
    """One to three injuries of a file: what was done, and what is left."""
    words = []
    for _ in range(int(rng.choice([1, 2, 3], p=[0.7, 0.2, 0.1]))):
        injury = _INJURIES[int(rng.integers(len(_INJURIES)))]
        if len(content) < 2:
            break
        content = injury(content, others, rng)
        words.append(injury.__name__.strip("_").replace("_", " "))
    return ", ".join(words), content


def _flipped_bits(content: bytes, _others: Mapping[str, bytes], rng: np.random.Generator) -> bytes:
    return _flip(content, len(content), rng)


def _flipped_bits_of_the_header(content: bytes, _others: Mapping[str, bytes], rng: np.random.Generator) -> bytes:
    return _flip(content, min(128, len(content)), rng)


def _flip(content: bytes, within: int, rng: np.random.Generator) -> bytes:
    changed = bytearray(content)
    for place in rng.integers(within, size=int(rng.integers(1, 9))):
        changed[place] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def _changed_number(content: bytes, _others: Mapping[str, bytes], rng: np.random.Generator) -> bytes:
    """Write a telling number over 1, 2, 4 or 8 bytes, mostly of the header."""
    size = int(rng.choice([1, 2, 4, 8]))
    within = min(len(content), 200) if rng.random() < 0.7 else len(content)
    place = int(rng.integers(within))
    order = ("little", "big")[int(rng.integers(2))]
    top = 2 ** (8 * size)
    number = int(rng.choice([0, 1, 2, 127, 128, 255, -1, -2])) % top if rng.random() < 0.7 else top // 2
    return content[:place] + number.to_bytes(size, order) + content[place + size :]  # type: ignore[arg-type]


def _truncation(content: bytes, _others: Mapping[str, bytes], rng: np.random.Generator) -> bytes:
    return content[: int(rng.integers(1, len(content)))]


def _missing_piece(content: bytes, _others: Mapping[str, bytes], rng: np.random.Generator) -> bytes:
    start, stop = sorted(int(place) for place in rng.integers(len(content), size=2))
    return content[:start] + content[stop:]


def _repeated_piece(content: bytes, _others: Mapping[str, bytes], rng: np.random.Generator) -> bytes:
    start, stop = sorted(int(place) for place in rng.integers(len(content), size=2))
    return content[:stop] + content[start:stop] * int(rng.integers(1, 5)) + content[stop:]


def _zeros(content: bytes, _others: Mapping[str, bytes], rng: np.random.Generator) -> bytes:
    start, stop = sorted(int(place) for place in rng.integers(len(content), size=2))
    return content[:start] + bytes(stop - start) + content[stop:]


def _noise(content: bytes, _others: Mapping[str, bytes], rng: np.random.Generator) -> bytes:
    start = int(rng.integers(len(content)))
    length = int(rng.integers(1, 200))
    return content[:start] + rng.bytes(length) + content[start + length :]


def _splice(content: bytes, others: Mapping[str, bytes], rng: np.random.Generator) -> bytes:
    """Begin as one file, go on as another."""
    other = others[sorted(others)[int(rng.integers(len(others)))]]
    return content[: int(rng.integers(len(content)))] + other[int(rng.integers(max(1, len(other)))) :]


_INJURIES: tuple[Callable[[bytes, Mapping[str, bytes], np.random.Generator], bytes], ...] = (
    _flipped_bits,
    _flipped_bits_of_the_header,
    _changed_number,
    _truncation,
    _missing_piece,
    _repeated_piece,
    _zeros,
    _noise,
    _splice,
)
