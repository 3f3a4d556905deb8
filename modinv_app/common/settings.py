"""All settings, with key, type and default."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar, get_args

from PySide6.QtCore import QByteArray, QObject, QSettings

from modinv_app.common.theme import Scheme

T = TypeVar("T")
MapKind = Literal["PCA", "t-SNE"]
Answers = Literal["shipped", "both", "mine"]
"""What queries retrieve: the shipped gallery, that and the user's takes, or only these once all digits are there."""


@dataclass(frozen=True, slots=True)
class Setting(Generic[T]):
    """One setting; ``default`` determines its type, ``choices`` the allowed values if not empty."""

    key: str
    default: T
    choices: tuple[T, ...] = ()


SCHEME: Setting[Scheme] = Setting("appearance/scheme", "system", get_args(Scheme))
PLAY_ON_LIFT = Setting("draw/play_on_lift", True)
IMAGINED_VOICE = Setting("draw/imagined_voice", False)
IMAGINED_OPEN = Setting("explore/imagined_open", True)
HANDS_FREE = Setting("speak/hands_free", False)
INPUT_DEVICE = Setting("sound/input_device", "")
OUTPUT_DEVICE = Setting("sound/output_device", "")
MAP_KIND: Setting[MapKind] = Setting("map/kind", "t-SNE", get_args(MapKind))
GEOMETRY = Setting("window/geometry", QByteArray())
COLUMNS = Setting("window/columns", QByteArray())
ANSWERS: Setting[Answers] = Setting("takes/answers", "mine", get_args(Answers))
TAKES_PERSON = Setting("takes/person", "")
TAKES_TAB = Setting("takes/tab", "Say", ("Say", "Draw"))
DATA_CORPUS = Setting("data/corpus", "mnist")
TRAINING_PLAN = Setting("train/plan", "")
MODEL_FILES: Setting[list[str]] = Setting("models/files", [])


class Settings(QObject):
    """The user's settings, stored between sessions.

    A value that can't be read, for example after the file was edited by hand, counts as the default.
    """

    def __init__(self, store: QSettings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = store

    def get(self, setting: Setting[T]) -> T:
        """The value of a setting."""
        kind: type[Any] = type(setting.default)
        value: Any = self._store.value(setting.key, setting.default, kind)
        usable = isinstance(value, kind) and (not setting.choices or value in setting.choices)
        return value if usable else setting.default

    def set(self, setting: Setting[T], value: T) -> None:
        """Change a setting; the file is written only if it has another value."""
        if not self._store.contains(setting.key) or self.get(setting) != value:
            self._store.setValue(setting.key, value)
