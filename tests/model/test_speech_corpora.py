"""TIDIGITS, AudioMNIST, Speech Commands and the other words of wild: small copies with the same oddities."""

import io
import json
import logging
import struct
import zipfile

import numpy as np
import pytest
import soundfile
import sphere

from model import locations
from model.data.corpora import MissingData, find, infos, recording
from model.data.corpora.audiomnist import AudioMnist
from model.data.corpora.fsdd import Fsdd
from model.data.corpora.speech_commands import SpeechCommands
from model.data.corpora.tidigits import Tidigits, TidigitsSpeakers
from model.data.corpora.wild import Wild
from model.types import Modality

RATE = 16_000


@pytest.fixture(autouse=True)
def _empty_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(locations, "cache", lambda: tmp_path / "cache")


def sound(seed=0, rate=RATE, seconds=0.3, channels=1):
    samples = np.random.default_rng(seed).normal(0, 0.1, (round(seconds * rate), channels))
    return samples[:, 0] if channels == 1 else samples


def wav(seed=0, rate=RATE, subtype="PCM_16", **options):
    file = io.BytesIO()
    soundfile.write(file, sound(seed, rate, **options), rate, format="WAV", subtype=subtype)
    return file.getvalue()


def write(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def pack(path, files):
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def keys(corpus):
    """The keys of each split that is not empty."""
    found = {}
    for split in corpus.info.splits:
        try:
            found[split] = corpus.load(split).keys
        except MissingData:
            found[split] = ()
    return found


# TIDIGITS

SPEAKERS = {"train": ("man/ae", "woman/ac", "boy/bd", "girl/ka"), "test": ("man/ah", "woman/pq")}


def tidigits(upper=False, coding="pcm"):
    """The two takes of the eleven words, and a sequence, by each of a few speakers."""
    files = {}
    for part, speakers in SPEAKERS.items():
        for seed, speaker in enumerate(speakers):
            for text in (*"123456789oz", "1o4z"):
                for take in "ab":
                    content = sphere.encode(sound(seed, 20_000), 20_000, coding)
                    name = f"{part}/{speaker}/{text}{take}.wav"
                    files[name.upper() if upper else name] = content
    return files


@pytest.mark.parametrize("place", ["tidigits", "TIDIGITS", "tidigits/data/adults"])
@pytest.mark.parametrize("upper", [False, True])
def test_tidigits_is_split_at_random_or_by_its_own_test_speakers(tmp_path, place, upper):
    write(tmp_path / place, tidigits(upper))
    at_random, by_speaker = keys(Tidigits(tmp_path)), keys(TidigitsSpeakers(tmp_path))
    assert {split: len(found) for split, found in at_random.items()} == {"train": 100, "validation": 16, "test": 16}
    for splits in (at_random, by_speaker):
        assert len({key for found in splits.values() for key in found}) == 132
    assert {key.lower().split("test/")[-1].rsplit("/", 1)[0] for key in by_speaker["test"]} == {*SPEAKERS["test"]}
    heard = [{key.rsplit("/", 1)[0] for key in by_speaker[split]} for split in ("train", "validation", "test")]
    assert sum(map(len, heard)) == 6, "a speaker is in two splits"


def test_tidigits_is_split_alike_in_upper_and_lower_case(tmp_path):
    write(tmp_path / "one" / "tidigits", tidigits())
    write(tmp_path / "other" / "TIDIGITS", tidigits(upper=True))
    for kind in (Tidigits, TidigitsSpeakers):
        one, other = (keys(kind(tmp_path / place)) for place in ("one", "other"))
        assert one == {split: tuple(sorted(map(str.lower, found))) for split, found in other.items()}


def test_oh_and_zero_are_one_class_and_everybody_is_known(tmp_path):
    write(tmp_path / "tidigits", tidigits(upper=True))
    samples = TidigitsSpeakers(tmp_path).load("test")
    labels = dict(zip(samples.keys, samples.labels.tolist(), strict=True))
    assert {labels[f"TEST/MAN/AH/{text}.WAV"] for text in ("OA", "OB", "ZA", "ZB")} == {0}
    assert labels["TEST/WOMAN/PQ/9A.WAV"] == 9
    assert set(samples.speakers) == {"man-ah", "woman-pq"}
    assert "TIDIGITS man ah, oh b" in samples.sources
    contents = Tidigits(tmp_path).contents()
    assert (contents.speakers, contents.sexes, contents.rates) == (6, {"female": 3, "male": 3}, {20_000: 132})
    assert contents.left_out == "12 recordings of more than one digit"
    assert not contents.skipped


@pytest.mark.parametrize("coding", ["pcm", "pcm,embedded-shorten-v2.00", "big-endian"])
def test_sphere_files_are_read_plain_and_shortened(tmp_path, coding):
    samples = sound(3, 20_000)
    write(tmp_path / "tidigits", {"train/man/ae/1a.wav": sphere.encode(samples, 20_000, coding)})
    found, rate = recording("tidigits:train/man/ae/1a.wav", tmp_path)
    assert rate == 20_000
    np.testing.assert_allclose(found, samples, atol=1e-4)


def test_a_coding_that_nothing_decodes_names_the_remedy(tmp_path):
    content = sphere.encode(sound(3, 20_000), 20_000, "pcm,embedded-wavpack-v1.0")
    write(tmp_path / "tidigits", {**tidigits(), "train/man/ae/1a.wav": content})
    (why,) = TidigitsSpeakers(tmp_path).contents().skipped.values()
    assert "train/man/ae/1a.wav" in why
    assert "embedded-wavpack" in why
    assert "sph2pipe -f wav" in why


@pytest.mark.parametrize("coding", ["pcm", "pcm,embedded-shorten-v2.00"])
def test_a_truncated_sphere_file_is_skipped_and_named(tmp_path, coding, caplog):
    files = tidigits()
    name = "test/woman/pq/3b.wav"
    files[name] = sphere.encode(sound(1, 20_000), 20_000, coding)[:-3000]
    write(tmp_path / "tidigits", files)
    contents = TidigitsSpeakers(tmp_path).contents()
    assert list(contents.skipped) == [name]
    assert "cut off" in contents.skipped[name] or "sph2pipe" in contents.skipped[name]
    assert contents.items["test"] == 43
    assert name not in TidigitsSpeakers(tmp_path).load("test").keys
    assert "1 of the 44 recordings" in caplog.text
    assert name in caplog.text


def test_tidigits_is_never_downloaded(tmp_path):
    assert Tidigits.info.source is TidigitsSpeakers.info.source is None
    with pytest.raises(MissingData, match=r"LDC93S10.*tidigits"):
        TidigitsSpeakers(tmp_path).load("train")


# AudioMNIST


def audiomnist(speakers=("01", "02", "03", "12", "26", "58")):
    return {
        f"data/{speaker}/{digit}_{speaker}_{take}.wav": wav(int(speaker), 48_000)
        for speaker in speakers
        for digit in range(10)
        for take in (0, 49)
    }


META = {
    "02": {"accent": "German", "age": "1234", "gender": "male", "native speaker": "no"},
    "12": {"accent": "German", "age": 26, "gender": "Female"},
    "26": {"accent": "Chinese"},
    "58": "unknown",
}


@pytest.mark.parametrize("packed", [True, False])
def test_audiomnist_is_split_by_speaker(tmp_path, packed):
    files = audiomnist() | {"data/audioMNIST_meta.txt": json.dumps(META).encode(), "data/12/notes.txt": b""}
    home = tmp_path / "audiomnist"
    if packed:
        pack(home / "AudioMNIST.zip", {f"AudioMNIST-master/{name}": content for name, content in files.items()})
    else:
        write(home, files)
    corpus = AudioMnist(tmp_path)
    train, held_out, test = (corpus.load(split) for split in ("train", "validation", "test"))
    assert (set(train.speakers), set(held_out.speakers), set(test.speakers)) == (
        {"03", "58"},
        {"01", "26"},
        {"02", "12"},
    )
    assert np.bincount(train.labels).tolist() == [4] * 10
    assert "AudioMNIST 26, take 49 (Chinese accent)" in held_out.sources
    assert "AudioMNIST 03, take 0" in train.sources
    contents = corpus.contents()
    assert contents.items == {"train": 40, "validation": 40, "test": 40}
    assert (contents.speakers, contents.sexes, contents.rates) == (6, {"female": 1, "male": 1}, {48_000: 120})
    samples, rate = recording(f"audiomnist:{train.keys[0]}", tmp_path)
    assert (len(samples), rate) == (14_400, 48_000)


@pytest.mark.parametrize("meta", [None, b"", b"no JSON", b"[1]", b"[" * 100_000])
def test_audiomnist_does_without_its_description_of_speakers(tmp_path, meta, caplog):
    write(tmp_path / "audiomnist", audiomnist(("03",)))
    if meta is not None:
        write(tmp_path / "audiomnist", {"data/audioMNIST_meta.txt": meta})
    assert len(AudioMnist(tmp_path).load("train")) == 20
    assert ("description of speakers can't be used" in caplog.text) == (meta is not None)


def test_a_recording_is_found_whether_it_was_in_a_folder_or_a_zip(tmp_path):
    files = audiomnist(("03",))
    write(tmp_path / "audiomnist", files)
    loose = AudioMnist(tmp_path).load("train").keys
    pack(
        tmp_path / "audiomnist" / "AudioMNIST.zip",
        {f"AudioMNIST-master/{name}": sound for name, sound in files.items()},
    )
    packed = AudioMnist(tmp_path).load("train").keys
    assert packed != loose
    np.testing.assert_array_equal(AudioMnist(tmp_path).clip(loose[3])[0], AudioMnist(tmp_path).clip(packed[3])[0])


# Oddities of recordings, whatever the corpus


def torn(content):
    return content[:-500]


def streamed(content):
    """As a program writes it that does not know the length in advance."""
    place = content.index(b"data") + 4
    return content[:place] + struct.pack("<I", 0xFFFFFFFF) + content[place + 4 :]


def test_stereo_other_depths_and_other_rates_are_used_side_by_side(tmp_path):
    write(
        tmp_path / "fsdd" / "recordings",
        {
            "0_ann_0.wav": wav(0, 8_000),
            "1_ann_0.wav": wav(1, 48_000, "PCM_24"),
            "2_ann_0.wav": wav(2, 44_100, "FLOAT", channels=2),
            "3_ann_0.wav": streamed(wav(3, 8_000)),
        },
    )
    assert len(Fsdd(tmp_path).load("test")) == 4
    contents = Fsdd(tmp_path).contents()
    assert contents.rates == {8_000: 2, 44_100: 1, 48_000: 1}
    assert contents.items == {"train": 0, "validation": 0, "test": 4}
    assert not contents.skipped


def test_truncated_and_unreadable_recordings_are_skipped_counted_and_named(tmp_path, caplog):
    names = [f"{digit}_ann_{take}.wav" for digit in range(10) for take in range(5)]
    files = {name: wav(place, 8_000) for place, name in enumerate(names)}
    files |= {"3_ann_1.wav": torn(files["3_ann_1.wav"]), "4_ann_2.wav": b"", "5_ann_3.wav": b"RIFF" + bytes(40)}
    write(tmp_path / "fsdd" / "recordings", files)
    with caplog.at_level(logging.WARNING):
        samples = Fsdd(tmp_path).load("test")
    assert len(samples) == len(samples.features) == 47
    assert "3 of the 50 recordings of its test split can't be used" in caplog.text
    contents = Fsdd(tmp_path).contents()
    assert list(contents.skipped) == ["3_ann_1.wav", "4_ann_2.wav", "5_ann_3.wav"]
    assert "It is cut off: 4,300 of 4,800 bytes are there." in contents.skipped["3_ann_1.wav"]
    for name in contents.skipped:
        assert name in caplog.text
        assert name not in samples.keys
    # The others keep their own sound.
    place = samples.keys.index("3_ann_2.wav")
    write(tmp_path / "alone" / "fsdd" / "recordings", {"3_ann_2.wav": files["3_ann_2.wav"]})
    np.testing.assert_allclose(samples.features[place], Fsdd(tmp_path / "alone").load("test").features[0], atol=1e-5)
    write(tmp_path / "fsdd" / "recordings", {"3_ann_1.wav": wav(16, 8_000)})  # got again
    assert len(Fsdd(tmp_path).load("test")) == 48


def test_of_many_skipped_recordings_a_warning_names_some(tmp_path, caplog):
    write(tmp_path / "fsdd", {f"{digit}_ann_{take}.wav": b"" for digit in range(9) for take in range(2)})
    write(tmp_path / "fsdd", {"9_ann_0.wav": wav(0, 8_000)})
    assert len(Fsdd(tmp_path).load("test")) == 1
    assert "And 13 more." in caplog.text
    assert len(Fsdd(tmp_path).contents().skipped) == 18


# Speech Commands


def speech_commands(lists=True):
    files = {
        f"{word}/{speaker}_nohash_{number}.wav": wav(place)
        for place, word in enumerate(("zero", "seven", "bird", "wow"))
        for speaker in ("0a7c2a8d", "1b3f", "00ff00ff")
        for number in (0, 1)
    }
    files |= {"_background_noise_/doing_the_dishes.wav": wav(9), "LICENSE": b"", "zero/notes.wav": wav(8)}
    if lists:
        words = ("zero", "seven", "bird", "wow")
        for name, speaker in (("testing_list.txt", "1b3f"), ("validation_list.txt", "00ff00ff")):
            lines = [f"{word}/{speaker}_nohash_{number}.wav" for word in words for number in (0, 1)]
            files[name] = "\n".join([*lines, ""]).encode()
    return files


@pytest.mark.parametrize("inside", ["", "speech_commands_v0.02/"])
def test_speech_commands_has_its_official_split_and_other_words(tmp_path, inside):
    write(tmp_path / "speech-commands" / inside, speech_commands())
    corpus = SpeechCommands(tmp_path)
    for split, speaker in (("train", "0a7c2a8d"), ("validation", "00ff00ff"), ("test", "1b3f")):
        samples, others = corpus.load(split), corpus.other_words(split)
        assert samples.keys == tuple(
            f"{word}/{speaker}_nohash_{number}.wav" for word in ("seven", "zero") for number in (0, 1)
        )
        assert samples.labels.tolist() == [7, 7, 0, 0]
        assert set(samples.speakers) == {speaker}
        assert others.labels.tolist() == [-1] * 4
        assert others.keys[0] == f"bird/{speaker}_nohash_0.wav"
        assert others.features.shape == (4, 100, 80)
    assert recording("speech-commands:zero/1b3f_nohash_1.wav", tmp_path)[1] == RATE
    assert recording("speech-commands:wow/1b3f_nohash_1.wav", tmp_path)[1] == RATE
    assert corpus.contents().items == {"train": 4, "validation": 4, "test": 4}


def test_without_its_lists_speech_commands_has_no_split(tmp_path):
    write(tmp_path / "speech-commands", speech_commands(lists=False))
    with pytest.raises(MissingData, match=r"validation_list\.txt can't be read"):
        SpeechCommands(tmp_path).load("train")


# Wild


def test_other_words_of_the_strangers_are_split_as_their_digits(tmp_path):
    names = ("digits/two_03_0", "digits/one_02_0", "words/bird_03_0", "words/left_02_1", "words/bird_02_0")
    pack(tmp_path / "wild" / "wild.zip", {f"{name}.wav": wav(place) for place, name in enumerate(names)})
    corpus = Wild(tmp_path)
    train, held_out = corpus.other_words("train"), corpus.other_words("validation")
    assert train.keys == ("bird_02_0.wav", "left_02_1.wav")
    assert (held_out.keys, held_out.labels.tolist(), held_out.speakers) == (("bird_03_0.wav",), [-1], ("03",))
    assert train.sources[0] == "Stranger 02, bird"
    assert corpus.load("train").keys == ("one_02_0.wav",)
    assert corpus.clip("bird_02_0.wav")[1] == RATE
    pack(tmp_path / "wild" / "wild.zip", {"digits/one_02_0.wav": wav()})
    with pytest.raises(MissingData, match="no recordings named like"):
        Wild(tmp_path).other_words("train")


def test_a_corpus_without_other_words_says_so(tmp_path):
    with pytest.raises(MissingData, match="has no other words than digits"):
        Fsdd(tmp_path).other_words("train")


def test_the_strangers_words_are_as_many_as_documented(corpora_folder, monkeypatch):
    from model.data import filterbanks

    def nothing(_name, _title, _state, keys, *_):
        return filterbanks.Filterbanks(np.zeros((len(keys), 1, 1)), np.zeros((len(keys), 1)), {}, {})

    monkeypatch.setattr(filterbanks, "usable_filterbanks", nothing)
    words = [Wild(corpora_folder).other_words(split) for split in ("train", "validation")]
    assert sum(map(len, words)) == 281


# All


@pytest.mark.parametrize("name", ["tidigits", "tidigits-speakers", "audiomnist", "speech-commands"])
def test_a_corpus_that_is_not_installed_says_what_to_put_where(tmp_path, name):
    kind = find(name)
    assert kind.info in infos(Modality.SPEECH)
    for place in (tmp_path, tmp_path / "nowhere"):
        assert kind(place).location() is None
        with pytest.raises(MissingData) as told:
            kind(place).load("train")
        for part in (kind.info.origin, kind.info.layout, str(place)):
            assert part in str(told.value)


@pytest.mark.parametrize("name", ["tidigits", "audiomnist"])
def test_a_folder_of_something_else_is_told(tmp_path, name):
    write(tmp_path / name, {"holiday.jpg": b""})
    with pytest.raises(MissingData, match="holds no recordings named like"):
        find(name)(tmp_path).load("train")
