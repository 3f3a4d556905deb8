"""Galleries as the user has curated them (:mod:`model.data.curation`): left out, relabelled. Without torch."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from model.data import curation
from model.data.corpora import infos
from model.data.curation import CurationError, Decision
from model.data.takes import MY_DRAWINGS, MY_SPEECH
from model.retrieval.gallery import Gallery
from model.types import Item, Modality

log = logging.getLogger(__name__)

Former = Mapping[str, Mapping[str, Decision]]
"""Decisions about items, by the names of their corpora and their own."""

_TAKES = frozenset({MY_SPEECH, MY_DRAWINGS})


def origins(gallery: Gallery, indices: Iterable[int]) -> dict[str, list[tuple[str, int]]]:
    """Names and indices of items by the names of their corpora, by which :mod:`model.data.curation` knows them.

    A picture whose description names no corpus is a drawing of the user.
    """
    titles = {info.label: info.name for info in infos(Modality.IMAGE)}
    longest = sorted(titles, key=len, reverse=True)  # of two that fit, it is the more special one
    found: dict[str, list[tuple[str, int]]] = {}
    for index in indices:
        item = gallery.items[index]
        if item.modality is Modality.SPEECH:
            corpus, name = gallery.key(index).split(":", 1)
        else:
            fitting = (titles[title] for title in longest if item.source.startswith((f"{title} ", f"{title}: ")))
            corpus, name = next(fitting, MY_DRAWINGS), item.source
        found.setdefault(corpus, []).append((name, index))
    return found


def takes_among(gallery: Gallery, indices: Iterable[int]) -> list[int]:
    """Those of some items that are takes of the user."""
    return [index for name, items in origins(gallery, indices).items() if name in _TAKES for _, index in items]


class Decided(NamedTuple):
    """What the user has decided about the ``n`` items of a gallery.

    Attributes
    ----------
    left_out
        Which are left out of their corpora, ``(n,)``.
    labels
        Their labels, ``(n,)``: those of the user, or else the published ones.
    """

    left_out: npt.NDArray[np.bool_]
    labels: npt.NDArray[np.int64]

    def same_as(self, other: Decided) -> bool:
        """Whether the same is decided about each item."""
        return np.array_equal(self.left_out, other.left_out) and np.array_equal(self.labels, other.labels)

    def kept(self, gallery: Gallery) -> npt.NDArray[np.bool_]:
        """Which items of the gallery stay, ``(n,)``: all of a modality of which none would."""
        kept = ~self.left_out
        for modality in Modality:
            places = gallery.places(modality)
            kept[places] |= not kept[places].any()
        return kept

    def applied_to(self, gallery: Gallery) -> Gallery:
        """The gallery with these labels and what stays; itself, if nothing changes."""
        kept = self.kept(gallery)
        labelled = gallery.relabelled(self.labels)
        return gallery if kept.all() and labelled.items == gallery.items else labelled.only(kept)


def decided(gallery: Gallery) -> Decided:
    """What the user has decided about the items of a gallery.

    Decisions that can't be read are passed over, and logged.
    """
    result = Decided(
        np.zeros(len(gallery.items), np.bool_), np.array([_published(item) for item in gallery.items], np.int64)
    )
    if not curation.anything_decided():
        return result
    for corpus, items in origins(gallery, range(len(gallery.items))).items():
        try:
            known = curation.decisions(corpus)
        except CurationError as error:
            log.warning("The gallery shows all items of %s as they were published: %s", corpus, error)
            continue
        for name, index in items if known else ():
            if name in known and _is_about(known[name], gallery, index):
                result.left_out[index], result.labels[index] = known[name].excluded, known[name].digit
    return result


def leave_out(gallery: Gallery, indices: Sequence[int]) -> Former:
    """Leave items out of their corpora, all or none; the former decisions, for `restore`.

    Takes of the user are passed over: their folder says which are left out. Raises
    :class:`~model.data.curation.CurationError`.
    """
    former: dict[str, Mapping[str, Decision]] = {}
    try:
        for corpus, items in origins(gallery, indices).items():
            if corpus in _TAKES:
                continue
            known = curation.decisions(corpus)
            changes = {}
            for name, index in items:
                there = name in known and _is_about(known[name], gallery, index)
                changes[name] = (known[name] if there else _undecided(gallery, index)).with_excluded(True)
            former[corpus] = curation.decide(corpus, changes)
    except CurationError:
        restore(former)
        raise
    return former


def restore(former: Former) -> None:
    """Return to former decisions; raises :class:`~model.data.curation.CurationError`."""
    for corpus, decisions in former.items():
        curation.decide(corpus, decisions)


def _undecided(gallery: Gallery, index: int) -> Decision:
    item = gallery.items[index]
    spoken = item.modality is Modality.SPEECH
    return Decision.about(_published(item), None if spoken else gallery.image_features[index])


def _published(item: Item) -> int:
    return item.label if item.published is None else item.published


def _is_about(decision: Decision, gallery: Gallery, index: int) -> bool:
    """Whether a decision is about an item as it is in the gallery."""
    same = _undecided(gallery, index)
    return (decision.published, decision.digest) == (same.published, same.digest)
