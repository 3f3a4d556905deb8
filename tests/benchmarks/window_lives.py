"""Whether the real window lives and dies as it should: ``xvfb-run -a python -m tests.benchmarks.window_lives``.

Starts ``modinv-app`` again and again, each time in a process with settings, runs and caches of its own, closes its
window at a moment (``--moments``, in turn), and judges how the process ended. A life is good if the exit status is 0,
neither standard error nor the log holds a warning, and the next window would not tell of a crash. Prints JSON: lives
and good lives by moment, the seconds that they took from the close to the end, and what was wrong with the bad ones.
The exit status tells whether all were good.

The moments: ``answered`` (the model has answered, 2 s ago), ``start`` (in the first seconds, the model still loads),
``loading`` (another model is on its way), ``training``, ``evaluating``, ``recording`` and ``playing``.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "app")]

MOMENTS = ("answered", "start", "loading", "training", "evaluating", "recording", "playing")

_LONGEST = 600  # seconds of a life
_LIFE = "from tests.benchmarks.window_lives import live; live({moment!r}, {seed})"


def live(moment: str, seed: int) -> None:
    """In a process of its own: the application as its user starts it, with somebody who closes it at that moment."""
    import modinv_app.app as composition
    from modinv_app.__main__ import main

    class Watched(composition.Application):
        """The application, and who closes it."""

        def __init__(self, store: Any) -> None:
            if moment in ("recording", "playing"):
                from modinv_app.audio.simulated import SimulatedSound

                super().__init__(store, SimulatedSound)
            else:
                super().__init__(store)

        def start(self) -> None:
            """As ever, and then until the moment."""
            super().start()
            Closer(self, moment, random.Random(seed)).begin()

    composition.Application = Watched  # type: ignore[misc]
    sys.argv = ["modinv-app"]
    sys.exit(main())


class Closer:
    """Brings the window to a moment, and closes it there."""

    def __init__(self, root: Any, moment: str, chance: random.Random) -> None:
        self.root, self.window, self.chance = root, root.window, chance
        self.to_the_moment: Callable[[], None] = getattr(self, f"_{moment}")

    def begin(self) -> None:
        self.to_the_moment()

    def close_after(self, least: float, most: float) -> None:
        """Close the window some seconds from now."""
        from PySide6.QtCore import QTimer

        QTimer.singleShot(round(1000 * self.chance.uniform(least, most)), self._close)

    def _close(self) -> None:
        print("closed", time.time(), flush=True)
        self.window.close()

    def when(self, condition: Callable[[], object], then: Callable[[], None]) -> None:
        """Wait for a condition."""
        from PySide6.QtCore import QTimer

        timer = QTimer(self.window, interval=20)

        def look() -> None:
            if condition():
                timer.stop()
                then()

        timer.timeout.connect(look)
        timer.start()

    def ready(self, then: Callable[[], None]) -> None:
        self.when(lambda: self.root.state.model is not None, then)

    def _draw(self) -> None:
        strokes = json.loads((ROOT / "assets" / "self_check" / "seven.json").read_text("utf-8"))
        self.window.explore.draw.replay(strokes)

    def _answered(self) -> None:
        self._draw()
        self.when(lambda: self.root.state.reply is not None, lambda: self.close_after(2, 2))

    def _start(self) -> None:
        self.close_after(0, 5)

    def _loading(self) -> None:
        from model import locations

        def load() -> None:
            self.window.use_model(str(locations.shipped_model()))
            self.close_after(0, 1.5)

        self.ready(load)

    def _training(self) -> None:
        from dataclasses import replace

        from PySide6.QtWidgets import QMessageBox

        from model.recipes.recipe import FAST
        from model.training.config import TrainingConfig

        plan = TrainingConfig(replace(FAST, steps=2000, batch_size=4, samples_per_input=1), ("mnist", "fsdd"))

        def begun() -> bool:
            record = self.window.pages.built["train"].service.record
            return record is not None and bool(record.points())

        def keep() -> None:
            box = self.window.findChild(QMessageBox)
            next(button for button in box.buttons() if button.text() == "Stop and keep").click()

        def leave() -> None:
            self.close_after(0, 1)
            self.when(lambda: self.window.findChild(QMessageBox), keep)

        def train() -> None:
            self.window.pages.turn_to("train").service.start(plan)
            self.when(begun, leave)

        self.ready(train)

    def _evaluating(self) -> None:
        def evaluate() -> None:
            page = self.window.pages.turn_to("evaluate")
            told: list[float] = []
            page.service.progressed.connect(lambda share, _text: told.append(share) if share else None)
            self.when(
                page.bar.button.isEnabled,
                lambda: (page.bar.button.click(), self.when(lambda: told, lambda: self.close_after(0, 2))),
            )

        self.ready(evaluate)

    def _recording(self) -> None:
        def record() -> None:
            self.window.explore.speak.press()
            self.close_after(0.05, 1)

        self.ready(lambda: self.when(lambda: self.root.recorder.running, record))

    def _playing(self) -> None:
        self._draw()
        self.when(lambda: self.root.player.playing, lambda: self.close_after(0, 0.5))


def one_life(moment: str, seed: int, data: Path) -> dict[str, Any]:
    """How a life ended: ``problem`` is empty if it was good."""
    with tempfile.TemporaryDirectory(prefix="life-") as name:
        home = Path(name)
        own = {variable: str(home / variable.lower()) for variable in ("MODINV_RUNS", "MODINV_SWEEPS")}
        own |= {f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("CONFIG", "CACHE", "STATE", "DATA")}
        environment = {**os.environ, "HOME": name, "MODINV_DATA": str(data), **own}
        command = [sys.executable, "-c", _LIFE.format(moment=moment, seed=seed)]
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        try:
            said, complaints = process.communicate(timeout=_LONGEST)
            ended = time.time()
        except subprocess.TimeoutExpired:
            process.kill()
            said, complaints = process.communicate()
            what = "did not end" if "closed " in said else "did not come to its moment"
            return {"problem": f"{what} within {_LONGEST} s", "trace": complaints[-6000:]}
        logs = [path for path in home.rglob("modinv.log*") if path.suffix not in (".lock", ".open")]
        lines = [line for path in logs for line in path.read_text("utf-8", "replace").splitlines(keepends=True)]
        log = "".join(line for line in lines if " INFO modinv: " not in line)
        crashed = any(home.rglob("modinv*.log.open"))
    trace = (complaints + log)[-6000:]
    closed = [float(line.split()[1]) for line in said.splitlines() if line.startswith("closed ")]
    if process.returncode != 0:
        return {"problem": f"exit status {process.returncode}", "trace": trace}
    if trace.strip():
        return {"problem": "said something", "trace": trace}
    if crashed:
        return {"problem": "counts as crashed", "trace": trace}
    if not closed:
        return {"problem": "was never closed", "trace": trace}
    return {"problem": "", "seconds": ended - closed[-1]}


def main() -> int:
    import small_corpora  # imports torch, which no life waits for

    parser = argparse.ArgumentParser(description="Whether the real window lives and dies as it should.")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--moments", default="answered", help=f"of {', '.join(MOMENTS)}; comma separated, or “all”")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    moments = MOMENTS[1:] if options.moments == "all" else options.moments.split(",")
    if "DISPLAY" not in os.environ:
        parser.error("There is no screen: start it by xvfb-run -a.")
    os.environ["QT_QPA_PLATFORM"] = "xcb"
    lives: dict[str, list[dict[str, Any]]] = {moment: [] for moment in moments}
    with tempfile.TemporaryDirectory(prefix="lives-") as folder:
        data = small_corpora.make(Path(folder) / "data")
        for number in range(options.count):
            moment = moments[number % len(moments)]
            life = one_life(moment, options.seed + number, data)
            lives[moment].append(life)
            print(number, moment, life["problem"] or "good", life.get("trace", ""), file=sys.stderr, flush=True)
    report = {}
    for moment, all_of_it in lives.items():
        seconds = [life["seconds"] for life in all_of_it if not life["problem"]]
        report[moment] = {
            "lives": len(all_of_it),
            "good": len(seconds),
            "seconds_to_end": {"median": round(statistics.median(seconds), 2), "max": round(max(seconds), 2)}
            if seconds
            else {},
            "problems": sorted(life["problem"] for life in all_of_it if life["problem"]),
        }
    print(json.dumps(report, indent=2))
    return 0 if all(part["lives"] == part["good"] for part in report.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
