"""Pictures and sound from embeddings, by a model with decoders."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from model.checkpoints import Header, read
from model.data.speech import FilterbankSettings, SpeechFrontEnd
from model.errors import ModinvError
from model.generation.utterances import utterance
from model.networks.architecture import EMBEDDING_SIZE
from model.retrieval.gallery import Gallery
from model.retrieval.retriever import read_features
from model.systems.base import Decoder, Encoder
from model.systems.encoder_io import has_decoders, load_encoder
from model.types import FloatArray, Modality


class NoDecoders(ModinvError):
    """A model that encodes only; the message says how to get one with decoders."""


class Generator:
    """Encodes inputs and decodes embeddings by one model.

    Parameters
    ----------
    decoder, header
        A trained model with decoders.

    Raises
    ------
    NoDecoders
        If it has none.
    """

    def __init__(self, decoder: Encoder, header: Header) -> None:
        if not isinstance(decoder, Decoder):
            raise NoDecoders(
                "This model has no decoders. Train them for it: modinv train --system generative "
                "--set frozen_encoders=yes --start MODEL"
            )
        self._decoder = decoder
        self._settings = FilterbankSettings(**header.filterbank)
        self._front_end = SpeechFrontEnd(self._settings)

    @classmethod
    def load(cls, path: Path) -> Generator:
        """The generator of a model's file; raises :class:`~model.checkpoints.UnusableCheckpoint`, too."""
        return cls(*load_encoder(path))

    @classmethod
    def of_model(cls, model: Path, decoders: Path) -> Generator:
        """The generator for embeddings of a model: by its own decoders, or by those that were trained on its encoders.

        Parameters
        ----------
        model
            The file of the model.
        decoders
            The file of another model with decoders. They are used only if its encoders are exactly those of the model:
            other encoders put other things in the same place.

        Raises
        ------
        NoDecoders
            If the model has no decoders, and those of the file are of other encoders.
        UnusableCheckpoint
            If a file can't be read.
        """
        return cls.load(decoders if not has_decoders(model) and _contains(decoders, model) else model)

    @property
    def sample_rate(self) -> int:
        """Of sounds, in Hz."""
        return self._settings.sample_rate

    def embed_file(self, path: Path) -> FloatArray:
        """The mean of the posterior of a picture or a recording, ``(128,)``; raises as `read_features`."""
        return self._embed(*read_features(path, self._front_end))

    def embed_item(self, gallery: Gallery, index: int) -> FloatArray:
        """The mean of the posterior of an item of a gallery, ``(128,)``."""
        return self._embed(gallery.items[index].modality, gallery.features(index))

    def draw_from_posteriors(self, gallery: Gallery, count: int, seed: int) -> FloatArray:
        """Samples of the aggregated posterior, the mean of the posteriors of all items of a gallery.

        Unlike most samples of the prior, they lie where inputs lie: the aggregated posterior is far from the prior
        (Makhzani et al. 2016, arXiv 1511.05644; Ghosh et al. 2020, arXiv 1903.12436).

        Returns
        -------
        ndarray
            ``(count, 128)``, each from the posterior of a random item of either modality.
        """
        random = np.random.default_rng(seed)
        chosen = random.choice(len(gallery.items), count)
        noise = random.standard_normal((count, EMBEDDING_SIZE), dtype=np.float32)
        embeddings = np.empty_like(noise)
        for modality in Modality:
            rows = [row for row, index in enumerate(chosen) if gallery.items[index].modality is modality]
            if rows:
                features = np.stack([gallery.features(int(chosen[row])) for row in rows])
                means, log_variances = self._decoder.encode(modality, features)
                embeddings[rows] = means + np.exp(log_variances / 2) * noise[rows]
        return embeddings

    def pictures(self, embeddings: FloatArray) -> FloatArray:
        """Images of embeddings ``(n, 128)``: ``(n, 28, 28)`` in [0, 1]."""
        return self._decoder.decode(Modality.IMAGE, embeddings)

    def filterbanks(self, embeddings: FloatArray) -> FloatArray:
        """Log mel energies of embeddings ``(n, 128)``, normalised and padded as by the front end: ``(n, 100, 80)``."""
        filterbanks = self._decoder.decode(Modality.SPEECH, embeddings)
        padded = np.zeros_like(filterbanks)
        for filterbank, into in zip(filterbanks, padded, strict=True):
            said = utterance(filterbank)
            into[: len(said)] = said
        return padded

    def sounds(self, embeddings: FloatArray) -> list[FloatArray]:
        """Sounds of embeddings ``(n, 128)``, each ``(samples,)`` at `sample_rate`; needs torch."""
        from model.generation.waveform import to_waveform  # late: it imports torch

        return [to_waveform(filterbank, self._settings) for filterbank in self.filterbanks(embeddings)]

    def _embed(self, modality: Modality, features: FloatArray) -> FloatArray:
        embedding: FloatArray = self._decoder.encode(modality, features[None]).means[0]
        return embedding


def _contains(model: Path, part: Path) -> bool:
    """Whether all weights of ``part`` are weights of a model, by name and value."""
    (weights, _), (wanted, _) = read(model), read(part)
    return all(name in weights and np.array_equal(weights[name], value) for name, value in wanted.items())


def walk(start: FloatArray, end: FloatArray, steps: int) -> FloatArray:
    """Embeddings on the straight line from one ``(128,)`` to another, both included: ``(steps, 128)``."""
    shares = np.linspace(0, 1, steps, dtype=np.float32)[:, None]
    return np.asarray((1 - shares) * start + shares * end, np.float32)


def draw_from_prior(count: int, seed: int, size: int = EMBEDDING_SIZE) -> FloatArray:
    """Samples of the prior N(0, I), ``(count, size)``."""
    return np.random.default_rng(seed).standard_normal((count, size), dtype=np.float32)
