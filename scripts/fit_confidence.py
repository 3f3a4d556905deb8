"""Fit the confidence and the rejection of the shipped model, and write them into its header.

What is written is fitted on all inputs (``confidence_inputs.py``). The printed figures are those of eight folds, each
judged by what was fitted on the other seven; no stranger and no sign is in two of them. The weights stay as they are.

The calibration is fitted on the digits as they come. In the rejection every kind of input counts alike; of no kind of
digits more than about 3 % of those that are guessed rightly are rejected.

::

    python scripts/fit_confidence.py --data-dir DATA

MNIST's and FSDD's test inputs are judged at the end, and choose nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from confidence_inputs import Example, pictures, recordings
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold

from model import locations
from model.checkpoints import Header, read, write_atomically
from model.data.corpora.fsdd import Fsdd
from model.data.corpora.mnist import Mnist
from model.data.samples import Samples
from model.data.speech import FilterbankSettings, SpeechFrontEnd
from model.evaluation.proportions import clopper_pearson
from model.retrieval.confidence import Calibration, Confidence, Margins, Rejection, to_header
from model.retrieval.gallery import Gallery
from model.retrieval.vote import majority
from model.similarity import Gaussians
from model.systems.base import Encoder
from model.systems.encoder_io import load_encoder
from model.types import Modality

Flags = npt.NDArray[np.bool_]

_FOLDS = 8


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """What a model says of ``n`` inputs of one modality, and what is known of them."""

    kinds: npt.NDArray[np.str_]
    groups: npt.NDArray[np.str_]
    labels: npt.NDArray[np.int64]
    shares: npt.NDArray[np.float64]
    features: npt.NDArray[np.float64]
    right: Flags

    @property
    def digit(self) -> Flags:
        """Which are digits."""
        return self.labels >= 0

    def weights(self) -> npt.NDArray[np.float64]:
        """How much each counts, so that every kind does alike, and digits as much as the rest."""
        found = np.zeros(len(self.labels))
        for side in (self.digit, ~self.digit):
            kinds = np.unique(self.kinds[side])
            for kind in kinds:
                chosen = side & (self.kinds == kind)
                found[chosen] = 1 / len(kinds) / chosen.sum()
        return found

    def only(self, places: npt.NDArray[np.intp]) -> Inputs:
        """Some of them."""
        return Inputs(*(getattr(self, field.name)[places] for field in fields(self)))


def judged(encoder: Encoder, gallery: Gallery, modality: Modality, examples: Iterable[Example]) -> Inputs:
    """Encode and guess."""
    kinds, groups, labels, features = zip(*examples, strict=True)
    queries = encoder.encode(modality, np.stack(features))
    margins = Margins.in_gallery(gallery)
    guesses = np.array(
        [majority(gallery.nearest(Gaussians(*one), modality.other, 10)) for one in zip(*queries, strict=True)]
    )
    known = np.array(labels)
    return Inputs(
        np.array(kinds),
        np.array(groups),
        known,
        margins.shares(queries, modality, guesses),
        margins.features(queries, modality, guesses),
        guesses == known,
    )


def fitted(inputs: Inputs) -> Confidence:
    """Calibration and rejection."""
    digits = inputs.digit
    # A digit that is guessed wrongly is no loss. The model has learnt some kinds of digits by heart: none may make room
    # for the losses of another.
    kept = [inputs.right & (inputs.kinds == kind) for kind in np.unique(inputs.kinds[digits])]
    return Confidence(
        Calibration.fit(inputs.shares[digits], inputs.right[digits]),
        Rejection.fit(inputs.features, digits, inputs.weights(), inputs.groups.tolist(), kept),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Verdicts:
    """Which of ``n`` inputs are rejected, and how sure the guesses are."""

    rejected: Flags
    probabilities: npt.NDArray[np.float64]

    @classmethod
    def of(cls, confidence: Confidence, inputs: Inputs) -> Verdicts:
        """By what was fitted on others."""
        assert confidence.rejection is not None
        scores = confidence.rejection.scores(inputs.features)
        return cls(scores < 0, confidence.calibration.probabilities(inputs.shares))

    @classmethod
    def in_folds(cls, inputs: Inputs) -> Verdicts:
        """Of each fold by what is fitted on the rest."""
        found = cls(np.zeros(len(inputs.labels), bool), np.zeros(len(inputs.labels)))
        folds = StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=1)
        for rest, fold in folds.split(inputs.features, inputs.digit, inputs.groups):
            those = cls.of(fitted(inputs.only(rest)), inputs.only(fold))
            found.rejected[fold], found.probabilities[fold] = those.rejected, those.probabilities
        return found


def fit_confidence(encoder: Encoder, header: Header, gallery: Gallery, data: Path) -> dict[str, Any]:
    """What belongs into a model's header; prints what it is worth."""
    front_end = SpeechFrontEnd(FilterbankSettings(**header.filterbank))
    found = {}
    sources = {Modality.IMAGE: pictures(data), Modality.SPEECH: recordings(data, front_end, header.data)}
    for modality, examples in sources.items():
        inputs = judged(encoder, gallery, modality, examples)
        found[modality] = fitted(inputs)
        print(f"{modality}: {found[modality].calibration}")
        tell("in folds", inputs, Verdicts.in_folds(inputs))
    for modality, samples in ((Modality.IMAGE, Mnist(data).load("test")), (Modality.SPEECH, Fsdd(data).load("test"))):
        inputs = judged(encoder, gallery, modality, as_examples(samples))
        tell("test, which chose nothing", inputs, Verdicts.of(found[modality], inputs))
    return to_header(found)


def as_examples(samples: Samples) -> list[Example]:
    """All samples of a corpus."""
    features = samples.features
    return [(samples.corpus, "", digit, one) for digit, one in zip(samples.labels.tolist(), features, strict=True)]


def tell(title: str, inputs: Inputs, verdicts: Verdicts) -> None:
    """Print what confidence and rejection are worth."""
    rejected, probabilities = verdicts.rejected, verdicts.probabilities
    print(f"  {title}")
    for kind in sorted(set(inputs.kinds)):
        some = inputs.kinds == kind
        count, lost = int(some.sum()), int(rejected[some].sum())
        low, high = clopper_pearson(lost, count)
        print(f"    {kind:17}{lost:5} of {count:5} rejected: {lost / count:6.1%} ({low:.1%} to {high:.1%})", end="")
        if not inputs.digit[some].all():
            print()
            continue
        wrong, right = some & ~inputs.right, some & inputs.right
        print(
            f"; {rejected[right].sum()} of {right.sum()} right, {rejected[wrong].sum()} of {wrong.sum()} wrong guesses",
            end="",
        )
        if wrong.any():
            print(f"; AUROC of the confidence {roc_auc_score(~inputs.right[some], -probabilities[some]):.3f}", end="")
        brier = float(np.mean((probabilities[some] - inputs.right[some]) ** 2))
        print(
            f"; mean confidence {probabilities[some].mean():.4f}, right {inputs.right[some].mean():.4f}, "
            f"Brier {brier:.4f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="Fit the confidence and the rejection of the shipped model.")
    parser.add_argument("--data-dir", type=Path, required=True)
    data = parser.parse_args().data_dir
    path = locations.shipped_model()
    encoder, header = load_encoder(path)
    arrays, values = read(path)
    confidence = fit_confidence(encoder, header, Gallery.load(locations.shipped_gallery()), data)
    write_atomically(path, arrays, {**values, "confidence": confidence})


if __name__ == "__main__":
    main()
