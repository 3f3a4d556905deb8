"""How evenly the window's thread beats while a model trains: ``python -m tests.benchmarks.training_heartbeat``.

Opens the real window and the page that trains, and prints JSON: percentiles, in milliseconds, of the gaps of a 60 Hz
timer in the window's thread, for ``--seconds`` (60) each, while nothing trains, while the fast recipe trains in a
thread of the same process, and while it trains in a process of its own, as it does in the application, with curves and
map following live. Learns from MNIST and, where it is installed, FSDD.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "app")]
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen:configfile=" + os.path.relpath(ROOT / "tests/app/screen.json"))

from desk import Desk, pause, until  # noqa: E402
from PySide6.QtCore import QSettings  # noqa: E402
from workbench import Workbench  # noqa: E402

from model.recipes.recipe import FAST  # noqa: E402
from model.training.config import TrainingConfig  # noqa: E402
from modinv_app.app import make_application  # noqa: E402
from modinv_app.common.settings import Settings  # noqa: E402
from modinv_app.train.page import TrainPage  # noqa: E402
from tests.benchmarks.heartbeat import beats, spread  # noqa: E402


def speech_corpus() -> str:
    from model.data.corpora.fsdd import Fsdd

    return "fsdd" if Fsdd().location() else "voices"


class TrainingThread:
    """Training where it should not be."""

    def __init__(self, speech: str, folder: Path) -> None:
        self._speech, self._folder = speech, folder
        self.steps = 0
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._train, daemon=True)

    def start(self) -> None:
        self._thread.start()
        until(lambda: self.steps >= 2, "the first steps", 120)

    def stop(self) -> None:
        self._enough.set()
        until(lambda: not self._thread.is_alive(), "the end", 60)

    def _train(self) -> None:
        import torch

        from model.data.corpora import registry
        from model.data.corpora.mnist import Mnist
        from model.data.pairs import PairSampler
        from model.training.loop import Run, Stepped, train

        torch.set_num_threads(os.cpu_count() or 1)  # the window has set one, for its queries
        device = torch.device("cpu")
        samples = [corpus.load("train") for corpus in (Mnist(), registry()[self._speech]())]
        sampler = PairSampler(samples[0], samples[1:], FAST.batch_size, 0, device)
        run = Run(self._folder, FAST, 0, {"images": ["mnist"], "speech": [self._speech]}, device)
        for event in train(run, sampler, self._enough.is_set):
            self.steps += isinstance(event, Stepped)


def in_process(page: TrainPage, speech: str, seconds: float) -> tuple[list[float], int]:
    """Beats while the page trains as it does for its user, and the steps done meanwhile."""
    page.service.start(TrainingConfig(FAST, ("mnist", speech), device="cpu"))
    until(lambda: page.service.record is not None and page.service.record.points(), "the first point", 120)
    record = page.service.record
    assert record is not None
    before = record.info().step
    gaps = beats(lambda: pause(seconds))
    steps = record.info().step - before
    page.trainer.stop()
    until(lambda: not page.busy, "the end", 60)
    return gaps, steps


def main() -> None:
    parser = argparse.ArgumentParser(description="How evenly the window's thread beats while a model trains.")
    parser.add_argument("--seconds", type=float, default=60)
    seconds = parser.parse_args().seconds
    make_application([sys.argv[0]])
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Path(folder) / "heartbeat.ini").open().ready()
        settings = Settings(QSettings(str(Path(folder) / "settings.ini"), QSettings.Format.IniFormat))
        bench = Workbench(Path(folder) / "runs")
        page = bench.train_page(settings)
        page.resize(1280, 800)
        speech = speech_corpus()
        page.show()
        pause(3)
        idle = beats(lambda: pause(seconds))
        thread = TrainingThread(speech, Path(folder) / "thread")
        thread.start()
        before = thread.steps
        threaded = beats(lambda: pause(seconds))
        threaded_steps = thread.steps - before
        thread.stop()
        process, process_steps = in_process(page, speech, seconds)
        page.release()
        bench.close()
        page.close()
        desk.close()
    report = {
        "gaps_while_idle": spread(idle, 50, 95, 99),
        "gaps_while_training_in_a_thread": spread(threaded, 50, 95, 99),
        "gaps_while_training_in_a_process": spread(process, 50, 95, 99),
        "steps_in_a_thread": threaded_steps,
        "steps_in_a_process": process_steps,
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
