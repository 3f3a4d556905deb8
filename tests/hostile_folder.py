"""A folder whose files run code if somebody lets them: where downloads lie, or a stranger's archive was unpacked."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import psutil

MODULES = (
    *("model", "modinv_app", "evil"),
    *("json", "queue", "random", "typing", "subprocess", "argparse", "logging", "sitecustomize", "usercustomize"),
    *("torch", "numpy", "psutil", "PySide6", "pyqtgraph", "sounddevice", "onnxruntime", "matplotlib", "typer", "rich"),
)


class HostileFolder:
    """Modules and a library of well-known names, and settings that name such a module.

    Parameters
    ----------
    folder
        An empty folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._told = folder / "told"
        self._told.touch()
        for name in MODULES:
            (folder / f"{name}.py").write_text(
                f"with open({str(self._told)!r}, 'a') as told: told.write('{name}\\n')\n"
            )
        (folder / "matplotlibrc").write_text("backend: module://evil\nlines.linewidth: no number\n")
        (folder / "qt.conf").write_text(f"[Paths]\nPlugins = {folder}\n")
        # Any library will do: the linker tells which ones it has run.
        shutil.copy(psutil._psplatform.cext.__file__, folder / "libcuda.so.1")
        self._linked = folder / "linked"
        self._linked.mkdir()

    @property
    def environment(self) -> Mapping[str, str]:
        """What a program's environment needs for `told` to be complete."""
        return {"LD_DEBUG": "libs", "LD_DEBUG_OUTPUT": str(self._linked / "of")}

    def told(self) -> list[str]:
        """What was run or obeyed: modules, libraries, settings."""
        lines = [line for path in self._linked.iterdir() for line in path.read_text(errors="replace").splitlines()]
        libraries = [line.split("calling init: ")[1] for line in lines if "calling init: " in line]
        # The linker names a library of the current folder without its folder.
        return self._told.read_text().split() + [name for name in libraries if not name.startswith("/")]
