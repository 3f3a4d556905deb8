"""The space bar of a real X server, which repeats a key that is held: what the window makes of it, as JSON.

``xvfb-run -a python tests/app/space_bar.py``; ``test_space_bar.py`` runs it. xdotool presses and lets go, the real
window listens on a rehearsed microphone. No model is loaded: what is told is the takes, not their answers.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "xcb"
sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1]), str(Path(__file__).parent)]

import numpy as np  # noqa: E402
from desk import Desk, pause, until  # noqa: E402
from PySide6.QtWidgets import QWidget  # noqa: E402

from modinv_app.app import make_application  # noqa: E402
from modinv_app.audio.simulated import RATE  # noqa: E402

HELD = 1.2
"""Seconds: the X server repeats a key after 0.66, 25 times a second."""


def xdotool(*command: str) -> None:
    """Let a hand do something, while the window lives."""
    hand = subprocess.Popen(["xdotool", *command])
    until(lambda: hand.poll() is not None, " ".join(command))
    assert hand.returncode == 0, command


class Bench:
    """The window, and what comes out of its microphone."""

    def __init__(self, folder: Path) -> None:
        self.desk = Desk(folder / "space_bar.ini")
        root = self.desk.root
        self.window = root.window
        self.window.show()
        root.sound.refresh()
        root.recorder.start()
        until(lambda: root.recorder.running, "the microphone")
        self.activate()
        self.button = self.window.explore.speak.button
        self.takes: list[float] = []
        self.told: list[str] = []
        root.recorder.take_finished.connect(lambda samples, rate: self.takes.append(round(len(samples) / rate, 3)))
        self.window.explore.speak.failed.connect(self.told.append)

    def activate(self) -> None:
        self.window.activateWindow()
        until(self.window.isActiveWindow, "an active window")

    def rest(self) -> None:
        """Until the tail of a take has come in, whatever the machine."""
        pause(0.6)

    def press(self, kind: str = "key", which: str = "space") -> None:
        """A key, or a button of the mouse, goes down, and something is said."""
        xdotool(kind + "down", which)
        self.desk.sound.say(0.1 * np.sin(0.1 * np.arange(RATE // 2)))

    def release(self, kind: str = "key", which: str = "space") -> None:
        xdotool(kind + "up", which)

    @contextmanager
    def held(self, *device: str) -> Iterator[None]:
        self.press(*device)
        yield
        self.release(*device)

    def play(self, scene: Callable[[Bench], Iterator[float]]) -> dict[str, object]:
        """What a scene yields, seconds that a take lasts at least, and what came of it."""
        self.desk.canvas.setFocus()
        self.rest()
        self.takes.clear()
        self.told.clear()
        least = [round(seconds, 3) for seconds in scene(self)]
        self.rest()
        return {"scene": scene.__name__, "least": least, "takes": [*self.takes], "told": [*self.told]}


def wait(seconds: float = HELD) -> float:
    """Let the window live so long; how long it was."""
    began = time.monotonic()
    pause(seconds)
    return time.monotonic() - began


def on_the_canvas(bench: Bench) -> Iterator[float]:
    for _ in range(3):
        with bench.held():
            yield wait()
        bench.rest()


def on_the_button(bench: Bench) -> Iterator[float]:
    bench.button.setFocus()
    yield from on_the_canvas(bench)


def pressed_again(bench: Bench) -> Iterator[float]:
    with bench.held():
        yield wait()
    pause(0.3)
    with bench.held():
        yield wait()


def with_a_modifier(bench: Bench) -> Iterator[float]:
    """Shift goes down while the space bar is held, and is still down when that goes up."""
    bench.press()
    before = wait()
    xdotool("keydown", "Shift_L")
    after = wait()
    bench.release()
    bench.rest()
    xdotool("keyup", "Shift_L")
    yield before + after


def with_another_key(bench: Bench) -> Iterator[float]:
    """It ends the repetition, and not the take."""
    with bench.held():
        before = wait()
        xdotool("key", "F9")
        yield before + wait()


def with_the_pointer(bench: Bench) -> Iterator[float]:
    """Whichever of the two goes up first, the other still holds."""
    at = bench.button.mapToGlobal(bench.button.rect().center())
    xdotool("mousemove", str(at.x()), str(at.y()))
    with bench.held("mouse", "1"):
        before = wait(0.3)
        with bench.held():
            between = wait()
        yield before + between + wait(0.3)
    bench.rest()
    bench.press()
    before = wait(0.3)
    with bench.held("mouse", "1"):
        between = wait(0.3)
        bench.release()
        yield before + between + wait(0.3)


def into_another_window(bench: Bench) -> Iterator[float]:
    """The take ends with the window's turn; a key that is still down when it comes back begins no other."""
    other = QWidget()
    with bench.held():
        yield wait()
        other.show()
        other.activateWindow()
        until(other.isActiveWindow, "another active window")
        until(lambda: bench.takes, "the end of the take")
        other.close()
        bench.activate()
        bench.desk.canvas.setFocus()
        pause(0.5)


SCENES = (
    on_the_canvas,
    on_the_button,
    pressed_again,
    with_a_modifier,
    with_another_key,
    with_the_pointer,
    into_another_window,
)


def main() -> None:
    make_application(sys.argv[:1])
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        print(json.dumps([bench.play(scene) for scene in SCENES]))
        bench.desk.close()


if __name__ == "__main__":
    main()
