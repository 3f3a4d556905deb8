"""Files that commit 825b64d wrote, before modules and fields got their present names.

All is real but for the weights, most of which are zero: ``data/825b64d/make.py`` says how and why.
"""

from __future__ import annotations

import lzma
import shutil
from pathlib import Path

FOLDER = Path(__file__).parent / "data" / "825b64d"


def copy(name: str, target: Path) -> Path:
    """A copy of a file or folder of then, its tensors unpacked; returns ``target``."""
    source = FOLDER / name
    if not source.is_dir():
        shutil.copy(source, target)
        return target
    for path in filter(Path.is_file, source.rglob("*")):
        place = target / path.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".xz":
            place.with_suffix("").write_bytes(lzma.decompress(path.read_bytes()))
        else:
            shutil.copy(path, place)
    return target
