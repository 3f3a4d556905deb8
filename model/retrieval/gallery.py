"""Galleries: the items that can be retrieved, their posteriors, and the nearest neighbours of a query.

Without torch, so that the window shows a gallery before torch is loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from model.checkpoints import FORMAT, Arrays, checked, read_as, write_atomically
from model.parsing import parse
from model.retrieval.inner_products import InnerProductIndex
from model.similarity import Gaussians, Similarity, similarities
from model.types import FloatArray, Item, Match, Modality

_MAP_PREFIX = "map/"


@dataclass(frozen=True, eq=False)
class Gallery:
    """Images and utterances, encoded by one model.

    Attributes
    ----------
    items
        Images first, then utterances; ``items[i].index == i``.
    image_features, speech_features
        ``(images, 28, 28)`` uint8 and ``(utterances, 100, 80)`` float16.
    means, log_variances
        Posteriors of all items, ``(n, 128)`` float32.
    keys
        Key of each utterance's recording for :func:`model.data.corpora.recording`:
        ``"voices:kokoro_af_bella/slow/seven.opus"``.
    model
        The model that encoded it: name of the recipe, lambda_IG, seed and step.
    maps
        Arrays of fitted projections (:mod:`model.retrieval.projection`), by name.
    similarity
        Similarity by which that model compares posteriors.
    """

    items: tuple[Item, ...]
    image_features: npt.NDArray[np.uint8]
    speech_features: npt.NDArray[np.float16]
    means: FloatArray
    log_variances: FloatArray
    keys: tuple[str, ...]
    model: Mapping[str, Any]
    maps: Mapping[str, npt.NDArray[Any]]
    similarity: Similarity = "dot"

    def features(self, index: int) -> FloatArray:
        """The encoder's input for an item: ``(28, 28)`` in [0, 1] or ``(100, 80)``."""
        images = len(self.image_features)
        if index < images:
            return np.asarray(self.image_features[index], np.float32) / np.float32(255)
        return np.asarray(self.speech_features[index - images], np.float32)

    def key(self, index: int) -> str:
        """The key of an utterance's recording; raises ``IndexError`` for an image."""
        if index < len(self.image_features):
            raise IndexError(f"Item {index} is an image.")
        return self.keys[index - len(self.image_features)]

    def places(self, modality: Modality) -> slice:
        """Where the items of a modality are."""
        images = len(self.image_features)
        return slice(0, images) if modality is Modality.IMAGE else slice(images, len(self.items))

    def posteriors(self, modality: Modality) -> Gaussians:
        """Of all items of a modality."""
        places = self.places(modality)
        return Gaussians(self.means[places], self.log_variances[places])

    def nearest(
        self, query: Gaussians, modality: Modality, count: int, among: npt.NDArray[np.bool_] | None = None
    ) -> tuple[Match, ...]:
        """The items of a modality that are most similar to a query, best first.

        Parameters
        ----------
        query
            One posterior, ``(128,)`` each.
        modality
            Modality of the items to search.
        count
            Number of items, at most.
        among
            Which items of the gallery to search, ``(n,)``; by default, and if the modality has none of them, all.
        """
        posteriors, start = self.posteriors(modality), self.places(modality).start
        searched = None if among is None else np.flatnonzero(among[self.places(modality)])
        if searched is None or not len(searched):
            searched = np.arange(len(posteriors.means))
        if self.similarity == "dot" and 0 < count < len(searched):
            searched = self._indices[modality].greatest(query.means, count, searched)
        if len(searched) < len(posteriors.means):
            posteriors = Gaussians(*(side[searched] for side in posteriors))
        scores = similarities(self.similarity, query, posteriors)
        best = np.argsort(-scores, kind="stable")[:count]
        return tuple(Match(self.items[start + searched[place]], float(scores[place])) for place in best)

    @cached_property
    def _indices(self) -> Mapping[Modality, InnerProductIndex]:
        return {modality: InnerProductIndex(self.posteriors(modality).means) for modality in Modality}

    def with_posteriors(self, posteriors: Gaussians, model: Mapping[str, Any], similarity: Similarity) -> Gallery:
        """The same items, encoded by another model; without maps."""
        means, log_variances = posteriors
        return replace(self, means=means, log_variances=log_variances, model=model, similarity=similarity, maps={})

    def complete_among(self, among: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Some items of the gallery, ``(n,)``, but none in a modality in which they lack a digit."""
        complete = among.copy()
        labels = np.array([item.label for item in self.items])
        for modality in Modality:
            places = self.places(modality)
            if len(np.unique(labels[places][among[places]])) < 10:
                complete[places] = False
        return complete

    def joined(self, other: Gallery) -> tuple[Gallery, npt.NDArray[np.intp]]:
        """A gallery of the items of both, encoded by the same model, without maps.

        Returns
        -------
        gallery
            The items of this gallery before those of the other one, in each modality.
        order
            For each of its items, ``(n,)``, its place among the items of this gallery followed by those of the other.
        """
        first, second = len(self.items), len(other.items)
        images, more = len(self.image_features), len(other.image_features)
        order = np.concatenate(
            [np.arange(images), first + np.arange(more), np.arange(images, first), first + np.arange(more, second)]
        )
        every = (*self.items, *other.items)
        gallery = replace(
            self,
            items=tuple(replace(every[place], index=index) for index, place in enumerate(order.tolist())),
            image_features=np.concatenate([self.image_features, other.image_features]),
            speech_features=np.concatenate([self.speech_features, other.speech_features]),
            means=np.concatenate([self.means, other.means])[order],
            log_variances=np.concatenate([self.log_variances, other.log_variances])[order],
            keys=(*self.keys, *other.keys),
            maps={},
        )
        return gallery, order

    def only(self, kept: npt.NDArray[np.bool_]) -> Gallery:
        """A gallery of some of the items, ``(n,)``, in their order, without maps."""
        images = len(self.image_features)
        places = np.flatnonzero(kept)
        return replace(
            self,
            items=tuple(replace(self.items[place], index=index) for index, place in enumerate(places.tolist())),
            image_features=self.image_features[kept[:images]],
            speech_features=self.speech_features[kept[images:]],
            means=self.means[kept],
            log_variances=self.log_variances[kept],
            keys=tuple(key for key, stays in zip(self.keys, kept[images:], strict=True) if stays),
            maps={},
        )

    def relabelled(self, labels: npt.NDArray[np.integer]) -> Gallery:
        """The same items with other labels, ``(n,)``; each knows its published one."""
        items = list(self.items)
        for index, label in enumerate(labels.tolist()):
            item = items[index]
            if item.label != label:
                published = item.label if item.published is None else item.published
                items[index] = replace(item, label=label, published=None if label == published else published)
        return replace(self, items=tuple(items))

    def again(self, other: Gallery, indices: Iterable[int]) -> list[int]:
        """Indices here, ascending, of items of another gallery; without those that are not here."""
        images = len(other.image_features)
        wanted = list(indices)
        keys = {other.key(index) for index in wanted if index >= images}
        pictures = {(other.items[i].source, other.image_features[i].tobytes()) for i in wanted if i < images}
        sources = {source for source, _ in pictures}
        return [
            *(
                item.index
                for item in self.items[: len(self.image_features)]
                if item.source in sources and (item.source, self.image_features[item.index].tobytes()) in pictures
            ),
            *(place for place, key in enumerate(self.keys, len(self.image_features)) if key in keys),
        ]

    def with_maps(self, maps: Mapping[str, npt.NDArray[Any]]) -> Gallery:
        """The same gallery with other maps."""
        return replace(self, maps=maps)

    def save(self, path: Path, *, make_folder: bool = True) -> None:
        """Write everything to one file, atomically; see :func:`model.checkpoints.write_atomically`."""
        labels, header = items_on_disk(self.items, self.keys)
        header |= {
            "format": FORMAT,
            "kind": "gallery",
            "model": dict(self.model),
            "similarity": self.similarity,
        }
        arrays: dict[str, npt.NDArray[Any]] = {
            "labels": labels,
            "image_features": self.image_features,
            "speech_features": self.speech_features,
            "means": self.means,
            "log_variances": self.log_variances,
            **{_MAP_PREFIX + name: array for name, array in self.maps.items()},
        }
        write_atomically(path, arrays, header, make_folder=make_folder)

    @classmethod
    def load(cls, path: Path) -> Gallery:
        """The inverse of :meth:`save`; raises :class:`~model.checkpoints.UnusableCheckpoint`."""
        return read_as("gallery", path, cls._from)

    @classmethod
    def _from(cls, arrays: Arrays, header: Mapping[str, Any]) -> Gallery:
        items, image_features, keys = read_items(arrays, header)
        speech_features = checked(arrays, "speech_features", np.float16, (len(keys), 100, 80))
        means = checked(arrays, "means", np.float32, (None, None))
        if len(means) not in (0, len(items)):  # none before they are encoded
            raise ValueError(f"it holds {len(items)} items and {len(means)} means")
        log_variances = checked(arrays, "log_variances", np.float32, means.shape, logarithms=True)
        maps = {name for name in arrays if name.startswith(_MAP_PREFIX)}
        return cls(
            items,
            image_features,
            speech_features,
            means,
            log_variances,
            keys,
            parse(dict[str, Any], header.get("model"), "model"),
            {name.removeprefix(_MAP_PREFIX): arrays[name] for name in maps},
            # Galleries of earlier versions do not say.
            parse(cast(Any, Similarity), header.get("similarity", "dot"), "similarity"),
        )


def make_items(images: int, labels: Iterable[int], sources: Iterable[str], speakers: Iterable[str]) -> tuple[Item, ...]:
    """Items from their labels, sources and speakers; the first ``images`` of them are images."""
    return tuple(
        Item(index, Modality.IMAGE if index < images else Modality.SPEECH, int(label), source, speaker)
        for index, (label, source, speaker) in enumerate(zip(labels, sources, speakers, strict=True))
    )


def items_on_disk(items: Sequence[Item], keys: Sequence[str]) -> tuple[npt.NDArray[np.uint8], dict[str, Any]]:
    """Items and the keys of the utterances as a file holds them: the array ``labels`` and a part of the header."""
    return np.array([item.label for item in items], np.uint8), {
        "sources": [item.source for item in items],
        "speakers": [item.speaker for item in items],
        "keys": list(keys),
    }


def read_items(
    arrays: Arrays, header: Mapping[str, Any]
) -> tuple[tuple[Item, ...], npt.NDArray[np.uint8], tuple[str, ...]]:
    """The inverse of :func:`items_on_disk`: items, the pictures of the images, and the keys of the utterances.

    Raises ``ValueError`` if they are damaged.
    """
    image_features = checked(arrays, "image_features", np.uint8, (None, 28, 28))
    labels = checked(arrays, "labels", np.uint8, (None,))
    sources, speakers, keys = (
        parse(tuple[str, ...], header.get(name), name) for name in ("sources", "speakers", "keys")
    )
    if not len(labels) == len(sources) == len(speakers) == len(image_features) + len(keys):
        raise ValueError("it does not hold as many labels, names and keys as items")
    if labels.size and labels.max() > 9:
        raise ValueError(f"it holds the label {labels.max()}, which is no digit")
    return make_items(len(image_features), labels, sources, speakers), image_features, keys
