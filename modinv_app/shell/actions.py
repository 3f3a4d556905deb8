"""The table of commands, from which menus, shortcuts and the shortcut sheet are made."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu

from modinv_app.common.page import PageInfo

Callback = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Command:
    """A command of the user.

    Attributes
    ----------
    name
        Key of its action in :class:`Commands`.
    group
        Its menu, and its heading in the shortcut sheet.
    title
        Its menu text; ``&`` marks the access key.
    shortcuts
        Portable key sequences.
    choice
        Commands with the same non-empty ``choice`` exclude each other.
    toggles
        Whether it can be switched on and off.
    """

    name: str
    group: str
    title: str
    shortcuts: tuple[str, ...] = ()
    choice: str = ""
    toggles: bool = False


def _commands(pages: Sequence[PageInfo]) -> tuple[Command, ...]:
    """All commands of a window with these pages, in the order of its menus."""
    return (
        Command("open_picture", "File", "Open &picture…", ("Ctrl+O",)),
        Command("open_sound", "File", "Open &sound…", ("Ctrl+Shift+O",)),
        Command("open_model", "File", "Open &model…", ("Ctrl+Shift+M",)),
        Command("paste", "File", "P&aste picture", ("Ctrl+V",)),
        Command("quit", "File", "&Quit", ("Ctrl+Q",)),
        Command("back", "Query", "&Back to the former query", ("Alt+Left",)),
        Command("forward", "Query", "&Forward to the next query", ("Alt+Right",)),
        Command("undo", "Draw", "&Undo", ("Ctrl+Z",)),
        Command("redo", "Draw", "&Redo", ("Ctrl+Shift+Z", "Ctrl+Y")),
        Command("clear", "Draw", "&Clear", ("Delete", "Backspace")),
        Command("hands_free", "Listen", "&Hands-free", ("H",), toggles=True),
        Command("play", "Listen", "&Play the chosen or nearest match", ("P",)),
        Command("next", "Listen", "&Next match", ("J",)),
        Command("previous", "Listen", "Pre&vious match", ("K",)),
        Command("why", "Listen", "&Why this match", ("W",), toggles=True),
        Command("hear", "Listen", "Hear what &mattered", ("M",)),
        Command("stop_playing", "Listen", "&Stop playing", (".",)),
        Command("pca", "Map", "&PCA", ("1",), choice="kind"),
        Command("tsne", "Map", "&t-SNE", ("2",), choice="kind"),
        Command("reset_view", "Map", "Show the &whole map", ("0",)),
        Command("lasso", "Map", "&Lasso", ("L",), toggles=True),
        Command("select_shown", "Map", "&Select all points shown", ("Ctrl+A",)),
        *(Command(f"page_{page.name}", "View", page.title, (f"Ctrl+{at}",)) for at, page in enumerate(pages, 1)),
        Command("system", "View", "As the &system", choice="scheme"),
        Command("light", "View", "&Light", choice="scheme"),
        Command("dark", "View", "&Dark", choice="scheme"),
        Command("full_screen", "View", "&Full screen", ("F11",), toggles=True),
        Command("shortcuts", "Help", "&Keyboard shortcuts", ("?", "F1")),
        Command("open_log", "Help", "Open the &log"),
        Command("about", "Help", "&About modinv"),
    )


class Commands:
    """The actions of a window, in its menus.

    Parameters
    ----------
    window
        The window, which gets the menus.
    pages
        Each gets a command ``page_NAME``.
    callbacks
        A callback for every command, by its name.
    """

    def __init__(self, window: QMainWindow, pages: Sequence[PageInfo], callbacks: dict[str, Callback]) -> None:
        self._actions: dict[str, QAction] = {}
        menus: dict[str, QMenu] = {}
        choices: dict[str, QActionGroup] = {}
        for command in _commands(pages):
            action = QAction(command.title, window)
            action.setShortcuts([QKeySequence(keys) for keys in command.shortcuts])
            action.setProperty("group", command.group)
            action.setCheckable(command.toggles or bool(command.choice))
            if command.choice:
                if command.choice not in choices:
                    choices[command.choice] = QActionGroup(window)
                choices[command.choice].addAction(action)
            callback = callbacks[command.name]
            action.triggered.connect(lambda _checked=False, callback=callback: callback())
            if command.group not in menus:
                menus[command.group] = window.menuBar().addMenu(f"&{command.group}")
            menus[command.group].addAction(action)
            self._actions[command.name] = action

    def __getitem__(self, name: str) -> QAction:
        return self._actions[name]

    def set_enabled(self, groups: Collection[str], enabled: bool) -> None:
        """Enable or disable all commands of some groups."""
        for action in self._actions.values():
            if action.property("group") in groups:
                action.setEnabled(enabled)

    def all(self) -> list[QAction]:
        """Every action, in the table's order."""
        return list(self._actions.values())
