"""Asks for one digit after the other, saves what comes, and asks the model what it makes of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Signal

from model.data.prompts import next_digits, rounds_wanted
from model.data.takes import Take
from model.types import WORDS, Answer, Certainty, FloatArray, Modality
from modinv_app.common.page import Consult
from modinv_app.common.take_library import Listing, TakeLibrary

if TYPE_CHECKING:  # its libraries take time to import
    from model.retrieval.retriever import Retriever

_SEEMS = {Modality.SPEECH: ("sounded", "sound"), Modality.IMAGE: ("looked", "look")}


@dataclass(slots=True, eq=False)
class Made:
    """A take on its way: it is saved and judged at the same time.

    Attributes
    ----------
    person, label, modality
        Who was asked for which digit, and how.
    take
        The take, once it is saved.
    doubted, guess
        Whether the model takes it for something else, and for which digit; None if for none.
    refusal
        Why it can't be used; empty if it can.
    """

    person: str
    label: int
    modality: Modality
    take: Take | None = None
    doubted: bool = False
    guess: int | None = None
    refusal: str = ""

    @property
    def question(self) -> str:
        """What to ask the user."""
        seemed, seem = _SEEMS[self.modality]
        if self.guess is None:
            return f"That did not {seem} like a digit. Keep it as “{WORDS[self.label]}”?"
        article = "an" if self.guess == 8 else "a"
        return f"That {seemed} like {article} {WORDS[self.guess]}. Keep it as “{WORDS[self.label]}”?"


class Maker(QObject):
    """Knows who makes takes of which modality, and which digit is next.

    Signals
    -------
    prompted(list)
        Digits to ask for from now on, the next one first; empty once all rounds are complete.
    progressed(list)
        Number of takes of each digit, with those that are being saved.
    doubted(Made)
        The model doubts a take, which is kept unless the user says otherwise.
    refused(str)
        A take can't be used and is not kept: why, and what to do.
    """

    prompted = Signal(object)
    progressed = Signal(object)
    doubted = Signal(object)
    refused = Signal(str)

    def __init__(self, library: TakeLibrary, consult: Consult, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._library = library
        self._consult = consult
        self._listing = Listing()
        self._saving: Counter[tuple[str, Modality, int]] = Counter()
        self._rounds = 0
        self.person: str | None = None
        self.modality = Modality.SPEECH
        self.counts = [0] * 10
        self.digits: list[int] = []
        library.listed.connect(self._show_listing)

    def choose(self, person: str | None, modality: Modality) -> None:
        """Make takes of this person in this modality."""
        self.person, self.modality = person, modality
        self._update()
        self.begin()

    def begin(self) -> None:
        """Ask for the next rounds if all are complete, otherwise go on with these."""
        self._rounds = rounds_wanted(self.counts)
        self._update()

    def keep_sound(self, samples: FloatArray, rate: int, device: str) -> None:
        """Save a recording ``(n,)`` at ``rate`` Hz as the digit that was asked for."""
        if made := self._expect():
            added = partial(self._added, made)
            self._library.add_speech(made.person, made.label, samples, rate, device, added)
            self._ask(made, lambda retriever: retriever.ask_sound(samples, rate))

    def keep_drawing(self, pixels: npt.NDArray[np.uint8], device: str) -> None:
        """Save a picture ``(h, w)`` as the digit that was asked for."""
        if made := self._expect():
            added = partial(self._added, made)
            self._library.add_drawing(made.person, made.label, pixels, device, added)
            self._ask(made, lambda retriever: retriever.ask_picture(pixels))

    def discard(self, made: Made) -> None:
        """Delete a take; its digit is asked for again."""
        if made.take is not None:
            self._library.delete([made.take], f"Deleted a take of “{WORDS[made.label]}”.")

    def believe(self, made: Made) -> None:
        """Relabel a take as what the model takes it for."""
        if made.take is not None and made.guess is not None:
            self._library.relabel([made.take], made.guess)

    def _expect(self) -> Made | None:
        """A take of the digit that is asked for; None if none is."""
        if self.person is None or not self.digits:
            return None
        made = Made(self.person, self.digits[0], self.modality)
        self._saving[made.person, made.modality, made.label] += 1
        self._update()
        return made

    def _ask(self, made: Made, question: Callable[[Retriever], Answer]) -> None:
        self._consult(question, partial(self._answered, made), partial(self._refuse, made))

    def _added(self, made: Made, take: Take | None) -> None:
        self._saving[made.person, made.modality, made.label] -= 1
        made.take = take
        self._update()
        self._settle(made)

    def _answered(self, made: Made, answer: Answer) -> None:
        made.guess = answer.guess
        # One digit in eight of strangers is rejected: what is nearest to its own digit is not questioned.
        sure = answer.rejected or answer.certainty in (Certainty.SURE, Certainty.LIKELY)
        made.doubted = sure and answer.nearest != made.label
        self._settle(made)

    def _refuse(self, made: Made, why: str) -> None:
        made.refusal = why
        self._settle(made)

    def _settle(self, made: Made) -> None:
        """Tell about a take, once it is both saved and judged."""
        if made.take is None:
            return
        if made.refusal:
            self._library.delete([made.take], f"Not kept: a take of “{WORDS[made.label]}”.")
            self.refused.emit(made.refusal)
        elif made.doubted:
            self.doubted.emit(made)

    def _show_listing(self, listing: Listing) -> None:
        self._listing = listing
        self._update()

    def _update(self) -> None:
        """Count, and ask for what is missing."""
        kept = [take for take in self._listing.of(self.person, self.modality) if not take.excluded]
        counts = Counter(take.label for take in kept)
        saving = (self._saving[self.person or "", self.modality, digit] for digit in range(10))
        self.counts = [counts[digit] + more for digit, more in enumerate(saving)]
        digits = next_digits(self.counts, self._rounds)
        self.progressed.emit(self.counts)
        if digits != self.digits:
            self.digits = digits
            self.prompted.emit(digits)
