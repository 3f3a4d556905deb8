"""An empty check box can be seen in light and dark."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QStyle, QStyleOptionButton
from pytestqt.qtbot import QtBot

from modinv_app.common.check_box import CheckBox
from modinv_app.common.theme import Scheme, apply_scheme


@pytest.fixture(autouse=True)
def _system_scheme_afterwards() -> Iterator[None]:
    yield
    apply_scheme("system")


def outline_contrast(box: CheckBox) -> int:
    """How much the box's edge differs from the window around it, in levels of grey."""
    picture = box.grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    option = QStyleOptionButton()
    box.initStyleOption(option)
    edge = box.style().subElementRect(QStyle.SubElement.SE_CheckBoxIndicator, option, box)
    beside = picture.pixelColor(edge.right() + 4, 1).value()
    return abs(picture.pixelColor(edge.left(), edge.center().y()).value() - beside)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_empty_box_has_an_outline(qtbot: QtBot, scheme: Scheme) -> None:
    apply_scheme(scheme)
    box = CheckBox("Something")
    qtbot.addWidget(box)
    box.show()
    assert outline_contrast(box) > 60
