"""The corpora: official sizes and splits, what happens where one is missing or damaged, and the cache."""

import io
import json
import re
import zipfile

import numpy as np
import pytest
import soundfile
import torch

from model import locations
from model.cli.options import split_names
from model.data import filterbanks as filterbanks_module
from model.data.corpora import MissingData, find, recording, registry
from model.data.corpora.fsdd import Fsdd
from model.data.corpora.voices import Voices
from model.data.corpora.wild import Wild
from model.data.samples import Samples, joined
from model.data.speech import SpeechFrontEnd
from model.recipes.recipe import PAPER
from model.training.config import TrainingConfig
from model.types import Modality

SPEAKERS = {"george", "jackson", "lucas", "nicolas", "theo", "yweweler"}


@pytest.fixture
def unheard(monkeypatch):
    """Splits without the minutes of listening: names and labels are what is looked at."""

    def nothing(_name, _title, _state, keys, *_):
        return filterbanks_module.Filterbanks(torch.zeros(len(keys), 1, 1), torch.zeros(len(keys), 1), {}, {})

    for name in ("filterbanks", "usable_filterbanks"):
        monkeypatch.setattr(filterbanks_module, name, nothing)


@pytest.fixture
def few(tmp_path, word):
    """A folder of corpora with six FSDD recordings, two of them for testing."""
    folder = tmp_path / "data" / "fsdd" / "recordings"
    folder.mkdir(parents=True)
    samples, rate = word()
    for take in (0, 4, 5, 17):
        soundfile.write(folder / f"7_theo_{take}.wav", samples / (take + 1), rate, subtype="FLOAT")
    for take in (6, 7):
        soundfile.write(folder / f"3_lucas_{take}.wav", samples[::-1] / take, rate)
    return tmp_path / "data"


def zipped(folder, inside="", extra=()):
    """The recordings as a zip, without the folder."""
    recordings = folder / "fsdd" / "recordings"
    with zipfile.ZipFile(folder / "fsdd" / "recordings.zip", "w") as archive:
        for path in sorted(recordings.iterdir()):
            archive.write(path, inside + path.name)
            path.unlink()
        for name in extra:
            archive.writestr(name, b"no sound")
    recordings.rmdir()
    return folder


# FSDD


@pytest.mark.usefixtures("unheard")
def test_fsdd_has_its_official_splits(corpora_folder):
    train, test = (Fsdd(corpora_folder).load(split) for split in ("train+validation", "test"))
    assert (len(train), len(test)) == (2_700, 300)
    assert set(train.speakers) == set(test.speakers) == SPEAKERS
    assert np.bincount(test.labels).tolist() == [30] * 10
    assert np.bincount(train.labels).tolist() == [270] * 10
    assert not set(train.keys) & set(test.keys)
    for key, label, speaker, source in zip(test.keys, test.labels, test.speakers, test.sources, strict=True):
        digit, name, take = key.rsplit("/", 1)[-1].removesuffix(".wav").split("_")
        assert (int(digit), name) == (label, speaker)
        assert int(take) < 5
        assert source == f"FSDD {speaker}, take {take}"


@pytest.mark.usefixtures("unheard")
def test_the_last_five_takes_of_fsdd_are_for_validation(corpora_folder):
    whole, train, held_out = (Fsdd(corpora_folder).load(split) for split in ("train+validation", "train", "validation"))
    assert (len(train), len(held_out)) == (2_400, 300)
    assert np.bincount(held_out.labels).tolist() == [30] * 10
    assert set(held_out.speakers) == SPEAKERS
    assert {int(source.rsplit(maxsplit=1)[1]) for source in held_out.sources} == set(range(45, 50))
    assert {*train.keys, *held_out.keys} == set(whole.keys)
    assert list(train.keys) == [key for key in whole.keys if key not in held_out.keys]


def test_real_recordings_are_8_khz_speech(corpora_folder):
    corpus = Fsdd(corpora_folder)
    with zipfile.ZipFile(corpus.location()) as archive:
        name = next(name for name in archive.namelist() if name.endswith("7_jackson_0.wav"))
    samples, rate = corpus.clip(name)
    assert rate == 8000
    assert 0.2 < len(SpeechFrontEnd().trim(samples, rate)) / rate < 1


def test_fsdd_reads_a_folder(few):
    test, train = Fsdd(few).load("test"), Fsdd(few).load("train")
    assert test.keys == ("7_theo_0.wav", "7_theo_4.wav")
    assert train.keys == ("3_lucas_6.wav", "3_lucas_7.wav", "7_theo_17.wav", "7_theo_5.wav")
    assert train.labels.tolist() == [3, 3, 7, 7]
    assert train.speakers == ("lucas", "lucas", "theo", "theo")
    assert train.sources[2] == "FSDD theo, take 17"
    assert train.features.shape == (4, 100, 80)
    assert train.features.dtype == np.float32
    # The loudness of a recording is all that takes 5 and 17 differ in.
    np.testing.assert_allclose(train.features[2], train.features[3], atol=0.05, rtol=0.05)


def test_recordings_directly_in_the_folder_are_found(few):
    for path in (few / "fsdd" / "recordings").iterdir():
        path.rename(few / "fsdd" / path.name)
    assert len(Fsdd(few).load("test")) == 2


@pytest.mark.parametrize("inside", ["", "recordings/", "free-spoken-digit-dataset-master/recordings/"])
def test_a_zip_gives_what_the_folder_gave(few, inside):
    loose = Fsdd(few).load("train")
    packed = Fsdd(zipped(few, inside)).load("train")
    assert packed.keys == tuple(inside + key for key in loose.keys)
    np.testing.assert_array_equal(Fsdd(few).clip("recordings/7_theo_5.wav")[0], Fsdd(few).clip(packed.keys[-1])[0])
    assert packed.speakers == loose.speakers
    assert np.array_equal(packed.labels, loose.labels)
    assert np.array_equal(packed.features, loose.features)


def test_what_macos_adds_to_a_zip_is_no_recording(few):
    zipped(few, "recordings/", ["__MACOSX/recordings/._7_theo_17.wav", "recordings/.DS_Store", "recordings/77_x_5.wav"])
    assert len(Fsdd(few).load("train")) == 4


def test_missing_fsdd_says_where_to_get_it_and_where_to_put_it(tmp_path):
    assert Fsdd(tmp_path).location() is None
    with pytest.raises(MissingData, match=r"github\.com/Jakobovski.*recordings") as told:
        Fsdd(tmp_path).load("train")
    assert str(tmp_path / "fsdd") in str(told.value)


def test_a_damaged_zip_is_named(few):
    archive = zipped(few) / "fsdd" / "recordings.zip"
    archive.write_bytes(archive.read_bytes()[:-200])
    with pytest.raises(MissingData, match=r"recordings\.zip is not a whole zip file\. Get it again"):
        Fsdd(few).load("train")


def test_what_is_damaged_inside_a_zip_is_skipped_and_named(few, caplog):
    archive = zipped(few) / "fsdd" / "recordings.zip"
    content = bytearray(archive.read_bytes())
    content[200:1200] = bytes(1000)
    archive.write_bytes(content)
    assert Fsdd(few).load("train").keys == ("3_lucas_7.wav", "7_theo_17.wav", "7_theo_5.wav")
    words = r"3_lucas_6\.wav in .*recordings\.zip is damaged.*Get the corpus again"
    assert re.search(words, caplog.text)
    (why,) = Fsdd(few).contents().skipped.values()
    assert re.match(words, why)


@pytest.mark.parametrize("content", [b"", b"no sound"])
def test_a_damaged_recording_is_skipped_and_named(few, content, caplog):
    (few / "fsdd" / "recordings" / "7_theo_5.wav").write_bytes(content)
    assert Fsdd(few).load("train").keys == ("3_lucas_6.wav", "3_lucas_7.wav", "7_theo_17.wav")
    assert "1 of the 4 recordings of its train split can't be used" in caplog.text
    assert "recording 7_theo_5.wav can't be used" in caplog.text


@pytest.mark.parametrize("content", [b"", b"no sound"])
def test_if_no_recording_can_be_used_one_is_named(few, content):
    for path in (few / "fsdd" / "recordings").glob("7_theo_[04].wav"):
        path.write_bytes(content)
    with pytest.raises(MissingData, match=r"recording 7_theo_0\.wav can't be used"):
        Fsdd(few).load("test")


def test_a_zip_of_something_else_is_named(few):
    with zipfile.ZipFile(few / "fsdd" / "recordings.zip", "w") as archive:
        archive.writestr("holiday.jpg", b"")
    for path in (few / "fsdd" / "recordings").iterdir():
        path.unlink()
    with pytest.raises(MissingData, match=r"recordings\.zip holds no recordings named like 7_jackson_12\.wav"):
        Fsdd(few).load("test")


def test_an_archive_is_opened_once_for_all_its_recordings(monkeypatch, few):
    opened = []

    class Counted(zipfile.ZipFile):
        def __init__(self, *arguments, **options):
            opened.append(arguments)
            super().__init__(*arguments, **options)

    folder = zipped(few, "")
    monkeypatch.setattr(zipfile, "ZipFile", Counted)
    assert len(Fsdd(folder).load("train")) == 4
    assert len(opened) == 1


def test_an_archive_that_was_repaired_is_read_again(few):
    """Its directory is the same, and what could not be read is remembered."""
    folder = zipped(few, "")
    archive = folder / "fsdd" / "recordings.zip"
    whole = archive.read_bytes()
    archive.write_bytes(whole[:200] + bytes([whole[200] ^ 255]) + whole[201:])
    assert len(Fsdd(folder).load("train")) == 3
    archive.write_bytes(whole)
    assert len(Fsdd(folder).load("train")) == 4


# Wild


def test_strangers_are_split_by_speaker(tmp_path, word):
    samples, rate = word()
    with zipfile.ZipFile(tmp_path / "wild.zip", "w") as archive:
        for name in (
            "digits/two_00000003_0",
            "digits/one_00000002_0",
            "digits/nine_0000000f_1",
            "words/bird_00000003_0",
        ):
            content = io.BytesIO()
            soundfile.write(content, samples, rate, format="WAV")
            archive.writestr(f"{'words' if 'bird' in name else 'digits'}/{name}.wav", content.getvalue())
    (tmp_path / "wild").mkdir()
    (tmp_path / "wild.zip").rename(tmp_path / "wild" / "wild.zip")
    train, held_out = Wild(tmp_path).load("train"), Wild(tmp_path).load("validation")
    assert (train.keys, train.labels.tolist()) == (("one_00000002_0.wav",), [1])
    assert (held_out.speakers, held_out.labels.tolist()) == (("0000000f", "00000003"), [9, 2])
    np.testing.assert_allclose(Wild(tmp_path).clip("two_00000003_0.wav")[0], samples, atol=1e-4)
    with pytest.raises(MissingData, match="no test split, only train and validation"):
        Wild(tmp_path).load("test")


@pytest.mark.usefixtures("unheard")
def test_the_strangers_are_as_many_as_documented(corpora_folder):
    train, held_out = (Wild(corpora_folder).load(split) for split in ("train", "validation"))
    assert (len(train), len(set(train.speakers))) == (123, 45)
    assert (len(held_out), len(set(held_out.speakers))) == (81, 41)


# Voices


@pytest.mark.usefixtures("unheard")
def test_voices_keep_speakers_and_an_engine_for_testing():
    train, test = Voices().load("train"), Voices().load("test")
    engine = Voices(engine_only=True).load("test")
    assert not set(train.speakers) & set(test.speakers)
    assert set(engine.speakers) < set(test.speakers)
    heard, unheard_ = ({speaker.split("_")[0] for speaker in side.speakers} for side in (train, engine))
    assert not heard & unheard_
    for samples in (train, test, engine):
        assert len(samples) == len(set(samples.keys)) == len(samples.sources)
        assert (np.bincount(samples.labels, minlength=10) > 0).all()
    words = {key.rsplit("/", 1)[1]: label.item() for key, label in zip(train.keys, train.labels, strict=True)}
    assert words["oh.opus"] == words["zero.opus"] == 0
    assert words["seven.opus"] == 7


@pytest.mark.usefixtures("unheard")
def test_whole_voices_are_for_validation():
    whole, train, held_out = (Voices().load(split) for split in ("train+validation", "train", "validation"))
    assert len(train) + len(held_out) == len(whole)
    assert set(held_out.speakers) == {"kokoro_af_aoede", "kokoro_hf_beta", "kokoro_zm_yunyang", "flite_rms"}
    assert not set(held_out.speakers) & set(train.speakers)
    voices = json.loads(Voices().location().with_suffix(".json").read_text("utf-8"))["voices"]
    assert not {parent for voice in voices for parent in voice["parents"]} & set(held_out.speakers)


@pytest.mark.usefixtures("unheard")
def test_every_named_clip_of_a_voice_is_there():
    keys = Voices().load("test").keys
    with zipfile.ZipFile(Voices().location()) as archive:
        assert set(keys) <= set(archive.namelist())
    samples, rate = Voices().clip(keys[0])
    assert rate >= 8000
    assert 0.1 < len(samples) / rate < 3
    assert np.abs(samples).max() > 0.05


def test_missing_voices_say_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(locations, "assets", lambda: tmp_path)
    for ask in (lambda: Voices().load("train"), lambda: Voices().clip("x/plain/two.opus")):
        with pytest.raises(MissingData, match=r"[Ii]nstall the application again"):
            ask()


def test_damaged_voices_say_what_to_do(tmp_path, monkeypatch):
    (tmp_path / "voices").mkdir()
    (tmp_path / "voices" / "voices.zip").write_bytes(b"PK, but no zip")
    monkeypatch.setattr(locations, "assets", lambda: tmp_path)
    with pytest.raises(MissingData, match="damaged: install the application again"):
        Voices().clip("x/plain/two.opus")


# Names


def test_a_configuration_sorts_corpora_by_modality_in_the_order_of_their_names():
    config = TrainingConfig(PAPER, split_names(" voices, mnist ,fsdd,"))
    assert (config.images, config.speech) == (("mnist",), ("voices", "fsdd"))
    assert split_names("") == ()


def test_an_unknown_corpus_is_answered_with_those_there_are():
    with pytest.raises(ValueError, match=r"'timit'.*mnist, fsdd, voices"):
        find("timit")


def test_every_corpus_says_what_it_is_whose_and_where_from():
    assert list(registry())[:4] == ["mnist", "fsdd", "voices", "wild"]
    for kind in registry().values():
        assert kind.info.title
        assert kind.info.licence
        assert kind.info.citation
        assert kind.info.origin


def test_a_folder_of_the_environment_is_where_corpora_are_looked_for(few, monkeypatch):
    monkeypatch.setenv("MODINV_DATA", str(few))
    assert Fsdd().location() == few / "fsdd" / "recordings"


# Samples


def some(speakers=("ann", "bob", "ann")):
    number = np.arange(3)
    features = np.tile(number.astype(np.float32)[:, None, None], (1, 100, 80))
    return Samples("c", Modality.SPEECH, features, number, ("x", "y", "z"), speakers, ("kx", "ky", "kz"))


def test_choosing_samples_keeps_everything_together():
    chosen = some().only([2, 0])
    assert chosen.features[:, 0, 0].tolist() == chosen.labels.tolist() == [2, 0]
    assert (chosen.sources, chosen.speakers, chosen.keys) == (("z", "x"), ("ann", "ann"), ("kz", "kx"))


def test_a_speaker_can_be_taken_out_and_put_back():
    assert some().spoken_by("ann").keys == ("kx", "kz")
    assert some().without("ann").keys == ("ky",)
    assert len(some().spoken_by("eve")) == 0
    both = joined([some().without("ann"), some().spoken_by("ann")])
    assert both.keys == ("ky", "kx", "kz")
    assert both.labels.tolist() == both.features[:, 0, 0].tolist() == [1, 0, 2]


# Recordings by the keys that galleries keep


def test_a_recording_is_found_by_its_key(few):
    samples, rate = recording("fsdd:recordings/7_theo_5.wav", few)
    np.testing.assert_array_equal(samples, Fsdd(few).clip("recordings/7_theo_5.wav")[0])
    assert rate == 16_000


@pytest.mark.parametrize("key", ["timit:sa1.wav", "voices:x/plain/two.opus", "fsdd:7_theo_3.wav", "mnist:3"])
def test_a_recording_that_is_nowhere_is_named(tmp_path, key):
    with pytest.raises(MissingData, match=f"The recording {key} can't be found"):
        recording(key, tmp_path)


def test_a_recording_of_a_missing_corpus_says_how_to_get_it(tmp_path):
    with pytest.raises(MissingData, match="modinv data get fsdd"):
        recording("fsdd:7_theo_3.wav", tmp_path)


def test_a_recording_in_a_damaged_archive_is_named(tmp_path, monkeypatch):
    (tmp_path / "voices").mkdir()
    archive = tmp_path / "voices" / "voices.zip"
    with zipfile.ZipFile(archive, "w") as voices:
        voices.writestr("two.opus", bytes(1000))
    content = bytearray(archive.read_bytes())
    content[100:300] = b"\xff" * 200
    archive.write_bytes(content)
    monkeypatch.setattr(locations, "assets", lambda: tmp_path)
    with pytest.raises(MissingData, match=r"The recording voices:two\.opus can't be found"):
        recording("voices:two.opus")
