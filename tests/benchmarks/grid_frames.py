"""Frames a second while the page Data scrolls: ``python -m tests.benchmarks.grid_frames [--seconds 8]``.

Scrolls a grid of 55,000 pictures from its start to its end and back in the given time, in a view of 760 x 620 pixels,
and prints JSON: frames a second that were painted, the milliseconds between two of them, and those that the window's
thread worked for one. Offscreen unless ``QT_QPA_PLATFORM`` says otherwise: ``xcb`` under Xvfb.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "app")]
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen:configfile=" + os.path.relpath(ROOT / "tests/app/screen.json"))

from model.data.samples import Samples  # noqa: E402
from model.types import Modality  # noqa: E402
from modinv_app.app import make_application  # noqa: E402
from modinv_app.common.item_grid import ItemGrid  # noqa: E402
from modinv_app.data.items import Items  # noqa: E402
from tests.benchmarks.frames import measure  # noqa: E402


def pictures(count: int) -> Items:
    """Pictures of noise, with as many labels."""
    random = np.random.default_rng(0)
    features, labels = random.random((count, 28, 28), np.float32), random.integers(0, 10, count)
    names = tuple(f"picture {number}" for number in range(count))
    return Items.of(Samples("noise", Modality.IMAGE, features, labels, names), "train", {})


def scroll(grid: ItemGrid, seconds: float) -> dict[str, Any]:
    """Scroll to the end and back, and report the frames of the grid."""
    bar = grid.verticalScrollBar()
    return measure(
        grid.viewport(),
        lambda share: bar.setValue(round(bar.maximum() * (0.5 - 0.5 * math.cos(2 * math.pi * share)))),
        seconds,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Frames a second while the page Data scrolls.")
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--count", type=int, default=55_000)
    arguments = parser.parse_args()
    application = make_application([sys.argv[0]])
    grid = ItemGrid()
    grid.resize(760, 620)
    grid.show_items(items := pictures(arguments.count), np.arange(len(items)))
    grid.show()
    application.processEvents()
    print(json.dumps({"items": len(items), **scroll(grid, arguments.seconds)}, indent=2))


if __name__ == "__main__":
    main()
