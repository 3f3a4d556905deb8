"""The pages of the window, which are built when they are first shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QTabBar

from modinv_app.common.page import Page, PageInfo


class Pages(QStackedWidget):
    """The stack of pages; ``bar`` is the tab bar that switches them.

    Parameters
    ----------
    infos
        The pages, in the order of their tabs.
    build
        Builds a page: the first one at once, the others when they are first shown.

    Attributes
    ----------
    built : dict of str to Page
        The pages that were built, by name.

    Signals
    -------
    turned(str)
        The name of the page that is shown from now on.
    """

    turned = Signal(str)

    def __init__(self, infos: Sequence[PageInfo], build: Callable[[PageInfo], Page]) -> None:
        super().__init__()
        self.built: dict[str, Page] = {}
        self._infos = {info.name: info for info in infos}
        self._build = build
        self.bar = QTabBar(documentMode=True, drawBase=False, expanding=False)
        self.bar.setAccessibleName("Pages")
        self.bar.currentChanged.connect(self._turn)
        for info in infos:
            self.bar.addTab(info.title.replace("&", ""))

    @property
    def names(self) -> list[str]:
        """The names of all pages, in order."""
        return list(self._infos)

    @property
    def current(self) -> str:
        """The name of the current page."""
        return self.names[self.bar.currentIndex()]

    def turn_to(self, name: str) -> Page:
        """Show a page."""
        self.bar.setCurrentIndex(self.names.index(name))
        return self.built[name]

    def hasHeightForWidth(self) -> bool:
        """Return False: height for width would make the window lay out all pages many times."""
        return False

    def _turn(self) -> None:
        name = self.current
        if name not in self.built:
            self.built[name] = self._build(self._infos[name])
            self.addWidget(self.built[name])
        self.setCurrentWidget(self.built[name])
        self.turned.emit(name)
