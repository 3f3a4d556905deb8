"""Another model from a file: it answers, the map follows; a foreign file changes nothing."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from desk import SEVEN, Desk, until
from safetensors.numpy import save_file

from model import locations
from model.retrieval.projection import NeighbourMap, PrincipalComponents
from model.retrieval.retriever import SAMPLES
from model.systems.model_io import load_model, save_model
from model.types import Modality


@pytest.fixture
def own_desk(qapp, tmp_path):  # noqa: ARG001 (Qt first)
    desk = Desk(tmp_path / "settings.ini").open().ready()
    yield desk
    desk.close()


def test_another_model_answers_and_the_map_follows(own_desk, tmp_path, monkeypatch):
    # Fitting t-SNE takes ten seconds and more; where it comes from is tested with the projections.
    def fit(means, **_options):
        return NeighbourMap(means, means[:, :2].copy())

    monkeypatch.setattr(NeighbourMap, "fit", fit)
    encoders, header = load_model(locations.shipped_model())
    other = tmp_path / "other.safetensors"
    encoders.modules.image.head.bias.data[:128] += 1.0
    save_model(other, encoders, header)
    before = own_desk.state.gallery
    fitted = []
    own_desk.root.model.map_fitted.connect(lambda kind, coordinates: fitted.append((kind, coordinates)))

    own_desk.window.use_model(str(other))
    until(lambda: fitted, "a fitted map", 60)

    after = own_desk.state.gallery
    assert after.items == before.items
    assert not np.allclose(after.means, before.means)
    assert fitted[0][0] == "t-SNE"
    np.testing.assert_array_equal(fitted[0][1], after.means[:, :2])
    own_desk.window.explore.draw.replay(SEVEN)
    until(lambda: own_desk.state.reply, "an answer of the other model")
    assert set(own_desk.state.reply.places) == {"PCA", "t-SNE"}


def test_a_map_that_is_fitted_during_a_query_waits_for_its_turn(own_desk, tmp_path, monkeypatch):
    placing = threading.Event()
    place = PrincipalComponents.place

    def fit(means, **_options):
        assert placing.wait(30)
        return NeighbourMap(means, means[:, :2].copy())

    def place_slowly(self, query):
        if len(query) == 1 + SAMPLES:  # a query, and not the gallery when its components are fitted
            placing.set()
            time.sleep(0.5)  # long enough for the map to be handed over, were it not for this query
        return place(self, query)

    other = tmp_path / "other.safetensors"
    save_model(other, *load_model(locations.shipped_model()))
    monkeypatch.setattr(NeighbourMap, "fit", fit)
    monkeypatch.setattr(PrincipalComponents, "place", place_slowly)
    model, problems, order = own_desk.root.model, [], []
    model.failed.connect(lambda text, _details: problems.append(text))
    model.replied.connect(lambda _ticket, reply: order.append(set(reply.places)))
    model.map_fitted.connect(lambda kind, _coordinates: order.append(kind))

    own_desk.window.use_model(str(other))
    until(lambda: model.file == other, "the other model", 60)
    model.ask_item(Modality.IMAGE, own_desk.state.gallery.features(0))
    until(lambda: len(order) == 2, "the reply and the map")

    assert not problems
    assert order == [{"PCA"}, "t-SNE"]


def test_a_foreign_file_is_told_and_the_present_model_goes_on(own_desk, tmp_path):
    foreign = tmp_path / "foreign.safetensors"
    save_file({"weights": np.zeros(3, np.float32)}, foreign)
    problems = []
    own_desk.root.model.failed.connect(lambda text, _details: problems.append(text))

    own_desk.window.use_model(str(foreign))
    until(lambda: problems, "a message")

    assert "foreign.safetensors is not a checkpoint of modinv" in problems[0]
    own_desk.window.explore.draw.replay(SEVEN)  # its first dot is answered, too
    until(lambda: own_desk.state.reply and own_desk.state.reply.answer.guess == 7, "a seven for the seven")
