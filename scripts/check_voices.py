"""Measure the synthetic spoken digits that ship with the application.

Every clip is checked for loudness, length and clipping, and its intelligibility is measured twice:

classifier
    Does a support vector machine on the cepstra, trained on other speakers, recognise the word? The speaker itself, in
    all variants, its parents and every blend of either are excluded from its training.
recogniser
    Does pocketsphinx with a grammar of the eleven words recognise the word? Strict; skipped if it is not installed.

::

    python scripts/check_voices.py          # exits with 1 if a clip is out of bounds
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import io
import json
import sys
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray
from sklearn.svm import SVC

Samples = NDArray[np.float32]

MIN_SECONDS, MAX_SECONDS = 0.15, 1.6
MIN_LOUDNESS = 0.01  # RMS of the whole clip, full scale is 1
MAX_PEAK = 0.999
SAME_SPEAKER = {"festival_slt-hts": "flite_slt"}
DOUBTFUL = 0.75  # share of the words of a voice in a variant
FRAMES = 24  # per word, after resampling in time
CEPSTRA = 13
BANDS = 32


def cepstra(samples: Samples, rate: int) -> NDArray[np.float64]:
    """Cepstra of a word at a fixed number of moments, of length one, ``(FRAMES * CEPSTRA,)``."""
    size, hop = 512, rate // 100
    padded = np.append(samples, np.zeros(size))
    starts = np.arange(0, len(samples), hop)
    frames = padded[starts[:, None] + np.arange(size)] * np.hanning(size)
    power = np.abs(np.fft.rfft(frames)) ** 2
    mel = np.linspace(_mel(80), _mel(rate / 2), BANDS + 2)
    edges = 700 * (10 ** (mel / 2595) - 1) * size / rate
    bins = np.arange(size // 2 + 1)
    rising = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    bank = np.clip(np.minimum(rising, falling), 0, None)
    logs = np.log(power @ bank.T + 1e-6)
    loud = np.flatnonzero(logs.mean(1) > logs.mean(1).max() - 7)
    logs = logs[loud[0] : loud[-1] + 1]
    angles = np.pi / BANDS * (np.arange(BANDS)[:, None] + 0.5) * np.arange(CEPSTRA)
    coefficients = logs @ np.cos(angles)
    coefficients -= coefficients.mean(0)
    at = np.linspace(0, len(coefficients) - 1, FRAMES)
    moments = [np.interp(at, np.arange(len(coefficients)), c) for c in coefficients.T]
    vector: NDArray[np.float64] = np.concatenate(moments)
    vector /= np.linalg.norm(vector)
    return vector


def _mel(hertz: float) -> float:
    return float(2595 * np.log10(1 + hertz / 700))


def relatives(voices: list[dict[str, Any]]) -> dict[str, set[str]]:
    """Voices related to each voice: itself, its parents and every blend of either."""
    speakers = {v["id"]: set(v["parents"]) or {SAME_SPEAKER.get(v["id"], v["id"])} for v in voices}
    return {a: {b for b in speakers if speakers[a] & speakers[b]} for a in speakers}


def classifier(clips: list[Clip], voices: list[dict[str, Any]]) -> NDArray[np.bool_]:
    """Whether a classifier trained on unrelated speakers recognises the word of each clip."""
    vectors = np.stack([cepstra(clip.samples, clip.rate) for clip in clips])
    vectors = (vectors - vectors.mean(0)) / vectors.std(0)
    owners = np.array([clip.voice for clip in clips])
    words = np.array([clip.word for clip in clips])
    related = relatives(voices)
    right = np.zeros(len(clips), bool)
    for voice in related:
        mine, others = owners == voice, ~np.isin(owners, list(related[voice]))
        machine = SVC(C=10, gamma=0.5 / vectors.shape[1]).fit(vectors[others], words[others])
        right[mine] = machine.predict(vectors[mine]) == words[mine]
    return right


def recogniser(words: Iterable[str]) -> Callable[[Clip], bool]:
    """A function that tells whether pocketsphinx recognises the word of a clip."""
    pocketsphinx = importlib.import_module("pocketsphinx")
    grammar = f"#JSGF V1.0; grammar digits; public <digit> = {' | '.join(words)};\n"
    decoder = pocketsphinx.Decoder(lm=None, loglevel="FATAL")
    decoder.add_jsgf_string("digits", grammar)
    decoder.activate_search("digits")

    def recognised(clip: Clip) -> bool:
        quiet = np.zeros(clip.rate // 4, np.float32)
        sound = np.concatenate([quiet, clip.samples, quiet])
        sound += np.random.default_rng(0).normal(0, 3e-4, len(sound)).astype(np.float32)
        decoder.start_utt()
        decoder.process_raw((sound * 32767).astype(np.int16).tobytes(), False, True)
        decoder.end_utt()
        hypothesis = decoder.hyp()
        return hypothesis is not None and bool(hypothesis.hypstr == clip.word)

    return recognised


class Clip:
    """A decoded clip of the archive."""

    def __init__(self, name: str, data: bytes) -> None:
        self.voice, self.variant, file = name.split("/")
        self.word = file.removesuffix(".opus")
        self.name, self.size = name, len(data)
        samples, self.rate = soundfile.read(io.BytesIO(data), dtype="float32")
        self.samples: Samples = samples

    def faults(self) -> list[str]:
        """The properties that are out of bounds."""
        seconds = len(self.samples) / self.rate
        found = []
        if not MIN_SECONDS <= seconds <= MAX_SECONDS:
            found.append(f"{seconds:.2f} s")
        if np.sqrt(np.mean(self.samples**2)) < MIN_LOUDNESS:
            found.append("silent")
        if np.abs(self.samples).max() > MAX_PEAK:
            found.append("clipped")
        return found


def table(title: str, keys: list[str], verdicts: dict[str, NDArray[np.bool_]]) -> None:
    """Print the share of right verdicts in per cent by key."""
    column = np.array(keys)
    print(f"\n{title:28}  clips  " + "  ".join(f"{name:>11}" for name in verdicts))
    for key in dict.fromkeys(keys):
        here = column == key
        shares = "  ".join(f"{100 * right[here].mean():11.1f}" for right in verdicts.values())
        print(f"{key:28}  {here.sum():5}  {shares}")


def main() -> None:
    """Command line."""
    root = Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--voices", type=Path, default=root / "assets" / "voices")
    folder: Path = parser.parse_args().voices
    about = json.loads((folder / "voices.json").read_text(encoding="utf-8"))
    with zipfile.ZipFile(folder / about["archive"]) as archive:
        clips = [Clip(name, archive.read(name)) for name in archive.namelist()]

    faulty = [(clip, faults) for clip in clips if (faults := clip.faults())]
    for clip, faults in faulty:
        print(clip.name, *faults)
    seconds = np.array([len(clip.samples) / clip.rate for clip in clips])
    peaks = np.array([np.abs(clip.samples).max() for clip in clips])
    print(f"{len(clips)} clips, {len(faulty)} out of bounds; {sum(c.size for c in clips) / 1e6:.2f} MB")
    print(f"seconds: {seconds.min():.2f} to {seconds.max():.2f}, mean {seconds.mean():.2f}, "
          f"together {seconds.sum() / 60:.1f} min; peaks {peaks.min():.2f} to {peaks.max():.2f}")  # fmt: skip

    verdicts = {"classifier": classifier(clips, about["voices"])}
    if importlib.util.find_spec("pocketsphinx"):
        recognised = recogniser(entry["word"] for entry in about["words"])
        verdicts["recogniser"] = np.array([recognised(clip) for clip in clips])
    splits = {voice["id"]: voice["split"] for voice in about["voices"]}
    table("all", ["all"] * len(clips), verdicts)
    table("split", [splits[clip.voice] for clip in clips], verdicts)
    table("engine", [clip.voice.split("_")[0] for clip in clips], verdicts)
    table("variant", [clip.variant for clip in clips], verdicts)
    table("word", [clip.word for clip in clips], verdicts)
    table("voice", [clip.voice for clip in clips], verdicts)
    keys = np.array([f"{clip.voice}/{clip.variant}" for clip in clips])
    doubtful = [
        key for key in dict.fromkeys(keys) if all(right[keys == key].mean() < DOUBTFUL for right in verdicts.values())
    ]
    print(f"\ndoubtful, below {DOUBTFUL:.0%} by every measure:", *(doubtful or ["none"]))
    sys.exit(bool(faulty))


if __name__ == "__main__":
    main()
