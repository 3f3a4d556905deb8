"""Frames a second while the dial of lambda_IG is turned: ``python -m tests.benchmarks.dial_frames [--seconds 12]``.

Turns the dial from end to end and back in the given time, in a page of 1280 x 734 pixels with 400 points, and prints
JSON: frames a second that were painted, the milliseconds between two of them, and those that the window's thread
worked for one (dial, motion, map, curve, painting): below 16.7 they can be 60 a second. Offscreen unless
``QT_QPA_PLATFORM`` says otherwise: ``xcb`` under Xvfb.
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
from PySide6.QtWidgets import QGraphicsView  # noqa: E402
from sweeps import make_results  # noqa: E402
from workbench import Workbench  # noqa: E402

from model import locations  # noqa: E402
from model.evaluation.sweep_results import SweepResults  # noqa: E402
from modinv_app.app import make_application  # noqa: E402
from modinv_app.common.lambda_dial import value_at  # noqa: E402
from modinv_app.sweep.page import DialPage  # noqa: E402

_TURN_MS = 8  # a mouse at 125 Hz


class Paints(QObject):
    """Notes when a widget is painted."""

    def __init__(self) -> None:
        super().__init__()
        self.moments: list[float] = []

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            self.moments.append(time.perf_counter())
        return False


def turn(page: DialPage, seconds: float) -> tuple[list[float], float]:
    """Turn the dial to its end and back: the moments when the map was painted, and this thread's seconds of work."""
    paints, loop = Paints(), QEventLoop()
    page.map.findChild(QGraphicsView).viewport().installEventFilter(paints)
    started, worked = time.perf_counter(), time.thread_time()

    def move() -> None:
        passed = time.perf_counter() - started
        page.dial.set_value(value_at(0.5 - 0.5 * math.cos(2 * math.pi * passed / seconds)))
        if passed > seconds:
            loop.quit()

    timer = QTimer(interval=_TURN_MS, timerType=Qt.TimerType.PreciseTimer)
    timer.timeout.connect(move)
    timer.start()
    loop.exec()
    timer.stop()
    return paints.moments, time.thread_time() - worked


def main() -> None:
    parser = argparse.ArgumentParser(description="Frames a second while the dial of lambda_IG is turned.")
    parser.add_argument("--seconds", type=float, default=12)
    arguments = parser.parse_args()
    application = make_application([sys.argv[0]])
    shipped = locations.shipped_sweep()
    results = SweepResults.load(shipped) if shipped.exists() else make_results()
    bench = Workbench(locations.runs())
    page = bench.dial_page(locations.sweeps())
    page.resize(1280, 734)
    page.show_results(results)
    page.show()
    application.processEvents()
    moments, worked = turn(page, arguments.seconds)
    gaps = 1000 * np.diff(moments)
    report = {
        "platform": application.platformName(),
        "points": len(results.items),
        "frames_per_second": round(len(gaps) / (moments[-1] - moments[0]), 1),
        "gap_ms": {f"p{percent}": round(float(np.percentile(gaps, percent)), 1) for percent in (50, 95, 99)},
        "work_ms_per_frame": round(1000 * worked / len(moments), 1),
        "load_average": [round(load, 1) for load in os.getloadavg()],
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
