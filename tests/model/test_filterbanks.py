"""Filterbanks of recordings: heard once, kept, and what was heard is kept however it ended."""

import zlib

import numpy as np
import pytest
import torch

from model import locations
from model.checkpoints import read, write_atomically
from model.data import filterbanks as module
from model.data.corpora import MissingData
from model.data.filterbanks import filterbanks
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

    return filterbanks("test", "Some words", fingerprint, keys, clip, tell), heard


def test_the_second_time_comes_from_the_cache(monkeypatch, tmp_path, word):
    first, heard = listen(monkeypatch, tmp_path, word)
    assert heard == ["a", "b"]
    assert first.shape == (2, 100, 80)
    again, heard = listen(monkeypatch, tmp_path, word)
    assert heard == []
    assert torch.equal(again, first)


@pytest.mark.parametrize("changed", [{"fingerprint": ("two",)}, {"keys": ("b", "a")}, {"keys": ("a",)}])
def test_other_recordings_are_heard_anew(monkeypatch, tmp_path, word, changed):
    listen(monkeypatch, tmp_path, word)
    _, heard = listen(monkeypatch, tmp_path, word, **changed)
    assert heard == list(changed.get("keys", ("a", "b")))


@pytest.mark.parametrize("damage", [b"", b"rubbish", None])
def test_a_damaged_cache_is_made_anew(monkeypatch, tmp_path, word, damage):
    first, _ = listen(monkeypatch, tmp_path, word)
    (kept,) = (tmp_path / "cache" / "filterbanks").iterdir()
    kept.write_bytes(kept.read_bytes()[:1000] if damage is None else damage)
    again, heard = listen(monkeypatch, tmp_path, word)
    assert heard == ["a", "b"]
    assert torch.equal(again, first)
    assert listen(monkeypatch, tmp_path, word)[1] == []


def test_how_far_it_is_is_told_while_it_listens(monkeypatch, tmp_path, word):
    monkeypatch.setattr(module, "_PROGRESS_SECONDS", -1.0)
    told = []
    listen(monkeypatch, tmp_path, word, tell=lambda *so_far: told.append(so_far))
    assert told == [(share, "Computing filterbanks of Some words (only once)") for share in (0.0, 0.5)]
    listen(monkeypatch, tmp_path, word, tell=lambda *so_far: told.append(so_far))
    assert len(told) == 2, "what comes from the cache is there at once"


@pytest.mark.parametrize("end", [Cancelled, KeyboardInterrupt])
def test_whoever_listens_can_end_it_and_what_was_heard_is_kept(monkeypatch, tmp_path, word, end):
    monkeypatch.setattr(module, "_PROGRESS_SECONDS", -1.0)
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
    assert torch.equal(found, whole)
    again, heard = listen(monkeypatch, tmp_path, word)
    assert heard == []
    assert torch.equal(again, whole)


def test_what_was_heard_before_a_recording_that_cannot_be_used_is_kept(monkeypatch, tmp_path, word):
    def torn():
        raise UnusableAudio("It is torn.")

    sounds = iter([word, torn])
    with pytest.raises(MissingData, match="torn"):
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
    np.testing.assert_array_equal(found[0].numpy(), front_end.filterbank(hum))


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
    (kept,) = (tmp_path / "cache" / "filterbanks").iterdir()
    arrays, header = read(kept)
    known = arrays["filterbanks"].copy()
    changed = damage(known)
    known = np.ascontiguousarray(known if changed is None else changed)
    if checked and damage is not _change:  # as somebody would write it who keeps to the format
        header["crc32"] = zlib.crc32(known.data)
    write_atomically(kept, {"filterbanks": known}, header)
    again, heard = listen(monkeypatch, tmp_path, word)
    assert heard == ["a", "b"]
    assert torch.equal(again, first)
    assert "is damaged and will be computed again" in caplog.text


def test_a_recording_of_values_that_are_no_numbers_is_no_filterbank(monkeypatch, tmp_path):
    monkeypatch.setattr(locations, "cache", lambda: tmp_path)
    for value in (np.nan, np.inf, 1e30):
        with pytest.raises(MissingData, match="recording x can't be used"):
            filterbanks("test", "A bang", (), ["x"], lambda _, value=value: (np.full(8000, value, np.float32), 8000))
    assert not list(tmp_path.rglob("*.safetensors"))
