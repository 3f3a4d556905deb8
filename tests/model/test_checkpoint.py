"""Files on disk: whole or not at all, and clear words for what is none of ours."""

import errno
import json
import os
import pickle
import stat
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from model.checkpoints import (
    FORMAT,
    Header,
    UnusableCheckpoint,
    read,
    read_header,
    write_atomically,
    write_bytes_atomically,
)

ARRAYS = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.array([1, 2], np.int64)}
HEADER = {"format": FORMAT, "words": ["sieben", "neun\n", "\u00fc"], "number": 0.1}


def test_arrays_and_header_come_back_exactly(tmp_path):
    path = tmp_path / "new" / "folder" / "x.safetensors"
    write_atomically(path, ARRAYS, HEADER)
    arrays, header = read(path)
    assert header == HEADER
    assert {name: array.dtype for name, array in arrays.items()} == {"a": np.float32, "b": np.int64}
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array)


def test_arrays_that_are_not_contiguous_come_back(tmp_path):
    transposed = np.arange(12.0).reshape(3, 4).T
    write_atomically(tmp_path / "x", {"t": transposed, "every": np.arange(10)[::3]}, HEADER)
    arrays, _ = read(tmp_path / "x")
    np.testing.assert_array_equal(arrays["t"], transposed)
    np.testing.assert_array_equal(arrays["every"], [0, 3, 6, 9])


def test_writing_leaves_one_readable_file_and_no_draft(tmp_path):
    path = tmp_path / "x.safetensors"
    write_atomically(path, ARRAYS, HEADER)
    write_atomically(path, {"c": np.ones(1)}, HEADER)
    assert [path.name for path in tmp_path.iterdir()] == ["x.safetensors"]
    assert set(read(path)[0]) == {"c"}


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_full_disk_keeps_the_former_file_and_leaves_no_draft(tmp_path, monkeypatch, failing):
    path = tmp_path / "x.safetensors"
    write_atomically(path, ARRAYS, HEADER)
    before = path.read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        if failing == "fsync":
            patch.setattr(os, "fsync", full)
        else:
            patch.setattr("pathlib.Path.replace", full)
        with pytest.raises(OSError, match="space"):
            write_atomically(path, {"c": np.ones(1)}, HEADER)
    assert path.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["x.safetensors"]


def test_the_draft_lies_beside_its_final_place(tmp_path, monkeypatch):
    # Elsewhere a rename could be a copy, and no longer all or nothing.
    seen = []
    monkeypatch.setattr(os, "fsync", lambda _: seen.extend(tmp_path.iterdir()))
    write_atomically(tmp_path / "x.safetensors", ARRAYS, HEADER)
    assert seen[0].name.startswith(".x.safetensors.")
    assert set(seen[1:]) <= {tmp_path / "x.safetensors"}  # then the folder itself


def _whole(path):
    write_atomically(path, ARRAYS, HEADER)
    return path.read_bytes()


def _foreign(path):
    save_file(ARRAYS, path)


def _foreign_metadata(path):
    save_file(ARRAYS, path, {"format": "pt"})


def _header_no_json(path):
    save_file(ARRAYS, path, {"modinv": "{format:"})


def _header_no_mapping(path):
    save_file(ARRAYS, path, {"modinv": "[1, 2]"})


def _truncated(path):
    path.write_bytes(_whole(path)[:-7])


def _truncated_in_the_header(path):
    path.write_bytes(_whole(path)[:40])


def _random(path):
    path.write_bytes(np.random.default_rng(0).bytes(5000))


def _empty(path):
    path.write_bytes(b"")


def _pickled(path):
    path.write_bytes(pickle.dumps({"weights": [1.0, 2.0]}))


def _text(path):
    path.write_text("dear model")


@pytest.mark.parametrize(
    "write",
    [
        _foreign,
        _foreign_metadata,
        _header_no_json,
        _header_no_mapping,
        _truncated,
        _truncated_in_the_header,
        _random,
        _empty,
        _pickled,
        _text,
    ],
)
def test_what_is_no_checkpoint_of_ours_is_named(tmp_path, write):
    path = tmp_path / "strange.safetensors"
    write(path)
    with pytest.raises(UnusableCheckpoint, match=r"strange\.safetensors is not a checkpoint"):
        read(path)


def test_a_pickle_is_never_run(tmp_path):
    marker = tmp_path / "ran"

    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(marker),)

    (tmp_path / "evil.safetensors").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(UnusableCheckpoint):
        read(tmp_path / "evil.safetensors")
    assert not marker.exists()


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    for path in (tmp_path / "nothing.safetensors", tmp_path):
        with pytest.raises(UnusableCheckpoint, match=f"{path.name} does not exist"):
            read(path)


@pytest.mark.parametrize("format_", [None, "modinv-2", "modinv-0"])
def test_another_version_of_the_format_is_refused(tmp_path, format_):
    write_atomically(tmp_path / "old.safetensors", ARRAYS, {"format": format_})
    with pytest.raises(UnusableCheckpoint, match=r"old\.safetensors was written by another version"):
        read(tmp_path / "old.safetensors")


def header():
    data = {"images": ["mnist"], "speech": ["fsdd"]}
    return Header({"name": "r"}, {"bins": 80}, data, 3, 40, "cpu", {"torch": "2"}, {"purity": 0.9})


def test_a_header_survives_json():
    values = json.loads(json.dumps(header().to_dict()))
    assert values["format"] == FORMAT
    assert Header.from_dict(values) == header()


@pytest.mark.parametrize("field", ["recipe", "filterbank", "data", "seed", "step", "device", "versions"])
def test_a_header_without_a_field_says_which(field):
    values = header().to_dict()
    del values[field]
    with pytest.raises(UnusableCheckpoint, match=f"lacks '{field}'"):
        Header.from_dict(values)


def test_the_header_alone_is_read_without_the_arrays(tmp_path):
    write_atomically(tmp_path / "a.safetensors", {"x": np.zeros(4)}, {"format": FORMAT, "step": 3})
    assert read_header(tmp_path / "a.safetensors") == {"format": FORMAT, "step": 3}
    (tmp_path / "b.safetensors").write_bytes(b"nothing")
    with pytest.raises(UnusableCheckpoint, match=r"b\.safetensors"):
        read_header(tmp_path / "b.safetensors")


def test_a_file_that_somebody_reads_is_replaced_when_he_has_done(tmp_path, monkeypatch):
    """As on Windows, where nobody replaces a file that is open."""
    replace, tries = Path.replace, []

    def refuse_twice(draft, path):
        tries.append(draft)
        if len(tries) < 3:
            raise PermissionError(13, "Permission denied")
        return replace(draft, path)

    monkeypatch.setattr(Path, "replace", refuse_twice)
    write_bytes_atomically(tmp_path / "file", b"content")
    assert (tmp_path / "file").read_bytes() == b"content"
    assert len(tries) == 3


def test_a_file_that_may_not_be_replaced_stays(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"former")

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", refuse)
    monkeypatch.setattr("model.checkpoints._RENAME_ATTEMPTS", 2)
    with pytest.raises(PermissionError):
        write_bytes_atomically(tmp_path / "file", b"content")
    assert (tmp_path / "file").read_bytes() == b"former"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no umask")
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_the_umask_says_who_may_read_a_file(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        write_atomically(tmp_path / "file.safetensors", {"a": np.zeros(3)})
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file.safetensors").stat().st_mode) == mode
