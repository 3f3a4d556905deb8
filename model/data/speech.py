"""The speech front end, from sound to filterbanks, for training and for the live microphone.

A recording is mixed to one channel and resampled to 8 kHz, the utterance in it is detected and cut out, converted to
Kaldi log mel energies and normalised.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile
import soxr

from model.data.endpoints import loudest_part, outstanding_part
from model.data.inputs import RationedFile, open_file, printable
from model.data.log_mel import SAMPLE_RATE, log_mel, normalise
from model.data.log_mel import FilterbankSettings as FilterbankSettings
from model.data.voice_activity import PAUSE_SECONDS, WINDOW, StreamActivity, VoiceActivity, spans_of
from model.errors import ModinvError
from model.types import FloatArray

LONGEST_RECORDING = 60.0
"""Maximum duration of a recording in seconds."""

LOWEST_RATE, HIGHEST_RATE = 4_000, 768_000
"""Hz. Rates of real devices; another rate means a damaged header."""

MOST_VALUES = int(LONGEST_RECORDING) * 192_000 * 2
"""Maximum number of samples times channels: a minute of stereo at 192 kHz, or of eight channels at 48."""

MOST_BYTES = 256 * 2**20
"""Maximum number of bytes read from a file, including the pictures of a video."""

QUIETEST_PEAK = 10 ** (-55 / 20)
"""A recording with a lower peak, -55 dBFS, counts as silent."""

LOUDEST_PEAK = 2.0**31
"""Full scale is 1, but some programs write integers of up to 32 bits as floats."""

_DOUBTFUL = 0.1  # probability of speech, which hardly any cough, knock or hiss reaches
_BLOCK = 2**18  # samples times channels decoded at once

# Formats of phones, browsers and old programs, by FFmpeg's names; without playlists, which refer to other files, and
# pictures.
_CONTAINERS = (
    "mov,matroska,webm,ogg,mp3,aac,wav,w64,flac,aiff,au,caf,amr,asf,avi,mpegts,mpeg,flv,ac3,eac3,voc,ape,wv,nistsphere"
)
# The pictures of a video are never decoded, not even the first one to find out its size.
_OPTIONS = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "none", "max_pixels": "1", "threads": "1"}


class UnusableAudio(ModinvError, ValueError):
    """A sound without a usable utterance; the message says what is wrong and what to do."""


def read_audio(source: Path | str | BinaryIO) -> tuple[FloatArray, int]:
    """Read a sound file that soundfile or PyAV supports, mixed to one channel.

    Returns
    -------
    samples, rate
        ``(n,)`` float32, full scale at 1, the mean of all channels; sampling rate in Hz.

    Raises
    ------
    UnusableAudio
        If the file is missing, damaged, not a sound, longer than a minute, or too large.
    """
    if not isinstance(source, (str, Path)):
        return _read(source, "The sound")
    path = Path(source)
    name = printable(path.name or path)
    try:
        file = open_file(path)
    except FileNotFoundError:
        raise UnusableAudio(f"{name} does not exist. Choose another file.") from None
    except OSError as error:
        raise UnusableAudio(f"{name} can't be read: {error.strerror or error}.") from error
    with file:
        return _read(file, name)


def _read(file: BinaryIO, name: str) -> tuple[FloatArray, int]:
    start = file.tell()
    try:
        samples, rate = _read_with_soundfile(file, name)
    except UnusableAudio:
        raise
    except Exception:  # damaged, or not supported by soundfile
        try:
            file.seek(start)
            samples, rate = _read_with_av(file, name)
        except UnusableAudio:
            raise
        except Exception as error:  # FFmpeg's decoders and PyAV raise almost anything on a damaged file
            raise UnusableAudio(
                f"{name} can't be read as sound. It may be damaged, or not be a sound file: try WAV, FLAC, MP3, Ogg "
                "or M4A."
            ) from error
    if samples.size == 0:
        raise UnusableAudio(f"{name} is empty. Record it again or choose another file.")
    return samples, rate


def _read_with_soundfile(file: BinaryIO, name: str) -> tuple[FloatArray, int]:
    with soundfile.SoundFile(RationedFile(file, MOST_BYTES)) as sound:
        rate, channels = int(sound.samplerate), int(sound.channels)
        size = max(1, _BLOCK // channels)

        def blocks() -> Iterator[FloatArray]:
            while len(block := sound.read(size, dtype="float32", always_2d=True)):
                yield block.mean(axis=1)

        _check_size(sound.frames, rate, channels, name)
        return _joined(blocks(), rate, channels, name), rate


def _read_with_av(file: BinaryIO, name: str) -> tuple[FloatArray, int]:
    """Read formats that soundfile does not support, as of phones, browsers and videos."""
    import av

    with av.open(RationedFile(file, MOST_BYTES), mode="r", options=_OPTIONS) as container:
        stream = container.streams.audio[0]
        rate, channels = int(stream.rate), max(1, int(stream.channels))
        _check_size(0, rate, channels, name)
        resampler = av.AudioResampler(format="flt", layout="mono", rate=rate)
        blocks = (part.to_ndarray()[0] for frame in container.decode(stream) for part in resampler.resample(frame))
        return _joined(blocks, rate, channels, name), rate


def _check_size(frames: int, rate: int, channels: int, name: str) -> None:
    """Reject impossible sampling rates and recordings that are too long."""
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise UnusableAudio(
            f"{name} has a sampling rate of {rate} Hz. It is damaged, or not a sound: "
            f"{LOWEST_RATE // 1000} to {HIGHEST_RATE // 1000} kHz can be read."
        )
    if frames > LONGEST_RECORDING * rate:
        raise UnusableAudio(f"{name} is longer than a minute. Cut out the one spoken digit.")
    if frames * channels > MOST_VALUES:
        raise UnusableAudio(
            f"{name} is too large, with {channels} channels at {rate} Hz. Cut out the one spoken digit, or save it in "
            "mono."
        )


def _joined(blocks: Iterator[FloatArray], rate: int, channels: int, name: str) -> FloatArray:
    """Concatenate blocks, and check their size, as the header may be wrong."""
    kept: list[FloatArray] = []
    frames = 0
    for block in blocks:
        frames += len(block)
        _check_size(frames, rate, channels, name)
        kept.append(block)
    return np.concatenate(kept) if kept else np.zeros(0, np.float32)


def resample(samples: FloatArray, rate: int, target: int) -> FloatArray:
    """Resample ``(n,)`` samples from one rate to another, both in Hz."""
    return samples if rate == target else soxr.resample(samples, rate, target)


class SpeechFrontEnd:
    """Finds the utterance in a recording and computes its filterbank.

    One instance belongs to one thread.
    """

    def __init__(self, settings: FilterbankSettings | None = None) -> None:
        self.settings = settings or FilterbankSettings()
        self._voice_activity = VoiceActivity()

    def trim(self, samples: FloatArray, rate: int) -> FloatArray:
        """The utterance in a recording, at the front end's sampling rate.

        Pauses of over 0.3 s separate utterances, of which the longest is taken; if that is longer than a word, its
        loudest part. Where the detector is in doubt, the utterance is what stands out from the background, such as a
        word that is cut off or drowned in noise.

        Parameters
        ----------
        samples
            The recording, ``(n,)`` in [-1, 1].
        rate
            Its sampling rate in Hz.

        Raises
        ------
        UnusableAudio
            If the recording is silent, or nothing in it can be speech.
        """
        peak = self._peak(samples)
        target = self.settings.sample_rate
        utterance = resample(np.ascontiguousarray(samples, dtype=np.float32), rate, target)
        # The detector expects silence around words, which corpora have cut off, and was trained at speaking level.
        silence = int(0.2 * target)
        padded = np.pad(utterance * (0.5 / peak), silence)
        speech = self._voice_activity.probabilities(padded)
        found = None
        if spans := spans_of(speech, len(padded)):
            span = max(spans, key=lambda one: one.end - one.start)
            start, end = max(0, span.start - silence), min(span.end - silence, len(utterance))
            found = loudest_part(utterance, start, end, target)
        elif speech.max() >= _DOUBTFUL:
            found = outstanding_part(utterance, target)
        if found is None:
            raise UnusableAudio("No speech was found. Say one digit, clearly and near to the microphone.")
        return utterance[slice(*found)]

    def _peak(self, samples: FloatArray) -> float:
        """The greatest absolute value; raises ``UnusableAudio`` if it can't be that of speech."""
        if not np.isfinite(samples).all():
            raise UnusableAudio("The sound holds values that are not numbers. Record it again.")
        peak = float(np.abs(samples).max(initial=0.0))
        if peak == 0.0:
            raise UnusableAudio(
                "The recording is completely silent. Check that the microphone is not muted, and that the system "
                "lets this application use it."
            )
        if peak > LOUDEST_PEAK:
            raise UnusableAudio(
                "The sound holds values far beyond full scale. Save it again, as 16-bit WAV for example."
            )
        if peak < QUIETEST_PEAK:
            raise UnusableAudio("The recording is too quiet. Speak louder or nearer to the microphone.")
        return peak

    def filterbank(self, utterance: FloatArray) -> FloatArray:
        """Log mel energies of a trimmed utterance, ``(100, 80)``: time x frequency.

        Zero mean and unit variance over the utterance. Longer utterances are cropped to their centre; shorter ones are
        padded with zeros at the end after normalisation.

        Raises
        ------
        UnusableAudio
            If it is shorter than one window, or holds values that are no sound.
        """
        if len(utterance) < self.settings.window_samples:
            raise UnusableAudio("The sound is too short to contain a word.")
        if not np.abs(utterance).max() <= LOUDEST_PEAK:  # or not a number
            raise UnusableAudio("The sound holds values that are not numbers, or far beyond full scale.")
        return normalise(log_mel(utterance, self.settings), self.settings)


def utterance_in(front_end: SpeechFrontEnd, samples: FloatArray, rate: int) -> FloatArray:
    """The utterance in a recording of a corpus, at the front end's rate.

    As for live sound, but if none is found, the whole recording is used, as a corpus is speech.
    """
    try:
        return front_end.trim(samples, rate)
    except UnusableAudio:
        return resample(samples, rate, front_end.settings.sample_rate)


class UtteranceDetector:
    """Detects utterances in a stream of sound, for the hands-free mode.

    One instance belongs to one thread.
    """

    WINDOW_SECONDS = WINDOW / SAMPLE_RATE
    """Length of the windows of the voice activity detector."""
    PAUSE_SECONDS = PAUSE_SECONDS
    """Silence that ends an utterance."""
    LEAD_SECONDS = 0.2
    """Sound included before the detected onset, as soft consonants are detected late."""
    LONGEST_SECONDS = 3.0
    """Maximum length of an utterance; a digit takes less than one second."""

    def __init__(self) -> None:
        self._rate = 0
        self._pending: FloatArray = np.zeros(0, np.float32)
        self._blocks: list[FloatArray] = []
        self.active = False
        self._activity = StreamActivity()

    def reset(self) -> None:
        """Discard the sound so far."""
        self._pending = np.zeros(0, np.float32)
        self._blocks = []
        self.active = False
        self._activity.reset()

    def feed(self, samples: FloatArray, rate: int) -> list[FloatArray]:
        """Process the next ``(n,)`` samples; return the utterances that ended in them, at the same rate."""
        if rate != self._rate:
            self.reset()
            self._rate = rate
        window = round(self.WINDOW_SECONDS * rate)
        self._pending = np.concatenate([self._pending, samples])
        utterances = []
        while len(self._pending) >= window:
            block, self._pending = self._pending[:window], self._pending[window:]
            utterance = self._process(block)
            if utterance is not None:
                utterances.append(utterance)
        return utterances

    def _process(self, block: FloatArray) -> FloatArray | None:
        """Process one window; return the utterance if it ended."""
        change = self._activity.feed(np.resize(resample(block, self._rate, SAMPLE_RATE), WINDOW))
        self._blocks.append(block)
        if change == "start":
            self.active = True
        windows = round((self.LONGEST_SECONDS if self.active else self.LEAD_SECONDS) / self.WINDOW_SECONDS)
        if self.active and (change == "end" or len(self._blocks) >= windows):
            utterance = np.concatenate(self._blocks)
            self._blocks = []
            self.active = False
            self._activity.reset()
            return utterance
        if not self.active:
            self._blocks = self._blocks[-windows:]
        return None
