"""The panel to draw, open, drop or paste a digit, with the encoder's input and the guess."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QMimeData, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QGuiApplication,
    QImage,
    QKeyEvent,
    QKeySequence,
    QResizeEvent,
)
from PySide6.QtWidgets import QWidget

from model.types import Answer, FloatArray, Modality
from modinv_app.common.canvas import Canvas, Sheet
from modinv_app.common.check_box import CheckBox
from modinv_app.common.dialogs import ask_for_file
from modinv_app.common.icons import IconButton
from modinv_app.common.layouts import column, row
from modinv_app.common.strokes import MetricPoint
from modinv_app.explore.picture_reader import PictureReader
from modinv_app.explore.queries import Drawing, GalleryItem, Picture, Query
from modinv_app.explore.stroke_heat import StrokeHeat
from modinv_app.explore.verdict import Guess, SeenPicture

if TYPE_CHECKING:  # its libraries take time to import
    from model.retrieval.attribution import Heat

# Formats of the clipboard that are decoded like files: Qt would decode any format of its plugins in the GUI thread.
_ENCODED = ("image/png", "image/bmp", "image/tiff", "image/jpeg", "image/webp", "image/gif")
_SUFFIXES = "*.png *.jpg *.jpeg *.webp *.gif *.bmp *.tif *.tiff"


class DrawPanel(QWidget):
    """Canvas, tools, the encoder's input and the guess.

    Signals
    -------
    drawing_changed(Drawing)
        The current drawing; at most once per frame.
    pen_lifted()
        A stroke is finished; its ``drawing_changed`` has been sent.
    cleared()
        The canvas is empty, by Clear or by Undo.
    picture_opened(object)
        A grey picture ``(h, w)`` of uint8 was opened, dropped, pasted, or restored by Undo.
    failed(str)
        A picture could not be read: what is wrong and what to do.
    paste_failed(str)
        There was nothing to paste: what to do.
    """

    drawing_changed = Signal(object)
    pen_lifted = Signal()
    cleared = Signal()
    picture_opened = Signal(object)
    failed = Signal(str)
    paste_failed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._canvas = Canvas()
        self._canvas.changed.connect(self._emit_change)
        self._canvas.pen_lifted.connect(self.pen_lifted)
        self._canvas.history_changed.connect(self._enable_tools)
        self._heat = StrokeHeat(self._canvas)
        self._reader = PictureReader(self)
        self._reader.read.connect(self._canvas.show_picture)
        self._reader.failed.connect(self.failed)
        self._undo = _tool("undo", "Undo", self.undo)
        self._redo = _tool("redo", "Redo", self.redo)
        self._clear = _tool("clear", "Clear", self.clear)
        self._play = CheckBox()
        self._play.setChecked(True)
        self.show_voice("nearest match")
        self._seen = SeenPicture()
        self._guess = Guess()

        open_picture = _tool("open", "Open a picture", self.open_file)
        paste = _tool("paste", "Paste a picture", self.paste)
        tools = row(self._undo, self._redo, self._clear, None, open_picture, paste, spacing=2)
        results = row(self._seen, (column((self._guess, 1), self._play, spacing=2), 1), spacing=12)
        column((self._canvas, 1), tools, results, parent=self, margins=(8, 8, 8, 4))
        self.setAcceptDrops(True)
        self.setFocusProxy(self._canvas)
        self._enable_tools(False, False)

    @property
    def play_on_lift(self) -> bool:
        """Whether the nearest match is played when the pen is lifted."""
        return bool(self._play.isChecked())

    @play_on_lift.setter
    def play_on_lift(self, wanted: bool) -> None:
        self._play.setChecked(wanted)

    def show_voice(self, voice: str) -> None:
        """Say what is played when the pen is lifted."""
        self._play.setText(f"Play the {voice}")
        self._play.setToolTip(f"Play the {voice} as soon as the pen is lifted")

    @property
    def seen(self) -> FloatArray | None:
        """The encoder's input that is shown, ``(28, 28)`` in [0, 1]; None if there is none."""
        return self._seen.features

    def show_query(self, query: Query | None) -> None:
        """Show the query on the canvas: empty for speech, dimmed if there is no query."""
        self._heat.clear()
        sheet = self._canvas.sheet
        match query:
            case Drawing():
                if sheet.number != query.number or sheet.strokes != query.strokes:
                    self._set_sheet(Sheet(query.strokes, query.number))
            case Picture():
                if sheet.picture is not query.pixels:
                    self._set_sheet(Sheet(picture=query.pixels))
            case GalleryItem(modality=Modality.IMAGE):
                levels = np.rint(255 * query.features).astype(np.uint8)
                self._set_sheet(Sheet(picture=levels, source=f"From the map: {query.name}"))
                self._seen.show_picture(query.features)
            case None:
                pass
            case _:
                self._set_sheet(Sheet())
                self.show_answer(None)
        self._canvas.dimmed = query is None
        self._clear.setEnabled(query is not None or not self._canvas.sheet.is_empty)

    def show_answer(self, answer: Answer | None) -> None:
        """Show the encoder's input and the guess; nothing for None."""
        self._guess.show_answer(answer)
        if answer is None:
            self._seen.clear()
        else:
            self._seen.show_picture(answer.features)

    def show_heat(self, heat: Heat | None) -> None:
        """Show on a drawing what a match is based on, until there is another query; nothing for None."""
        if heat is None:
            self._heat.clear()
        else:
            self._heat.show_heat(self._canvas.sheet.strokes, heat.features, heat.shares)

    def clear(self) -> None:
        """Clear drawing, picture and guess; Undo restores the drawing or picture."""
        self._reader.forget()
        self._canvas.clear()

    def undo(self) -> None:
        """Undo the last stroke, picture or clearing."""
        self._canvas.undo()

    def redo(self) -> None:
        """Redo what was undone last."""
        self._canvas.redo()

    def replay(self, strokes: Sequence[Sequence[MetricPoint]]) -> None:
        """Draw strokes of points in the unit square as if by pen events."""
        self._canvas.replay(strokes)

    def paste(self) -> None:
        """Read a picture, or a file of one, from the clipboard."""
        if not self._read(QGuiApplication.clipboard().mimeData()):
            self.paste_failed.emit("There is no picture on the clipboard. Copy one first.")

    def open_file(self) -> None:
        """Let the user choose a picture."""
        read = self._reader.read_file
        ask_for_file(self, "Open a picture of a digit", f"Pictures ({_SUFFIXES})", lambda path: read(Path(path)))

    def _read(self, data: QMimeData) -> bool:
        """Read what was dropped or pasted; False if there is no picture in it."""
        encoded = [name for name in data.formats() if name.startswith("image/")]
        if known := next((name for name in _ENCODED if name in encoded), None):
            self._reader.read_bytes(bytes(data.data(known).data()))
        elif data.hasImage() and not encoded:  # from this process, or the system's own bitmap format
            self._reader.read_image(QImage(data.imageData()))
        elif files := _local_files(data):
            self._reader.read_file(files[0])
        else:
            return False
        return True

    def _set_sheet(self, sheet: Sheet) -> None:
        self._reader.forget()  # drop a picture that is still being read
        self._canvas.set_sheet(sheet)

    def _emit_change(self) -> None:
        sheet = self._canvas.sheet
        self._clear.setEnabled(not sheet.is_empty)
        if sheet.is_empty:
            self.show_answer(None)
            self.cleared.emit()
        elif sheet.picture is not None:
            self.picture_opened.emit(sheet.picture)
        else:
            self._reader.forget()  # drop a picture that is still being read
            self.drawing_changed.emit(Drawing(sheet.number, sheet.strokes, self._canvas.raster()))

    def _enable_tools(self, can_undo: bool, can_redo: bool) -> None:
        self._undo.setEnabled(can_undo)
        self._redo.setEnabled(can_redo)
        self._clear.setEnabled(not self._canvas.sheet.is_empty)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Limit the height to that of the square canvas."""
        super().resizeEvent(event)
        others = self.sizeHint().height() - self._canvas.sizeHint().height()
        self.setMaximumHeight(others + self._canvas.width())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Paste):
            self.paste()
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasImage() or _local_files(event.mimeData()):
            self._canvas.set_drop_hint(True)
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:  # noqa: ARG002
        self._canvas.set_drop_hint(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self._canvas.set_drop_hint(False)
        if self._read(event.mimeData()):
            event.acceptProposedAction()


def _tool(outline: str, name: str, clicked: Callable[[], None]) -> IconButton:
    button = IconButton(outline, name)
    button.clicked.connect(clicked)
    return button


def _local_files(data: QMimeData) -> list[Path]:
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
