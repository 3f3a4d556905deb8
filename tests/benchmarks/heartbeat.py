"""How evenly the window's thread beats while one draws: ``python -m tests.benchmarks.heartbeat [--seconds 10]``.

Opens the real window on a rehearsed sound card, draws for a while with the mouse's events at 125 Hz, speaks a few
times, and prints JSON: percentiles, in milliseconds, of the gaps of a 60 Hz timer while nothing happens and while one
draws, and the times from the last stroke to matches, to the imagined picture, and to the nearest recording and the
imagined voice (when the loudspeaker gets them), and from letting go to images. Ratios to the idle window in the same
run say more than times on a machine that is shared.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "app")]
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen:configfile=" + os.path.relpath(ROOT / "tests/app/screen.json"))

from desk import SEVEN, Desk, pause, until, word  # noqa: E402
from pens import place  # noqa: E402
from PySide6.QtCore import Qt, QTimer  # noqa: E402
from PySide6.QtTest import QTest  # noqa: E402

from modinv_app.app import make_application  # noqa: E402
from modinv_app.audio.simulated import RATE  # noqa: E402

_BEAT_MS, _PEN_MS = 1000 / 60, 8
_STROKES, _UTTERANCES = 25, 8


def spread(milliseconds: list[float], *percents: int) -> dict[str, float]:
    found = {f"p{percent}": round(float(np.percentile(milliseconds, percent)), 1) for percent in percents}
    return {**found, "max": round(max(milliseconds), 1), "count": len(milliseconds)}


def beats(during: Callable[[], None]) -> list[float]:
    """The gaps of a 60 Hz timer in the window's thread while something is done."""
    moments: list[float] = []
    timer = QTimer(interval=round(_BEAT_MS), timerType=Qt.TimerType.PreciseTimer)
    timer.timeout.connect(lambda: moments.append(time.perf_counter()))
    timer.start()
    during()
    timer.stop()
    return list(1000 * np.diff(moments))


def scribble() -> Iterator[tuple[float, float]]:
    """A pen that never tires."""
    for step in range(10**9):
        angle = step / 20
        yield 0.5 + 0.35 * math.sin(angle) * math.cos(angle / 7), 0.5 + 0.35 * math.cos(1.3 * angle)


def draw_for(desk: Desk, seconds: float) -> None:
    """Stroke after stroke, each of a second, wiped off after the third."""
    canvas, pen, left = desk.canvas, scribble(), Qt.MouseButton.LeftButton
    end, drawn = time.perf_counter() + seconds, 0

    def move() -> None:
        nonlocal drawn
        at = place(canvas, *next(pen))
        if drawn % 125 == 0:
            QTest.mousePress(canvas, left, pos=at)
        QTest.mouseMove(canvas, at)
        drawn += 1
        if drawn % 125 == 0:
            QTest.mouseRelease(canvas, left, pos=at)
        if drawn % 375 == 0:
            desk.window.explore.draw.clear()

    timer = QTimer(interval=_PEN_MS, timerType=Qt.TimerType.PreciseTimer)
    timer.timeout.connect(move)
    timer.start()
    until(lambda: time.perf_counter() > end, "the end", seconds + 60)
    timer.stop()
    QTest.mouseRelease(canvas, left, pos=canvas.rect().center())


def stroke_to_matches(desk: Desk) -> float:
    """Milliseconds from lifting the pen to the answer to all of the drawing, shown."""
    desk.window.explore.draw.clear()
    desk.draw()
    lifted, before = time.perf_counter(), desk.answered
    until(lambda: desk.answered > before and desk.answered == desk.root.model.latest_ticket, "an answer")
    return 1000 * (desk.answered_at - lifted)


def stroke_to_picture(desk: Desk) -> float:
    """Milliseconds from lifting the pen to what is imagined of all of the drawing, shown."""
    desk.window.explore.draw.clear()
    moments: list[float] = []

    def note(imagined: object) -> None:
        if imagined is not None and desk.answered == desk.root.model.latest_ticket:
            moments.append(time.perf_counter())

    desk.state.imagined_changed.connect(note)
    desk.draw()
    lifted = time.perf_counter()
    until(lambda: moments, "something imagined")
    desk.state.imagined_changed.disconnect(note)
    return 1000 * (moments[-1] - lifted)


def stroke_to_voice(desk: Desk) -> float:
    """Milliseconds from lifting the pen to the recording or imagined voice, which the loudspeaker gets."""
    desk.window.explore.draw.clear()
    moments: list[float] = []

    def note(key: object) -> None:
        if key is not None:
            moments.append(time.perf_counter())

    desk.root.utterances.playing_changed.connect(note)
    desk.draw()
    lifted = time.perf_counter()
    until(lambda: moments, "a voice")
    desk.root.utterances.playing_changed.disconnect(note)
    until(lambda: not desk.root.player.playing, "the end of it")
    return 1000 * (moments[0] - lifted)


def utterance_to_images(desk: Desk, said: np.ndarray) -> float:
    """Milliseconds from letting go of the button to images, shown."""
    desk.window.explore.draw.clear()
    desk.window.explore.speak.press()
    desk.sound.say(said)
    pause(len(said) / RATE + 0.1)
    released, before = time.perf_counter(), desk.answered
    desk.window.explore.speak.release()
    until(lambda: desk.answered > before, "an answer")
    return 1000 * (desk.answered_at - released)


def main() -> None:
    parser = argparse.ArgumentParser(description="How evenly the window's thread beats while one draws.")
    parser.add_argument("--seconds", type=float, default=10)
    seconds = parser.parse_args().seconds
    make_application([sys.argv[0]])
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Path(folder) / "heartbeat.ini")
        starting = beats(lambda: desk.open().ready())
        desk.draw(SEVEN)
        pause(2)
        idle = beats(lambda: pause(seconds))
        drawing = beats(lambda: draw_for(desk, seconds))
        desk.window.explore.draw.play_on_lift = False
        strokes = [stroke_to_matches(desk) for _ in range(_STROKES)]
        pictures = [stroke_to_picture(desk) for _ in range(_STROKES)]
        desk.window.explore.draw.play_on_lift = True
        recordings = [stroke_to_voice(desk) for _ in range(_STROKES)]
        desk.window.explore.imagined.voice = True
        voices = [stroke_to_voice(desk) for _ in range(_STROKES)]
        desk.window.explore.draw.play_on_lift = desk.window.explore.imagined.voice = False
        said = word()
        utterances = [utterance_to_images(desk, said) for _ in range(_UTTERANCES)]
        desk.close()
    report = {
        "gaps_while_starting": spread(starting, 50, 95),
        "gaps_while_idle": spread(idle, 50, 95, 99),
        "gaps_while_drawing": spread(drawing, 50, 95, 99),
        "stroke_to_matches": spread(strokes, 50, 95),
        "stroke_to_picture": spread(pictures, 50, 95),
        "stroke_to_recording": spread(recordings, 50, 95),
        "stroke_to_voice": spread(voices, 50, 95),
        "utterance_to_images": spread(utterances, 50, 95),
    }
    report["drawing_to_idle"] = {
        name: round(report["gaps_while_drawing"][name] / report["gaps_while_idle"][name], 2)
        for name in ("p50", "p95", "p99", "max")
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
