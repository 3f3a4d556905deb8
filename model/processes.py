"""Processes of ours run installed code alone, never what lies in the folder that somebody happens to be in.

A folder of downloads may hold a ``json.py``, a library or settings that run code. Python takes modules from the current
folder with ``-m`` and ``-c``, and two of the libraries look into it when they are imported (see `shun_current_folder`).
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

_NOSY = frozenset({"torch", "matplotlib"})
_FOLDERS = ("MODINV_DATA", "MODINV_RUNS", "MODINV_SWEEPS")


def python(*arguments: str) -> tuple[str, ...]:
    """The command that runs this same Python, to be started with `environment`.

    Not ``-I``: it would also hide packages that were installed for one user alone, and those that ``PYTHONPATH`` names.
    """
    return (sys.executable, "-P", *arguments)


def environment() -> dict[str, str]:
    """The environment of such a process: this one's, and what keeps its own children from the current folder, too."""
    return {**os.environ, "PYTHONSAFEPATH": "1", "PYTHONUTF8": "1"}


def shun_current_folder() -> None:
    """Import libraries that look into the current folder from another one; the first thing that a program does.

    PyTorch for CUDA brings a library (cuSPARSELt) whose search path ends with an empty entry, and that means the
    current folder: a ``libcuda.so.1`` that lies there is run, whether there is a GPU or not. Matplotlib obeys a
    ``matplotlibrc`` that lies there. Neither can be told not to.
    """
    for name in _FOLDERS:  # other threads may ask for these while the folder is another
        if value := os.environ.get(name):
            os.environ[name] = str(Path(value).expanduser().absolute())
    sys.meta_path.insert(0, _Elsewhere())


class _Elsewhere(MetaPathFinder):
    """Finds what others find, and has it run in another folder."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name not in _NOSY:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_elsewhere(module: ModuleType) -> None:
                with _elsewhere():
                    execute(module)

            spec.loader.exec_module = execute_elsewhere  # type: ignore[method-assign]
        return spec


@contextlib.contextmanager
def _elsewhere() -> Iterator[None]:
    """In the folder that Python was installed into."""
    try:
        here = Path.cwd()
        os.chdir(sys.prefix)
    except OSError:  # the current folder was removed: nothing lies in it
        yield
        return
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            os.chdir(here)
