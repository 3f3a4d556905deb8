"""The snapshots of a run in a map with a timeline, updated while it trains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QSignalBlocker, Qt, QVariantAnimation, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QLabel, QSizePolicy, QSlider, QWidget

from model.retrieval.gallery import Gallery
from model.runs.values import ESTIMATES
from modinv_app.common.icons import IconButton
from modinv_app.common.layouts import column, row
from modinv_app.map.map_layout import Morph
from modinv_app.map.morph_map import MorphMap

if TYPE_CHECKING:
    from model.runs.store import Snapshot

_TICKS = 1000  # slider positions from one snapshot to the next
_LIVE_MS = 900  # duration of the animation to a new snapshot
_REPLAY_MS = 350  # from one snapshot to the next
_WAITING = "The map appears with the first snapshot of a run."


class SnapshotMap(QWidget):
    """The test items of a run, at their positions in its snapshots.

    If the newest snapshot is shown, the map moves on to the next one when it comes.

    Signals
    -------
    clicked(int)
        Index of the item that was clicked.
    """

    clicked = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._snapshots: list[Snapshot] = []
        self._morph = Morph(())
        self._replaying = False
        self._map = MorphMap(_WAITING)
        self._map.clicked.connect(self.clicked)
        self._play = IconButton("play", "Replay")
        self._play.clicked.connect(self._toggle)
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setAccessibleName("Timeline of snapshots")
        self._slider.setToolTip("From the first snapshot of the run to the newest")
        self._slider.setSingleStep(_TICKS)
        self._slider.setPageStep(5 * _TICKS)
        self._slider.actionTriggered.connect(self._stop)  # by the user: an animation triggers no action
        self._slider.valueChanged.connect(self._show)
        self._step = QLabel()
        self._numbers = QLabel()
        self._numbers.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self._numbers.setToolTip("Quick estimates on the items of this map; an evaluation gives exact figures")
        self._motion = QVariantAnimation(self)
        self._motion.valueChanged.connect(self._slider.setValue)
        self._motion.stateChanged.connect(self._motion_changed)
        self._lay_out()
        self._show()

    @property
    def step(self) -> int | None:
        """The step of the nearest snapshot; None without snapshots."""
        return self._snapshots[round(self._slider.value() / _TICKS)].step if self._snapshots else None

    def set_probe(self, probe: Gallery, message: str = _WAITING) -> None:
        """Set the test items of another run, and forget the snapshots of the former one.

        Parameters
        ----------
        probe
            The items of all snapshots, in order.
        message
            Shown until there is a snapshot.
        """
        self._forget()
        self._map.set_items(probe.items, probe.features)
        self._map.say(message)

    def clear(self) -> None:
        """Forget the run."""
        self._forget()
        self._map.say(_WAITING)

    def show_snapshots(self, snapshots: Sequence[Snapshot]) -> None:
        """Add snapshots of the run, in order of their steps; the last of the first ones is shown at once.

        A run that was resumed repeats steps: its snapshots replace the former ones from the same step on.
        """
        if not snapshots:
            return
        first, following = not self._snapshots, self._moving or self._slider.value() == self._slider.maximum()
        kept = [known for known in self._snapshots if known.step < snapshots[0].step]
        if len(kept) < len(self._snapshots):
            self._motion.stop()
            self._morph = Morph([known.coordinates for known in kept])
        self._snapshots = [*kept, *snapshots]
        for snapshot in snapshots:
            self._morph.append(snapshot.coordinates)
        with QSignalBlocker(self._slider):
            self._slider.setMaximum((len(self._snapshots) - 1) * _TICKS)
            if first:
                self._slider.setValue(self._slider.maximum())
        self._show()
        if following and not first:
            self._glide(replay=self._replaying)

    def position_of(self, index: int) -> QPoint | None:
        """The position of an item on this widget; None before the first snapshot."""
        at = self._map.position_of(index)
        return None if at is None else self._map.mapTo(self, at)

    @property
    def _moving(self) -> bool:
        return self._motion.state() is QVariantAnimation.State.Running

    def _toggle(self) -> None:
        if self._replaying:
            self._motion.stop()
            return
        if self._slider.value() == self._slider.maximum():
            self._slider.setValue(0)
        self._glide(replay=True)

    def _glide(self, *, replay: bool) -> None:
        """Move to the newest snapshot: at constant speed through all others (replay), or to a new one."""
        self._motion.stop()
        way = self._slider.maximum() - self._slider.value()
        self._replaying = replay
        with QSignalBlocker(self._motion):  # setStartValue would emit the former end value
            self._motion.setStartValue(self._slider.value())
            self._motion.setEndValue(self._slider.maximum())
            self._motion.setDuration(round(_REPLAY_MS * way / _TICKS) if replay else _LIVE_MS)
        self._motion.start()

    def _stop(self) -> None:
        self._motion.stop()

    def _motion_changed(self) -> None:
        self._replaying = self._replaying and self._moving
        self._play.set_outline(*(("pause", "Pause") if self._replaying else ("play", "Replay")))

    def _forget(self) -> None:
        self._motion.stop()
        self._snapshots = []
        self._morph = Morph(())
        with QSignalBlocker(self._slider):
            self._slider.setRange(0, 0)
        self._show()

    def _show(self) -> None:
        several = len(self._snapshots) > 1
        self._play.setEnabled(several)
        self._slider.setEnabled(several)
        if not self._snapshots:
            self._step.setText("")
            self._numbers.setText("")
            return
        position = self._slider.value() / _TICKS
        self._map.place(self._morph.at(position))
        snapshot = self._snapshots[round(position)]
        self._step.setText(f"Step {snapshot.step:,}")
        values = snapshot.values
        quick = (f"{term.title} ≈ {values[term.name]:.3f}" for term in ESTIMATES if term.name in values)
        self._numbers.setText("  ·  ".join(quick))

    def _lay_out(self) -> None:
        self._numbers.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._step.setMinimumWidth(self._step.fontMetrics().horizontalAdvance("Step 46,900"))
        timeline = row(self._play, (self._slider, 1), margins=(0, 0, 6, 0), spacing=6)
        values = row(self._step, (self._numbers, 1), margins=(6, 0, 6, 0), spacing=12)
        column((self._map, 1), timeline, values, parent=self, spacing=4)
