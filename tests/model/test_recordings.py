"""Recordings in folders and zips that nobody has checked: limits before and while they are read."""

import os
import struct
import tracemalloc
import zipfile
from contextlib import contextmanager, suppress

import pytest

from model.data.corpora import MissingData
from model.data.corpora.fsdd import Fsdd
from model.data.recordings import MAX_RECORDING, opened

NAME = "7_theo_9.wav"
MOST = 50 << 20
"""Bytes that may be allocated while something is refused."""


@pytest.fixture
def place(tmp_path):
    """A zip for FSDD, to be written."""
    (tmp_path / "fsdd").mkdir()
    return tmp_path / "fsdd" / "recordings.zip"


@contextmanager
def refused(words):
    """What happens within it is refused in such words, and takes little memory."""
    tracemalloc.start()
    try:
        with pytest.raises(MissingData, match=words):
            yield
        assert tracemalloc.get_traced_memory()[1] < MOST
    finally:
        tracemalloc.stop()


def pack(place, content=b"", method=zipfile.ZIP_DEFLATED, name=NAME):
    with zipfile.ZipFile(place, "w", method) as archive:
        archive.writestr(name, content)


def pack_zeros(place, size, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(place, "w", method) as archive, archive.open(NAME, "w", force_zip64=True) as file:
        for _ in range(size >> 20):
            file.write(bytes(1 << 20))


def change(place, what, value, signature=b"PK\1\2"):
    """Overwrite a field of the zip's directory: where it lies behind the signature, and how it is packed."""
    content = bytearray(place.read_bytes())
    struct.pack_into(what[1], content, content.index(signature) + what[0], value)
    place.write_bytes(content)


FLAGS, METHOD, SIZE = (8, "<H"), (10, "<H"), (24, "<I")


def read(place):
    with opened(place) as files:
        return {key: file.read() for key, file in files.items()}


def test_what_is_packed_is_read(place):
    pack(place, b"a sound" * 100)
    assert read(place) == {NAME: b"a sound" * 100}


def test_a_recording_of_more_bytes_than_any_has_is_not_unpacked(place):
    pack_zeros(place, MAX_RECORDING + (1 << 20))
    with refused(r"7_theo_9\.wav in .*recordings\.zip has 68 MB.*Delete it, or get"):
        read(place)


def test_nor_is_one_that_claims_to_be_small(place):
    pack_zeros(place, MAX_RECORDING + (1 << 20))
    # Zip64 keeps the size elsewhere unless the field has it.
    change(place, SIZE, 1000)
    with refused(r"7_theo_9\.wav in .*recordings\.zip is damaged.*Get the corpus again"):
        read(place)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_whose_pieces_may_be_of_any_size_are_refused(place, method):
    pack_zeros(place, 60 << 20, method)
    with refused(r"unusual method\. Pack it again"):
        read(place)


@pytest.mark.parametrize("method", [9, 98, 65535])
def test_methods_that_nobody_here_knows_are_refused(place, method):
    pack(place, b"a sound")
    change(place, METHOD, method)
    with refused("unusual method"):
        read(place)


@pytest.mark.parametrize("flags", [0x1, 0x41])
def test_an_encrypted_zip_is_refused(place, flags):
    pack(place, b"a sound")
    change(place, FLAGS, flags)
    for read_it in (read, lambda _: Fsdd(place.parent.parent).load("train")):
        with refused(r"is encrypted\. Pack it again without a password"):
            read_it(place)


def test_a_million_entries_are_not_listed(place):
    name = b"1_theo_000001.wav"
    entry = struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, 0, 0, len(name), 0, 0, 0, 0, 0, 0) + name
    size = 1_000_000 * len(entry)
    with place.open("wb") as file:
        for _ in range(1000):
            file.write(entry * 1000)
        file.write(struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, 10**6, 10**6, size, 0))
        file.write(struct.pack("<4sIQI", b"PK\6\7", 0, size, 1))
        file.write(struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0))
    with refused(r"recordings\.zip holds far too many files"):
        Fsdd(place.parent.parent).load("test")


def test_entries_that_share_their_bytes_are_one_or_refused(place):
    pack(place, b"a sound" * 100)
    content = place.read_bytes()
    directory, end = content.index(b"PK\1\2"), content.index(b"PK\5\6")
    entry = content[directory:end]
    tail = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 500, 500, 500 * len(entry), directory, 0)
    place.write_bytes(content[:directory] + entry * 500 + tail)
    with suppress(MissingData):  # some versions of Python refuse such an archive themselves
        assert read(place) == {NAME: b"a sound" * 100}


@pytest.mark.parametrize("name", ["/7_theo_9.wav", "../../7_theo_9.wav", "C:\\x\\../7_theo_9.wav"])
def test_names_that_lead_elsewhere_lead_nowhere(place, tmp_path, name):
    pack(place, b"no sound", name=name)
    before = sorted(tmp_path.rglob("*"))
    with refused("can't be used"):
        Fsdd(tmp_path).load("train")
    assert sorted(tmp_path.rglob("*")) == before, "nothing is unpacked to disk"


def test_a_link_in_a_zip_is_not_followed(place, tmp_path):
    (tmp_path / "secret").write_bytes(b"secret")
    link = zipfile.ZipInfo(NAME)
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(place, "w") as archive:
        archive.writestr(link, str(tmp_path / "secret"))
    assert read(place) == {NAME: str(tmp_path / "secret").encode()}


@pytest.mark.parametrize("cut", [1, 30, 60, 200])
def test_a_torn_zip_is_told(place, cut):
    pack(place, os.urandom(300))
    place.write_bytes(place.read_bytes()[:-cut])
    with refused(r"is not a whole zip file\. Get it again"):
        read(place)


def test_a_flipped_bit_is_told(place):
    pack(place, os.urandom(300), zipfile.ZIP_STORED)
    content = bytearray(place.read_bytes())
    content[100] ^= 1
    place.write_bytes(content)
    with refused(r"7_theo_9\.wav in .* is damaged"):
        read(place)


def test_errors_of_whoever_reads_are_his_own(place):
    pack(place, b"a sound")

    def fail():
        with opened(place):
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        fail()


def test_a_folder_holds_its_files_and_nothing_that_is_waited_for(tmp_path):
    (tmp_path / "7_theo_1.wav").write_bytes(b"a sound")
    (tmp_path / "7_theo_2.wav").mkdir()
    (tmp_path / "7_theo_3.wav").symlink_to(tmp_path / "nowhere")
    if os.name == "posix":
        os.mkfifo(tmp_path / "7_theo_4.wav")
        (tmp_path / "7_theo_5.wav").symlink_to("/dev/zero")
    assert read(tmp_path) == {"7_theo_1.wav": b"a sound"}


def test_a_file_of_more_bytes_than_any_recording_is_not_read(tmp_path):
    with (tmp_path / NAME).open("wb") as file:
        file.truncate(4 << 30)  # it takes no room on most disks
    with refused("has 4,295 MB"):
        read(tmp_path)


def test_another_content_is_another_state(tmp_path, place):
    def state(where):
        with opened(where) as files:
            return files[NAME].state

    (tmp_path / NAME).write_bytes(b"a sound")
    pack(place, b"a sound")
    first = state(tmp_path), state(place)
    assert (state(tmp_path), state(place)) == first
    (tmp_path / NAME).write_bytes(b"b sounds")
    pack(place, b"b sound")
    assert state(tmp_path) != first[0]
    assert state(place) != first[1]


def test_a_recording_that_is_gone_is_named(place):
    pack(place, b"a sound", name="a/b/" + NAME)
    with refused(r"no recording a/b/7_lucas_1\.wav any more"):
        Fsdd(place.parent.parent).clip("a/b/7_lucas_1.wav")
