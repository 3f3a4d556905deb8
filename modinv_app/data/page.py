"""The page for data: corpora on the left, their items in the middle, what they hold on the right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QMimeData, QSize
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QHideEvent, QShowEvent
from PySide6.QtWidgets import QPushButton, QStackedWidget, QWidget

from model.data.corpora import added
from model.data.corpora.base import Contents
from model.data.curation import count, in_words
from modinv_app.common import settings as chosen
from modinv_app.common.card import Card
from modinv_app.common.dialogs import ask_for_file, ask_for_folder
from modinv_app.common.item_grid import ItemGrid
from modinv_app.common.layouts import column, row, side_by_side
from modinv_app.common.model_catalogue import Model
from modinv_app.common.page import Page, Services
from modinv_app.common.undo_strip import UndoStrip
from modinv_app.data.corpus_list import CorpusList
from modinv_app.data.curation_bar import CurationBar
from modinv_app.data.digit_bars import DigitBars
from modinv_app.data.facts import Facts
from modinv_app.data.filters import Filters
from modinv_app.data.items import Items
from modinv_app.data.notice import Notice
from modinv_app.data.preview import Preview
from modinv_app.data.ranking import Ranker
from modinv_app.data.service import CorpusService, Decided, ListedCorpus

if TYPE_CHECKING:  # its libraries take time to import
    from model.retrieval.surprise import Surprise

_ADD = (
    "Files named LABEL/FILE or SPEAKER/LABEL/FILE stay where they are. Folders and CSV tables can be dropped here, too"
)


class DataPage(Page):
    """Lists corpora and shows their items."""

    def __init__(self, services: Services) -> None:
        super().__init__()
        self._settings, self._data = services.settings, services.data
        self.service = CorpusService(self)
        self.corpora = CorpusList()
        self.undo = UndoStrip()
        self.filters = Filters()
        self.grid = ItemGrid()
        self.curation = CurationBar(self.grid, self.service)
        self.ranker = Ranker(services.consult, self)
        self.notice = Notice()
        self.bars, self.facts, self.preview = DigitBars(), Facts(), Preview()
        self._items: Items | None = None
        self._surprise: Surprise | None = None  # of the items, if they were ranked
        self._model: Path | None = None  # the file of the model in use
        self._contents: dict[str, Contents] = {}
        self._played: tuple[str, int] | None = None  # key and place
        self._removed: added.Entry | None = None
        self._downloading = ""
        self._act: Callable[[], object] = self._read  # what the button of the notice does
        self.setAcceptDrops(True)
        self._lay_out()
        self._wire()
        self.corpora.choose(self._settings.get(chosen.DATA_CORPUS))
        self._notify("Looking for corpora…")

    def show_playing(self, key: str | None) -> None:
        """Mark the item that plays."""
        known = self._played is not None and self._played[0] == key
        self.grid.show_playing(self._played[1] if known and self._played else None)

    def remember(self) -> None:
        if self.corpora.current is not None:
            self._settings.set(chosen.DATA_CORPUS, self.corpora.current.info.name)

    def release(self) -> None:
        """End the threads."""
        self.service.close()
        self.ranker.close()

    def show_loaded(self, model: Model) -> None:
        """Rank by the model in use."""
        if model.file != self._model:
            self._model, self._surprise = model.file, None
            self.ranker.forget()
            if self._items is not None and self.filters.order == "surprising":
                self._filter()

    def _lay_out(self) -> None:
        add = QPushButton("Add a folder…")
        add.setToolTip(_ADD)
        add.clicked.connect(lambda: ask_for_folder(self, "Add a folder of labelled sounds or pictures", self._add))
        table = QPushButton("Add a table…")
        table.setToolTip("A CSV file with the columns path, label and, optionally, speaker")
        table.clicked.connect(lambda: ask_for_file(self, "Add a table", "Tables (*.csv)", self._add))
        self._remove = QPushButton("Remove")
        self._remove.setToolTip("Take the chosen folder off the list; its files stay")
        self._remove.setEnabled(False)
        left = QWidget()
        buttons = column(row(add, table, spacing=4), self._remove, spacing=4)
        column((self.corpora, 1), self.undo, buttons, parent=left, spacing=6)

        self._stack = QStackedWidget()
        self._stack.addWidget(self.grid)
        self._stack.addWidget(self.notice)
        self._card = Card("Items")
        self._card.body.addWidget(self.filters)
        self._card.body.addWidget(self._stack, 1)
        self._card.body.addWidget(self.curation)
        middle, right = QWidget(), QWidget()
        column(self._card, parent=middle, margins=(4, 0, 4, 0))
        cards = []
        for title, content in (("Balance", self.bars), ("Corpus", self.facts), ("Item", self.preview)):
            card = Card(title)
            card.body.addWidget(content)
            cards.append(card)
        self._about = cards[1]
        column((cards[0], 3), cards[1], (cards[2], 4), parent=right, spacing=8)
        self._columns = side_by_side((left, 240, 0), (middle, 760, 4), (right, 250, 0))
        column(self._columns, parent=self, margins=(10, 8, 10, 10))

    def _wire(self) -> None:
        self.corpora.chosen.connect(self._show_corpus)
        self.corpora.remove_wanted.connect(self.service.remove)
        self._remove.clicked.connect(self._remove_chosen)
        self.undo.undo_wanted.connect(self._restore)
        self.filters.split_chosen.connect(self._read)
        self.filters.changed.connect(self._filter)
        self.bars.chosen.connect(self.filters.toggle_digit)
        self.grid.current_changed.connect(lambda place: self.preview.show_item(self._items, place))
        self.grid.activated_at.connect(self._play)
        self.ranker.progressed.connect(lambda share: self._card.aside.setText(f"ranking {share:.0%}"))
        self.ranker.ranked.connect(self._show_ranked)
        self.ranker.failed.connect(self.failed)
        self.notice.action_wanted.connect(lambda: self._act())
        service = self.service
        service.listed.connect(self.corpora.show_corpora)
        service.progressed.connect(self._show_progress)
        service.opened.connect(self._show_items)
        service.not_opened.connect(lambda why: self._notify(why, "Try again", self._read))
        service.stopped.connect(lambda: self._notify("It is not read yet.", "Read it", self._read))
        service.described.connect(self._describe)
        service.not_described.connect(lambda: self._about.aside.setText(""))
        service.decided.connect(self._show_decided)
        service.folder_added.connect(self._show_added)
        service.folder_removed.connect(self._offer_undo)
        service.warned.connect(self.warned)
        service.failed.connect(self.failed)
        self._data.found.connect(self._look_again)
        self._data.progressed.connect(self._show_download)
        self._data.ended.connect(self._end_download)

    def sizeHint(self) -> QSize:
        return QSize(1200, 700)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.service.refresh()  # another page or process may have changed them
        if self._items is not None:
            self.service.read_decisions(self._items)
        self._count_all()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        if self._items is not None:
            self.service.forget()  # what is still being counted is counted when the page is shown again

    # A corpus and its items

    def _show_corpus(self, corpus: ListedCorpus) -> None:
        name = corpus.info.name
        self._remove.setEnabled(corpus.added)
        self.filters.show_splits(corpus.info.splits)
        self.facts.show_corpus(corpus.info, self._contents.get(name))
        if not corpus.missing:
            self._read()
            return
        self._clear()
        if name == self._downloading:
            self._show_download(None)
        elif corpus.info.source:
            self._notify(corpus.missing, f"Get it ({corpus.info.offer})", self._download)
        else:
            self._notify(corpus.missing)

    def _read(self) -> None:
        corpus = self.corpora.current
        if corpus is None or corpus.missing:
            return
        self._clear()
        self.notice.show_progress(None, f"Reading {corpus.info.title}")
        self._act = self.service.stop
        self._stack.setCurrentWidget(self.notice)
        self.service.open(corpus.info.name, self.filters.split)

    def _clear(self) -> None:
        """Show no items."""
        self.service.forget()
        self.ranker.forget()
        self._items = self._played = self._surprise = None
        self.curation.show_items(None)
        self.grid.show_items(None, np.zeros(0, np.int64))
        self.filters.show_speakers(())
        self.bars.show_counts([], None)
        self._card.aside.setText("")
        self._about.aside.setText("")

    def _notify(self, text: str, action: str = "", act: Callable[[], object] | None = None) -> None:
        self.notice.show_words(text, action)
        self._act = act or self._read
        self._stack.setCurrentWidget(self.notice)

    def _show_progress(self, share: float | None, text: str) -> None:
        if self._items is None:
            self.notice.show_progress(share, text)
        else:
            self._about.aside.setText("counting…" if share is None else f"counting {share:.0%}")

    def _show_items(self, items: Items) -> None:
        self._items = items
        self.filters.show_speakers(items.speakers)
        self.curation.show_items(items)
        self._filter()
        self._describe_corpus()
        self._count_all()

    def _filter(self) -> None:
        items, order = self._items, self.filters.order
        if items is None:
            return
        if order != "surprising":
            self.ranker.forget()
        chosen = items.chosen(self.filters.digit, self.filters.speaker, order == "changed")
        places = np.flatnonzero(chosen)
        if order == "surprising" and self._surprise is not None:
            places = self._surprise.order[chosen[self._surprise.order]]
        self.grid.show_items(items, places)
        self._count(items)
        if order == "surprising" and self._surprise is None and not self.ranker.busy:
            self._card.aside.setText("waiting for the model")
            self.ranker.rank(items)
        if len(places):
            self._stack.setCurrentWidget(self.grid)
        elif order == "changed":
            self._notify("Nothing is left out or relabelled here.", "Show all items", self.filters.show_all)
        else:
            self._notify("There is no such item in this split.", "Show all digits and speakers", self.filters.show_all)

    def _count(self, items: Items) -> None:
        """Show how many items there are."""
        self.bars.show_counts(items.counts(self.filters.speaker), self.filters.digit)
        out = f" · {items.excluded.sum():,} left out" if items.excluded.any() else ""
        self._card.aside.setText(f"{len(self.grid.table.places):,} of {len(items):,}{out}")

    def _show_ranked(self, surprise: Surprise) -> None:
        if self._items is not None:
            self._surprise = surprise
            self._items = replace(self._items, guesses=surprise.guesses)
            self.curation.show_items(self._items)
            self._filter()

    def _show_decided(self, decided: Decided) -> None:
        """Show what is decided where the items are; they stay in view until others are chosen."""
        before, now = self._items, decided.items
        if before is None or before.features is not now.features:
            return
        self._items = replace(now, guesses=before.guesses)
        if (before.digits != now.digits).any():
            self._surprise = None  # which is by labels; the order in view stays
        changed = (before.excluded != now.excluded) | (before.digits != now.digits)
        self.grid.update_items(self._items, np.flatnonzero(changed))
        self.curation.show_items(self._items)
        self._count(self._items)
        self._describe_corpus()
        self.preview.show_item(self._items, self.grid.table.place_at(self.grid.currentIndex()))

    def _count_all(self) -> None:
        """Have all splits counted, unless that is known and still true of the split that is shown."""
        items = self._items
        if items is None:
            return
        contents = self._contents.get(items.corpus)
        if contents is None or contents.items.get(items.split) != len(items):
            self.service.describe(items.corpus)

    def _describe(self, name: str, contents: Contents) -> None:
        self._contents[name] = contents
        self.corpora.show_counts({name: sum(contents.items.values())})
        if self.corpora.current is not None and self.corpora.current.info.name == name:
            self._about.aside.setText("")
            self._describe_corpus()

    def _describe_corpus(self) -> None:
        """Show what is known of the chosen corpus."""
        corpus, items = self.corpora.current, self._items
        if corpus is None:
            return
        decided = []
        if items is not None and items.decisions:
            if words := in_words(count(items.decisions.values())):
                decided.append(f"Changed by you: {words}")
            if items.outdated:
                decided.append(f"Ignored: {items.outdated:,} decided before the items changed")
        self.facts.show_corpus(corpus.info, self._contents.get(corpus.info.name), "\n".join(decided))

    def _play(self, place: int) -> None:
        key = self._items.key_of(place) if self._items else ""
        if key:
            self._played = key, place
            self.play_wanted.emit(key)

    # Downloads

    def _download(self) -> None:
        if self.corpora.current is not None:
            self._downloading = self.corpora.current.info.name
            self._show_download(None)
            self._data.download(self._downloading)

    def _show_download(self, share: float | None) -> None:
        corpus = self.corpora.current
        if corpus is not None and corpus.missing and corpus.info.name == self._downloading:
            self.notice.show_progress(share, f"Downloading {corpus.info.title}")
            self._act = self._data.stop
            self._stack.setCurrentWidget(self.notice)

    def _end_download(self, why: str) -> None:
        name, self._downloading = self._downloading, ""
        corpus = self.corpora.current
        if name and corpus is not None and corpus.info.name == name:
            self._notify(why or corpus.missing, f"Get it ({corpus.info.offer})", self._download)

    def _look_again(self) -> None:
        self._downloading = ""
        if self.isVisible():
            self.service.refresh()

    # The user's folders

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _folder_in(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        if path := _folder_in(event.mimeData()):
            event.acceptProposedAction()
            self._add(str(path))

    def _add(self, path: str) -> None:
        self.service.add(Path(path))

    def _show_added(self, name: str) -> None:
        self.undo.hide()
        self.corpora.choose(name)
        self._data.refresh()  # for the forms of other pages
        self.informed.emit(f"The corpus {name} is in the list, and can be chosen on Train and Evaluate.")

    def _remove_chosen(self) -> None:
        if self.corpora.current is not None and self.corpora.current.added:
            self.service.remove(self.corpora.current.info.name)

    def _offer_undo(self, entry: added.Entry) -> None:
        self._removed = entry
        self._contents.pop(entry.name, None)
        self._data.refresh()
        self.undo.offer(f"Removed {entry.name}. Its files stay.")

    def _restore(self) -> None:
        if self._removed is not None:
            self.service.restore(self._removed)
            self._removed = None


def _folder_in(data: QMimeData) -> Path | None:
    """The first folder or CSV table among dragged data."""
    paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
    return next((path for path in paths if path.is_dir() or path.suffix.lower() == ".csv"), None)


build = DataPage
