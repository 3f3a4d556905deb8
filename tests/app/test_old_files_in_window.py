"""The window over what an earlier version left behind: settings, remembered form, runs, a sweep (`old_files`)."""

from __future__ import annotations

from collections.abc import Iterator

import old_files
import pytest
from desk import Desk, until
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLineEdit, QTabWidget, QWidget

from model.runs.store import RunStore
from modinv_app.common.lambda_dial import LambdaDial
from modinv_app.common.settings import MODEL_FILES
from modinv_app.common.theme import apply_scheme
from modinv_app.sweep.sweep_table import SweepTable
from modinv_app.train.config_form import TrainingConfigForm
from modinv_app.train.run_list import RunList

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


@pytest.fixture(scope="module")
def desk(qapp, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:  # noqa: ARG001 (Qt first)
    """The whole application, started for the first time since that version."""
    folder = tmp_path_factory.mktemp("old")
    runs, sweeps = (old_files.copy(name, folder / name) for name in ("runs", "sweeps"))
    settings = old_files.copy("modinv.ini", folder / "modinv.ini")
    # The file of a model that was opened from elsewhere has a place on this machine.
    text = settings.read_text("utf-8").replace("/tmp/modinv-825b64d/runs/complete", (runs / "complete").as_posix())
    settings.write_text(text, "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MODINV_RUNS", str(runs))
        patch.setenv("MODINV_SWEEPS", str(sweeps))
        desk = Desk(settings).open()
        yield desk
        desk.close()
        apply_scheme("system")


def widget(parent: QWidget, kind: type[QWidget], name: str) -> QWidget:
    return next(each for each in parent.findChildren(kind) if each.accessibleName() == name)


def test_settings_are_as_they_were_left(desk: Desk) -> None:
    assert desk.window.commands["dark"].isChecked()
    assert desk.window.commands["pca"].isChecked()
    assert not desk.window.explore.draw.play_on_lift
    assert desk.root.settings.get(MODEL_FILES) == [str(RunStore().folder / "complete" / "model.safetensors")]


def test_the_form_holds_what_was_chosen_last_and_the_list_shows_the_runs(desk: Desk) -> None:
    desk.window.commands["page_train"].trigger()
    until(lambda: desk.window.findChild(TrainingConfigForm), "the page", 60)
    form = desk.window.findChild(TrainingConfigForm)
    assert form.findChild(LambdaDial).value == 6.81e-5
    assert widget(form, QLineEdit, "Leave out a speaker").text() == "nicolas"
    values = {name: widget(form, QLineEdit, name).text() for name in ("Pairs per batch", "Warm-up of λ_IG")}
    assert values == {"Pairs per batch": "64", "Warm-up of λ_IG": "0"}
    runs = desk.window.findChild(RunList)
    tabs = next(tabs for tabs in desk.window.findChildren(QTabWidget) if tabs.isAncestorOf(runs))
    tabs.setCurrentIndex(1)
    model = runs.model()
    until(lambda: model.rowCount() == 2, "the runs")
    words = [model.index(row, 0).data(Qt.ItemDataRole.AccessibleTextRole) for row in range(2)]
    assert any("Without nicolas" in text and "complete" in text.lower() for text in words), words
    assert any("stopped" in text.lower() for text in words), words


def test_the_sweep_is_found_and_its_numbers_are_read(desk: Desk) -> None:
    desk.window.commands["page_dial"].trigger()

    def click(text: str) -> None:
        def button() -> QAbstractButton | None:
            found = (each for each in desk.window.findChildren(QAbstractButton) if each.text() == text)
            return next((each for each in found if each.isVisible() and each.isEnabled()), None)

        until(button, f"a button {text!r}", 60)
        QTest.mouseClick(button(), Qt.MouseButton.LeftButton)

    click("Sweeps…")
    choice = widget(desk.window, QComboBox, "Sweep")
    until(lambda: choice.count() == 2, "the shipped sweep and the old one")
    choice.setCurrentIndex(1)
    choice.activated.emit(1)
    table = desk.window.findChild(SweepTable)
    until(lambda: table.topLevelItemCount() == 2, "its runs")
    rows = [[table.topLevelItem(row).text(column) for column in range(4)] for row in range(2)]
    assert [row[:2] for row in rows] == [["λ 0", "0"], ["λ 2.15e-2", "0"]]
    assert all(0 < float(row[2]) <= 1 and 0 <= float(row[3]) <= 1 for row in rows), rows
