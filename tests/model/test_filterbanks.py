"""Filterbanks of recordings: heard once, kept, and what was heard is kept however it ended."""

import json
import os
import zlib

import numpy as np
import pytest
import torch

from model import locations
from model.data import array_cache, prepared
from model.data.corpora import MissingData
from model.data.filterbanks import WAVEFORM_SAMPLES, filterbanks, usable_filterbanks
from model.data.speech import SpeechFrontEnd, UnusableAudio
from model.progress import Cancelled, no_progress


def listen(monkeypatch, tmp_path, word, fingerprint=("one",), keys=("a", "b"), tell=no_progress):
    """Filterbanks of two clips, and how often a clip was read."""
    monkeypatch.setattr(locations, "cache", lambda: tmp_path / "cache")
    heard = []

    def clip(key):
        heard.append(key)
        samples, rate = word()
        return (samples if key == "a" else samples[::-1].copy()), rate

    return filterbanks("test", "Some words", fingerprint, keys, clip, tell).features, heard


def test_waveforms_are_those_that_the_filterbanks_are_of(monkeypatch, tmp_path, word):
    monkeypatch.setattr(locations, "cache", lambda: tmp_path / "cache")
    samples, rate = word()
    found = filterbanks("test", "Some words", (), ("a", "b"), lambda _key: (samples, rate))
    front_end = SpeechFrontEnd()
    utterance = front_end.trim(samples, rate)
    assert found.waveforms.shape == (2, WAVEFORM_SAMPLES)
    np.testing.assert_array_equal(found.waveforms[1, : len(utterance)], utterance)
    assert not found.waveforms[1, len(utterance) :].any()


def test_the_second_time_comes_from_the_cache(monkeypatch, tmp_path, word):
    first, heard = listen(monkeypatch, tmp_path, word)
    assert heard == ["a", "b"]
    assert first.shape == (2, 100, 80)
    again, heard = listen(monkeypatch, tmp_path, word)
    assert heard == []
    assert np.array_equal(again, first)


@pytest.mark.parametrize("changed", [{"fingerprint": ("two",)}, {"keys": ("b", "a")}, {"keys": ("a",)}])
def test_other_recordings_are_heard_anew(monkeypatch, tmp_path, word, changed):
    listen(monkeypatch, tmp_path, word)
    _, heard = listen(monkeypatch, tmp_path, word, **changed)
    assert heard == list(changed.get("keys", ("a", "b")))


def test_a_cache_that_nobody_reads_is_deleted_after_two_months(monkeypatch, tmp_path, word):
    folder = tmp_path / "cache" / "filterbanks"
    listen(monkeypatch, tmp_path, word)
    (other_corpus := folder / f"test-more-{'0' * 16}.f32").write_bytes(b"")
    forgotten = [*folder.glob("test-*")]
    for path in forgotten:
        os.utime(path, (0, 0))
    listen(monkeypatch, tmp_path, word)  # reads it: it is in use again
    listen(monkeypatch, tmp_path, word, fingerprint=("two",))
    assert len([*folder.glob("*.f32")]) == 3
    for path in forgotten:
        os.utime(path, (0, 0))
    listen(monkeypatch, tmp_path, word, fingerprint=("three",))
    names = {path.stem for path in folder.iterdir()}
    assert len(names) == 3
    assert not names & {path.stem for path in forgotten if path != other_corpus}
    assert other_corpus.exists()


def kept_files(tmp_path):
    """The file of arrays and the journal, by suffix."""
    files = {path.suffix: path for path in (tmp_path / "cache" / "filterbanks").iterdir()}
    return {suffix: files[suffix] for suffix in (".f32", ".jsonl")}


@pytest.mark.parametrize("damage", [b"", b"rubbish\n", b"[1]\n", b"{}\n", b"[" * 100_000 + b"\n", None])
@pytest.mark.parametrize("damaged", [".f32", ".jsonl"])
def test_a_damaged_cache_is_made_anew(monkeypatch, tmp_path, word, damage, damaged):
    first, _ = listen(monkeypatch, tmp_path, word)
    kept = kept_files(tmp_path)[damaged]
    kept.write_bytes(kept.read_bytes()[:-1000] if damage is None else damage)
    again, heard = listen(monkeypatch, tmp_path, word)
    assert heard == ["a", "b"]
    assert np.array_equal(again, first)
    assert listen(monkeypatch, tmp_path, word)[1] == []


def test_how_far_it_is_is_told_while_it_listens(monkeypatch, tmp_path, word):
    monkeypatch.setattr(prepared, "_PROGRESS_SECONDS", -1.0)
    monkeypatch.setattr(prepared, "_PIECE", 1)
    told = []
    listen(monkeypatch, tmp_path, word, tell=lambda *so_far: told.append(so_far))
    assert told == [(share, "Computing filterbanks of Some words (only once)") for share in (0.0, 0.5)]
    listen(monkeypatch, tmp_path, word, tell=lambda *so_far: told.append(so_far))
    assert len(told) == 2, "what comes from the cache is there at once"


@pytest.mark.parametrize("end", [Cancelled, KeyboardInterrupt])
def test_whoever_listens_can_end_it_and_what_was_heard_is_kept(monkeypatch, tmp_path, word, end):
    monkeypatch.setattr(prepared, "_PROGRESS_SECONDS", -1.0)
    monkeypatch.setattr(prepared, "_PIECE", 1)
    whole, _ = listen(monkeypatch, tmp_path / "elsewhere", word)

    def enough(share, _text):
        if share > 0:
            raise end

    with pytest.raises(end):
        listen(monkeypatch, tmp_path, word, tell=enough)
    told = []
    found, heard = listen(monkeypatch, tmp_path, word, tell=lambda share, _text: told.append(share))
    assert heard == ["b"]
    assert told == [0.5]
    assert np.array_equal(found, whole)
    again, heard = listen(monkeypatch, tmp_path, word)
    assert heard == []
    assert np.array_equal(again, whole)


def test_a_recording_that_cannot_be_used_is_named_and_the_others_are_kept(monkeypatch, tmp_path, word):
    monkeypatch.setattr(locations, "cache", lambda: tmp_path / "cache")
    heard = []

    def clip(key):
        heard.append(key)
        if key == "torn":
            raise UnusableAudio("It is torn.")
        if key == "gone":
            raise MissingData("It is gone.")
        samples, rate = word()
        return (samples, rate) if key == "a" else (samples[::2].copy(), rate // 2)

    keys = ("a", "torn", "b", "gone", "c")
    for _ in range(2):
        found = usable_filterbanks("test", "Some words", (), keys, clip)
        assert found.features.shape == (3, 100, 80)
        assert list(found.unusable) == ["torn", "gone"]
        assert found.unusable["torn"] == "The recording torn can't be used: It is torn. Get it again, or delete it."
        assert found.unusable["gone"] == "It is gone."
        assert found.rates == {word()[1]: 1, word()[1] // 2: 2}
        with pytest.raises(MissingData, match="torn"):
            filterbanks("test", "Some words", (), keys, clip)
    assert heard == list(keys), "each is read once"


def test_what_was_computed_before_another_error_is_kept(monkeypatch, tmp_path, word):
    monkeypatch.setattr(prepared, "_PIECE", 1)

    def broken():
        raise OSError("a broken disk")

    sounds = iter([word, broken])
    with pytest.raises(OSError, match="broken disk"):
        listen(monkeypatch, tmp_path, lambda: next(sounds)())
    assert listen(monkeypatch, tmp_path, word)[1] == ["b"]


def test_a_cache_that_cannot_be_written_costs_only_time(monkeypatch, tmp_path, word, caplog):
    (tmp_path / "cache").write_text("a file where the folder should be")
    first, _ = listen(monkeypatch, tmp_path, word)
    assert first.shape == (2, 100, 80)
    assert "can't be cached" in caplog.text


def test_a_clip_where_no_speech_is_found_counts_whole(monkeypatch, tmp_path):
    monkeypatch.setattr(locations, "cache", lambda: tmp_path)
    hum = np.sin(np.arange(8000, dtype=np.float32))
    front_end = SpeechFrontEnd()
    with pytest.raises(UnusableAudio):
        front_end.trim(hum, 8000)
    found = filterbanks("test", "A hum", (), ["x"], lambda _: (hum, 8000))
    np.testing.assert_array_equal(found.features[0], front_end.filterbank(hum))


def test_listening_leaves_torchs_threads_alone(monkeypatch, tmp_path, word):
    torch.set_num_threads(2)
    listen(monkeypatch, tmp_path, word)
    assert torch.get_num_threads() == 2
    torch.set_num_threads(1)


def _spoil(known):
    known[1, 50, 40] = np.nan


def _change(known):
    known[0, 3, 3] += 0.001


def _rows(known):
    return known[:, :50]


def _half(known):
    return known.astype(np.float16)


def _more(known):
    return np.concatenate([known, known])


@pytest.mark.parametrize("damage", [_spoil, _change, _rows, _half, _more])
@pytest.mark.parametrize("checked", [True, False])
def test_a_cache_of_something_else_is_made_anew_and_logged(monkeypatch, tmp_path, word, caplog, damage, checked):
    first, _ = listen(monkeypatch, tmp_path, word)
    arrays, journal = kept_files(tmp_path).values()
    known = np.fromfile(arrays, np.float32).reshape(2, 195, 80)
    changed = damage(known)
    known = np.ascontiguousarray(known if changed is None else changed)
    if checked and damage is not _change:  # as somebody would write it who keeps to the format
        line = json.loads(journal.read_text())
        journal.write_text(json.dumps({**line, "crc32": zlib.crc32(known.data)}) + "\n")
    arrays.write_bytes(known.tobytes())
    again, heard = listen(monkeypatch, tmp_path, word)
    assert heard == ["a", "b"]
    assert np.array_equal(again, first)
    assert "is damaged and will be computed again" in caplog.text


@pytest.mark.parametrize(
    "change",
    [
        {"count": 3},
        {"rows": -1},
        {"rows": 1},
        {"rows": True, "count": 1},
        {"rates": {"8000": "x"}},
        {"rates": {"fast": 2}},
        {"rates": [1]},
        {"unusable": {"a": 1}},
        {"crc32": None},
        {"more": 1},
    ],
)
def test_a_journal_of_something_else_is_no_journal(monkeypatch, tmp_path, word, change):
    first, _ = listen(monkeypatch, tmp_path, word)
    journal = kept_files(tmp_path)[".jsonl"]
    journal.write_text(json.dumps(json.loads(journal.read_text()) | change) + "\n")
    again, heard = listen(monkeypatch, tmp_path, word)
    assert heard == ["a", "b"]
    assert np.array_equal(again, first)


def test_what_follows_a_crash_is_computed_and_the_rest_is_not(monkeypatch, tmp_path, word):
    monkeypatch.setattr(prepared, "_PIECE", 1)
    first, _ = listen(monkeypatch, tmp_path, word)
    arrays, journal = kept_files(tmp_path).values()
    lines = journal.read_bytes().splitlines(keepends=True)
    for left, rest in ((lines[0] + lines[1][:10], b""), (lines[0], b"half a piece"), (lines[0] + b"{}\n", b"")):
        journal.write_bytes(left)
        arrays.write_bytes(arrays.read_bytes()[: 195 * 80 * 4] + rest)
        again, heard = listen(monkeypatch, tmp_path, word)
        assert heard == ["b"]
        assert np.array_equal(again, first)
    assert listen(monkeypatch, tmp_path, word)[1] == []


def test_filterbanks_are_mapped_and_changing_them_changes_no_file(monkeypatch, tmp_path, word):
    first, _ = listen(monkeypatch, tmp_path, word)
    first += 1
    again, heard = listen(monkeypatch, tmp_path, word)
    assert heard == []
    assert not np.array_equal(again, first)


def test_a_disk_that_is_full_on_the_way_costs_only_time(monkeypatch, tmp_path, word, caplog):
    whole, _ = listen(monkeypatch, tmp_path / "elsewhere", word)
    monkeypatch.setattr(prepared, "_PIECE", 1)
    write, written = array_cache._write_at, []

    def write_once(file, place, content):
        if len(written) == 2:
            raise OSError("No space left on device")
        written.append(file)
        write(file, place, content)

    monkeypatch.setattr(array_cache, "_write_at", write_once)
    found, heard = listen(monkeypatch, tmp_path, word)
    assert heard == ["a", "b"]
    torch.testing.assert_close(found, whole)
    assert "can't be cached" in caplog.text


def test_a_recording_of_values_that_are_no_numbers_is_no_filterbank(monkeypatch, tmp_path):
    monkeypatch.setattr(locations, "cache", lambda: tmp_path)
    for value in (np.nan, np.inf, 1e30):
        with pytest.raises(MissingData, match="recording x can't be used"):
            filterbanks("test", "A bang", (), ["x"], lambda _, value=value: (np.full(8000, value, np.float32), 8000))
    assert not any(path.stat().st_size for path in tmp_path.rglob("*.f32"))
