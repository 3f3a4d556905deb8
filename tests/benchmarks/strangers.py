"""Strangers' words, spoken with the space bar: ``xvfb-run -a python -m tests.benchmarks.strangers [--words 100]``.

Digits of people whom no training heard (the corpus folder ``wild``, see MODINV_DATA) are played into the virtual
microphone of the real window, each while xdotool holds the space bar of an X server that repeats its keys
(``--no-repeat``: that does not). Prints JSON: how many words were accepted whole, that is as exactly one take that
holds all of the word and gets an answer, how many were understood, and every word that was not accepted.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import sys
import tempfile
import zipfile
from dataclasses import asdict, dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "app")]

from space_bar import xdotool  # noqa: E402 (before Qt: it asks for an X server)

# isort: split
import numpy as np  # noqa: E402
import soundfile  # noqa: E402
from desk import Desk, pause, until  # noqa: E402
from sound_card import SoundCard  # noqa: E402

from model.data.speech import resample  # noqa: E402
from model.types import Modality  # noqa: E402
from modinv_app.app import make_application  # noqa: E402
from modinv_app.audio.portaudio import PortAudio  # noqa: E402
from modinv_app.explore.state import Reply  # noqa: E402

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_BESIDE = ROOT.parent / "shared" / "data"
_NAME = re.compile(rf"digits/(?P<word>{'|'.join(DIGITS)})_(?P<speaker>\w+)_\d+\.wav$")
_LIKE = 0.9  # correlation of a word with its take; the virtual sound card changes nothing but rate and place
_PATIENCE = 10  # seconds


@dataclass
class Heard:
    """What became of a word."""

    name: str
    takes: list[float] = field(default_factory=list)
    likeness: float = 0.0
    before: float = 0.0
    after: float = 0.0
    guess: int | None = None
    told: list[str] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Exactly one take, with all of the word in it, and an answer."""
        inside = self.before >= 0 and self.after >= 0
        return len(self.takes) == 1 and self.likeness > _LIKE and inside and self.guess is not None

    @property
    def right(self) -> bool:
        """Whether the answer is the word."""
        return self.guess is not None and self.name.startswith(f"digits/{DIGITS[self.guess]}_")


def choose(archive: zipfile.ZipFile, count: int, seed: int) -> list[str]:
    """As many recordings, of as many speakers as there are: one of each speaker, then a second of each, and so on."""
    order = np.random.default_rng(seed).permutation(sorted(filter(_NAME.search, archive.namelist())))
    turn: dict[str, int] = {}
    turns = []
    for name in order:
        speaker = _NAME.search(name)["speaker"]
        turn[speaker] = turn.get(speaker, 0) + 1
        turns.append(turn[speaker])
    return [str(order[place]) for place in np.argsort(turns, kind="stable")[:count]]


def place_of(word: np.ndarray, take: np.ndarray) -> tuple[int, float]:
    """Where in the take the word begins, in samples (negative: before it), and their normalised correlation there."""
    size = 1 << int(np.ceil(np.log2(len(take) + len(word))))
    product = np.fft.irfft(np.fft.rfft(take, size) * np.conj(np.fft.rfft(word, size)), size)
    place = int(np.argmax(product))
    place -= size if place >= len(take) else 0
    part = take[max(0, place) : place + len(word)]
    return place, float(product[place] / (np.linalg.norm(part) * np.linalg.norm(word) + 1e-9))


class Stranger:
    """Someone who holds the space bar and speaks."""

    def __init__(self, desk: Desk, card: SoundCard) -> None:
        self._desk = desk
        self._card = card
        self._heard = Heard("")
        self._take = np.zeros(0, np.float32)
        self._rate = 1
        window = desk.window
        desk.root.recorder.take_finished.connect(self._take_finished)
        desk.state.reply_changed.connect(self._replied)
        window.explore.speak.failed.connect(lambda why: self._heard.told.append(why))
        window.explore.queries.problem.connect(lambda _modality, why: self._heard.told.append(why))

    def say(self, name: str, word: np.ndarray, rate: int) -> Heard:
        """Say ``(n,)`` samples."""
        self._desk.tidy()
        self._heard = heard = Heard(name)
        xdotool("keydown", "space")
        said = self._card.speak(word, rate)
        until(lambda: said.poll() is not None, "the end of the word")
        pause(0.3)
        xdotool("keyup", "space")
        until(lambda: heard.takes, "a take")
        pause(0.3)  # others may follow
        until(lambda: heard.guess is not None or heard.told, "an answer, or words", _PATIENCE)
        word = resample(word, rate, self._rate)
        place, heard.likeness = place_of(word, self._take)
        heard.before = place / self._rate
        heard.after = (len(self._take) - place - len(word)) / self._rate
        return heard

    def _take_finished(self, samples: np.ndarray, rate: int) -> None:
        self._heard.takes.append(len(samples) / rate)
        self._take, self._rate = samples, rate

    def _replied(self, reply: Reply | None) -> None:
        if reply is not None and reply.answer.modality is Modality.SPEECH:
            self._heard.guess = reply.answer.guess


def main() -> None:
    parser = argparse.ArgumentParser(description="Strangers' words, spoken with the space bar.")
    parser.add_argument("--words", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-repeat", action="store_true", help="switch the X server's key repeat off (needs xset)")
    arguments = parser.parse_args()
    if arguments.no_repeat:
        import subprocess

        subprocess.run(["xset", "r", "off"], check=True)
    make_application([sys.argv[0]])
    everything = []
    corpus = Path(os.environ.get("MODINV_DATA", _BESIDE)) / "wild" / "wild.zip"
    with tempfile.TemporaryDirectory() as folder, SoundCard().on() as card, zipfile.ZipFile(corpus) as archive:
        os.environ["MODINV_RUNS"] = str(Path(folder) / "runs")
        desk = Desk(Path(folder) / "strangers.ini", PortAudio).open().ready()
        stranger = Stranger(desk, card)
        for name in choose(archive, arguments.words, arguments.seed):
            word, rate = soundfile.read(io.BytesIO(archive.read(name)), dtype="float32")
            everything.append(stranger.say(name, word, rate))
        desk.close()
    report = {
        "words": len(everything),
        "speakers": len({_NAME.search(heard.name)["speaker"] for heard in everything}),
        "accepted whole": sum(heard.whole for heard in everything),
        "understood": sum(heard.right for heard in everything),
        "least likeness": min(heard.likeness for heard in everything),
        "seconds before the word": [f(heard.before for heard in everything) for f in (min, max)],
        "seconds after the word": [f(heard.after for heard in everything) for f in (min, max)],
        "not accepted": [asdict(heard) for heard in everything if not heard.whole],
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
