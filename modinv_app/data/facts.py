"""What a corpus holds, in words."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPlainTextEdit, QSizePolicy, QWidget

from model.data.corpora import CorpusInfo
from model.data.corpora.base import Contents
from modinv_app.common.collapsible import Collapsible
from modinv_app.common.layouts import column

_FEW = 200  # skipped items that are listed


class Facts(QWidget):
    """Licence, splits, speakers and sampling rates of a corpus, and what is skipped and why."""

    def __init__(self) -> None:
        super().__init__()
        self.text = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText, alignment=Qt.AlignmentFlag.AlignTop)
        self.text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.skipped = QPlainTextEdit(readOnly=True)
        self.skipped.setAccessibleName("Skipped items and reasons")
        self.skipped.setFixedHeight(6 * self.fontMetrics().height())
        self._section = Collapsible("What is skipped, and why", self.skipped)
        column(self.text, self._section, parent=self, spacing=4)
        self._section.hide()

    def show_corpus(self, info: CorpusInfo, contents: Contents | None, decided: str = "") -> None:
        """Describe a corpus, with what it holds as soon as that is known, and what is decided about its items."""
        parts = [f"Licence: {info.licence}"]
        if contents is None:
            if info.speakers:
                parts.append(_speakers(info.speakers, {}))
        else:
            parts.append(", ".join(f"{count:,} {split}" for split, count in contents.items.items()))
            if contents.speakers:
                parts.append(_speakers(contents.speakers, contents.sexes))
            if contents.rates:
                parts.append("Recorded at " + ", ".join(f"{rate / 1000:g} kHz" for rate in contents.rates))
            if contents.left_out:
                parts.append(f"Left out: {contents.left_out}")
            if contents.skipped:
                parts.append(f"{len(contents.skipped):,} skipped")
        if decided:
            parts.append(decided)
        self.text.setText("\n".join(parts))
        skipped = {} if contents is None else contents.skipped
        self._section.setVisible(bool(skipped))
        lines = [f"{path}: {why}" for path, why in list(skipped.items())[:_FEW]]
        if len(skipped) > _FEW:
            lines.append(f"… and {len(skipped) - _FEW:,} more: modinv data show {info.name}")
        self.skipped.setPlainText("\n".join(lines))


def _speakers(count: int, sexes: Mapping[str, int]) -> str:
    known = f" ({', '.join(f'{number} {sex}' for sex, number in sexes.items())})" if sexes else ""
    return f"{count:,} {'speaker' if count == 1 else 'speakers'}{known}"
