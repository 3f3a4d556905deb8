"""Generated pictures and sounds as files."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image

from model.checkpoints import write_bytes_atomically
from model.types import FloatArray

_CELL = 112  # pixels of a picture on a sheet: four for each of its own
_GAP_SECONDS = 0.2


def write_pictures(path: Path, pictures: FloatArray) -> None:
    """Write images ``(n, 28, 28)`` in [0, 1] as one PNG: up to ten in a row, white on black as in MNIST.

    Raises ``OSError`` if it can't be written; then nothing is.
    """
    columns = min(len(pictures), 10)
    rows = math.ceil(len(pictures) / columns)
    sheet = Image.new("L", (columns * _CELL, rows * _CELL))
    for number, picture in enumerate(pictures):
        cell = Image.fromarray((255 * picture).round().astype(np.uint8)).resize(
            (_CELL, _CELL), Image.Resampling.BICUBIC
        )
        sheet.paste(cell, (number % columns * _CELL, number // columns * _CELL))
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    write_bytes_atomically(path, buffer.getvalue())


def write_sounds(path: Path, sounds: Sequence[FloatArray], rate: int) -> None:
    """Write sounds ``(samples,)`` at ``rate`` Hz one after the other, with pauses, in the format that the suffix names.

    Raises ``OSError`` if it can't be written; then nothing is.
    """
    pause = np.zeros(int(_GAP_SECONDS * rate), np.float32)
    parts = [part for sound in sounds for part in (sound, pause)][:-1]
    buffer = io.BytesIO()
    soundfile.write(buffer, np.concatenate(parts), rate, format=path.suffix.removeprefix(".").upper())
    write_bytes_atomically(path, buffer.getvalue())
