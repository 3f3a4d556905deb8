"""What a long day leaves in memory: ``python -m tests.benchmarks.long_day [--minutes 60 --hands-free 30]``.

Uses the real window on a virtual sound card (PulseAudio; ``--simulated``: one inside of the process): for
``--minutes`` rounds of everything a user does on all pages (``--train``: a training in every tenth), then for
``--hands-free`` minutes words that are said without a button. The memory of the window's process is measured after each
round, when nothing is asked or played. Prints JSON: what was done and what went wrong; megabytes at the start, after
the warm-up and at the end; the drift, which is the median of the last quarter of the rounds after the warm-up over that
of the first; and how many of the words were heard. ``--log FILE`` gets a line of JSON for each round as it ends.

With ``QT_QPA_PLATFORM=xcb xvfb-run -a`` it is a window on a screen.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "app")]
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen:configfile=" + os.path.relpath(ROOT / "tests/app/screen.json"))

import psutil  # noqa: E402
import soundfile  # noqa: E402
from desk import SEVEN, AudibleSound, Desk, files, pause, until, word  # noqa: E402
from PIL import Image  # noqa: E402
from PySide6.QtCore import QObject  # noqa: E402
from small_corpora import make as make_corpora  # noqa: E402
from sound_card import SoundCard  # noqa: E402

from model.recipes.recipe import FAST  # noqa: E402
from model.training.config import TrainingConfig  # noqa: E402
from model.types import Modality  # noqa: E402
from modinv_app.app import make_application  # noqa: E402
from modinv_app.audio.portaudio import PortAudio  # noqa: E402
from modinv_app.audio.simulated import RATE  # noqa: E402

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_VOICES = ("kokoro_af_sarah", "kokoro_am_adam")
_WARM_UP = 3  # rounds: each thing was done, and the first imports are over
_REST = 2.5  # seconds, in which the window collects garbage
_TRAIN_EVERY, _MODEL_EVERY = 10, 5  # rounds


class HeardSound(AudibleSound):
    """A simulated sound card that keeps nothing of what it plays."""

    def open_output(self, device: Any, rate: Any, fill: Any, on_lost: Any) -> Any:
        return super(AudibleSound, self).open_output(device, rate, fill, on_lost)


class Day:
    """A user who does one thing after the other.

    Parameters
    ----------
    desk
        The window.
    say
        Says a digit into the microphone, and returns when it is said.
    folder
        Where the user's files are.
    chance
        Decides what is drawn, said and chosen.
    trains
        Whether the user trains models, too.
    """

    def __init__(
        self, desk: Desk, say: Callable[[str], None], folder: Path, chance: random.Random, trains: bool
    ) -> None:
        self.desk, self.window, self._say, self._chance, self._trains = desk, desk.window, say, chance, trains
        self.done: Counter[str] = Counter()
        self.troubles: Counter[str] = Counter()
        self.messages: Counter[str] = Counter()
        self.rounds: list[dict[str, float]] = []
        self._picture, self._sound = folder / "seven.png", folder / "three.wav"
        self._process = psutil.Process()
        self._began = time.monotonic()
        Image.fromarray((255 * (np.hypot(*np.mgrid[-1:1:80j, -1:1:80j]) > 0.6)).astype(np.uint8)).save(self._picture)
        soundfile.write(self._sound, word("three"), RATE)

    def round(self) -> dict[str, float]:
        """Do everything once; the memory afterwards."""
        number = len(self.rounds)
        deeds = [self.draw, self.speak, self.walk, self.picture, self.sound_file, self.maps, self.select, self.noise]
        self._chance.shuffle(deeds)
        deeds += [self.pages, self.appearance, self.devices]
        if number % _MODEL_EVERY == 1:
            deeds.append(self.another_model)
        if self._trains and number % _TRAIN_EVERY == 1:
            deeds.append(self.train)
        for deed in deeds:
            try:
                deed()
                self.done[deed.__name__] += 1
            except AssertionError as error:
                self.troubles[f"{deed.__name__}: {error}"] += 1
            if words := self.window.messages.text():
                self.messages[words] += 1
        return self.rest()

    def rest(self) -> dict[str, float]:
        """Leave everything, and measure."""
        self.window.pages.turn_to("explore")
        self.desk.tidy()
        pause(_REST)
        memory = self._process.memory_full_info()
        measured = {
            "minute": round((time.monotonic() - self._began) / 60, 2),
            "rss_mb": round(memory.rss / 1e6, 1),
            "pss_mb": round(getattr(memory, "pss", 0) / 1e6, 1),
            "uss_mb": round(memory.uss / 1e6, 1),
            "threads": self._process.num_threads(),
            "files": self._process.num_fds() if hasattr(self._process, "num_fds") else 0,
            "qt_objects": len(self.window.findChildren(QObject)),
            "python_objects": len(gc.get_objects()),
        }
        self.rounds.append(measured)
        return measured

    # What a user does

    def draw(self) -> None:
        for _ in range(3):
            dx, dy = (self._chance.uniform(-0.1, 0.1) for _ in range(2))
            self.window.commands["clear"].trigger()
            self.desk.draw([[(x + dx, y + dy) for x, y in stroke] for stroke in SEVEN])
            self.desk.await_found(Modality.SPEECH)
            until(lambda: not self.desk.root.player.playing, "the end of the match")
        for name in ("undo", "redo", "next", "next", "previous", "play"):
            self.window.commands[name].trigger()
            pause(0.1)
        imagined = self.window.explore.imagined
        imagined.voice = True
        self.desk.draw([[(0.3, 0.2), (0.6, 0.8)]])
        pause(1)
        imagined.voice = False

    def speak(self) -> None:
        for _ in range(2):
            self.window.explore.speak.press()
            self._say(self._chance.choice(DIGITS))
            before = self.desk.answered
            self.window.explore.speak.release()
            until(lambda: self.desk.answered > before, "an answer")  # noqa: B023 (called before the next word)
            self.desk.await_found(Modality.IMAGE)

    def walk(self) -> None:
        self.window.explore.toggle_why()
        for _ in range(5):
            assert self.desk.state.gallery is not None
            self.window.explore.queries.ask_item(self._chance.randrange(len(self.desk.state.gallery.items)), play=True)
            pause(0.7)
        self.window.explore.toggle_why()
        for name in ("back", "back", "forward", "stop_playing"):
            self.window.commands[name].trigger()
            pause(0.2)

    def picture(self) -> None:
        self.desk.drop(files(self._picture), self.window.explore.draw)
        self.desk.await_found(Modality.SPEECH)

    def sound_file(self) -> None:
        self.desk.drop(files(self._sound), self.window.explore.speak)
        self.desk.await_found(Modality.IMAGE)

    def maps(self) -> None:
        for name in ("pca", "tsne", "reset_view"):
            self.window.commands[name].trigger()
            pause(0.8)

    def select(self) -> None:
        self.window.commands["select_shown"].trigger()
        pause(0.5)
        self.window.explore.selecting.deselect()

    def noise(self) -> None:
        self.desk.drop(files(self._sound), self.window.explore.speak)
        for condition in ("babble-10", "white-0", ""):
            self.window.explore.queries.set_condition(condition)
            self.desk.await_found(Modality.IMAGE)

    def pages(self) -> None:
        for name in self.window.pages.names:
            self.window.pages.turn_to(name)
            pause(2)
        self.window.pages.turn_to("explore")

    def appearance(self) -> None:
        for name in ("dark", "light", "full_screen", "full_screen"):
            self.window.commands[name].trigger()
            pause(0.3)

    def devices(self) -> None:
        self.desk.root.sound.refresh()
        pause(0.5)
        until(lambda: self.desk.root.recorder.running, "the microphone after a refresh")

    def another_model(self) -> None:
        loaded: list[object] = []
        self.desk.root.model.ready.connect(loaded.append)
        self.window.use_model(str(self.desk.root.model.file))
        until(lambda: loaded, "the model", 120)
        self.desk.root.model.ready.disconnect(loaded.append)

    def train(self) -> None:
        plan = TrainingConfig(replace(FAST, steps=10, batch_size=4, samples_per_input=1), ("mnist", "fsdd"))
        service = self.window.pages.turn_to("train").service
        service.start(plan)
        until(lambda: service.record is not None and not service.busy, "the training", 600)

    def hands_free(self, minutes: float) -> dict[str, Any]:
        """Say words without a button; how many were heard, and as what."""
        before = self.rest()
        heard: list[int | None] = []
        said = right = missed = 0

        def note(reply: Any) -> None:
            if reply is not None and reply.answer.modality is Modality.SPEECH:
                heard.append(reply.answer.guess)

        self.desk.state.reply_changed.connect(note)
        self.window.explore.speak.hands_free = True
        pause(2)
        end = time.monotonic() + 60 * minutes
        while time.monotonic() < end:
            digit = self._chance.randrange(10)
            heard.clear()
            self._say(DIGITS[digit])
            try:
                until(lambda: heard, "an answer", 5)
            except AssertionError:
                missed += 1
            said += 1
            right += digit in heard
            pause(self._chance.uniform(0.3, 2))
            if words := self.window.messages.text():
                self.messages[words] += 1
        still_on = self.window.explore.speak.hands_free
        self.desk.state.reply_changed.disconnect(note)
        return {
            "minutes": minutes, "said": said, "answered": said - missed, "right": right, "still_on": still_on,
            "before": before, "after": self.rest(),
        }  # fmt: skip


def summary(rounds: list[dict[str, float]]) -> dict[str, Any]:
    """Start, end and drift of the memory after the warm-up; rounds is the log of a day."""
    steady = rounds[_WARM_UP:] or rounds
    quarter = max(1, len(steady) // 4)

    def median(name: str, part: list[dict[str, float]]) -> float:
        return statistics.median(one[name] for one in part)

    drift = {
        name: round(median(name, steady[-quarter:]) / median(name, steady[:quarter]) - 1, 4)
        for name in ("rss_mb", "uss_mb", "threads", "files", "qt_objects", "python_objects")
    }
    highest = max(one["rss_mb"] for one in rounds)
    return {"start": rounds[0], "warm": steady[0], "end": rounds[-1], "highest_rss_mb": highest, "drift": drift}


def main() -> None:
    parser = argparse.ArgumentParser(description="What a long day leaves in memory.")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--hands-free", type=float, default=30, help="minutes")
    parser.add_argument("--train", action="store_true", help="train a model, too")
    parser.add_argument("--simulated", action="store_true", help="a sound card inside of the process")
    parser.add_argument("--log", type=Path, help="a line of JSON for each round")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="long-day-")))
        for name in ("RUNS", "SWEEPS", "TAKES"):
            os.environ[f"MODINV_{name}"] = str(folder / name.lower())
        os.environ["MODINV_DATA"] = str(make_corpora(folder / "data"))
        words = {digit: [word(digit, voice) for voice in _VOICES] for digit in DIGITS}
        chance = random.Random(0)
        make_application([sys.argv[0]])
        if options.simulated:
            sound = HeardSound()
            desk = Desk(folder / "day.ini", lambda: sound)
            speak = sound.say
        else:
            card = stack.enter_context(SoundCard().on())
            desk = Desk(folder / "day.ini", PortAudio)

            def speak(samples: np.ndarray) -> None:
                said = card.speak(samples, RATE)
                until(lambda: said.poll() is not None, "the end of the word")

        def say(digit: str) -> None:
            samples = chance.choice(words[digit])
            speak(samples)
            pause(len(samples) / RATE + 0.2 if options.simulated else 0.3)

        desk.open().ready()
        day = Day(desk, say, folder, chance, options.train)
        day.rest()
        log = options.log.open("w", encoding="utf-8") if options.log else None
        end = time.monotonic() + 60 * options.minutes
        while time.monotonic() < end:
            measured = day.round()
            if log:
                print(json.dumps(measured), file=log, flush=True)
        report = {"memory": summary(day.rounds), "done": day.done}
        if options.hands_free:
            report["hands_free"] = day.hands_free(options.hands_free)
        report |= {"troubles": day.troubles, "messages": day.messages}
        desk.close()
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
