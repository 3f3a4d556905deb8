"""What a user gives is read for what it is: no program starts, no other file is opened, nothing waits for ever."""

import io
import json
import os
import shlex
import wave

import av
import numpy as np
import pytest
import soundfile
from PIL import Image
from rich.table import Table
from typer.testing import CliRunner

from model.cli.console import notes, progress_text, tables
from model.cli.main import app
from model.data.images import UnusablePicture, read_picture
from model.data.inputs import RationedFile, printable
from model.data.segmentation import normalise_digit
from model.data.speech import LOUDEST_PEAK, SpeechFrontEnd, UnusableAudio, read_audio, resample
from model.retrieval.retriever import Retriever

needs_pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no named pipes in folders")


def tone(rate=8000):
    return (0.3 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)).astype(np.float32)


def with_rate(rate):
    file = io.BytesIO()
    soundfile.write(file, tone(), 8000, format="WAV")
    content = bytearray(file.getvalue())
    content[24:28] = rate.to_bytes(4, "little")
    return io.BytesIO(content)


# Pictures


@pytest.mark.skipif(os.name == "nt", reason="the false Ghostscript is a shell script")
def test_no_picture_starts_a_program(tmp_path, monkeypatch):
    started = tmp_path / "started"
    for name in ("gs", "gswin64c", "djpeg", "convert"):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\ntouch {shlex.quote(str(started))}\necho 10.0\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    from PIL import EpsImagePlugin

    monkeypatch.setattr(EpsImagePlugin, "gs_binary", None)  # found anew
    file = io.BytesIO()
    Image.new("L", (40, 40), 255).save(file, "EPS")
    path = tmp_path / "x.png"
    path.write_bytes(file.getvalue())
    with pytest.raises(UnusablePicture, match="not a picture that can be read"):
        read_picture(path)
    assert not started.exists()


@pytest.mark.parametrize("form", ["EPS", "PPM", "TGA", "PCX", "ICO", "SGI", "PDF", "DDS", "ICNS"])
def test_other_formats_are_not_tried(form):
    file = io.BytesIO()
    Image.new("RGB", (64, 64)).save(file, form)
    with pytest.raises(UnusablePicture, match="not a picture that can be read"):
        read_picture(file.getvalue())


def test_a_large_photo_and_a_large_scan_are_read():
    for form, size in (("JPEG", (9000, 6000)), ("PNG", (4960, 7016))):
        file = io.BytesIO()
        Image.new("L", size, 200).save(file, form)
        assert max(read_picture(file.getvalue()).shape) == 1600


def test_thin_strokes_of_a_large_drawing_are_widened_evenly():
    drawing = np.full((800, 800), 255, np.uint8)
    drawing[5:-5, 400] = 0
    seen_by_encoder = normalise_digit(drawing)
    columns = seen_by_encoder[6:22].mean(axis=0)
    assert 1.5 < columns.sum() < 3
    assert seen_by_encoder[6:22].std(axis=0).max() < 0.01


# Sounds


@pytest.mark.parametrize("rate", [0, 1, 3999, 768_001, 4_000_000, 268_443_456, 2**31 - 1, 2**32 - 1])
def test_what_is_no_rate_of_a_sound_is_refused(rate):
    with pytest.raises(UnusableAudio, match=r"sampling rate|can't be read"):
        read_audio(with_rate(rate))


@pytest.mark.parametrize("rate", [4000, 8000, 44_100, 192_000, 768_000])
def test_rates_of_real_recordings_are_read(rate):
    assert read_audio(with_rate(rate))[1] == rate


@pytest.mark.parametrize("rate", [4001, 7999, 11_023, 44_101, 47_999, 96_001, 655_351, 767_999])
def test_odd_rates_are_resampled_with_a_small_filter(rate):
    resampled = resample(tone(rate), rate, 8000)
    assert len(resampled) == pytest.approx(8000, abs=12)
    spectrum = np.abs(np.fft.rfft(resampled * np.hanning(len(resampled))))
    assert np.argmax(spectrum) * 8000 / len(resampled) == pytest.approx(440, abs=1.5)


@pytest.mark.parametrize("playlist", ["ffconcat version 1.0\nfile {}\n", "#EXTM3U\n#EXTINF:1,\n{}\n#EXT-X-ENDLIST\n"])
def test_a_playlist_plays_no_other_file(tmp_path, monkeypatch, playlist):
    soundfile.write(tmp_path / "secret.wav", tone(), 8000)
    monkeypatch.chdir(tmp_path)
    for name in ("list.m4a", "list.m3u8", "list.ffconcat"):
        (tmp_path / name).write_text(playlist.format("secret.wav"))
        with pytest.raises(UnusableAudio, match="can't be read as sound"):
            read_audio(name)


def test_a_name_is_no_address(tmp_path, monkeypatch):
    soundfile.write(tmp_path / "secret.wav", tone(), 8000)
    monkeypatch.chdir(tmp_path)
    for name in ("file:secret.wav", "concat:secret.wav|secret.wav", "http://127.0.0.1:9/x.wav"):
        with pytest.raises(UnusableAudio, match="does not exist"):
            read_audio(name)


def test_a_film_with_sound_is_heard(tmp_path):
    path = tmp_path / "film.mp4"
    with av.open(str(path), "w") as container:
        picture = container.add_stream("mpeg4", rate=10)
        picture.width, picture.height, picture.pix_fmt = 64, 64, "yuv420p"
        sound = container.add_stream("aac", rate=16000, layout="mono")
        for _ in range(10):
            container.mux(picture.encode(av.VideoFrame(64, 64, "yuv420p")))
        frame = av.AudioFrame.from_ndarray(tone(16000)[None, :15360], format="fltp", layout="mono")
        frame.sample_rate = 16000
        container.mux(sound.encode(frame))
        container.mux(picture.encode(None))
        container.mux(sound.encode(None))
    samples, rate = read_audio(path)
    assert rate == 16000
    assert len(samples) == pytest.approx(16000, rel=0.2)
    assert np.abs(samples).max() > 0.2


def test_a_claim_of_gigabytes_is_refused_before_they_are_read(tmp_path):
    path = tmp_path / "sparse.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, 48_000, 0, "NONE", ""))
        file.writeframes(b"")
    content = bytearray(path.read_bytes())
    content[4:8] = content[40:44] = (2**32 - 100).to_bytes(4, "little")
    with path.open("wb") as file:
        file.write(content)
        file.truncate(2**32 - 1)
    with pytest.raises(UnusableAudio, match="longer than a minute"):
        read_audio(path)


def test_many_channels_at_a_high_rate_are_refused():
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", 655_350, 8, "PCM_16", format="FLAC") as output:
        for _ in range(5):
            output.write(np.zeros((655_350, 8), np.int16))
    with pytest.raises(UnusableAudio, match="8 channels at 655350 Hz"):
        read_audio(io.BytesIO(file.getvalue()))


def test_a_voc_that_ends_in_its_header_is_told():
    with pytest.raises(UnusableAudio, match="can't be read as sound"):
        read_audio(io.BytesIO(bytes.fromhex("437265617469766520566f6963652046696c651a1a0014011f")))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30, 2 * LOUDEST_PEAK])
def test_values_that_no_sound_has_are_told(word, value):
    samples, rate = word()
    samples = samples.copy()
    samples[len(samples) // 2] = value
    with pytest.raises(UnusableAudio, match=r"not numbers|beyond full scale"):
        SpeechFrontEnd().trim(samples, rate)


def test_a_word_in_integers_as_floats_is_heard_as_it_is(word):
    samples, rate = word()
    front_end = SpeechFrontEnd()
    usual, large = (front_end.filterbank(front_end.trim(samples * np.float32(scale), rate)) for scale in (0.5, 2.0**31))
    np.testing.assert_allclose(large, usual, atol=1e-3)


# Files


@needs_pipes
def test_pipes_devices_and_folders_do_not_hang(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for path, words in ((tmp_path / "pipe", "pipe or a device"), (tmp_path / "folder", "folder")):
        with pytest.raises(UnusablePicture, match=words):
            read_picture(path)
        with pytest.raises(UnusableAudio, match=words):
            read_audio(path)


def test_a_rationed_file_ends():
    file = RationedFile(io.BytesIO(bytes(10**6)), 100_000)
    sizes = []
    while data := file.read(30_000):
        sizes.append(len(data))
        file.seek(0)
    assert sum(sizes) == 120_000
    tiny = RationedFile(io.BytesIO(bytes(10**6)), 100_000)
    assert sum(1 for _ in iter(lambda: tiny.read(1), b"")) < 100


# ``modinv query``


@pytest.fixture
def no_model(monkeypatch):
    """Reads files as ever, but knows nothing."""

    class Reader:
        ask_file = Retriever.ask_file
        ask_sound_file = Retriever.ask_sound_file

        def __init__(self, *_):
            pass

        def over(self, _gallery):
            return self

        def ask_picture(self, picture, _count):
            normalise_digit(picture)
            raise UnusablePicture("read")

        def ask_sound(self, samples, rate, _count):
            SpeechFrontEnd().trim(samples, rate)
            raise UnusableAudio("read")

    monkeypatch.setattr("model.retrieval.retriever.Retriever", Reader)


def query(*files):
    return CliRunner().invoke(app, ["query", *map(str, files)])


@pytest.mark.usefixtures("no_model")
@pytest.mark.parametrize("name", ["x[/b].png", "[red]x[", "x:smile:.png", "x\x1b[31m.wav", "x\udcff.png"])
def test_a_path_is_shown_as_it_is(tmp_path, name):
    result = query(tmp_path / name)
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert printable(name) in result.stderr
    result = query(tmp_path / name, "--json")
    assert json.loads(result.stdout)[0]["file"] == str(tmp_path / name)


def test_tables_and_progress_take_names_as_they_are(capsys):
    name = "x[/b] [red] :smile:"
    tables().print(Table(name, title=name, caption=name))
    with notes().status(progress_text(0.5, name)):
        pass
    assert capsys.readouterr().out.count(name) == 3


@needs_pipes
@pytest.mark.usefixtures("no_model")
def test_no_file_keeps_the_others_from_being_asked(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "voc.wav").write_bytes(bytes.fromhex("437265617469766520566f6963652046696c651a1a0014011f"))
    soundfile.write(tmp_path / "loud.wav", tone() * np.float32(1e30), 8000, subtype="FLOAT")
    Image.fromarray(np.pad(np.zeros((50, 9), np.uint8), 20, constant_values=255)).save(tmp_path / "one.png")
    files = [tmp_path / name for name in ("pipe.png", "pipe.wav", "voc.wav", "loud.wav", "one.png")]
    answers = json.loads(query(*files, "--json").stdout)
    assert [answer["file"] for answer in answers] == [str(file) for file in files]
    assert answers[-1]["error"] == "read"
