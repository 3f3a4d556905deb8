"""Inputs on which the confidence and the rejection of a model are fitted: digits, and what is no digit.

Digits are validation data, and digits drawn and set as letters and signs are: a rejection should not learn the pen.
Not digits are letters and signs, scribbles, other words, digits backwards, and synthetic sounds. What strangers say is
there in noise, too: a rejection should not learn the room. None of it is test data.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import matplotlib
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont
from scipy.interpolate import splev, splprep

from model.data.conditions import CONDITIONS
from model.data.corpora.fsdd import Fsdd
from model.data.corpora.mnist import Mnist
from model.data.corpora.voices import Voices
from model.data.corpora.wild import Wild
from model.data.images import UnusablePicture
from model.data.samples import Samples
from model.data.segmentation import normalise_digit
from model.data.speech import SpeechFrontEnd, UnusableAudio
from model.training.ancestry import Data, trained_on_split
from model.types import FloatArray

NO_DIGIT = -1

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

FONTS = (
    "DejaVuSans",
    "DejaVuSans-Oblique",
    "DejaVuSerif",
    "DejaVuSansMono",
    "STIXGeneral",
    "STIXGeneralItalic",
    "cmss10",
)
"""Of those that come with Matplotlib."""

LETTERS = "".join(sorted(set(string.ascii_letters) - set("OoIlZzSsBbqgGiDQ"))) + "&?#%+=*@$<>{}~!"
"""Without those that a person could take for a digit."""

SIGNS = {  # strokes of points, each two figures: right and down in a square of 10
    "A": "095099 2575",
    "C": "826030120518396988",
    "E": "80000989 0565",
    "F": "800009 0565",
    "H": "1019 8089 1585",
    "J": "7077593917",
    "K": "1019 801589",
    "L": "101979",
    "M": "0900559099",
    "N": "09009990",
    "P": "090060826505",
    "R": "090060826505 4589",
    "T": "0090 5059",
    "U": "101639698680",
    "V": "005990",
    "W": "0029537990",
    "X": "0099 9009",
    "Y": "0055 9055 5559",
    "e": "158582512215285988",
    "f": "81605159 2484",
    "h": "1019 1543748689",
    "m": "0309 04234449 44638489",
    "n": "1319 1543748689",
    "r": "2329 254373",
    "t": "40475979 1373",
    "Δ": "50099950",
    "Σ": "8000450989",
    "λ": "1099 5519",
    "ψ": "5059 0014568490",
    "arrow": "0595 629568",
    "check": "053890",
    "equals": "0393 0696",
    "face": "508195885928051150 3334 6364 26476776",
    "fish": "9237153398",
    "hash": "3039 6069 0393 0696",
    "heart": "590411305370919459",
    "house": "191450949919 49466669",
    "hut": "191450949919",
    "infinity": "553315375573957755",
    "lightning": "70257539",
    "moon": "6032253869474260",
    "plus": "5059 0595",
    "question": "223060725456 5859",
    "square": "1181881811",
    "star": "508903932950",
    "tree": "5955 50159550",
    "zigzag": "0522476287",
}
NUMERALS = {  # digits in the same way, several of each
    0: ("503014163859788674624130", "604020132648698895836030", "60302215182749597886836030"),
    1: ("5059", "32505059", "6049", "41505059 3979"),
    2: ("132240607384756448192989", "122060836447198999", "10608063351979", "20508064351989"),
    3: ("1080445575876958", "122060836444658789591918"),
    4: ("601595 6069", "200585 6059", "1006 0686 7059", "302585 6069"),
    5: ("802024557587694918", "702024446476685928", "2024446478695928 2070"),
    6: ("7050321617284969776555352717", "604023152759787654341627", "603015183969877555351647"),
    7: ("108049", "0090 9039", "108049 3575", "1030709049"),
    8: ("725030243244556677785938271645647372", "7040313355668859491726446670"),
    9: ("7360402123345564737379", "846030223445646384 8469", "724022243464738272 7259"),
}

NOISE = ("white-10", "pink-10", "babble-10", "room-0.5", "clipped-12", "quiet")
"""Conditions that a laptop's microphone may be in."""

Example = tuple[str, str, int, FloatArray]
"""Kind, group (a speaker, a sign: what is in one fold only), digit or :data:`NO_DIGIT`, and features."""


def pictures(data: Path | None, seed: int = 0) -> Iterator[Example]:
    """Digits and what is none, ``(28, 28)`` each."""
    rng = np.random.default_rng(seed)
    mnist = Mnist(data).load("validation")
    for place, (picture, digit) in enumerate(zip(mnist.features, mnist.labels.tolist(), strict=True)):
        yield "MNIST", str(place), digit, picture
    for digit, shapes in NUMERALS.items():
        for shape in shapes:
            yield from (("drawn digits", shape, digit, normalise_digit(drawn(shape, rng))) for _ in range(24))
    for digit in range(10):
        for font in FONTS:
            yield from (("set digits", font, digit, normalise_digit(typeset(str(digit), font, rng))) for _ in range(6))
    for name, shape in SIGNS.items():
        yield from (("drawn signs", name, NO_DIGIT, normalise_digit(drawn(shape, rng))) for _ in range(16))
    for letter in LETTERS:
        for font in FONTS:
            yield from (
                ("set letters", letter, NO_DIGIT, normalise_digit(typeset(letter, font, rng))) for _ in range(2)
            )
    for number in range(600):
        try:
            yield "scribbles", str(number), NO_DIGIT, normalise_digit(scribble(rng))
        except UnusablePicture:
            continue


def drawn(strokes: str, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """A picture of a sign, ``(280, 280)``, drawn by a hand of its own."""
    turn, shear, stretch = rng.uniform(-0.2, 0.2), rng.uniform(-0.2, 0.2), rng.uniform(0.75, 1.3)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    hand = rotation @ np.array([[stretch, shear], [0, 1]])
    width = rng.uniform(12, 22)
    sheet = Image.new("L", (280, 280))
    pen = ImageDraw.Draw(sheet)
    for stroke in strokes.split():
        points = np.array([int(figure) for figure in stroke], float).reshape(-1, 2) - 4.5
        points = 140 + 18 * ((points + rng.normal(0, 0.2, points.shape)) @ hand.T)
        pen.line(points.ravel().tolist(), 255, round(width), joint="curve")
        for x, y in points:
            pen.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), 255)
    return np.asarray(sheet)


def typeset(letter: str, font: str, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """A picture of a letter, ``(280, 280)``, turned and sheared."""
    sheet = Image.new("L", (280, 280))
    file = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{font}.ttf"
    ImageDraw.Draw(sheet).text(
        (140, 140), letter, 255, ImageFont.truetype(file, 170), "mm", stroke_width=int(rng.integers(0, 6))
    )
    shear = rng.uniform(-0.25, 0.25)
    sheet = sheet.rotate(rng.uniform(-12, 12))
    hand = (1, shear, -140 * shear, 0, 1, 0)
    return np.asarray(sheet.transform(sheet.size, Image.Transform.AFFINE, hand, Image.Resampling.BILINEAR))


def scribble(rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """One to three lines through random points, ``(280, 280)``, most of them smooth."""
    sheet = Image.new("L", (280, 280))
    points, width = int(rng.integers(5, 16)), round(rng.uniform(10, 24))
    for _ in range(int(rng.integers(1, 4))):
        line = rng.uniform(30, 250, (points, 2))
        if rng.random() < 0.7:
            spline, _places = splprep(line.T, s=0)
            line = np.array(splev(np.linspace(0, 1, 200), spline)).T
        ImageDraw.Draw(sheet).line(line.ravel().tolist(), 255, width, "curve")
    return np.asarray(sheet)


def recordings(data: Path, front_end: SpeechFrontEnd, learnt: Data, seed: int = 0) -> Iterator[Example]:
    """Digits and what is none, ``(100, 80)`` each; ``learnt`` is :attr:`model.checkpoints.Header.data`."""
    corpora = [
        ("FSDD", Fsdd(data).load("validation")),
        ("synthetic voices", Voices(data).load("validation")),
        ("strangers", Wild(data).load("validation")),
    ]
    if trained_on_split(learnt, "wild", "train") is False:  # 81 digits are few
        corpora.append(("strangers", Wild(data).load("train")))
    for kind, samples in corpora:
        features, labels = samples.features, samples.labels.tolist()
        for number, (speaker, digit, heard) in enumerate(zip(samples.speakers, labels, features, strict=True)):
            # FSDD and the voices have too few speakers for folds.
            group = speaker if kind == "strangers" else f"{speaker} {number}"
            yield kind, group, digit, heard
            if digit != 9:  # “nine” backwards is “nine”
                yield "backwards", group, NO_DIGIT, backwards(heard)
        if kind == "strangers":
            yield from in_noise(kind, samples, labels, data, front_end)
    for split in ("train", "validation"):
        words = Wild(data).other_words(split)
        none = [NO_DIGIT] * len(words)
        yield from zip(["other words"] * len(words), words.speakers, none, words.features, strict=True)
        yield from in_noise("other words", words, none, data, front_end)
    rng = np.random.default_rng(seed)
    for number in range(400):
        try:
            kind, wave = sound(rng, front_end.settings.sample_rate)
            features = front_end.filterbank(front_end.trim(wave, front_end.settings.sample_rate))
        except UnusableAudio:
            continue  # nothing that the detector takes for speech: it has been rejected
        yield "sounds", f"{kind} {number}", NO_DIGIT, features


def in_noise(
    kind: str, words: Samples, labels: Sequence[int], data: Path, front_end: SpeechFrontEnd
) -> Iterator[Example]:
    """What strangers said, in each of :data:`NOISE`, if the detector finds it there."""
    recordings = list(Wild(data).clips(words.keys))
    for number, (speaker, label, (wave, rate)) in enumerate(zip(words.speakers, labels, recordings, strict=True)):
        others = [other for other, its_rate in recordings if its_rate == rate and other is not wave]
        for name in NOISE:
            distorted = CONDITIONS[name].apply(wave, rate, others[:: max(1, len(others) // 12)], number)
            with suppress(UnusableAudio):
                yield f"{kind} in noise", speaker, label, front_end.filterbank(front_end.trim(distorted, rate))


def backwards(features: FloatArray) -> FloatArray:
    """A filterbank with its frames in reverse order; what is padded with zeros stays at the end."""
    frames = 1 + int(np.flatnonzero(features.any(axis=1))[-1])
    return np.concatenate([features[:frames][::-1], features[frames:]])


def sound(rng: np.random.Generator, rate: int) -> tuple[str, FloatArray]:
    """A synthetic sound that no person makes, with its name: ``(n,)`` in [-1, 1]."""
    seconds = np.arange(int(rate * rng.uniform(0.4, 1.2))) / rate
    name, make = list(_SOUNDS.items())[rng.integers(len(_SOUNDS))]
    wave = make(seconds, rng)
    ramp = np.minimum(1, np.minimum(np.arange(len(wave)), np.arange(len(wave))[::-1]) / (0.02 * rate))
    wave = np.pad(0.4 * ramp * wave / np.abs(wave).max(), rate // 4)
    return name, (wave + rng.normal(0, 1e-3, len(wave))).astype(np.float32)


Wave = npt.NDArray[np.float64]


def _chirp(seconds: Wave, rng: np.random.Generator) -> Wave:
    start, end = rng.uniform(100, 3000, 2)
    wave: Wave = np.sin(2 * np.pi * (start * seconds + (end - start) * seconds**2 / (2 * seconds[-1])))
    return wave


def _music(seconds: Wave, rng: np.random.Generator) -> Wave:
    """Three chords."""
    place = np.minimum(2, (3 * seconds / seconds[-1]).astype(int))
    root = rng.choice([220, 247, 262, 294, 330, 392], 3)[place]
    decay = np.exp(-3 * (seconds - place * seconds[-1] / 3))
    tones = [
        np.sin(2 * np.pi * root * third * over * seconds) / over for third in (1, 1.25, 1.5) for over in range(1, 5)
    ]
    wave: Wave = decay * np.sum(tones, axis=0)
    return wave


def _cough(seconds: Wave, rng: np.random.Generator) -> Wave:
    """One or two bursts of coloured noise."""
    taps = np.arange(60)
    colour = np.exp(-taps / 8) * np.cos(rng.uniform(0.2, 1.2) * taps)
    noise = np.convolve(rng.normal(size=len(seconds)), colour, "same")
    starts = 0.3 * np.arange(rng.integers(1, 3))[:, None]
    wave: Wave = noise * np.where(seconds > starts, np.exp((starts - seconds) / rng.uniform(0.04, 0.12)), 0).sum(axis=0)
    return wave


def _hum(seconds: Wave, rng: np.random.Generator) -> Wave:
    """A voice-like tone with its harmonics and a vibrato."""
    pitch = rng.uniform(90, 250) * (1 + 0.05 * np.sin(6 * np.pi * seconds))
    phase = 2 * np.pi * np.cumsum(pitch) * (seconds[1] - seconds[0])
    wave: Wave = np.sum([np.sin(over * phase) / over for over in range(1, 12)], axis=0)
    return wave


_SOUNDS: dict[str, Callable[[Wave, np.random.Generator], Wave]] = {
    "noise": lambda seconds, rng: rng.normal(size=len(seconds)),
    "chirp": _chirp,
    "music": _music,
    "cough": _cough,
    "hum": _hum,
}
