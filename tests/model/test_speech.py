"""From files, recordings and streams to what the speech encoder sees."""

import io
import subprocess
import sys

import av
import numpy as np
import pytest
import soundfile
import torch
from torchaudio.compliance import kaldi

from model.data.speech import (
    SAMPLE_RATE,
    FilterbankSettings,
    SpeechFrontEnd,
    UnusableAudio,
    UtteranceDetector,
    read_audio,
    resample,
)


@pytest.fixture(scope="module")
def front_end():
    return SpeechFrontEnd()


def tone(seconds=0.5, rate=8000, hertz=440.0, amplitude=0.5):
    return (amplitude * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def noise(seconds, rate, level=1e-3, seed=0):
    return np.random.default_rng(seed).normal(0, level, round(seconds * rate)).astype(np.float32)


# Filterbanks


def reference(utterance):
    """Kaldi's log mel energies with the paper's settings, 45 dB deep, normalised over the utterance."""
    energies = kaldi.fbank(
        torch.from_numpy(utterance)[None] * 2**15,
        num_mel_bins=80,
        frame_length=25,
        frame_shift=10,
        window_type="povey",
        sample_frequency=8000,
        dither=0.0,
    ).numpy()
    energies = energies.clip(min=energies.max() + np.log(10**-4.5).astype(np.float32))
    return (energies - energies.mean()) / energies.std()


def frames(samples):
    """Whole windows of 25 ms every 10 ms at 8 kHz."""
    return 1 + (samples - 200) // 80


def test_settings_are_the_papers_but_for_the_range():
    assert FilterbankSettings().to_dict() == {
        "sample_rate": 8000,
        "bins": 80,
        "window_milliseconds": 25.0,
        "shift_milliseconds": 10.0,
        "window": "povey",
        "frames": 100,
        "range_decibels": 45.0,  # not the paper's: see below
    }


def test_digital_silence_weighs_no_more_than_a_quiet_room(front_end):
    word = np.concatenate([np.zeros(800, np.float32), noise(0.4, 8000, 0.1), np.zeros(800, np.float32)])
    room = word + noise(len(word) / 8000, 8000, 1e-5, seed=1)
    np.testing.assert_allclose(front_end.filterbank(word), front_end.filterbank(room), atol=0.02)
    assert front_end.filterbank(word).min() > -5


def test_a_short_utterance_is_kaldis_filterbank_padded_after_normalising(front_end):
    utterance = noise(0.6, 8000, 0.1)
    features = front_end.filterbank(utterance)
    count = frames(len(utterance))
    assert features.shape == (100, 80)
    assert features.dtype == np.float32
    np.testing.assert_allclose(features[:count], reference(utterance), atol=1e-4)
    assert (features[count:] == 0).all()
    assert features[:count].mean() == pytest.approx(0, abs=1e-5)
    assert features[:count].std() == pytest.approx(1, abs=1e-5)


def test_a_long_utterance_is_cropped_at_its_centre_after_normalising(front_end):
    utterance = noise(1.7, 8000, 0.1) * np.linspace(0.01, 1, 13600, dtype=np.float32)
    whole = reference(utterance)
    assert len(whole) == 168
    np.testing.assert_allclose(front_end.filterbank(utterance), whole[34:134], atol=1e-4)


@pytest.mark.parametrize("count", [99, 100, 101])
def test_lengths_around_100_frames(front_end, count):
    utterance = noise((200 + 80 * (count - 1)) / 8000, 8000, 0.1)
    whole = reference(utterance)
    assert len(whole) == count
    features = front_end.filterbank(utterance)
    np.testing.assert_allclose(features[: min(count, 100)], whole[:100], atol=1e-4)
    assert features.shape == (100, 80)


def test_loudness_does_not_matter(front_end):
    utterance = noise(0.5, 8000, 0.2)
    np.testing.assert_allclose(front_end.filterbank(0.1 * utterance), front_end.filterbank(utterance), atol=2e-3)


def test_a_constant_sound_stays_finite(front_end):
    assert np.isfinite(front_end.filterbank(np.zeros(4000, np.float32))).all()


@pytest.mark.parametrize("count", [0, 1, 199])
def test_less_than_a_window_is_too_short(front_end, count):
    with pytest.raises(UnusableAudio, match="too short"):
        front_end.filterbank(np.ones(count, np.float32))


# Resampling


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 48000])
def test_resampling_keeps_pitch_length_and_loudness(rate):
    resampled = resample(tone(0.5, rate), rate, SAMPLE_RATE)
    assert len(resampled) == pytest.approx(4000, abs=1)
    inner = slice(200, 3800)
    np.testing.assert_allclose(resampled[:4000][inner], tone()[inner], atol=0.01)


def test_resampling_removes_what_8_khz_cannot_hold():
    assert np.abs(resample(tone(0.5, 48000, 6000.0), 48000, SAMPLE_RATE)[200:-200]).max() < 0.01


def test_odd_rates_need_no_odd_memory():
    # A ratio in lowest terms of 8,000 to 44,099 would take a filter of gigabytes.
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_DATA, (2**31, 2**31));"
        "import numpy as np; from model.data.speech import resample;"
        "x = np.sin(2 * np.pi * 440 * np.arange(22050) / 44099).astype('f4');"
        "y = resample(x, 44099, 8000); print(len(y), np.abs(np.fft.rfft(y)).argmax() * 8000 / len(y))"
    )
    if sys.platform != "linux":
        pytest.skip("memory is limited as Linux does")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr[-300:]
    length, hertz = map(float, done.stdout.split())
    assert length == pytest.approx(4000, abs=2)
    assert hertz == pytest.approx(440, abs=2.1)


# Finding the utterance


@pytest.mark.parametrize("rate", [16000, 44100])
def test_a_word_between_silences_is_found(front_end, word, rate):
    clip = resample(*word(), rate)
    before, after = 1.0, 1.3
    recording = np.concatenate([noise(before, rate), clip, noise(after, rate, seed=1)])
    found = front_end.trim(recording, rate)
    # Its place, by correlation with the recording at the front end's rate.
    at_8k = resample(recording, rate, SAMPLE_RATE)
    starts = np.flatnonzero(np.lib.stride_tricks.sliding_window_view(at_8k, 200) @ found[:200] > 0)
    start = next(s for s in starts if np.array_equal(at_8k[s : s + len(found)], found)) / SAMPLE_RATE
    end = start + len(found) / SAMPLE_RATE
    loud = np.flatnonzero(np.abs(clip) > 0.1 * np.abs(clip).max()) / rate + before
    # The detector hears the vowel; a soft consonant before it may lose some of its beginning.
    assert before - 0.2 < start <= loud[0] + 0.06
    assert loud[-1] <= end + 0.05
    assert end < before + len(clip) / rate + 0.3


def test_a_quiet_word_is_found_too_and_not_made_louder(front_end, word):
    clip, rate = word()
    quiet = 0.01 * clip / np.abs(clip).max()
    found = front_end.trim(np.concatenate([noise(0.5, rate, 1e-5), quiet, noise(0.5, rate, 1e-5)]), rate)
    assert len(found) > 0.2 * SAMPLE_RATE
    assert 0.005 < np.abs(found).max() < 0.015


def test_of_two_utterances_the_longest_is_taken(front_end, word):
    short, rate = word("kokoro_af_bella/fast/two.opus")
    long, _ = word("kokoro_af_bella/slow/seven.opus")
    gap = noise(1.0, rate)
    alone = front_end.trim(np.concatenate([gap, long, gap]), rate)
    found = front_end.trim(np.concatenate([gap, short, gap, long, gap]), rate)
    assert len(found) == pytest.approx(len(alone), abs=0.1 * SAMPLE_RATE)


def test_a_clip_without_any_silence_around_it_is_kept_whole(front_end, word):
    clip, rate = word()
    loud = np.flatnonzero(np.abs(clip) > 0.1 * np.abs(clip).max())
    tight = clip[loud[0] : loud[-1]]
    assert len(front_end.trim(tight, rate)) > 0.8 * len(tight) * SAMPLE_RATE / rate


def test_trimming_again_and_again_gives_the_same(front_end, word):
    clip, rate = word()
    first = front_end.trim(clip, rate)
    with pytest.raises(UnusableAudio):
        front_end.trim(noise(1, 8000, 0.1), 8000)
    np.testing.assert_array_equal(front_end.trim(clip, rate), first)


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        (np.zeros(8000, np.float32), "completely silent.*microphone"),
        (np.zeros(0, np.float32), "completely silent"),
        (tone(1.0, amplitude=1e-3), "too quiet"),
        (np.full(8000, np.nan, np.float32), "not numbers"),
        (np.append(tone(), np.float32(np.inf)), "not numbers"),
        (noise(1.0, 8000, 0.1), "No speech was found"),
        (np.append(np.zeros(7999, np.float32), np.float32(1.0)), "No speech was found"),
        (tone()[:50], "No speech was found"),
    ],
)
def test_what_holds_no_word_says_why(front_end, samples, words):
    with pytest.raises(UnusableAudio, match=words):
        front_end.trim(samples, 8000)


# Files


def encoded(path, samples, rate, codec):
    """Write with PyAV what soundfile can't."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
        frame.rate = rate
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)


def similarity(one, other, rate):
    """The best correlation of two sounds over delays up to 100 ms: encoders add some."""
    length = min(len(one), len(other))
    one, other = one[:length], other[:length]
    spectrum = np.fft.rfft(one, 2 * length) * np.fft.rfft(other, 2 * length).conj()
    correlation = np.fft.irfft(spectrum)
    delay = round(0.1 * rate)
    best = np.concatenate([correlation[:delay], correlation[-delay:]]).max()
    return best / (np.linalg.norm(one) * np.linalg.norm(other))


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".mp3", ".ogg", ".opus", ".aiff", ".m4a", ".mka"])
def test_every_usual_format_is_read(tmp_path, word, suffix):
    clip, rate = word()
    path = tmp_path / f"word{suffix}"
    if suffix in (".m4a", ".mka"):
        encoded(path, clip, rate, "aac")
    else:
        soundfile.write(
            path, clip, rate, format="OGG" if suffix == ".opus" else None, subtype="OPUS" if suffix == ".opus" else None
        )
    samples, found_rate = read_audio(path)
    assert found_rate == rate
    assert samples.dtype == np.float32
    assert samples.ndim == 1
    assert len(samples) == pytest.approx(len(clip), abs=0.15 * rate)
    assert similarity(samples, clip, rate) > 0.95


@pytest.mark.parametrize("suffix", [".wav", ".m4a"])
def test_a_path_a_string_and_an_open_file_are_read_alike(tmp_path, word, suffix):
    clip, rate = word()
    path = tmp_path / f"word{suffix}"
    if suffix == ".wav":
        soundfile.write(path, clip, rate)
    else:
        encoded(path, clip, rate, "aac")
    first, _ = read_audio(path)
    np.testing.assert_array_equal(read_audio(str(path))[0], first)
    np.testing.assert_array_equal(read_audio(io.BytesIO(path.read_bytes()))[0], first)


def test_channels_are_averaged(tmp_path):
    left = tone(0.2, 44100)
    soundfile.write(tmp_path / "stereo.wav", np.stack([left, 0 * left], 1), 44100, subtype="FLOAT")
    samples, rate = read_audio(tmp_path / "stereo.wav")
    assert rate == 44100
    np.testing.assert_allclose(samples, left / 2, atol=1e-6)


def test_a_minute_is_read_and_a_second_more_is_not(tmp_path):
    soundfile.write(tmp_path / "minute.wav", np.zeros(60 * 8000), 8000)
    assert len(read_audio(tmp_path / "minute.wav")[0]) == 480_000
    soundfile.write(tmp_path / "long.wav", np.zeros(61 * 8000), 8000)
    with pytest.raises(UnusableAudio, match=r"long\.wav is longer than a minute"):
        read_audio(tmp_path / "long.wav")


def test_a_long_film_is_refused_too(tmp_path):
    encoded(tmp_path / "film.m4a", np.zeros(61 * 8000, np.float32), 8000, "aac")
    with pytest.raises(UnusableAudio, match=r"film\.m4a is longer than a minute"):
        read_audio(tmp_path / "film.m4a")


def _empty_wav(path):
    soundfile.write(path, np.zeros(0), 8000)


def _text(path):
    path.write_text("seven\n" * 50)


def _random(path):
    path.write_bytes(np.random.default_rng(0).bytes(3000))


def _no_bytes(path):
    path.write_bytes(b"")


def _half_a_header(path):
    soundfile.write(path, tone(), 8000)
    path.write_bytes(path.read_bytes()[:20])


def _picture(path):
    from PIL import Image

    Image.new("L", (28, 28)).save(path, "png")


def _folder(path):
    path.mkdir()


def _nothing(_):
    pass


@pytest.mark.parametrize("suffix", ["wav", "mp3", "m4a", "txt"])
@pytest.mark.parametrize("write", [_text, _random, _no_bytes, _picture, _folder, _nothing])
def test_what_is_no_sound_is_named(tmp_path, write, suffix):
    path = tmp_path / f"strange.{suffix}"
    write(path)
    with pytest.raises(UnusableAudio, match=rf"strange\.{suffix} (can't be read|is empty|does not exist)"):
        read_audio(path)


@pytest.mark.parametrize("write", [_empty_wav, _half_a_header])
def test_a_wav_without_sound_is_named(tmp_path, write):
    path = tmp_path / "strange.wav"
    write(path)
    with pytest.raises(UnusableAudio, match=r"strange\.wav (can't be read|is empty)"):
        read_audio(path)


def test_a_bad_stream_without_a_name_is_refused():
    with pytest.raises(UnusableAudio, match="The sound can't be read"):
        read_audio(io.BytesIO(b"no sound at all"))


# The stream


def stream(word, rate=48000):
    """Two words in noise, and where each lies, in samples."""
    pieces, places, length = [], [], 0
    for piece in (None, "kokoro_af_bella/plain/seven.opus", None, "kokoro_am_adam/plain/three.opus", None):
        sound = noise(1.2, rate, seed=length) if piece is None else 0.5 * resample(*word(piece), rate)
        if piece is not None:
            places.append((length, length + len(sound)))
        pieces.append(sound)
        length += len(sound)
    return np.concatenate(pieces), places


def feed(detector, samples, rate, chunk):
    return [
        utterance
        for start in range(0, len(samples), chunk)
        for utterance in detector.feed(samples[start : start + chunk], rate)
    ]


def position(samples, utterance):
    """Where an utterance was cut out of the stream: noise makes every stretch of it unique."""
    hits = np.flatnonzero(samples[: len(samples) - len(utterance) + 1] == utterance[0])
    return next(int(hit) for hit in hits if np.array_equal(samples[hit : hit + len(utterance)], utterance))


@pytest.mark.parametrize("rate", [16000, 44100, 48000])
def test_each_word_of_a_stream_is_one_utterance_that_contains_it(word, rate):
    samples, places = stream(word, rate)
    utterances = feed(UtteranceDetector(), samples, rate, 512)
    assert len(utterances) == 2
    for utterance, (start, end) in zip(utterances, places, strict=True):
        found = position(samples, utterance)
        loud = start + np.flatnonzero(np.abs(samples[start:end]) > 0.1 * np.abs(samples[start:end]).max())
        assert start - 0.4 * rate < found <= loud[0]
        assert loud[-1] <= found + len(utterance) < end + 0.6 * rate


def test_the_size_of_chunks_does_not_matter(word):
    samples, _ = stream(word)
    first, *others = (feed(UtteranceDetector(), samples, 48000, chunk) for chunk in (480, 1536, 5000, len(samples)))
    assert len(first) == 2
    for other in others:
        for one, same in zip(first, other, strict=True):
            np.testing.assert_array_equal(one, same)


@pytest.mark.parametrize("level", [0.0, 1e-3, 0.05])
def test_silence_and_noise_hold_no_utterance(level):
    detector = UtteranceDetector()
    assert feed(detector, noise(3, 16000, level), 16000, 512) == []
    assert not detector.active


def test_active_tells_whether_someone_speaks(word):
    samples, [(start, end), _] = stream(word, 16000)
    detector, active = UtteranceDetector(), []
    for place in range(0, len(samples), 512):
        detector.feed(samples[place : place + 512], 16000)
        active.append((place, detector.active))
    assert any(on for place, on in active if start < place < end)
    assert not any(on for place, on in active if place < start - 4000 or end + 9600 < place < end + 12000)


def test_reset_forgets_an_utterance_that_has_begun(word):
    samples, [(start, end), _] = stream(word, 16000)
    detector = UtteranceDetector()
    feed(detector, samples[: (start + end) // 2], 16000, 512)
    assert detector.active
    detector.reset()
    assert not detector.active
    assert feed(detector, noise(1, 16000), 16000, 512) == []


def test_endless_speech_is_cut_off_and_forgotten(word):
    clip, rate = word()
    loud = np.flatnonzero(np.abs(clip) > 0.1 * np.abs(clip).max())
    speech = np.tile(clip[loud[0] : loud[-1]], 20)
    utterances = feed(UtteranceDetector(), speech, rate, 512)
    assert len(utterances) >= 2
    assert max(map(len, utterances)) <= 3.05 * rate
