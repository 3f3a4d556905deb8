"""The selected items: a grid of them, and what can be done with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
from PySide6.QtCore import QPoint, QSize, Qt, Signal, SignalInstance
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QMenu, QSizePolicy, QToolButton, QWidget

from model.retrieval.gallery import Gallery
from model.types import WORDS, FloatArray, Modality
from modinv_app.common.card import bold, muted
from modinv_app.common.dialogs import ask_for_folder
from modinv_app.common.icons import IconButton
from modinv_app.common.item_grid import ItemGrid
from modinv_app.common.item_table import Places
from modinv_app.common.layouts import column, row


class GalleryItems:
    """The items of a gallery for a grid, at the places of their indices."""

    def __init__(self, gallery: Gallery) -> None:
        self._gallery = gallery
        self.digits: Places = np.array([item.label for item in gallery.items], np.int64)
        self.excluded = np.zeros(len(self.digits), np.bool_)  # what is left out is in no gallery
        self.spoken = np.array([item.modality is Modality.SPEECH for item in gallery.items], np.bool_)
        self.modalities = frozenset(Modality)

    def modality_of(self, place: int) -> Modality:
        """Image or speech."""
        return self._gallery.items[place].modality

    def features_of(self, place: int) -> FloatArray:
        """What an encoder sees of an item."""
        return self._gallery.features(place)

    def caption(self, place: int) -> str:
        """The digit, and the speaker of an utterance."""
        item = self._gallery.items[place]
        return f"{item.label}  {item.speaker}".rstrip()

    def described(self, place: int) -> str:
        """An item in words."""
        item = self._gallery.items[place]
        return f"{WORDS[item.label]}, {item.source}"

    def ordered(self, indices: Sequence[int]) -> Places:
        """Places of items by digit, in each images before utterances: those in the cloud of another digit stand out."""
        places = np.array(indices, np.int64)
        return places[np.argsort(self.digits[places], kind="stable")]


class SelectionPanel(QWidget):
    """Lists the selected items; hidden while there are none.

    A click or a cursor key shows an item in the map and plays an utterance. Enter does so again, or makes an image the
    query; Ctrl+Enter makes either the query. Of the list several items can be marked, with Shift or Ctrl, to which the
    buttons apply then instead of to all; X leaves out what is marked.

    Signals
    -------
    play_requested(int), query_requested(int)
        Gallery index of an utterance to play, or of an item to use as the query.
    current_changed(int or None)
        Another item of the list is current: its gallery index.
    play_all_requested(list)
        Gallery indices of utterances to play one after the other.
    stop_requested()
        Stop playing them.
    export_requested(str, list)
        Export items to the folder of this path.
    stop_export_requested()
        Stop exporting.
    leave_out_requested(list)
        Leave items out.
    closed()
        Nothing is to be selected any more.
    """

    play_requested = Signal(int)
    query_requested = Signal(int)
    current_changed = Signal(object)
    play_all_requested = Signal(object)
    stop_requested = Signal()
    export_requested = Signal(str, object)
    stop_export_requested = Signal()
    leave_out_requested = Signal(object)
    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._items: GalleryItems | None = None
        self._plays = self._exports = False
        self._resume_at: int | None = None  # where the cursor was when items were left out
        self._count = bold()
        self._summary = muted()
        self._summary.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._play_all = IconButton("play", "Play all")
        self._play_all.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._play_all.clicked.connect(self._toggle_play_all)
        self._query = IconButton("query", "Use the chosen item as the query (Ctrl+Enter)")
        self._query.clicked.connect(self._ask_current)
        self._export = _text_button("Export…")
        self._export.setToolTip("Write the items to a new folder, as pictures and sounds with a table")
        self._export.clicked.connect(self._ask_for_folder)
        self._leave_out = _text_button("Leave out")
        self._leave_out.setToolTip("Leave the items out of gallery, training and evaluation; X only what is marked")
        self._leave_out.clicked.connect(lambda: self._give_up(self._targets))
        self._close = IconButton("close", "Select nothing (Escape)")
        self._close.clicked.connect(self.closed)
        self._grid = _Grid()
        self._grid.current_changed.connect(self._show_current)
        self._grid.activated_at.connect(self._play)
        self._grid.moved.connect(self._play)
        self._grid.entered.connect(lambda place: None if self._play(place) else self.query_requested.emit(place))
        self._grid.query_requested.connect(self.query_requested)
        self._grid.exclude_wanted.connect(lambda: self._give_up(self._grid.selected.tolist()))
        self._grid.selection_changed.connect(self._show_targets)
        buttons = (self._play_all, self._query, self._export, self._leave_out, self._close)
        heading = row(self._count, None, *buttons, spacing=4)
        column(heading, self._summary, (self._grid, 1), parent=self, margins=(6, 2, 2, 0), spacing=2)
        self.show_playing_all(False)
        self.setFocusProxy(self._grid)
        self.hide()

    def set_gallery(self, gallery: Gallery) -> None:
        """Select among the items of another gallery; nothing is selected."""
        self._items = GalleryItems(gallery)
        self.show_selection(())

    def show_selection(self, indices: Sequence[int]) -> None:
        """Show these items, by their gallery indices."""
        if self._items is None:
            return
        places = self._items.ordered(indices)
        self._grid.show_items(self._items, places)
        self._grid.updateGeometry()  # the height of a line is known now
        self._summary.setText(self._summarised(places))
        self._summary.setToolTip(self._summary.text())
        self.setVisible(bool(len(places)))
        if self._resume_at is not None and len(places):
            self._grid.make_current(int(places[min(self._resume_at, len(places) - 1)]))
            self._grid.setFocus()
            self._resume_at = None

    def set_playing(self, index: int | None) -> None:
        """Mark the utterance that plays."""
        self._grid.show_playing(index)

    def show_playing_all(self, plays: bool) -> None:
        """Show whether all utterances play."""
        self._plays = plays
        self._play_all.set_outline("stop" if plays else "play", "Stop playing" if plays else "Play all")
        self._play_all.setText("Stop" if plays else "Play all")
        self._play_all.setToolTip("Stop (Escape)" if plays else "Play the utterances one after the other")

    def show_turn(self, index: int) -> None:
        """Make an item current, without playing it."""
        self._grid.make_current(index)

    def show_exporting(self, share: float | None) -> None:
        """Show how much is exported; None when that has ended."""
        self._exports = share is not None
        if share is None:
            self._show_targets()
        else:
            self._export.setText(f"Stop ({share:.0%})")

    def _summarised(self, places: Places) -> str:
        """``"3 images, 1 utterance: 7 (3), 9 (1)"``."""
        assert self._items is not None
        digits = Counter(self._items.digits[places].tolist())
        spoken = int(self._items.spoken[places].sum())
        kinds = [(len(places) - spoken, "image"), (spoken, "utterance")]
        words = ", ".join(f"{count:,} {kind}{'' if count == 1 else 's'}" for count, kind in kinds if count)
        return f"{words}: {', '.join(f'{digit} ({count:,})' for digit, count in sorted(digits.items()))}"

    def _spoken(self, place: int) -> bool:
        return self._items is not None and bool(self._items.spoken[place])

    @property
    def _targets(self) -> list[int]:
        """What the buttons apply to: the marked items if there are several, else all."""
        marked, places = self._grid.selected, self._grid.table.places
        targets: list[int] = (places[np.isin(places, marked)] if len(marked) > 1 else places).tolist()
        return targets

    def _show_targets(self) -> None:
        places, marked = self._grid.table.places, len(self._grid.selected)
        some = f" {marked:,}" if marked > 1 else ""
        self._count.setText(f"{len(places):,} selected")
        if not self._exports:
            self._export.setText(f"Export{some}…")
        self._leave_out.setText(f"Leave{some} out")
        self._play_all.setEnabled(any(map(self._spoken, self._targets)))

    def _give_up(self, places: list[int]) -> None:
        """Have items left out, and go on with the next one."""
        if places:
            self._resume_at = int(np.flatnonzero(self._grid.table.places == places[0])[0])
            self.leave_out_requested.emit(places)

    def _show_current(self, place: int | None) -> None:
        self._query.setEnabled(place is not None)
        self.current_changed.emit(place)

    def _play(self, place: int) -> bool:
        """Play an item if it is an utterance; whether it is one."""
        spoken = self._spoken(place)
        if spoken:
            self.play_requested.emit(place)
        return spoken

    def _ask_current(self) -> None:
        if self._grid.current is not None:
            self.query_requested.emit(self._grid.current)

    def _toggle_play_all(self) -> None:
        if self._plays:
            self.stop_requested.emit()
            return
        utterances, current = [place for place in self._targets if self._spoken(place)], self._grid.current
        start = utterances.index(current) if current in utterances and len(self._grid.selected) == 1 else 0
        self.play_all_requested.emit(utterances[start:])

    def _ask_for_folder(self) -> None:
        if self._exports:
            self.stop_export_requested.emit()
            return
        targets = self._targets
        ask_for_folder(
            self,
            "Export the selected items to a new folder in",
            lambda folder: self.export_requested.emit(folder, targets),
        )


def _text_button(text: str) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setAutoRaise(True)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


class _Grid(ItemGrid):
    """A grid whose cursor keys announce where they have moved to. Digits are left to the window.

    Signals
    -------
    moved(int), entered(int)
        The place of an item that a cursor key has made current, or on which Enter was pressed.
    query_requested(int)
        The place of an item to use as the query.
    """

    moved = Signal(int)
    entered = Signal(int)
    query_requested = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Selected items")
        self.customContextMenuRequested.connect(self._show_menu)

    def sizeHint(self) -> QSize:
        """Two lines of items."""
        return QSize(300, 2 * self.verticalHeader().defaultSectionSize())

    def minimumSizeHint(self) -> QSize:
        """One line of items."""
        return QSize(100, self.verticalHeader().defaultSectionSize())

    def keys(self) -> Mapping[Qt.Key, Callable[[], object]]:
        """Enter, and X to leave out."""
        enter = partial(self._emit_current, self.entered)
        return {
            Qt.Key.Key_Return: enter,
            Qt.Key.Key_Enter: enter,
            Qt.Key.Key_X: self.exclude_wanted.emit,
        }

    def keyPressEvent(self, event: QKeyEvent) -> None:
        place, control = self.current, Qt.KeyboardModifier.ControlModifier
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and event.modifiers() & control:
            self._emit_current(self.query_requested)
            return
        super().keyPressEvent(event)
        if self.current is not None and self.current != place and not event.modifiers():
            self.moved.emit(self.current)

    def _emit_current(self, signal: SignalInstance) -> None:
        if self.current is not None:
            signal.emit(self.current)

    def _action_of(self, event: QKeyEvent) -> Callable[[], object] | None:
        return None if event.text().isdigit() else super()._action_of(event)

    def _show_menu(self, at: QPoint) -> None:
        place, items = self.table.place_at(self.indexAt(at)), self.table.items
        if place is None or items is None:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if items.modality_of(place) is Modality.SPEECH:
            menu.addAction("Play").triggered.connect(lambda: self.entered.emit(place))
        menu.addAction("Use as query").triggered.connect(lambda: self.query_requested.emit(place))
        menu.addAction("Leave out").triggered.connect(self.exclude_wanted)
        menu.popup(self.viewport().mapToGlobal(at))
