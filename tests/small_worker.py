"""The worker process with a tenth of the weights, judging briefly, for tests in which it trains: all takes moments.

Only models of its own size can be read by it, or what it leaves by others; see the fixtures ``small_encoders`` and
``brief_judging``.
"""

import importlib
import os
import sys
from pathlib import Path
from types import ModuleType

from model.processes import avoid_current_folder, python

SMALL_UNITS = 8
"""Hidden units of either encoder."""

_FOLDER = str(Path(__file__).parent)

COMMAND = python("-c", f"import sys; sys.path.insert(0, {_FOLDER!r}); import small_worker; small_worker.main()")
"""Starts it, in place of ``model.jobs.worker``."""


class _NoCompiler(ModuleType):
    """Stands in for PyTorch's compiler, which optimisers import, until more of it is wanted than to be left alone.

    To import it takes longer than all else that happens here.
    """

    @staticmethod
    def disable(function, *_how, **_more):
        return function

    @staticmethod
    def graph_break(*_why):
        pass

    def __getattr__(self, name):
        del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


def main() -> None:
    avoid_current_folder()
    import torch
    from brief_judging import shorten

    from model import cores
    from model.jobs import worker, worker_processes
    from model.networks import architecture

    torch._dynamo = sys.modules["torch._dynamo"] = _NoCompiler("torch._dynamo")
    architecture.HIDDEN_UNITS = SMALL_UNITS
    cores.available_cores = lambda: 2  # so that sweeps take two processes, on all machines
    worker_processes.COMMAND = COMMAND
    shorten()
    os.fsync = lambda _handle: None  # as in tests/conftest.py
    worker._NICENESS = 0  # nobody is at the window, and other tests would keep it waiting
    worker.main()
