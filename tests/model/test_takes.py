"""The store of the user's own takes: what survives whom, and what is passed over."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import soundfile

from model.data.take_exchange import export_takes, import_takes
from model.data.takes import Take, TakeError, TakeStore, checked_name, device_of, label_of
from model.types import Modality

RATE = 16_000
TONE = (0.3 * np.sin(2 * np.pi * 300 * np.arange(RATE // 2) / RATE)).astype(np.float32)
INK = np.zeros((112, 112), np.uint8)
INK[20:90, 50:60] = 255


@pytest.fixture
def takes(tmp_path: Path) -> TakeStore:
    return TakeStore(tmp_path / "my-digits")


def test_a_recording_and_a_drawing_are_found_again_with_who_what_when_and_how(takes):
    when = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
    spoken = takes.add_speech("Ann", 7, 2 * TONE, RATE, "Desk microphone", when)
    drawn = takes.add_drawing("Ann", 1, INK, "a mouse")
    assert takes.takes() == [spoken, drawn]
    assert (spoken.person, spoken.label, spoken.modality, spoken.when) == ("Ann", 7, Modality.SPEECH, when)
    assert spoken.path.relative_to(takes.folder).as_posix() == spoken.key
    assert [device_of(take) for take in (spoken, drawn)] == ["Desk microphone", "a mouse"]
    samples, rate = soundfile.read(spoken.path)
    assert rate == RATE
    assert samples == pytest.approx(2 * TONE, abs=1e-4)
    assert abs((datetime.now(UTC) - drawn.when).total_seconds()) < 60


def test_people_are_added_numbered_renamed_and_listed_without_takes(takes):
    assert takes.people() == []
    assert takes.add_person("  Zoë  B. ".replace(" B.", " B")) == "Zoë B"
    assert takes.add_person("") == "Person 1"
    assert takes.add_person("") == "Person 2"
    take = takes.add_speech("Person 1", 3, TONE, RATE)
    assert takes.rename_person("Person 1", "ann") == "ann"
    assert takes.rename_person("ann", "Ann") == "Ann", "another case of the same name"
    assert takes.people() == ["Ann", "Person 2", "Zoë B"]
    assert [t.person for t in takes.takes()] == ["Ann"]
    assert takes.find(take.key) == takes.takes()[0].path
    for taken in ("ANN", "zoë b"):
        with pytest.raises(TakeError, match="already"):
            takes.add_person(taken)
    with pytest.raises(TakeError, match="not there"):
        takes.rename_person("Nobody", "Somebody")


@pytest.mark.parametrize(
    "name", ["", " ", "a/b", "..", ".hidden", "con", "LPT1.txt", "x" * 41, "a\x00b", "end.", "\u202e"]
)
def test_names_that_are_no_folders_are_refused(name):
    with pytest.raises(TakeError):
        checked_name(name)


def test_relabelled_and_left_out_takes_keep_their_names_and_times(takes):
    take = takes.add_speech("Ann", 9, TONE, RATE)
    moved = takes.relabel(take, 5)
    left_out = takes.exclude(moved)
    assert (left_out.label, left_out.excluded, left_out.when, left_out.path.name) == (
        5,
        True,
        take.when,
        take.path.name,
    )
    assert takes.takes() == [left_out]
    assert takes.relabel(left_out, 4).excluded
    back = takes.exclude(takes.takes()[0], False)
    assert takes.takes() == [back]
    assert back.path.parent == takes.folder / "Ann" / "4"
    with pytest.raises(TakeError, match="not there any more"):
        takes.relabel(take, 1)
    with pytest.raises(TakeError, match="no digit"):
        takes.relabel(back, 10)


def test_files_of_one_name_are_never_written_over(takes):
    three = takes.add_speech("Ann", 3, TONE, RATE)
    other = takes.folder / "Ann" / "7" / three.path.name
    other.parent.mkdir()
    other.write_bytes(b"another")
    moved = takes.relabel(three, 7)
    assert other.read_bytes() == b"another"
    assert moved.path != other
    assert len(takes.takes()) == 2


def test_what_was_deleted_comes_back_a_take_as_well_as_a_person(takes):
    kept, gone, drawn = (takes.add_speech("Ann", 1, TONE, RATE), takes.add_speech("Ann", 2, TONE, RATE),
                         takes.add_drawing("Bob", 3, INK))  # fmt: skip
    out = takes.exclude(kept)
    takes.add_person("Cy")
    everything = takes.takes()
    some = takes.delete([gone, out, gone])
    assert takes.takes() == [drawn]
    ann, cy = takes.delete_person("Ann"), takes.delete_person("Cy")
    assert takes.people() == ["Bob"]
    takes.purge()
    for deletion in (cy, ann, some):
        takes.restore(deletion)
    assert takes.takes() == everything
    assert takes.people() == ["Ann", "Bob", "Cy"]
    takes.delete([gone])
    takes.purge(older_than=-1)
    assert not list((takes.folder / ".deleted").iterdir())


def test_files_that_were_copied_by_hand_are_takes_and_others_are_passed_over(takes):
    folder = takes.folder / "Ann"
    for name in ("seven/mine.wav", "7/other.flac", "7/excluded/bad.flac", "7/picture.PNG"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / name, TONE, RATE, format="WAV")
    for name in (
        "notes.txt",
        "7/readme.txt",
        "7/.hidden.flac",
        "10/x.flac",
        "7/deeper/x.flac",
        "7/.x.flac.0a7c2a8d.draft",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
    (takes.folder / "stray.flac").write_text("x")
    (folder / "7" / "folder.flac").mkdir()
    assert sorted((take.path.name, take.label, take.excluded) for take in takes.takes()) == [
        ("bad.flac", 7, True),
        ("mine.wav", 7, False),
        ("other.flac", 7, False),
        ("picture.PNG", 7, False),
    ]
    assert device_of(takes.takes()[0]) == ""


def test_keys_that_lead_out_of_the_folder_find_nothing(takes, tmp_path):
    takes.add_speech("Ann", 7, TONE, RATE)
    (tmp_path / "secret.flac").write_bytes(b"")
    with pytest.raises(KeyError):
        takes.find("../secret.flac")


def test_labels_are_digits_or_words():
    assert [label_of(name) for name in ("7", "Seven", "07", "ten", "٧", "²")] == [7, 7, None, None, None, None]


@pytest.mark.skipif(sys.platform == "win32", reason="kills with a signal")
def test_a_process_that_is_killed_while_it_writes_leaves_whole_takes_only(takes):
    code = """
        import os, sys, signal
        from pathlib import Path
        import numpy as np
        from model import checkpoints
        from model.data.takes import TakeStore
        takes = TakeStore(Path(sys.argv[1]))
        tone = np.sin(np.arange(8000) / 5).astype(np.float32)
        takes.add_speech("Ann", 7, tone, 8000)
        checkpoints._rename = lambda *_paths: os.kill(os.getpid(), signal.SIGKILL)  # written, not yet named
        takes.add_speech("Ann", 7, tone, 8000)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code), str(takes.folder)], check=False)
    assert done.returncode == -9
    assert len(list((takes.folder / "Ann" / "7").iterdir())) == 2, "one whole file and one draft"
    (whole,) = takes.takes()
    assert len(soundfile.read(whole.path)[0]) == 8000
    takes.add_speech("Ann", 7, TONE, RATE)
    assert len(list((takes.folder / "Ann" / "7").iterdir())) == 2, "the next take removes the draft"


def test_two_stores_on_one_folder_see_each_others_takes(takes):
    other = TakeStore(takes.folder)
    take = takes.add_speech("Ann", 7, TONE, RATE)
    other.delete(other.takes())
    assert takes.takes() == []
    takes.delete([take])
    with pytest.raises(TakeError):
        takes.relabel(take, 3)


# Export and import


def contents(takes: list[Take]) -> list[tuple[str, int, Modality, bool, bytes]]:
    return sorted((t.person, t.label, t.modality, t.excluded, t.path.read_bytes()) for t in takes)


def test_what_is_exported_can_be_imported_and_a_second_time_nothing_is_new(takes, tmp_path):
    takes.add_speech("Ann", 7, TONE, RATE, "Desk microphone")
    takes.exclude(takes.add_speech("Ann", 8, TONE, RATE))
    takes.add_drawing("Bob", 1, INK)
    shares: list[float] = []
    out = tmp_path / "out"
    assert export_takes(takes.takes(), out, lambda share, _text: shares.append(share)) == 3
    assert shares == pytest.approx([0, 1 / 3, 2 / 3])
    assert sorted(path.relative_to(out).parent.as_posix() for path in out.rglob("*.*")) == [
        "Ann/7", "Ann/8/excluded", "Bob/1",
    ]  # fmt: skip
    assert export_takes(takes.takes(), out) == 0

    other = TakeStore(tmp_path / "other")
    found = import_takes(other, out)
    assert (found.added, found.known, found.people, found.problems) == (3, 0, ("Ann", "Bob"), {})
    assert contents(other.takes()) == contents(takes.takes())
    assert [take.when for take in other.takes()] == [take.when for take in takes.takes()]
    assert import_takes(other, out).known == 3
    assert len(other.takes()) == 3


def test_other_formats_are_converted_and_damaged_files_are_named(takes, tmp_path):
    folder = tmp_path / "Dora"
    for name in ("3", "four"):
        (folder / name).mkdir(parents=True)
    soundfile.write(folder / "3" / "a.wav", TONE, RATE)
    (folder / "3" / "b.flac").write_bytes(b"no sound")
    (folder / "four" / "c.png").write_bytes(b"no picture")
    (folder / "unlabelled.wav").write_bytes(b"")
    found = import_takes(takes, folder)
    assert found.added == 1
    assert found.people == ("Dora",), "labels alone: one person, of the folder's name"
    assert set(found.problems) == {"3/b.flac", "four/c.png"}
    (take,) = takes.takes()
    assert (take.label, take.path.suffix) == (3, ".flac")
    assert soundfile.read(take.path)[0] == pytest.approx(TONE, abs=1e-4)


def test_a_folder_without_labels_is_explained(takes, tmp_path):
    with pytest.raises(TakeError, match="holds no labelled takes"):
        import_takes(takes, tmp_path)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_is_read_only_is_an_error_of_the_system(takes):
    takes.folder.mkdir(mode=0o500)
    with pytest.raises(OSError, match="denied"):
        takes.add_speech("Ann", 7, TONE, RATE)
