"""What is said of a choice before anything is trained."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from workbench import Workbench

from model import locations
from model.checkpoints import Header, read_header, write_atomically
from model.data.corpora.fsdd import Fsdd
from modinv_app.common.data_service import AvailableCorpus
from modinv_app.common.model_catalogue import Model
from modinv_app.common.note import Note
from modinv_app.train.service import TrainingService
from modinv_app.train.training import TrainingPanel

HUMAN = AvailableCorpus(Fsdd.info, True)


@pytest.fixture
def panel(qtbot, tmp_path: Path) -> Iterator[TrainingPanel]:
    """Not shown, so that no process starts."""
    bench = Workbench(tmp_path)
    service = TrainingService(bench.store, bench.client, bench.library)
    panel = TrainingPanel(service, bench.client, bench.data)
    qtbot.addWidget(panel)
    panel.form.corpora.show_corpora((HUMAN,))
    yield panel
    service.close()
    bench.close()


def a_model(folder: Path, name: str, **data: object) -> Model:
    """A file that says what it learnt from, and no more."""
    header = Header.from_dict(read_header(locations.shipped_model()))
    learnt = {"images": ["mnist"], "speech": ["fsdd"], **data}
    write_atomically(folder / name, {}, replace(header, data=learnt).to_dict())
    return Model(name, folder / name)


def said(panel: TrainingPanel) -> str:
    return " ".join(note.text() for note in panel.findChildren(Note) if not note.isHidden())


def test_a_start_from_a_model_that_heard_who_is_left_out_is_warned_of(panel: TrainingPanel, tmp_path: Path) -> None:
    heard = a_model(tmp_path, "heard.safetensors")
    panel.show_loaded(heard)
    plan = panel.form.config()
    panel.form.set_config(replace(plan, held_out_speaker="nicolas"))
    assert said(panel) == ""
    panel.form.set_config(replace(plan, held_out_speaker="nicolas", start=heard.file))
    assert "trained on fsdd without holding out nicolas" in said(panel)
    panel.form.set_config(replace(plan, start=heard.file))
    assert said(panel) == ""


def test_another_model_is_loaded_and_the_warning_is_its_own(panel: TrainingPanel, tmp_path: Path) -> None:
    unheard = a_model(tmp_path, "unheard.safetensors", left_out="nicolas")
    panel.show_loaded(unheard)
    panel.form.set_config(replace(panel.form.config(), held_out_speaker="nicolas", start=unheard.file))
    assert said(panel) == ""
    panel.show_loaded(
        a_model(tmp_path, "old.safetensors", left_out="nicolas", started_from={"name": "m", "sha256": ""})
    )
    assert "not recorded" in said(panel)
