"""Pages of a window, one at a time; a page is built when it is first turned to."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QTabBar, QWidget


class Pages(QStackedWidget):
    """The pages; ``bar`` is the row of tabs that turns them.

    Signals
    -------
    turned(str)
        The name of the page that shows from now on.
    """

    turned = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.bar = QTabBar(documentMode=True, drawBase=False, expanding=False)
        self.bar.setAccessibleName("Pages")
        self._builders: dict[str, Callable[[], QWidget]] = {}
        self._built: dict[str, QWidget] = {}
        self.bar.currentChanged.connect(self._turn)

    def add(self, name: str, title: str, build: Callable[[], QWidget]) -> None:
        """Add a page at the end; the first one is built at once and shows."""
        self._builders[name] = build
        self.bar.addTab(title)

    @property
    def names(self) -> list[str]:
        """All pages, in their order."""
        return list(self._builders)

    @property
    def current(self) -> str:
        """The name of the page that shows."""
        return self.names[self.bar.currentIndex()]

    def turn_to(self, name: str) -> None:
        """Show a page."""
        self.bar.setCurrentIndex(self.names.index(name))

    def hasHeightForWidth(self) -> bool:
        """A page has the height that there is: to ask for another, the window would lay all pages out many times."""
        return False

    def _turn(self) -> None:
        name = self.current
        if name not in self._built:
            self._built[name] = self._builders[name]()
            self.addWidget(self._built[name])
        self.setCurrentWidget(self._built[name])
        self.turned.emit(name)
