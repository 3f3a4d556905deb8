"""The page for one's own digits: people on the left, the wizard in the middle, the takes, or training, on the right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QSize
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QComboBox, QPushButton, QStackedWidget, QTabBar, QWidget

from model.data.prompts import ROUNDS
from model.data.takes import Take
from model.runs.personal_runs import PersonalRun
from model.types import Modality
from modinv_app.audio.backend import Samples
from modinv_app.audio.hands_free import Detector
from modinv_app.common import settings as chosen
from modinv_app.common.card import Card, bold, muted
from modinv_app.common.dialogs import ask_for_folder
from modinv_app.common.layouts import column, row, side_by_side
from modinv_app.common.model_catalogue import Model
from modinv_app.common.page import Page, Services, Trainer
from modinv_app.common.settings import Answers
from modinv_app.takes.deletion_strip import DeletionStrip
from modinv_app.takes.doubt_strip import DoubtStrip
from modinv_app.takes.drawing_wizard import DrawingWizard
from modinv_app.takes.maker import Maker
from modinv_app.takes.people import PeoplePanel
from modinv_app.takes.personal_panel import PersonalPanel
from modinv_app.takes.personal_service import PersonalService
from modinv_app.takes.prompt import DigitPrompt
from modinv_app.takes.speech_wizard import SpeechWizard
from modinv_app.takes.takes_panel import TakesPanel

_TABS = (("Say", Modality.SPEECH), ("Draw", Modality.IMAGE))
_ANSWERS = {
    "mine": "Mine, once there are all ten",
    "both": "Mine and shipped digits",
    "shipped": "Shipped digits",
}
_PREFIX = "my-speech:"
_TRAIN = "Train with them…"


def _make_detector() -> Detector:
    from model.data.speech import UtteranceDetector  # in the detector's thread: its libraries take time to import

    return UtteranceDetector()


class TakesPage(Page):
    """Records and draws digits of several people, shows them, and trains with them."""

    def __init__(self, services: Services) -> None:
        super().__init__()
        self._services = services
        self._settings, self._library = services.settings, services.takes
        self._unsaved: tuple[npt.NDArray[np.uint8], str] | None = None  # drawn before there was anybody
        self.people = PeoplePanel(self._library)
        self.maker = Maker(self._library, services.consult, self)
        self.prompt = DigitPrompt("Say")
        self.doubt = DoubtStrip()
        self.speech = SpeechWizard(services.recorder, services.player, _make_detector)
        self.drawing = DrawingWizard()
        self.takes = TakesPanel(self._library)
        self.training = PersonalService(services.runs, services.client)
        self.trainer = Trainer("takes", "run", "My digits, Train with them", self.training.stop)
        self.personal = PersonalPanel(self.training, services.client, self._library)
        self.to_training = QPushButton(_TRAIN)
        self.to_training.setToolTip("Fine-tune a model with these takes, and see what each person gains")
        self.undo = DeletionStrip(self._library)
        for panel in (self.people, self.takes):
            self.undo.listen_in(panel)
        self.tabs = QTabBar(documentMode=True, drawBase=False, expanding=True)
        self.tabs.setAccessibleName("Say or draw")
        for title, _ in _TABS:
            self.tabs.addTab(title)
        self.answers = QComboBox()
        self.answers.setAccessibleName("Explore answers with")
        self.answers.setToolTip("Draw a seven on Explore, and hear yourself say it, once you have said all ten")
        for name, title in _ANSWERS.items():
            self.answers.addItem(title, name)
        self._lay_out()
        self._wire()
        self._restore()

    @property
    def modality(self) -> Modality:
        """Whether digits are said or drawn."""
        return _TABS[self.tabs.currentIndex()][1]

    def show_playing(self, key: str | None) -> None:
        """Mark the take that plays."""
        self.takes.show_playing(key.removeprefix(_PREFIX) if key and key.startswith(_PREFIX) else None)

    def show_loaded(self, model: Model) -> None:
        self.personal.show_loaded(model)

    def remember(self) -> None:
        self._settings.set(chosen.TAKES_PERSON, self.people.person or "")
        self._settings.set(chosen.TAKES_TAB, self.tabs.tabText(self.tabs.currentIndex()))

    def release(self) -> None:
        """End the threads of the detector and of the training."""
        self.speech.close_detector()
        self.training.close()

    def import_folder(self) -> None:
        """Let the user choose a labelled folder."""
        ask_for_folder(self, "Import a folder of PERSON / DIGIT / recordings", self._import)

    def export(self) -> None:
        """Let the user choose where to copy all takes to."""
        ask_for_folder(self, "Export all takes to a folder", self._export)

    def _lay_out(self) -> None:
        self._wizards = QStackedWidget()
        self._wizards.addWidget(self.speech)
        self._wizards.addWidget(self.drawing)
        wizard = Card("Ten takes of ten digits")
        wizard.body.setSpacing(8)
        wizard.body.addWidget(self.tabs)
        wizard.body.addWidget(self.prompt, 1)
        wizard.body.addWidget(self.doubt)
        wizard.body.addWidget(self._wizards)
        self._wizard_card = wizard

        imports = QPushButton("Import…")
        imports.setToolTip("Copy a labelled folder here: PERSON/DIGIT/recording or picture")
        imports.clicked.connect(self.import_folder)
        self._exports = QPushButton("Export…")
        self._exports.setToolTip("Copy all takes to a labelled folder: PERSON/DIGIT/take")
        self._exports.clicked.connect(self.export)
        private = muted("Nothing leaves this machine.")
        private.setWordWrap(True)
        left = QWidget()
        column(
            (self.people, 1),
            self.undo,
            self.to_training,
            8,
            bold("Explore answers with"),
            self.answers,
            8,
            row(imports, self._exports, spacing=4),
            private,
            parent=left,
            spacing=4,
        )
        middle = QWidget()
        column(wizard, parent=middle, margins=(4, 0, 4, 0))
        self._right = QStackedWidget()
        self._right.addWidget(self.takes)
        self._right.addWidget(self.personal)
        self._columns = side_by_side((left, 220, 0), (middle, 400, 2), (self._right, 620, 3))
        column(self._columns, parent=self, margins=(10, 8, 10, 10))

    def _wire(self) -> None:
        self.people.chosen.connect(self._show_person)
        self.tabs.currentChanged.connect(self._show_tab)
        self.maker.prompted.connect(self._show_digits)
        self.maker.progressed.connect(self._show_progress)
        self.maker.doubted.connect(self.doubt.ask)
        self.maker.refused.connect(self._show_refusal)
        self.doubt.again_wanted.connect(self.maker.discard)
        self.doubt.guess_right.connect(self.maker.believe)
        self.speech.started.connect(self._start)
        self.speech.utterance.connect(self._keep_sound)
        self.drawing.drawn.connect(self._keep_drawing)
        self.drawing.more_wanted.connect(self.maker.begin)
        self.takes.play_wanted.connect(self._play)
        self.answers.activated.connect(self._choose_answers)
        self.to_training.clicked.connect(lambda: self._right.setCurrentWidget(self.personal))
        self.personal.back_wanted.connect(lambda: self._right.setCurrentWidget(self.takes))
        self.personal.model_chosen.connect(self._use_model)
        self.training.changed.connect(self._show_training)
        self.training.finished.connect(self._tell_trained)
        self.training.failed.connect(self.failed)
        self._library.informed.connect(self.informed)
        self._library.warned.connect(self.warned)
        self._library.failed.connect(self.failed)
        self._library.listed.connect(lambda listing: self._exports.setEnabled(bool(listing.takes)))
        self._library.answers_changed.connect(self._show_answers)

    def _restore(self) -> None:
        if person := self._settings.get(chosen.TAKES_PERSON):
            self.people.want(person)
        titles = [title for title, _ in _TABS]
        self.tabs.setCurrentIndex(titles.index(self._settings.get(chosen.TAKES_TAB)))
        self._show_answers(self._library.answers)
        self._show_tab()
        self._library.refresh()

    def sizeHint(self) -> QSize:
        return QSize(1200, 700)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._library.refresh()  # another process may have changed them

    # Who, and what next

    def _show_person(self, _person: str | None = None) -> None:
        self.doubt.clear()
        self.speech.show_problem("")
        self.maker.choose(self.people.person, self.modality)
        self.takes.show_person(self.people.person, self.modality)
        self.personal.form.show_person(self.people.person)
        self._show_digits(self.maker.digits)
        if self.people.person is not None and self._unsaved is not None:
            (pixels, device), self._unsaved = self._unsaved, None
            self._keep_drawing(pixels, device)

    def _show_tab(self) -> None:
        spoken = self.modality is Modality.SPEECH
        self.prompt.set_verb("Say" if spoken else "Draw")
        self._wizards.setCurrentWidget(self.speech if spoken else self.drawing)
        body = self._wizard_card.body
        body.setStretchFactor(self.prompt, 1)
        body.setStretchFactor(self._wizards, 0 if spoken else 3)
        self._show_person()

    def _show_digits(self, digits: list[int]) -> None:
        self.prompt.show_digits(digits)
        self.takes.grid.show_next(digits[0] if digits else None)
        self.drawing.show_done(not digits)
        if digits:
            self.speech.go_on()
        else:
            self.speech.finish()

    def _show_progress(self, counts: list[int]) -> None:
        made = sum(min(count, ROUNDS) for count in counts)
        self._wizard_card.aside.setText(f"{made} of {10 * ROUNDS}")

    # Making takes

    def _start(self) -> None:
        self.doubt.clear()
        if self.people.person is None:
            self.people.add()  # a first visitor need not give a name
        else:
            self.maker.begin()

    def _keep_sound(self, samples: Samples, rate: int) -> None:
        self.maker.keep_sound(samples, rate, self._services.recorder.device or "default microphone")

    def _keep_drawing(self, pixels: npt.NDArray[np.uint8], device: str) -> None:
        if self.people.person is None:
            self._unsaved = pixels, device
            self.people.add()
            return
        self.maker.keep_drawing(pixels, device)

    def _show_refusal(self, words: str) -> None:
        if self.modality is Modality.SPEECH:
            self.speech.show_problem(f"Not kept: {words}")
        else:
            self.warned.emit(f"Not kept: {words}")

    # Training

    def _show_training(self) -> None:
        """Show on all pages that a model trains, and how far it is."""
        work = self.training.work
        if work is None:
            self.to_training.setText(_TRAIN)
            self.training_changed.emit("", 0.0)
            return
        words = "Paused" if work.paused else "Training"
        self.to_training.setText(f"{words}: {work.share:.0%}")
        self.training_changed.emit(f"{words} with takes", work.share)

    def _tell_trained(self, run: PersonalRun) -> None:
        self.informed.emit(f"“{run.info.name}” is trained. My digits shows what it is worth.")

    def _use_model(self, path: str) -> None:
        self._services.catalogue.refresh()  # so that a new run's model has the name of the run
        self.model_chosen.emit(path)

    # Playing, gallery and folders

    def _play(self, take: Take) -> None:
        self.play_wanted.emit(_PREFIX + take.key)

    def _choose_answers(self) -> None:
        self._library.set_answers(self.answers.currentData())

    def _show_answers(self, answers: Answers) -> None:
        self.answers.setCurrentIndex(self.answers.findData(answers))

    def _import(self, folder: str) -> None:
        self._library.import_folder(Path(folder))

    def _export(self, folder: str) -> None:
        self._library.export(self._library.listing.takes, Path(folder))


build = TakesPage
