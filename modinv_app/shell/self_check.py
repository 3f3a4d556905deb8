"""``modinv-app --self-check``: operates the real window by simulated input, and checks and times it."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
from PySide6.QtCore import QCoreApplication, QObject, QSettings, QTimer

from model import locations
from model.types import FloatArray, Modality
from modinv_app.app import Application
from modinv_app.audio.simulated import RATE, SimulatedSound
from modinv_app.explore.state import Reply

WORD = 7
"""The digit that is drawn and said."""

_CLIP = "kokoro_af_sarah/plain/seven.opus"
"""The recording that is said, by a voice that is not in the training data."""

_DRAWINGS, _UTTERANCES = 20, 8
_PAUSE_MS = 150
_TIMEOUT_MS = 60_000


@dataclass
class Report:
    """Results and times in milliseconds; the first three are times since the start of the process.

    ``stroke_to_matches`` is measured from the last point of a stroke to the matches in the window,
    ``utterance_to_images`` from the release of the button, and includes the 0.1 s that is recorded after it.
    """

    window_visible: float = 0.0
    model_ready: float = 0.0
    first_answer: float = 0.0
    stroke_to_matches: list[float] = field(default_factory=list)
    utterance_to_images: list[float] = field(default_factory=list)
    drawn: int | None = None
    heard: int | None = None
    played: str = ""
    problem: str = ""


class SelfCheck(QObject):
    """Draws a seven and says a seven several times, like by pen and microphone, then closes the window.

    The first drawing is made as soon as the window is visible, before the model is loaded.

    Parameters
    ----------
    started
        ``time.perf_counter()`` at the start of the process.
    """

    def __init__(self, started: float) -> None:
        super().__init__()
        self._started = started
        self.report = Report()
        self._sound = SimulatedSound()
        # Temporary settings, so that the check neither depends on the user's nor changes them.
        store = QSettings(str(Path(mkdtemp(prefix="modinv-")) / "check.ini"), QSettings.Format.IniFormat)
        self._root = Application(store, lambda: self._sound)
        self._strokes = json.loads((locations.assets() / "self_check" / "seven.json").read_text("utf-8"))
        self._recording: FloatArray | None = None
        self._asked = 0.0
        self._awaited_ticket: int | None = None
        self._timeout = QTimer(self, interval=_TIMEOUT_MS, singleShot=True)
        self._timeout.timeout.connect(lambda: self._end("There was no answer for a minute."))
        self._root.state.model_changed.connect(self._model_ready)
        self._root.model.replied.connect(self._replied)  # called after the slots of the window
        self._root.state.playing_changed.connect(self._played)
        self._root.model.failed.connect(lambda text, _details: self._end(text))
        self._root.window.explore.queries.problem.connect(lambda _modality, text: self._end(text))

    @property
    def passed(self) -> bool:
        """Whether both sevens were recognised and a seven was played."""
        report = self.report
        return not report.problem and report.drawn == report.heard == WORD and bool(report.played)

    def report_json(self) -> str:
        """The report as JSON."""
        return json.dumps({"passed": self.passed, **asdict(self.report)}, indent=2)

    def report_text(self) -> str:
        """The report as text."""
        report = self.report
        verdict = "passed" if self.passed else "failed: a seven was not recognised"
        return "\n".join(
            [
                f"window visible       {report.window_visible:7.0f} ms after start",
                f"model ready          {report.model_ready:7.0f} ms after start",
                f"first answer         {report.first_answer:7.0f} ms after start",
                f"stroke to matches    {_spread(report.stroke_to_matches)}",
                f"utterance to images  {_spread(report.utterance_to_images)}",
                f"drawn seven          found {report.drawn}, played {report.played or 'nothing'}",
                f"spoken seven         found {report.heard}",
                report.problem or verdict,
            ]
        )

    def start(self) -> None:
        """Open the window; the check runs in the event loop."""
        self._timeout.start()
        self._root.start()
        self._root.window.explore.draw.play_on_lift = True
        QTimer.singleShot(0, self._window_visible)

    def _window_visible(self) -> None:
        self.report.window_visible = self._since_start()
        self._draw()

    def _model_ready(self) -> None:
        self.report.model_ready = self._since_start()

    def _clear(self) -> None:
        self._root.window.explore.draw.clear()
        QTimer.singleShot(_PAUSE_MS, self._draw)

    def _draw(self) -> None:
        self._asked = time.perf_counter()
        self._root.window.explore.draw.replay(self._strokes)
        self._awaited_ticket = self._root.model.latest_ticket

    def _speak(self) -> None:
        if self._recording is None:
            self._recording = _recording()
        self._root.window.explore.speak.press()
        self._sound.say(self._recording)
        QTimer.singleShot(round(1000 * len(self._recording) / RATE) + 100, self._stop_speaking)

    def _stop_speaking(self) -> None:
        self._awaited_ticket = self._root.model.latest_ticket + 1
        self._asked = time.perf_counter()
        self._root.window.explore.speak.release()

    def _replied(self, ticket: int, reply: Reply) -> None:
        if ticket != self._awaited_ticket:
            return  # of an unfinished drawing
        self._awaited_ticket = None
        milliseconds = 1000 * (time.perf_counter() - self._asked)
        report = self.report
        if reply.answer.modality is Modality.IMAGE:
            report.drawn = reply.answer.guess
            if not report.first_answer:
                report.first_answer = self._since_start()
            else:
                report.stroke_to_matches.append(milliseconds)
        else:
            report.heard = reply.answer.guess
            report.utterance_to_images.append(milliseconds)
        if len(report.stroke_to_matches) < _DRAWINGS:
            QTimer.singleShot(_PAUSE_MS, self._clear)
        elif len(report.utterance_to_images) < _UTTERANCES:
            QTimer.singleShot(_PAUSE_MS, self._speak)
        else:
            self._end("")

    def _played(self, index: int | None) -> None:
        gallery = self._root.state.gallery
        if index is not None and gallery is not None and gallery.items[index].label == WORD:
            self.report.played = gallery.items[index].source

    def _end(self, problem: str) -> None:
        self._timeout.stop()
        self.report.problem = problem
        self._root.window.close()
        QCoreApplication.quit()

    def _since_start(self) -> float:
        return 1000 * (time.perf_counter() - self._started)


def _recording() -> FloatArray:
    """What is said, at the rate of the simulated sound card."""
    from model.data.corpora.voices import Voices
    from model.data.speech import resample

    samples, rate = Voices().clip(_CLIP)
    return resample(samples, rate, RATE)


def _spread(milliseconds: list[float]) -> str:
    if not milliseconds:
        return "not measured"
    median, late = np.percentile(milliseconds, [50, 95])
    return f"{median:7.0f} ms median, {late:.0f} ms p95 of {len(milliseconds)}"
