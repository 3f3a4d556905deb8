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
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "app")]
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen:configfile=" + os.path.relpath(ROOT / "tests/app/screen.json"))

from PySide6.QtCore import QEvent, QEventLoop, QObject, Qt, QTimer  # noqa: E402

from model.data.samples import Samples  # noqa: E402
from model.types import Modality  # noqa: E402
from modinv_app.app import make_application  # noqa: E402
from modinv_app.common.item_grid import ItemGrid  # noqa: E402
from modinv_app.data.items import Items  # noqa: E402

_SCROLL_MS = 8  # a mouse at 125 Hz


class Paints(QObject):
    """Notes when a widget is painted."""

    def __init__(self) -> None:
        super().__init__()
        self.moments: list[float] = []

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            self.moments.append(time.perf_counter())
        return False


def pictures(count: int) -> Items:
    """Pictures of noise, with as many labels."""
    import torch

    generator = torch.Generator().manual_seed(0)
    features = torch.rand((count, 28, 28), generator=generator)
    labels = torch.randint(0, 10, (count,), generator=generator)
    names = tuple(f"picture {number}" for number in range(count))
    return Items.of(Samples("noise", Modality.IMAGE, features, labels, names), "train", {})


def scroll(grid: ItemGrid, seconds: float) -> tuple[list[float], float]:
    """Scroll to the end and back: the moments when the grid was painted, and this thread's seconds of work."""
    paints, loop = Paints(), QEventLoop()
    grid.viewport().installEventFilter(paints)
    started, worked = time.perf_counter(), time.thread_time()
    bar = grid.verticalScrollBar()

    def move() -> None:
        passed = time.perf_counter() - started
        bar.setValue(round(bar.maximum() * (0.5 - 0.5 * math.cos(2 * math.pi * passed / seconds))))
        if passed > seconds:
            loop.quit()

    timer = QTimer(interval=_SCROLL_MS, timerType=Qt.TimerType.PreciseTimer)
    timer.timeout.connect(move)
    timer.start()
    loop.exec()
    timer.stop()
    return paints.moments, time.thread_time() - worked


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
    moments, worked = scroll(grid, arguments.seconds)
    gaps = 1000 * np.diff(moments)
    report = {
        "platform": application.platformName(),
        "items": len(items),
        "frames_per_second": round(len(gaps) / (moments[-1] - moments[0]), 1),
        "gap_ms": {f"p{percent}": round(float(np.percentile(gaps, percent)), 1) for percent in (50, 95, 99)},
        "work_ms_per_frame": round(1000 * worked / len(moments), 1),
        "load_average": [round(load, 1) for load in os.getloadavg()],
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
