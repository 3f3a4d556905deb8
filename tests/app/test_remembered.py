"""Settings and the window's layout, whatever a damaged file makes of them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from PySide6.QtCore import QByteArray, QSettings, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QMainWindow, QSplitter
from pytestqt.qtbot import QtBot

from modinv_app.common import settings as chosen
from modinv_app.common.remembered import restore_geometry, restore_sizes
from modinv_app.common.settings import Setting, Settings

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints", "Trying to construct")

SETTINGS = [value for value in vars(chosen).values() if isinstance(value, Setting)]
VALUES = [
    "",
    "maybe",
    "-1",
    "1e999",
    "@Invalid()",
    "@ByteArray(abc)",
    "@Variant(garbage)",
    r"@Variant(\0\0\0\t\xff\xff\xff\xff)",
    "@Rect(0 0 1 1)",
    "@Size(x)",
    "a, b, c",
    '"unclosed',
    "%%%",
]


def damaged(content: bytes, rng: random.Random) -> QByteArray:
    changed = bytearray(content)
    for _ in range(rng.randint(1, 6)):
        changed[rng.randrange(len(changed))] = rng.choice([0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)])
    return QByteArray(bytes(changed))


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.key)
def test_a_setting_is_of_its_type_whatever_the_file_says(tmp_path: Path, setting: Setting[object], value: str) -> None:
    group, key = setting.key.split("/")
    (tmp_path / "modinv.ini").write_text(f"[{group}]\n{key}={value}\n")
    found = Settings(QSettings(str(tmp_path / "modinv.ini"), QSettings.Format.IniFormat)).get(setting)
    assert type(found) is type(setting.default)
    assert not setting.choices or found in setting.choices


@pytest.mark.parametrize("content", [b"\x00\xff\xfe" * 1000, b"[window", b"=" * 9999, b"null", bytes(range(256)) * 9])
def test_a_settings_file_that_is_garbage_counts_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "modinv.ini").write_bytes(content)
    settings = Settings(QSettings(str(tmp_path / "modinv.ini"), QSettings.Format.IniFormat))
    assert [settings.get(setting) for setting in SETTINGS] == [setting.default for setting in SETTINGS]


def test_a_window_is_on_a_screen_whatever_its_geometry_says(qtbot: QtBot) -> None:
    before = QMainWindow()
    qtbot.addWidget(before)
    before.setGeometry(40, 50, 700, 500)
    geometry, rng = before.saveGeometry(), random.Random(0)
    for number in range(300):
        window = QMainWindow()
        window.resize(800, 600)
        restore_geometry(window, geometry if number == 0 else damaged(geometry.data(), rng))
        if number == 0:
            assert window.geometry() == before.geometry()
        screen = QGuiApplication.primaryScreen().availableGeometry()
        seen = screen & window.geometry()
        assert seen.width() >= 200, window.geometry()
        assert seen.height() >= 100, window.geometry()
        window.deleteLater()


def a_splitter() -> QSplitter:
    splitter = QSplitter(Qt.Orientation.Horizontal)
    splitter.setChildrenCollapsible(False)
    for text in ("left", "middle", "right"):
        splitter.addWidget(QLabel(text))
    splitter.resize(1000, 300)
    splitter.setSizes([300, 400, 300])
    return splitter


def test_columns_stay_columns_whatever_their_state_says(qtbot: QtBot) -> None:
    before = a_splitter()
    qtbot.addWidget(before)
    before.show()
    before.setSizes([200, 500, 290])
    state, wanted, rng = before.saveState(), before.sizes(), random.Random(0)
    for number in range(200):
        splitter = a_splitter()
        qtbot.addWidget(splitter)
        restore_sizes(splitter, state if number == 0 else damaged(state.data(), rng))
        splitter.show()
        if number == 0:
            assert splitter.sizes() == wanted
        assert splitter.orientation() is Qt.Orientation.Horizontal
        assert splitter.handleWidth() == before.handleWidth()
        assert min(splitter.sizes()) > 0
        assert sum(splitter.sizes()) == sum(wanted)
        splitter.hide()
