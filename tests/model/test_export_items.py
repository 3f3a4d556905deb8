"""Items of a gallery as labelled folders: complete or not at all, and read again as corpora."""

from __future__ import annotations

import csv
import errno
from pathlib import Path

import numpy as np
import pytest

from model import locations
from model.data.corpora import MissingData, add_folder, find, recording
from model.data.images import read_picture
from model.data.speech import read_audio
from model.export import items as exporter
from model.export.items import NothingExported, export_items
from model.progress import Cancelled
from model.retrieval.gallery import Gallery
from model.types import Modality

PLACES = np.stack([np.arange(1600), -np.arange(1600)], axis=1).astype(np.float32)


@pytest.fixture(scope="module")
def gallery() -> Gallery:
    return Gallery.load(locations.shipped_gallery())


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists of corpora and caches of each test's own."""
    monkeypatch.setenv("MODINV_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "out").mkdir()


def rows(table: Path) -> list[dict[str, str]]:
    with table.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_tables_say_where_items_are_and_what_they_are(gallery: Gallery, tmp_path: Path) -> None:
    done = export_items(gallery, [3, 1200], tmp_path / "out", "t-SNE", PLACES)
    assert (done.folder, done.count, done.problems) == (tmp_path / "out" / "modinv-selection", 2, {})
    (image,), (speech,) = map(rows, done.tables)
    for row, index in ((image, 3), (speech, 1200)):
        item = gallery.items[index]
        assert (row["label"], row["speaker"], row["modality"]) == (str(item.label), item.speaker, item.modality)
        assert (row["source"], row["map"]) == (item.source, "t-SNE")
        assert [float(row["x"]), float(row["y"])] == PLACES[index].tolist()
    np.testing.assert_array_equal(read_picture(done.folder / image["path"]), gallery.image_features[3])
    samples, rate = read_audio(done.folder / speech["path"])
    original, its_rate = recording(gallery.key(1200))
    assert rate == its_rate
    np.testing.assert_allclose(samples, original, atol=2**-15)


def test_what_is_exported_is_a_corpus_of_each_modality_again(gallery: Gallery, tmp_path: Path) -> None:
    chosen = [*range(0, 1000, 50), *range(1000, 1600, 30)]
    done = export_items(gallery, chosen, tmp_path / "out", "PCA", PLACES)
    for table, modality in zip(done.tables, Modality, strict=True):
        entry = add_folder(table)
        assert (entry.name, entry.modality) == (table.stem, modality)
        corpus = find(entry.name)()
        assert isinstance(corpus.location(), Path)
        parts = [corpus.load(split) for split in corpus.info.splits]
        labels = sorted(label for part in parts for label in part.labels.tolist())
        expected = [gallery.items[index] for index in chosen if gallery.items[index].modality is modality]
        assert labels == sorted(item.label for item in expected)
        if modality is Modality.SPEECH:
            assert {name for part in parts for name in part.speakers} == {item.speaker for item in expected}


def test_a_second_export_leaves_the_first_as_it_is(gallery: Gallery, tmp_path: Path) -> None:
    first = export_items(gallery, [3], tmp_path / "out", "PCA", PLACES)
    before = first.tables[0].read_bytes()
    second = export_items(gallery, [4], tmp_path / "out", "PCA", PLACES)
    assert second.folder.name == "modinv-selection-2"
    assert [table.name for table in second.tables] == ["modinv-selection-2-images.csv"]
    assert first.tables[0].read_bytes() == before


def test_items_from_one_place_do_not_overwrite_each_other(gallery: Gallery, tmp_path: Path) -> None:
    same = [gallery.items[index].source for index in (3, 4)]
    twice = Gallery(
        tuple(
            type(item)(item.index, item.modality, 7, same[0] if number else same[0].upper(), item.speaker)
            for number, item in enumerate(gallery.items)
        ),
        gallery.image_features,
        gallery.speech_features,
        gallery.means,
        gallery.log_variances,
        gallery.keys,
        {},
        {},
    )
    done = export_items(twice, [0, 1, 2], tmp_path / "out", "PCA", PLACES)
    found = [(done.folder / row["path"]).name.casefold() for row in rows(done.tables[0])]
    assert len(set(found)) == 3


def test_a_recording_that_is_gone_is_named_and_the_rest_is_exported(
    gallery: Gallery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(key: str) -> tuple[np.ndarray, int]:
        raise MissingData(f"The recording {key} can't be found.")

    monkeypatch.setattr(exporter, "recording", missing)
    done = export_items(gallery, [3, 1200], tmp_path / "out", "PCA", PLACES)
    assert (done.count, len(done.tables)) == (1, 1)
    assert list(done.problems) == [gallery.items[1200].source]
    with pytest.raises(NothingExported, match="can't be found"):
        export_items(gallery, [1200], tmp_path / "out", "PCA", PLACES)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["modinv-selection"]


@pytest.mark.parametrize("error", [Cancelled(), OSError(errno.ENOSPC, "No space left on device")])
def test_of_an_export_that_breaks_off_nothing_is_left(gallery: Gallery, tmp_path: Path, error: Exception) -> None:
    def progress(share: float | None, _text: str) -> None:
        if share and share > 0.5:
            assert list((tmp_path / "out").rglob("*.png"))
            raise error

    with pytest.raises(type(error)):
        export_items(gallery, range(10), tmp_path / "out", "PCA", PLACES, progress)
    assert not list((tmp_path / "out").iterdir())
