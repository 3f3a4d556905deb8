"""Has matches explained, and plays what mattered in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from model.data.corpora import recording
from model.types import Answer, FloatArray, Item, Modality
from modinv_app.audio.utterances import UtterancePlayer
from modinv_app.explore.model_service import ModelService
from modinv_app.explore.sounds import sound_of
from modinv_app.explore.state import AppState

if TYPE_CHECKING:  # its libraries take time to import
    from model.retrieval.attribution import Explanation
    from model.retrieval.retriever import Retriever

_REST_MS = 150  # an explanation takes as long as several answers: a pen that moves is answered first


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """An answered query and one of its matches.

    Attributes
    ----------
    name
        Of the query, for the user.
    answer
        The answer to the query.
    match
        The match.
    features
        Of the match, ``(28, 28)`` or ``(100, 80)``.
    sound
        Reads the recording of the utterance of the two: samples and rate.
    explanation
        What carries their similarity; ``None`` until that is known.
    """

    name: str
    answer: Answer
    match: Item
    features: FloatArray
    sound: Callable[[], tuple[FloatArray, int]]
    explanation: Explanation | None = None

    def explained(self, retriever: Retriever) -> Explanation:
        """The explanation, in the model's thread."""
        return self.explanation or retriever.explain(self.answer, self.match.index)


class Explanations(QObject):
    """Has the current pair explained while that is wanted: the query and its chosen match, or the nearest.

    An explanation that arrives when another query or match is current is dropped.

    Signals
    -------
    pair_changed(Pair or None)
        There is another pair, its explanation has arrived, or there is no pair.
    problem(str)
        A recording can't be played: why and what to do.
    """

    pair_changed = Signal(object)
    problem = Signal(str)

    def __init__(
        self, state: AppState, model: ModelService, utterances: UtterancePlayer, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._state = state
        self._model = model
        self._utterances = utterances
        self._wanted = False
        self._chosen: int | None = None
        self._pair: Pair | None = None
        self._sounds = 0
        self._rest = QTimer(self, interval=_REST_MS, singleShot=True)
        self._rest.timeout.connect(self._ask)
        state.query_changed.connect(self._rest.stop)  # the reply is of the former query
        state.reply_changed.connect(self._renew)

    def set_wanted(self, wanted: bool) -> None:
        """Explain from now on, or no longer."""
        self._wanted = wanted
        self._renew()

    def choose(self, index: int | None) -> None:
        """Explain the match with this gallery index; the nearest for None."""
        self._chosen = index
        self._renew()

    def hear(self) -> None:
        """Play the utterance of the pair with what matters as loud as it is, and the rest faded."""
        pair = self._pair
        if pair is None:
            return
        self._sounds += 1
        key = f"what mattered, {self._sounds}"
        self._utterances.expect(key)

        def work(retriever: Retriever) -> tuple[FloatArray, int]:
            return retriever.emphasise(*pair.sound(), pair.explained(retriever).of(Modality.SPEECH))

        self._model.consult(work, lambda sound: self._utterances.deliver(key, *sound), self.problem.emit)

    def _renew(self) -> None:
        self._pair = self._current()
        if self._wanted and self._pair is not None:
            self._rest.start()
        else:
            self._rest.stop()
        self.pair_changed.emit(self._pair)

    def _current(self) -> Pair | None:
        gallery, query, reply = self._state.gallery, self._state.query, self._state.reply
        if gallery is None or query is None or reply is None or not reply.answer.matches:
            return None
        found = [match.item for match in reply.answer.matches]
        match = next((item for item in found if item.index == self._chosen), found[0])
        by_key = match.modality is Modality.SPEECH
        sound = partial(recording, gallery.key(match.index)) if by_key else partial(sound_of, query)
        return Pair(query.name, reply.answer, match, gallery.features(match.index), sound)

    def _ask(self) -> None:
        pair = self._pair
        if pair is None:
            return

        def work(retriever: Retriever) -> Explanation | None:
            return pair.explained(retriever) if pair is self._pair else None  # another may wait already

        def done(explanation: Explanation | None) -> None:
            if pair is self._pair and explanation is not None:
                self._pair = replace(pair, explanation=explanation)
                self.pair_changed.emit(self._pair)

        self._model.consult(work, done, self.problem.emit)
