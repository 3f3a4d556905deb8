"""Fetching a corpus from a server in this process: whole, interrupted, resumed, damaged, and not at all."""

import errno
import hashlib
import http.server
import io
import signal
import threading
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock
from typer.testing import CliRunner

from model.cli import app
from model.datasets import Fsdd, download
from model.datasets.download import (
    SOURCES,
    DownloadFailed,
    Downloading,
    Installed,
    Stopped,
    Verifying,
    is_genuine,
)

NAMES = [f"{digit}_theo_{take}.wav" for digit in range(10) for take in range(7)]
CONTENTS = {name: hashlib.shake_256(name.encode()).digest(6000) for name in NAMES}


def packed(contents, inside="free-spoken-digit-dataset-1.0.10/recordings/"):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("free-spoken-digit-dataset-1.0.10/README.md", "Recordings.")
        for name, content in contents.items():
            archive.writestr(inside + name, content)
    return buffer.getvalue()


class Server(http.server.ThreadingHTTPServer):
    """Serves one zip, well or badly."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = packed(CONTENTS)
        self.ranges, self.tells, self.breaks_at, self.status = True, True, None, 200
        self.asked = []

    @property
    def source(self):
        lines = "".join(f"{name} {hashlib.sha256(CONTENTS[name]).hexdigest()}\n" for name in sorted(NAMES))
        return replace(
            SOURCES["fsdd"],
            url=f"http://127.0.0.1:{self.server_port}/archive/v1.zip",
            size=len(self.content),
            recordings=len(NAMES),
            digest=hashlib.sha256(lines.encode()).hexdigest(),
        )


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server, asked = self.server, self.headers.get("Range")
        server.asked.append(asked)
        if self.path == "/archive/v1.zip":  # as GitHub does it
            self.send_response(302)
            self.send_header("Location", "/packed.zip")
            self.end_headers()
            return
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and server.ranges else 0
        if server.status != 200 or start >= len(server.content):
            self.send_error(server.status if server.status != 200 else 416)
            return
        self.send_response(206 if start else 200)
        if server.tells:
            self.send_header("Content-Length", str(len(server.content) - start))
        self.end_headers()
        self.wfile.write(server.content[start : server.breaks_at])

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.02])
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def after(pieces):
    """A stop predicate that turns true after so many questions."""
    asked = iter([False] * (pieces - 1))
    return lambda: next(asked, True)


def test_a_corpus_is_fetched_verified_and_found(server, tmp_path):
    steps = list(download.download(server.source, tmp_path))
    path = tmp_path / "fsdd" / "recordings.zip"
    assert steps[-2:] == [Verifying(), Installed(path, fresh=True)]
    size = len(server.content)
    assert [step.done for step in steps[:-2]] == [*range(1 << 16, size, 1 << 16), size]
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
    *_, last = download.download(server.source, tmp_path, after(3))
    assert last == Stopped(3 << 16)
    assert Fsdd(tmp_path).location() is None
    steps = list(download.download(server.source, tmp_path))
    assert server.asked[-1] == f"bytes={3 << 16}-"
    assert steps[0] == Downloading(4 << 16, len(server.content))
    assert steps[-1] == Installed(tmp_path / "fsdd" / "recordings.zip", fresh=True)


def test_a_broken_connection_is_told_and_resumed(server, tmp_path):
    server.breaks_at = 200_000
    with pytest.raises(DownloadFailed, match=r"connection to 127\.0\.0\.1 failed.*try again; what has arrived is kept"):
        list(download.download(server.source, tmp_path))
    server.breaks_at = None
    steps = list(download.download(server.source, tmp_path))
    assert server.asked[-1] == "bytes=200000-"
    assert isinstance(steps[-1], Installed)


def test_a_server_that_cannot_resume_sends_all_again(server, tmp_path):
    list(download.download(server.source, tmp_path, after(2)))
    server.ranges = False
    steps = list(download.download(server.source, tmp_path))
    assert steps[0] == Downloading(1 << 16, len(server.content))
    assert isinstance(steps[-1], Installed)


def test_a_server_that_packs_on_demand_tells_no_length(server, tmp_path):
    server.tells = False
    steps = list(download.download(server.source, tmp_path))
    assert steps[0].total == server.source.size
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
    server.status = 404
    with pytest.raises(DownloadFailed, match=r"answered 404 .*github\.com/Jakobovski"):
        list(download.download(server.source, tmp_path))


def test_a_silent_server_is_not_waited_for_for_ever(server, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "_PATIENCE", 0.2)
    silence = threading.Event()
    monkeypatch.setattr(Handler, "do_GET", lambda _: silence.wait(10))
    try:
        with pytest.raises(DownloadFailed, match="timed out"):
            list(download.download(server.source, tmp_path))
    finally:
        silence.set()


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
    assert isinstance(list(download.download(server.source, tmp_path))[-1], Installed)
    assert server.asked[-1] == f"bytes={2 << 16}-"


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
        pytest.raises(DownloadFailed, match="fetched already, by another process"),
    ):
        list(download.download(server.source, tmp_path))


def test_the_digest_is_that_of_the_official_recordings(corpora_folder):
    place = Fsdd(corpora_folder).location()
    assert is_genuine(SOURCES["fsdd"], place)
    assert not is_genuine(replace(SOURCES["fsdd"], digest="0" * 64), place)


# The command


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_command_says_what_comes_under_which_licence_and_where_it_went(server, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "SOURCES", {"fsdd": server.source})
    result = run("data", "get", "fsdd", "--data-dir", tmp_path)
    assert result.exit_code == 0, result.output
    for words in ("Free Spoken Digit Dataset", "CC BY-SA 4.0", "github.com/Jakobovski", "Verified and installed"):
        assert words in result.stderr
    assert str(tmp_path / "fsdd" / "recordings.zip") in result.stderr
    assert "There already" in run("data", "get", "fsdd", "--data-dir", tmp_path).stderr


def test_ctrl_c_keeps_what_arrived_and_the_same_command_goes_on(server, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "SOURCES", {"fsdd": server.source})
    piece, arrived = download._piece, []

    def press_ctrl_c(*arguments):
        arrived.append(piece(*arguments))
        if len(arrived) == 2:
            signal.raise_signal(signal.SIGINT)
        return arrived[-1]

    with monkeypatch.context() as patch:
        patch.setattr(download, "_piece", press_ctrl_c)
        stopped = run("data", "get", "fsdd", "--data-dir", tmp_path)
    assert stopped.exit_code == 130
    assert "Stopped after 0.1 MB; they are kept" in stopped.stderr
    assert run("data", "get", "fsdd", "--data-dir", tmp_path).exit_code == 0
    assert server.asked[-1] == f"bytes={2 << 16}-"


def test_the_command_tells_a_failure_in_one_line(server, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "SOURCES", {"fsdd": server.source})
    server.status = 503
    result = run("data", "get", "fsdd", "--data-dir", tmp_path)
    assert result.exit_code == 1
    assert "Error: 127.0.0.1 answered 503" in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize(("name", "answer"), [("mnist", "ships with the application"), ("timit", "There are to fetch")])
def test_what_cannot_be_fetched_is_wrong_use(tmp_path, name, answer):
    result = run("data", "get", name, "--data-dir", tmp_path)
    assert result.exit_code == 2
    assert answer in result.stderr
