"""Choose and evaluate the thresholds of likely and sure guesses (`model.retrieval.certainty`).

One half of the inputs is used to choose, the other half to evaluate; no speaker and no sign is in both.

images
    Digits: the last 5,000 training images of MNIST, split by position. (The shipped model was trained on them, so that
    its error rate on them is slightly too low.) Others: letters and signs, drawn with random distortions, split by
    sign; those that a person could take for a digit are left out.
speech
    Digits and other words of the corpus ``wild`` (``wild/wild.zip`` in the data folder), by speakers who are not in any
    training data, split by speaker.

The rule: at most 2 % of the sure digits may be wrong, and at most 5 % of the non-digits may be sure; at most 10 % of
the sure or likely digits may be wrong, and at most 30 % of the non-digits may be sure or likely. Each threshold is the
least share of the typical margin, in steps of .05, that satisfies the rule. MNIST's test images are only evaluated.

::

    python scripts/choose_certainty.py --data-dir DATA
"""

from __future__ import annotations

import argparse
import hashlib
import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import torch
from PIL import Image, ImageDraw

from model import locations
from model.data.corpora.mnist import Mnist
from model.data.images import normalise_digit
from model.data.speech import FilterbankSettings, SpeechFrontEnd, UnusableAudio
from model.retrieval.certainty import LEAST
from model.retrieval.gallery import Gallery
from model.retrieval.retriever import Retriever, majority
from model.similarity import Gaussians
from model.systems.model_io import load_model
from model.types import Certainty, FloatArray, Modality

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SIGNS = {  # strokes of points; each point is two digits: x and y in a square of 10
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
VERSIONS = 16
"""Number of drawings of each sign, with different distortions."""

RULES = {Certainty.SURE: (0.02, 0.05), Certainty.LIKELY: (0.1, 0.3)}
"""Maximum share of wrong guesses among digits, and maximum share of non-digits."""


@dataclass(frozen=True, slots=True)
class Guess:
    """One input: its digit (-1 for a non-digit), the guess, the relative margin, and whether it is used to choose."""

    digit: int
    guess: int
    share: float
    chooses: bool


def first_half(name: str) -> bool:
    """Whether the inputs of a sign or speaker are used to choose."""
    return hashlib.sha256(name.encode()).digest()[0] < 128


def pictures(data: Path | None) -> Iterator[tuple[int, bool, FloatArray]]:
    """Digit or -1, half, and features ``(28, 28)`` of every picture."""
    mnist = Mnist(data).load("validation")
    for place, (picture, digit) in enumerate(zip(mnist.features.numpy(), mnist.labels.tolist(), strict=True)):
        yield digit, place % 2 == 0, picture
    rng = np.random.default_rng(0)
    for name, strokes in SIGNS.items():
        for _ in range(VERSIONS):
            yield -1, first_half(name), normalise_digit(drawn(strokes, rng))


def drawn(strokes: str, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """A drawing of a sign with a random distortion."""
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


def recordings(data: Path, front_end: SpeechFrontEnd) -> Iterator[tuple[int, bool, FloatArray]]:
    """Digit or -1, half, and filterbank ``(100, 80)`` of every usable recording."""
    with zipfile.ZipFile(data / "wild" / "wild.zip") as archive:
        for name in sorted(archive.namelist()):
            if not name.endswith(".wav"):
                continue
            word, speaker, _number = Path(name).stem.split("_")
            samples, rate = soundfile.read(io.BytesIO(archive.read(name)), dtype="float32")
            try:
                features = front_end.filterbank(front_end.trim(samples, rate))
            except UnusableAudio:
                continue
            yield DIGITS.index(word) if word in DIGITS else -1, first_half(speaker), features


def guesses_of(retriever: Retriever, modality: Modality, inputs: Iterable[tuple[int, bool, FloatArray]]) -> list[Guess]:
    """The model's guesses."""
    digits, halves, features = zip(*inputs, strict=True)
    parts = torch.split(torch.from_numpy(np.stack(features)), 500)
    encoded = [retriever.system.encode(modality, part) for part in parts]
    means, log_variances = (
        torch.cat(side).numpy() for side in zip(*((part.mean, part.log_variance) for part in encoded), strict=True)
    )
    guesses = []
    for digit, chooses, *posterior in zip(digits, halves, means, log_variances, strict=True):
        query = Gaussians(*posterior)
        guess = majority(retriever.gallery.nearest(query, modality.other, 10))
        margin, _other = retriever.margins.of(query, modality, guess)
        guesses.append(Guess(digit, guess, margin / retriever.margins.typical[modality], chooses))
    return guesses


def rates(guesses: list[Guess], least: float, most: float = np.inf) -> tuple[float, float, float]:
    """For a range of margins: share of the digits, error rate of these, share of the non-digits."""
    digits = [one for one in guesses if one.digit >= 0]
    others = [one for one in guesses if one.digit < 0]
    inside = [one for one in digits if least <= one.share < most]
    wrong = sum(one.guess != one.digit for one in inside)
    strange = sum(least <= one.share < most for one in others)
    return len(inside) / len(digits), wrong / max(1, len(inside)), strange / max(1, len(others))


def choose(guesses: list[Guess], word: Certainty) -> float:
    """The least relative margin that satisfies the rule for a word."""
    wrong, strange = RULES[word]
    for least in np.arange(1, 40) / 20:
        _digits, errors, others = rates(guesses, least)
        if errors <= wrong and others <= strange:
            return float(least)
    raise SystemExit(f"no margin satisfies the rule for “{word}”")


def show(title: str, modality: Modality, guesses: list[Guess]) -> None:
    """Print the rates of all words with the present thresholds."""
    digits = sum(one.digit >= 0 for one in guesses)
    print(f"  {title}: {digits} digits, {len(guesses) - digits} others")
    most = np.inf
    for word in Certainty:
        least = LEAST[modality].get(word, -np.inf)
        share, wrong, strange = rates(guesses, least, most)
        print(f"    {word:9} {share:6.1%} of digits, {wrong:6.1%} of these wrong; {strange:6.1%} of others")
        most = least


def main() -> None:
    parser = argparse.ArgumentParser(description="Choose the thresholds of likely and sure guesses.")
    parser.add_argument("--data-dir", type=Path, required=True)
    data = parser.parse_args().data_dir
    torch.set_num_threads(1)
    system, header = load_model(locations.shipped_model())
    retriever = Retriever(system, header, Gallery.load(locations.shipped_gallery()))
    front_end = SpeechFrontEnd(FilterbankSettings(**header.filterbank))
    for modality, inputs in ((Modality.IMAGE, pictures(data)), (Modality.SPEECH, recordings(data, front_end))):
        guesses = guesses_of(retriever, modality, inputs)
        chose, rest = ([one for one in guesses if one.chooses is half] for half in (True, False))
        print(f"{modality}: typical margin {retriever.margins.typical[modality]:.2f}; the rule asks for ", end="")
        print(", ".join(f"{choose(chose, word):.2f} of it for “{word}”" for word in RULES))
        show("the half used to choose", modality, chose)
        show("the other half", modality, rest)
    test = Mnist(data).load("test")
    unseen = [
        (digit, False, picture) for digit, picture in zip(test.labels.tolist(), test.features.numpy(), strict=True)
    ]
    show("MNIST's test images", Modality.IMAGE, guesses_of(retriever, Modality.IMAGE, unseen))


if __name__ == "__main__":
    main()
