"""Choose the margins from which a guess is called likely and sure (`model.certainty`), and report what they are worth.

Half of the inputs choose, the other half report; no speaker and no sign is in both.

images
    Digits: the last 5,000 training images of MNIST, by their places. (The shipped model has trained on them, so that
    its errors on them are a little too few.) Others: letters and signs of six fonts that come with Matplotlib, turned
    and sheared at random, by sign; those that a person could take for a digit are left out.
speech
    Digits and other words of the corpus ``wild``, spoken by people of whom no model has heard, by speaker. Its
    archive lies in the data folder's ``wild/wild.zip``.

The rule: of the digits that are called sure at most 2 % may be wrong, and at most 5 % of what is no digit may be
called sure; of the digits that are called sure or likely at most 10 % may be wrong, and at most 30 % of what is no
digit may be called so. Each threshold is the least share of the typical margin, in steps of .05, that keeps both.
MNIST's test images are judged at the end, and choose nothing.

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

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import soundfile
import torch
from PIL import Image, ImageDraw, ImageFont

from model import locations
from model.certainty import LEAST
from model.datasets import Mnist
from model.gallery import Gallery
from model.images import normalise_digit
from model.results import Certainty, FloatArray, Modality
from model.retrieval import Retriever, majority
from model.speech import FilterbankSettings, SpeechFrontEnd, UnusableAudio
from model.trained import load_model

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SIGNS = "ACEFHJKMNPRTUVWXYacdefhjkmnprtuvwxΓΔΘΛΞΠΣΦΨΩαβγδλμπψω?&@#%+=<>$"
FONTS = ("DejaVuSans", "DejaVuSerif-Italic", "DejaVuSansMono-Bold", "cmr10", "cmss10", "STIXGeneralItalic")
DRAWN = {  # what a first user drew, as strokes of points in a square of 100
    "M": [[(15, 85), (20, 15), (50, 60), (80, 15), (85, 85)]],
    "H": [[(25, 15), (25, 85)], [(75, 15), (75, 85)], [(25, 50), (75, 50)]],
    "heart": [[(50, 85), (15, 45), (20, 20), (40, 18), (50, 35), (60, 18), (80, 20), (85, 45), (50, 85)]],
    "house": [[(20, 85), (20, 45), (50, 15), (80, 45), (80, 85), (20, 85)], [(42, 85), (42, 60), (58, 60), (58, 85)]],
    "face": [
        [(50 + 38 * np.cos(t), 50 + 38 * np.sin(t)) for t in np.linspace(0, 2 * np.pi, 40)],
        [(37, 38), (37, 40)],
        [(63, 38), (63, 40)],
        [(32, 60), (42, 70), (58, 70), (68, 60)],
    ],
}
RULES = {Certainty.SURE: (0.02, 0.05), Certainty.LIKELY: (0.1, 0.3)}
"""Greatest share of wrong ones among digits, and greatest share of what is no digit."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One input: its digit (-1 if it is none), the guess, the margin as a share of the typical one, and its half."""

    digit: int
    guess: int
    share: float
    chooses: bool


def first_half(name: str) -> bool:
    """Whether everything of this name chooses."""
    return hashlib.sha256(name.encode()).digest()[0] < 128


def pictures(data: Path | None) -> Iterator[tuple[int, bool, FloatArray]]:
    """Digit or -1, half, and features ``(28, 28)`` of every picture."""
    mnist = Mnist(data).load("train").only(range(55_000, 60_000))
    for place, (picture, digit) in enumerate(zip(mnist.features.numpy(), mnist.labels.tolist(), strict=True)):
        yield digit, place % 2 == 0, picture
    rng = np.random.default_rng(0)
    folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
    for sign in SIGNS:
        for name in FONTS:
            font = ImageFont.truetype(folder / f"{name}.ttf", 120)
            if sign > "~" and not name.startswith(("DejaVu", "STIX")):
                continue  # these fonts have no Greek
            for _ in range(4):
                sheet = Image.new("L", (280, 280))
                ImageDraw.Draw(sheet).text((140, 140), sign, 255, font, anchor="mm")
                turned = sheet.rotate(rng.uniform(-15, 15), Image.Resampling.BILINEAR)
                shear = rng.uniform(-0.25, 0.25)
                sheared = turned.transform(
                    turned.size, Image.Transform.AFFINE, (1, shear, -140 * shear, 0, 1, 0), Image.Resampling.BILINEAR
                )
                yield -1, first_half(sign), normalise_digit(np.asarray(sheared))


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


def drawn(strokes: list[list[tuple[float, float]]]) -> npt.NDArray[np.uint8]:
    """A picture of strokes."""
    sheet = Image.new("L", (200, 200))
    pen = ImageDraw.Draw(sheet)
    for stroke in strokes:
        points = [(2 * x, 2 * y) for x, y in stroke]
        pen.line(points, 255, 17, joint="curve")
        for x, y in points:
            pen.ellipse((x - 8, y - 8, x + 8, y + 8), 255)
    return np.asarray(sheet)


def judge(retriever: Retriever, modality: Modality, inputs: Iterable[tuple[int, bool, FloatArray]]) -> list[Judged]:
    """What the model says of each."""
    digits, halves, features = zip(*inputs, strict=True)
    parts = torch.split(torch.from_numpy(np.stack(features)), 500)
    means = torch.cat([retriever.encoders.encode(modality, part).mean for part in parts]).numpy()
    judged = []
    for digit, chooses, mean in zip(digits, halves, means, strict=True):
        guess = majority(retriever.gallery.nearest(mean, modality.other, 10))
        margin, _other = retriever.margins.of(mean, modality, guess)
        judged.append(Judged(digit, guess, margin / retriever.margins.typical[modality], chooses))
    return judged


def rates(judged: list[Judged], least: float, most: float = np.inf) -> tuple[float, float, float]:
    """Of margins in a range: share of the digits, share of these that are wrong, share of what is no digit."""
    digits = [one for one in judged if one.digit >= 0]
    others = [one for one in judged if one.digit < 0]
    inside = [one for one in digits if least <= one.share < most]
    wrong = sum(one.guess != one.digit for one in inside)
    strange = sum(least <= one.share < most for one in others)
    return len(inside) / len(digits), wrong / max(1, len(inside)), strange / max(1, len(others))


def choose(judged: list[Judged], word: Certainty) -> float:
    """The least share of the typical margin that keeps the rule for a word."""
    wrong, strange = RULES[word]
    for least in np.arange(1, 40) / 20:
        _digits, errors, others = rates(judged, least)
        if errors <= wrong and others <= strange:
            return float(least)
    raise SystemExit(f"no margin keeps the rule for “{word}”")


def tell(title: str, modality: Modality, judged: list[Judged]) -> None:
    """Print what the words are worth with the thresholds in use."""
    digits = sum(one.digit >= 0 for one in judged)
    print(f"  {title}: {digits} digits, {len(judged) - digits} others")
    most = np.inf
    for word in Certainty:
        least = LEAST[modality].get(word, -np.inf)
        share, wrong, strange = rates(judged, least, most)
        print(f"    {word:9} {share:6.1%} of digits, {wrong:6.1%} of these wrong; {strange:6.1%} of others")
        most = least


def main() -> None:
    parser = argparse.ArgumentParser(description="Choose the margins from which a guess is called likely and sure.")
    parser.add_argument("--data-dir", type=Path, required=True)
    data = parser.parse_args().data_dir
    torch.set_num_threads(1)
    encoders, header = load_model(locations.shipped_model())
    retriever = Retriever(encoders, header, Gallery.load(locations.shipped_gallery()))
    front_end = SpeechFrontEnd(FilterbankSettings(**header.filterbank))
    for modality, inputs in ((Modality.IMAGE, pictures(data)), (Modality.SPEECH, recordings(data, front_end))):
        judged = judge(retriever, modality, inputs)
        chose, rest = ([one for one in judged if one.chooses is half] for half in (True, False))
        print(f"{modality}: typical margin {retriever.margins.typical[modality]:.2f}; the rule asks for ", end="")
        print(", ".join(f"{choose(chose, word):.2f} of it for “{word}”" for word in RULES))
        tell("the half that chose", modality, chose)
        tell("the other half", modality, rest)
    test = Mnist(data).load("test")
    unseen = [
        (digit, False, picture) for digit, picture in zip(test.labels.tolist(), test.features.numpy(), strict=True)
    ]
    tell("MNIST's test images", Modality.IMAGE, judge(retriever, Modality.IMAGE, unseen))
    for name, strokes in DRAWN.items():
        answer = retriever.ask_picture(drawn(strokes))
        print(f"  {name}, drawn: {answer.verdict} (margin {answer.margin:.1f})")


if __name__ == "__main__":
    main()
