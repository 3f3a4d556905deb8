"""The window shows a system of another package by what the system says of itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtWidgets import QComboBox
from pytestqt.qtbot import QtBot
from run_folders import make_run
from showing import shown
from toy_system import installed

from model.recipes.recipe import FAST, named
from model.runs.store import RunStore, RunUpdate
from model.runs.values import MetricPoint
from modinv_app.common.recipe_choice import RecipeChoice
from modinv_app.common.run_entry import RunEntry
from modinv_app.train.curve_chart import Chart
from modinv_app.train.curves import Curves
from modinv_app.train.run_comparison import choices


@pytest.fixture(autouse=True)
def _toy() -> Iterator[None]:
    with installed():
        yield


def titles(curves: Curves) -> list[str]:
    return [chart.term.title for chart in curves.findChildren(Chart) if not chart.isHidden()]


def test_curves_are_those_of_its_terms(qtbot: QtBot, tmp_path) -> None:
    store, curves = RunStore(tmp_path), Curves()
    shown(qtbot, curves, 800)
    point = MetricPoint(1, 0.1, 1.0, {"total": 2.0, "distance": 1.5, "width": 0.5})
    toy, other = make_run(store, "Toy", system="toy"), make_run(store, "Other")
    curves.update_run("toy", RunUpdate(toy.info(), [point], []))
    quick = ["Purity, quick estimate", "Modality SVM, quick estimate"]
    qtbot.waitUntil(lambda: titles(curves) == ["Total loss", "Distance of pairs", *quick])
    readings = {chart.term.name: chart.reading for chart in curves.findChildren(Chart) if not chart.isHidden()}
    assert (readings["total"], readings["distance"]) == ("2.000", "1.500")
    curves.update_run("other", RunUpdate(other.info(), other.points(), []))
    qtbot.waitUntil(
        lambda: titles(curves) == ["Total loss", "Distance of pairs", "Similarity loss", "Information gain", *quick]
    )
    curves.keep(["other"])
    qtbot.waitUntil(lambda: titles(curves) == ["Total loss", "Similarity loss", "Information gain", *quick])


def test_a_comparison_names_its_fields(tmp_path) -> None:
    store = RunStore(tmp_path)
    toy, other = (
        choices(RunEntry.of(record, record.info(), {}))
        for record in (make_run(store, "Toy", system="toy", temperature=2.0), make_run(store, "Other"))
    )
    assert (toy["System"], toy["Temperature"]) == ("toy", "2")
    assert other["System"] == "variational"
    assert "Temperature" not in other


def test_the_form_has_rows_for_its_fields(qtbot: QtBot) -> None:
    choice = RecipeChoice()
    qtbot.addWidget(choice.box)
    qtbot.addWidget(choice.fields)
    choice.set_recipe(named("fast", system="toy", temperature=2.0))
    assert choice.recipe(FAST.lambda_ig) == replace(named("fast", system="toy", temperature=2.0), name="own")
    boxes = {box.accessibleName(): box for box in choice.fields.findChildren(QComboBox)}
    system = boxes["System"]
    assert system.isVisibleTo(choice.fields)
    system.setCurrentIndex(system.findData("variational"))
    system.activated.emit(system.currentIndex())
    assert choice.recipe(FAST.lambda_ig) == FAST
    assert choice.box.currentData() == "fast"
    system.setCurrentIndex(system.findData("toy"))
    system.activated.emit(system.currentIndex())
    assert choice.recipe(FAST.lambda_ig).temperature == 2.0, "as before"
    choice.set_recipe(named("fast", system="toy"))
    assert choice.recipe(FAST.lambda_ig) == named("fast", system="toy")
