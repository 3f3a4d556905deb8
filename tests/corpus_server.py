"""A server in this process that sends a small corpus, well or badly."""

import hashlib
import http.server
import io
import threading
import zipfile
from contextlib import contextmanager, suppress
from dataclasses import replace

from model.data.corpora.fsdd import Fsdd

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
    """Serves one zip.

    Attributes
    ----------
    content
        What it sends.
    reply
        Sends it in another way: takes the handler of a request and the first byte that is asked for.
    asked
        The ``Range`` of each request.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = packed(CONTENTS)
        self.reply = send
        self.asked = []
        self.hung_up = threading.Event()

    def address(self, path):
        return f"http://127.0.0.1:{self.server_port}/{path}"

    @property
    def source(self):
        lines = "".join(f"{name} {hashlib.sha256(CONTENTS[name]).hexdigest()}\n" for name in sorted(NAMES))
        source = replace(
            Fsdd.info.source,
            url=self.address("archive/v1.zip"),
            size=len(self.content),
            recordings=len(NAMES),
            unpacked=sum(map(len, CONTENTS.values())),
            digest=hashlib.sha256(lines.encode()).hexdigest(),
        )
        return replace(Fsdd.info, source=source)


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        asked = self.headers.get("Range")
        self.server.asked.append(asked)
        if self.path == "/archive/v1.zip":  # as GitHub does it
            redirect(self, "/packed.zip")
            return
        with suppress(ConnectionError):  # nobody listens any more
            self.server.reply(self, int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0)

    def log_message(self, *_):
        pass


def head(handler, status, **headers):
    """Send a status and headers; those that are None are left out."""
    handler.send_response(status)
    for name, value in headers.items():
        if value is not None:
            handler.send_header(name.replace("_", "-"), str(value))
    handler.end_headers()


def redirect(handler, url):
    head(handler, 302, Location=url, Content_Length=0)


def send(handler, start, stop=None, length="right", content_range="right"):
    """Send the content as a good server would, but for what is told otherwise."""
    content = handler.server.content
    if start >= len(content):
        handler.send_error(416)
        return
    if length == "right":
        length = len(content) - start
    if content_range == "right":
        content_range = f"bytes {start}-{len(content) - 1}/{len(content)}"
    head(handler, 206 if start else 200, Content_Length=length, Content_Range=content_range if start else None)
    handler.wfile.write(content[start:stop])


def send_all(handler, _start):
    """Send everything, whatever is asked for."""
    send(handler, 0)


def send_endlessly(handler, _start, length=None):
    """Send zeros as long as somebody takes them."""
    head(handler, 200, Content_Length=length)
    while True:
        handler.wfile.write(bytes(1 << 16))


def fall_silent(handler, _start):
    """Begin, and send nothing more."""
    head(handler, 200, Content_Length=len(handler.server.content))
    handler.wfile.write(handler.server.content[:100])
    handler.wfile.flush()
    handler.server.hung_up.wait(20)


@contextmanager
def serving():
    """A server that runs as long as it is wanted."""
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.02])
        thread.start()
        try:
            yield server
        finally:
            server.hung_up.set()
            server.shutdown()
            thread.join()
