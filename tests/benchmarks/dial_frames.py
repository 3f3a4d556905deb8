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
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "app")]
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen:configfile=" + os.path.relpath(ROOT / "tests/app/screen.json"))

from PySide6.QtWidgets import QGraphicsView  # noqa: E402
from sweeps import make_results  # noqa: E402
from workbench import Workbench  # noqa: E402

from model import locations  # noqa: E402
from model.evaluation.sweep_results import SweepResults  # noqa: E402
from modinv_app.app import make_application  # noqa: E402
from modinv_app.common.lambda_dial import value_at  # noqa: E402
from modinv_app.sweep.page import DialPage  # noqa: E402
from tests.benchmarks.frames import measure  # noqa: E402


def turn(page: DialPage, seconds: float) -> dict[str, Any]:
    """Turn the dial to its end and back, and report the frames of the map."""
    return measure(
        page.map.findChild(QGraphicsView).viewport(),
        lambda share: page.dial.set_value(value_at(0.5 - 0.5 * math.cos(2 * math.pi * share))),
        seconds,
    )


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
    print(json.dumps({"points": len(results.items), **turn(page, arguments.seconds)}, indent=2))


if __name__ == "__main__":
    main()
