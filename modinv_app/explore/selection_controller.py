"""What is selected in the map: shown there and in a list, exported and left out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject

from modinv_app.common.undo_strip import UndoStrip
from modinv_app.explore.playlist import Playlist
from modinv_app.explore.projection import ProjectionPanel
from modinv_app.explore.selection_panel import SelectionPanel
from modinv_app.explore.selection_service import LeftOut, SelectionService, count_in_words
from modinv_app.explore.state import AppState


class SelectionController(QObject):
    """Connects the map, the list of the selected items, and what can be done with them."""

    def __init__(
        self,
        state: AppState,
        projection: ProjectionPanel,
        panel: SelectionPanel,
        undo: UndoStrip,
        playlist: Playlist,
        service: SelectionService,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._state, self._map, self._undo, self._service = state, projection, undo, service
        self._left_out: LeftOut | None = None
        projection.lassoed.connect(state.select)
        projection.deselected.connect(self.deselect)
        state.gallery_changed.connect(panel.set_gallery)
        for follow in (projection.show_selection, panel.show_selection, playlist.stop):
            state.selection_changed.connect(follow)
        panel.current_changed.connect(projection.mark)
        panel.closed.connect(self.deselect)
        panel.play_all_requested.connect(playlist.play)
        playlist.changed.connect(panel.show_playing_all)
        playlist.turned.connect(panel.show_turn)
        panel.export_requested.connect(self._export)
        panel.stop_export_requested.connect(service.stop_export)
        panel.leave_out_requested.connect(self._leave_out)
        service.exporting.connect(panel.show_exporting)
        service.left_out.connect(self._offer_undo)
        undo.undo_wanted.connect(self._take_in)

    def deselect(self) -> None:
        """Select nothing."""
        self._state.select(())

    def _export(self, into: str, indices: Sequence[int]) -> None:
        gallery = self._state.gallery
        if gallery is not None:
            self._service.export(gallery, indices, self._map.kind, self._map.coordinates, Path(into))

    def _leave_out(self, indices: Sequence[int]) -> None:
        gallery = self._state.gallery
        if gallery is not None:
            self._service.leave_out(gallery, indices)

    def _offer_undo(self, left_out: LeftOut) -> None:
        self._left_out = left_out
        are = "is" if left_out.count == 1 else "are"
        self._undo.offer(f"{count_in_words(left_out.count)} {are} left out of gallery, training and evaluation.")

    def _take_in(self) -> None:
        if self._left_out is not None:
            self._service.take_in(self._left_out)
            self._left_out = None
