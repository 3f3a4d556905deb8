"""Silero's voice activity detector, without torch: on many recordings at once, and on a stream of sound.

The network is that of the package silero-vad, whose own code needs torch; it lies in ``assets/voice_activity``. From
its probabilities utterances are found as there (``get_speech_timestamps`` and ``VADIterator``), which a test compares.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numpy as np

from model import locations
from model.types import FloatArray

WINDOW = 256
"""Samples at 8 kHz for which the detector gives one probability."""

PAUSE_SECONDS = 0.3
"""Shorter pauses don't separate utterances."""

_RATE = 8000  # Hz
_CONTEXT = 32  # samples before a window that the network sees as well
_STATE = 128  # units of the network's memory
_HYSTERESIS = 0.15  # speech ends where the probability falls so far below the threshold
_SHORTEST = 0.06  # seconds: what is shorter is no utterance
_MARGIN = 0.06  # seconds by which utterances are extended
_THRESHOLD, _STREAM_THRESHOLD = 0.3, 0.5  # in a recording there is a word, in a stream perhaps not

Change = Literal["start", "end"]


class Span(NamedTuple):
    """An utterance within a recording: its first sample, and the one after its last."""

    start: int
    end: int


class VoiceActivity:
    """Finds speech in recordings at 8 kHz.

    The windows of a recording must follow each other, as the network has a memory, but those of different recordings
    can be processed together. With 128 recordings that takes a fifth of the time, with the same results.
    One instance belongs to one thread.
    """

    def __init__(self) -> None:
        self._network = _Network()

    def probabilities(self, recordings: Sequence[FloatArray]) -> list[FloatArray]:
        """The probability of speech in each window of each recording; the last window is filled up with silence."""
        order = sorted(range(len(recordings)), key=lambda place: -len(recordings[place]))
        counts = [-(-len(recordings[place]) // WINDOW) for place in order]
        padded = [
            np.pad(recordings[place], (_CONTEXT, count * WINDOW - len(recordings[place])))
            for place, count in zip(order, counts, strict=True)
        ]
        state = np.zeros((2, len(order), _STATE), np.float32)
        steps: list[FloatArray] = []
        active = len(order)
        for window in range(max(counts, default=0)):
            while counts[active - 1] <= window:  # the longest recordings come first
                active -= 1
            start = window * WINDOW
            windows = np.stack([sound[start : start + _CONTEXT + WINDOW] for sound in padded[:active]])
            speech, state = self._network(windows, np.ascontiguousarray(state[:, :active]))
            steps.append(speech)
        found: list[FloatArray] = [np.zeros(0, np.float32)] * len(order)
        for row, (place, count) in enumerate(zip(order, counts, strict=True)):
            found[place] = np.array([step[row] for step in steps[:count]], np.float32)
        return found


class StreamActivity:
    """Follows a stream of sound at 8 kHz, window by window; one instance belongs to one thread."""

    def __init__(self) -> None:
        self._network = _Network()
        self.reset()

    def reset(self) -> None:
        """Begin a new stream."""
        self._state = np.zeros((2, 1, _STATE), np.float32)
        self._context = np.zeros(_CONTEXT, np.float32)
        self._segmentation = _Segmentation(_STREAM_THRESHOLD)

    def feed(self, window: FloatArray) -> Change | None:
        """Process the next :data:`WINDOW` samples: whether an utterance has begun or ended."""
        heard = np.concatenate([self._context, window]).astype(np.float32)
        self._context = heard[-_CONTEXT:]
        probabilities, self._state = self._network(heard[None], self._state)
        return self._segmentation.feed(float(probabilities[0]))


class _Segmentation:
    """Tells from probabilities of speech where utterances begin and end.

    One begins with a probability of at least the threshold, and ends once it has been clearly below for a pause.

    Attributes
    ----------
    quiet_since
        The number of the window with which the latest utterance ends, or may end; ``None`` within speech.
    """

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._window = -1
        self._active = False
        self.quiet_since: int | None = None

    def feed(self, probability: float) -> Change | None:
        """The next window."""
        self._window += 1
        if probability >= self._threshold:
            self.quiet_since = None
            if not self._active:
                self._active = True
                return "start"
        elif self._active and probability < self._threshold - _HYSTERESIS:
            if self.quiet_since is None:
                self.quiet_since = self._window
            if (self._window - self.quiet_since) * WINDOW >= PAUSE_SECONDS * _RATE:
                self._active = False
                return "end"
        return None


def spans_of(probabilities: FloatArray, samples: int) -> list[Span]:
    """The utterances in a recording of so many samples, from the probability of speech in each of its windows.

    Those of 60 ms or less are dropped. The others are extended on both sides, to the middle of a pause that is too
    short for both.
    """
    starts: list[int] = []
    ends: list[int] = []
    segmentation = _Segmentation(_THRESHOLD)
    for place, probability in enumerate(probabilities.tolist()):
        change = segmentation.feed(probability)
        if change == "start":
            starts.append(place * WINDOW)
        elif change == "end":
            assert segmentation.quiet_since is not None
            ends.append(segmentation.quiet_since * WINDOW)
    ends.extend([samples] * (len(starts) - len(ends)))
    found = [Span(*span) for span in zip(starts, ends, strict=True) if span[1] - span[0] > _SHORTEST * _RATE]
    margin = int(_MARGIN * _RATE)
    moved = [min(margin, (after.start - before.end) // 2) for before, after in pairwise(found)]
    return [
        Span(max(0, span.start - before), min(samples, span.end + after))
        for span, before, after in zip(found, [margin, *moved], [*moved, margin], strict=False)
    ]


class _Network:
    """The detector's network; the caller keeps its memory."""

    def __init__(self) -> None:
        import onnxruntime  # late: a module that only asks for constants should not wait for it

        options = onnxruntime.SessionOptions()
        options.inter_op_num_threads = options.intra_op_num_threads = 1
        self._session: Any = onnxruntime.InferenceSession(
            str(locations.voice_activity_detector()), options, providers=["CPUExecutionProvider"]
        )

    def __call__(self, windows: FloatArray, state: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Probabilities ``(n,)`` of speech in windows with their context, ``(n, 288)``, and the next state."""
        inputs = {"input": windows, "state": state, "sr": np.array(_RATE, np.int64)}
        speech, state = self._session.run(None, inputs)
        return speech[:, 0], state
