"""All models that can be used, evaluated or fine-tuned, each with a distinct name."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject, Signal

from model import locations
from model.runs.store import RunStore
from modinv_app.common import settings as chosen
from modinv_app.common.settings import Settings
from modinv_app.jobs.executor import SerialExecutor

log = logging.getLogger(__name__)

_FILES_KEPT = 8
"""Number of opened files that are remembered, the latest first."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model, identified by its file.

    Attributes
    ----------
    title
        Its name in the window, in evaluations and in exports.
    file
        Its weights.
    origin
        Whether it is the shipped model, that of a run, or was opened from a file.
    """

    title: str = field(compare=False)
    file: Path
    origin: Literal["shipped", "run", "file"] = field(default="file", compare=False)


class ModelCatalogue(QObject):
    """The shipped model, those of all runs, and those of files that were opened; the files are remembered.

    Parameters
    ----------
    store
        Where the runs are stored.
    settings
        Where the opened files are remembered.

    Signals
    -------
    changed(list of Model)
        Models were added, removed or renamed.
    """

    changed = Signal(object)

    def __init__(self, store: RunStore, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._settings = settings
        self._executor = SerialExecutor("models", self)
        self._runs: Sequence[Model] = ()
        self._files = [Path(path) for path in settings.get(chosen.MODEL_FILES)]
        self._models: list[Model] = []
        self._show(self._runs, self._files)

    @property
    def models(self) -> list[Model]:
        """The shipped model, the runs (newest first), the files (latest first)."""
        return list(self._models)

    def close(self) -> None:
        """End the thread."""
        self._executor.close()

    def refresh(self) -> None:
        """Look for runs and files again, in the background."""
        known = tuple(self._files)

        def look() -> tuple[list[Model], list[Path]]:
            return _trained(self._store), [file for file in known if file.is_file()]

        def done(found: tuple[list[Model], list[Path]]) -> None:
            runs, there = found
            opened_meanwhile = [file for file in self._files if file not in known]
            self._show(runs, [*opened_meanwhile, *there])

        self._executor.submit(look, done, lambda error: log.warning("Models could not be listed", exc_info=error))

    def of(self, file: Path) -> Model:
        """The model of a file, which is added if it is not known."""
        file = file.absolute()
        known = next((model for model in self._models if model.file == file), None)
        if known is None:
            self._show(self._runs, [file, *self._files][:_FILES_KEPT])
            self._settings.set(chosen.MODEL_FILES, [str(path) for path in self._files])
            known = next(model for model in self._models if model.file == file)
        return known

    def _show(self, runs: Sequence[Model], files: Sequence[Path]) -> None:
        own = [Model("Shipped model", locations.shipped_model().absolute(), "shipped"), *runs]
        listed = {model.file for model in own}
        self._runs, self._files = runs, [file for file in files if file not in listed]
        models = distinct([*own, *(Model(_name(file), file) for file in self._files)])
        # A model equals another of the same file, whatever it is called.
        if [(model.file, model.title) for model in models] != [(model.file, model.title) for model in self._models]:
            self._models = models
            self.changed.emit(list(models))


def distinct(models: Iterable[Model]) -> list[Model]:
    """The models with distinct names: equal names get that of the folder, or the whole path, in parentheses."""
    models = list(models)
    for suffix in (lambda file: file.parent.name, str):
        count = Counter(model.title for model in models)
        models = [
            replace(model, title=f"{model.title} ({suffix(model.file)})")
            if count[model.title] > 1 and model.origin != "shipped"
            else model
            for model in models
        ]
    return models


def _name(file: Path) -> str:
    """The name of a file's model: that of the folder for ``model.safetensors``, as in every run."""
    return file.parent.name if file.name == "model.safetensors" else file.stem


def _trained(store: RunStore) -> list[Model]:
    """The models of all runs that have one, the newest first."""
    return [
        Model(info.name, record.model_file.absolute(), "run")
        for record, info in store.readable()
        if record.model_file.is_file()
    ]
