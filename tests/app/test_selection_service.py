"""What leaves the gallery at once comes back at once, however long the library of takes needs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from model import locations
from model.data import curation
from model.data.takes import Take
from model.retrieval.gallery import Gallery
from model.types import Modality
from modinv_app.explore.selection_service import LeftOut, SelectionService

IMAGE, UTTERANCE = 3, 1200
TAKE = Take(Path("Ann/7/a.flac"), "Ann", 7, Modality.SPEECH, 0.0, False)


class Model:
    """Counts how often it was asked to look at decisions."""

    looked = 0

    def update_curation(self) -> None:
        self.looked += 1


class Library:
    """A library of one take, which finds and moves it when it is told to."""

    def __init__(self) -> None:
        self.excluded = False
        self.waiting: list[Callable[[], object]] = []

    def find(self, keys: Collection[str], pictures: Collection[str], done: Callable[[list[Take]], object]) -> None:
        assert (set(keys), set(pictures)) == ({"Ann/7/a.flac"}, set())
        self.waiting.append(lambda: done([TAKE]))

    def exclude(
        self, takes: Sequence[Take], excluded: bool, done: Callable[[list[Take]], object] = lambda _takes: None
    ) -> None:
        def work() -> None:
            assert self.excluded is not excluded, "it is there already"
            self.excluded = excluded
            done([replace(take, excluded=excluded) for take in takes])

        self.waiting.append(work)

    def go_on(self) -> None:
        """Do the next thing that waits."""
        self.waiting.pop(0)()


@pytest.fixture
def gallery() -> Gallery:
    """The shipped one, of which an utterance is a take."""
    shipped = Gallery.load(locations.shipped_gallery())
    keys = list(shipped.keys)
    keys[UTTERANCE - 1000] = f"my-speech:{TAKE.path}"
    return replace(shipped, keys=tuple(keys))


@pytest.fixture
def library() -> Library:
    return Library()


@pytest.fixture
def service(
    qtbot: QtBot,  # noqa: ARG001 (Qt first)
    library: Library,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[SelectionService]:
    monkeypatch.setenv("MODINV_DATA", str(tmp_path))
    service = SelectionService(Model(), library)
    yield service
    service.close()


@pytest.fixture
def left_out(service: SelectionService, gallery: Gallery, qtbot: QtBot) -> LeftOut:
    """An image and a take, as soon as there is a way back."""
    with qtbot.waitSignal(service.left_out) as told:
        service.leave_out(gallery, [IMAGE, UTTERANCE])
    (left_out,) = told.args
    return left_out


def test_there_is_a_way_back_before_the_takes_are_moved(left_out: LeftOut, library: Library) -> None:
    assert left_out.count == 2
    assert list(curation.decisions("mnist"))
    assert not library.excluded


@pytest.mark.parametrize("steps", [0, 1, 2], ids=["before it is found", "before it is moved", "after that"])
def test_whenever_it_is_undone_everything_is_in_again(
    steps: int, left_out: LeftOut, service: SelectionService, library: Library, qtbot: QtBot
) -> None:
    for _ in range(steps):
        library.go_on()
    assert library.excluded is (steps == 2)
    service.take_in(left_out)
    qtbot.waitUntil(lambda: service._model.looked == 2)
    while library.waiting:
        library.go_on()
    assert curation.decisions("mnist") == {}
    assert not library.excluded
