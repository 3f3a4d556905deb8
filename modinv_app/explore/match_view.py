"""A view of matches for pointer and keyboard: rows of utterances, or tiles of images."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QElapsedTimer, QEvent, QModelIndex, QPoint, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QContextMenuEvent, QHelpEvent, QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QListView, QMenu, QStyle, QToolTip

from model.types import FloatArray, Modality
from modinv_app.common.match_delegates import Action, ImageDelegate, MatchDelegate, Thumbnails, UtteranceDelegate
from modinv_app.common.match_model import MatchModel

_TIPS = {"play": "Play (Enter)", "query": "Use as query (Ctrl+Enter)"}
_FRAME_MS = 50


class MatchView(QListView):
    """Shows a `MatchModel`.

    The space bar and letters are left to the window; Enter plays an utterance or makes an image the query,
    Ctrl+Enter makes either the query.

    Signals
    -------
    play_requested(int)
        Gallery index of an utterance to play.
    query_requested(int)
        Gallery index of an item that shall be the query.
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
        self._clock = QElapsedTimer()
        self._frames = QTimer(self, interval=_FRAME_MS)
        self._frames.timeout.connect(self._animate)

        self.setModel(model)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.viewport().setAutoFillBackground(False)
        self.setMouseTracking(True)
        self.setUniformItemSizes(True)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAutoScroll(False)  # answers come while one reads: only a person's own step may scroll
        model.modelReset.connect(self._fit_tiles)
        self._arrange()

    def show_modality(self, modality: Modality) -> None:
        """Arrange for utterances (rows) or images (tiles)."""
        if modality is not self._modality:
            self._modality = modality
            self._arrange()
            self.scrollToTop()

    def set_playing(self, gallery_index: int | None) -> None:
        """Mark the utterance that sounds, or none."""
        self.matches.set_playing(gallery_index)
        if gallery_index is None:
            self._frames.stop()
        else:
            self._clock.start()
            self._frames.start()

    def step(self, rows: int) -> None:
        """Select so many rows further on; the first match if none is selected; stops at both ends."""
        count = self.matches.rowCount()
        if count:
            selected = self.selected_row()
            row = 0 if selected is None else min(max(selected + rows, 0), count - 1)
            self.setCurrentIndex(self.matches.index(row))
            self.scrollTo(self.currentIndex())

    def selected_row(self) -> int | None:
        """The row that is visibly selected (Qt's current row need not be)."""
        return next((index.row() for index in self.selectedIndexes()), None)

    def _arrange(self) -> None:
        tiles = self._modality is Modality.IMAGE
        self.setItemDelegate(self._delegates[self._modality])
        self.setFlow(QListView.Flow.LeftToRight if tiles else QListView.Flow.TopToBottom)
        self.setWrapping(tiles)
        self._fit_tiles()

    def _fit_tiles(self) -> None:
        """Make tiles as large as they can be with all of them in sight, or small ones to scroll through."""
        count = self.matches.rowCount()
        tiles = self._modality is Modality.IMAGE and count > 0
        line = self.fontMetrics().height()
        caption = ImageDelegate.caption_height(self.fontMetrics())
        room = self.maximumViewportSize()
        width = room.width() - 1  # Qt breaks a row that would fill it to the last pixel

        def side(columns: int) -> int:
            rows = -(-count // columns)
            return min(width // columns, room.height() // rows - caption, 10 * line)

        best = max(range(1, count + 1), key=side, default=1)
        smallest = 4 * line
        fits = tiles and side(best) >= smallest
        # Qt keeps the width of a scroll bar free wherever one might appear.
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

    def _animate(self) -> None:
        row = self.matches.row_of(self.matches.playing)
        if row is not None:
            self._delegates[self._modality].phase = self._clock.elapsed() / 1000
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

    def _point_at(self, target: tuple[int, Action] | None) -> None:
        delegate = self._delegates[self._modality]
        if delegate.hot != target:
            delegate.hot = target
            self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if target else Qt.CursorShape.ArrowCursor)
            self.viewport().update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        self._point_at(self._target(event.position().toPoint()))

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
        # On a button the first click has already done it.
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
        """What can be done with a match."""
        # The matches may change while the menu is open: it speaks of the item on which it was opened.
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
            self._point_at(None)
        return super().viewportEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit_tiles()
        super().resizeEvent(event)
