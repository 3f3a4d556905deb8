"""One run while it trains and after: how far it is, what can be done with it, what it has brought."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Literal

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from model.runs.store import RunInfo, State
from model.runs.values import ESTIMATES
from model.training.time_left import Countdown, Pace
from modinv_app.common.card import bold, muted
from modinv_app.common.note import Note
from modinv_app.common.run_entry import duration, time_left

RunAction = Literal["pause", "go", "stop", "cancel", "resume", "use", "evaluate", "new"]

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
    "pause": ("Pause", "Hold on, and give the processor back for a while"),
    "go": ("Go on", "Train on from here"),
    "stop": ("Stop", "Keep what there is; the run can be resumed, now or later"),
    "cancel": ("Cancel", "Discard the run"),
    "resume": ("Resume", "Train on from what was saved last"),
    "use": ("Use this model", "Draw and speak with this model from now on"),
    "evaluate": ("Evaluate", "Judge this model in full"),
    "new": ("New training…", "Choose anew, beginning with what was chosen for this run"),
}
_ASKED: dict[RunAction, str] = {"pause": "Pausing…", "stop": "Stopping…", "cancel": "Cancelling…"}
"""What takes a step or more to be carried out, and what shows until then."""

_TICK_MS = 1000
_FINE = 1000  # marks on the bar for what isn't counted in steps
_ALIVE = ("waiting", "running", "paused")


class RunCard(QWidget):
    """A run's state, progress, troubles, buttons, and its quick estimates beside those of the loaded model.

    Signals
    -------
    wanted(RunAction)
        What the user wants to be done with the run.
    """

    wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.info: RunInfo | None = None
        """The run that shows."""
        self._pace, self._countdown = Pace(), Countdown()
        self._tick = QTimer(self, interval=_TICK_MS)  # the time left runs down while nothing is heard
        self._tick.timeout.connect(self._show_progress)
        self._asked: RunAction | None = None  # and not carried out yet
        self._usable = False
        self._title = bold()
        self._title.setWordWrap(True)
        self._plan = muted()
        self._plan.setWordWrap(True)
        self._bar = QProgressBar(textVisible=False)
        self._bar.setFixedHeight(8)
        self._bar.setAccessibleName("Progress of training")
        self._progress = QLabel(wordWrap=True)
        self._progress.setObjectName("progress")
        self._trouble = Note()
        self._comparison = _Comparison()
        self._buttons = {deed: self._button(deed) for deed in _BUTTONS}
        self._lay_out()

    def _button(self, deed: RunAction) -> QPushButton:
        text, tip = _BUTTONS[deed]
        button = QPushButton(text)
        button.setToolTip(tip)
        button.clicked.connect(lambda: self._want(deed))
        return button

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self._buttons["pause"])
        row.addWidget(self._buttons["go"])
        row.addWidget(self._buttons["stop"])
        row.addWidget(self._buttons["cancel"])
        after = QHBoxLayout()
        after.setSpacing(6)
        after.addWidget(self._buttons["resume"])
        after.addWidget(self._buttons["use"])
        after.addWidget(self._buttons["evaluate"])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self._title)
        layout.addWidget(self._plan)
        layout.addWidget(self._bar)
        layout.addWidget(self._progress)
        layout.addWidget(self._trouble)
        layout.addLayout(row)
        layout.addLayout(after)
        layout.addWidget(self._comparison)
        layout.addWidget(self._buttons["new"])
        layout.addStretch()

    def show_run(self, info: RunInfo, usable: bool) -> None:
        """Show how a run is; ``usable`` if there are weights to use."""
        if self.info is None or info.name != self.info.name or info.created != self.info.created:
            self._pace, self._countdown = Pace(), Countdown()
            self._comparison.clear()
        if info.state not in _ALIVE or (self.info and self.info.state not in _ALIVE):
            self._asked = None
        if info.state == "paused":
            self._asked = None if self._asked == "pause" else self._asked
            self._pace, self._countdown = Pace(), Countdown()
        self.info, self._usable = info, usable
        if info.state == "running":
            self._pace.update(time.monotonic(), info.step)
        self._show()

    def show_activity(self, share: float | None, text: str) -> None:
        """Say what is done before the first step or beside the steps, and how far that is."""
        if self.info is not None and self.info.state in ("waiting", "running"):
            self._progress.setText(text if share is None else f"{text}: {share:.0%}")
            if self.info.state == "waiting":
                self._bar.setRange(0, 0 if share is None else _FINE)
                self._bar.setValue(round(_FINE * (share or 0.0)))

    def show_quick(self, values: Mapping[str, float]) -> None:
        """Quick estimates of the run."""
        self._comparison.show_after(values)

    def show_loaded(self, values: Mapping[str, float]) -> None:
        """The same of the loaded model, on the same items; empty if they aren't known."""
        self._comparison.show_before(values)

    def _want(self, deed: RunAction) -> None:
        if deed in _ASKED:
            self._asked = deed
            self._show()
        self.wanted.emit(deed)

    def _show(self) -> None:
        """Words and buttons follow from the run's state."""
        info = self.info
        assert info is not None
        alive, state = info.state in _ALIVE, info.state
        asked = _ASKED[self._asked] if self._asked else ""
        self._title.setText(asked or f"{_WORDS[state]}: {info.name}")
        plan = f"{', '.join(info.plan.corpora)} · seed {info.plan.seed} · {info.device or info.plan.device}"
        self._plan.setText(plan if info.name == info.plan.title else f"{info.plan.title} · {plan}")
        self._bar.setRange(0, 0 if state == "waiting" else info.steps)
        self._bar.setValue(info.step)
        if state == "running" and not self._tick.isActive():
            self._tick.start()
        elif state != "running":
            self._tick.stop()
        self._show_progress()
        self._trouble.show_text("" if alive else info.message)
        shown: dict[RunAction, bool] = {
            "pause": state in ("waiting", "running"),
            "go": state == "paused",
            "stop": alive,
            "cancel": alive,
            "resume": not alive and info.resumable,
            "use": not alive and self._usable,
            "evaluate": not alive and self._usable,
            "new": not alive,
        }
        for deed, button in self._buttons.items():
            button.setVisible(shown[deed])
            # A run that is about to pause can still be stopped or discarded.
            button.setEnabled(not asked or (self._asked == "pause" and deed in ("stop", "cancel")))
            button.setText(asked if deed == self._asked else _BUTTONS[deed][0])
        self._buttons["pause"].setEnabled(state == "running" and not asked)

    def _show_progress(self) -> None:
        self._progress.setText(self._words())

    def _words(self) -> str:
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
    """Before and after: the loaded model and this run, by quick estimates on the same items."""

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
        for column, head in enumerate(self._heads, 1):
            grid.addWidget(head, 0, column)
        for row, term in enumerate(ESTIMATES, 1):
            words = QLabel(term.title)
            words.setToolTip(term.help)
            grid.addWidget(words, row, 0)
            for column, cells in enumerate((self._before, self._after), 1):
                cells[term.name] = cell = QLabel(alignment=Qt.AlignmentFlag.AlignRight)
                cell.setAccessibleName(f"{term.title}, {('before', 'this run')[column - 1]}")
                grid.addWidget(cell, row, column)
        note = muted("Quick estimates on 400 test items")
        grid.addWidget(note, len(ESTIMATES) + 1, 0, 1, 3)
        self.clear()

    def clear(self) -> None:
        """Another run: nothing is known of it."""
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
            name, more = term.name, term.level is None  # of the one with a level of its own, chance, less is better
            known = name in before and name in after
            gain = (after[name] - before[name]) * (1 if more else -1) if known else 0.0
            for cells, values in ((self._before, before), (self._after, after)):
                cells[name].setText(f"{values[name]:.3f}" if name in values else "–")
            font = self._after[name].font()
            font.setBold(gain > 0)
            self._after[name].setFont(font)
