"""Which model answers: there is a way to every one, and back to the one that ships."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from desk import SEVEN, Desk, until
from PySide6.QtWidgets import QComboBox, QProgressBar

from model import locations
from model.retrieval.projection import NeighbourMap
from model.systems.model_io import load_model, save_model
from model.types import Modality


@pytest.fixture(scope="module")
def switching_desk(qapp, tmp_path_factory):  # noqa: ARG001 (Qt first)
    # Fitting t-SNE takes ten seconds and more; where it comes from is tested with the projections.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(NeighbourMap, "fit", lambda means, **_options: NeighbourMap(means, means[:, :2].copy()))
        desk = Desk(tmp_path_factory.mktemp("settings") / "settings.ini").open().ready()
        yield desk
        desk.close()


@pytest.fixture(scope="module")
def other(tmp_path_factory) -> Path:
    """A model that differs from the one that ships."""
    encoders, header = load_model(locations.shipped_model())
    encoders.modules.image.head.bias.data[:128] += 1.0
    path = tmp_path_factory.mktemp("models") / "my own.safetensors"
    save_model(path, encoders, header)
    return path


def box(desk: Desk) -> QComboBox:
    return next(box for box in desk.window.findChildren(QComboBox) if box.accessibleName() == "Model in use")


def loading(desk: Desk) -> bool:
    bars = desk.window.findChildren(QProgressBar)
    return next(bar for bar in bars if bar.accessibleName() == "A model is loading").isVisible()


def choose(desk: Desk, title: str) -> None:
    row = box(desk).findText(title)
    box(desk).setCurrentIndex(row)
    box(desk).activated.emit(row)


def test_from_the_shipped_model_to_another_and_back(switching_desk: Desk, other: Path) -> None:
    desk = switching_desk
    assert box(desk).currentText() == "Shipped model"
    assert not loading(desk)
    shipped = desk.state.gallery
    maps = {kind: places.copy() for kind, places in desk.state.maps.items()}

    desk.window.use_model(str(other))
    assert loading(desk), "a sign while it loads"
    assert box(desk).currentText() == "my own"
    until(lambda: not loading(desk), "the other model", 60)
    assert desk.state.gallery is not shipped
    assert desk.window.windowTitle() == "my own – modinv"

    choose(desk, "Shipped model")
    until(lambda: not loading(desk), "the shipped model", 60)
    assert box(desk).currentText() == "Shipped model"
    assert desk.window.windowTitle() == "Shipped model – modinv"
    np.testing.assert_array_equal(desk.state.gallery.means, shipped.means)
    assert set(desk.state.maps) == set(maps), "with its own maps, at once"
    for kind, places in maps.items():
        np.testing.assert_array_equal(desk.state.maps[kind], places)


def test_a_damaged_file_leaves_the_present_model_shown(switching_desk: Desk, tmp_path: Path) -> None:
    desk = switching_desk
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(b"nothing")
    problems: list[str] = []
    desk.root.model.failed.connect(lambda text, _details: problems.append(text))
    desk.window.use_model(str(damaged))
    until(lambda: problems, "a message")
    assert not loading(desk)
    assert box(desk).currentText() == "Shipped model"


def test_the_query_is_asked_again_after_a_switch(switching_desk: Desk, other: Path) -> None:
    desk = switching_desk
    desk.draw(SEVEN)
    before = desk.await_found(Modality.SPEECH)
    reply = desk.state.reply
    desk.window.use_model(str(other))
    until(lambda: not loading(desk), "the other model", 60)
    until(lambda: desk.state.reply is not None and desk.state.reply is not reply, "its own answer to the drawing")
    assert not np.allclose(desk.state.reply.answer.mean, reply.answer.mean)
    assert before
    choose(desk, "Shipped model")
    until(lambda: not loading(desk), "the shipped model", 60)
