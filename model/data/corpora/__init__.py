"""The registry of corpora: those of the application, and those of other packages.

A package adds a corpus by an entry point of the group ``modinv.corpora`` whose value is a subclass of
:class:`~model.data.corpora.base.Corpus`. Nothing here needs torch.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from model.data.corpora import added
from model.data.corpora.base import (
    ALL_OF_TRAINING,
    Corpus,
    CorpusInfo,
    MissingData,
    Split,
)
from model.types import FloatArray, Modality

__all__ = [
    "ALL_OF_TRAINING",
    "GROUP",
    "Corpus",
    "CorpusInfo",
    "MissingData",
    "Split",
    "add_folder",
    "broken_plugins",
    "find",
    "infos",
    "preferred",
    "recording",
    "registry",
    "remove",
    "restore",
    "trained_by_default",
]

log = logging.getLogger(__name__)

GROUP = "modinv.corpora"

_BUILT_IN = {
    "mnist": "mnist:Mnist",
    "fsdd": "fsdd:Fsdd",
    "voices": "voices:Voices",
    "wild": "wild:Wild",
    "qmnist": "qmnist:Qmnist",
    "nist": "qmnist:Nist",
    "emnist": "emnist:Emnist",
    "usps": "usps:Usps",
    "tidigits": "tidigits:Tidigits",
    "tidigits-speakers": "tidigits:TidigitsSpeakers",
    "audiomnist": "audiomnist:AudioMnist",
    "speech-commands": "speech_commands:SpeechCommands",
    "my-speech": "my_digits:MySpeech",
    "my-drawings": "my_digits:MyDrawings",
}


def registry() -> Mapping[str, type[Corpus]]:
    """All corpora by name: those of the application, of other packages, and the folders that the user has added.

    The list of added folders is read again when it has changed.
    """
    return _all()[0]


def broken_plugins() -> Mapping[str, str]:
    """Error messages for entry points of other packages, and for the list of added folders, that can't be used."""
    return _all()[1]


def add_folder(path: Path, name: str = "") -> added.Entry:
    """Add labelled sounds or pictures as a corpus: see :func:`model.data.corpora.added.add_folder`."""
    return added.add_folder(path, name, _found()[0])


def remove(name: str) -> added.Entry:
    """Remove an added folder from the corpora: see :func:`model.data.corpora.added.remove`."""
    return added.remove(name)


def restore(entry: added.Entry) -> None:
    """Add a folder again that was removed: see :func:`model.data.corpora.added.restore`."""
    added.restore(entry, _found()[0])


def _all() -> tuple[Mapping[str, type[Corpus]], Mapping[str, str]]:
    """What :func:`_found` finds, and the user's corpora."""
    state = added.state()
    return _found() if state is None else _with_added(state)


@lru_cache(maxsize=1)
def _with_added(_state: object) -> tuple[Mapping[str, type[Corpus]], Mapping[str, str]]:
    found, broken = _found()
    own, problem = added.corpora(found)
    return {**found, **own}, {**broken, "list": problem} if problem else broken


@cache
def _found() -> tuple[Mapping[str, type[Corpus]], Mapping[str, str]]:
    found: dict[str, type[Corpus]] = {
        name: EntryPoint(name, f"model.data.corpora.{value}", GROUP).load() for name, value in _BUILT_IN.items()
    }
    broken = {}
    for point in entry_points(group=GROUP):
        try:
            kind = point.load()
            if not (isinstance(kind, type) and issubclass(kind, Corpus) and isinstance(kind.info, CorpusInfo)):
                raise TypeError(f"{point.value} is not a subclass of Corpus with an info")
            if kind.info.name in found:
                raise ValueError(f"there is another corpus called {kind.info.name}")
        except Exception as error:  # any error of another package: the other corpora stay usable
            log.warning("The corpus %s can't be used", point.name, exc_info=error)
            broken[point.name] = f"The corpus {point.name} of another package can't be used: {error}."
        else:
            found[kind.info.name] = kind
    return found, broken


def find(name: str) -> type[Corpus]:
    """The corpus of a name; raises ``ValueError`` for an unknown name."""
    if name not in registry():
        words = [f"No corpus is called {name!r}. There are: {', '.join(registry())}.", *broken_plugins().values()]
        raise ValueError(" ".join(words))
    return registry()[name]


def infos(modality: Modality) -> list[CorpusInfo]:
    """Descriptions of the corpora of a modality."""
    return [kind.info for kind in registry().values() if kind.info.modality is modality]


def preferred(modality: Modality, among: Iterable[str] | None = None) -> str:
    """The default corpus of a modality for evaluation: a preferred one, else the first.

    Parameters
    ----------
    modality
        Image or speech.
    among
        Names to choose from, at least one; by default all corpora of the modality.
    """
    names = [info.name for info in infos(modality)] if among is None else list(among)
    return next((name for name in names if name in registry() and registry()[name].info.preferred), names[0])


def trained_by_default() -> tuple[str, ...]:
    """The default corpora for training."""
    return tuple(name for name, kind in registry().items() if kind.info.trained_by_default)


def recording(key: str, folder: Path | None = None) -> tuple[FloatArray, int]:
    """A recording by its key in galleries and evaluations, ``"fsdd:7_jackson_0.wav"``.

    Returns
    -------
    tuple
        Samples ``(n,)`` in [-1, 1], and their rate in Hz.

    Raises
    ------
    MissingData
        If there is no such corpus or recording, or it can't be opened.
    UnusableAudio
        If it can't be decoded.
    """
    name, place = key.split(":", 1)
    try:
        return registry()[name](folder).clip(place)
    except (OSError, KeyError) as error:
        why = f" {error}" if isinstance(error, MissingData) else ""
        raise MissingData(f"The recording {key} can't be found.{why}") from error
