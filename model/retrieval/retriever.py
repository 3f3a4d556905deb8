"""Answering queries: from a raw picture or sound to features, posterior and matches."""

from __future__ import annotations

import copy
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from model.checkpoints import Header
from model.data.emphasis import emphasise
from model.data.images import normalise_drawing, read_picture
from model.data.speech import FilterbankSettings, SpeechFrontEnd, UnusableAudio, read_audio, utterance_in
from model.retrieval.attribution import Explanation, Heat, occlude
from model.retrieval.confidence import Margins, fitted_for
from model.retrieval.gallery import Gallery, make_items
from model.retrieval.vote import Vote, majority
from model.similarity import Gaussians
from model.systems.base import Encoder
from model.types import Answer, FloatArray, Modality

if TYPE_CHECKING:
    from model.data.samples import Samples

SAMPLES = 16
"""Number of embeddings sampled from a query's posterior, as in the paper."""

_ENCODED_AT_ONCE = 32
_NEAREST = 10

_REASONS = {
    Modality.IMAGE: "This does not look like a digit that the model knows.",
    Modality.SPEECH: "This does not sound like a digit that the model knows.",
}

_PICTURES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".heic", ".avif"}


class Retriever:
    """Answers queries of both modalities by a model and a gallery that it encoded.

    One instance belongs to one thread.

    Parameters
    ----------
    encoder, header
        A trained model and its header.
    gallery
        The items to retrieve.

    Attributes
    ----------
    margins
        Margins of guesses.
    confidence
        Calibration and rejection by modality of the query: those of the header, otherwise a calibration on the
        gallery's own items, without a rejection.
    matched
        Which items of the gallery can be matches, ``(n,)``; ``None`` for all. The guess follows from all of them.
    vote
        Makes the guess of the nearest items and the user's takes.

    Raises
    ------
    UnusableCheckpoint
        If those of the header are damaged.
    """

    def __init__(self, encoder: Encoder, header: Header, gallery: Gallery) -> None:
        self.encoder = encoder
        self.header = header
        self.gallery = gallery
        self.margins = Margins.in_gallery(gallery)
        self.confidence = fitted_for(header) or self.margins.calibrated()
        self.matched: npt.NDArray[np.bool_] | None = None
        self.vote = Vote(gallery)
        self._front_end = SpeechFrontEnd(FilterbankSettings(**header.filterbank))

    def over(
        self,
        gallery: Gallery,
        matched: npt.NDArray[np.bool_] | None = None,
        takes: npt.NDArray[np.bool_] | None = None,
    ) -> Retriever:
        """The same model, which judges its guesses by the former gallery and takes its matches from another one.

        Parameters
        ----------
        gallery
            The other one.
        matched
            See the attributes.
        takes
            Which of its items are the user's takes, ``(n,)``, which vote for the guess; ``None`` for none.
        """
        other = copy.copy(self)
        other.gallery, other.matched, other.vote = gallery, matched, Vote(gallery, takes)
        return other

    def ask_picture(self, picture: np.ndarray[Any, Any], count: int = 10) -> Answer:
        """Find utterances for a grey picture of a digit, ``(h, w)``, of any size and polarity.

        Raises :class:`model.data.images.UnusablePicture`.
        """
        started = time.perf_counter()
        return self.ask_features(Modality.IMAGE, self.picture_features(picture), count, started)

    def ask_sound(self, samples: FloatArray, rate: int, count: int = 10) -> Answer:
        """Find images for a recording with one spoken digit, ``(n,)`` in [-1, 1] at ``rate`` Hz.

        Raises :class:`model.data.speech.UnusableAudio`.
        """
        started = time.perf_counter()
        return self.ask_features(Modality.SPEECH, self.sound_features(samples, rate), count, started)

    def ask_sound_file(self, path: Path, count: int = 10) -> Answer:
        """Find images for a sound file; raises as :meth:`ask_sound`."""
        return self.ask_sound(*read_audio(path), count)

    def ask_file(self, path: Path, count: int = 10) -> Answer:
        """Find matches for a picture or a sound, by the suffix; raises as `ask_picture` and `ask_sound`."""
        if path.suffix.lower() in _PICTURES:
            return self.ask_picture(read_picture(path), count)
        return self.ask_sound_file(path, count)

    def warm_up(self) -> None:
        """Answer a query of each modality, so that libraries are loaded before the first real one."""
        # Noise passes through the same steps as speech.
        noise = np.random.default_rng(0).normal(0, 0.1, self._front_end.settings.sample_rate).astype(np.float32)
        with suppress(UnusableAudio):
            self._front_end.trim(noise, 2 * self._front_end.settings.sample_rate)
        self.ask_features(Modality.SPEECH, self._front_end.filterbank(noise), 1)
        self.ask_features(Modality.IMAGE, np.zeros((28, 28), np.float32), 1)

    def ask_item(self, index: int, count: int = 10) -> Answer:
        """Find matches for an item of the gallery."""
        return self.ask_features(self.gallery.items[index].modality, self.gallery.features(index), count)

    def ask_features(
        self, modality: Modality, features: FloatArray, count: int = 10, started: float | None = None
    ) -> Answer:
        """Find matches for the input of an encoder.

        Parameters
        ----------
        modality, features
            ``(28, 28)`` in [0, 1], or ``(100, 80)``; see `picture_features` and `sound_features`.
        count
            Number of matches.
        started
            When work on the query began, by ``time.perf_counter``; now by default.
        """
        started = time.perf_counter() if started is None else started
        posterior = self.encoder.encode(modality, features[None])
        query = Gaussians(posterior.means[0], posterior.log_variances[0])
        matches = self.gallery.nearest(query, modality.other, count)
        understood = majority(matches)
        nearest = self.vote.digit(query, modality, matches)
        if self.matched is not None:
            matches = self.gallery.nearest(query, modality.other, count, self.matched)
        margin, runner_up, confidence, reason = self._judge(query, modality, nearest)
        overruled = understood if nearest != understood else None
        if overruled is not None:
            reason = ""  # to the model alone, what only takes explain may look like no digit
        # A fixed seed, so that the samples in the map do not flicker.
        noise = np.random.default_rng(0).standard_normal((SAMPLES, len(query.means)), np.float32)
        samples = query.means + np.exp(0.5 * query.log_variances) * noise
        return Answer(
            modality,
            features,
            query.means,
            query.log_variances,
            samples,
            matches,
            nearest,
            runner_up,
            margin,
            confidence,
            1000 * (time.perf_counter() - started),
            reason,
            overruled,
        )

    def picture_features(self, picture: np.ndarray[Any, Any]) -> FloatArray:
        """What the encoder sees of a picture, see `ask_picture`."""
        return _picture_features(picture)

    def drawing_features(self, ink: npt.NDArray[np.uint8]) -> FloatArray:
        """What the encoder sees of a drawing; see :func:`model.data.images.normalise_drawing`."""
        return normalise_drawing(ink)

    def sound_features(self, samples: FloatArray, rate: int) -> FloatArray:
        """What the encoder sees of a recording, see `ask_sound`."""
        return self._front_end.filterbank(self._front_end.trim(samples, rate))

    def explain(self, answer: Answer, match: int) -> Explanation:
        """What carries the similarity of an answered query with an item of the gallery in the other modality."""
        modality, features = self.gallery.items[match].modality, self.gallery.features(match)
        item = Gaussians(self.gallery.means[match], self.gallery.log_variances[match])
        return Explanation(
            occlude(self.encoder, answer.modality, answer.features, item),
            occlude(self.encoder, modality, features, Gaussians(answer.mean, answer.log_variance)),
        )

    def emphasise(self, samples: FloatArray, rate: int, heat: Heat) -> tuple[FloatArray, int]:
        """The utterance in a recording with what matters as loud as it is, and the rest faded.

        Parameters
        ----------
        samples, rate
            The recording ``(n,)`` whose filterbank ``heat`` is about, and its rate in Hz.
        heat
            Heat of the utterance.

        Returns
        -------
        tuple
            Samples and their rate in Hz; see :func:`model.data.emphasis.emphasise`.
        """
        settings = self._front_end.settings
        utterance = utterance_in(self._front_end, samples, rate)
        return emphasise(utterance, heat.shares, settings), settings.sample_rate

    def _judge(self, query: Gaussians, modality: Modality, nearest: int) -> tuple[float, int | None, float, str]:
        """Margin, runner-up, confidence, and the reason of a rejection (or nothing), of one query."""
        queries = Gaussians(query.means[None], query.log_variances[None])
        fitted, guesses = self.confidence[modality], np.array([nearest])
        margins, runners_up = self.margins.of(queries, modality, guesses)
        confidence = fitted.calibration.probabilities(margins / self.margins.typical[modality])
        rejections = fitted.rejected(self.margins, queries, modality, guesses)
        rejected = rejections is not None and bool(rejections[0])
        runner_up = int(runners_up[0]) if runners_up[0] >= 0 else None
        return float(margins[0]), runner_up, float(confidence[0]), _REASONS[modality] if rejected else ""


def _picture_features(picture: np.ndarray[Any, Any]) -> FloatArray:
    from model.data.segmentation import normalise_digit  # late: it imports SciPy, which only photos and scans need

    return normalise_digit(picture)


def read_features(path: Path, front_end: SpeechFrontEnd) -> tuple[Modality, FloatArray]:
    """What an encoder sees of a picture or a sound, by the suffix; raises as `ask_picture` and `ask_sound`."""
    if path.suffix.lower() in _PICTURES:
        return Modality.IMAGE, _picture_features(read_picture(path))
    return Modality.SPEECH, front_end.filterbank(front_end.trim(*read_audio(path)))


def guess(
    encoder: Encoder,
    gallery: Gallery,
    modality: Modality,
    features: FloatArray,
    takes: npt.NDArray[np.bool_] | None = None,
) -> list[int]:
    """The digits of queries, as a recording or a picture is answered: by a vote of the nearest items.

    Parameters
    ----------
    encoder, gallery
        A model, and the items that it has encoded.
    modality, features
        Inputs of its encoder, ``(n, 28, 28)`` or ``(n, 100, 80)``.
    takes
        Which items are the user's, ``(n,)``; by default none.
    """
    queries = [Gaussians(*one) for one in zip(*encoder.encode(modality, features), strict=True)]
    vote = Vote(gallery, takes)
    return [vote.digit(query, modality, gallery.nearest(query, modality.other, _NEAREST)) for query in queries]


def build_gallery(encoder: Encoder, header: Header, images: Samples, speech: Samples) -> Gallery:
    """A gallery of samples, encoded by a model."""
    return encode_gallery(encoder, header, unencoded_gallery(images, speech))


def unencoded_gallery(images: Samples, speech: Samples) -> Gallery:
    """A gallery of samples without posteriors."""
    items = make_items(
        len(images),
        [*images.labels.tolist(), *speech.labels.tolist()],
        (*images.sources, *speech.sources),
        [*[""] * len(images), *speech.speakers],
    )
    empty = np.zeros((0, 0), np.float32)
    return Gallery(
        items,
        (images.features * 255).round().astype(np.uint8),
        speech.features.astype(np.float16),
        empty,
        empty,
        tuple(f"{speech.corpus}:{key}" for key in speech.keys),
        {},
        {},
    )


class ItemEncoder:
    """Encodes items by one model, and remembers their posteriors, so that only new items take time.

    One instance belongs to one thread.
    """

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._known: dict[bytes, tuple[FloatArray, FloatArray]] = {}

    def encode(self, gallery: Gallery) -> Gaussians:
        """Posteriors of the items of a gallery, ``(n, 128)``."""
        keys = [gallery.features(item.index).tobytes() for item in gallery.items]
        for modality in Modality:
            places = gallery.places(modality)
            new = {keys[place]: place for place in range(places.start, places.stop) if keys[place] not in self._known}
            for start in range(0, len(new), _ENCODED_AT_ONCE):
                some = list(new.items())[start : start + _ENCODED_AT_ONCE]
                features = np.stack([gallery.features(place) for _, place in some])
                pairs = zip(*self._encoder.encode(modality, features), strict=True)
                self._known |= dict(zip((key for key, _ in some), pairs, strict=True))
        self._known = {key: self._known[key] for key in keys}
        return Gaussians(*(np.stack([self._known[key][part] for key in keys]) for part in (0, 1)))


def encode_items(encoder: Encoder, gallery: Gallery) -> Gaussians:
    """Encode the items of a gallery; posteriors ``(n, 128)``."""
    sides = [
        encoder.encode(Modality.IMAGE, gallery.image_features.astype(np.float32) / 255),
        encoder.encode(Modality.SPEECH, gallery.speech_features),
    ]
    return Gaussians(*(np.concatenate(side) for side in zip(*sides, strict=True)))


def encode_gallery(encoder: Encoder, header: Header, gallery: Gallery) -> Gallery:
    """The same items, encoded by another model."""
    model = {
        "recipe": header.recipe["name"],
        "lambda_ig": header.recipe["lambda_ig"],
        "seed": header.seed,
        "step": header.step,
    }
    return gallery.with_posteriors(encode_items(encoder, gallery), model, encoder.similarity)
