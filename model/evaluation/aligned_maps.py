"""Maps of the same test items by several models, aligned so that they can be morphed into each other: their content.

Plain numpy, without torch: the window shows them at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from model.checkpoints import FORMAT, Arrays, checked
from model.evaluation.report import Interval, Report
from model.parsing import parse
from model.retrieval.gallery import items_on_disk, read_items
from model.types import FloatArray, Item


@dataclass(frozen=True, slots=True, eq=False)
class AlignedMaps:
    """Items, and a map of them by each of M models.

    Attributes
    ----------
    items
        Test inputs, the same for all models: images first, then utterances; ``items[i].index == i``.
    image_features
        The images, ``(images, 28, 28)`` uint8. Of the utterances there are no features: their corpus may forbid it.
    keys
        Of each utterance, what its corpus takes to play it where it is installed: ``"fsdd:recordings/7_theo_0.wav"``.
    embeddings
        One embedding sampled of each item's posterior, by each model: ``(M, n, 128)`` float16. The noise is the same
        for all models, so that they differ by their posteriors alone.
    coordinates
        Where these embeddings lie in two dimensions, ``(M, n, 2)`` float32; each map is aligned to the one before.
    setting
        What all models have in common: recipe, corpora, steps, protocol, versions. Plain values only.
    failures
        Runs that came to nothing, by name, and why.
    """

    items: tuple[Item, ...]
    image_features: npt.NDArray[np.uint8]
    keys: tuple[str, ...]
    embeddings: npt.NDArray[np.float16]
    coordinates: FloatArray
    setting: Mapping[str, Any]
    failures: Mapping[str, str]

    def on_disk(self, kind: str) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
        """Arrays and header of a file of this kind."""
        labels, header = items_on_disk(self.items, self.keys)
        arrays: dict[str, npt.NDArray[Any]] = {
            "labels": labels,
            "image_features": self.image_features,
            "embeddings": self.embeddings,
            "coordinates": self.coordinates,
        }
        header |= {"format": FORMAT, "kind": kind, "setting": dict(self.setting), "failures": dict(self.failures)}
        return arrays, header


def fields_from(arrays: Arrays, header: Mapping[str, Any], models: int) -> dict[str, Any]:
    """The fields of :class:`AlignedMaps` for so many models, at least one, from a file; raises ``ValueError``."""
    items, image_features, keys = read_items(arrays, header)
    return {
        "items": items,
        "image_features": image_features,
        "keys": keys,
        "embeddings": checked(arrays, "embeddings", np.float16, (models, len(items), None)),
        "coordinates": checked(arrays, "coordinates", np.float32, (models, len(items), 2)),
        "setting": parse(dict[str, Any], header.get("setting"), "setting"),
        "failures": parse(dict[str, str], header.get("failures"), "failures"),
    }


def over_seeds(reports: Iterable[Report], figure: Callable[[Report], float]) -> Interval:
    """Any figure of the reports on models that differ in their seeds; raises ``KeyError`` if there is none."""
    found = [figure(report) for report in reports]
    if not found:
        raise KeyError("no model")
    return Interval.of(found)
