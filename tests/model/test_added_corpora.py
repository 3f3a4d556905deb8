"""Folders and tables of the user's own sounds and pictures: their layouts, splits and faults, and the list of them."""

import io
import json
import os
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image
from typer.testing import CliRunner

from model import locations
from model.cli.main import app
from model.data import corpora
from model.data.corpora import MissingData, add_folder, broken_plugins, find, infos, recording, registry, remove
from model.data.corpora.labels import UnusableFolder, by_folders, by_table, label_of, split_by_hash
from model.processes import environment, python
from model.recipes.recipe import PAPER
from model.training.config import TrainingConfig
from model.types import Modality

ROOT = Path(__file__).resolve().parents[2]
SPLITS = ("train", "validation", "test")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A folder of corpora and a cache of one's own."""
    monkeypatch.setattr(locations, "cache", lambda: tmp_path / "cache")
    monkeypatch.setenv("MODINV_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def wav(seed=0, rate=16_000):
    file = io.BytesIO()
    soundfile.write(file, np.random.default_rng(seed).normal(0, 0.1, 4000), rate, format="WAV")
    return file.getvalue()


def png(digit=1):
    pixels = np.full((60, 50), 255, np.uint8)
    pixels[10:50, 10 + 2 * digit : 16 + 2 * digit] = 0
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def write(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def loaded(name):
    """The samples of each split that is not empty."""
    found = {}
    for split in SPLITS:
        try:
            found[split] = find(name)().load(split)
        except MissingData as error:
            if "split is empty" not in str(error):
                raise
    return found


@pytest.mark.parametrize(
    ("text", "digit"),
    [
        *(("7", 7), ("07", 7), ("seven", 7), ("Seven", 7), (" NINE ", 9), ("oh", 0), ("zero", 0)),
        *((text, None) for text in ("10", "bird", "", "-1", "٣", "²", "7a")),
    ],
)
def test_labels_are_digits_or_their_words(text, digit):
    assert label_of(text) == digit


# Folders


def test_a_folder_of_labels_is_a_corpus_split_by_file(tmp_path):
    folder = write(tmp_path / "My Digits", {f"{label}/{n}.wav": wav(n) for label in ("7", "three") for n in range(20)})
    entry = add_folder(folder)
    assert (entry.name, entry.by_speaker, entry.speakers) == ("my-digits", False, 0)
    assert "by file" in entry.splitting
    assert "none are known" in entry.splitting
    found = loaded("my-digits")
    assert set(found) == {*SPLITS}
    assert sum(map(len, found.values())) == 40
    assert len({key for samples in found.values() for key in samples.keys}) == 40
    for samples in found.values():
        for key, label, source in zip(samples.keys, samples.labels.tolist(), samples.sources, strict=True):
            assert label == {"7": 7, "three": 3}[key.split("/")[0]]
            assert source == f"my-digits: {key}"
    assert find("my-digits").info.shares_speakers
    assert recording(f"my-digits:{found['test'].keys[0]}")[1] == 16_000
    whole = find("my-digits")().load("train+validation")
    assert sorted(whole.keys) == sorted([*found["train"].keys, *found["validation"].keys])


def test_six_speakers_are_split_so_that_nobody_is_in_two_splits(tmp_path):
    names = ("ann", "bob", "cyd", "dan", "eve", "fay")
    folder = write(tmp_path / "we", {f"{name}/{digit}/x.wav": wav(digit) for name in names for digit in range(3)})
    entry = add_folder(folder)
    assert (entry.by_speaker, entry.speakers) == (True, 6)
    assert entry.splitting == "by speaker (6 speakers), so that nobody is in two splits"
    heard = {split: set(samples.speakers) for split, samples in loaded("we").items()}
    assert set(heard) == {*SPLITS}
    assert sum(map(len, heard.values())) == len(set.union(*heard.values())) == 6
    assert not find("we").info.shares_speakers
    assert find("we").info.speakers == 6


def test_five_speakers_are_too_few(tmp_path):
    folder = write(tmp_path / "we", {f"{name}/{digit}/x.wav": wav(digit) for name in "abcde" for digit in range(4)})
    entry = add_folder(folder)
    assert (entry.by_speaker, entry.speakers) == (False, 5)
    assert "need 6 speakers, and only 5 are known" in entry.splitting
    assert sum(map(len, loaded("we").values())) == 20


def test_adding_files_moves_no_others():
    before = split_by_hash(f"{n}.wav" for n in range(200))
    after = split_by_hash(f"{n}.wav" for n in range(400))
    assert all(after[name] == split for name, split in before.items())
    counts = {split: [*after.values()].count(split) for split in SPLITS}
    assert 200 < counts["train"] < 340
    assert 30 < counts["validation"] < 100
    assert 30 < counts["test"] < 100


@pytest.mark.parametrize("count", range(1, 12))
def test_few_names_leave_no_split_empty(count):
    splits = split_by_hash(f"speaker {n}" for n in range(count))
    assert len(splits) == count
    assert set(splits.values()) == ({*SPLITS} if count >= 3 else {"train"})
    assert [*splits.values()].count("train") >= 1


@pytest.mark.parametrize(
    ("paths", "words"),
    [
        (["a/b/7/x.wav"], r"nested too deeply: a/b/7/x\.wav.*SPEAKER/LABEL/FILE"),
        (["7/x.wav", "dan/7/x.wav"], "files both in LABEL/ and in SPEAKER/LABEL/"),
        (["7/x.wav", "7/x.png"], "both sounds and pictures"),
        (["7/x.txt", "notes.md"], "neither sounds nor pictures"),
        ([], "neither sounds nor pictures"),
        (["bird/x.wav"], "no folder that is named as a digit"),
        (["x.wav"], "no folder that is named as a digit"),
    ],
)
def test_other_layouts_are_refused_in_words(tmp_path, paths, words):
    with pytest.raises(UnusableFolder, match=words):
        by_folders(paths, tmp_path)
    write(tmp_path / "folder", dict.fromkeys(paths, b""))
    (tmp_path / "folder").mkdir(exist_ok=True)
    with pytest.raises(UnusableFolder, match=words):
        add_folder(tmp_path / "folder")
    assert registry().keys() == corpora._found()[0].keys()


def test_nothing_is_skipped_silently(tmp_path, caplog):
    files = {f"{digit}/{n}.wav": wav(n, (8_000, 48_000)[n % 2]) for digit in range(3) for n in range(12)}
    files |= {"bird/x.wav": wav(), "top.wav": wav(), "1/torn.wav": wav()[:-900], "2/notes.txt": b"", ".DS_Store": b""}
    files |= {"1/._0.wav": b""}
    add_folder(write(tmp_path / "mine", files))
    contents = find("mine")().contents()
    assert sum(contents.items.values()) == 36
    assert list(contents.skipped) == ["bird/x.wav", "top.wav", "1/torn.wav"]
    assert "its folder bird is no digit" in contents.skipped["bird/x.wav"]
    assert "it is in no folder" in contents.skipped["top.wav"]
    assert "cut off" in contents.skipped["1/torn.wav"]
    assert contents.left_out == "3 files that are neither sounds nor pictures"
    assert contents.rates == {8_000: 18, 48_000: 18}
    assert not caplog.records, "it is told already"
    loaded("mine")
    assert "2 of the 39 files of its folder can't be used" in caplog.text


def test_a_folder_of_pictures_is_a_corpus_of_images(tmp_path, monkeypatch):
    files = {f"{digit}/{n}.png": png(digit) for digit in range(3) for n in range(10)} | {
        "1/bad.png": b"",
        "2/x.md": b"",
    }
    add_folder(write(tmp_path / "drawn", files), "sketches")
    assert find("sketches").info in infos(Modality.IMAGE)
    found = loaded("sketches")
    assert sum(map(len, found.values())) == 30
    for samples in found.values():
        assert samples.features.shape[1:] == (28, 28)
        assert samples.features.dtype == np.float32
        assert 0.9 < samples.features.max() <= 1
        assert samples.modality is Modality.IMAGE
        assert samples.speakers == samples.keys == ()
        labels = [source.removeprefix("sketches: ").split("/")[0] for source in samples.sources]
        assert labels == [str(label) for label in samples.labels.tolist()]
    monkeypatch.setattr("model.data.pictures.normalise_digit", lambda _: pytest.fail("it is in the cache"))
    assert np.array_equal(loaded("sketches")["train"].features, found["train"].features)
    contents = find("sketches")().contents()
    assert list(contents.skipped) == ["1/bad.png"]
    assert sum(contents.items.values()) == 30
    assert TrainingConfig(PAPER, ("sketches", "voices")).images == ("sketches",)


def test_a_folder_that_is_gone_says_what_to_do(tmp_path):
    folder = write(tmp_path / "mine", {f"7/{n}.wav": wav(n) for n in range(3)})
    add_folder(folder)
    folder.rename(tmp_path / "moved")
    assert find("mine")().location() is None
    with pytest.raises(MissingData, match=r"is not there any more.*modinv data remove mine"):
        find("mine")().load("train")


# Tables


def table(folder, text, name="list.csv"):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, "utf-8")
    return folder / name


def test_a_table_names_files_labels_and_speakers(tmp_path):
    speakers = ("ann", "bob", "cyd", "dan", "eve", "fay")
    write(tmp_path / "sounds", {f"{name}/take {n}.wav": wav(n) for name in speakers for n in range(3)})
    lines = [f'"{name}/take {n}.wav",{("five", "5", "2")[n]},{name}' for name in speakers for n in range(3)]
    entry = add_folder(table(tmp_path / "sounds", "\ufeffPath, Label ,SPEAKER\n" + "\n".join(lines)), "listed")
    assert entry.by_speaker
    found = loaded("listed")
    assert set(found) == {*SPLITS}
    for samples in found.values():
        assert samples.labels.tolist() == [5, 5, 2] * (len(samples) // 3)
        assert {key.split("/")[0] for key in samples.keys} == set(samples.speakers)
    assert recording("listed:ann/take 1.wav")[1] == 16_000


def test_lines_of_a_table_that_cannot_be_used_are_named(tmp_path):
    write(tmp_path / "sounds", {"a.wav": wav(), "b.wav": wav(), "notes.txt": b""})
    write(tmp_path, {"out.wav": wav()})
    lines = "a.wav,1\nb.wav,bird\nnone.wav,2\n../out.wav,3\n/etc/passwd.wav,4\nnotes.txt,5\n"
    found = by_table(table(tmp_path / "sounds", f"path,label\n{lines}"))
    assert {path: item.label for path, item in found.items.items()} == {"a.wav": 1}
    assert {path: why.split(": ")[1] for path, why in found.skipped.items()} == {
        "b.wav": "its label 'bird' is no digit.",
        "none.wav": "there is no such file.",
        "../out.wav": "it is not in the folder of list.csv.",
        "/etc/passwd.wav": "it is not in the folder of list.csv.",
    }
    assert found.others == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is no table of a corpus. Its first line must name the columns path and label"),
        (b"a.wav,7\n", "is no table of a corpus"),
        (b"path,label\n", "neither sounds nor pictures"),
        (b"path,label\nx.wav,7\n", "names no file that can be used. x.wav is not used: there is no such file"),
        (b"path,label\n\xff\xfe.wav,7\n", "can't be read"),
        (b"path,label\n" + b'"' + b"x" * 200_000, "can't be read"),
        (b"path,label\na.wav\n", "names no file that can be used. a.wav is not used: its label '' is no digit"),
    ],
)
def test_what_is_no_table_is_refused_in_words(tmp_path, content, words):
    (tmp_path / "a.wav").write_bytes(wav())
    (tmp_path / "list.csv").write_bytes(content)
    with pytest.raises(UnusableFolder, match=words):
        add_folder(tmp_path / "list.csv")


# The list


@pytest.fixture
def folder(tmp_path):
    return write(tmp_path / "mine", {f"{digit}/{n}.wav": wav(n) for digit in range(3) for n in range(3)})


def test_the_registry_follows_the_list(folder, home):
    before = [*registry()]
    assert not (home / "corpora.json").exists()
    add_folder(folder)
    add_folder(folder, "again")
    assert [*registry()] == [*before, "mine", "again"]
    assert find("mine") is find("mine"), "classes stay the same as long as the list does"
    remove("mine")
    assert [*registry()] == [*before, "again"]
    assert (folder / "1" / "1.wav").is_file(), "files stay"
    with pytest.raises(ValueError, match=r"'mine' is not the name of an added corpus\. Added ones: again"):
        remove("mine")
    # As another process would change it.
    (home / "corpora.json").write_text(json.dumps({"format": "modinv-corpora-1", "corpora": []}))
    os.utime(home / "corpora.json", (time.time(), time.time() + 5))
    assert [*registry()] == before


@pytest.mark.parametrize("name", ["mnist", "mine", "My Digits", "a:b", "-x", "x" * 41, "../x"])
def test_other_names_are_refused(folder, name):
    add_folder(folder, "mine")
    with pytest.raises(UnusableFolder, match=r"can't be the name|Choose another name"):
        add_folder(folder, name)
    assert [*registry()][-1] == "mine"


def test_what_is_not_there_or_no_folder_is_refused(tmp_path):
    with pytest.raises(UnusableFolder, match="does not exist"):
        add_folder(tmp_path / "nowhere")
    (tmp_path / "x.zip").write_bytes(b"")
    with pytest.raises(UnusableFolder, match="neither a folder nor a CSV file"):
        add_folder(tmp_path / "x.zip")


ENTRY = {"name": "x", "path": "/x", "modality": "speech", "speakers": 0, "by_speaker": False}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "[" * 100_000,
        '{"format": "other", "corpora": []}',
        '{"format": "modinv-corpora-1"}',
        *(
            json.dumps({"format": "modinv-corpora-1", "corpora": [ENTRY | change]})
            for change in ({"name": 3}, {"name": "a b"}, {"modality": "smell"}, {"speakers": "6"}, {"more": 1})
        ),
    ],
)
def test_a_damaged_list_costs_no_other_corpus(folder, home, content):
    home.mkdir()
    (home / "corpora.json").write_text(content)
    assert registry().keys() == corpora._found()[0].keys()
    (why,) = [why for why in broken_plugins().values() if "list of added corpora" in why]
    assert "Delete it" in why
    with pytest.raises(ValueError, match="is damaged"):
        add_folder(folder)
    assert (home / "corpora.json").read_text() == content


def run(*arguments):
    return CliRunner().invoke(app, ["data", *map(str, arguments)])


def test_the_command_adds_shows_and_removes(folder):
    write(folder, {"1/torn.wav": wav()[:-900], "bird/x.wav": wav()})
    added = run("add", folder, "--name", "own")
    assert added.exit_code == 0, added.output
    assert "Added the corpus own (speech), split by file" in added.stderr
    listed = {row["name"]: row for row in json.loads(run("list", "--json").stdout)}
    assert listed["own"]["location"] == str(folder)
    shown = json.loads(run("show", "own", "--json").stdout)
    assert sum(shown["items"].values()) == 9
    assert set(shown["skipped"]) == {"1/torn.wav", "bird/x.wav"}
    assert (shown["rates"], shown["shares_speakers"]) == ({"16000": 9}, True)
    text = run("show", "own").stdout
    for part in ("16,000 Hz", "not stated", str(folder), "Skipped:  2", "torn.wav", "cut off"):
        assert part in text
    removed = run("remove", "own")
    assert "Its files are where they were" in removed.stderr
    assert run("show", "own").exit_code == 2
    assert run("remove", "mnist").exit_code == 2
    refused = run("add", folder.parent / "nowhere")
    assert refused.exit_code == 2
    assert "not exist" in refused.stderr


def test_the_command_shows_images_and_says_how_to_get_what_is_missing():
    shown = json.loads(run("show", "mnist", "--json").stdout)
    assert shown["items"] == {"train": 55_000, "validation": 5_000, "test": 10_000}
    assert shown["skipped"] == {}
    missing = run("show", "tidigits")
    assert missing.exit_code == 1
    assert "LDC93S10" in missing.stderr


@pytest.mark.parametrize(
    "module",
    ["recordings", "filterbanks", "download", "piece_workers", "corpora.labelled", "corpora.added", "corpora.base"],
)
def test_any_module_can_be_imported_first(module):
    command = python("-c", f"import model.data.{module}")
    subprocess.run(command, env={**environment(), "PYTHONPATH": str(ROOT)}, check=True)
