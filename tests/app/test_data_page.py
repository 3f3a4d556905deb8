"""The page Data: what corpora hold, item by item; folders of one's own; what is missing."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from desk import files, pause, until
from PIL import Image
from PySide6.QtCore import QPointF, QSettings, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from showing import shown
from test_screenshots import hidden_parts
from tiny import write_corpora

from model.data.corpora import find, registry
from model.data.curation import Decision
from model.data.samples import Samples
from model.types import Modality
from modinv_app.common.data_service import DataService
from modinv_app.common.item_grid import ItemGrid
from modinv_app.common.item_table import ItemTable, Places
from modinv_app.common.page import Services
from modinv_app.common.settings import Settings
from modinv_app.data.items import Items
from modinv_app.data.page import DataPage

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MODINV_DATA", str(write_corpora(tmp_path / "data")))
    for file in (tmp_path / "data" / "fsdd").glob("*_theo_5.wav"):
        (file.parent / file.name.replace("theo", "jackson")).write_bytes(file.read_bytes())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return tmp_path / "data"


@pytest.fixture
def page(qtbot: QtBot, data: Path, tmp_path: Path) -> Iterator[DataPage]:  # noqa: ARG001
    settings = Settings(QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat))
    unused: list = [None] * 9
    service = DataService()
    page = DataPage(Services(settings, *unused[:3], service, *unused[:5]))
    shown(qtbot, page, 1200, 700)
    yield page
    page.release()
    service.close()


def choose(page: DataPage, name: str) -> None:
    until(lambda: page.corpora.current is not None, "the list")
    page.corpora.choose(name)


def opened(page: DataPage, name: str, split: str = "train") -> Items:
    """The items of a corpus, once they are shown."""

    def there() -> bool:
        return page._items is not None and (page._items.corpus, page._items.split) == (name, split)

    until(there, f"the items of {name}", 60)
    assert page._items is not None
    return page._items


def labelled(folder: Path, speakers: tuple[str, ...] = ("ann", "bob")) -> Path:
    for number, (speaker, digit) in enumerate((s, d) for s in speakers for d in range(10)):
        place = folder / speaker / str(digit)
        place.mkdir(parents=True)
        noise = np.random.default_rng(number).normal(0, 0.1, 4000)
        soundfile.write(place / "x.wav", noise, 8000)
    (folder / "ann" / "7" / "broken.wav").write_bytes(b"RIFF")
    return folder


def drop(page: DataPage, path: Path) -> None:
    how = (Qt.DropAction.CopyAction, files(path), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    at = page.rect().center()
    for event in (QDragEnterEvent(at, *how), QDropEvent(QPointF(at), *how)):
        QApplication.sendEvent(page, event)


def test_images_are_shown_counted_and_filtered_by_digit(page: DataPage) -> None:
    items = opened(page, "mnist")
    samples = find("mnist")().load("train")
    assert len(page.grid.table.places) == len(items) == len(samples)
    assert page._card.aside.text() == f"{len(samples)} of {len(samples)}"
    counts = np.bincount(samples.labels, minlength=10)
    assert page.bars.accessibleDescription() == ", ".join(f"{digit}: {count}" for digit, count in enumerate(counts))
    assert page.filters.speakers.isHidden()

    page.filters.toggle_digit(7)
    assert [items.labels[place] for place in page.grid.table.places] == [7] * counts[7]
    assert page._card.aside.text() == f"{counts[7]} of {len(samples)}"
    page.filters.toggle_digit(7)
    assert len(page.grid.table.places) == len(samples)
    until(lambda: "validation" in page.facts.text.text(), "the numbers of all splits", 30)
    assert "CC BY-SA 3.0" in page.facts.text.text()


def test_another_split_is_read(page: DataPage) -> None:
    opened(page, "mnist")
    page.filters.splits.setCurrentIndex(page.filters.splits.findData("test"))
    page.filters.split_chosen.emit()
    assert len(opened(page, "mnist", "test")) == len(find("mnist")().load("test"))


def test_an_image_is_shown_large_and_arrows_go_on_in_the_next_line(page: DataPage) -> None:
    items = opened(page, "mnist")
    grid = page.grid
    grid.setFocus()
    grid.setCurrentIndex(grid.table.cell(grid.table.columns - 1))
    QTest.keyClick(grid, Qt.Key.Key_Right)
    assert grid.table.number(grid.currentIndex()) == grid.table.columns
    assert page.preview.accessibleName() == items.described(grid.table.columns)
    QTest.keyClick(grid, Qt.Key.Key_Left)
    QTest.keyClick(grid, Qt.Key.Key_End)
    assert grid.table.place_at(grid.currentIndex()) == len(items) - 1
    played = []
    page.play_wanted.connect(played.append)
    QTest.keyClick(grid, Qt.Key.Key_Return)
    assert played == [], "a picture makes no sound"


def test_a_click_plays_an_utterance_and_speakers_can_be_chosen(page: DataPage) -> None:
    choose(page, "fsdd")
    items = opened(page, "fsdd")
    assert items.modality is Modality.SPEECH
    speakers = [page.filters.speakers.itemText(n) for n in range(1, page.filters.speakers.count())]
    assert speakers == ["jackson", "theo"]
    assert page.filters.speakers.isVisible()
    page.filters.speakers.setCurrentIndex(1)
    page.filters.changed.emit()
    assert {items.speaker_of(place) for place in page.grid.table.places} == {"jackson"}
    assert page._card.aside.text() == "10 of 30"
    assert page.bars.accessibleDescription() == ", ".join(f"{digit}: 1" for digit in range(10))

    played = []
    page.play_wanted.connect(played.append)
    cell = page.grid.visualRect(page.grid.table.cell(1))
    QTest.mouseClick(page.grid.viewport(), Qt.MouseButton.LeftButton, pos=cell.center())
    place = int(page.grid.table.places[1])
    assert played == [f"fsdd:{items.keys[place]}"]
    page.show_playing(played[0])
    assert page.grid.table.playing == place
    page.show_playing(None)
    assert page.grid.table.playing is None
    assert speakers[0] in page.preview.accessibleName()


def test_a_missing_corpus_says_how_to_get_it(page: DataPage, data: Path) -> None:
    choose(page, "usps")
    until(lambda: "not installed" in page.notice.text.text(), "words")
    assert str(data / "usps") in page.notice.text.text()
    assert page.notice.button.isHidden(), "it can't be downloaded"
    assert page.filters.split == "train"


def test_a_corpus_that_can_be_downloaded_is_offered(
    page: DataPage, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (data / "fsdd").rename(data / "gone")
    wanted = []
    monkeypatch.setattr(page._data, "download", wanted.append)
    page.service.refresh()
    choose(page, "fsdd")
    until(lambda: page.notice.button.text() == "Get it (16 MB, CC BY-SA 4.0)", "an offer")
    page.notice.button.click()
    assert wanted == ["fsdd"]
    page._data.progressed.emit(0.25)
    assert page.notice.bar.value() == 250
    page._data.ended.emit("No connection. Try again.")
    assert page.notice.text.text() == "No connection. Try again."
    page.notice.button.click()
    (data / "gone").rename(data / "fsdd")
    page._data.refresh()
    opened(page, "fsdd")


def test_a_damaged_corpus_says_so_and_can_be_tried_again(page: DataPage, data: Path) -> None:
    opened(page, "mnist")
    file = next((data / "mnist").glob("t10k-labels*"))
    content = file.read_bytes()
    file.write_bytes(content[:20])
    page.filters.splits.setCurrentIndex(page.filters.splits.findData("test"))
    page.filters.split_chosen.emit()
    until(lambda: "is damaged" in page.notice.text.text(), "what is wrong")
    assert page.notice.button.text() == "Try again"
    file.write_bytes(content)
    page.notice.button.click()
    opened(page, "mnist", "test")


def test_a_dropped_folder_is_added_shown_and_removed_with_undo(page: DataPage, tmp_path: Path) -> None:
    opened(page, "mnist")
    words = []
    page.informed.connect(words.append)
    drop(page, labelled(tmp_path / "We Two"))
    items = opened(page, "we-two")
    assert len(words) == 1
    assert set(items.speakers) <= {"ann", "bob"}
    until(lambda: "1 skipped" in page.facts.text.text(), "what is skipped", 60)
    assert "broken.wav" in page.facts.skipped.toPlainText()
    drop(page, tmp_path / "We Two")
    until(lambda: len(words) == 2, "that it is known")
    assert [name for name in registry() if name.startswith("we-two")] == ["we-two"]

    assert page._remove.isEnabled()
    page._remove.click()
    until(page.undo.isVisible, "an offer to undo")
    until(lambda: page.corpora.current is not None and page.corpora.current.info.name != "we-two", "another corpus")
    assert "we-two" not in registry()
    assert not page._remove.isEnabled()
    page.undo.undo_wanted.emit()
    opened(page, "we-two")
    assert "we-two" in registry()


def test_two_folders_of_one_name_are_two_corpora(page: DataPage, tmp_path: Path) -> None:
    for parent in ("a", "b"):
        page.service.add(labelled(tmp_path / parent / "mine"))
    until(lambda: {"mine", "mine-2"} <= set(registry()), "both")


def test_a_folder_without_labels_is_refused_in_words(page: DataPage, tmp_path: Path) -> None:
    (tmp_path / "holiday").mkdir()
    picture = io.BytesIO()
    Image.new("L", (8, 8)).save(picture, "PNG")
    (tmp_path / "holiday" / "beach.png").write_bytes(picture.getvalue())
    warned = []
    page.warned.connect(warned.append)
    drop(page, tmp_path / "holiday")
    until(lambda: warned, "why not")
    assert "holiday" not in registry()


@pytest.mark.parametrize("size", [(1280, 860), (1000, 700)])
def test_no_text_is_cut_off(page: DataPage, size: tuple[int, int]) -> None:
    page.resize(*size)
    opened(page, "mnist")
    until(lambda: "validation" in page.facts.text.text(), "the numbers of all splits", 30)
    page.undo.offer("Removed a-folder-with-a-long-name. Its files stay.")
    pause(0.1)
    assert hidden_parts(page) == []
    page.corpora.choose("tidigits")
    pause(0.1)
    assert hidden_parts(page) == []


def test_reading_can_be_stopped(page: DataPage) -> None:
    opened(page, "mnist")
    page.corpora.choose("fsdd")
    assert page.notice.button.text() == "Cancel"
    page.notice.button.click()
    assert page.notice.button.text() == "Read it"
    assert page._items is None
    page.notice.button.click()
    opened(page, "fsdd")


def many(count: int) -> Items:
    random = np.random.default_rng(0)
    labels = random.integers(0, 10, count)
    features = np.broadcast_to(random.random((28, 28), np.float32), (count, 28, 28))
    names = tuple(f"picture {number}" for number in range(count))
    items = Items("many", "train", Modality.IMAGE, features, labels, names, (), (), np.zeros(0, np.int64))
    return items.with_decisions({})


def every(items: Items) -> Places:
    return np.arange(len(items))


def test_of_many_items_only_those_in_view_are_painted_and_all_of_them_soon(qtbot: QtBot) -> None:
    grid = shown(qtbot, ItemGrid(), 600, 400)
    items = many(50_000)
    grid.show_items(items, every(items))
    assert grid.table.rowCount() * grid.table.columns >= 50_000
    for part in (0, 0.5, 1):
        grid.verticalScrollBar().setValue(round(part * grid.verticalScrollBar().maximum()))
        first = grid.table.number(grid.indexAt(grid.viewport().rect().topLeft() + grid.viewport().rect().center() / 9))
        assert first is not None
        until(lambda first=first: first in grid._delegate._cells, "pictures of what is in view")
        until(lambda: grid._delegate.late.isEmpty(), "all of them")
    assert len(grid._delegate._cells) < 1_000


@pytest.mark.parametrize(("published", "kept"), [("bytes", np.uint8), ("floats", np.float32)])
def test_pictures_are_read_as_they_were_published_from_bytes_if_these_are_all_they_hold(published, kept) -> None:
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (5_000, 28, 28), np.uint8)
    features = pixels.astype(np.float32) / 255 if published == "bytes" else random.random(pixels.shape, np.float32)
    samples = Samples(
        "many", Modality.IMAGE, features, np.zeros(5_000, np.int64),
        tuple(f"picture {number}" for number in range(5_000)),
    )  # fmt: skip
    items = Items.of(samples, "train", {})
    assert len(items.content) == pixels.size * np.dtype(kept).itemsize
    for place in (0, 4_999):
        np.testing.assert_array_equal(items.features_of(place), features[place])
    assert items.decision(7) == Decision.about(0, features[7])
    without = {items.names[7]: items.decision(7).with_excluded(True)}
    assert np.flatnonzero(items.with_decisions(without).excluded).tolist() == [7]


def test_a_narrower_grid_keeps_the_current_item(qtbot: QtBot) -> None:
    grid = shown(qtbot, ItemGrid(), 600, 400)
    items = many(1_000)
    grid.show_items(items, every(items))
    grid.setCurrentIndex(grid.table.cell(123))
    columns = grid.table.columns
    grid.resize(300, 400)
    until(lambda: grid.table.columns < columns, "fewer columns")
    assert grid.table.number(grid.currentIndex()) == 123


def test_empty_cells_of_the_last_line_can_not_be_chosen() -> None:
    table = ItemTable()
    items = many(5)
    table.show_items(items, every(items))
    table.set_columns(4)
    assert table.rowCount() == 2
    assert table.place_at(table.index(1, 0)) == 4
    assert table.place_at(table.index(1, 1)) is None
    assert table.flags(table.index(1, 1)) == Qt.ItemFlag.NoItemFlags
    assert table.data(table.index(1, 0), Qt.ItemDataRole.AccessibleTextRole).endswith("picture 4")
