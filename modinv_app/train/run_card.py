"""The current run: its progress, actions, and quick estimates."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Literal

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QProgressBar, QPushButton, QWidget

from model.export.words import changed
from model.runs.store import RunInfo, State
from model.runs.values import ESTIMATES
from model.training.time_left import Countdown, Pace
from modinv_app.common.card import bold, muted
from modinv_app.common.layouts import column, row
from modinv_app.common.note import Note
from modinv_app.common.run_entry import duration, time_left

RunAction = Literal["pause", "unpause", "stop", "cancel", "resume", "use", "evaluate", "new"]

_WORDS: dict[State, str] = {
    "waiting": "Starting…",
    "running": "Training",
    "paused": "Paused",
    "stopped": "Stopped, and kept",
    "complete": "Done",
    "failed": "Failed",
    "interrupted": "Interrupted",
}
_BUTTONS: dict[RunAction, tuple[str, str]] = {
    "pause": ("Pause", "Pause the training, to free the processor for a while"),
    "unpause": ("Continue", "Continue the training"),
    "stop": ("Stop", "Keep what there is; the run can be resumed, now or later"),
    "cancel": ("Cancel", "Discard the run"),
    "resume": ("Resume", "Continue from the last checkpoint"),
    "use": ("Use this model", "Draw and speak with this model from now on"),
    "evaluate": ("Evaluate", "Evaluate this model in full"),
    "new": ("New training…", "Choose another configuration, starting with that of this run"),
}
_PENDING: dict[RunAction, str] = {"pause": "Pausing…", "stop": "Stopping…", "cancel": "Cancelling…"}
"""Actions that take a while, and what is shown meanwhile."""

_TICK_MS = 1000
_FINE = 1000  # maximum of the progress bar before the first step
_ACTIVE = ("waiting", "running", "paused")


class RunCard(QWidget):
    """State, progress, problems and actions of a run, and its quick estimates beside those of the loaded model.

    Signals
    -------
    wanted(RunAction)
        The user has chosen an action.
    """

    wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.info: RunInfo | None = None
        """The run that is shown."""
        self._pace, self._countdown = Pace(), Countdown()
        self._tick = QTimer(self, interval=_TICK_MS)  # counts down the remaining time between messages
        self._tick.timeout.connect(self._show_progress)
        self._pending: RunAction | None = None  # chosen, and not done yet
        self._usable = False
        self._title = bold()
        self._title.setWordWrap(True)
        self._config = muted()
        self._config.setWordWrap(True)
        self._bar = QProgressBar(textVisible=False)
        self._bar.setFixedHeight(8)
        self._bar.setAccessibleName("Progress of training")
        self._progress = QLabel(wordWrap=True)
        self._progress.setObjectName("progress")
        self._trouble = Note()
        self._comparison = _Comparison()
        self._buttons = {action: self._button(action) for action in _BUTTONS}
        self._lay_out()

    def _button(self, action: RunAction) -> QPushButton:
        text, tip = _BUTTONS[action]
        button = QPushButton(text)
        button.setToolTip(tip)
        button.clicked.connect(lambda: self._want(action))
        return button

    def _lay_out(self) -> None:
        buttons = self._buttons
        during = row(*(buttons[action] for action in ("pause", "unpause", "stop", "cancel")), spacing=6)
        after = row(*(buttons[action] for action in ("resume", "use", "evaluate")), spacing=6)
        parts = (self._title, self._config, self._bar, self._progress, self._trouble, during, after, self._comparison)
        column(*parts, buttons["new"], None, parent=self, spacing=8)

    def show_run(self, info: RunInfo, usable: bool) -> None:
        """Show the state of a run; ``usable`` if it has a model."""
        if self.info is None or info.name != self.info.name or info.created != self.info.created:
            self._pace, self._countdown = Pace(), Countdown()
            self._comparison.clear()
        if info.state not in _ACTIVE or (self.info and self.info.state not in _ACTIVE):
            self._pending = None
        if info.state == "paused":
            self._pending = None if self._pending == "pause" else self._pending
            self._pace, self._countdown = Pace(), Countdown()
        self.info, self._usable = info, usable
        if info.state == "running":
            self._pace.update(time.monotonic(), info.step)
        self._show()

    def show_activity(self, share: float | None, text: str) -> None:
        """Show what is done before the first step or between steps, with its progress in [0, 1]."""
        if self.info is not None and self.info.state in ("waiting", "running"):
            self._progress.setText(text if share is None else f"{text}: {share:.0%}")
            if self.info.state == "waiting":
                self._bar.setRange(0, 0 if share is None else _FINE)
                self._bar.setValue(round(_FINE * (share or 0.0)))

    def show_quick(self, values: Mapping[str, float]) -> None:
        """Show quick estimates of the run."""
        self._comparison.show_after(values)

    def show_loaded(self, values: Mapping[str, float]) -> None:
        """Show those of the loaded model on the same items; empty if unknown."""
        self._comparison.show_before(values)

    def _want(self, action: RunAction) -> None:
        if action in _PENDING:
            self._pending = action
            self._show()
        self.wanted.emit(action)

    def _show(self) -> None:
        """Update texts and buttons."""
        info = self.info
        assert info is not None
        active, state = info.state in _ACTIVE, info.state
        pending = _PENDING[self._pending] if self._pending else ""
        self._title.setText(pending or f"{_WORDS[state]}: {info.name}")
        found = changed(info.data)
        data = f"{', '.join(info.plan.corpora)}, changed by you: {found}" if found else ", ".join(info.plan.corpora)
        config = f"{data} · seed {info.plan.seed} · {info.device or info.plan.device}"
        self._config.setText(config if info.name == info.plan.title else f"{info.plan.title} · {config}")
        self._bar.setRange(0, 0 if state == "waiting" else info.steps)
        self._bar.setValue(info.step)
        if state == "running" and not self._tick.isActive():
            self._tick.start()
        elif state != "running":
            self._tick.stop()
        self._show_progress()
        self._trouble.show_text("" if active else info.message)
        shown: dict[RunAction, bool] = {
            "pause": state in ("waiting", "running"),
            "unpause": state == "paused",
            "stop": active,
            "cancel": active,
            "resume": not active and info.resumable,
            "use": not active and self._usable,
            "evaluate": not active and self._usable,
            "new": not active,
        }
        for action, button in self._buttons.items():
            button.setVisible(shown[action])
            # A run that is about to pause can still be stopped or discarded.
            button.setEnabled(not pending or (self._pending == "pause" and action in ("stop", "cancel")))
            button.setText(pending if action == self._pending else _BUTTONS[action][0])
        self._buttons["pause"].setEnabled(state == "running" and not pending)

    def _show_progress(self) -> None:
        self._progress.setText(self._progress_text())

    def _progress_text(self) -> str:
        info = self.info
        assert info is not None
        if info.state == "waiting":
            return "Getting ready"
        words = f"Step {info.step:,} of {info.steps:,}"
        if info.state == "complete":
            return f"{info.steps:,} steps in {duration(info.seconds)}"
        if info.state == "running":
            now = time.monotonic()
            rest = self._countdown.at(now, self._pace.remaining(now, info.steps))
            return f"{words} · {'…' if rest is None else time_left(rest)}"
        return words


class _Comparison(QWidget):
    """The quick estimates of the loaded model and of this run, on the same items."""

    def __init__(self) -> None:
        super().__init__()
        self._before: dict[str, QLabel] = {}
        self._after: dict[str, QLabel] = {}
        self._heads = [muted("Before", Qt.AlignmentFlag.AlignRight), muted("This run", Qt.AlignmentFlag.AlignRight)]
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 4, 0, 4)
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(0, 1)
        for place, head in enumerate(self._heads, 1):
            grid.addWidget(head, 0, place)
        for line, term in enumerate(ESTIMATES, 1):
            words = QLabel(term.title)
            words.setToolTip(term.help)
            grid.addWidget(words, line, 0)
            for place, cells in enumerate((self._before, self._after), 1):
                cells[term.name] = cell = QLabel(alignment=Qt.AlignmentFlag.AlignRight)
                cell.setAccessibleName(f"{term.title}, {('before', 'this run')[place - 1]}")
                grid.addWidget(cell, line, place)
        note = muted("Quick estimates on 400 test items")
        grid.addWidget(note, len(ESTIMATES) + 1, 0, 1, 3)
        self.clear()

    def clear(self) -> None:
        """Forget all estimates."""
        self._values: dict[str, Mapping[str, float]] = {"before": {}, "after": {}}
        self._show()

    def show_before(self, values: Mapping[str, float]) -> None:
        self._values["before"] = values
        self._show()

    def show_after(self, values: Mapping[str, float]) -> None:
        self._values["after"] = {**self._values["after"], **values}
        self._show()

    def _show(self) -> None:
        before, after = self._values["before"], self._values["after"]
        self.setVisible(bool(after))
        for label in (self._heads[0], *self._before.values()):
            label.setVisible(bool(before))
        for term in ESTIMATES:
            name, more = term.name, term.level is None  # the one with a chance level is better if lower
            known = name in before and name in after
            gain = (after[name] - before[name]) * (1 if more else -1) if known else 0.0
            for cells, values in ((self._before, before), (self._after, after)):
                cells[name].setText(f"{values[name]:.3f}" if name in values else "–")
            font = self._after[name].font()
            font.setBold(gain > 0)
            self._after[name].setFont(font)
