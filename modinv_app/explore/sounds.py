"""The sound of spoken queries, read in the model's thread."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from model import locations
from model.data.conditions import CONDITIONS
from model.data.corpora import recording
from model.types import FloatArray, Modality
from modinv_app.explore.queries import GalleryItem, Noisy, Query, Recording, SoundFile

_TALKERS = 12  # utterances that babble is made of


def sound_of(query: Query) -> tuple[FloatArray, int]:
    """Samples ``(n,)`` of a spoken query, with its noise, and their rate in Hz.

    Raises
    ------
    MissingData, UnusableAudio
        If the recording can't be read.
    """
    match query:
        case Noisy():
            samples, rate = sound_of(query.original)
            return CONDITIONS[query.condition].apply(samples, rate, _talkers(rate), 0), rate
        case Recording():
            return query.samples, query.rate
        case SoundFile():
            from model.data.speech import read_audio  # its libraries take time to import

            return read_audio(query.path)
        case GalleryItem():
            return recording(query.key)
        case _:
            raise TypeError(f"{query.name} has no sound.")


@lru_cache(maxsize=2)
def _talkers(rate: int) -> Sequence[FloatArray]:
    """Some utterances of the shipped gallery."""
    from model.data.speech import resample
    from model.retrieval.gallery import Gallery

    gallery = Gallery.load(locations.shipped_gallery())
    spoken = [item.index for item in gallery.items if item.modality is Modality.SPEECH]
    some = [recording(gallery.key(index)) for index in spoken[:: len(spoken) // _TALKERS]]
    return [resample(samples, its_rate, rate) for samples, its_rate in some]
