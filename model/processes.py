"""How another process of ours is started: with this Python, and on installed code alone.

With ``-m`` and ``-c`` Python looks for modules in the current folder first: a ``json.py`` in a folder of downloads
would run. ``-P`` forbids that. ``-I`` would too, but it also hides packages that were installed for one user alone,
and ``PYTHONPATH``, by which some find this one.
"""

from __future__ import annotations

import os
import sys


def python(*arguments: str) -> tuple[str, ...]:
    """The command that runs the Python that runs now, to be started with `environment`."""
    return (sys.executable, "-P", *arguments)


def environment() -> dict[str, str]:
    """The environment of such a process: this one's, and what keeps its own children from the current folder, too."""
    return {**os.environ, "PYTHONSAFEPATH": "1", "PYTHONUTF8": "1"}
