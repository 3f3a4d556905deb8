"""Starting processes that load no code from the current folder.

A folder of downloads may hold a ``json.py``, a shared library or a configuration file that runs code. Python imports
modules from the current folder with ``-m`` and ``-c``, and two libraries search it when they are imported (see
`avoid_current_folder`).
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

_SEARCHES_CURRENT_FOLDER = frozenset({"torch", "matplotlib"})
_FOLDERS = ("MODINV_DATA", "MODINV_RUNS", "MODINV_SWEEPS")


def python(*arguments: str) -> tuple[str, ...]:
    """The command line of this Python interpreter, to be run with `environment`.

    Without ``-I``, which would also hide packages of the user's site directory and those on ``PYTHONPATH``. The program
    of a bundle (``packaging/start.py``) takes ``-m`` and ``-c`` as an interpreter does, and never searches the current
    folder.
    """
    return (sys.executable, *arguments) if bundled() else (sys.executable, "-P", *arguments)


def bundled() -> bool:
    """Whether this is the program of a desktop bundle, to which no packages can be added."""
    return hasattr(sys, "frozen")


def environment() -> dict[str, str]:
    """This process's environment, extended so that children of the new process avoid the current folder as well."""
    return {**os.environ, "PYTHONSAFEPATH": "1", "PYTHONUTF8": "1"}


def avoid_current_folder() -> None:
    """Import libraries that search the current folder from another folder; to be called first in a program.

    PyTorch for CUDA contains a library (cuSPARSELt) whose search path ends with an empty entry, which means the current
    folder: it loads a ``libcuda.so.1`` from there, even without a GPU. Matplotlib reads a ``matplotlibrc`` from there.
    Neither has an option against it.
    """
    for name in _FOLDERS:  # other threads may resolve these while the folder is changed
        if value := os.environ.get(name):
            os.environ[name] = str(Path(value).expanduser().absolute())
    sys.meta_path.insert(0, _ChangedFolderFinder())


class _ChangedFolderFinder(MetaPathFinder):
    """Finds modules as usual, but executes them while another folder is the current one."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name not in _SEARCHES_CURRENT_FOLDER:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_in_prefix(module: ModuleType) -> None:
                with in_prefix():
                    execute(module)

            spec.loader.exec_module = execute_in_prefix  # type: ignore[method-assign]
        return spec


@contextlib.contextmanager
def in_prefix() -> Iterator[None]:
    """Within it, the folder that Python is installed in is the current one."""
    try:
        here = Path.cwd()
        os.chdir(sys.prefix)
    except OSError:  # the current folder was removed, so nothing can be loaded from it
        yield
        return
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            os.chdir(here)
