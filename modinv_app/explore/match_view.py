"""A list of matches: rows of utterances, or tiles of images."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QModelIndex, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QHelpEvent, QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QListView, QMenu, QStyle, QToolTip

from model.types import FloatArray, Modality
from modinv_app.common.item_view import PlayingView
from modinv_app.common.match_delegates import Action, ImageDelegate, MatchDelegate, Thumbnails, UtteranceDelegate
from modinv_app.common.match_model import MatchModel

_TIPS = {"play": "Play (Enter)", "query": "Use as query (Ctrl+Enter)"}


class MatchView(PlayingView):
    """Shows a `MatchModel`.

    Enter plays an utterance or makes an image the query, Ctrl+Enter makes either the query. The space bar and letters
    are left to the window.

    Signals
    -------
    play_requested(int), query_requested(int)
        As of `MatchesPanel`.
    """

    play_requested = Signal(int)
    query_requested = Signal(int)

    def __init__(self, model: MatchModel, features_of: Callable[[int], FloatArray]) -> None:
        super().__init__()
        self.matches = model
        self.thumbnails = Thumbnails(features_of)
        self._delegates: dict[Modality, MatchDelegate] = {
            Modality.SPEECH: UtteranceDelegate(self.thumbnails, model),
            Modality.IMAGE: ImageDelegate(self.thumbnails, model),
        }
        self._modality = Modality.SPEECH
        self._pressed: tuple[int, Action] | None = None
        self.setModel(model)
        self.setAutoScroll(False)  # new answers must not scroll
        model.modelReset.connect(self._fit_tiles)
        self._arrange()

    def show_modality(self, modality: Modality) -> None:
        """Arrange for utterances (rows) or images (tiles)."""
        if modality is not self._modality:
            self._modality = modality
            self._arrange()
            self.scrollToTop()

    def set_playing(self, gallery_index: int | None) -> None:
        """Mark the utterance that is playing, or none."""
        self.matches.set_playing(gallery_index)
        self._set_animated(gallery_index is not None)

    def step(self, rows: int) -> None:
        """Move the selection by so many rows, at most to either end; select the first match if none is."""
        count = self.matches.rowCount()
        if count:
            selected = self.selected_row()
            row = 0 if selected is None else min(max(selected + rows, 0), count - 1)
            self.setCurrentIndex(self.matches.index(row))
            self.scrollTo(self.currentIndex())

    def selected_row(self) -> int | None:
        """The selected row (Qt's current row need not be selected)."""
        return next((index.row() for index in self.selectedIndexes()), None)

    def _arrange(self) -> None:
        tiles = self._modality is Modality.IMAGE
        self.setItemDelegate(self._delegates[self._modality])
        self.setFlow(QListView.Flow.LeftToRight if tiles else QListView.Flow.TopToBottom)
        self.setWrapping(tiles)
        self._fit_tiles()

    def _fit_tiles(self) -> None:
        """Make tiles as large as possible with all of them visible, or small ones that scroll."""
        count = self.matches.rowCount()
        tiles = self._modality is Modality.IMAGE and count > 0
        line = self.fontMetrics().height()
        caption = ImageDelegate.caption_height(self.fontMetrics())
        room = self.maximumViewportSize()
        width = room.width() - 1  # Qt wraps a row that would fill it exactly

        def side(columns: int) -> int:
            rows = -(-count // columns)
            return min(width // columns, room.height() // rows - caption, 10 * line)

        best = max(range(1, count + 1), key=side, default=1)
        smallest = 4 * line
        fits = tiles and side(best) >= smallest
        # Qt reserves the width of a scroll bar if one might appear.
        policy = Qt.ScrollBarPolicy.ScrollBarAlwaysOff if fits else Qt.ScrollBarPolicy.ScrollBarAsNeeded
        self.setVerticalScrollBarPolicy(policy)
        if fits:
            self.setGridSize(QSize(width // best, side(best) + caption))
        elif tiles:
            width -= self.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent)
            tile = width // max(1, width // smallest)
            self.setGridSize(QSize(tile, tile + caption))
        else:
            self.setGridSize(QSize())

    def _columns(self) -> int:
        tile = self.gridSize()
        return max(1, self.viewport().width() // tile.width()) if tile.isValid() else 1

    def _animate(self, seconds: float) -> None:
        row = self.matches.row_of(self.matches.playing)
        if row is not None:
            self._delegates[self._modality].phase = seconds
            self.update(self.matches.index(row))

    def _act(self, row: int, action: Action) -> None:
        signal = self.play_requested if action == "play" else self.query_requested
        signal.emit(self.matches.match_at(row).item.index)

    def _target(self, place: QPoint) -> tuple[int, Action] | None:
        index = self.indexAt(place)
        if not index.isValid():
            return None
        delegate = self._delegates[self._modality]
        action = delegate.action_at(self.visualRect(index), self.fontMetrics(), place)
        return (index.row(), action) if action else None

    def _hover(self, target: tuple[int, Action] | None) -> None:
        delegate = self._delegates[self._modality]
        if delegate.hovered != target:
            delegate.hovered = target
            self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if target else Qt.CursorShape.ArrowCursor)
            self.viewport().update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        self._hover(self._target(event.position().toPoint()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        left = event.button() == Qt.MouseButton.LeftButton
        self._pressed = self._target(event.position().toPoint()) if left else None

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        pressed, self._pressed = self._pressed, None
        if pressed and pressed == self._target(event.position().toPoint()):
            self._act(*pressed)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        # On a button, the first click has already done it.
        index = self.indexAt(event.position().toPoint())
        on_button = self._target(event.position().toPoint()) is not None
        if index.isValid() and self._modality is Modality.SPEECH and not on_button:
            self._act(index.row(), "play")
        super().mouseDoubleClickEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        columns = self._columns()
        steps = {
            Qt.Key.Key_Up: -columns,
            Qt.Key.Key_Down: columns,
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Home: -self.matches.rowCount(),
            Qt.Key.Key_End: self.matches.rowCount(),
        }
        row = self.selected_row()
        if event.key() in steps:
            self.step(steps[Qt.Key(event.key())])
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and row is not None:
            query = event.modifiers() & Qt.KeyboardModifier.ControlModifier
            self._act(row, "query" if query or self._modality is Modality.IMAGE else "play")
        else:
            event.ignore()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        index = self.currentIndex() if by_key else self.indexAt(event.pos())
        if not index.isValid():
            return
        place = self.visualRect(index).center() if by_key else event.pos()
        menu = self.menu_for(index)
        menu.popup(self.viewport().mapToGlobal(place))

    def menu_for(self, index: QModelIndex) -> QMenu:
        """The context menu of a match."""
        # The matches may change while the menu is open: it is about the item on which it was opened.
        item = self.matches.match_at(index.row()).item
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if item.modality is Modality.SPEECH:
            menu.addAction("Play").triggered.connect(lambda: self.play_requested.emit(item.index))
        menu.addAction("Use as query").triggered.connect(lambda: self.query_requested.emit(item.index))
        return menu

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and self._modality is Modality.SPEECH:
            target = self._target(event.pos())
            if target:
                QToolTip.showText(event.globalPos(), _TIPS[target[1]], self.viewport())
                return True
        if event.type() == QEvent.Type.Leave:
            self._hover(None)
        return super().viewportEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit_tiles()
        super().resizeEvent(event)
