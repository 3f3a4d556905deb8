"""Servers that are silent, slow, endless or wrong: told in words, left at once, and never believed."""

import io
import time
import urllib.request
from functools import partial

import pytest
from corpus_server import fall_silent, head, packed, redirect, send, send_all, send_endlessly

from model.data import download, transfer
from model.data.download import DownloadFailed, Installed, Interrupted, Verifying


def part_of(folder, content=None):
    """The place of what has arrived, with some content there."""
    part = folder / "fsdd" / ".recordings.zip.part"
    if content is not None:
        part.parent.mkdir()
        part.write_bytes(content)
    return part


def fetch(server, folder):
    return list(download.download(server.source, folder))


# The rest of a file


@pytest.mark.parametrize(
    "claimed",
    [
        "bytes 0-99/100",
        "bytes 1000-500000/500001",
        "bytes 999-1200/300000",  # the place asked for, but of another length than what comes
        "words 999-1200/300000",
        "bytes */300000",
        "",
        None,
    ],
)
def test_a_part_that_was_not_asked_for_is_not_appended(server, tmp_path, claimed):
    part_of(tmp_path, server.content[:999])
    server.reply = partial(send, content_range=claimed)
    steps = fetch(server, tmp_path)
    assert server.asked == ["bytes=999-", "bytes=999-", None, None], "each was redirected once"
    assert steps.count(Verifying()) == 1, "nothing wrong was even looked at"
    assert isinstance(steps[-1], Installed)


def test_the_part_that_was_asked_for_is_appended(server, tmp_path):
    part_of(tmp_path, server.content[:999])
    server.reply = partial(send, content_range=f"bytes 999-{len(server.content) - 1}/*")
    steps = fetch(server, tmp_path)
    assert steps[0].done > 999
    assert steps[0].total == len(server.content)
    assert set(server.asked) == {"bytes=999-"}
    assert isinstance(steps[-1], Installed)


def test_a_part_for_who_has_nothing_is_refused(server, tmp_path):
    server.reply = lambda handler, _start: head(handler, 206, Content_Range="bytes 0-9/10", Content_Length=0)
    with pytest.raises(DownloadFailed, match="answered 206"):
        fetch(server, tmp_path)


def test_a_server_without_the_rest_is_asked_for_everything_where_what_is_there_is_wrong(server, tmp_path):
    part_of(tmp_path, packed({"1_theo_0.wav": b"x" * 10}))
    server.reply = lambda handler, start: handler.send_error(416) if start else send(handler, 0)
    steps = fetch(server, tmp_path)
    assert steps.count(Verifying()) == 2
    assert isinstance(steps[-1], Installed)


def test_a_server_that_never_has_anything_is_not_asked_for_ever(server, tmp_path):
    server.reply = lambda handler, _start: handler.send_error(416)
    with pytest.raises(DownloadFailed, match="answered 416"):
        fetch(server, tmp_path)
    assert len(server.asked) == 2, "once, and where it redirected"


# Sizes


@pytest.mark.parametrize("length", ["many", "-5", "1e5", "9" * 5000])
def test_a_length_that_is_no_number_is_as_good_as_none(server, tmp_path, length):
    server.reply = partial(send, length=length)
    assert isinstance(fetch(server, tmp_path)[-1], Installed)


def test_what_is_longer_than_it_says_is_cut(server, tmp_path):
    size = len(server.content)
    server.content += b"more" * 1000
    server.reply = partial(send, length=size)
    assert isinstance(fetch(server, tmp_path)[-1], Installed)
    assert (tmp_path / "fsdd" / "recordings.zip").stat().st_size == size


def test_what_is_shorter_than_it_says_is_kept_for_the_next_time(server, tmp_path):
    server.reply = partial(send, stop=100_000)
    with pytest.raises(DownloadFailed, match="it ended early"):
        fetch(server, tmp_path)
    assert part_of(tmp_path).read_bytes() == server.content[:100_000]


@pytest.mark.parametrize("length", [None, 50_000_000_000])
def test_an_endless_download_ends(server, tmp_path, length):
    source = server.source
    server.reply = partial(send_endlessly, length=length)
    steps = []
    with pytest.raises(DownloadFailed, match=r"is not Free Spoken Digit Dataset.*yourself"):
        steps.extend(download.download(source, tmp_path))
    assert all(step.done <= 4 * source.source.size for step in steps)
    assert not part_of(tmp_path).exists()


def test_the_rest_of_a_file_counts_with_what_is_there(server, tmp_path):
    part_of(tmp_path, bytes(3 * len(server.content)))
    rest = 2 * len(server.content)
    server.reply = lambda handler, start: (
        head(handler, 206, Content_Range=f"bytes {start}-{start + rest - 1}/*", Content_Length=rest)
        if start
        else send_all(handler, start)
    )
    assert isinstance(fetch(server, tmp_path)[-1], Installed), "fetched anew"


# Silence


def test_a_silent_server_can_be_left_at_once(server, tmp_path):
    server.reply = fall_silent
    begun = time.monotonic()
    steps = list(download.download(server.source, tmp_path, lambda: time.monotonic() - begun > 0.3))
    assert isinstance(steps[-1], Interrupted)
    assert time.monotonic() - begun < transfer._TIMEOUT / 3


def test_a_silent_server_is_not_waited_for_for_ever(server, tmp_path, monkeypatch):
    monkeypatch.setattr(transfer, "_TIMEOUT", 0.3)
    server.reply = fall_silent
    with pytest.raises(DownloadFailed, match=r"almost nothing was received|timed out"):
        fetch(server, tmp_path)


def test_nor_one_that_only_drips(server, tmp_path, monkeypatch):
    monkeypatch.setattr(transfer, "_TIMEOUT", 0.5)

    def drip(handler, _start):
        head(handler, 200, Content_Length=1_000_000)
        while not handler.server.hung_up.wait(0.02):
            handler.wfile.write(b"x")

    server.reply = drip
    with pytest.raises(DownloadFailed, match="almost nothing was received"):
        fetch(server, tmp_path)


# Elsewhere


@pytest.mark.parametrize("elsewhere", ["ftp://127.0.0.1/x.zip", "file:///etc/passwd", "data:,x"])
def test_no_redirect_leads_away_from_http(server, tmp_path, elsewhere):
    server.reply = lambda handler, _start: redirect(handler, elsewhere)
    with pytest.raises(DownloadFailed, match=r"not safe|not allowed"):
        fetch(server, tmp_path)


@pytest.mark.parametrize(("before", "after", "safe"), [("https", "http", False), ("http", "https", True)])
def test_no_redirect_leads_away_from_encryption(before, after, safe):
    request = urllib.request.Request(f"{before}://example.org/x")
    follow = transfer._SafeRedirects().redirect_request
    arguments = request, io.BytesIO(), 302, "Found", {}, f"{after}://example.org/y"
    if safe:
        assert follow(*arguments).full_url == "https://example.org/y"
    else:
        with pytest.raises(transfer.TransferFailed, match="not safe"):
            follow(*arguments)


def test_what_comes_with_a_redirect_is_not_read(server, tmp_path):
    def redirect_endlessly(handler, _start):
        head(handler, 302, Location="/archive/v1.zip")
        for _ in range(10_000):
            handler.wfile.write(bytes(1 << 16))
        server.reply = send

    server.reply = redirect_endlessly
    with pytest.raises(DownloadFailed):
        fetch(server, tmp_path)
    assert len(server.asked) > 3, "it was followed, as often as may be"
