"""Decodes pictures outside the GUI thread: a large photo takes more than a tenth of a second."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QBuffer, QByteArray, QObject, Signal
from PySide6.QtGui import QImage, QImageWriter

from modinv_app.jobs.executor import SerialExecutor

if TYPE_CHECKING:  # imported in the thread
    from model.data.images import GreyPicture


class PictureReader(QObject):
    """Reads pictures in a thread of its own; only the newest one counts.

    Signals
    -------
    read(object)
        The grey picture.
    failed(str)
        Why it cannot be read.
    """

    read = Signal(object)
    failed = Signal(str)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._executor = SerialExecutor("pictures", self)
        self._request = 0

    def read_file(self, path: Path) -> None:
        """Begin to read a file."""
        self._start(path)

    def read_bytes(self, content: bytes) -> None:
        """Begin to read the content of a file."""
        self._start(content)

    def read_image(self, image: QImage) -> None:
        """Begin to read an image that Qt has decoded already."""
        self._start(_png(image))

    def forget(self) -> None:
        """Drop what is being read."""
        self._request += 1

    def _start(self, source: Path | bytes) -> None:
        self.forget()
        request = self._request

        def done(picture: GreyPicture) -> None:
            if request == self._request:
                self.read.emit(picture)

        def failed(error: Exception) -> None:
            from model.data.images import UnusablePicture

            if not isinstance(error, UnusablePicture):
                raise error
            if request == self._request:
                self.failed.emit(str(error))

        self._executor.submit(partial(_read, source), done, failed)


def _read(source: Path | bytes) -> GreyPicture:
    from model.data.images import read_picture

    return read_picture(source)


def _png(image: QImage) -> bytes:
    """An image encoded as PNG, so that it is read like a file."""
    buffer = QBuffer()
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    writer = QImageWriter(buffer, QByteArray(b"png"))
    writer.setQuality(100)  # no compression, which would take time
    writer.write(image)
    return bytes(buffer.data().data())
