"""The space bar of a real X server with its own key repeat, which no offscreen platform shows."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_MISSING = [tool for tool in ("xvfb-run", "xdotool") if not shutil.which(tool)]
pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="no X server"),
    pytest.mark.skipif(bool(_MISSING), reason=f"no {', '.join(_MISSING)} (Debian: apt-get install xvfb xauth xdotool)"),
    pytest.mark.timeout(400),
]


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, list]]:
    """By scene: the least seconds that each take must last, those that there were, and what the panel complained of."""
    home = str(tmp_path_factory.mktemp("home"))
    own = dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"), home)
    environment = {**os.environ, **own, "QT_QPA_PLATFORM": "xcb", "QT_IM_MODULE": "", "XMODIFIERS": ""}
    script = Path(__file__).with_name("space_bar.py")
    command = ["xvfb-run", "-a", "-s", "-screen 0 1600x1000x24", sys.executable, str(script)]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=380)
    assert ended.returncode == 0, ended.stderr
    return {scene.pop("scene"): scene for scene in json.loads(ended.stdout.splitlines()[-1])}


@pytest.mark.parametrize(
    "name",
    [
        "on_the_canvas",
        "on_the_button",
        "pressed_again",
        "with_a_modifier",
        "with_another_key",
        "with_the_pointer",
        "into_another_window",
    ],
)
def test_each_hold_is_one_take_that_lasts_as_long(scenes: dict[str, dict[str, list]], name: str) -> None:
    scene = scenes[name]
    assert len(scene["takes"]) == len(scene["least"]), scene
    assert all(take >= least for take, least in zip(scene["takes"], scene["least"], strict=True)), scene
    assert not scene["told"], scene
