"""Frames that a widget paints while it is moved; set up Qt's platform before importing this."""

import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, QEventLoop, QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication, QWidget

_MOVE_MS = 8  # a mouse at 125 Hz


class _Paints(QObject):
    """Notes when a widget is painted."""

    def __init__(self) -> None:
        super().__init__()
        self.moments: list[float] = []

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            self.moments.append(time.perf_counter())
        return False


def measure(painted: QWidget, move: Callable[[float], object], seconds: float) -> dict[str, Any]:
    """Call ``move`` with the share of the time that has passed, and report the frames of the widget, JSON-ready."""
    paints, loop = _Paints(), QEventLoop()
    painted.installEventFilter(paints)
    started, worked = time.perf_counter(), time.thread_time()

    def go_on() -> None:
        passed = time.perf_counter() - started
        move(passed / seconds)
        if passed > seconds:
            loop.quit()

    timer = QTimer(interval=_MOVE_MS, timerType=Qt.TimerType.PreciseTimer)
    timer.timeout.connect(go_on)
    timer.start()
    loop.exec()
    timer.stop()
    worked, moments = time.thread_time() - worked, paints.moments
    gaps = 1000 * np.diff(moments)
    return {
        "platform": QApplication.platformName(),
        "frames_per_second": round(len(gaps) / (moments[-1] - moments[0]), 1),
        "gap_ms": {f"p{percent}": round(float(np.percentile(gaps, percent)), 1) for percent in (50, 95, 99)},
        "work_ms_per_frame": round(1000 * worked / len(moments), 1),
        "load_average": [round(load, 1) for load in os.getloadavg()],
    }
