"""Somebody at the evaluation page, whose process is a stand-in that says what the real one would.

It exports with the real code.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from desk import until
from evaluated import features, kept
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot
from workbench import Workbench

from model import locations
from model.evaluation.store import Evaluation
from model.runs.store import RunStore
from modinv_app.common.model_catalogue import ModelCatalogue
from modinv_app.common.settings import Settings
from modinv_app.evaluate.page import EvaluatePage

# Judges by the name of the file: one that is slow, one that fails, one that kills the process, and any other.
_JUDGE = """
import json, sys
folder, known = sys.argv[1:]
report = json.load(open(known + "/report.json"))
job = None
def say(**message):
    print(json.dumps({"id": job, **message}), flush=True)
class Context:
    def send(self, message):
        say(**message)
say(say="ready", devices=[["cpu", "A processor"]])
for line in sys.stdin:
    message = json.loads(line)
    job = message["id"]
    if message["do"] == "export":
        from model.jobs.export import export
        export(message, Context())
        say(say="done")
        continue
    name = message["checkpoint"]
    if message["do"] == "robustness":
        from model import locations
        from model.evaluation.robustness import made_with
        found = made_with(locations.shipped_model()).to_dict()
        found["corpus"], found["split"], found["inputs"] = "voices", "test", "of the stand-in"
        say(say="robustness", found={**found, "results": found["results"][:3]})
        if "slow" in name:
            assert json.loads(next(sys.stdin))["do"] == "stop"
            say(say="stopped")
        else:
            say(say="robustness", found=found)
        say(say="done")
        continue
    say(say="progress", share=0.25, text="Encoded 1 of 4 images")
    ways = ("image_to_speech", "speech_to_image")
    first = {way: {"retrieval": report[way]["retrieval"]} for way in ways}
    say(say="partial", report={"preliminary_images": 10, **first})
    if "slow" in name:
        assert json.loads(next(sys.stdin))["do"] == "stop"
        say(say="stopped")
    elif "wrong" in name:
        say(say="failed", message="The model is damaged. Choose another.", details="Traceback")
        continue
    elif "deadly" in name:
        print("Killed", file=sys.stderr)
        sys.exit(9)
    else:
        say(say="evaluated", folder=known)
    say(say="done")
"""


class Visitor:
    """Uses the page, and remembers what it says."""

    def __init__(self, page: EvaluatePage, catalogue: ModelCatalogue, folder: Path) -> None:
        self.page = page
        self.catalogue = catalogue
        self.folder = folder
        self.informed: list[str] = []
        self.failures: list[tuple[str, str]] = []
        self.heard: list[str] = []
        page.informed.connect(self.informed.append)
        page.failed.connect(lambda *failure: self.failures.append(failure))
        page.play_wanted.connect(self.heard.append)

    def file(self, name: str) -> Path:
        """A model's file, of which only the content's hash is ever read here."""
        path = self.folder / f"{name}.safetensors"
        path.write_bytes(name.encode())
        return path

    def load(self, name: str) -> None:
        """Let a model be the loaded one, and wait until it can be judged."""
        self.page.show_loaded(self.catalogue.of(self.file(name)))
        until(lambda: self.button.isEnabled(), "a button to press")

    @property
    def button(self) -> QPushButton:
        return self.page.bar.button

    def number(self, name: str) -> str:
        """What stands in a cell of the numbers."""
        labels = self.page.findChildren(QLabel)
        return next(label for label in labels if label.accessibleName() == name).text()

    def turn_to(self, title: str) -> None:
        tabs = self.page.tabs
        tabs.setCurrentIndex([tabs.tabText(place) for place in range(tabs.count())].index(title))

    def says(self) -> str:
        return "\n".join(label.text() for label in self.page.findChildren(QLabel) if label.isVisible())

    def judge(self) -> None:
        """Press Evaluate, and wait for the result."""
        self.button.click()
        until(lambda: not self.page.busy, "the end of the evaluation")


@contextmanager
def visiting(qtbot: QtBot, folder: Path, patch: pytest.MonkeyPatch) -> Iterator[Visitor]:
    """The page, with everything that it keeps in a folder; its process judges by `_JUDGE`."""
    patch.setattr(locations, "cache", lambda: folder / "cache")
    patch.setattr(locations, "shipped_sweep", lambda: folder / "assets" / "sweep.safetensors")
    patch.setattr(Evaluation, "features", lambda _self, index, _folder=None: features(index))
    patch.setenv("MODINV_DATA", str(folder / "no data"))  # so that only the voices are there
    kept(folder / "known")
    command = (sys.executable, "-c", _JUDGE, str(folder), str(folder / "known"))
    settings = Settings(QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat))
    catalogue = ModelCatalogue(RunStore(folder / "runs"), settings)
    bench = Workbench(folder / "runs", command)
    page = bench.evaluate_page(catalogue)
    qtbot.addWidget(page)
    page.resize(1000, 650)
    page.show()
    yield Visitor(page, catalogue, folder)
    page.release()
    bench.close()
    catalogue.close()
