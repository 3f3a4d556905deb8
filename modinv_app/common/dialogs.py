"""Questions for files and folders, which never block the window."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QWidget


def ask_for_file(parent: QWidget, title: str, kind: str, chosen: Callable[[str], object]) -> None:
    """Let the user choose an existing file; ``chosen`` gets its path.

    Parameters
    ----------
    kind
        The name filter that comes first, such as ``"Models (*.safetensors)"``; all files can be shown, too.
    """
    dialog = _dialog(parent, title, QFileDialog.FileMode.ExistingFile, chosen)
    dialog.setNameFilters([kind, "All files (*)"])
    dialog.open()


def ask_for_folder(parent: QWidget, title: str, chosen: Callable[[str], object]) -> None:
    """Let the user choose an existing folder; ``chosen`` gets its path."""
    dialog = _dialog(parent, title, QFileDialog.FileMode.Directory, chosen)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    dialog.open()


def _dialog(parent: QWidget, title: str, mode: QFileDialog.FileMode, chosen: Callable[[str], object]) -> QFileDialog:
    dialog = QFileDialog(parent, title)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setFileMode(mode)
    dialog.fileSelected.connect(chosen)
    return dialog
