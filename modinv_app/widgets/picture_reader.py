"""Pictures are decoded off the GUI thread: a large photo takes a tenth of a second and more."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QBuffer, QByteArray, QObject, QThreadPool, Signal
from PySide6.QtGui import QImage, QImageWriter

if TYPE_CHECKING:  # it imports scipy: a second that no window waits for
    from model.images import GreyPicture


class PictureReader(QObject):
    """Reads pictures in a thread of the pool; only the newest one counts.

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
        self._newest: _Reading | None = None

    def read_file(self, path: Path) -> None:
        """Begin to read a file."""
        self._start(path)

    def read_image(self, image: QImage) -> None:
        """Begin to read an image that Qt has decoded already."""
        self._start(_png(image))

    def _start(self, source: Path | bytes) -> None:
        reading = _Reading(source)
        reading.done.connect(self._finish)
        self._newest = reading
        QThreadPool.globalInstance().start(reading.run)

    def forget(self) -> None:
        """Let whatever is being read come to nothing."""
        self._newest = None

    def _finish(self, reading: _Reading) -> None:
        if reading is not self._newest:
            return
        self._newest = None
        if reading.problem:
            self.failed.emit(reading.problem)
        else:
            self.read.emit(reading.picture)


class _Reading(QObject):
    """One job and what came of it; without a parent, so that it outlives a panel that is closed meanwhile."""

    done = Signal(object)

    def __init__(self, source: Path | bytes) -> None:
        super().__init__()
        self._source = source
        self.picture: GreyPicture | None = None
        self.problem = ""

    def run(self) -> None:
        from model.images import UnusablePicture, read_picture

        try:
            self.picture = read_picture(self._source)
        except UnusablePicture as error:
            self.problem = str(error)
        self.done.emit(self)


def _png(image: QImage) -> bytes:
    """A picture from the clipboard as a file, so that it is read as any other."""
    buffer = QBuffer()
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    writer = QImageWriter(buffer, QByteArray(b"png"))
    writer.setQuality(100)  # without the time that compression takes
    writer.write(image)
    return bytes(buffer.data().data())
