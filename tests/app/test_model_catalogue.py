"""The models that can be loaded or evaluated: which there are, and that no two share a name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from desk import until
from PySide6.QtCore import QSettings
from run_folders import make_run

from model import locations
from model.runs.store import RunStore
from modinv_app.common.model_catalogue import Model, ModelCatalogue, distinct
from modinv_app.common.settings import Settings


@pytest.fixture
def catalogue_now(qapp, store: RunStore, tmp_path: Path) -> Iterator[Callable[[], ModelCatalogue]]:  # noqa: ARG001
    """Makes the catalogue of a new session."""
    made = []

    def make() -> ModelCatalogue:
        settings = Settings(QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat))
        made.append(ModelCatalogue(store, settings))
        return made[-1]

    yield make
    for catalogue in made:
        catalogue.close()


def titles(catalogue: ModelCatalogue) -> list[str]:
    return [model.title for model in catalogue.models]


def a_file(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"weights")
    return path


def test_the_shipped_model_can_always_be_chosen(catalogue_now) -> None:
    shipped = catalogue_now().models[0]
    assert (shipped.title, shipped.origin) == ("Shipped model", "shipped")
    assert shipped.file == locations.shipped_model()


def test_runs_with_weights_are_listed_and_follow_their_names(catalogue_now, store: RunStore) -> None:
    catalogue, record = catalogue_now(), make_run(store, "first try")
    make_run(store, "no weights so far").model_file.unlink()
    catalogue.refresh()
    until(lambda: titles(catalogue) == ["Shipped model", "first try"], "the run")
    record.rename("second thoughts")
    catalogue.refresh()
    until(lambda: titles(catalogue) == ["Shipped model", "second thoughts"], "its new name")
    assert catalogue.of(record.model_file).origin == "run"


def test_files_are_remembered_until_they_are_gone(catalogue_now, tmp_path: Path) -> None:
    kept, lost = a_file(tmp_path / "a.safetensors"), a_file(tmp_path / "b.safetensors")
    first = catalogue_now()
    first.of(kept)
    first.of(lost)
    second = catalogue_now()
    assert titles(second) == ["Shipped model", "b", "a"]
    lost.unlink()
    second.refresh()
    until(lambda: titles(second) == ["Shipped model", "a"], "the list without the lost file")


def test_a_file_opened_during_a_look_stays(catalogue_now, tmp_path: Path) -> None:
    catalogue = catalogue_now()
    catalogue.refresh()
    catalogue.of(a_file(tmp_path / "late.safetensors"))
    looks = []
    catalogue._executor.submit(lambda: None, looks.append, looks.append)
    until(lambda: looks, "the end of the look")
    assert titles(catalogue) == ["Shipped model", "late"]


def test_models_of_one_name_are_told_apart(catalogue_now, store: RunStore, tmp_path: Path) -> None:
    records = [make_run(store, "λ 2.15e-2, fast"), make_run(store, "λ 2.15e-2, fast"), make_run(store, "Shipped model")]
    catalogue = catalogue_now()
    catalogue.of(a_file(tmp_path / "elsewhere" / "model.safetensors"))
    catalogue.refresh()
    until(lambda: len(catalogue.models) == 5, "all of them")
    assert len(set(titles(catalogue))) == 5
    assert titles(catalogue)[0] == "Shipped model"
    for record in records:
        assert record.folder.name in catalogue.of(record.model_file).title


def test_names_that_folders_do_not_tell_apart_get_their_paths() -> None:
    files = [Path("/a/x/m.safetensors"), Path("/b/x/m.safetensors")]
    named = distinct(Model("m", file) for file in files)
    assert len({model.title for model in named}) == 2
    assert all(str(model.file) in model.title for model in named)
