"""Items of a gallery that the user has left out: known by their corpora, and taken in again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model import locations
from model.data import curation
from model.data.curation import CurationError, Decision
from model.retrieval.curated import decided, leave_out, origins, restore, takes_among
from model.retrieval.gallery import Gallery
from model.similarity import Gaussians
from model.types import Modality

IMAGE, UTTERANCE = 3, 1200


@pytest.fixture(scope="module")
def gallery() -> Gallery:
    return Gallery.load(locations.shipped_gallery())


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MODINV_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def test_items_are_known_by_their_corpora_and_names(gallery: Gallery) -> None:
    corpus, name = gallery.key(UTTERANCE).split(":", 1)
    source = gallery.items[IMAGE].source
    assert source.startswith("MNIST test ")
    assert origins(gallery, [IMAGE, UTTERANCE]) == {"mnist": [(source, IMAGE)], corpus: [(name, UTTERANCE)]}


def test_a_drawing_and_a_recording_of_the_user_are_takes(gallery: Gallery) -> None:
    items = list(gallery.items)
    items[IMAGE] = replace(items[IMAGE], source="Ann, 30 Nov 14:05")
    keys = list(gallery.keys)
    keys[UTTERANCE - 1000] = "my-speech:Ann/7/a.flac"
    own = replace(gallery, items=tuple(items), keys=tuple(keys))
    assert sorted(takes_among(own, range(1600))) == [IMAGE, UTTERANCE]
    assert leave_out(own, [IMAGE, UTTERANCE]) == {}, "their folder says so, not these decisions"


def test_what_is_left_out_is_known_again_and_can_be_taken_in(gallery: Gallery, data: Path) -> None:
    assert not decided(gallery).left_out.any()
    former = leave_out(gallery, [IMAGE, UTTERANCE])
    assert np.flatnonzero(decided(gallery).left_out).tolist() == [IMAGE, UTTERANCE]
    restore(former)
    assert not decided(gallery).left_out.any()
    assert not list((data / "curation").glob("*.json"))


def test_a_label_that_was_given_before_stays(gallery: Gallery) -> None:
    source, item = gallery.items[IMAGE].source, gallery.items[IMAGE]
    known = Decision.about(item.label, gallery.image_features[IMAGE]).with_label(9)
    curation.decide("mnist", {source: known})
    former = leave_out(gallery, [IMAGE])
    assert curation.decisions("mnist")[source] == known.with_excluded(True)
    restore(former)
    assert curation.decisions("mnist")[source] == known


def test_items_have_the_labels_that_the_user_gave_them(gallery: Gallery) -> None:
    corpus, name = gallery.key(UTTERANCE).split(":", 1)
    said, shown = gallery.items[UTTERANCE], gallery.items[IMAGE]
    other = (said.label + 1) % 10
    curation.decide(corpus, {name: Decision(said.label).with_label(other)})
    curation.decide("mnist", {shown.source: Decision((shown.label + 1) % 10).with_label(3)})  # about a former item
    labels = decided(gallery).labels
    assert np.flatnonzero(labels != [item.label for item in gallery.items]).tolist() == [UTTERANCE]
    curated = gallery.relabelled(labels)
    assert (curated.items[UTTERANCE].label, curated.items[UTTERANCE].published) == (other, said.label)
    assert curated.items[IMAGE] == shown
    match = curated.nearest(Gaussians(gallery.means[IMAGE], gallery.log_variances[IMAGE]), Modality.SPEECH, 600)
    assert [one.item.label for one in match if one.item.index == UTTERANCE] == [other]


def test_a_relabelled_item_can_be_left_out_and_gets_its_label_back(gallery: Gallery) -> None:
    """Decisions are about the published label, which the curated gallery does not show any more."""
    corpus, name = gallery.key(UTTERANCE).split(":", 1)
    published = gallery.items[UTTERANCE].label
    relabel = Decision(published).with_label((published + 1) % 10)
    curation.decide(corpus, {name: relabel})
    curated = gallery.relabelled(decided(gallery).labels)
    former = leave_out(curated, [UTTERANCE])
    assert curation.decisions(corpus)[name] == relabel.with_excluded(True)
    for known in (gallery, curated):
        assert np.flatnonzero(decided(known).left_out).tolist() == [UTTERANCE]
    restore(former)
    curation.decide(corpus, {name: relabel.with_label(published)})
    assert curated.relabelled(decided(curated).labels).items == gallery.items


def test_decisions_about_another_picture_of_that_name_do_not_count(gallery: Gallery) -> None:
    leave_out(gallery, [IMAGE])
    pictures = gallery.image_features.copy()
    pictures[IMAGE] = pictures[IMAGE + 1]
    assert not decided(replace(gallery, image_features=pictures)).left_out.any()


def test_damaged_decisions_stay_as_they_are_and_leave_nothing_out(
    gallery: Gallery, data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (data / "curation").mkdir(parents=True)
    (data / "curation" / "voices.json").write_text("{")
    with pytest.raises(CurationError, match="damaged"):
        leave_out(gallery, [IMAGE, UTTERANCE])
    assert not decided(gallery).left_out.any(), "not the image either"
    assert "damaged" in caplog.text
    assert (data / "curation" / "voices.json").read_text() == "{"


def test_a_gallery_of_some_items_keeps_what_belongs_to_each(gallery: Gallery) -> None:
    kept = np.ones(1600, np.bool_)
    kept[[IMAGE, UTTERANCE]] = False
    rest = gallery.only(kept)
    assert [item.index for item in rest.items] == list(range(1598))
    assert (len(rest.image_features), len(rest.speech_features), len(rest.keys)) == (999, 599, 599)
    for index in (0, IMAGE, 998, 999, UTTERANCE - 1, 1597):
        there = int(np.flatnonzero(kept)[index])
        item, same = rest.items[index], gallery.items[there]
        assert (item.label, item.source, item.modality) == (same.label, same.source, same.modality)
        np.testing.assert_array_equal(rest.features(index), gallery.features(there))
        np.testing.assert_array_equal(rest.means[index], gallery.means[there])
        if item.modality is Modality.SPEECH:
            assert rest.key(index) == gallery.key(there)


def test_items_are_found_again_in_another_gallery(gallery: Gallery) -> None:
    kept = np.ones(1600, np.bool_)
    kept[[0, IMAGE, UTTERANCE]] = False
    rest = gallery.only(kept)
    assert rest.again(gallery, [IMAGE, IMAGE + 1, UTTERANCE, UTTERANCE + 1]) == [IMAGE - 1, UTTERANCE - 2]
    assert gallery.again(rest, [IMAGE - 1, UTTERANCE - 2]) == [IMAGE + 1, UTTERANCE + 1]
