"""The corpora, by name."""

from __future__ import annotations

from pathlib import Path

from model.data.corpora.base import (
    Corpus,
    MissingData,
    Samples,
    SpeechCorpus,
    Split,
)
from model.data.corpora.fsdd import Fsdd
from model.data.corpora.mnist import Mnist
from model.data.corpora.voices import Voices
from model.types import Modality

__all__ = [
    "CORPORA",
    "Corpus",
    "Fsdd",
    "MissingData",
    "Mnist",
    "Samples",
    "SpeechCorpus",
    "Split",
    "Voices",
    "corpora",
]

CORPORA: dict[str, type[Mnist] | type[Fsdd] | type[Voices]] = {kind.name: kind for kind in (Mnist, Fsdd, Voices)}
"""Every corpus that can be named on the command line."""


def corpora(names: str, folder: Path | None = None) -> dict[Modality, list[Corpus]]:
    """Corpora by modality from a list like ``"mnist,fsdd,voices"``; a ``ValueError`` lists the names there are."""
    chosen: dict[Modality, list[Corpus]] = {modality: [] for modality in Modality}
    for name in filter(None, (part.strip() for part in names.split(","))):
        if name not in CORPORA:
            raise ValueError(f"No corpus is called {name!r}. There are: {', '.join(CORPORA)}.")
        corpus = CORPORA[name](folder)
        chosen[corpus.modality].append(corpus)
    return chosen
