"""The words that science, command line and window share."""

import dataclasses

import pytest
from fresh_python import imported_by

from model.types import Item, Match, Modality


def test_each_modality_is_answered_in_the_other():
    assert Modality.IMAGE.other is Modality.SPEECH
    assert Modality.SPEECH.other is Modality.IMAGE


def test_modalities_are_their_names():
    assert [str(modality) for modality in Modality] == ["image", "speech"]
    assert Modality("speech") is Modality.SPEECH


def test_items_and_matches_are_values():
    item = Item(3, Modality.IMAGE, 7, "MNIST test 3")
    assert item == Item(3, Modality.IMAGE, 7, "MNIST test 3", "")
    assert Match(item, 1.5) == Match(item, 1.5) != Match(item, 1.0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        item.label = 8  # type: ignore[misc]


@pytest.mark.parametrize("module", ["types", "retrieval.gallery", "locations", "checkpoints"])
def test_what_the_window_shows_first_needs_no_torch(module):
    assert not imported_by(f"import model.{module}") & {"torch", "PySide6"}
