"""The section that adds noise to what was said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QComboBox, QLabel, QSlider, QStyle, QStyleOptionSlider, QWidget

from model.checkpoints import Header
from model.data.conditions import NOISE_LEVELS, NOISES
from modinv_app.common.card import muted
from modinv_app.common.collapsible import Collapsible
from modinv_app.common.layouts import column, row
from modinv_app.explore.noise_curve import NoiseCurve

_MEANING = (
    "Adds noise to what you said, and asks again: see the point wander in the map, its samples spread,\n"
    "and the matches change. Decibels are those of your voice above the noise."
)
_NONE = "No noise"
_HINT = "Say a digit, then turn the noise up."
_REST_MS = 60  # the slider passes through many levels, each of which would be a query


def understood(header: Header) -> tuple[dict[str, list[float]], str]:
    """How many utterances a model understands in noise, as in :meth:`NoisePanel.show_measured`; from its header."""
    names = {kind: ["clean", *(f"{kind}-{level:g}" for level in NOISE_LEVELS)] for kind in NOISES}
    try:
        measured = header.metrics["conditions"]
        shares = {one["name"]: min(1.0, one["right"] / one["count"]) for one in measured["recognition"]}
        return {kind: [shares[name] for name in its_names] for kind, its_names in names.items()}, str(
            measured["speech"]
        )
    except (LookupError, TypeError, ArithmeticError):  # not measured, or the file of another program
        return {}, ""


class NoisePanel(Collapsible):
    """A section below the matches: the kind of noise, a dial for its level, and how many are understood in it.

    There is noise only while the section is open.

    Signals
    -------
    condition_chosen(str)
        The name of a condition of :data:`model.data.conditions.CONDITIONS`; empty without noise.
    """

    condition_chosen = Signal(str)

    def __init__(self) -> None:
        content = QWidget()
        super().__init__("Noise", content)
        self._heading.setToolTip(_MEANING)
        self._measured: Mapping[str, Sequence[float]] = {}
        self._whose = ""
        self._chosen = ""
        self._kind = QComboBox()
        self._kind.setAccessibleName("Kind of noise")
        for name, title in NOISES.items():
            self._kind.addItem(title, name)
        self._level = QLabel(_NONE, alignment=Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._curve = NoiseCurve()
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setRange(0, len(NOISE_LEVELS))
        self._slider.setPageStep(1)
        self._slider.setAccessibleName("Level of the noise")
        self._remark = muted()
        self._remark.setWordWrap(True)
        self._rest = QTimer(self, interval=_REST_MS, singleShot=True)
        self._rest.timeout.connect(self._choose)
        self._slider.valueChanged.connect(self._show_level)
        self._slider.valueChanged.connect(self._rest.start)
        self._kind.currentIndexChanged.connect(self._show_level)
        self._kind.currentIndexChanged.connect(self._rest.start)
        self.toggled.connect(self._rest.start)
        column(
            row(self._kind, None, self._level), self._curve, self._slider, self._remark,
            parent=content, margins=(8, 0, 8, 8), spacing=4,
        )  # fmt: skip
        self._show_level()

    def show_measured(self, measured: Mapping[str, Sequence[float]], whose: str) -> None:
        """Show how many utterances the model understands.

        Parameters
        ----------
        measured
            For each kind of noise the share of utterances without noise and at each level; empty if not known.
        whose
            Of whom, in words: ``"81 utterances of 41 strangers"``.
        """
        self._measured, self._whose = measured, whose
        self._show_level()

    @property
    def condition(self) -> str:
        """The name of the condition that is set; empty without noise."""
        step = self._slider.value()
        return f"{self._kind.currentData()}-{NOISE_LEVELS[step - 1]:g}" if step and self.open else ""

    def _show_level(self) -> None:
        step = self._slider.value()
        self._level.setText(f"{NOISE_LEVELS[step - 1]:g} dB" if step else _NONE)
        shares = self._measured.get(self._kind.currentData(), ())
        self._curve.setVisible(bool(shares))
        self._curve.show_shares(shares, self._handle() / 2)
        self._curve.show_step(step)
        self._remark.setText(f"{shares[step]:.0%} of {self._whose} are understood here." if shares else _HINT)

    def _choose(self) -> None:
        if self.condition != self._chosen:
            self._chosen = self.condition
            self.condition_chosen.emit(self._chosen)

    def _handle(self) -> int:
        """Width of the slider's handle, whose centre does not reach the edges."""
        option = QStyleOptionSlider()
        self._slider.initStyleOption(option)
        return self.style().pixelMetric(QStyle.PixelMetric.PM_SliderLength, option, self._slider)
