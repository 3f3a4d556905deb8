"""Has sounddevice use the bundle's PortAudio where the system has none; run at the start of the bundle's program."""

import ctypes.util
import sys
from pathlib import Path

_BUNDLED = Path(sys._MEIPASS) / "libportaudio.so.2"  # type: ignore[attr-defined]
_find = ctypes.util.find_library


def _find_library(name: str) -> str | None:
    found = _find(name)
    return str(_BUNDLED) if found is None and name == "portaudio" else found


ctypes.util.find_library = _find_library
