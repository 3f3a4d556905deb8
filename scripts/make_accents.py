"""Make synthetic speakers for training only: chance blends of Kokoro's voices with foreign accents, and espeak-ng.

They make the shipped model more familiar with people whom nobody chose. They are not shipped themselves: they cost an
hour of a core, and the licence of what espeak-ng renders is not certain. Needs what ``make_voices.py`` needs, and from
Debian ``espeak-ng``. Then::

    python scripts/make_accents.py FOLDER
    modinv data add FOLDER --name accents

The folder is a corpus of ``SPEAKER/WORD/N.flac``. A stopped run can be resumed. Speaker N is always the same.
"""

from __future__ import annotations

import subprocess
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Annotated

import numpy as np
import soundfile
import typer
from make_voices import Kokoro, Samples, finish
from scipy.signal import resample_poly
from voices_catalogue import KOKORO_TEST, PHONEMES_GB, PHONEMES_US, SAMPLE_RATE

WORDS_PER_SPEAKER = 5  # of eleven: more speakers teach more than more words of each

#: Packs that were hard to understand in other words.
DOUBTFUL = {"bf_alice", "if_sara", "jf_alpha", "zf_xiaobei", "am_onyx", "am_santa"}

#: How people say the words whose first language is another one.
ACCENTS: dict[str, tuple[str, ...]] = {
    "zero": ("zˈiɹO", "zˈɛɹO", "sˈɪɹO", "zˈɪɾO", "zˈiːɹoː", "ʤˈiɹO"),
    "oh": ("ˈoː", "ˈO"),
    "one": ("wˈɒn", "wˈan", "vˈan", "wˈɑn", "ʋˈən"),
    "two": ("tʰˈu", "ʈˈuː", "tˈy", "ʧˈu"),
    "three": ("tɹˈi", "sɹˈi", "θɾˈi", "tɾˈiː", "dɹˈi", "fɹˈi"),
    "four": ("fˈOɹ", "fˈoːɾ", "fˈɔɾ", "pʰˈɔɹ"),
    "five": ("fˈIf", "fˈɑːjv", "fˈaiʋ", "pʰˈIv"),
    "six": ("sˈiks", "sˈɛks", "ʃˈɪks", "zˈɪks"),
    "seven": ("sˈɛvn", "sˈɛʋən", "sˈɛven", "zˈɛvən", "sˈɛbən", "sˈevɪn"),
    "eight": ("ˈet", "ˈeːt", "ˈɛɪt", "ˈeʈ", "ˈAtʰ"),
    "nine": ("nˈajn", "nˈɑɪn", "nˈaːn", "nˈɔɪn"),
}
ACCENTED = 0.5  # share of the words

#: Voices of espeak-ng whose every word a strict recogniser understands (accent and variant).
ESPEAK_ACCENTS = ("en-us", "en-gb", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-029")
ESPEAK_VARIANTS = ("", "+f1", "+f2", "+f4", "+f5", "+m2", "+m3", "+m4", "+m7", "+m8", "+croak", "+klatt4")


def main(
    folder: Path,
    work: Annotated[Path, typer.Option(help="Folder of Kokoro's packages.")] = Path("build/voices"),
    kokoro: Annotated[int, typer.Option(help="Speakers of Kokoro.")] = 400,
    espeak: Annotated[int, typer.Option(help="Speakers of espeak-ng.")] = 200,
    jobs: Annotated[int, typer.Option(help="Processes, one core each.")] = 2,
) -> None:
    """Render all speakers that are missing."""
    Kokoro(work / "kokoro")  # downloads it once
    with ProcessPoolExecutor(jobs) as pool:
        done = [pool.submit(render_kokoro, folder, work, range(job, kokoro, jobs)) for job in range(jobs)]
        render_espeak(folder, range(espeak))
        for each in done:
            each.result()


def render_kokoro(folder: Path, work: Path, speakers: range) -> None:
    """Speakers with a voice of up to three packs, each word at a tempo and with a pronunciation of its own."""
    engine = Kokoro(work / "kokoro")
    packs = [name for name in engine.names if name not in DOUBTFUL | set(KOKORO_TEST.split())]  # these are test voices
    for speaker in speakers:
        chance = np.random.default_rng([0, speaker])
        parents = [str(name) for name in chance.choice(packs, 3, replace=False)]
        weights = chance.dirichlet([0.8] * 3)
        british = chance.random() < 0.3
        for word in spoken(chance):
            plain = (PHONEMES_GB if british else PHONEMES_US)[word]
            accented = chance.random() < ACCENTED
            phonemes = str(chance.choice(ACCENTS[word])) if accented else plain
            speed = chance.uniform(0.75, 1.35)
            path = folder / f"kokoro_{speaker:04d}" / word / "0.flac"
            if not path.exists():
                samples = engine.speak(phonemes, parents, weights, speed)
                write(path, resample_poly(samples, 2, 3), SAMPLE_RATE)


def render_espeak(folder: Path, speakers: range) -> None:
    """Speakers with one of the voices, at a pitch of their own and a tempo for each word."""
    for speaker in speakers:
        chance = np.random.default_rng([1, speaker])
        voice = str(chance.choice(ESPEAK_ACCENTS)) + str(chance.choice(ESPEAK_VARIANTS))
        pitch = int(chance.integers(15, 85))
        for word in spoken(chance):
            path = folder / f"espeak_{speaker:04d}" / word / "0.flac"
            tempo = str(chance.integers(110, 200))
            command = ["espeak-ng", "-v", voice, "-p", str(pitch), "-s", tempo, "--stdout", word]
            if not path.exists():
                wave = subprocess.run(command, check=True, capture_output=True).stdout
                rate = int.from_bytes(wave[24:28], "little")
                samples = np.frombuffer(wave[44:], np.int16).astype(np.float32) / 32768
                write(path, resample_poly(samples, SAMPLE_RATE, rate), SAMPLE_RATE)


def spoken(chance: np.random.Generator) -> list[str]:
    """The words of a speaker."""
    return [str(word) for word in chance.choice(list(PHONEMES_US), WORDS_PER_SPEAKER, replace=False)]


def write(path: Path, samples: Samples, rate: int) -> None:
    """Write a word, trimmed and at the usual level."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    soundfile.write(partial, finish(samples.astype(np.float32)), rate, format="FLAC", subtype="PCM_16")
    partial.replace(path)


if __name__ == "__main__":
    typer.run(main)
