"""A page that one line announces, as the guide for contributors says: the window knows it like its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from desk import Desk, until
from guide import examples
from PySide6.QtCore import Qt

import modinv_app
from modinv_app import app
from modinv_app.common.page import PageInfo
from modinv_app.shell.pages import PAGES

CODE, LINE = examples("python")["Add a page"]


@pytest.fixture
def toy_desk(qapp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:  # noqa: ARG001 (Qt first)
    """The window with one more page: its folder is in the package, its line in the table."""
    (tmp_path / "hello").mkdir()
    (tmp_path / "hello" / "page.py").write_text(CODE)
    monkeypatch.setattr(modinv_app, "__path__", [*modinv_app.__path__, str(tmp_path)])
    monkeypatch.setattr(app, "PAGES", (*PAGES, *eval(LINE, {"PageInfo": PageInfo})))
    desk = Desk(tmp_path / "settings.ini").open().ready()
    until(lambda: "modinv_app.hello.page" in sys.modules, "the import of the page")
    yield desk
    desk.close()
    for name in ("modinv_app.hello.page", "modinv_app.hello"):
        del sys.modules[name]


def test_it_has_a_tab_and_a_command_and_takes_part(toy_desk: Desk) -> None:
    window, pages = toy_desk.window, toy_desk.window.pages
    assert [pages.bar.tabText(place) for place in range(pages.bar.count())][-2:] == ["Data", "Hello"]
    menu = next(action.menu() for action in window.menuBar().actions() if action.text() == "&View")
    assert window.commands["page_hello"] in menu.actions()
    assert list(pages.built) == ["explore"]

    toy_desk.key(Qt.Key.Key_7, Qt.KeyboardModifier.ControlModifier)
    assert (pages.current, list(pages.built)) == ("hello", ["explore", "hello"])
    page = pages.built["hello"]
    assert page.isVisible()
    assert page.button.text() == "Shipped model"
    page.button.click()
    assert window.messages.text() == "Shipped model says hello."


def test_it_can_send_a_person_elsewhere(toy_desk: Desk) -> None:
    page = toy_desk.window.pages.turn_to("hello")
    page.turn_wanted.emit("evaluate", str(toy_desk.root.model.file))
    pages = toy_desk.window.pages
    assert pages.current == "evaluate"
    until(lambda: pages.built["evaluate"].bar.request is not None, "the model to be chosen")
