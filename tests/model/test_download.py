"""Fetching a corpus: whole, interrupted, resumed, damaged, and not at all."""

import errno
import io
import signal
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from corpus_server import CONTENTS, NAMES, packed, send, send_all
from filelock import FileLock
from typer.testing import CliRunner

from model.cli.main import app
from model.data import download
from model.data.corpora.fsdd import Fsdd
from model.data.download import DownloadFailed, Installed, Interrupted, Verifying, is_genuine


def stopped_after(size, source, folder):
    """Download until there are so many bytes; what was told last."""
    wanted = [True]
    for step in download.download(source, folder, lambda: not wanted):
        if wanted and step.done >= size:
            wanted.clear()
    return step


def part_of(folder):
    return folder / "fsdd" / ".recordings.zip.part"


def test_a_corpus_is_fetched_verified_and_found(server, tmp_path):
    steps = list(download.download(server.source, tmp_path))
    path = tmp_path / "fsdd" / "recordings.zip"
    assert steps[-2:] == [Verifying(), Installed(path, fresh=True)]
    size = len(server.content)
    done = [step.done for step in steps[:-2]]
    assert done == sorted(done)
    assert done[-1] == size
    assert all(step.total == size for step in steps[:-2])
    assert Fsdd(tmp_path).location() == path
    assert [entry.name for entry in path.parent.iterdir() if entry.suffix != ".lock"] == ["recordings.zip"]


def test_a_second_time_nothing_is_fetched(server, tmp_path):
    list(download.download(server.source, tmp_path))
    server.asked.clear()
    (step,) = download.download(server.source, tmp_path)
    assert step == Installed(tmp_path / "fsdd" / "recordings.zip", fresh=False)
    assert server.asked == []


def test_unpacked_recordings_are_known_as_well(server, tmp_path):
    folder = tmp_path / "fsdd" / "recordings"
    folder.mkdir(parents=True)
    for name, content in CONTENTS.items():
        (folder / name).write_bytes(content)
    assert list(download.download(server.source, tmp_path)) == [Installed(folder, fresh=False)]


def test_a_stopped_download_goes_on_where_it_was(server, tmp_path):
    last = stopped_after(200_000, server.source, tmp_path)
    assert isinstance(last, Interrupted)
    assert 200_000 <= last.done < len(server.content)
    assert part_of(tmp_path).read_bytes() == server.content[: last.done]
    assert Fsdd(tmp_path).location() is None
    steps = list(download.download(server.source, tmp_path))
    assert server.asked[-1] == f"bytes={last.done}-"
    assert steps[0].done > last.done
    assert steps[0].total == len(server.content)
    assert steps[-1] == Installed(tmp_path / "fsdd" / "recordings.zip", fresh=True)


def test_a_broken_connection_is_told_and_resumed(server, tmp_path):
    server.reply = partial(send, stop=200_000)
    with pytest.raises(DownloadFailed, match=r"connection to 127\.0\.0\.1 failed.*try again; received data are kept"):
        list(download.download(server.source, tmp_path))
    server.reply = send
    steps = list(download.download(server.source, tmp_path))
    assert server.asked[-1] == "bytes=200000-"
    assert isinstance(steps[-1], Installed)


def test_a_server_that_cannot_resume_sends_all_again(server, tmp_path):
    last = stopped_after(200_000, server.source, tmp_path)
    server.reply = send_all
    steps = list(download.download(server.source, tmp_path))
    assert steps[0].done < last.done
    assert isinstance(steps[-1], Installed)


def test_a_server_that_packs_on_demand_tells_no_length(server, tmp_path):
    server.reply = partial(send, length=None)
    steps = list(download.download(server.source, tmp_path))
    assert steps[0].total == server.source.source.size
    assert isinstance(steps[-1], Installed)


def test_what_was_whole_but_not_yet_verified_is_not_fetched_again(server, tmp_path):
    (tmp_path / "fsdd").mkdir()
    (tmp_path / "fsdd" / ".recordings.zip.part").write_bytes(server.content)
    steps = list(download.download(server.source, tmp_path))
    assert steps == [Verifying(), Installed(tmp_path / "fsdd" / "recordings.zip", fresh=True)]


@pytest.mark.parametrize("garbage", [b"x" * 100_000, b"x" * 1_000_000])
def test_a_beginning_that_does_not_fit_is_fetched_anew(server, tmp_path, garbage):
    (tmp_path / "fsdd").mkdir()
    (tmp_path / "fsdd" / ".recordings.zip.part").write_bytes(garbage)
    steps = list(download.download(server.source, tmp_path))
    assert steps.count(Verifying()) == 2
    assert isinstance(steps[-1], Installed)


def _one_changed():
    return packed({**CONTENTS, NAMES[3]: b"another sound"})


def _one_missing():
    return packed(dict(list(CONTENTS.items())[1:]))


def _no_zip():
    return b"<html>Moved</html>"


def _cut():
    return packed(CONTENTS)[:-5000]


def _flipped():
    content = bytearray(packed(CONTENTS))
    content[150_000] ^= 1
    return bytes(content)


@pytest.mark.parametrize("sent", [_one_changed, _one_missing, _no_zip, _cut, _flipped])
def test_what_is_not_the_corpus_is_not_installed(server, tmp_path, sent):
    source = server.source
    server.content = sent()
    with pytest.raises(DownloadFailed, match=r"is not Free Spoken Digit Dataset with its 70 recordings.*yourself"):
        list(download.download(source, tmp_path))
    assert Fsdd(tmp_path).location() is None
    assert not (tmp_path / "fsdd" / ".recordings.zip.part").exists()


def test_any_packing_will_do(server, tmp_path):
    (tmp_path / "plain.zip").write_bytes(packed(CONTENTS, inside=""))
    assert is_genuine(server.source, tmp_path / "plain.zip")


def test_without_a_network_it_says_so(tmp_path, server):
    source = server.source
    server.shutdown()
    server.server_close()
    with pytest.raises(DownloadFailed, match=r"connection to 127\.0\.0\.1 failed \(.*refused.*Check the network"):
        list(download.download(source, tmp_path))


def test_a_missing_page_says_where_else_to_look(server, tmp_path):
    server.reply = lambda handler, _start: handler.send_error(404)
    with pytest.raises(DownloadFailed, match=r"answered 404 .*github\.com/Jakobovski"):
        list(download.download(server.source, tmp_path))


def test_a_full_disk_says_what_to_do_and_keeps_what_arrived(server, tmp_path, monkeypatch):
    class Full(io.BufferedWriter):
        def write(self, piece):
            if self.tell() >= 2 << 16:
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().write(piece)

    monkeypatch.setattr(Path, "open", lambda path, mode: Full(io.FileIO(path, mode)))
    with pytest.raises(DownloadFailed, match=r"can't be written \(No space left on device.*Make room"):
        list(download.download(server.source, tmp_path))
    monkeypatch.undo()
    have = part_of(tmp_path).stat().st_size
    assert have > 0
    assert isinstance(list(download.download(server.source, tmp_path))[-1], Installed)
    assert server.asked[-1] == f"bytes={have}-"


def test_other_recordings_are_left_where_they_are(server, tmp_path):
    folder = tmp_path / "fsdd" / "recordings"
    folder.mkdir(parents=True)
    (folder / "7_theo_0.wav").write_bytes(b"my own")
    with pytest.raises(DownloadFailed, match="does not hold the 70 official recordings"):
        list(download.download(server.source, tmp_path))
    assert (folder / "7_theo_0.wav").read_bytes() == b"my own"
    assert server.asked == []


def test_two_processes_do_not_write_one_file(server, tmp_path):
    (tmp_path / "fsdd").mkdir()
    with (
        FileLock(tmp_path / "fsdd" / ".recordings.zip.lock"),
        pytest.raises(DownloadFailed, match="already being downloaded by another process"),
    ):
        list(download.download(server.source, tmp_path))


def test_the_digest_is_that_of_the_official_recordings(corpora_folder):
    place = Fsdd(corpora_folder).location()
    assert is_genuine(Fsdd.info, place)
    assert not is_genuine(replace(Fsdd.info, source=replace(Fsdd.info.source, digest="0" * 64)), place)


# The command


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_command_says_what_comes_under_which_licence_and_where_it_went(server, tmp_path, monkeypatch):
    monkeypatch.setattr(Fsdd, "info", server.source)
    result = run("data", "get", "fsdd", "--data-dir", tmp_path)
    assert result.exit_code == 0, result.output
    for words in ("Free Spoken Digit Dataset", "CC BY-SA 4.0", "github.com/Jakobovski", "Verified and installed"):
        assert words in result.stderr
    assert str(tmp_path / "fsdd" / "recordings.zip") in result.stderr
    assert "Already installed" in run("data", "get", "fsdd", "--data-dir", tmp_path).stderr


def test_ctrl_c_keeps_what_arrived_and_the_same_command_goes_on(server, tmp_path, monkeypatch):
    monkeypatch.setattr(Fsdd, "info", server.source)

    class PressesCtrlC(download.Transfer):
        def pieces(self):
            for number, piece in enumerate(super().pieces()):
                if number == 2:
                    signal.raise_signal(signal.SIGINT)
                yield piece

    with monkeypatch.context() as patch:
        patch.setattr(download, "Transfer", PressesCtrlC)
        stopped = run("data", "get", "fsdd", "--data-dir", tmp_path)
    assert stopped.exit_code == 130
    assert "MB, which are kept" in stopped.stderr
    have = part_of(tmp_path).stat().st_size
    assert run("data", "get", "fsdd", "--data-dir", tmp_path).exit_code == 0
    assert server.asked[-1] == f"bytes={have}-"


def test_the_command_tells_a_failure_in_one_line(server, tmp_path, monkeypatch):
    monkeypatch.setattr(Fsdd, "info", server.source)
    server.reply = lambda handler, _start: handler.send_error(503)
    result = run("data", "get", "fsdd", "--data-dir", tmp_path)
    assert result.exit_code == 1
    assert "Error: 127.0.0.1 answered 503" in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("name", "answer"), [("mnist", "ships with the application"), ("timit", "There are: mnist, fsdd")]
)
def test_what_cannot_be_fetched_is_wrong_use(tmp_path, name, answer):
    result = run("data", "get", name, "--data-dir", tmp_path)
    assert result.exit_code == 2
    assert answer in result.stderr


def test_a_path_is_never_read_as_markup(server, tmp_path, monkeypatch):
    monkeypatch.setattr(Fsdd, "info", server.source)
    folder = tmp_path / "x[" / "b]"  # "x[/b]" would end a style that nobody began
    got = run("data", "get", "fsdd", "--data-dir", folder)
    assert got.exit_code == 0, got.output
    assert str(folder / "fsdd" / "recordings.zip") in got.stderr
    listed = run("data", "list", "--data-dir", folder)
    assert listed.exit_code == 0, listed.output
