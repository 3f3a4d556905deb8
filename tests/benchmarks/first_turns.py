"""What turning to a page for the first time costs: ``python -m tests.benchmarks.first_turns [--seconds 10]``.

Opens the real window on a rehearsed sound card, judges the model that ships unless that was done before, turns to every
page and every tab of the evaluation, then again to every page, turns the dial from end to end, and follows four runs
live. Prints JSON, for each of these: the longest gap of a timer in the window's thread, in milliseconds, and the most
that this thread worked between two beats. The gap is what a person feels; on a machine that is shared, the work says
more: it is the gap of an idle one.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "app")]
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen:configfile=" + os.path.relpath(ROOT / "tests/app/screen.json"))

from desk import Desk, pause, until  # noqa: E402
from PySide6.QtCore import Qt, QTimer  # noqa: E402
from sweeps import clouds, make_items  # noqa: E402

from model.runs.values import MetricPoint, Snapshot  # noqa: E402
from modinv_app.app import make_application  # noqa: E402
from modinv_app.common.lambda_dial import value_at  # noqa: E402
from modinv_app.evaluate.page import EvaluatePage  # noqa: E402
from modinv_app.train.page import TrainPage  # noqa: E402

_BEAT_MS = 4
_SETTLE = 1.5  # seconds in which a page that was turned to comes to rest
_RUNS, _STEPS = ("a", "b", "c", "d"), 1600
_ITEMS = make_items()


def longest(during: Callable[[], None], seconds: float = _SETTLE) -> dict[str, float]:
    """The longest gap between two beats while something is done and settles, and the most work between two."""
    moments: list[tuple[float, float]] = []
    timer = QTimer(interval=_BEAT_MS, timerType=Qt.TimerType.PreciseTimer)
    timer.timeout.connect(lambda: moments.append((time.perf_counter(), time.thread_time())))
    timer.start()
    pause(0.05)
    during()
    pause(seconds)
    timer.stop()
    gap, work = (1000 * np.diff(moments, axis=0)).max(axis=0)
    return {"gap": round(float(gap), 1), "work": round(float(work), 1)}


def judge(page: EvaluatePage) -> None:
    """Have the loaded model judged, as its user would."""
    judged: list[object] = []
    page.service.evaluated.connect(lambda *_what: judged.append(None))
    until(lambda: page.bar.button.isEnabled(), "a model to judge", 60)
    page.bar.button.click()
    until(lambda: judged, "an evaluation", 600)
    pause(_SETTLE)


def turn_dial(desk: Desk, seconds: float) -> None:
    dial, end = desk.window.pages.built["dial"].dial, time.perf_counter() + seconds
    while (left := end - time.perf_counter()) > 0:
        dial.set_value(value_at(1 - left / seconds))
        pause(0.01)


def choose_runs(page: TrainPage) -> None:
    """As many runs, half trained."""
    page.map.set_probe(SimpleNamespace(items=_ITEMS, features=lambda _index: None))
    for name in _RUNS:
        page.curves.add_run(name, name, _STEPS, [_point(step) for step in range(1, _STEPS // 2, 10)])


def follow(page: TrainPage, seconds: float) -> None:
    """Runs that grow by a point every 0.1 s, the first of them with a snapshot a second."""
    nothing = np.zeros((len(_ITEMS), 1), np.float32)
    for beat in range(round(10 * seconds)):
        step = _STEPS // 2 + 10 * beat
        for name in _RUNS:
            page.curves.append(name, [_point(step)])
        if beat % 10 == 0:
            page.map.show_snapshots([Snapshot(step, nothing, nothing, clouds(_ITEMS, 8, 2.0, seed=beat), {})])
        pause(0.1)


def _point(step: int) -> MetricPoint:
    loss = 100 / step
    names = ("total", "similarity", "information_gain", "quick_purity", "quick_svm")
    return MetricPoint(step, step / 469, step / 3, dict(zip(names, (loss, loss, loss, 0.9, 0.6), strict=True)))


def main() -> None:
    parser = argparse.ArgumentParser(description="What turning to a page for the first time costs.")
    parser.add_argument("--seconds", type=float, default=10)
    seconds = parser.parse_args().seconds
    make_application([sys.argv[0]])
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MODINV_RUNS"] = str(Path(folder) / "runs")
        desk = Desk(Path(folder) / "first_turns.ini").open().ready()
        pages = desk.window.pages
        pause(5)  # the other pages are imported behind the window
        found["idle"] = longest(lambda: None, seconds)
        for name in pages.names[1:]:
            found[f"first {name}"] = longest(partial(pages.turn_to, name))
        evaluate, train = pages.built["evaluate"], pages.built["train"]
        judge(evaluate)
        for place in range(1, evaluate.tabs.count()):
            turned = partial(evaluate.tabs.setCurrentIndex, place)
            found[f"first evaluate, {evaluate.tabs.tabText(place)}"] = longest(turned)
        for name in pages.names:
            found[f"again {name}"] = longest(partial(pages.turn_to, name))
        pages.turn_to("dial")
        pause(_SETTLE)
        found["turning the dial"] = longest(partial(turn_dial, desk, seconds))
        pages.turn_to("train")
        pause(_SETTLE)
        found["choosing four runs"] = longest(partial(choose_runs, train))
        found["following four runs"] = longest(partial(follow, train, seconds))
        desk.close()
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
