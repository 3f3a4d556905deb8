"""What answers queries: gallery, maps and model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from model import locations
from model.retrieval.curated import Decided
from model.retrieval.gallery import Gallery
from model.retrieval.projection import NeighbourMap, PrincipalComponents, Projection
from model.types import FloatArray

if TYPE_CHECKING:  # it is imported in the model's thread
    from model.retrieval.retriever import Retriever

MAPS: dict[str, type[PrincipalComponents] | type[NeighbourMap]] = {"PCA": PrincipalComponents, "t-SNE": NeighbourMap}
"""The kinds of map, by their names in the window."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """Gallery, maps and model, which are replaced together, so that any thread sees matching parts.

    Attributes
    ----------
    gallery
        The items that can be retrieved.
    maps
        The maps, to place embeddings in.
    coordinates
        Positions of the gallery's items in the maps, ``(n, 2)``.
    retriever
        Answers queries; ``None`` until the model is loaded.
    file
        Of the model that the retriever uses.
    """

    gallery: Gallery
    maps: Mapping[str, Projection]
    coordinates: Mapping[str, FloatArray]
    retriever: Retriever | None = None
    file: Path | None = None

    @classmethod
    def of(cls, gallery: Gallery, maps: Mapping[str, Projection]) -> Loaded:
        """A gallery of which all items were fitted to the maps."""
        return cls(gallery, maps, {kind: projection.coordinates for kind, projection in maps.items()})

    @classmethod
    def shipped(cls) -> Loaded:
        """The gallery and the maps of the shipped model."""
        gallery = Gallery.load(locations.shipped_gallery())
        maps = {}
        for kind, projection in MAPS.items():
            prefix = f"{kind}/"
            arrays = {
                name.removeprefix(prefix): array for name, array in gallery.maps.items() if name.startswith(prefix)
            }
            maps[kind] = projection.from_arrays(arrays)
        return cls.of(gallery, maps)

    def curated(self, decided: Decided) -> Loaded:
        """The same as the user has decided about its items."""
        gallery = decided.applied_to(self.gallery)
        if gallery is self.gallery:
            return self
        kept = decided.kept(self.gallery)
        retriever = None if self.retriever is None else self.retriever.over(gallery)
        coordinates = {kind: places[kept] for kind, places in self.coordinates.items()}
        return replace(self, gallery=gallery, coordinates=coordinates, retriever=retriever)
