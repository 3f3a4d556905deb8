"""The space bar of a real X server with its own key repeat, which no offscreen platform shows."""

from __future__ import annotations

import pytest
from x_server import needs_x_server, run

pytestmark = needs_x_server


@pytest.fixture(scope="module")
def scenes() -> dict[str, dict[str, list]]:
    """By scene: the least seconds that each take must last, those that there were, and what the panel complained of."""
    return {scene.pop("scene"): scene for scene in run("space_bar.py")}


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
