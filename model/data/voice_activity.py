"""Silero's voice activity detector, without torch: on recordings, and on a stream of sound.

The network is that of the package silero-vad, whose own code needs torch, and takes one window at a time; that in
``assets/voice_activity`` takes all windows of a recording. From its probabilities utterances are found as in the
package (``get_speech_timestamps`` and ``VADIterator``), which tests compare.
"""

from __future__ import annotations

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
_HYSTERESIS = 0.15  # speech ends where the probability falls so far below the threshold
_SHORTEST = 0.06  # seconds: what is shorter is no utterance
_MARGIN = 0.06  # seconds by which utterances are extended
_THRESHOLD, _STREAM_THRESHOLD = 0.3, 0.5  # in a recording there is a word, in a stream perhaps not

Change = Literal["start", "end"]

Memory = tuple[FloatArray, FloatArray]
"""Of the network, from one window to the next: hidden and cell state of its LSTM, ``(1, 1, 128)`` each."""

_SILENCE: Memory = (np.zeros((1, 1, 128), np.float32), np.zeros((1, 1, 128), np.float32))


class Span(NamedTuple):
    """An utterance within a recording: its first sample, and the one after its last."""

    start: int
    end: int


class VoiceActivity:
    """Tells how likely there is speech at each moment of a recording at 8 kHz; one instance belongs to one thread."""

    def __init__(self) -> None:
        self._network = _Network()

    def probabilities(self, recording: FloatArray) -> FloatArray:
        """The probability of speech in each window of a recording ``(n,)``; the last is filled up with silence."""
        if not len(recording):
            return np.zeros(0, np.float32)
        padded = np.pad(recording, (_CONTEXT, -len(recording) % WINDOW))
        windows = np.lib.stride_tricks.sliding_window_view(padded, _CONTEXT + WINDOW)[::WINDOW]
        return self._network(windows, _SILENCE)[0]


class StreamActivity:
    """Follows a stream of sound at 8 kHz, window by window; one instance belongs to one thread."""

    def __init__(self) -> None:
        self._network = _Network()
        self.reset()

    def reset(self) -> None:
        """Begin a new stream."""
        self._memory = _SILENCE
        self._context = np.zeros(_CONTEXT, np.float32)
        self._segmentation = _Segmentation(_STREAM_THRESHOLD)

    def feed(self, window: FloatArray) -> Change | None:
        """Process the next :data:`WINDOW` samples: whether an utterance has begun or ended."""
        heard = np.concatenate([self._context, window]).astype(np.float32)
        self._context = heard[-_CONTEXT:]
        probabilities, self._memory = self._network(heard[None], self._memory)
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

    def __call__(self, windows: FloatArray, memory: Memory) -> tuple[FloatArray, Memory]:
        """Probabilities ``(n,)`` of speech in windows in their order, ``(n, 288)``, and the memory after them."""
        hidden, cell = memory
        inputs = {"windows": np.ascontiguousarray(windows, np.float32), "hidden": hidden, "cell": cell}
        speech, hidden, cell = self._session.run(None, inputs)
        return speech, (hidden, cell)
