"""Voice activity: what Silero's own code finds, which needs torch, is found without it."""

import numpy as np
import pytest
import silero_vad
import torch

from model import locations
from model.data.corpora import recording
from model.data.speech import resample
from model.data.voice_activity import WINDOW, StreamActivity, VoiceActivity, spans_of
from model.retrieval.gallery import Gallery


@pytest.fixture(scope="module")
def recordings():
    """Three words each, with pauses of all lengths between them, at 8 kHz."""
    gallery, random = Gallery.load(locations.shipped_gallery()), np.random.default_rng(0)
    first, found = len(gallery.image_features), []
    for index in range(first, first + 600, 24):
        word = resample(*recording(gallery.key(index)), 8000)
        parts = []
        for _ in range(3):
            hiss = random.normal(0, 0.003, int(random.uniform(0, 6000))).astype(np.float32)
            parts.extend([word * np.float32(random.uniform(0.05, 1)), hiss])
        found.append(np.concatenate(parts))
    return found


def test_the_network_gives_the_probabilities_of_the_package(recordings):
    theirs, ours = silero_vad.load_silero_vad(onnx=True), VoiceActivity()
    for sound in recordings:
        theirs.reset_states()
        expected = theirs.audio_forward(torch.from_numpy(sound), 8000)[0].numpy()
        np.testing.assert_allclose(ours.probabilities(sound), expected, atol=1e-5)


def spans_in(recordings):
    detector = VoiceActivity()
    return [spans_of(detector.probabilities(sound), len(sound)) for sound in recordings]


def test_recordings_are_divided_as_by_silero(recordings):
    model = silero_vad.load_silero_vad(onnx=True)
    found = spans_in(recordings)
    assert max(map(len, found)) == 3
    assert min(map(len, found)) < 3, "pauses of both kinds"
    for spans, sound in zip(found, recordings, strict=True):
        expected = silero_vad.get_speech_timestamps(
            torch.from_numpy(sound),
            model,
            threshold=0.3,
            sampling_rate=8000,
            min_speech_duration_ms=60,
            min_silence_duration_ms=300,
            speech_pad_ms=60,
        )
        assert [(span.start, span.end) for span in spans] == [(one["start"], one["end"]) for one in expected]


def test_a_stream_is_divided_as_by_silero(recordings):
    model = silero_vad.load_silero_vad(onnx=True)
    theirs = silero_vad.VADIterator(model, threshold=0.5, sampling_rate=8000, min_silence_duration_ms=300)
    ours = StreamActivity()
    changes = []
    for sound in recordings[:6]:
        theirs.reset_states()
        ours.reset()
        for start in range(0, len(sound) - WINDOW + 1, WINDOW):
            window = sound[start : start + WINDOW]
            expected = next(iter(theirs(torch.from_numpy(window)) or {}), None)
            changes.append(ours.feed(window))
            assert changes[-1] == expected
    assert {"start", "end"} < set(changes)


def test_a_recording_without_speech_has_no_spans():
    assert spans_in([np.zeros(8000, np.float32), np.zeros(0, np.float32)]) == [[], []]


def test_what_is_hardly_longer_than_a_click_is_dropped_and_speech_lasts_to_the_end():
    probabilities = np.zeros(40, np.float32)
    probabilities[2] = 0.9
    probabilities[30:] = 0.9
    assert spans_of(probabilities, 40 * WINDOW - 10) == [(30 * WINDOW - 480, 40 * WINDOW - 10)]
