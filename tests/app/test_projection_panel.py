"""The map: what is shown where, what the pointer and the keys do, and that nothing jumps."""

from __future__ import annotations

import numpy as np
import pytest
from fresh_python import imported_by
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QToolButton, QWidget
from pytestqt.qtbot import QtBot
from query_marker import query_marker

from model.types import FloatArray, Item, Modality
from modinv_app.common.theme import digit_colour
from modinv_app.explore.projection import ProjectionPanel
from modinv_app.map.hover_card import HoverCard

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")

COUNT = 40  # two images and two utterances of each digit, side by side
ITEMS = [
    Item(index, Modality.SPEECH if index % 2 else Modality.IMAGE, index // 4, f"item {index}") for index in range(COUNT)
]
ANGLES = np.linspace(0, 2 * np.pi, COUNT, endpoint=False)
CIRCLE = np.stack([5 * np.cos(ANGLES) + 3, 5 * np.sin(ANGLES) - 40], axis=1).astype(np.float32)
LINE = np.stack([np.arange(COUNT), np.full(COUNT, 7.0)], axis=1).astype(np.float32)
SAMPLES = np.random.default_rng(0).normal(size=(16, 2)).astype(np.float32)


def features_of(index: int) -> FloatArray:
    shape = (100, 80) if ITEMS[index].modality is Modality.SPEECH else (28, 28)
    return np.full(shape, 0.5, np.float32)


@pytest.fixture
def panel(qtbot: QtBot) -> ProjectionPanel:
    panel = ProjectionPanel(features_of)
    qtbot.addWidget(panel)
    panel.resize(600, 600)
    panel.set_items(ITEMS)
    panel.set_coordinates("PCA", CIRCLE)
    panel.show()
    qtbot.waitExposed(panel)
    return panel


def at(panel: ProjectionPanel, index: int) -> QPoint:
    position = panel.position_of(index)
    assert position is not None
    return position


def target(panel: ProjectionPanel, position: QPoint) -> tuple[QWidget, QPoint]:
    """The widget that would get a mouse event there, and where on it."""
    widget = panel.childAt(position)
    assert widget is not None
    return widget, widget.mapFrom(panel, position)


def click(panel: ProjectionPanel, position: QPoint) -> None:
    widget, place = target(panel, position)
    QTest.mouseMove(widget, place)
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)


def double_click(panel: ProjectionPanel, position: QPoint) -> None:
    widget, place = target(panel, position)
    click(panel, position)
    QTest.mouseDClick(widget, Qt.MouseButton.LeftButton, pos=place)  # without the release that follows
    QTest.mouseRelease(widget, Qt.MouseButton.LeftButton, pos=place)


def point_at(qtbot: QtBot, panel: ProjectionPanel, position: QPoint) -> None:
    widget, place = target(panel, position)
    QTest.mouseMove(widget, place - QPoint(2, 2))
    QTest.mouseMove(widget, place)
    qtbot.wait(20)


def button(panel: ProjectionPanel, name: str) -> QAbstractButton:
    return next(each for each in panel.findChildren(QAbstractButton) if name in (each.text(), each.accessibleName()))


def picture(panel: ProjectionPanel) -> QImage:
    return panel.grab().toImage()


def alike(one: QColor, other: QColor) -> bool:
    """Whether two colours are the same but for the rounding of a screen of 16 bits."""
    channels = (one.red(), other.red()), (one.green(), other.green()), (one.blue(), other.blue())
    return all(abs(a - b) <= 9 for a, b in channels)


def distance(one: QPoint, other: QPoint) -> float:
    return float(np.hypot(one.x() - other.x(), one.y() - other.y()))


def show_query(panel: ProjectionPanel, mean: FloatArray, matches: list[int] | None = None) -> None:
    samples = mean + 0.5 * SAMPLES  # beside the marker's middle
    panel.show_query(Modality.IMAGE, mean, samples, [10, 11] if matches is None else matches, 7)


def test_before_anything_is_loaded_the_panel_says_so(qtbot: QtBot) -> None:
    panel = ProjectionPanel(features_of)
    qtbot.addWidget(panel)
    panel.prepare()
    panel.set_items(ITEMS)
    assert panel.position_of(0) is None
    assert query_marker(panel) is None
    panel.clear_query()
    show_query(panel, CIRCLE[0])
    assert query_marker(panel) is None


def test_importing_the_panel_does_not_import_pyqtgraph() -> None:
    assert "pyqtgraph" not in imported_by("import modinv_app.explore.projection")


def test_every_item_is_drawn_in_its_digits_colour(panel: ProjectionPanel) -> None:
    shown = picture(panel)
    for index in (0, 5, 13, 27):
        assert alike(shown.pixelColor(at(panel, index)), digit_colour(index // 4, dark=False))


def test_the_map_keeps_its_proportions(panel: ProjectionPanel) -> None:
    panel.resize(700, 450)
    across, along = distance(at(panel, 0), at(panel, 20)), distance(at(panel, 10), at(panel, 30))
    assert across == pytest.approx(along, abs=2)
    assert across > 300


def test_a_click_on_a_point_emits_its_index(qtbot: QtBot, panel: ProjectionPanel) -> None:
    for index in (3, 17, 38):
        with qtbot.waitSignal(panel.clicked) as heard:
            click(panel, at(panel, index))
        assert heard.args == [index]


def test_a_double_click_on_a_point_is_one_click(panel: ProjectionPanel) -> None:
    heard: list[int] = []
    panel.clicked.connect(heard.append)
    double_click(panel, at(panel, 3))
    assert heard == [3]


def test_a_click_beside_the_points_emits_nothing(qtbot: QtBot, panel: ProjectionPanel) -> None:
    with qtbot.assertNotEmitted(panel.clicked, wait=50):
        click(panel, QPoint(300, 300))


def test_the_card_names_what_is_under_the_pointer_and_goes_with_it(qtbot: QtBot, panel: ProjectionPanel) -> None:
    card = panel.findChild(HoverCard)
    assert card is not None

    point_at(qtbot, panel, at(panel, 14))
    assert card.isVisible()
    assert card.text == "3 · image\nitem 14"

    point_at(qtbot, panel, QPoint(300, 300))
    assert not card.isVisible()


@pytest.mark.parametrize("index", [0, 10, 20, 30])
def test_the_card_stays_inside_the_map_and_off_the_point(qtbot: QtBot, panel: ProjectionPanel, index: int) -> None:
    card = panel.findChild(HoverCard)
    assert card is not None
    point_at(qtbot, panel, at(panel, index))

    outer = card.parentWidget().rect()
    assert outer.contains(card.geometry())
    assert not card.geometry().contains(card.parentWidget().mapFrom(panel, at(panel, index)))


def test_the_legend_hides_a_digit_and_shows_it_again(qtbot: QtBot, panel: ProjectionPanel) -> None:
    chip = button(panel, "Show digit 3")
    ground = picture(panel).pixelColor(300, 300)

    chip.click()
    assert alike(picture(panel).pixelColor(at(panel, 13)), ground)
    assert alike(picture(panel).pixelColor(at(panel, 16)), digit_colour(4, dark=False))
    with qtbot.assertNotEmitted(panel.clicked, wait=20):
        click(panel, at(panel, 13))

    QTest.keyClick(chip, Qt.Key.Key_Space)
    assert alike(picture(panel).pixelColor(at(panel, 13)), digit_colour(3, dark=False))


def test_the_legend_hides_a_modality(panel: ProjectionPanel) -> None:
    button(panel, "Show speech points").click()
    assert not alike(picture(panel).pixelColor(at(panel, 13)), digit_colour(3, dark=False))
    assert alike(picture(panel).pixelColor(at(panel, 12)), digit_colour(3, dark=False))


def test_the_query_lies_where_its_coordinates_say(panel: ProjectionPanel) -> None:
    show_query(panel, CIRCLE[25])
    position = query_marker(panel)
    assert position is not None
    assert distance(position, at(panel, 25)) <= 1
    assert alike(picture(panel).pixelColor(position), digit_colour(7, dark=False))

    show_query(panel, CIRCLE[[0, 20]].mean(axis=0))
    position = query_marker(panel)
    assert position is not None
    assert distance(position, (at(panel, 0) + at(panel, 20)) / 2) <= 1


def test_with_a_query_the_rest_grows_dim_but_never_vanishes_and_matches_stay_bright(panel: ProjectionPanel) -> None:
    ground = picture(panel).pixelColor(300, 300)
    show_query(panel, CIRCLE[25], matches=[13])

    shown = picture(panel)
    dimmed = shown.pixelColor(at(panel, 5))
    assert not alike(dimmed, ground)
    assert not alike(dimmed, digit_colour(1, dark=False))
    assert abs(dimmed.lightness() - ground.lightness()) > 20
    assert alike(shown.pixelColor(at(panel, 13)), digit_colour(3, dark=False))

    panel.clear_query()
    assert query_marker(panel) is None
    assert alike(picture(panel).pixelColor(at(panel, 5)), digit_colour(1, dark=False))


def test_a_query_without_matches_or_guess_or_spread_is_shown_all_the_same(panel: ProjectionPanel) -> None:
    panel.show_query(Modality.SPEECH, CIRCLE[25], np.repeat(CIRCLE[25:26], 16, axis=0), [], None)
    assert query_marker(panel) is not None
    panel.grab()


def test_showing_a_query_moves_no_item(panel: ProjectionPanel) -> None:
    before = [at(panel, index) for index in range(COUNT)]
    show_query(panel, CIRCLE[25])
    assert [at(panel, index) for index in range(COUNT)] == before


def test_points_glide_to_new_coordinates_and_end_there(qtbot: QtBot, panel: ProjectionPanel) -> None:
    panel.set_coordinates("t-SNE", LINE)
    start = at(panel, 20)
    with qtbot.waitSignal(panel.kind_chosen) as heard:
        button(panel, "t-SNE").click()
    assert heard.args == ["t-SNE"]
    assert distance(at(panel, 20), start) < 60, "nothing jumps"

    def arrived() -> None:
        ends = at(panel, 0), at(panel, COUNT - 1)
        assert ends[0].y() == ends[1].y()
        assert ends[1].x() - ends[0].x() > 400
        for index in range(COUNT):
            expected = ends[0].x() + (ends[1].x() - ends[0].x()) * index / (COUNT - 1)
            assert abs(at(panel, index).x() - expected) <= 1

    qtbot.waitUntil(arrived, timeout=2000)


def test_a_change_on_the_way_starts_from_where_the_points_are(qtbot: QtBot, panel: ProjectionPanel) -> None:
    panel.set_coordinates("t-SNE", LINE)
    panel.choose("t-SNE")
    qtbot.wait(200)
    here = at(panel, 0)
    panel.choose("PCA")
    assert distance(at(panel, 0), here) < 60


def test_tsne_can_be_chosen_once_it_is_there(panel: ProjectionPanel) -> None:
    assert not button(panel, "t-SNE").isEnabled()
    assert "being prepared" in button(panel, "t-SNE").toolTip()
    panel.set_coordinates("t-SNE", LINE)
    assert button(panel, "t-SNE").isEnabled()
    assert panel.kind == "PCA", "what somebody looks at does not change by itself"


def test_until_the_chosen_projection_comes_the_other_shows(qtbot: QtBot) -> None:
    panel = ProjectionPanel(features_of)
    qtbot.addWidget(panel)
    panel.choose("t-SNE")
    panel.set_items(ITEMS)
    heard: list[str] = []
    panel.kind_chosen.connect(heard.append)

    panel.set_coordinates("PCA", CIRCLE)
    assert panel.kind == "PCA"
    assert button(panel, "PCA").isChecked()
    assert panel.position_of(0) is not None
    assert heard == []

    panel.set_coordinates("t-SNE", LINE)
    assert panel.kind == "t-SNE"
    assert button(panel, "t-SNE").isChecked()
    assert heard == ["t-SNE"], "whoever placed the query has to place it anew"


def test_another_gallery_on_the_way_of_the_points_stops_them(qtbot: QtBot, panel: ProjectionPanel) -> None:
    panel.set_coordinates("t-SNE", LINE)
    panel.choose("t-SNE")
    qtbot.wait(100)
    more = [Item(index, Modality.IMAGE, index % 10, "more") for index in range(100)]
    panel.set_items(more)
    qtbot.wait(100)
    panel.set_coordinates("PCA", np.random.default_rng(0).normal(size=(100, 2)))
    assert panel.kind == "PCA"
    assert panel.position_of(99) is not None


def test_another_gallery_takes_the_place_of_the_first(panel: ProjectionPanel) -> None:
    show_query(panel, CIRCLE[25])
    panel.set_items(ITEMS[:20])
    assert panel.position_of(0) is None
    assert query_marker(panel) is None
    panel.set_coordinates("PCA", CIRCLE[:20])
    assert at(panel, 0) != at(panel, 10)


@pytest.mark.parametrize("wrong", [CIRCLE[:5], CIRCLE * np.nan, CIRCLE[:, :1]])
def test_wrong_coordinates_are_refused_and_the_map_stays(panel: ProjectionPanel, wrong: FloatArray) -> None:
    before = at(panel, 7)
    with pytest.raises(ValueError, match="coordinates"):
        panel.set_coordinates("PCA", wrong)
    assert at(panel, 7) == before


def plot_of(panel: ProjectionPanel) -> QWidget:
    return target(panel, QPoint(300, 300))[0].parentWidget()


def test_keys_zoom_and_pan_and_home_shows_everything_again(qtbot: QtBot, panel: ProjectionPanel) -> None:
    home = [at(panel, index) for index in (0, 10)]
    plot = plot_of(panel)

    QTest.keyClick(plot, Qt.Key.Key_Plus)
    assert distance(at(panel, 0), at(panel, 10)) > 1.1 * distance(*home)
    QTest.keyClick(plot, Qt.Key.Key_Right)
    QTest.keyClick(plot, Qt.Key.Key_Home)

    qtbot.waitUntil(lambda: [at(panel, index) for index in (0, 10)] == home, timeout=2000)


def test_dragging_pans_and_a_double_click_on_the_ground_shows_everything(qtbot: QtBot, panel: ProjectionPanel) -> None:
    home = at(panel, 0)
    widget, place = target(panel, QPoint(300, 300))
    QTest.mousePress(widget, Qt.MouseButton.LeftButton, pos=place)
    for step in range(1, 9):
        QTest.mouseMove(widget, place + QPoint(10 * step, 0), delay=5)
    QTest.mouseRelease(widget, Qt.MouseButton.LeftButton, pos=place + QPoint(80, 0))
    assert at(panel, 0).x() - home.x() > 40

    double_click(panel, QPoint(300, 300))
    qtbot.waitUntil(lambda: at(panel, 0) == home, timeout=2000)


def test_a_drag_with_the_right_button_changes_nothing(panel: ProjectionPanel) -> None:
    before = [at(panel, index) for index in (0, 10)]
    widget, place = target(panel, QPoint(300, 300))
    QTest.mousePress(widget, Qt.MouseButton.RightButton, pos=place)
    for step in range(1, 9):
        QTest.mouseMove(widget, place + QPoint(10 * step, -20 * step), delay=5)
    QTest.mouseRelease(widget, Qt.MouseButton.RightButton, pos=place + QPoint(80, -160))
    assert [at(panel, index) for index in (0, 10)] == before


def test_a_query_outside_of_the_view_is_panned_to_gently(qtbot: QtBot, panel: ProjectionPanel) -> None:
    plot = plot_of(panel)
    for _ in range(5):
        QTest.keyClick(plot, Qt.Key.Key_Plus)
    zoomed = distance(at(panel, 0), at(panel, 1))
    start = at(panel, 0)

    show_query(panel, CIRCLE[0])
    assert distance(at(panel, 0), start) < 100, "nothing jumps"

    def in_view() -> None:
        position = query_marker(panel)
        assert position is not None
        assert plot.rect().adjusted(20, 20, -20, -20).contains(plot.mapFrom(panel, position))

    qtbot.waitUntil(in_view, timeout=2000)
    assert distance(at(panel, 0), at(panel, 1)) == pytest.approx(zoomed, abs=2), "panned, not zoomed"


def test_resizing_keeps_all_points_in_view(panel: ProjectionPanel) -> None:
    panel.resize(480, 700)
    assert all(plot_of(panel).geometry().adjusted(0, 0, 0, 60).contains(at(panel, index)) for index in range(COUNT))


def test_the_map_follows_the_theme(panel: ProjectionPanel) -> None:
    dark = panel.palette()
    dark.setColor(dark.ColorRole.Window, QColor("#26282b"))
    dark.setColor(dark.ColorRole.Base, QColor("#1c1d20"))
    dark.setColor(dark.ColorRole.Text, QColor("#ffffff"))
    panel.setPalette(dark)

    shown = picture(panel)
    assert alike(shown.pixelColor(300, 300), QColor("#1c1d20"))
    assert alike(shown.pixelColor(at(panel, 16)), digit_colour(4, dark=True))


def test_every_control_can_be_reached_by_keyboard_and_has_a_name(panel: ProjectionPanel) -> None:
    controls = panel.findChildren(QAbstractButton)
    assert len(controls) == 16
    for control in controls:
        by_arrow_keys = control.group() is not None and not control.isChecked()
        assert by_arrow_keys or control.focusPolicy() & Qt.FocusPolicy.TabFocus
        assert control.accessibleName() or control.text()
    assert isinstance(button(panel, "Reset view"), QToolButton)
