"""The matches panel shows what was found and asks for what a person wants of it."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QItemSelectionModel, QPoint, QRect, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QListView, QWidget
from showing import shown

from model.types import Answer, Item, Match, Modality
from modinv_app.explore.matches import MatchesPanel

FIRST_UTTERANCE = 100
RNG = np.random.default_rng(3)
PICTURES = RNG.random((FIRST_UTTERANCE, 28, 28), dtype=np.float32)
SPECTROGRAMS = RNG.standard_normal((100, 100, 80)).astype(np.float32)


def features_of(index):
    return PICTURES[index] if index < FIRST_UTTERANCE else SPECTROGRAMS[index - FIRST_UTTERANCE]


def an_answer(query, labels, indices=None, scores=None, reason=""):
    """An answer to an image or a spoken query whose matches carry these labels, best first."""
    modality = query.other
    start = FIRST_UTTERANCE if modality is Modality.SPEECH else 0
    indices = [start + 7 * n for n in range(len(labels))] if indices is None else indices
    scores = [30.0 - n for n in range(len(labels))] if scores is None else scores
    matches = tuple(
        Match(Item(index, modality, label, f"source {index}", f"speaker {index}"), score)
        for index, label, score in zip(indices, labels, scores, strict=True)
    )
    guess = max(labels, key=labels.count)
    zeros = np.zeros(128, np.float32)
    return Answer(
        query,
        features_of(0),
        zeros,
        zeros,
        np.zeros((16, 128), np.float32),
        matches,
        guess,
        None,
        1.0,
        0.999,
        1.0,
        reason,
    )


DRAWN_SEVEN = an_answer(Modality.IMAGE, [7, 7, 1, 7, 7, 7, 9, 7, 7, 7])
SPOKEN_TWO = an_answer(Modality.SPEECH, [2] * 10)


@pytest.fixture
def window(qtbot):
    return shown(qtbot, QWidget(), 800, 700)


@pytest.fixture
def panel(window):
    return shown_panel(window, features_of)


def shown_panel(window, look_up):
    panel = MatchesPanel(look_up)
    panel.setParent(window)
    panel.resize(320, 640)
    panel.show()
    return panel


def view_of(panel):
    return panel.findChild(QListView)


def rows(panel, role=Qt.ItemDataRole.DisplayRole):
    model = view_of(panel).model()
    return [model.index(row).data(role) for row in range(model.rowCount())]


def labels_shown(panel):
    return [label.text() for label in panel.findChildren(QLabel) if label.isVisible()]


def index_of(answer, row):
    return answer.matches[row].item.index


def place_of(panel, row, action):
    """Where in the viewport a row has its button, found as a person does: by looking for it."""
    view = view_of(panel)
    rect: QRect = view.visualRect(view.model().index(row))
    places = [QPoint(x, rect.center().y()) for x in range(rect.left(), rect.right())]
    places += [QPoint(x, rect.top() + rect.height() * 6 // 10) for x in range(rect.left(), rect.right())]
    hits = [p for p in places if view.itemDelegate().action_at(rect, view.fontMetrics(), p) == action]
    return hits[len(hits) // 2]


def click(panel, place, double=False):
    press = QTest.mouseDClick if double else QTest.mouseClick
    press(view_of(panel).viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_invites_before_anything_was_asked(panel):
    assert any("Draw a digit" in text for text in labels_shown(panel))
    assert not view_of(panel).isVisible()


def test_a_drawing_is_answered_by_spoken_words(panel):
    panel.show_answer(DRAWN_SEVEN)
    assert rows(panel) == [
        "seven",
        "seven",
        "one",
        "seven",
        "seven",
        "seven",
        "nine",
        "seven",
        "seven",
        "seven",
    ]
    assert "Nearest spoken digits" in labels_shown(panel)
    assert "sure: 7" in labels_shown(panel)
    spoken = rows(panel, Qt.ItemDataRole.AccessibleTextRole)[2]
    assert spoken == "3: one, source 114, score 28.0"


def test_speech_is_answered_by_images(panel):
    panel.show_answer(SPOKEN_TWO)
    assert rows(panel) == ["two"] * 10
    assert "Nearest images" in labels_shown(panel)
    assert "sure: 2" in labels_shown(panel)
    assert "source 63" in rows(panel, Qt.ItemDataRole.ToolTipRole)[9]


@pytest.mark.parametrize("width", [220, 260, 320, 380, 700])
@pytest.mark.parametrize("height", [200, 640])
def test_images_stand_in_a_grid_within_the_view(panel, width, height):
    panel.resize(width, height)
    panel.show_answer(SPOKEN_TWO)
    view = view_of(panel)
    tiles = [view.visualRect(view.model().index(row)) for row in range(10)]
    assert len({tile.top() for tile in tiles}) < 10, "several tiles a line"
    assert all(tile.left() >= 0 and tile.right() < view.viewport().width() for tile in tiles)
    assert not any(a.intersects(b) for n, a in enumerate(tiles) for b in tiles[:n])
    if height == 640:
        assert all(view.viewport().rect().contains(tile) for tile in tiles), "nothing to scroll"


def test_play_button_asks_for_its_own_utterance(panel, qtbot):
    panel.show_answer(DRAWN_SEVEN)
    for row in (0, 4):
        with qtbot.waitSignal(panel.play_requested) as asked:
            click(panel, place_of(panel, row, "play"))
        assert asked.args == [index_of(DRAWN_SEVEN, row)]


def test_query_button_of_an_utterance_makes_it_the_query(panel, qtbot):
    panel.show_answer(DRAWN_SEVEN)
    with qtbot.waitSignal(panel.query_requested) as asked:
        click(panel, place_of(panel, 3, "query"))
    assert asked.args == [index_of(DRAWN_SEVEN, 3)]


def test_a_click_beside_the_buttons_only_selects(panel, qtbot):
    panel.show_answer(DRAWN_SEVEN)
    with qtbot.assertNotEmitted(panel.play_requested), qtbot.assertNotEmitted(panel.query_requested):
        click(panel, place_of(panel, 2, None))
    assert panel.chosen == index_of(DRAWN_SEVEN, 2)


def test_double_click_plays_and_plays_once(panel):
    asked = []
    panel.play_requested.connect(asked.append)
    panel.show_answer(DRAWN_SEVEN)
    for action in (None, "play"):
        asked.clear()
        place = place_of(panel, 2, action)
        click(panel, place)
        click(panel, place, double=True)
        assert asked == [index_of(DRAWN_SEVEN, 2)]


def test_a_press_that_slides_off_its_button_does_nothing(panel, qtbot):
    panel.show_answer(DRAWN_SEVEN)
    viewport = view_of(panel).viewport()
    with qtbot.assertNotEmitted(panel.play_requested):
        QTest.mousePress(viewport, Qt.MouseButton.LeftButton, pos=place_of(panel, 1, "play"))
        QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=place_of(panel, 2, "play"))


def test_a_click_on_an_image_makes_it_the_query(panel, qtbot):
    panel.show_answer(SPOKEN_TWO)
    view = view_of(panel)
    with qtbot.waitSignal(panel.query_requested) as asked, qtbot.assertNotEmitted(panel.play_requested):
        click(panel, view.visualRect(view.model().index(6)).center())
    assert asked.args == [index_of(SPOKEN_TWO, 6)]


def test_context_menu_offers_what_the_modality_allows(panel, qtbot):
    view = view_of(panel)
    panel.show_answer(SPOKEN_TWO)
    assert [action.text() for action in view.menu_for(view.model().index(1)).actions()] == ["Use as query"]
    panel.show_answer(DRAWN_SEVEN)
    menu = view.menu_for(view.model().index(1))
    panel.show_answer(SPOKEN_TWO)  # what lies under an open menu may change
    play, query = menu.actions()
    with qtbot.waitSignal(panel.play_requested) as asked:
        play.trigger()
    assert asked.args == [index_of(DRAWN_SEVEN, 1)]
    with qtbot.waitSignal(panel.query_requested) as asked:
        query.trigger()
    assert asked.args == [index_of(DRAWN_SEVEN, 1)]


def test_keys_walk_through_utterances_and_play_them(panel, qtbot):
    chosen, played, queried = [], [], []
    panel.play_requested.connect(played.append)
    panel.query_requested.connect(queried.append)
    panel.show_answer(DRAWN_SEVEN)
    view = view_of(panel)
    keys = Qt.Key
    for key in (
        keys.Key_Down,
        keys.Key_Down,
        keys.Key_Up,
        keys.Key_Up,
        keys.Key_End,
        keys.Key_Down,
        keys.Key_Home,
    ):
        qtbot.keyClick(view, key)
        chosen.append(panel.chosen)
    assert chosen == [index_of(DRAWN_SEVEN, row) for row in (0, 1, 0, 0, 9, 9, 0)]
    qtbot.keyClick(view, Qt.Key.Key_Return)
    assert played == [index_of(DRAWN_SEVEN, 0)]
    qtbot.keyClick(view, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert queried == [index_of(DRAWN_SEVEN, 0)]
    assert len(played) == 1


def test_keys_walk_through_images_line_by_line(panel, qtbot):
    chosen, queried = [], []
    panel.query_requested.connect(queried.append)
    panel.show_answer(SPOKEN_TWO)
    view = view_of(panel)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Down):
        qtbot.keyClick(view, key)
        chosen.append(panel.chosen)
    here, above = (view.visualRect(view.model().index(index // 7)) for index in (chosen[2], chosen[1]))
    assert here.left() == above.left()
    assert here.top() > above.top()
    qtbot.keyClick(view, Qt.Key.Key_Enter)
    assert queried == [chosen[2]]


def test_next_and_previous_stop_at_the_ends(panel):
    panel.select_next()
    assert panel.chosen is None, "nothing to select yet"
    panel.show_answer(DRAWN_SEVEN)
    panel.select_previous()
    chosen = [panel.chosen]
    for _ in range(12):
        panel.select_next()
        chosen.append(panel.chosen)
    found = [match.item.index for match in DRAWN_SEVEN.matches]
    assert chosen == found + [found[-1]] * (13 - len(found))


def test_the_space_bar_and_letters_stay_with_the_window(panel):
    panel.show_answer(DRAWN_SEVEN)
    for key, text in ((Qt.Key.Key_Space, " "), (Qt.Key.Key_S, "s")):
        event = QKeyEvent(QKeyEvent.Type.KeyPress, key, Qt.KeyboardModifier.NoModifier, text)
        view_of(panel).keyPressEvent(event)
        assert not event.isAccepted()
    assert view_of(panel).selectedIndexes() == []


def test_tabbing_in_selects_nothing_by_itself(panel, qtbot):
    panel.show_answer(DRAWN_SEVEN)
    view = view_of(panel)
    with qtbot.assertNotEmitted(panel.play_requested):
        # What Qt does when a view gets the focus by the tab key.
        view.selectionModel().setCurrentIndex(view.model().index(0), QItemSelectionModel.SelectionFlag.NoUpdate)
        qtbot.keyClick(view, Qt.Key.Key_Return)
    assert panel.chosen is None
    qtbot.keyClick(view, Qt.Key.Key_Down)
    assert panel.chosen == index_of(DRAWN_SEVEN, 0)


def test_the_selected_item_stays_selected_where_it_goes(panel):
    panel.show_answer(an_answer(Modality.IMAGE, [3] * 4, indices=[101, 102, 103, 104]))
    panel.select_next()
    panel.select_next()
    view = view_of(panel)
    panel.show_answer(an_answer(Modality.IMAGE, [3] * 4, indices=[105, 103, 101, 102]))
    assert [index.row() for index in view.selectedIndexes()] == [3]
    panel.show_answer(an_answer(Modality.IMAGE, [3] * 2, indices=[102, 101]))
    assert [index.row() for index in view.selectedIndexes()] == [0]
    panel.show_answer(an_answer(Modality.IMAGE, [3] * 2, indices=[104, 101]))
    assert view.selectedIndexes() == []


def test_new_answers_do_not_scroll_what_one_reads(panel):
    panel.resize(320, 260)
    panel.show_answer(DRAWN_SEVEN)
    panel.select_next()
    bar = view_of(panel).verticalScrollBar()
    bar.setValue(bar.maximum())
    read = bar.value()
    assert read > 0
    for _ in range(3):
        panel.show_answer(an_answer(Modality.IMAGE, [7] * 10, indices=[101, 100, *range(102, 110)]))
        panel.show_answer(DRAWN_SEVEN)
    assert bar.value() == read


def test_other_things_are_read_from_their_top(panel):
    panel.resize(320, 150)
    panel.show_answer(DRAWN_SEVEN)
    bar = view_of(panel).verticalScrollBar()
    bar.setValue(bar.maximum())
    panel.show_answer(SPOKEN_TWO)
    view_of(panel).grab()
    assert bar.maximum() > 0
    assert bar.value() == 0


def test_a_step_by_keyboard_brings_its_row_into_sight(panel):
    panel.resize(320, 260)
    panel.show_answer(DRAWN_SEVEN)
    for _ in range(10):
        panel.select_next()
    view = view_of(panel)
    assert view.viewport().rect().contains(view.visualRect(view.selectedIndexes()[0]))


def test_the_row_that_sounds_is_marked_and_its_mark_moves(panel, qtbot):
    panel.show_answer(DRAWN_SEVEN)

    def marked():
        texts = rows(panel, Qt.ItemDataRole.AccessibleTextRole)
        return [row for row, text in enumerate(texts) if text.endswith("playing")]

    quiet = panel.grab().toImage()
    panel.set_playing(index_of(DRAWN_SEVEN, 4))
    assert marked() == [4]
    first = panel.grab().toImage()
    assert first != quiet
    qtbot.waitUntil(lambda: panel.grab().toImage() != first, timeout=2000)
    panel.show_answer(an_answer(Modality.IMAGE, [7] * 3, indices=[101, index_of(DRAWN_SEVEN, 4), 103]))
    assert marked() == [1]
    panel.show_answer(DRAWN_SEVEN)
    with qtbot.waitSignal(view_of(panel).model().dataChanged) as changed:
        panel.set_playing(None)
    assert changed.args[0].row() == 4, "the view is told to unmark the row"
    assert marked() == []
    assert panel.grab().toImage() == quiet


def test_clear_forgets_everything(panel):
    panel.show_answer(DRAWN_SEVEN)
    panel.select_next()
    panel.clear()
    assert rows(panel) == []
    assert any("Draw a digit" in text for text in labels_shown(panel))
    panel.show_answer(DRAWN_SEVEN)
    assert view_of(panel).selectedIndexes() == []


def test_what_is_rejected_is_said_kindly_and_keeps_its_matches(panel):
    panel.show_answer(an_answer(Modality.IMAGE, [7] * 10, reason="This does not look like a digit."))
    assert "not a digit that I know; nearest is 7" in labels_shown(panel)
    assert len(rows(panel)) == 10


def test_an_answer_without_matches_shows_the_invitation(panel):
    panel.show_answer(DRAWN_SEVEN)
    panel.show_answer(an_answer_without_matches())
    assert rows(panel) == []
    assert not view_of(panel).isVisible()


def an_answer_without_matches():
    zeros = np.zeros(128, np.float32)
    samples = np.zeros((16, 128), np.float32)
    return Answer(Modality.IMAGE, features_of(0), zeros, zeros, samples, (), 0, None, 0.0, 0.5, 1.0)


def test_bars_are_relative_to_the_best_and_survive_scores_below_zero(panel):
    panel.show_answer(an_answer(Modality.IMAGE, [1] * 4, scores=[8.0, 4.0, 0.0, -4.0]))
    model = view_of(panel).model()
    assert [model.similarity(row) for row in range(4)] == [1.0, 0.5, 0.0, 0.0]
    panel.show_answer(an_answer(Modality.IMAGE, [1] * 2, scores=[-1.0, -4.0]))
    assert [model.similarity(row) for row in range(2)] == [0.0, 0.0]
    panel.grab()


def test_pictures_are_painted_once_while_matches_come_and_go(window):
    looked_up = []

    def counting(index):
        looked_up.append(index)
        return features_of(index)

    panel = shown_panel(window, counting)
    other = an_answer(Modality.IMAGE, [7] * 10, indices=range(180, 190))
    for answer in (DRAWN_SEVEN, other, DRAWN_SEVEN, other):
        panel.show_answer(answer)
        panel.grab()
    assert sorted(looked_up) == sorted(m.item.index for a in (DRAWN_SEVEN, other) for m in a.matches)
