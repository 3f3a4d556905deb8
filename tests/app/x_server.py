"""A real X server for what no offscreen platform shows: its key repeat, its crowd of events."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

_MISSING = [tool for tool in ("xvfb-run", "xdotool") if not shutil.which(tool)]

needs_x_server = [
    pytest.mark.skipif(sys.platform != "linux", reason="no X server"),
    pytest.mark.skipif(bool(_MISSING), reason=f"no {', '.join(_MISSING)} (Debian: apt-get install xvfb xauth xdotool)"),
    pytest.mark.timeout(400),
]


def run(script: str) -> Any:
    """Run a script of this folder on an X server and with a home of its own; the JSON in its last line."""
    with tempfile.TemporaryDirectory(prefix="home-") as home:
        own = dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"), home)
        environment = {**os.environ, **own, "QT_IM_MODULE": "", "XMODIFIERS": ""}
        path = str(Path(__file__).with_name(script))
        command = ["xvfb-run", "-a", "-s", "-screen 0 1600x1000x24", sys.executable, path]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=380)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])
